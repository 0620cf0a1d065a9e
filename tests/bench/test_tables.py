# SPDX-License-Identifier: Apache-2.0
"""Documents of load, token and storm as people read them."""
import io
import json
from typing import Any

import pytest

import tables
import verb

LATENCY = {"count": 20000, "max_ns": 9000500, "mean_ns": 1200000, "p50_ns": 1100000,
           "p90_ns": 1500000, "p99_ns": 2100000}
OUTCOME = {"good": 20000, "wrong": 0, "failed": 3, "missed": 2, "overdue": 1, "exceeded": 1,
           "latency": LATENCY}
PROCESS = {"pid": 7, "name": "keywardd", "resident_before_kib": 2048, "resident_kib": 3072,
           "resident_max_kib": 4096, "threads": 4}
LOAD: dict[str, Any] = OUTCOME | {
    "tool": "keyward-bench load", "schema": 1, "partial": False, "fault": "",
    "options": {"socket": "/run/a.sock", "mix": "decrypt:90,status:10", "ciphertexts": "all new",
                "in_flight": 64, "connections": 1, "rate": 5000, "max_rate": 9000,
                "timeout_ns": 10 ** 9, "warmup_ns": 10 ** 9, "calls": 0},
    "elapsed_ns": 2 * 10 ** 9, "by_method": {"decrypt": OUTCOME, "status": OUTCOME},
    "failures": {"INTERNAL": {"count": 3, "message": "no"}},
    "failed_latency": {"count": 0, "max_ns": 0},
    "processes": {"known": True, "lost": True, "server": PROCESS, "children": [PROCESS]},
    "longest_gap_ns": 4000000, "late": 11, "proven": 5, "not_proven": 0,
    "figures": {"calls_per_s": 10000.4, "goodput_per_s": 9999, "server_us": 30, "workers_us": 12.5,
                "cpu_us": 42.5, "client_us": 3.25, "switches": 0.5}}
TOKEN: dict[str, Any] = {
    "tool": "keyward-bench token", "schema": 1, "partial": True, "fault": "", "keyring": None,
    "token": {"label": "A", "manufacturer": "M", "model": "X", "firmware": "1", "hardware": "2",
              "library": "L", "library_version": "3", "mechanism": "CKM_AES_GCM", "iv": "caller"},
    "options": {"module": "/m.so", "operation": "unwrap", "key": "session", "processes": 1,
                "threads": 2, "sessions": 1, "curve": [1, 2], "max_rate": 200},
    "elapsed_ns": 10 ** 9, "good": 1480, "wrong": 1,
    "figures": {"calls_per_s": 1480, "p50_us": 640.4, "cpu_us": 9.5, "switches": 2.25}}
STORM: dict[str, Any] = {
    "tool": "keyward-bench storm", "schema": 1, "partial": False, "fault": "", "cache": "cold",
    "options": {"sockets": ["a", "b"], "servers": 3, "seeds": 50, "readers": 2, "parallel": 1,
                "timeout_ns": 3 * 10 ** 9, "day_ns": 1},
    "ready_by_server_ms": [12.34, None, 9], "requests": 300, "hsm_operations": 150, "joined": 100,
    "cache_hits": 50, "hsm_jobs": 160, "duplicates": 90, "deadline_misses": 4, "wrong": 2,
    "failures": {"UNAVAILABLE": {"count": 4, "message": "gone"}}, "list_retries": 4,
    "bad_checks": 1, "calls": {"status": 3, "encrypt": 3, "decrypt": 300}, "restarts": 3,
    "good": {"decrypt": 290}, "figures": {"slowest_start_ms": 20, "p50_us": 1.0},
    "hours": [{"hour": 0, "calls": {"status": 3, "encrypt": 4, "decrypt": 5},
               "failed": {"status": 1, "encrypt": 2, "decrypt": 0}}]}
DRY = {"dry_run": True}


@pytest.mark.parametrize("document, said", [
    (LOAD, ["64 in flight on 1 connections, ciphertexts all new", "11 due and not made at the end",
            "20000 good in 2.000 s = 10000/s; 0 wrong, 3 failed", "(1 answered late, 1 not)",
            "mean 1200.0  p50 1100.0  p90 1500.0  p99 2100.0  max 9000.5", "  status  ",
            "server 30.00 + children 12.50 = 42.50; this client 3.25", "a lower bound",
            "pid 7, 4 threads, resident 3.0 MiB (2.0 before, 4.0 most ever)",
            "longest gap     4.0 ms", "5 ciphertexts decrypted afterwards, 0 not",
            "errors          3 INTERNAL: no"]),
    (LOAD | {"partial": True, "fault": "stopped", "processes": {"known": False}},
     ["  PARTIAL         stopped", "this client 3.25; server unknown (--server-pid says which)"]),
    (LOAD | DRY | {"ciphertexts": 9, "seeds": 5},
     ["socket          /run/a.sock", "ciphertexts     9", "warmup          1 s",
      "this is a dry run"]),
    (TOKEN, ["token A (M X, firmware 1, hardware 2), library L 3", "unwrap CKM_AES_GCM, IV: caller",
             "200 operations/s at most", "PARTIAL         interrupted", "none was there",
             "1x2x1 sessions  1480 good in 1.000 s = 1480/s; 1 wrong; not to its end",
             "us: p50 640.4", "CPU us/call 9.50, switches 2.250"]),
    (TOKEN | {"keyring": {"path": "/k", "keys": 3}, "curve": [
        {"sessions": 4, "good": 9, "wrong": 0, "elapsed_ns": 10 ** 9, "partial": False,
         "ops_per_s": 9.0}]},
     ["/k: 3 keys that are not touched", "4 sessions      9 good in 1.000 s = 9/s; 0 wrong"]),
    (TOKEN | DRY | {"logins": 2, "sessions_open": 3, "keyring": {"path": "/k", "keys": 3}},
     ["module          /m.so", "curve           1 2", "logins          2", "sessions open   3",
      "/k: 3 keys that are not touched", "nothing was sent or touched: this is a dry run"]),
    (TOKEN | {"dry_run": False, "leftovers": [
        {"label": "kw-bench-1", "destroyed": True, "kept": ""},
        {"label": "kw-bench-2", "destroyed": False, "kept": "in use"}]},
     ["2 keys whose label begins with kw-bench-", "kw-bench-1: destroyed", "kw-bench-2: in use"]),
    (STORM, ["a day of 3 API servers on 2 sockets: 50 seeds, 1 x 2 lists each, timeout 3000 ms, "
             "the plugin's cache cold", "ready           never", "12.34 never 9",
             "3 in all, the slowest was ready after 20.0 ms",
             "150 unwraps (100 joined, 50 from the cache; 160 jobs", "latency, us     p50 1.0",
             "WRONG REPLIES   2", "failed          4 UNAVAILABLE: gone",
             "4 lists begun anew, 1 bad checks", "3 Status, 4 Encrypt, 5 Decrypt; 3 failed"]),
    (STORM | DRY, ["sockets         a b", "this is a dry run"])])
def test_table_says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                    document: dict[str, Any], said: list[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))
    assert tables.main(["load"], "") == 0
    table = capsys.readouterr().out
    assert [line for line in said if line not in table] == []


@pytest.mark.parametrize("text, why", [
    ("", "Expecting value"), ("[]", "list"), ("{}", "tool"),
    ('{"tool": "keyward-bench gap"}', "gap"),
    ('{"tool": "keyward-bench load", "options": {}}', "socket")])
def test_no_document_is_three_and_the_member_is_named(monkeypatch: pytest.MonkeyPatch, text: str,
                                                      why: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(verb.Unable, match=f"no document of load.*{why}"):
        tables.main(["load"], "")
    with pytest.raises(verb.Usage):
        tables.main([], "")

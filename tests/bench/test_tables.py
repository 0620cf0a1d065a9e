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
PROCESS = {"pid": 7, "name": "keywardd", "user_ticks": 60, "system_ticks": 40, "switches": 5000,
           "resident_before_kib": 2048, "resident_kib": 3072, "resident_max_kib": 4096,
           "threads": 4}
LOAD: dict[str, Any] = OUTCOME | {
    "tool": "keyward-bench load", "schema": 1, "partial": False, "fault": "",
    "options": {"socket": "/run/a.sock", "mix": "decrypt:90,status:10", "ciphertexts": "all new",
                "in_flight": 64, "connections": 1, "rate": 5000, "max_rate": 9000,
                "timeout_ns": 10 ** 9, "ramp": False, "warmup_ns": 10 ** 9,
                "seconds_ns": 5 * 10 ** 9, "calls": 0},
    "elapsed_ns": 2 * 10 ** 9, "by_method": {"decrypt": OUTCOME, "status": OUTCOME},
    "failures": {"INTERNAL": {"count": 3, "message": "no"}},
    "failed_latency": {"count": 0, "max_ns": 0},
    "processes": {"known": True, "lost": True, "server": PROCESS, "children": [PROCESS]},
    "longest_gap_ns": 4000000, "late": 11, "proven": 5, "not_proven": 0,
    "figures": {"calls_per_s": 10000.4, "goodput_per_s": 9999, "server_us": 30, "workers_us": 12.5,
                "cpu_us": 42.5, "client_us": 3.25}}
TOKEN: dict[str, Any] = {
    "tool": "keyward-bench token", "schema": 1, "partial": True, "fault": "", "keyring": None,
    "token": {"label": "A", "manufacturer": "M", "model": "X", "firmware": "1", "hardware": "2",
              "library": "L", "library_version": "3", "mechanism": "CKM_AES_GCM", "iv": "caller"},
    "options": {"module": "/m.so", "uri": "pkcs11:token=A", "operation": "unwrap", "key": "session",
                "processes": 1, "threads": 2, "sessions": 1, "curve": [], "calls": 0,
                "seconds_ns": 10 ** 9, "warmup_ns": 10 ** 9, "ramp_ns": 0, "max_rate": 200},
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
    "good": {"status": 3, "encrypt": 3, "decrypt": 290}, "histogram": [[1000, 100], [3000, 100]],
    "hours": [{"hour": 0, "calls": {"status": 3, "encrypt": 4, "decrypt": 5},
               "failed": {"status": 1, "encrypt": 2, "decrypt": 0}}],
    "figures": {"slowest_start_ms": 20, "p50_us": 1.0}}
DRY = {"dry_run": True}


@pytest.mark.parametrize("document, said", [
    (LOAD, ["/run/a.sock: decrypt:90,status:10, 64 in flight on 1 connection, ciphertexts all new, "
            "5000 calls/s meant, at most 9000 calls/s",
            "  calls           20000 good in 2.000 s = 10000/s; 0 wrong, 3 failed",
            "  goodput         9999/s good in time; 2 missed the deadline (1 answered late, 1 not)",
            "  latency, us     mean 1200.0  p50 1100.0  p90 1500.0  p99 2100.0  max 9000.5",
            "  status          20000 good = 10000/s; 0 wrong, 3 failed, 2 missed the deadline",
            "  CPU us/call     server 30.00 + children 12.50 = 42.50; this client 3.25",
            "  switches/call   server 0.25, children 0.25",
            "  keywardd        pid 7, resident 3.0 MiB (2.0 before, 4.0 most ever), 4 threads, "
            "40 % of its CPU in the kernel",
            "  note            a process ended meanwhile: CPU is a lower bound",
            "  longest gap     4.0 ms without a good reply",
            "  late            11 calls due and not made at the end",
            "  proof           5 ciphertexts decrypted afterwards, 0 not",
            "  errors          3 INTERNAL: no"]),
    (LOAD | {"partial": True, "fault": "stopped", "processes": {"known": False}},
     ["  PARTIAL: stopped", "  CPU us/call     server unknown (who listens cannot be read; "
      "--server-pid says it); this client 3.25"]),
    (LOAD | DRY | {"ciphertexts": 9, "seeds": 5},
     ["  first           1 Status, then 9 Encrypt to make ciphertexts", "  measured        5s",
      "Nothing was sent (--dry-run)."]),
    (TOKEN, ["token A (M X, firmware 1, hardware 2), library L 3",
             "  unwrap with a throw-away key of the token's session, CKM_AES_GCM, IV of the caller",
             "  limit           200 operations/s at most", "  PARTIAL: interrupted",
             "  1 processes x 2 threads x 1 sessions",
             "  operations      1480 in 1.000 s = 1480/s; 1 wrong; not to its end",
             "  latency, us     p50 640.4", "  CPU us/call     9.50, switches 2.250"]),
    (TOKEN | {"keyring": {"path": "/k", "keys": 3}, "curve": [
        {"sessions": 4, "good": 9, "wrong": 0, "elapsed_ns": 10 ** 9, "partial": False,
         "ops_per_s": 9.0}]},
     ["  keyring         /k: 3 keys that are not touched", "  4 processes x 1 threads x 1 sessions",
      "  operations      9 in 1.000 s = 9/s; 0 wrong"]),
    (TOKEN | DRY | {"logins": 2, "sessions_open": 3},
     ["would load /m.so, find pkcs11:token=A and measure unwrap with a throw-away key of the "
      "token's session", "  shape           1 processes x 2 threads x 1 sessions",
      "  time            1.000 s each, after 1.000 s of ramp and warm-up",
      "nothing was touched: this is a dry run"]),
    (TOKEN | {"dry_run": False, "leftovers": [
        {"label": "kw-bench-1", "destroyed": True, "kept": ""},
        {"label": "kw-bench-2", "destroyed": False, "kept": "in use"}]},
     ["kw-bench-1: destroyed", "kw-bench-2: in use"]),
    (STORM, ["a day of 3 API servers on 2 sockets: 50 seeds, 1 x 2 lists each, timeout 3000 ms, "
             "the plugin's cache cold", "  ready           never (by server: 12.3 never 9.0)",
             "  restarts        3, the slowest was ready after 20.0 ms",
             "  HSM operations  150 unwraps (100 joined, 50 from the cache; 160 jobs in all, with "
             "canaries and wraps)", "  latency us      mean 2.0  p50 1.0  max 3.0",
             "  WRONG REPLIES   2", "  failed          4 UNAVAILABLE: gone",
             "  retries         4 lists begun anew, 1 bad checks",
             "     0         3         4         5         3"]),
    (STORM | DRY, ["at least 3 Status, 3 Encrypt, 150 to 300 Decrypt without retries"])])
def test_table_says(document: dict[str, Any], said: list[str]) -> None:
    lines = list(tables.table_of(document))
    assert [line for line in said if line not in lines] == []


def test_verb_reads_its_standard_input(monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(STORM)))
    assert tables.main(["storm"], "") == 0
    assert capsys.readouterr().out.startswith("a day of 3 API servers")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tool": "keyward-bench gap"}',
                                  '{"tool": "keyward-bench load", "options": 7}'])
def test_no_document_is_three(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(verb.Unable, match="no document of load"):
        tables.main(["load"], "")
    with pytest.raises(verb.Usage):
        tables.main([], "")

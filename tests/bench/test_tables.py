# SPDX-License-Identifier: Apache-2.0
"""Documents of load, token and storm as people read them."""
import io
import json
from pathlib import Path

import pytest

import tables
import verb

DOCUMENTS = Path(__file__).parent / "documents"
LOAD, TOKEN, STORM = (json.loads((DOCUMENTS / f"{name}.json").read_text())
                      for name in ("load", "token", "storm"))
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
def test_table_says(monkeypatch, capsys, document, said):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))
    assert tables.main(["load"], "") == 0
    table = capsys.readouterr().out
    assert [line for line in said if line not in table] == []


@pytest.mark.parametrize("text, why", [
    ("", "Expecting value"), ("[]", "list"), ("{}", "tool"),
    ('{"tool": "keyward-bench none"}', "none"),
    ('{"tool": "keyward-bench load", "options": {}}', "socket")])
def test_no_document_is_three_and_the_member_is_named(monkeypatch, text, why):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(verb.Unable, match=f"no document of load.*{why}"):
        tables.main(["load"], "")

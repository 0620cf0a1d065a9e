# SPDX-License-Identifier: Apache-2.0
"""Results folders as a run leaves them, with round figures."""
import json
import math
from pathlib import Path
from typing import Any

import stats

ROUNDS, DISTURBED = 8, 3
MOOD = (1.00, 0.99, 1.01, 1.31, 1.00, 1.02, 0.98, 1.00)  # of a round, the same for all cells
Document = dict[str, Any]


def series(value: float, cell: int, slower_is_more: bool) -> list[float]:
    """A little of its own beside the mood, so that intervals have a width."""
    own = 0.004 * (cell % 6)
    return [value * (MOOD[n] if slower_is_more else 1 / MOOD[n]) * (1 + own * (n % 3 - 1))
            for n in range(ROUNDS)]


def histogram(p50_us: float) -> list[list[int]]:
    """A lump at p50 and a tail, thinning out: counts that look like a latency."""
    buckets = []
    for i in range(240):
        us = p50_us * 0.6 * math.exp(i * 0.02)
        lump, heavy = math.log(us / p50_us), us / p50_us
        buckets.append([int(us * 1000),
                        int(20000 * math.exp(-lump * lump * 30) + 300 / heavy ** 3) + 1])
    return buckets


class Run:
    """A results.json in the making."""

    def __init__(self) -> None:
        self.cells: list[Document] = []
        self.document: Document = {
            "tool": "keyward-bench rounds", "schema": 1, "version": "0.1.0",
            "session": "00112233445566ff", "partial": False, "fault": "",
            "began": "2026-01-01T00:00:00Z", "elapsed_s": 301.5,
            "command": f"keyward-bench rounds --rounds {ROUNDS} 'echo-64*=load …'",
            "environment": {
                "cpu": "A fixture <not a machine>", "cpus": 2, "kernel": "6.1.0-fixture",
                "governor": "unknown", "virtualisation": "a fixture",
                "distribution": "Debian GNU/Linux 12 (bookworm)", "memory_kib": 8 << 20,
                "load_1m": 0.42, "commit": "0123456789abcdef", "build": "RelWithDebInfo",
                "libraries": {"openssl": "3.0.0"},
                "notes": {"token": "SoftHSM, not asked", "configuration": 'cache & "wall"'}},
            "fingerprint": "8899aabbccddeeff",
            "layout": {"name": "split", "client": "1", "server": "0",
                       "words": "Servers and workers share CPU 0, the client has CPU 1: no "
                                "scaling conclusion."},
            "base": "echo-64", "control": "echo-64", "rounds": ROUNDS,
            "pulse": {"unit": "ns", "rounds": []},
            "disturbed": [{"round": DISTURBED, "why": "pulse 1.31 of the median"}],
            "quiet": {"verdict": "quiet",
                      "words": "The control is within 1 % of the base, and 1 of 8 rounds was "
                               "disturbed."},
            "noise": {}, "cells": self.cells}

    def names(self) -> list[str]:
        return [c["name"] for c in self.cells]

    def cell(self, name: str, in_flight: float, calls: float, cpu_us: float,
             primary: bool = False) -> Document:
        at, p50 = len(self.cells), in_flight / calls * 1e6
        method = next((m for m in ("encrypt", "status") if m in name), "decrypt")
        more = {"p50_us": p50 * 0.9, "p90_us": p50 * 1.4, "p99_us": p50 * 2.5,
                "p99.9_us": p50 * 5, "cpu_us": cpu_us, "server_us": cpu_us * 0.7,
                "workers_us": cpu_us * 0.3, "client_us": 3.4, "switches": 0.11}
        figures = {k: series(calls, at, False) for k in ("calls_per_s", "goodput_per_s")}
        c = {"name": name, "primary": primary, "control": False,
             "command": f"load /run/fixture/{name}.sock --in-flight {in_flight:.0f} --mix {method}",
             "tool": "keyward-bench load",
             "axes": {"in_flight": in_flight, "method": method,
                      "subject": name.rpartition("-")[0] or name, "rate": 0, "token_delay_us": 0},
             "failures": 0, "failure": "",
             "figures": figures | {k: series(v, at, True) for k, v in more.items()},
             "histogram": histogram(p50 * 0.9)}
        self.cells.append(c)
        return c

    def end(self) -> Document:
        """With the control, what it says of noise, and pulses."""
        c = self.cell("control", 64, 60000, 10)
        c["control"], c["axes"]["subject"] = True, "echo"
        calm = [n for n in range(ROUNDS) if n != DISTURBED]
        for k, values in c["figures"].items():
            base = self.cells[0]["figures"][k]
            x = stats.ratio([values[n] for n in calm], [base[n] for n in calm])
            self.document["noise"][k] = {"low": x.low, "mid": x.mid, "high": x.high}
        self.document["pulse"]["rounds"] = [
            [10e6 * MOOD[n] * (1 + 0.002 * (i % 4)) for i in range(len(self.cells))]
            for n in range(ROUNDS)]
        return self.document


def primaries() -> Run:
    r = Run()
    for name, in_flight, calls, cpu_us in (
            ("echo-64", 64, 60000, 10), ("hit-64", 64, 48000, 13), ("uncached-64", 64, 19000, 46),
            ("inproc-64", 64, 24000, 38), ("status-64", 64, 57000, 10.6),
            ("encrypt-64", 64, 11000, 82), ("uncached-1", 1, 6200, 95), ("peer-64", 64, 15000, 60)):
        r.cell(name, in_flight, calls, cpu_us, primary=True)
    return r


def everything() -> Run:
    r = primaries()
    for subject, calls, cpu_us in (
            ("echo", 60000, 10), ("software", 52000, 12), ("inproc", 24000, 38),
            ("wall1", 17000, 49), ("hit", 48000, 13), ("repeat90", 41000, 17),
            ("uncached", 19000, 46), ("copy", 26000, 35), ("peer", 15000, 60),
            ("encrypt", 11000, 82), ("status", 57000, 10.6), ("peer-encrypt", 7000, 130)):
        for in_flight, share in ((1, 0.32), (8, 0.8), (64, 1)):
            if f"{subject}-{in_flight}" not in r.names():
                r.cell(f"{subject}-{in_flight}", in_flight, calls * share, cpu_us / share)
    for us, words in ((500, "500us"), (2000, "2ms"), (10000, "10ms")):
        slow = r.cell(f"slow{words}-64", 64, 2e6 / (us + 90), 47)
        hit = r.cell(f"slow{words}-hit-64", 64, 48000, 13)
        slow["axes"]["token_delay_us"] = hit["axes"]["token_delay_us"] = us
    for rate in (4000, 8000, 12000, 16000, 18000, 20000, 24000):
        served = rate if rate < 18500 else 18500 - (rate - 18500) / 2
        c, room = r.cell(f"open-{rate}", 512, served, 46), max(1 - rate / 18500, 0.0005)
        c["axes"]["rate"] = rate
        for k, v in (("p50_us", 110 / room ** .5), ("p90_us", 160 / room), ("p99_us", 240 / room)):
            c["figures"][k] = series(v, len(r.cells) - 1, True)
    return r


def storm(ready_ms: float, failed: int) -> Document:
    timeline = [{"t_ms": at * ready_ms, "unwrapped": math.floor(3000 * at * (2 - at)),
                 "in_flight": math.floor(6 + 5 * math.sin(at * 9) if at < 1 else 0),
                 "failed": math.floor(failed * min(at / 0.3, 1))}
                for at in (i / 120 for i in range(121))]
    failures = {"DEADLINE_EXCEEDED": {"count": failed, "message": "a fixture's <deadline>"}}
    return {"tool": "keyward-bench storm", "schema": 1, "version": "0.1.0", "partial": False,
            "fault": "", "cache": "cold",
            "options": {"servers": 3, "seeds": 1000, "readers": 2, "parallel": 1,
                        "timeout_ns": 3 * 10 ** 9},
            "ready_ms": ready_ms, "requests": 4100, "hsm_operations": 1003, "duplicates": 1100,
            "deadline_misses": failed, "failures": failures if failed else {},
            "timeline": timeline, "figures": {"ready_ms": ready_ms}}


DAY = {"tool": "keyward-bench storm", "schema": 1, "version": "0.1.0", "partial": True,
       "fault": "a fixture breaks off", "options": {"servers": 3, "day_ns": 86400 * 10 ** 9},
       "hours": [{"hour": 0, "calls": {"status": 180, "encrypt": 4, "decrypt": 1234},
                  "failed": {"status": 0, "encrypt": 0, "decrypt": 5}}]}
PLAN = {"tool": "keyward-bench plan", "schema": 1, "version": "0.1.0",
        "inputs": {"servers": 3, "seeds": 1000}, "needs": {"steady_per_s": 0.4, "sessions": 8},
        "expected": {"ready_ms": 1900, "p99_ms": 21}, "limits": {"seeds": 25000},
        "carried": False, "findings": ["a fixture is too slow"],
        "assumptions": ["a fixture: nothing is assumed",
                        {"text": "one wrap is two operations", "source": "the way of an Encrypt"}],
        "curves": [{"name": "ready_ms over seeds", "x": "seeds", "y": "ready_ms",
                    "points": [[100, 200], [1000, 1900], [5000, 9400], [10000, 18800]]}]}
TOKEN = {"tool": "keyward-bench token", "schema": 1, "version": "0.1.0",
         "token": {"model": "a fixture", "firmware": "1.0"},
         "figures": {"ops_per_s": 1480, "p50_us": 640},
         "curve": [{"sessions": n, "ops_per_s": rate, "p50_us": p50, "p99_us": p99}
                   for n, rate, p50, p99 in ((1, 410, 2400, 2900), (2, 800, 2450, 3100),
                                             (4, 1480, 2650, 4000), (8, 1610, 4900, 9100))]}
MICRO = {"context": {"executable": "fixture"},
         "benchmarks": [{"name": name, "run_type": "iteration", "iterations": n,
                         "real_time": real, "cpu_time": cpu, "time_unit": unit}
                        for name, n, real, cpu, unit in (
                            ("cache_hit/64", 2000000, 351.2, 350.1, "ns"),
                            ("envelope_parse", 9000000, 78.4, 78.3, "ns"),
                            ("wire_round_trip", 80000, 9.1, 4.2, "us"))]}


def quick(folder: Path) -> Path:
    (folder / "results.json").write_text(json.dumps(primaries().end()))
    return folder


def full(folder: Path) -> Path:
    for name, document in (
            ("results", everything().end()), ("storm-cold", storm(1840, 0)),
            ("storm-slow10ms", storm(14200, 37)), ("storm-day", DAY), ("plan-three", PLAN),
            ("token-wrap", TOKEN), ("micro", MICRO)):
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder

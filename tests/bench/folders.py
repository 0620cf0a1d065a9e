# SPDX-License-Identifier: Apache-2.0
"""Results folders as a run leaves them, with round figures."""
import json
import math
import shutil
from pathlib import Path

import made_up

DOCUMENTS = Path(__file__).parent / "documents"
PLAN, STORM, DAY = (json.loads((DOCUMENTS / f"{name}.json").read_text())
                    for name in ("plan-three", "storm-slow10ms", "storm-day"))
ROUNDS = 8
MOOD = (1.00, 0.99, 1.01, 1.31, 1.00, 1.02, 0.98, 1.00)  # of a round, the same for all cells


def series(value, cell, slower_is_more):
    """A little of its own beside the mood, so that intervals have a width."""
    own = 0.004 * (cell % 6)
    return [value * (MOOD[n] if slower_is_more else 1 / MOOD[n]) * (1 + own * (n % 3 - 1))
            for n in range(ROUNDS)]


def histogram(p50_us):
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

    def __init__(self):
        self.cells = []

    def cell(self, name, in_flight, calls, cpu_us, primary=False):
        at, p50 = len(self.cells), in_flight / calls * 1e6
        method = next((m for m in ("encrypt", "status") if m in name), "decrypt")
        more = {"p50_us": p50 * 0.9, "p90_us": p50 * 1.4, "p99_us": p50 * 2.5,
                "p99.9_us": p50 * 5, "cpu_us": cpu_us, "server_us": cpu_us * 0.7,
                "workers_us": cpu_us * 0.3, "client_us": 3.4, "switches": 0.11}
        figures = {k: series(calls, at, False) for k in ("calls_per_s", "goodput_per_s")}
        c = made_up.cell(name, figures | {k: series(v, at, True) for k, v in more.items()})
        c["axes"] |= {"in_flight": in_flight, "method": method,
                      "subject": name.rpartition("-")[0] or name}
        c |= {"primary": primary, "command": f"load /run/fixture/{name}.sock --mix {method}",
              "histogram": histogram(p50 * 0.9)}
        self.cells.append(c)
        return c

    def end(self):
        """With the control, what it says of noise, and pulses."""
        c = self.cell("control", 64, 60000, 10)
        c["control"], c["axes"]["subject"] = True, "echo"
        r = made_up.run(self.cells, ROUNDS, [
            [1e7 * mood * (1 + 0.002 * (i % 4)) for i in range(len(self.cells))] for mood in MOOD])
        d, quiet = r.document, r["quiet"]
        r.judge()
        d["quiet"] = quiet
        d["environment"] |= {"cpu": "A fixture <not a machine>", "notes": {"a": 'cache & "wall"'}}
        d["layout"]["words"] = "Servers share CPU 0: no scaling conclusion."
        d["disturbed"] = [{"round": 3, "why": "pulse 1.31 of the median"}]
        return d


def primaries():
    r = Run()
    for name, in_flight, calls, cpu_us in (
            ("echo-64", 64, 60000, 10), ("hit-64", 64, 48000, 13), ("uncached-64", 64, 19000, 46),
            ("inproc-64", 64, 24000, 38), ("status-64", 64, 57000, 10.6),
            ("encrypt-64", 64, 11000, 82), ("uncached-1", 1, 6200, 95), ("peer-64", 64, 15000, 60)):
        r.cell(name, in_flight, calls, cpu_us, primary=True)
    return r


def everything():
    r = primaries()
    for subject, calls, cpu_us in (
            ("echo", 60000, 10), ("software", 52000, 12), ("inproc", 24000, 38),
            ("wall1", 17000, 49), ("hit", 48000, 13), ("repeat90", 41000, 17),
            ("uncached", 19000, 46), ("copy", 26000, 35), ("peer", 15000, 60),
            ("encrypt", 11000, 82), ("status", 57000, 10.6), ("peer-encrypt", 7000, 130)):
        for in_flight, share in ((1, 0.32), (8, 0.8), (64, 1)):
            if f"{subject}-{in_flight}" not in [c["name"] for c in r.cells]:
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


def quick(folder):
    (folder / "results.json").write_text(json.dumps(primaries().end()))
    return folder


def full(folder):
    (folder / "results.json").write_text(json.dumps(everything().end()))
    for name in ("storm-slow10ms", "storm-day", "plan-three", "token-wrap", "micro"):
        shutil.copy(DOCUMENTS / f"{name}.json", folder)
    shutil.copy(folder / "storm-slow10ms.json", folder / "storm-cold.json")
    return folder

# SPDX-License-Identifier: Apache-2.0
"""Results folders as a run leaves them, with round figures."""
import json
import math
import shutil

import made_up

PLAN, STORM = map(made_up.document, ("plan-three", "storm-slow10ms"))
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


def made(count=None):
    """Of the cells of documents/cells.txt so many."""
    r = Run()
    for name, *numbers in made_up.cases("cells")[:count]:
        in_flight, calls, cpu_us, axes, latencies = map(json.loads, numbers)
        c = r.cell(name.rstrip("*"), in_flight, calls, cpu_us, primary=name[-1] == "*")
        c["axes"] |= axes
        for k, v in latencies.items():
            c["figures"][k] = series(v, len(r.cells) - 1, True)
    return r


def primaries():
    return made(8)


def quick(folder):
    (folder / "results.json").write_text(json.dumps(primaries().end()))
    return folder


def full(folder):
    (folder / "results.json").write_text(json.dumps(made().end()))
    for name in ("storm-slow10ms", "storm-day", "plan-three", "token-wrap", "micro"):
        shutil.copy(made_up.DOCUMENTS / f"{name}.json", folder)
    shutil.copy(folder / "storm-slow10ms.json", folder / "storm-cold.json")
    return folder

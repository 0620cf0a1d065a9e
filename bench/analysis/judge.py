# SPDX-License-Identifier: Apache-2.0
"""How quiet the machine was, by the rules of docs/BENCHMARKS.md."""
import math

import numpy as np

import stats
from results import Results

LEAST = 6  # pairs whose ends enclose the median with 95 % (1 - 2 * 0.5^6)
RULE = ("a round is disturbed when at least a tenth of its pulses took more than 1.15 of the "
        "median of all pulses of the run")


def judge(r: Results) -> None:
    """Sets disturbed, pulse.rule, noise and quiet."""
    count = len(r.cells)
    pulses = np.array(r["pulse"]["rounds"], dtype=float).reshape(-1, count)  # null is nan
    middle = high = 0.0
    if not np.isnan(pulses).all():
        middle = np.nanquantile(pulses, 0.5, method="higher")
        high = np.nanquantile(pulses, 0.95, method="inverted_cdf") / middle
    slow = (pulses > 1.15 * middle).sum(axis=1)
    r["pulse"]["rule"] = RULE
    r.document["disturbed"] = [
        {"round": n, "why": f"{slow[n]} of {count} pulses over 1.15 of the median, the worst "
                            f"{np.nanmax(pulses[n]) / middle:.2f}"}
        for n in range(r.rounds) if slow[n] > 0 and slow[n] * 10 >= count]
    base, control = r.cell(r["control"]), next((c for c in r.cells if c["control"]), None)
    floor = {f: r.ratio(control, base, f) for f in r.figures()} if base and control else {}
    r.document["noise"] = {f: {"low": x.low, "mid": x.mid, "high": x.high}
                           for f, x in floor.items() if x.mid > 0}
    r.document["quiet"] = quiet(r, high)


def quiet(r: Results, high: float) -> dict[str, str]:
    if r.rounds == 0:
        return {"verdict": "unusable", "words": "no round is whole"}
    floor = r["noise"].get("cpu_us", r["noise"].get("calls_per_s"))
    away = max(floor["high"] - 1, 1 - floor["low"]) if floor else math.inf
    disturbed = len(r["disturbed"])
    verdict = "restless"
    if disturbed * 2 >= r.rounds or (floor and away > 0.25):
        verdict = "unusable"
    elif r.rounds >= LEAST and disturbed * 8 <= r.rounds and high <= 1.05 and away <= 0.05:
        verdict = "quiet"
    control = f"within {100 * away:.1f} % of its twin" if floor else "not known"
    few = "; fewer than 6 rounds cannot be called quiet" if r.rounds < LEAST else ""
    return {"verdict": verdict, "words":
            f"{disturbed} of {r.rounds} rounds disturbed, 95 % of the pulses within "
            f"{max(0.0, 100 * (high - 1)):.1f} % of their median, the control {control}{few}"}


def width(r: Results) -> float:
    """How far the interval of cpu_us to the base reaches from its middle (0.05: ±5 %), for
    the primary cell where that is most.  inf while there are too few pairs, or no cpu_us."""
    base = r.cells[r.names().index(r["base"])]
    pairs = [stats.logs(r.series(c, "cpu_us"), r.series(base, "cpu_us"))
             for c in r.cells if c["primary"] and c is not base]
    return max((stats.of_logs(one).reach() if len(one) >= LEAST else math.inf for one in pairs),
               default=0.0)

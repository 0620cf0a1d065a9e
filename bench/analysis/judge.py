# SPDX-License-Identifier: Apache-2.0
"""Which rounds were disturbed, how quiet the machine was, how well a cell is known.

Rules that were written down before any figure was looked at, and that look at no figure
of a cell but the control's:

1. A round is disturbed when at least a tenth of its pulses (so any one, with up to ten
   cells) took more than 1.15 of the median of all pulses of the run.
2. The machine is "unusable" when half of the rounds or more are disturbed, or when the
   control's interval reaches more than 25 % away from 1.
3. It is "quiet" when there are 6 rounds at least, at most an eighth of them disturbed,
   95 % of the pulses within 1.05 of their median, and the control's interval within 5 %
   of 1.
4. Otherwise it is "restless".

The control's figure is cpu_us, or calls_per_s where nobody knows cpu_us.  6 is the least
number of pairs whose smallest and largest enclose the median with 95 % (1 - 2 * 0.5^6).
"""
import math

from results import Results

LEAST = 6
RULE = ("a round is disturbed when at least a tenth of its pulses took more than 1.15 of the "
        "median of all pulses of the run")


def judge(r: Results) -> None:
    """Sets disturbed, pulse.rule, noise and quiet by the rules above."""
    document = r.document
    pulses = [[p for p in one if p is not None] for one in document["pulse"]["rounds"]]
    every = sorted(p for one in pulses for p in one)
    middle = every[len(every) // 2] if every else 0.0
    high = every[(len(every) * 95 - 1) // 100] / middle if middle > 0 else 0.0
    document["pulse"]["rule"] = RULE
    document["disturbed"] = []
    for n, one in enumerate(pulses):
        slow = sum(p > 1.15 * middle for p in one)
        if slow > 0 and slow * 10 >= len(r.cells):
            why = (f"{slow} of {len(r.cells)} pulses over 1.15 of the median, the worst "
                   f"{max(one) / middle:.2f}")
            document["disturbed"].append({"round": n, "why": why})
    document["noise"] = noise(r)
    document["quiet"] = quiet(r, high)


def noise(r: Results) -> dict[str, dict[str, float]]:
    base = r.cell(r["control"])
    control = next((c for c in r.cells if c["control"]), None)
    if base is None or control is None:
        return {}
    floor = {name: r.ratio(control, base, name) for name in r.figures()}
    return {name: {"low": x.low, "mid": x.mid, "high": x.high}
            for name, x in floor.items() if x.mid > 0}


def quiet(r: Results, high: float) -> dict[str, str]:
    if r.rounds == 0:
        return {"verdict": "unusable", "words": "no round is whole"}
    floor = r["noise"].get("cpu_us", r["noise"].get("calls_per_s"))
    away = max(floor["high"] - 1, 1 - floor["low"]) if floor else math.inf
    disturbed = r.rounds - len(r.calm())
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
    base = r.cell(r["base"])
    most = 0.0
    for c in r.cells:
        if not c["primary"] or c is base:
            continue
        pairs = zip(r.series(c, "cpu_us"), r.series(base, "cpu_us") if base else [])
        if sum(a is not None and b is not None and a > 0 and b > 0 for a, b in pairs) < LEAST:
            return math.inf
        assert base is not None
        most = max(most, r.ratio(c, base, "cpu_us").reach())
    return most

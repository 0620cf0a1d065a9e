# SPDX-License-Identifier: Apache-2.0
"""How quiet a machine was, on made-up figures."""
import math

import pytest

import made_up


def even(count, rounds, figure="cpu_us"):
    """`count` cells, the last one the control, all of them as even as can be."""
    ends = (0, count - 1)
    return made_up.run([made_up.cell(f"c{i}", {figure: [10.0 if i in ends else 20.0] * rounds},
                                     control=i == count - 1) for i in range(count)], rounds)


def judged(r, *pulses):
    for n, at, value in pulses:
        r["pulse"]["rounds"][n][at] = value
    r.judge()
    return r["quiet"]["verdict"], [d["round"] for d in r["disturbed"]]


@pytest.mark.parametrize("count, rounds, pulses, verdict, disturbed", [
    (3, 0, [], "unusable", []), (3, 8, [], "quiet", []),
    (3, 5, [], "restless", []),  # too few for quiet
    (10, 8, [(3, 7, 1.16e7), (4, 7, 1.15e7)], "quiet", [3]),  # one of ten, and over 1.15
    (11, 8, [(3, 7, 9e7), (5, 7, 9e7), (5, 8, 9e7)], "quiet", [5]),  # one of eleven is kept
    (3, 1, [(0, at, 2e7) for at in range(3)], "restless", []),
    # later rounds may show that it was the first ones that were slow
    (3, 8, [(0, at, 2e7) for at in range(3)], "restless", [0]),
    (3, 8, [(n, 0, 3e7) for n in range(4)], "unusable", [0, 1, 2, 3]),
    (3, 8, [(n, 0, 3e7) for n in range(3)], "restless", [0, 1, 2]),
    (3, 8, [(n, 0, 1.08e7) for n in range(0, 8, 2)], "restless", [])])  # pulses spread
def test_verdict__by_pulses(count, rounds, pulses, verdict, disturbed):
    r = even(count, rounds)
    assert judged(r, *pulses) == (verdict, disturbed)
    assert r.calm() == [n for n in range(rounds) if n not in disturbed]


@pytest.mark.parametrize("control, verdict", [(10.4, "quiet"), (10.6, "restless"),
                                              (12.4, "restless"), (12.6, "unusable")])
def test_verdict__control_far_from_its_twin(control, verdict):
    r = even(3, 8)
    r.cells[2]["figures"]["cpu_us"] = [control] * 8
    assert judged(r) == (verdict, [])


def test_words__of_the_verdict():
    r = even(10, 5)
    judged(r, (3, 7, 1.16e7))
    assert r["disturbed"] == [
        {"round": 3, "why": "1 of 10 pulses over 1.15 of the median, the worst 1.16"}]
    assert r["quiet"]["words"] == (
        "1 of 5 rounds disturbed, 95 % of the pulses within 0.0 % of their median, the control "
        "within 0.0 % of its twin; fewer than 6 rounds cannot be called quiet")
    assert r["noise"]["cpu_us"]["mid"] == pytest.approx(1) and "1.15" in r["pulse"]["rule"]
    r = even(3, 8)
    r.cells[2]["figures"] = {}
    assert judged(r)[0] == "restless" and "the control not known" in r["quiet"]["words"]


def test_verdict__no_cpu_us__by_calls_per_s():
    assert judged(even(3, 8, "calls_per_s"))[0] == "quiet"
    assert judged(even(3, 8, "other"))[0] == "restless"


def test_width__no_cpu_us_or_too_few_pairs__unknown():
    r = even(3, 8)
    r.cells[1]["primary"] = True
    cpu = r.cells[1]["figures"]["cpu_us"]
    cpu[:3] = [None] * 3
    assert r.width() == math.inf
    cpu[0] = 20
    assert r.width() < 1e-9
    made_up.disturb(r, 4)
    assert r.width() == math.inf


def test_width__several_primary_cells__the_widest():
    r = even(5, 8)
    assert r.width() == 0  # none is primary
    r.cells[1]["primary"] = r.cells[2]["primary"] = True
    r.cells[2]["figures"]["cpu_us"] = [18, 22] * 4
    r.cells[3]["figures"]["cpu_us"] = [1, 99] * 4  # not primary
    assert 0.09 < r.width() < 0.12  # sqrt(18 * 22) is 19.9: +10.6 %, -9.5 %

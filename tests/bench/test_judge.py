# SPDX-License-Identifier: Apache-2.0
"""The rules of judge.py on made-up figures."""
import math

import pytest

import judge
import made_up


def even(count, rounds, figure="cpu_us"):
    """`count` cells, the last one the control, all of them as even as can be."""
    ends = (0, count - 1)
    return made_up.run([made_up.cell(f"c{i}", {figure: [10.0 if i in ends else 20.0] * rounds},
                                     control=i == count - 1) for i in range(count)], rounds)


def pulse(r, n, at, value):
    r["pulse"]["rounds"][n][at] = value


def judged(r):
    judge.judge(r)
    return r["quiet"]["verdict"]


def disturbed(r):
    return [d["round"] for d in r["disturbed"]]


def test_judge__no_round__unusable():
    r = even(3, 0)
    assert judged(r) == "unusable" and r["quiet"]["words"] == "no round is whole"


def test_judge__all_even__quiet():
    r = even(3, 8)
    assert judged(r) == "quiet" and r.calm() == list(range(8))
    assert r["quiet"]["words"].startswith("0 of 8 rounds disturbed")
    assert "within 0.0 % of its twin" in r["quiet"]["words"] and "1.15" in r["pulse"]["rule"]
    assert r["noise"]["cpu_us"]["mid"] == pytest.approx(1)


def test_judge__five_rounds__too_few_for_quiet():
    r = even(3, 5)
    assert judged(r) == "restless" and "fewer than 6 rounds" in r["quiet"]["words"]


def test_disturbed__one_slow_pulse_of_ten__left_out():
    r = even(10, 8)
    pulse(r, 3, 7, 1.16e7)
    pulse(r, 4, 7, 1.15e7)  # it has to be over it
    judge.judge(r)
    assert r["disturbed"] == [
        {"round": 3, "why": "1 of 10 pulses over 1.15 of the median, the worst 1.16"}]


def test_disturbed__one_slow_pulse_of_eleven__kept():
    r = even(11, 8)
    for n, at in ((3, 7), (5, 7), (5, 8)):
        pulse(r, n, at, 9e7)
    judge.judge(r)
    assert disturbed(r) == [5]


def test_disturbed__judged_again__by_the_whole_run():
    """Later rounds may show that it was the first ones that were slow."""
    r, first = even(3, 8), even(3, 1)
    for one in (r, first):
        one["pulse"]["rounds"][0] = [2e7] * 3
        judge.judge(one)
    assert not first["disturbed"] and disturbed(r) == [0]
    assert r["disturbed"][0]["why"].startswith("3 of 3 pulses")


def test_verdict__half_of_the_rounds_disturbed__unusable():
    r = even(3, 8)
    for n in range(4):
        pulse(r, n, 0, 3e7)
    assert judged(r) == "unusable"
    pulse(r, 0, 0, 1e7)
    assert judged(r) == "restless"


@pytest.mark.parametrize("control, verdict", [(10.4, "quiet"), (10.6, "restless"),
                                              (12.4, "restless"), (12.6, "unusable")])
def test_verdict__control_far_from_its_twin(control, verdict):
    r = even(3, 8)
    r.cells[2]["figures"]["cpu_us"] = [control] * 8
    assert judged(r) == verdict


def test_verdict__pulses_spread__restless():
    r = even(3, 8)
    for n in range(0, 8, 2):
        pulse(r, n, 0, 1.08e7)
    assert judged(r) == "restless" and not r["disturbed"]


def test_verdict__control_without_figures__restless():
    r = even(3, 8)
    r.cells[2]["figures"] = {}
    assert judged(r) == "restless" and "the control not known" in r["quiet"]["words"]


def test_verdict__no_cpu_us__by_calls_per_s():
    assert judged(even(3, 8, "calls_per_s")) == "quiet"
    assert judged(even(3, 8, "other")) == "restless"


def test_width__no_cpu_us_or_too_few_pairs__unknown():
    r = even(3, 8)
    r.cells[1]["primary"] = True
    cpu = r.cells[1]["figures"]["cpu_us"]
    cpu[:3] = [None] * 3
    assert judge.width(r) == math.inf
    cpu[0] = 20
    assert judge.width(r) < 1e-9
    made_up.disturb(r, 4)
    assert judge.width(r) == math.inf
    other = even(3, 8, "other")
    other.cells[1]["primary"] = True
    assert judge.width(other) == math.inf


def test_width__several_primary_cells__the_widest():
    r = even(5, 8)
    assert judge.width(r) == 0  # none is primary
    r.cells[1]["primary"] = r.cells[2]["primary"] = True
    assert judge.width(r) < 1e-9
    r.cells[2]["figures"]["cpu_us"] = [18, 22] * 4
    r.cells[3]["figures"]["cpu_us"] = [1, 99] * 4  # not primary
    assert 0.09 < judge.width(r) < 0.12  # sqrt(18 * 22) is 19.9: +10.6 %, -9.5 %

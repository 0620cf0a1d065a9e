# SPDX-License-Identifier: Apache-2.0
"""Verdicts, and how often they are wrong: simulated runs with fixed seeds.  The bounds are
what docs/BENCHMARKS.md promises and not what was counted."""
import math

import numpy as np
import pytest

import stats
from stats import CANNOT_TELL, FASTER, SAME, SLOWER, Ruled, known_by, rule, Centre

NOISES = [(0.05, 8), (0.065, 8), (0.08, 8), (0.08, 16), (0.065, 30)]  # deviation, rounds


def one(ratio, error):
    return known_by([Centre(math.log(ratio), error, 10)])


def ruled(ratios, threshold=0.05):
    return rule(Ruled(*map(np.array, zip(*ratios))), threshold)


@pytest.mark.parametrize("ratio, error, threshold, verdict", [
    (1.00, 0.10, 0.05, CANNOT_TELL), (1.20, 0.10, 0.05, CANNOT_TELL),
    (0.80, 0.20, 0.05, CANNOT_TELL),  # a wide interval
    (1.05, 0.005, 0.05, CANNOT_TELL), (1 / 1.05, 0.005, 0.05, CANNOT_TELL),  # across the threshold
    (1.02, 0.001, 0.05, SAME), (0.98, 0.001, 0.05, SAME),  # real beyond doubt, and small
    (1.20, 0.02, 0.05, SLOWER), (0.80, 0.02, 0.05, FASTER), (1.00, 0.02, 0.05, SAME),
    (1.30, 0, 0.05, SLOWER), (1.00, 0, 0.05, SAME), (1.20, 0.02, 0.30, SAME),
    (1.20, 0.02, 0.20, CANNOT_TELL)])
def test_rule__alone(ratio, error, threshold, verdict):
    assert ruled([one(ratio, error)], threshold)[0] == [verdict]


def test_rule__three_together__corrected_by_holm():
    """By hand: 0.01 0.02 0.03 of three become 0.03, 0.04, 0.04."""
    ratios = [one(math.exp(0.1 * stats.student_at(p, 10)), 0.1) for p in (0.03, 0.01, 0.02)]
    _, slower, faster = ruled(ratios)
    assert slower == pytest.approx([0.04, 0.03, 0.04]) and min(faster) > 0.999


def test_rule__one_of_eight__wants_more():
    ratios = [one(1.20 if i == 3 else 1.0, 0.072) for i in range(8)]
    assert ruled(ratios[3:4])[0] == [SLOWER] and ruled(ratios)[0][3] == CANNOT_TELL
    assert ratios[3].low > 1.05


def test_rule__two_ways__only_what_both_say():
    ways = [Centre(math.log(ratio), 0.01, 10) for ratio in (1.2, 1.02, 1.15)]
    x = known_by(ways[:2])
    assert ruled([x])[0] == [CANNOT_TELL] and x.mid == pytest.approx(1.2)
    assert x.low < 1.02 and x.high > 1.2
    assert x.slower_p == pytest.approx(ways[1].above(0))  # the larger one
    assert ruled([known_by([ways[0], ways[2]])])[0] == [SLOWER]


# ---- how often it is wrong, and finds what is there ----------------------------------------


def simulate(noise, first=1.0, runs=1, threshold=0.05, families=1000):
    """Of eight ratios judged together: the share of families with a wrong "slower" (or
    "faster"), and of the first one's verdicts.  One round in twenty is thrown 30 % up or
    down."""
    deviation, count = noise
    rng = np.random.default_rng(20260601 + count)
    shape = (families, 8, count)

    def sample(truth):
        thrown = (rng.random(shape) < 0.05) * math.log(1.3) * rng.choice([-1, 1], shape)
        return stats.centre(truth + rng.normal(0, deviation, shape) + thrown)
    to = sample(np.array([math.log(first)] + [0] * 7)[:, None])
    verdicts, *_ = rule(known_by([to if runs == 1 else stats.between(sample(0), to)]), threshold)
    wrong = (verdicts == SLOWER) | ((verdicts == FASTER) & (threshold == 0.05))
    return wrong.any(axis=1).mean(), {v: (verdicts[:, 0] == v).mean()
                                      for v in (SLOWER, FASTER, SAME, CANNOT_TELL)}


@pytest.mark.parametrize("noise", NOISES)
def test_no_difference__false_alarms_at_most_5_per_cent(noise):
    """The smaller the threshold, the more hangs on the correction alone: 5 % and what 1000
    draws may miss it by."""
    assert simulate(noise)[0] <= 0.05
    assert simulate(noise, runs=2, families=400)[0] <= 0.05
    assert simulate(noise, threshold=0.001)[0] <= 0.065


@pytest.mark.parametrize("noise, least", [*((n, 0.85 if n == (0.08, 8) else 0.95) for n in NOISES),
                                          ((0.08, 10), 0.95)])
def test_slower_by_20__one_of_eight_pairs__found(noise, least):
    seen = simulate(noise, 1.20)[1]
    assert seen[SLOWER] >= least and seen[FASTER] + seen[SAME] < 0.001


@pytest.mark.parametrize("noise", [(0.05, 12), (0.065, 16), (0.08, 20), (0.08, 30)])
def test_slower_by_20__one_of_eight_times_two_runs__found_in_95_per_cent(noise):
    assert simulate(noise, 1.20, runs=2, families=400)[1][SLOWER] >= 0.95


def test_faster_by_20__one_of_eight_pairs__found_as_often():
    assert simulate((0.08, 12), 1 / 1.20)[1][FASTER] >= 0.95


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("truth, verdict, most", [
    (1.04, SLOWER, 0.05), (1.05, SLOWER, 0.07), (1.06, SAME, 0.05), (1.05, SAME, 0.07)])
def test_around_the_threshold__the_wrong_verdict_in_at_most_5_per_cent(noise, truth, verdict, most):
    """At the threshold itself: 5 % and what 1000 draws may miss it by."""
    assert simulate(noise, truth)[1][verdict] <= most


def test_no_difference__thirty_rounds_at_5_per_cent__same():
    """Enough rounds on a good machine do say "same": the fourth verdict is no way out."""
    assert simulate((0.05, 30))[1][SAME] >= 0.95

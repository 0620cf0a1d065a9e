# SPDX-License-Identifier: Apache-2.0
"""Verdicts, and how often they are wrong: simulated runs with fixed seeds.  The bounds are
what ruling.py promises and not what was counted."""
import math
from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

import stats
from ruling import CANNOT_TELL, FASTER, SAME, SLOWER, Ruled, rule
from stats import Centre

NOISES = [(0.05, 8), (0.065, 8), (0.08, 8), (0.08, 16), (0.065, 30)]  # deviation, rounds


def one(ratio, error):
    return Ruled([Centre(math.log(ratio), error, 10)])


@pytest.mark.parametrize("ratio, error, threshold, verdict", [
    (1.00, 0.10, 0.05, CANNOT_TELL), (1.20, 0.10, 0.05, CANNOT_TELL),
    (0.80, 0.20, 0.05, CANNOT_TELL),  # a wide interval
    (1.05, 0.005, 0.05, CANNOT_TELL), (1 / 1.05, 0.005, 0.05, CANNOT_TELL),  # across the threshold
    (1.02, 0.001, 0.05, SAME), (0.98, 0.001, 0.05, SAME),  # real beyond doubt, and small
    (1.20, 0.02, 0.05, SLOWER), (0.80, 0.02, 0.05, FASTER), (1.00, 0.02, 0.05, SAME),
    (1.30, 0, 0.05, SLOWER), (1.00, 0, 0.05, SAME), (1.20, 0.02, 0.30, SAME),
    (1.20, 0.02, 0.20, CANNOT_TELL)])
def test_rule__alone(ratio, error, threshold, verdict):
    j = one(ratio, error)
    rule([j], threshold)
    assert j.verdict == verdict


def test_rule__none__nothing_done():
    rule([], 0.05)


def test_interval__ends__each_with_five_per_cent():
    j = one(1.10, 0.03)
    assert j.mid == pytest.approx(1.10)
    assert j.ways[0].above(math.log(j.low)) == pytest.approx(0.05)
    assert j.ways[0].above(math.log(j.high)) == pytest.approx(0.95)


def test_rule__three_together__corrected_by_holm():
    """By hand: 0.01 0.02 0.03 of three become 0.03, 0.04, 0.04."""
    j = [one(math.exp(0.1 * stats.student_at(p, 10)), 0.1) for p in (0.01, 0.02, 0.03)]
    rule([j[2], j[0], j[1]], 0.05)
    assert [x.slower_p for x in j] == pytest.approx([0.03, 0.04, 0.04])
    assert j[0].faster_p > 0.999


def test_rule__one_of_eight__wants_more():
    j = [one(1.20 if i == 3 else 1.0, 0.072) for i in range(8)]
    rule(j[3:4], 0.05)
    assert j[3].verdict == SLOWER and j[3].slower_p < 0.05 and j[3].low > 1.05
    rule(j, 0.05)
    assert j[3].verdict == CANNOT_TELL


def test_rule__two_ways__only_what_both_say():
    j = Ruled([Centre(math.log(1.2), 0.01, 10), Centre(math.log(1.02), 0.01, 10)])
    rule([j], 0.05)
    assert j.verdict == CANNOT_TELL and j.mid == pytest.approx(1.2)
    assert j.low < 1.02 and j.high > 1.2
    assert j.slower_p == pytest.approx(j.ways[1].above(0))  # the larger one
    j = Ruled([j.ways[0], Centre(math.log(1.15), 0.01, 10)])
    rule([j], 0.05)
    assert j.verdict == SLOWER


# ---- how often it is wrong, and finds what is there ----------------------------------------


@lru_cache
def simulate(noise, first=1.0, others=1.0, runs=1, threshold=0.05, families=1000):
    """Of eight ratios judged together: shares of families with any "slower" or "faster",
    and of the first one's verdicts.  One round in twenty is thrown 30 % up or down."""
    deviation, count = noise
    rng = np.random.default_rng(20260601 + count)

    def sample(truth):
        thrown = (rng.random(count) < 0.05) * math.log(1.3) * rng.choice([-1, 1], count)
        return stats.centre((math.log(truth) + rng.normal(0, deviation, count) + thrown).tolist())

    def ratio(truth):
        to = sample(truth)
        return Ruled([to if runs == 1 else stats.between(sample(1), to)])
    false, seen = 0, Counter()
    for _ in range(families):
        all_ = [ratio(first if i == 0 else others) for i in range(8)]
        rule(all_, threshold)
        verdicts = {j.verdict for j in all_}
        false += SLOWER in verdicts or (FASTER in verdicts and threshold == 0.05)
        seen[all_[0].verdict] += 1 / families
    return false / families, seen


@pytest.mark.parametrize("noise", NOISES)
def test_no_difference__false_alarms_at_most_5_per_cent(noise):
    assert simulate(noise)[0] <= 0.05
    assert simulate(noise, runs=2)[0] <= 0.05


@pytest.mark.parametrize("noise", NOISES)
def test_no_difference__hardly_a_threshold__slower_in_at_most_5_per_cent(noise):
    """The smaller the threshold, the more hangs on the correction alone.  5 % and what 1000
    draws may miss it by."""
    assert simulate(noise, threshold=0.001)[0] <= 0.065


@pytest.mark.parametrize("noise, least", [*((n, 0.85 if n == (0.08, 8) else 0.95) for n in NOISES),
                                          ((0.08, 10), 0.95)])
def test_slower_by_20__one_of_eight_pairs__found(noise, least):
    seen = simulate(noise, 1.20)[1]
    assert seen[SLOWER] >= least and seen[FASTER] + seen[SAME] < 0.001


@pytest.mark.parametrize("noise", [(0.05, 12), (0.065, 16), (0.08, 20), (0.08, 30)])
def test_slower_by_20__one_of_eight_times_two_runs__found_in_95_per_cent(noise):
    assert simulate(noise, 1.20, runs=2)[1][SLOWER] >= 0.95


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

# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

import stats
from stats import Centre, Ratio


def near(value):
    return pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("values, want", [
    ([], (0, 0, 0)), ([None, None], (0, 0, 0)), ([9, 1, 5], (5, 1, 9)),
    ([5, None, 1, 3], (3, 1, 5)), ([7], (7, 7, 7)), ([9, 1, 5, 3], (4, 1, 9))])
def test_median__known_values__interval_around_the_middle(values, want):
    assert stats.median(values) == near(want)


@pytest.mark.parametrize("a, b, want", [
    ([0, 2, -1], [1, 0, 1], (0, 0, 0)), ([None, 1], [1, None], (0, 0, 0)),
    ([2, 20, 200], [1, 10, 100], (2, 2, 2))])
def test_ratio__pairs(a, b, want):
    assert stats.ratio(a, b) == near(want)


def test_ratio__machine_drifts__pairs_hold():
    b = [100.0 * (i + 1) for i in range(10)]
    a = [v * (1.18 if i % 2 == 0 else 1.22) for i, v in enumerate(b)]
    assert stats.ratio(a, b) == near((math.sqrt(1.18 * 1.22), 1.18, 1.22))


def test_ratio__twice__the_same_interval():
    x = stats.ratio([1, 3, 2, 5, 4, 9, 7], [2] * 7)
    assert x == stats.ratio([1, 3, 2, 5, 4, 9, 7], [2] * 7)
    assert x.mid == near(2) and 0.5 <= x.low < 2 < x.high <= 4.5


@pytest.mark.parametrize("x, want", [((2, 1.9, 2.2), 0.1), ((2, 1, 2.2), 0.5),
                                     ((0, 0, 0), math.inf)])
def test_reach__the_farther_end(x, want):
    assert Ratio(*x).reach() == near(want)


@pytest.mark.parametrize("t, freedom, want", [
    (math.inf, 5, 0), (-math.inf, 5, 1), (0, 1, 0.5), (0, 17.5, 0.5), (1, 1, 0.25),
    (2, 2, (1 - 2 / math.sqrt(6)) / 2), (-2, 2, 1 - (1 - 2 / math.sqrt(6)) / 2)])
def test_above__closed_forms(t, freedom, want):
    assert stats.student_above(t, freedom) == near(want)


@pytest.mark.parametrize("p, freedom, want", [
    (0.05, 5, 2.015), (0.025, 10, 2.228), (0.01, 7, 2.998), (0.0005, 1, 636.619), (0.5, 3, 0),
    (0.05, 120, 1.658)])
def test_at__printed_tables(p, freedom, want):
    assert stats.student_at(p, freedom) == pytest.approx(want, abs=0.0005)
    assert stats.student_above(stats.student_at(p, freedom), freedom) == near(p)


def test_at__an_array__each_by_itself():
    freedoms = np.array([1, 2.5, 6.4, 58])
    assert list(stats.student_at(0.05, freedoms)) == near(
        [stats.student_at(0.05, freedom) for freedom in freedoms])


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [1, 2, math.nan, 4, 5], [1, 2, 3, 4, math.inf]])
def test_centre__too_few_or_no_number__nothing_said(values):
    assert stats.centre(values) is None


@pytest.mark.parametrize("values, want", [
    ([5, 1, 4, 2, 3], (3, math.sqrt(2.5 / 5), 4)),  # up to 6 nothing is trimmed
    # One trimmed on each side.  By hand: Winsorized 2 2 3 4 5 6 7 7, squares 30, 6 left.
    ([1, 2, 3, 4, 5, 6, 7, 800], (4.5, math.sqrt(30 / (6 * 5)), 5)),
    ([1, 2, 3, 4, 5, 6, 7, 8], (4.5, math.sqrt(30 / (6 * 5)), 5)), ([2] * 6, (2, 0, 5))])
def test_centre__trimmed_and_winsorized(values, want):
    assert stats.centre(values) == near(want)


@pytest.mark.parametrize("bound, want", [(1.5, 0), (2, 0.5), (2.5, 1)])
def test_centre__no_error__certain(bound, want):
    sure = Centre(2, 0, 5)
    assert sure.above(bound) == want and sure.reach(0.05) == 0


@pytest.mark.parametrize("old, new, want", [
    ((1, 3, 9), (1, 3, 9), (0, math.sqrt(18), 18)),  # equal errors: the sum of both freedoms
    ((1, 3, 9), (2, 4, 9), (1, 5, 625 / (81 / 9 + 256 / 9))),
    ((2, 0, 5), (1, 3, 9), (-1, 3, 9)), ((1, 1e-100, 9), (1, 1e-100, 9), (0, 0, 18))])
def test_between__two_samples__welch(old, new, want):
    assert stats.between(Centre(*old), Centre(*new)) == near(want)


def test_reach__and_above__are_one_interval():
    c = Centre(0.3, 0.1, 6.5)
    assert c.above(c.mean - c.reach(0.05)) == near(0.05)
    assert c.above(c.mean + c.reach(0.05)) == near(0.95)

# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios of pairs and how sure they are; trimmed centres and Student's t.

The unit is the pair of one round: both cells met the machine in the same mood.  A ratio
is the median of the pairs' ratios; its interval comes from drawing the rounds again with
replacement (percentile bootstrap, 95 %) with a fixed seed (splitmix64 from 1): the same
figures give the same interval.

A Centre is a trimmed mean: of n values sorted, floor(0.15 n) at either end are left out.
Its error comes from the Winsorized variance, and mean / error follows Student's t with
h - 1 degrees of freedom, h values being left (Tukey and McLaughlin, Sankhya A 25, 1963;
for two samples Yuen, Biometrika 61, 1974; both in Wilcox, "Introduction to Robust
Estimation").  Not Wilcoxon's signed ranks: with 8 rounds their smallest one-sided p is
1/256, and one round thrown the other way lifts it above the 5 % / 8 that the first of 8
corrected comparisons must reach.
"""
import math
from functools import lru_cache
from typing import NamedTuple, Optional, Sequence

import numpy as np

ROUNDS_MAX = 64
DRAWS = 2000
CENTRE_LEAST = 5  # fewer values say nothing of their own spread

Value = Optional[float]  # None: nobody knows


class Ratio(NamedTuple):
    """A middle and its interval; all 0 when there is nothing to look at."""
    mid: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def reach(self) -> float:
        """How far the interval reaches from the middle, as a part of it: 0.05 is ±5 %."""
        if not self.mid > 0:
            return math.inf
        return max(self.high / self.mid - 1, 1 - self.low / self.mid)


def places(count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.uint64]]":
    """DRAWS times `count` places below count, drawn by splitmix64."""
    with np.errstate(over="ignore"):
        z = np.arange(1, DRAWS * count + 1, dtype=np.uint64)
        z = np.uint64(1) + z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z % np.uint64(count)).reshape(DRAWS, count)


def median(values: Sequence[Value]) -> Ratio:
    """The median of what is known, and where 95 % of the redrawn medians lie."""
    known = np.array([v for v in values if v is not None], dtype=float)
    if known.size == 0:
        return Ratio()
    drawn = np.sort(np.median(known[places(known.size)], axis=1))
    return Ratio(float(np.median(known)), float(drawn[DRAWS // 40]),
                 float(drawn[DRAWS - 1 - DRAWS // 40]))


def logs(upper: Sequence[Value], lower: Sequence[Value]) -> list[float]:
    """log(upper / lower) of the pairs of which both are known and positive."""
    return [math.log(a / b) for a, b in zip(upper, lower)
            if a is not None and b is not None and a > 0 and b > 0]


def ratio(upper: Sequence[Value], lower: Sequence[Value]) -> Ratio:
    pairs = logs(upper, lower)
    return Ratio(*map(math.exp, median(pairs))) if pairs else Ratio()


# ---- Student's t ----------------------------------------------------------------------------


def fraction(a: float, b: float, x: float) -> float:
    """The continued fraction for I_x(a, b) (NIST DLMF 8.17.22), from the front with
    Lentz's two running quotients; for x < (a + 1) / (a + b + 2) neither comes near 0."""
    upper, lower, value = 1.0, 0.0, 1.0
    for k in range(1, 1000):
        m = k // 2
        if k % 2 == 0:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        lower = 1 / (1 + d * lower)
        upper = 1 + d / upper
        value *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return 1 / value


def beta_below(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
                     + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * fraction(a, b, x) / a
    return 1 - front * fraction(b, a, 1 - x) / b


def student_above(t: float, freedom: float) -> float:
    """P(T > t); freedom is at least 1 and not necessarily whole."""
    tail = beta_below(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return tail if t >= 0 else 1 - tail


@lru_cache
def student_at(p: float, freedom: float) -> float:
    """The t >= 0 with P(T > t) = p, 0 < p <= 0.5, by Newton from 0: the tail is convex
    above it, so that no step goes too far."""
    scale = (math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
             - math.log(freedom * math.pi) / 2)
    t, step, left = 0.0, 1.0, 1000
    while step > 1e-13 * t and left > 0:
        density = math.exp(scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))
        step = (student_above(t, freedom) - p) / density
        t, left = t + step, left - 1
    return t


class Centre(NamedTuple):
    mean: float
    error: float  # the standard error of the mean; 0 when all agree
    freedom: float

    def above(self, bound: float) -> float:
        """How likely chance alone shows a mean this far above `bound`, or farther."""
        off = self.mean - bound
        if self.error > 0:
            return student_above(off / self.error, self.freedom)
        return 0.5 if off == 0 else float(off < 0)

    def reach(self, p: float) -> float:
        """The truth lies more than this above the mean with chance p, and below it too."""
        return self.error * student_at(p, self.freedom) if self.error > 0 else 0.0


def centre(values: Sequence[float]) -> Optional[Centre]:
    """None for fewer than CENTRE_LEAST values or one that is not finite."""
    if len(values) < CENTRE_LEAST or not all(map(math.isfinite, values)):
        return None
    v = sorted(values)
    cut = len(v) * 15 // 100
    left = len(v) - 2 * cut
    kept = v[cut:cut + left]
    pulled = [kept[0]] * cut + kept + [kept[-1]] * cut
    about = sum(pulled) / len(v)
    squares = sum((x - about) ** 2 for x in pulled)
    return Centre(sum(kept) / left, math.sqrt(squares / (left * (left - 1))), left - 1)


def between(old: Centre, new: Centre) -> Centre:
    """new - old, of two samples that know nothing of each other (Welch, Satterthwaite)."""
    a, b = old.error ** 2, new.error ** 2
    freedom = old.freedom + new.freedom
    if a + b > 0:  # by shares: the square of a small square is 0
        share = a / (a + b)
        freedom = 1 / (share ** 2 / old.freedom + (1 - share) ** 2 / new.freedom)
    return Centre(new.mean - old.mean, math.sqrt(a + b), freedom)

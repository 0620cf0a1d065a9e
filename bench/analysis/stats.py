# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios of pairs and how sure they are; trimmed centres and Student's t."""
import math
from typing import Any, NamedTuple, Optional, Sequence

import numpy as np

ROUNDS_MAX = 64
DRAWS = 2000
RULED_MAX = 8
ERROR_RATE = 0.05  # the truth lies beyond either end of an interval with at most so much
CANNOT_TELL, SAME, SLOWER, FASTER = "cannot tell", "same", "slower", "faster"
CENTRE_LEAST = 5  # fewer values say nothing of their own spread

Value = Optional[float]  # None: nobody knows
Floats = Any  # a float or an array of them


class Ratio(NamedTuple):
    """A middle and its interval; all 0 when there is nothing to look at."""
    mid: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def reach(self) -> float:
        """How far the interval reaches from the middle, as a part of it: 0.05 is ±5 %."""
        return max(self.high / self.mid - 1, 1 - self.low / self.mid) if self.mid > 0 else math.inf


def median(values: Sequence[Value]) -> Ratio:
    """The median of what is known, and where 95 % of the redrawn medians lie."""
    known = np.array([v for v in values if v is not None], dtype=float)
    if known.size == 0:
        return Ratio()
    places = np.random.default_rng(1).integers(known.size, size=(DRAWS, known.size))
    drawn = np.sort(np.median(known[places], axis=1))
    return Ratio(*map(float, (np.median(known), drawn[DRAWS // 40], drawn[-1 - DRAWS // 40])))


def logs(upper: Sequence[Value], lower: Sequence[Value]) -> list[float]:
    return [math.log(a / b) for a, b in zip(upper, lower)
            if a is not None and b is not None and a > 0 and b > 0]


def of_logs(pairs: Sequence[float]) -> Ratio:
    return Ratio(*map(math.exp, median(pairs))) if pairs else Ratio()


def ratio(upper: Sequence[Value], lower: Sequence[Value]) -> Ratio:
    return of_logs(logs(upper, lower))


# Student's t, by the tanh-sinh rule for an integral from 0 to 1 (Takahasi and Mori, 1974).
STEPS = np.arange(-56, 57) / 16
NODES = 1 / (1 + np.exp(-np.pi * np.sinh(STEPS)))
WEIGHTS = np.pi * np.cosh(STEPS) * NODES * (1 - NODES) / 16


def sine_integral(end: Floats, power: Floats) -> Floats:
    """Of sin(x)^power from 0 to end."""
    return end * (np.sin(np.multiply.outer(end, NODES)) ** np.expand_dims(power, -1) @ WEIGHTS)


def student_above(t: Floats, freedom: Floats) -> Floats:
    """P(T > t), freedom being at least 1 and not necessarily whole: with t = sqrt(freedom) /
    tan(x) the density is a power of the sine."""
    tail = sine_integral(np.arctan2(np.sqrt(freedom), np.abs(t)), np.subtract(freedom, 1))
    tail = tail / sine_integral(np.pi / 2, np.subtract(freedom, 1)) / 2
    return np.where(np.less(t, 0), 1 - tail, tail)[()]


def student_at(p: float, freedom: Floats) -> Floats:
    """The t >= 0 with P(T > t) = p, 0 < p <= 0.5, by Newton from 0: the tail is convex
    above it, so that no step goes too far."""
    t = step = np.ones_like(freedom, dtype=float) * (0.5 - p)
    top = 1 / (2 * np.sqrt(freedom) * sine_integral(np.pi / 2, np.subtract(freedom, 1)))
    while np.any(step > 1e-13 * t):
        density = top * (1 + t * t / freedom) ** (-(np.add(freedom, 1)) / 2)
        step = (student_above(t, freedom) - p) / density
        t = t + step
    return t


class Centre(NamedTuple):
    mean: Floats
    error: Floats  # the standard error of the mean; 0 when all agree
    freedom: Floats

    def above(self, bound: float) -> Floats:
        """How likely chance alone shows a mean this far above `bound`, or farther."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.divide(self.mean - bound, self.error)
        return student_above(np.where(np.isnan(t), 0, t), self.freedom)

    def reach(self, p: float) -> Floats:
        """The truth lies more than this above the mean with chance p, and below it too."""
        return self.error * student_at(p, self.freedom)


def centre(values: Floats) -> Optional[Centre]:
    """Along the last axis; None for fewer than CENTRE_LEAST values or one that is not finite."""
    v = np.sort(np.asarray(values, dtype=float))
    count = v.shape[-1]
    if count < CENTRE_LEAST or not np.isfinite(v).all():
        return None
    cut = count * 15 // 100
    left = count - 2 * cut
    kept = v[..., cut:cut + left]
    pulled = np.clip(v, kept[..., :1], kept[..., -1:])
    error = np.sqrt(pulled.var(axis=-1) * count / (left * (left - 1)))
    return Centre(kept.mean(axis=-1), error, left - 1)


def between(old: Centre, new: Centre) -> Centre:
    """new - old, of two samples that know nothing of each other (Welch, Satterthwaite)."""
    a, b = old.error ** 2, new.error ** 2
    # By shares: the square of a small square is 0.
    share = np.where(a + b > 0, a / np.where(a + b > 0, a + b, 1), 0.5)
    freedom = 1 / (share ** 2 / old.freedom + (1 - share) ** 2 / new.freedom)
    return Centre(new.mean - old.mean, np.sqrt(a + b), freedom)


class Ruled(NamedTuple):
    """A ratio, or an array of them of which the last axis is judged together."""
    low: Floats
    mid: Floats
    high: Floats
    slower_p: Floats  # the chance of so much were there no difference
    faster_p: Floats


def known_by(ways: Sequence[Centre]) -> Ruled:
    """mid is that of the first way."""
    reaches = [way.reach(ERROR_RATE) for way in ways]
    low = np.min([way.mean - reach for way, reach in zip(ways, reaches)], axis=0)
    high = np.max([way.mean + reach for way, reach in zip(ways, reaches)], axis=0)
    slower = np.max([way.above(0) for way in ways], axis=0)
    faster = np.max([way._replace(mean=-way.mean).above(0) for way in ways], axis=0)
    return Ruled(np.exp(low), np.exp(ways[0].mean), np.exp(high), slower, faster)


def holm(chances: Floats) -> Floats:
    """Each counts as often as there are that are not smaller, and not less than one that is
    smaller (Scandinavian Journal of Statistics 6, 1979)."""
    no_larger = chances[..., None, :] <= chances[..., None]
    counted = np.minimum(1, chances * no_larger.sum(axis=-2))
    return np.where(no_larger, counted[..., None, :], 0).max(axis=-1)


def rule(ratios: Ruled, threshold: float) -> tuple[Floats, Floats, Floats]:
    """Of arrays: the verdicts, and the corrected chances for slower and faster."""
    above, below = 1 + threshold, 1 / (1 + threshold)
    slower, faster = holm(ratios.slower_p), holm(ratios.faster_p)
    verdicts = np.select([(ratios.low > above) & (slower <= ERROR_RATE),
                          (ratios.high < below) & (faster <= ERROR_RATE),
                          (ratios.low >= below) & (ratios.high <= above)],
                         [SLOWER, FASTER, SAME], CANNOT_TELL)
    return verdicts, slower, faster

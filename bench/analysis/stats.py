# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios of pairs and how sure they are; trimmed centres and Student's t."""
import math
from typing import Any, NamedTuple, Optional, Sequence

import numpy as np
import scipy  # which loads scipy.special when it is asked for

ROUNDS_MAX = 64
DRAWS = 2000
RULED_MAX = 8
ERROR_RATE = 0.05  # the truth lies beyond either end of an interval with at most so much
CANNOT_TELL, SAME, SLOWER, FASTER = "cannot tell", "same", "slower", "faster"
CENTRE_LEAST = 5  # fewer values say nothing of their own spread
LEAST = 6  # values whose ends enclose the median with 95 % (1 - 2 * 0.5^6)

Value = Optional[float]  # None: nobody knows
Floats = Any  # a float or an array of them


class Ratio(NamedTuple):
    """A middle and its interval; all 0 when there is nothing to look at."""
    mid: float = 0.0
    low: float = 0.0
    high: float = 0.0
    known: int = 0  # values; the interval of fewer than LEAST is too narrow
    unit: str = "count"  # for a page, as is the next one
    is_noise: bool = False  # no difference from the base that the control does not show as well

    def reach(self) -> float:
        """How far the interval reaches from the middle (0.05: ±5 %); inf when nobody knows."""
        if self.known < LEAST or self.mid <= 0:
            return math.inf
        return max(self.high / self.mid - 1, 1 - self.low / self.mid)


def median(values: Sequence[Value]) -> Ratio:
    """The median of what is known, and where 95 % of the redrawn medians lie."""
    known = np.array([v for v in values if v is not None], dtype=float)
    if known.size == 0:
        return Ratio()
    places = np.random.default_rng(1).integers(known.size, size=(DRAWS, known.size))
    drawn = np.sort(np.median(known[places], axis=1))
    low, high = drawn[DRAWS // 40], drawn[-1 - DRAWS // 40]
    return Ratio(float(np.median(known)), float(low), float(high), known.size)


def logs(upper: Sequence[Value], lower: Sequence[Value]) -> list[float]:
    return [math.log(a / b) for a, b in zip(upper, lower)
            if a is not None and b is not None and a > 0 and b > 0]


def ratio(upper: Sequence[Value], lower: Sequence[Value]) -> Ratio:
    x = median(logs(upper, lower))
    return Ratio(math.exp(x.mid), math.exp(x.low), math.exp(x.high), x.known) if x.known else x


class Centre(NamedTuple):
    mean: Floats
    error: Floats  # the standard error of the mean; 0 when all agree
    freedom: Floats

    def above(self, bound: float) -> Floats:
        """How likely chance alone shows a mean this far above `bound`, or farther."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.divide(bound - self.mean, self.error)
        return scipy.special.stdtr(self.freedom, np.where(np.isnan(t), 0, t))

    def reach(self, p: float) -> Floats:
        """The truth lies more than this above the mean with chance p, and below it too."""
        return -self.error * scipy.special.stdtrit(self.freedom, p)


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

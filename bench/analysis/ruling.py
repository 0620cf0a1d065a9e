# SPDX-License-Identifier: Apache-2.0
"""Is it slower?  What docs/BENCHMARKS.md lets be said of several log ratios NEW / OLD."""
from typing import NamedTuple, Sequence

import numpy as np

from stats import Centre, Floats

RULED_MAX = 8
ERROR_RATE = 0.05  # the truth lies beyond either end of an interval with at most so much
CANNOT_TELL, SAME, SLOWER, FASTER = "cannot tell", "same", "slower", "faster"


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
    """The smallest counts as often as there are, the next one time less, and none less
    than one that was smaller (Scandinavian Journal of Statistics 6, 1979)."""
    order = np.argsort(chances, axis=-1)
    times = np.arange(chances.shape[-1], 0, -1)
    rising = np.minimum(1, np.take_along_axis(chances, order, -1) * times)
    corrected = np.maximum.accumulate(rising, axis=-1)
    return np.take_along_axis(corrected, np.argsort(order, axis=-1), -1)


def rule(ratios: Ruled, threshold: float) -> tuple[Floats, Floats, Floats]:
    """Of arrays: the verdicts, and the corrected chances for slower and faster."""
    above, below = 1 + threshold, 1 / (1 + threshold)
    slower, faster = holm(ratios.slower_p), holm(ratios.faster_p)
    verdicts = np.select([(ratios.low > above) & (slower <= ERROR_RATE),
                          (ratios.high < below) & (faster <= ERROR_RATE),
                          (ratios.low >= below) & (ratios.high <= above)],
                         [SLOWER, FASTER, SAME], CANNOT_TELL)
    return verdicts, slower, faster

# SPDX-License-Identifier: Apache-2.0
"""Is it slower?  What may be said of several log ratios NEW / OLD at once.

Each ratio comes as a centre: mean, error and freedom of its logarithm.  Its interval has
ends that the truth lies beyond with at most 5 % each.  Of the verdicts

  slower       the whole interval lies above the threshold, and that there is a difference
               at all stands after Holm's correction (Scandinavian Journal of Statistics 6,
               1979) for the number of ratios judged together
  faster       the same downwards
  same         the whole interval lies within the threshold (two one-sided tests)
  cannot tell  anything else: the interval is too wide, or lies across the threshold

"slower" is said of any of them with at most 5 % when none differs, and of a single one
that differs by less than the threshold with at most 5 %.  What that costs is held by the
seeded simulations in tests/bench/test_error_rate.py: there a ratio of 1.20 is found in
95 % from 8 rounds on at 5 and 6.5 % of noise, from 10 rounds on at 8 %.

A ratio may be known in two ways, to two yardsticks that need not agree.  Then only what
both ways say is said: the intervals are united, the larger p counts.
"""
import math
from typing import Sequence

from stats import Centre

RULED_MAX = 8
ERROR_RATE = 0.05
CANNOT_TELL, SAME, SLOWER, FASTER = "cannot tell", "same", "slower", "faster"


class Ruled:
    def __init__(self, ways: list[Centre]) -> None:
        """mid is that of the first way; the interval is united."""
        self.ways = ways
        reaches = [way.reach(ERROR_RATE) for way in ways]
        self.mid = math.exp(ways[0].mean)
        self.low = math.exp(min(w.mean - reach for w, reach in zip(ways, reaches)))
        self.high = math.exp(max(w.mean + reach for w, reach in zip(ways, reaches)))
        self.slower_p = self.faster_p = 1.0  # corrected
        self.verdict = CANNOT_TELL

    def chance(self, direction: int) -> float:
        """Of so much in this direction were there no difference; the way that is less
        sure counts."""
        return max(way._replace(mean=direction * way.mean).above(0) for way in self.ways)

    def words(self) -> str:
        return f"{self.mid:.3f} ({self.low:.3f}-{self.high:.3f})"


def holm(chances: list[float]) -> list[float]:
    """The smallest counts as often as there are, the next one time less, and none less
    than one that was smaller."""
    corrected, least = list(chances), 0.0
    order = sorted(range(len(chances)), key=chances.__getitem__)
    for left, at in zip(range(len(chances), 0, -1), order):
        least = max(least, min(1.0, chances[at] * left))
        corrected[at] = least
    return corrected


def rule(judged: Sequence[Ruled], threshold: float) -> None:
    """Everything, of at most RULED_MAX together.  threshold 0.05 is five per cent."""
    above, below = 1 + threshold, 1 / (1 + threshold)
    slower = holm([j.chance(1) for j in judged])
    faster = holm([j.chance(-1) for j in judged])
    for j, up, down in zip(judged, slower, faster):
        j.slower_p, j.faster_p = up, down
        if j.low > above and j.slower_p <= ERROR_RATE:
            j.verdict = SLOWER
        elif j.high < below and j.faster_p <= ERROR_RATE:
            j.verdict = FASTER
        else:
            j.verdict = SAME if j.low >= below and j.high <= above else CANNOT_TELL

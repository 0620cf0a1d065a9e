# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them."""
from __future__ import annotations

import math
import re
from typing import NamedTuple

COUNT, US, MS, PERCENT, RATIO, SHARE = "count", "us", "ms", "percent", "ratio", "share"
ENDS = {"_us": US, "_ms": MS, "utilisation": PERCENT, "goodput": PERCENT}
TIMES = ((1e6, "s"), (1e3, "ms"), (1, "µs"), (1e-3, "ns"))  # in µs


class Measured(NamedTuple):
    """A middle and its interval; the middle is 0 when nobody knows."""
    mid: float
    low: float
    high: float
    unit: str = COUNT
    is_noise: bool = False  # no difference from the base that the control does not show as well


def unit_of(name: str) -> str:
    """What the end of a figure's name says."""
    return next((unit for end, unit in ENDS.items() if name.endswith(end)), COUNT)


def digits(v: float) -> str:
    """Three of them, or a whole number with its thousands apart."""
    return f"{v:,.0f}" if 999.5 <= abs(v) < 1e15 else f"{v:.3g}"


def number_text(v: float | None, unit: str = COUNT) -> str:
    """A number with its unit; a dash for what nobody knows."""
    if v is None or not math.isfinite(v):
        return "–"
    if unit in (US, MS) and v:
        us = v * 1000 if unit == MS else v
        scale, name = next((t for t in TIMES if abs(us) >= 0.9995 * t[0]), TIMES[-1])
        return f"{digits(us / scale)}\u00a0{name}"
    if unit == PERCENT:
        return f"{digits(v * 100)}\u00a0%"
    if unit == SHARE:  # v is 1 / (1 - share)
        return f"{100 - 100 / v:.7g}\u00a0%"
    if unit == RATIO:  # two decimals near 1, so that a column of them reads as a column
        return f"{v:.2f}×" if abs(v) < 9.995 else f"{digits(v)}×"
    return digits(v)


def plain(words: str) -> str:
    """Foreign words without what neither HTML nor SVG takes."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", words)

# SPDX-License-Identifier: Apache-2.0
"""Numbers and plots as people see them; the colours of a plot are the page's."""
import io
import math
import re
from itertools import cycle
from typing import Any, Iterable, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from tables import TEMPLATES

COUNT, US, MS, PERCENT, RATIO, SHARE = "count", "us", "ms", "percent", "ratio", "share"
ENDS = {"_us": US, "_ms": MS, "utilisation": PERCENT, "goodput": PERCENT}
TIMES = ((1e6, "s"), (1e3, "ms"), (1, "µs"), (1e-3, "ns"))  # in µs
COLORS = ("#0b5fa5", "#b3420b", "#1a7350", "#7d3fa0", "#7a5c00", "#a8285a", "#006d78", "#5d6168")
NAMES = {"#1b1d20": "--ink", "#d8dade": "--rule", "#5d6167": "--muted",  # as page.css has them
         **{color: f"--c{i}" for i, color in enumerate(COLORS)}}
MARKERS = "os^vDPX"  # colour is never the only sign
LEAST, MOST = 1e-12, 1e15  # beyond these no figure is one
CLEAN = (  # of what matplotlib writes: nothing for the whole page, no name that is there twice
    (r"<\?xml.*?(?=<svg)|<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", ""),
    (r'(<g) id="[^"]*"', r"\1"), (r' clip-path="[^"]*"| xmlns[:a-z]*="[^"]*"', ""),
    ("xlink:href", "href"), (r'font: ([\d.]+px)[^;"]*', r"font-size: \1"),
    *((color, f"var({name})") for color, name in NAMES.items()))

Line = tuple[str, Any]  # a name, and points of x, y, and perhaps y's interval
Plot = dict[str, str]  # id, one in the page; title; svg

matplotlib.style.use(["default", TEMPLATES / "plots.mplstyle"])


class Axis(NamedTuple):
    label: str
    unit: str = COUNT
    log: int = 0  # base


def unit_of(name: str) -> str:
    return next((unit for end, unit in ENDS.items() if name.endswith(end)), COUNT)


def digits(v: float) -> str:
    """Three of them, or a whole number with its thousands apart."""
    return f"{v:,.0f}" if 999.5 <= abs(v) < 1e15 else f"{v:.3g}"


def number_text(v: float | None, unit: str = COUNT) -> str:
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


def short(words: str, most: int = 40) -> str:
    words = " ".join(plain(words).split())
    return words if len(words) <= most else words[:most - 1] + "…"


def known(points: Any, x: Axis, y: Axis) -> Any:
    points = np.array([(*p[:2], *(p[2:] or (p[1], p[1]))) for p in points], float).reshape(-1, 4)
    for column, axis in ((0, x), (1, y)):
        values = points[:, column]
        points = points[(abs(values) <= MOST) & (values >= (LEAST if axis.log else -MOST))]
    at, mid, low, high = points.T
    return at, mid, np.clip(low, LEAST if y.log else -MOST, mid), np.clip(high, mid, MOST)


def set_axis(ax: Axes, name: str, axis: Axis) -> None:
    side = getattr(ax, f"{name}axis")
    if axis.log:
        getattr(ax, f"set_{name}scale")("log", base=axis.log)
        low, high = getattr(ax, f"get_{name}lim")()
        steps = (1, 2, 5) if axis.log == 10 and high / low < 1000 else (1,)
        side.set_major_locator(LogLocator(axis.log, steps, numticks=9))
    side.set_minor_locator(NullLocator())
    side.set_major_formatter(lambda v, _: number_text(v, axis.unit))


def plot(id_: str, title: str, x: Axis, y: Axis, lines: Iterable[Line],
         marks: Iterable[tuple[float, str]] = ()) -> list[Plot]:
    """Marks are vertical lines. None when no line has a point."""
    figure = Figure(figsize=(10.5, 5.3), layout="constrained")
    ax = figure.subplots()
    for (name, points), color, marker in zip(lines, cycle(COLORS), cycle(MARKERS)):
        at, mid, low, high = known(points, x, y)
        if len(at) > 0:
            ax.vlines(at, low, high, color=color, lw=1.4)
            ax.plot(at, mid, label=short(name), color=color, marker=marker,
                    markevery=1 + len(at) // 12)
    if not ax.lines:
        return []
    for at, words in marks:
        ax.axvline(at, color=COLORS[1], lw=1, dashes=(4, 3), label=words or None)
    set_axis(ax, "x", x)
    set_axis(ax, "y", y)
    if not y.log:
        ax.set_ylim(bottom=0)
    ax.set(xlabel=short(x.label, 90), title=short(y.label, 60))
    ax.grid(True, axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": id_}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue().replace("<svg ", f'<svg role="img" aria-labelledby="caption-{id_}" ', 1)
    for pattern, instead in CLEAN:
        svg = re.sub(pattern, instead, svg, flags=re.DOTALL)
    return [{"id": id_, "title": title, "svg": svg}]

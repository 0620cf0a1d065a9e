# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG that may stand in a page: the colours are the page's, the words are words."""
from __future__ import annotations

import io
import logging
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

import units
from stats import Ratio

LINEAR, LOG2, LOG10, PERCENTILE = "linear", "log2", "log10", "percentile"
COLORS = 8  # as many as the page's style knows, and series in a plot
# What matplotlib is told, and what the page knows it by.
INK, GRID, MUTED = "#010100", "#010101", "#010102"
NAMES = {INK: "--ink", GRID: "--rule", MUTED: "--muted",
         **{f"#0101{16 + i:02x}": f"--c{i}" for i in range(COLORS)}}
MARKERS = "os^vDPXh"  # colour is never the only sign
WIDTH, HEIGHT, FONT, LINE = 760, 380, 13, 17
ABOVE, BELOW = 40, 54  # of a plot, for words
LEAST, MOST = 1e-12, 1e15  # beyond these no figure is one
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
SHARES = ((1, "0"), (2, "50"), (10, "90"), (100, "99"), (1e3, "99.9"), (1e4, "99.99"),
          (1e5, "99.999"), (1e6, "99.9999"))

Point = tuple[float, float, float, float]  # x, y, and y's interval; both 0: not known

logging.getLogger("matplotlib").setLevel(logging.ERROR)
matplotlib.rcdefaults()
matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "keyward", "text.parse_math": False, "font.size": FONT,
    "axes.unicode_minus": False, "path.simplify": False, "text.color": INK,
    "axes.edgecolor": MUTED, "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "xtick.direction": "in",
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "ytick.major.size": 0, "xtick.major.pad": 7, "ytick.major.pad": 8, "grid.color": GRID,
    "grid.linewidth": 0.8, "axes.axisbelow": True})


@dataclass
class Axis:
    label: str
    scale: str = LINEAR  # PERCENTILE is of 1 / (1 - share)
    unit: str = units.COUNT

    def knows(self, v: float) -> bool:
        return abs(v) <= MOST and (self.scale == LINEAR or v >= LEAST)

    def ticks(self, least: float, most: float) -> list[tuple[float, str]]:
        """What is told on a side with room for such values; the first and the last are its
        ends, without words when they are none of the told ones."""
        if self.scale == PERCENTILE:
            most = max(most, 2)
            told = [(at, f"{words}\u00a0%") for at, words in SHARES if at <= most * 1.001]
            return [(1, ""), *told, (most, "")]
        if self.scale == LOG2:
            first, last = math.floor(math.log2(least) + 1e-9), math.ceil(math.log2(most) - 1e-9)
            at = [2.0 ** k for k in range(first, last + 1, (last - first) // 8 + 1)]
            ends = least / 1.12, most * 1.12
        elif self.scale == LOG10:
            tens = range(math.floor(math.log10(least)) - 1, math.ceil(math.log10(most)) + 2)
            steps = [m * 10.0 ** k for k in tens for m in (1, 2, 5)]
            ends = (max(s for s in steps if s <= least * (1 + 1e-9)),
                    min(s for s in steps if s >= most * (1 - 1e-9)))
            ends = ends if ends[1] > ends[0] else (ends[0], ends[0] * 2)
            at = steps if most / least < 100 else [10.0 ** k for k in tens]
        else:
            least = min(least, 0)
            most = most if most - least > 1e-9 else least + 1
            power = 10 ** math.floor(math.log10((most - least) / 5))
            step = power * next(m for m in (1, 2, 5, 10) if (most - least) / 5 / power < 1.5 * m)
            first, last = math.floor(least / step), math.ceil(most / step - 1e-9)
            at = [k * step for k in range(first, last + 1)]
            ends = at[0], at[-1]
        inside = [v for v in at if ends[0] * (1 - 1e-9) <= v <= ends[1] * (1 + 1e-9) or v in ends]
        return [(ends[0], ""), *((v, units.number_text(v, self.unit)) for v in inside),
                (ends[1], "")]


@dataclass
class Line:
    name: str
    color: int
    dots: bool  # each point is a measurement of its own
    points: list[Point]


@dataclass
class Plot:
    id: str  # one in the page
    title: str
    x: Axis
    y: Axis
    description: str = ""  # what a reader who cannot see it should know
    marks: list[tuple[float, str]] = field(default_factory=list)  # vertical lines
    lines: list[Line] = field(default_factory=list)

    def add(self, name: str, color: int, points: Iterable[Point], dots: bool = True) -> None:
        """In this colour if it is free; without points that are absurd or that the axes' scales
        do not know; a line of no points is none."""
        known = [(x, y, low, high) if self.y.knows(low) and self.y.knows(high) and high > low
                 else (x, y, 0.0, 0.0)
                 for x, y, low, high in points if self.x.knows(x) and self.y.knows(y)]
        taken = {line.color for line in self.lines}
        while color % COLORS in taken:
            color += 1
        if known:
            self.lines.append(Line(name, color % COLORS, dots, known))


def spread_out(places: list[float], gap: float) -> list[float]:
    """Moves places (0..1, any order) as little as it takes for neighbours to be `gap` apart and
    all of them within 0..1; when there is no room for that the gap is smaller."""
    gap = min(gap, 1 / max(len(places) - 1, 1))
    order = sorted(range(len(places)), key=places.__getitem__)
    moved, floor, ceiling = list(places), 0.0, 1.0
    for i in order:
        moved[i] = max(moved[i], floor)
        floor = moved[i] + gap
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved


def hue(color: int) -> str:
    return f"#0101{16 + color:02x}"


def short(words: str, most: int = 40) -> str:
    words = units.plain(words)
    return words if len(words) <= most else words[:most - 1] + "…"


def width_of(words: list[str]) -> float:
    """Of the longest, in a wide font: the page's own may be narrower."""
    font = FontProperties(size=FONT)
    return max(float(text_to_path.get_text_width_height_descent(w, font, False)[0]) for w in words)


def side(ax: Axes, name: str, axis: Axis, least: float, most: float) -> list[str]:
    told = axis.ticks(least, most)
    scale, words = getattr(ax, f"set_{name}scale"), [w for _, w in told if w]
    scale("linear") if axis.scale == LINEAR else scale("log", subs=[])
    getattr(ax, f"set_{name}lim")(told[0][0], told[-1][0])
    getattr(ax, f"set_{name}ticks")([at for at, w in told if w], words)
    ax.minorticks_off()
    return words


def place_of(axis: Axis, v: float, ends: tuple[float, float]) -> float:
    if axis.scale == LINEAR:
        return (v - ends[0]) / (ends[1] - ends[0])
    return math.log(v / ends[0]) / math.log(ends[1] / ends[0])


def draw_line(ax: Axes, line: Line) -> None:
    x, y, low, high = zip(*line.points)
    color = hue(line.color)
    bars = [p for p in line.points if p[3] > p[2]]
    ax.vlines([p[0] for p in bars], [p[2] for p in bars], [p[3] for p in bars], color=color, lw=1.4)
    ax.plot(x, y, color=color, lw=1.8, marker=MARKERS[line.color] if line.dots else None, ms=6.5,
            mew=0)


def words_of(ax: Axes, p: Plot, height: float) -> None:
    """Lines bear their names at their right ends, and marks above."""
    ends = [place_of(p.y, line.points[-1][1], ax.get_ylim()) for line in p.lines]
    for line, at in zip(p.lines, spread_out(ends, LINE / height)):
        ax.annotate(short(line.name), (1, at), (12, 0), xycoords="axes fraction", va="center",
                    textcoords="offset points", color=hue(line.color), annotation_clip=False)
    for x, label in p.marks:
        ax.axvline(x, color=hue(1), lw=1, dashes=(4, 3))
        right = place_of(p.x, x, ax.get_xlim()) > 0.5
        ax.annotate(label, (x, 1), (0, 4), xycoords=("data", "axes fraction"), color=hue(1),
                    textcoords="offset points", ha="right" if right else "left")


def svg(p: Plot) -> str:
    """There is at least one point."""
    points = [point for line in p.lines for point in line.points]
    ys = [y for _, y, low, high in points for y in ((y, low, high) if high > low else (y,))]
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = figure.add_axes((0, 0, 1, 1))
    told = side(ax, "y", p.y, min(ys), max(ys))
    side(ax, "x", p.x, min(x for x, *_ in points), max(x for x, *_ in points))
    left, right = 20 + width_of(told), 18 + width_of([short(line.name) for line in p.lines])
    height = HEIGHT - ABOVE - BELOW
    ax.set_position((left / WIDTH, BELOW / HEIGHT, 1 - (left + right) / WIDTH, height / HEIGHT))
    ax.set_xlabel(short(p.x.label, 90), labelpad=8)
    figure.text(10 / WIDTH, 1 - 18 / HEIGHT, short(p.y.label, 60), color=MUTED)
    ax.grid(True, axis="y")
    for line in p.lines:
        draw_line(ax, line)
    words_of(ax, p, height)
    return finish(figure, p)


def whiskers(p: Plot, rows: list[tuple[str, Ratio, int]], band: Ratio) -> str:
    """Ratios one below the other; the band is what is no difference."""
    height = 24 * len(rows) + 80
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    ax = figure.add_axes((0, 0, 1, 1))
    side(ax, "x", p.x, min(1.0, *(x.low for _, x, _ in rows)),
         max(1.0, *(x.high for _, x, _ in rows)))
    left = 20 + width_of([short(name) for name, *_ in rows])
    ax.set_position((left / WIDTH, 56 / height, 1 - (left + 24) / WIDTH, 1 - 68 / height))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [short(name) for name, *_ in rows])
    ax.set_xlabel(short(p.x.label, 90), labelpad=6)
    ax.grid(True, axis="x")
    low, high = max(band.low, ax.get_xlim()[0]), min(band.high, ax.get_xlim()[1])
    if band.low > 0 and low < high:
        ax.axvspan(low, high, color=GRID, lw=0)
    ax.axvline(1, color=MUTED, lw=1)
    for i, (_, x, color) in enumerate(rows):
        ax.hlines(i, x.low, x.high, color=hue(color), lw=1.8)
        ax.plot(x.mid, i, color=hue(color), marker="o", ms=6, mew=0)
    return finish(figure, p)


def finish(figure: Figure, p: Plot) -> str:
    figure.patch.set_visible(False)
    for ax in figure.axes:
        ax.patch.set_visible(False)
    out = io.StringIO()
    FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})
    return clean(out.getvalue(), p)


def style_of(style: str) -> str:
    """The page's font and colours; what SVG takes for granted is left out."""
    style = re.sub(r"font: (?:\w+ )*([\d.]+px)[^;]*", r"font-size: \1", style)
    style = re.sub(r"#0101[0-9a-f]{2}\b", lambda m: f"var({NAMES[m[0]]})", style)
    return re.sub(r" ?stroke-linejoin: \w+;?| ?stroke-linecap: \w+;?", "", style)


def clean(text: str, p: Plot) -> str:
    """What matplotlib drew, fit to stand in a page with others: names of its own, no style for
    the whole page, nothing that is clipped, a title and a description."""
    root = ET.fromstring(text)
    height = root.attrib["viewBox"].split()[3]
    root.attrib = {"viewBox": f"0 0 {WIDTH} {height}", "role": "img",
                   "aria-labelledby": f"title-{p.id} text-{p.id}"}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.removeprefix(SVG) in ("metadata", "style", "clipPath"):
                parent.remove(child)
    for e in root.iter():
        e.tag, e.tail = e.tag.removeprefix(SVG), None
        e.text = (e.text or "").strip() or None
        a = {k.removeprefix(XLINK): v for k, v in e.attrib.items()
             if k != "clip-path" and (k != "id" or e.tag == "path" and v.startswith("m"))}
        a |= {k: f"{'#' if k == 'href' else ''}{p.id}-{a[k].lstrip('#')}"
              for k in ("id", "href") if k in a}
        e.attrib = a | ({"style": style_of(a["style"])} if "style" in a else {})
    for i, (tag, name, words) in enumerate((("title", "title", p.title),
                                            ("desc", "text", p.description))):
        head = ET.Element(tag, {"id": f"{name}-{p.id}"})
        head.text = units.plain(words)
        root.insert(i, head)
    return ET.tostring(root, encoding="unicode")


def sheet(plots: Iterable[Plot]) -> str:
    """One picture of several plots, in the page's light colours."""
    svgs = [svg(p).replace("<svg", f'<svg y="{i * HEIGHT}" height="{HEIGHT}"', 1)
            for i, p in enumerate(plots)]
    rule = re.search(r":root {[^}]*}", Path(__file__).with_name("page.css").read_text())
    style = rule[0] if rule else ""
    return ('<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" '
            f'viewBox="0 0 {WIDTH} {HEIGHT * len(svgs)}" width="{WIDTH}">'
            f"<style>{style}</style>{''.join(svgs)}</svg>\n")

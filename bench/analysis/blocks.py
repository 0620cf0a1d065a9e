# SPDX-License-Identifier: Apache-2.0
"""What a page is made of; page.html.j2 has the markup of each kind and escapes all words."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Sequence, Union

import draw
import units
from stats import Ratio

INTERVAL = "95\u00a0% interval"


@dataclass
class Cell:
    text: str
    small: str = ""
    cls: str = ""
    span: int = 1


Row = Sequence[Union[Cell, str]]


@dataclass
class Block:
    kind: str
    words: str = ""
    cls: str = ""
    bold: str = ""
    blocks: list[Block] = field(default_factory=list)
    heads: Row = ()
    rows: Sequence[tuple[str, Row]] = ()  # with a class
    id: str = ""
    svg: str = ""


def row_of(*cells: Union[Cell, str]) -> Row:
    return cells


def paragraph(words: str, bold: str = "", cls: str = "") -> Block:
    return Block("p", words, cls, bold)


def faulty(partial: bool, fault: str) -> list[Block]:
    """What went wrong, if anything did."""
    bold = "Partial." if partial else "With a fault."
    return [paragraph(fault or "The run ended before its time.", bold, "verdict unusable")
            ] if partial or fault else []


def facts(caption: str, rows: Iterable[tuple[str, str]]) -> Block:
    return Block("table", caption, "facts",
                 rows=[("", (name, Cell(words, cls="words"))) for name, words in rows])


def table(caption: str, heads: Row, rows: Iterable[Row], cls: str = "wide") -> Block:
    return Block("table", caption, cls, heads=heads, rows=[("", row) for row in rows])


def beside(*blocks: Block) -> Block:
    return Block("row", blocks=list(blocks))


def items(lines: Iterable[str]) -> Block:
    return Block("ul", rows=[("", (line,)) for line in lines])


def interval(x: Ratio, unit: str, cls: str = "") -> Cell:
    if not x.mid > 0:
        return Cell("–", cls=cls)
    mid, low, high = (units.number_text(v, unit) for v in x)
    return Cell(mid, f"{low} – {high}" if x.high > x.low else "", cls)


def figure(p: draw.Plot, caption: str, svg: str = "") -> list[Block]:
    """Nothing when the plot has no point."""
    if not p.lines and not svg:
        return []
    return [Block("figure", caption, bold=p.title, id=p.id, svg=svg or draw.svg(p))]

# SPDX-License-Identifier: Apache-2.0
"""A results folder: results.json, and the documents beside it by what they say they are."""
from __future__ import annotations

import math
from pathlib import Path
from typing import Callable

import draw
import results
import verb
from foreign import text_in
from stats import Ratio
from verb import Document

DOCUMENTS_MAX, SCHEMA = 64, 1


def kind_of(d: Document) -> str:
    """What only says what would be measured is no measurement."""
    tool = text_in(d, "tool").removeprefix("keyward-bench ")
    if tool in ("storm", "plan", "token") and d.get("dry_run") is not True:
        return tool
    micro = isinstance(d.get("benchmarks"), list) and isinstance(d.get("context"), dict)
    return "micro" if micro else "unknown"


def read_document(path: Path) -> tuple[str, Document]:
    d = results.load(path)
    if not isinstance(d, dict):
        raise verb.Unable(f"{path}: no JSON object: take the file away or measure anew")
    kind = kind_of(d)
    if kind not in ("micro", "unknown") and d.get("schema") != SCHEMA:
        raise verb.Unable(f"{path}: written in schema {d.get('schema')} by {text_in(d, 'tool')} "
                          f"{text_in(d, 'version')[:32]}; this one reads schema {SCHEMA}: read it "
                          "with the other, or measure anew")
    return kind, d


class Folder:
    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        if not path.is_dir():
            raise verb.Unable(f"{path}: it wants a folder that keyward-bench rounds --out made")
        paths = sorted(p for p in path.glob("[!.]*.json") if p.name != "results.json")
        if len(paths) > DOCUMENTS_MAX:
            raise verb.Unable(f"{path}: more than {DOCUMENTS_MAX} documents: a results folder is "
                              "one run")
        self.documents = [(p.stem, *read_document(p)) for p in paths]
        if not (path / "results.json").exists():
            raise verb.Unable(f"{path}/results.json: not there; keyward-bench rounds --out {path} "
                              "… makes it")
        self.results = results.read(path)
        self.kept: dict[tuple[str, ...], Ratio] = {}

    @property
    def cells(self) -> list[Document]:
        return self.results.cells

    def own(self) -> list[Document]:
        """Without the control."""
        return [c for c in self.cells if not c["control"]]

    def base(self) -> Document:
        return next(c for c in self.cells if c["name"] == self.results["base"])

    def of_kind(self, kind: str) -> list[tuple[str, Document]]:
        return [(name, d) for name, k, d in self.documents if k == kind]

    def _once(self, key: tuple[str, ...], reckon: Callable[[], Ratio]) -> Ratio:
        if key not in self.kept:
            try:
                self.kept[key] = reckon()
            except (ArithmeticError, ValueError):  # of figures that are none
                self.kept[key] = Ratio()
        return self.kept[key]

    def median(self, c: Document, figure: str) -> Ratio:
        return self._once((c["name"], figure), lambda: self.results.median(c, figure))

    def known(self, c: Document, figure: str) -> float:
        m = self.median(c, figure)
        return m.mid if m.high > 0 else math.nan

    def ratio(self, upper: Document, lower: Document, figure: str) -> Ratio:
        return self._once((upper["name"], lower["name"], figure),
                          lambda: self.results.ratio(upper, lower, figure))

    def noise(self, figure: str) -> Ratio:
        n = self.results["noise"].get(figure)
        return Ratio(n["mid"], n["low"], n["high"]) if n else Ratio()

    def color(self, subject: str) -> int:
        """The same in every plot: the subject's place among those of the run."""
        subjects = list(dict.fromkeys(c["axes"]["subject"] for c in self.own()))
        return subjects.index(subject) % draw.COLORS if subject in subjects else 0

    def points(self, cells: list[Document], axis: str, figure: str,
               scale: float = 1) -> list[draw.Point]:
        """Medians with their intervals, by where the cells stand on an axis."""
        known = ((c["axes"][axis] / scale, self.median(c, figure))
                 for c in sorted(cells, key=lambda c: float(c["axes"][axis])))
        return [(x, m.mid, m.low, m.high) for x, m in known if m.mid > 0]

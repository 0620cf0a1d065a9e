# SPDX-License-Identifier: Apache-2.0
"""A results folder: results.json, and the documents beside it by what they say they are."""
from __future__ import annotations

from pathlib import Path
from typing import Callable

import results
import stats
import verb
from units import RATIO, Measured, unit_of
from verb import Document

SCHEMA = results.SCHEMA.with_name("beside-1.schema.json")


def read_document(path: Path) -> tuple[str, str, Document]:
    """What only says what would be measured is no measurement."""
    d = results.load(path)
    if not isinstance(d, dict):
        raise verb.Unable(f"{path}: no JSON object: take the file away or measure anew")
    kind = str(d.get("tool")).removeprefix("keyward-bench ")
    if kind not in ("storm", "plan", "token") or d.get("dry_run"):
        kind = "micro" if "benchmarks" in d and "context" in d else "unknown"
    elif d.get("schema") != 1:
        raise verb.Unable(f"{path}: written in schema {d.get('schema')} by {d['tool']}; this one "
                          "reads schema 1: read it with the other, or measure anew")
    if kind != "unknown":
        results.check(path, d, SCHEMA)
    return path.stem, kind, d


class Folder:
    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        if not (path / "results.json").exists():
            raise verb.Unable(f"{path}/results.json: not there; keyward-bench rounds --out {path} "
                              "… makes it")
        self.documents = [read_document(p) for p in sorted(path.glob("[!.]*.json"))
                          if p.name != "results.json"]
        self.results = results.read(path)
        self.cells = self.results.cells
        self.own = [c for c in self.cells if not c["control"]]
        self.base = next(c for c in self.cells if c["name"] == self.results["base"])

    def of_kind(self, kind: str) -> list[tuple[str, Document]]:
        return [(name, d) for name, k, d in self.documents if k == kind]

    def median(self, c: Document, figure: str) -> Measured:
        return measured(lambda: self.results.median(c, figure), unit_of(figure))

    def noise(self, figure: str) -> Measured:
        n = self.results["noise"].get(figure, {"mid": 0, "low": 0, "high": 0})
        return Measured(n["mid"], n["low"], n["high"], RATIO)

    def ratio(self, upper: Document, lower: Document, figure: str) -> Measured:
        """Within the noise when its interval and the control's meet."""
        x = measured(lambda: self.results.ratio(upper, lower, figure), RATIO)
        floor = self.noise(figure)
        return x._replace(is_noise=lower is self.base and x.mid > 0 and floor.mid > 0
                          and x.low <= floor.high and x.high >= floor.low)


def measured(reckon: Callable[[], stats.Ratio], unit: str) -> Measured:
    try:
        return Measured(*reckon(), unit)
    except (ArithmeticError, ValueError):  # of figures that are none
        return Measured(0, 0, 0, unit)

# SPDX-License-Identifier: Apache-2.0
"""What one interleaved run of a matrix measured: results.json and results.csv.

The document is what bench/results/results-1.schema.json says, kept as the plain members
that JSON has.  A figure that nobody knows is None, null in results.json, and has no line
in the CSV.  Rounds count from 0.  A disturbed round stays in the arrays and is left out of
medians, ratios, noise and the merged histograms.  Ratios are of the same round.
"""
import csv
import io
import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Optional

import stats
from verb import Document, Unable, printable

SCHEMA = Path(__file__).resolve().parents[1] / "results" / "results-1.schema.json"
TOOL = "keyward-bench rounds"
FIGURES_MAX = 32


class Results:
    """A run's document, and what is reckoned from it again and again."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def __getitem__(self, member: str) -> Any:
        return self.document[member]

    @property
    def rounds(self) -> int:
        return int(self.document["rounds"])

    @property
    def cells(self) -> list[Document]:
        cells: list[Document] = self.document["cells"]
        return cells

    def names(self) -> list[str]:
        return [c["name"] for c in self.cells]

    def cell(self, name: str) -> Optional[Document]:
        return next((c for c in self.cells if c["name"] == name), None)

    def calm(self) -> list[int]:
        """The rounds that are not disturbed."""
        disturbed = {d["round"] for d in self.document["disturbed"]}
        return [n for n in range(self.rounds) if n not in disturbed]

    def figures(self) -> list[str]:
        """The names that some cell has, in the order in which they came up."""
        return list(dict.fromkeys(name for c in self.cells for name in c["figures"]))

    def series(self, cell: Document, figure: str) -> list[stats.Value]:
        """Of the undisturbed rounds, known or not, so that two cells' values stay pairs."""
        values = cell["figures"].get(figure, [None] * self.rounds)
        return [values[n] for n in self.calm()]

    def median(self, cell: Document, figure: str) -> stats.Ratio:
        return stats.median(self.series(cell, figure))

    def ratio(self, upper: Document, lower: Document, figure: str) -> stats.Ratio:
        return stats.ratio(self.series(upper, figure), self.series(lower, figure))


def merged(histograms: Iterable[list[list[int]]]) -> list[list[int]]:
    """[[upper_ns, count], …], rising."""
    sums: Counter[int] = Counter()
    for histogram in histograms:
        sums.update({upper: count for upper, count in histogram})
    return [[upper, sums[upper]] for upper in sorted(sums)]


# ---- writing ----------------------------------------------------------------------------------


def rounded(value: Any, digits: int) -> Any:
    """With so many digits in each number that is not whole."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {name: rounded(v, digits) for name, v in value.items()}
    return [rounded(v, digits) for v in value] if isinstance(value, list) else value


def json_text(document: Document) -> str:
    """A line a member and a cell: two runs' files can be laid side by side."""
    def lines(value: Any) -> str:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in value) + "\n]"
        return json.dumps(value, ensure_ascii=False)
    members = (f'"{name}": {lines(v)}' for name, v in rounded(document, 9).items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def csv_text(r: Results) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow("session cell primary control round disturbed figure value".split())
    calm = r.calm()
    for c in r.cells:
        for n in range(r.rounds):
            head = [r["session"], c["name"], int(c["primary"]), int(c["control"]), n,
                    int(n not in calm)]
            known = {name: c["figures"][name][n] for name in r.figures() if name in c["figures"]}
            table.writerows([*head, name, f"{value:.9g}"] for name, value in known.items()
                            if value is not None)
    return out.getvalue()


def replace(path: Path, text: str) -> None:
    """In one step: the file of before is whole until this one is.  OSError names it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def write(r: Results, folder: Path) -> None:
    replace(folder / "results.json", json_text(r.document))
    replace(folder / "results.csv", csv_text(r))


# ---- reading ----------------------------------------------------------------------------------


def parse(text: str) -> Any:
    """Any JSON of numbers that can be reckoned with; ValueError or RecursionError."""
    def number(digits: str) -> float:
        if not math.isfinite(float(digits)) or len(digits) > 30:
            raise ValueError(f"{digits[:20]} is no number to reckon with")
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)
    return json.loads(text, parse_constant=number, parse_float=number, parse_int=number)


def load(path: Path) -> Any:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise Unable(f"{path}: line {error.lineno}: no JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Unable(f"{path}: no JSON: {error}") from error


def faults(document: Any, schema: Path) -> Iterable[str]:
    """Which member is not as the schema says, and why."""
    from jsonschema import Draft202012Validator
    for error in Draft202012Validator(load(schema)).iter_errors(document):
        yield f"{error.json_path[2:] or 'the document'}: {printable(error.message, 200)}"


def check(path: Path, document: Any, schema: Path) -> None:
    for fault in faults(document, schema):
        raise Unable(f"{path}: {fault}")


def read(path: Path) -> Results:
    """A results.json, or the one of a results folder, each member looked at before it is
    believed.  Unable names the file and the member; OSError as it comes."""
    path = path / "results.json" if path.is_dir() else path
    document = load(path)
    said = document if isinstance(document, dict) else {}
    if said.get("tool") != TOOL or said.get("schema") != 1:
        raise Unable(f"{path}: no results.json of {TOOL}, schema 1: its \"tool\" says "
                     f"{said.get('tool', 'nothing')}, and it is of schema {said.get('schema')}: "
                     "read it with the program that wrote it, or measure anew")
    check(path, document, SCHEMA)
    for fault in loose_ends(Results(document)):
        raise Unable(f"{path}: {fault}")
    return Results(document)


def loose_ends(r: Results) -> Iterable[str]:
    """What a schema cannot say: how the members hang together."""
    names, pulses = r.names(), r["pulse"]["rounds"]
    series = [values for c in r.cells for values in c["figures"].values()]
    uppers = [[upper for upper, _ in c.get("histogram", [])] for c in r.cells]
    for good, what in (
            (len(set(names)) == len(names), "cells: a name is there twice"),
            (all(len(values) == r.rounds for values in series),
             f"cells: a figure has not as many values as there are rounds, {r.rounds}"),
            (all(sorted(set(one)) == one for one in uppers),
             "cells: a histogram is not [upper_ns, count], rising"),
            (len(r.figures()) <= FIGURES_MAX, f"cells: more than {FIGURES_MAX} figures"),
            (r["base"] in names, "base: there is no such cell"),
            (len(pulses) == r.rounds and all(len(one) == len(names) for one in pulses),
             f"pulse.rounds: {r.rounds} arrays of {len(names)} numbers are wanted here"),
            (all(d["round"] < r.rounds for d in r["disturbed"]), "disturbed: no such round")):
        if not good:
            yield what

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
import tempfile
from pathlib import Path
from typing import Any, Iterable, NoReturn, Optional

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
    sums: dict[int, int] = {}
    for histogram in histograms:
        for upper, count in histogram:
            sums[upper] = sums.get(upper, 0) + count
    return [[upper, sums[upper]] for upper in sorted(sums)]


def is_histogram(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(type(n) is int for n in pair)
        and pair[0] >= 0 and pair[1] > 0 for pair in value
    ) and all(a[0] < b[0] for a, b in zip(value, value[1:]))


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
    calm, names = set(r.calm()), r.figures()
    for c in r.cells:
        for n in range(r.rounds):
            for name in names:
                value = c["figures"].get(name, [None] * r.rounds)[n]
                if value is not None:
                    table.writerow([r["session"], c["name"], int(c["primary"]),
                                    int(c["control"]), n, int(n not in calm), name,
                                    f"{value:.9g}"])
    return out.getvalue()


def replace(path: Path, text: str) -> None:
    """In one step: the file of before is whole until this one is.  OSError names it."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent,
                                         prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def write(r: Results, folder: Path) -> None:
    replace(folder / "results.json", json_text(r.document))
    replace(folder / "results.csv", csv_text(r))


# ---- reading ----------------------------------------------------------------------------------


def load(path: Path) -> Any:
    """Any JSON of numbers that can be reckoned with; Unable names the file and the line."""
    def once(pairs: list[tuple[str, Any]]) -> Document:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a member is there twice")
        return dict(pairs)

    def number(text: str) -> float:
        whole = text.lstrip("-").isdigit()
        if not math.isfinite(float(text)) or (whole and len(text) > 19):
            raise ValueError(f"{text[:20]} is no number to reckon with")
        return int(text) if whole else float(text)
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=once, parse_constant=number,
                          parse_float=number, parse_int=number)
    except json.JSONDecodeError as error:
        raise Unable(f"{path}: line {error.lineno}: no JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Unable(f"{path}: no JSON: {error}") from error


def bad(path: Path, where: str, why: str) -> NoReturn:
    raise Unable(f"{path}: {where or 'the document'}: {why}")


def check(path: Path, document: Any, schema: Path) -> None:
    """Unable names the first member that is not as the schema says."""
    from jsonschema import Draft202012Validator  # who only measures need not wait for it
    for error in Draft202012Validator(load(schema)).iter_errors(document):
        bad(path, error.json_path[2:], printable(error.message, 200))


def read(path: Path) -> Results:
    """A results.json, or the one of a results folder, each member looked at before it is
    believed.  Unable names the file and the member; OSError as it comes."""
    path = path / "results.json" if path.is_dir() else path
    document = load(path)
    tool = document.get("tool") if isinstance(document, dict) else None
    if tool != TOOL:
        raise Unable(f"{path}: this is no results.json of {TOOL} (its \"tool\" says "
                     f"{tool or 'nothing'})")
    if document.get("schema") != 1:
        raise Unable(f"{path}: written in schema {document.get('schema')} by keyward-bench "
                     f"{document.get('version')}; this one reads schema 1: read it with the "
                     "other, or measure anew")
    check(path, document, SCHEMA)
    check_pieces(path, Results(document))
    return Results(document)


def check_pieces(path: Path, r: Results) -> None:
    """What a schema cannot say: how the members hang together."""
    names = [c["name"] for c in r.cells]
    for i, c in enumerate(r.cells):
        if names.index(c["name"]) != i:
            bad(path, f"cells[{i}].name", f"{c['name']} is there twice")
        for name, values in c["figures"].items():
            if len(values) != r.rounds:
                bad(path, f"cells[{i}].figures.{name}", f"there are {r.rounds} rounds")
        if not is_histogram(c.get("histogram", [])):
            bad(path, f"cells[{i}].histogram", "[upper_ns, count], rising, is wanted here")
    if len(r.figures()) > FIGURES_MAX:
        bad(path, "cells", f"there are more than {FIGURES_MAX} different figures")
    if r["base"] not in names:
        bad(path, "base", "there is no such cell")
    pulses = r["pulse"]["rounds"]
    if len(pulses) != r.rounds or any(len(p) != len(names) for p in pulses):
        bad(path, "pulse.rounds", f"{r.rounds} arrays of {len(names)} numbers are wanted here")
    if any(d["round"] >= r.rounds for d in r["disturbed"]):
        bad(path, "disturbed", "there is no such round")

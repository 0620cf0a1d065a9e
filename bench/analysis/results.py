# SPDX-License-Identifier: Apache-2.0
"""What one interleaved run of a matrix measured: results.json and results.csv."""
import csv
import io
import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Optional

import stats
from verb import Document, Unable, printable, refuse_if

SCHEMA = Path(__file__).resolve().parents[1] / "results" / "results-1.schema.json"
TOOL = "keyward-bench rounds"
FIGURES_MAX = 32


class Results:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.cells: list[Document] = document["cells"]

    def __getitem__(self, member: str) -> Any:
        return self.document[member]

    @property
    def rounds(self) -> int:
        return int(self.document["rounds"])

    def names(self) -> list[str]:
        return [c["name"] for c in self.cells]

    def cell(self, name: str) -> Optional[Document]:
        return next((c for c in self.cells if c["name"] == name), None)

    def calm(self) -> list[int]:
        disturbed = {d["round"] for d in self.document["disturbed"]}
        return [n for n in range(self.rounds) if n not in disturbed]

    def figures(self) -> list[str]:
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
    sums: Counter[int] = Counter()
    for histogram in histograms:
        sums.update({upper: count for upper, count in histogram})
    return [[upper, sums[upper]] for upper in sorted(sums)]


def rounded(document: Document, digits: int) -> Any:
    return json.loads(json.dumps(document), parse_float=lambda v: float(f"{float(v):.{digits}g}"))


def json_text(document: Document) -> str:
    """A line a member and a cell: two runs' files can be laid side by side."""
    lines = []
    for name, value in rounded(document, 9).items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in value) + "\n]"
        lines.append(f'"{name}": {text}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def csv_text(r: Results) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow("session cell primary control round disturbed figure value".split())
    calm = r.calm()
    for c in r.cells:
        for n in range(r.rounds):
            head = [r["session"], c["name"], int(c["primary"]), int(c["control"]), n,
                    int(n not in calm)]
            table.writerows([*head, name, f"{c['figures'][name][n]:.9g}"] for name in r.figures()
                            if name in c["figures"] and c["figures"][name][n] is not None)
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
    from jsonschema import Draft202012Validator
    for error in Draft202012Validator(load(schema)).iter_errors(document):
        why = error.schema.get("description", "") if "title" not in error.schema else ""
        yield (f"{error.json_path[2:] or 'the document'}: {printable(error.message, 200)}"
               + f" ({why})" * bool(why))


def check(path: Path, document: Any, schema: Path) -> None:
    for fault in faults(document, schema):
        raise Unable(f"{path}: {fault}")


def read(path: Path) -> Results:
    path = path / "results.json" if path.is_dir() else path
    document = load(path)
    said = document if isinstance(document, dict) else {}
    if said.get("tool") != TOOL or said.get("schema") != 1:
        raise Unable(f"{path}: no results.json of {TOOL}, schema 1: its \"tool\" says "
                     f"{said.get('tool', 'nothing')}, and it is of schema {said.get('schema')}: "
                     "read it with the program that wrote it, or measure anew")
    check(path, document, SCHEMA)
    r = Results(document)
    # What a schema cannot say: how the members hang together.
    names, pulses = r.names(), r["pulse"]["rounds"]
    lengths = {len(values) for c in r.cells for values in c["figures"].values()}
    uppers = [[upper for upper, _ in c.get("histogram", [])] for c in r.cells]
    refuse_if(
        Unable, (len(set(names)) != len(names), f"{path}: cells: a name is there twice"),
        (lengths - {r.rounds},
         f"{path}: cells: a figure has not as many values as there are rounds, {r.rounds}"),
        (any(sorted(set(one)) != one for one in uppers),
         f"{path}: cells: a histogram is not [upper_ns, count], rising"),
        (len(r.figures()) > FIGURES_MAX, f"{path}: cells: more than {FIGURES_MAX} figures"),
        (r["base"] not in names, f"{path}: base: there is no such cell"),
        ([len(one) for one in pulses] != [len(names)] * r.rounds,
         f"{path}: pulse.rounds: {r.rounds} arrays of {len(names)} numbers are wanted here"),
        (any(d["round"] >= r.rounds for d in r["disturbed"]),
         f"{path}: disturbed: no such round"))
    return r

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
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterable, NoReturn, Optional

import stats
from verb import Document, Unable

SCHEMA = Path(__file__).resolve().parents[1] / "results" / "results-1.schema.json"
TOOL = "keyward-bench rounds"
FIGURES_MAX = 32
KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,),
    "integer": (int,), "number": (int, float), "null": (type(None),)}


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


class Checker:
    """As much of JSON Schema as our schemas speak; the first wrong member is named."""

    def __init__(self, path: Path, schema: Document) -> None:
        self.path = path
        self.schema = schema

    def bad(self, where: str, wanted: str) -> NoReturn:
        raise Unable(f"{self.path}: {where.lstrip('.') or 'the document'}: {wanted} is wanted here")

    def check(self, value: Any, rule: Document, where: str = "") -> None:
        if "$ref" in rule:
            rule = self.schema["$defs"][rule["$ref"].rpartition("/")[2]]
        kinds = rule.get("type", list(KINDS))
        kinds = [kinds] if isinstance(kinds, str) else kinds
        fits = any(isinstance(value, KINDS[k]) for k in kinds)
        if not fits or (isinstance(value, bool) and "boolean" not in kinds):
            self.bad(where, "a value of the kind " + " or ".join(kinds))
        for word, wrong in LIMITS.items():
            if word in rule and value is not None and wrong(value, rule[word]):
                self.bad(where, f"a value with {word} {rule[word]}")
        if isinstance(value, dict):
            self.members(value, rule, where)
        elif isinstance(value, list):
            first = rule.get("prefixItems", [])
            for i, item in enumerate(value):
                item_rule = first[i] if i < len(first) else rule.get("items", {})
                self.check(item, item_rule, f"{where}[{i}]")

    def members(self, value: Document, rule: Document, where: str) -> None:
        for name in rule.get("required", []):
            if name not in value:
                self.bad(f"{where}.{name}", "this member")
        for name, member in value.items():
            self.check(name, rule.get("propertyNames", {}), f"{where}.{name}")
            others = rule.get("additionalProperties", {})
            self.check(member, rule.get("properties", {}).get(name, others), f"{where}.{name}")


LIMITS: dict[str, Callable[[Any, Any], object]] = {
    "const": lambda v, limit: v != limit,
    "enum": lambda v, limit: v not in limit,
    "pattern": lambda v, limit: re.search(limit.replace("$", r"\Z"), v) is None,
    "minimum": lambda v, limit: v < limit,
    "maximum": lambda v, limit: v > limit,
    "exclusiveMinimum": lambda v, limit: v <= limit,
    "minLength": lambda v, limit: len(v) < limit,
    "minItems": lambda v, limit: len(v) < limit,
    "maxItems": lambda v, limit: len(v) > limit,
    "maxProperties": lambda v, limit: len(v) > limit,
}


def load(path: Path) -> Any:
    """Any JSON; Unable names the file and the line."""
    def once(pairs: list[tuple[str, Any]]) -> Document:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a member is there twice")
        return dict(pairs)

    def whole(digits: str) -> float:
        return int(digits) if len(digits) < 25 else float(digits)  # as other numbers: in a double

    def constant(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=once, parse_constant=constant,
                          parse_int=whole)
    except json.JSONDecodeError as error:
        raise Unable(f"{path}: line {error.lineno}: no JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Unable(f"{path}: no JSON: {error}") from error


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
    check = Checker(path, load(SCHEMA))
    check.check(document, check.schema)
    check_pieces(check, Results(document))
    return Results(document)


def check_pieces(check: Checker, r: Results) -> None:
    """What a schema cannot say: how the members hang together."""
    names = [c["name"] for c in r.cells]
    for i, c in enumerate(r.cells):
        if names.index(c["name"]) != i:
            check.bad(f"cells[{i}].name", "a name that is not taken")
        for name, values in c["figures"].items():
            if len(values) != r.rounds:
                check.bad(f"cells[{i}].figures.{name}", f"an array of {r.rounds} numbers or nulls")
        if not is_histogram(c.get("histogram", [])):
            check.bad(f"cells[{i}].histogram", "an array of [upper_ns, count], rising,")
    if len(r.figures()) > FIGURES_MAX:
        check.bad("cells", f"at most {FIGURES_MAX} different figures")
    if r["base"] not in names:
        check.bad("base", "the name of a cell")
    pulses = r["pulse"]["rounds"]
    if len(pulses) != r.rounds or any(len(p) != len(names) for p in pulses):
        check.bad("pulse.rounds", f"{r.rounds} arrays of {len(names)} numbers or nulls")
    if any(d["round"] >= r.rounds for d in r["disturbed"]):
        check.bad("disturbed", "the number of a round that is there")

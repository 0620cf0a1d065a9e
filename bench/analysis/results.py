# SPDX-License-Identifier: Apache-2.0
"""What one interleaved run of a matrix measured: results.json and results.csv."""
import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Optional

import numpy as np

import stats
import tables
from verb import Document, Unable, printable, refuse_if

SCHEMA = Path(__file__).resolve().parents[1] / "results" / "results-1.schema.json"
TOOL = "keyward-bench rounds"
FIGURES_MAX = 32
RULE = ("a round is disturbed when at least a tenth of its pulses took more than 1.15 of the "
        "median of all pulses of the run")


class Results:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.cells: list[Document] = document["cells"]

    def __getitem__(self, member: str) -> Any:
        return self.document[member]

    @property
    def base_cell(self) -> Document:
        return next(c for c in self.cells if c["name"] == self.document["base"])

    def names(self) -> list[str]:
        return [c["name"] for c in self.cells]

    def cell(self, name: str) -> Optional[Document]:
        return next((c for c in self.cells if c["name"] == name), None)

    def calm(self) -> list[int]:
        disturbed = {d["round"] for d in self.document["disturbed"]}
        return [n for n in range(self["rounds"]) if n not in disturbed]

    def figures(self) -> list[str]:
        return list(dict.fromkeys(name for c in self.cells for name in c["figures"]))

    def series(self, cell: Document, figure: str,
               rounds: Optional[list[int]] = None) -> list[stats.Value]:
        """Of the undisturbed rounds, known or not, so that two cells' values stay pairs."""
        values = cell["figures"].get(figure, [None] * self["rounds"])
        return [values[n] for n in (self.calm() if rounds is None else rounds)]

    def median(self, cell: Document, figure: str) -> stats.Ratio:
        return stats.median(self.series(cell, figure))

    def ratio(self, upper: Document, lower: Document, figure: str) -> stats.Ratio:
        return stats.ratio(self.series(upper, figure), self.series(lower, figure))

    def judge(self) -> None:
        """Sets disturbed, pulse.rule, noise and quiet, by the rules of docs/BENCHMARKS.md."""
        count = len(self.cells)
        pulses = np.array(self["pulse"]["rounds"], dtype=float).reshape(-1, count)  # null is nan
        middle = high = 0.0
        if not np.isnan(pulses).all():
            middle = np.nanquantile(pulses, 0.5, method="higher")
            high = np.nanquantile(pulses, 0.95, method="inverted_cdf") / middle
        slow = (pulses > 1.15 * middle).sum(axis=1)
        self["pulse"]["rule"] = RULE
        self.document["disturbed"] = [
            {"round": n, "why": f"{slow[n]} of {count} pulses over 1.15 of the median, the worst "
                                f"{np.nanmax(pulses[n]) / middle:.2f}"}
            for n in range(self["rounds"]) if slow[n] > 0 and slow[n] * 10 >= count]
        twin = self.cell(self["control"])
        floor = {f: self.ratio(control, twin, f) for control in self.cells if control["control"]
                 for f in self.figures() if twin}
        self.document["noise"] = {f: {"low": x.low, "mid": x.mid, "high": x.high}
                                  for f, x in floor.items() if x.mid > 0}
        self.document["quiet"] = self.verdict(high)

    def verdict(self, high: float) -> dict[str, str]:
        if self["rounds"] == 0:
            return {"verdict": "unusable", "words": "no round is whole"}
        floor = self["noise"].get("cpu_us", self["noise"].get("calls_per_s"))
        away = max(floor["high"] - 1, 1 - floor["low"]) if floor else math.inf
        disturbed = len(self["disturbed"])
        verdict = "restless"
        if disturbed * 2 >= self["rounds"] or (floor and away > 0.25):
            verdict = "unusable"
        elif self["rounds"] >= stats.LEAST and disturbed * 8 <= self["rounds"]:
            verdict = "quiet" if high <= 1.05 and away <= 0.05 else "restless"
        return {"verdict": verdict, "words": tables.render("verdict", {
            "disturbed": disturbed, "rounds": self["rounds"], "least": stats.LEAST,
            "pulses": max(0.0, high - 1), "control": away if floor else None})}

    def width(self) -> float:
        """How far the interval of cpu_us to the base reaches, for the primary cell where that
        is most."""
        return max((self.ratio(c, self.base_cell, "cpu_us").reach() for c in self.cells
                    if c["primary"] and c is not self.base_cell), default=0.0)


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
    """By cell and round.  No name wants quotes."""
    calm = r.calm()
    return "session,cell,primary,control,round,disturbed,figure,value\n" + "".join(
        f"{r['session']},{c['name']},{c['primary']:d},{c['control']:d},{n},{n not in calm:d},"
        f"{name},{c['figures'][name][n]:.9g}\n"
        for c in r.cells for n in range(r["rounds"]) for name in r.figures()
        if name in c["figures"] and c["figures"][name][n] is not None)


def replace(path: Path, text: str) -> None:
    """In one step: the file of before is whole until this one is; a device or a pipe stays what
    it is.  OSError names it."""
    real, is_plain = path.resolve(), path.is_file() or not path.exists()
    temporary = real.with_name(f".{real.name}.{os.getpid()}") if is_plain else real
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if is_plain:
                os.fsync(file.fileno())
                os.replace(temporary, real)
    except OSError as error:
        if is_plain:
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
    except (ValueError, RecursionError) as error:
        line = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise Unable(f"{path}: {line}no JSON: {getattr(error, 'msg', error)}") from error


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
        (lengths - {r["rounds"]},
         f"{path}: cells: a figure has not as many values as there are rounds, {r['rounds']}"),
        (any(sorted(set(one)) != one for one in uppers),
         f"{path}: cells: a histogram is not [upper_ns, count], rising"),
        (len(r.figures()) > FIGURES_MAX, f"{path}: cells: more than {FIGURES_MAX} figures"),
        (r["base"] not in names, f"{path}: base: there is no such cell"),
        ([len(one) for one in pulses] != [len(names)] * r["rounds"],
         f"{path}: pulse.rounds: {r['rounds']} arrays of {len(names)} numbers are wanted here"),
        (any(d["round"] >= r["rounds"] for d in r["disturbed"]),
         f"{path}: disturbed: no such round"))
    return r

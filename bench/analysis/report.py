# SPDX-License-Identifier: Apache-2.0
"""Makes one page of a results folder: plots, tables and the verdict."""
# Each section is what its macro in templates/page.html.j2 shows, and empty when the folder has
# nothing for it.  The template has the words, and escapes whatever stands in the folder.
import math
import re
from pathlib import Path
from typing import Any, Callable, Iterable

import numpy as np

import results
import tables
import verb
from plots import PERCENT, RATIO, Axis, Line, number_text, plain, plot, unit_of
from stats import Ratio
from verb import Document

SCHEMA = results.SCHEMA.with_name("beside-1.schema.json")
BUSY = 0.8  # a client that is busier may be what limits the figure
BEYOND = 100  # calls that must lie beyond a percentile that is told
SERVED, SLOWER = 0.95, 10.0  # of the last rate that is served: least goodput, most p99 to the first
KINDS = ("storm", "plan", "token", "micro")  # of what stands beside results.json


def kind_of(path: Path, d: Any) -> str:
    if not isinstance(d, dict):
        raise verb.Unable(f"{path}: no JSON object: take the file away or measure anew")
    kind = str(d.get("tool")).removeprefix("keyward-bench ")
    if kind not in KINDS or d.get("dry_run"):
        kind = "micro" if "benchmarks" in d and "context" in d else "unknown"
    if kind != "unknown":
        results.check(path, d, SCHEMA)
    return kind


class Folder:
    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        self.results = results.read(path / "results.json")
        self.documents: dict[str, list[tuple[str, Document]]] = {  # by their kind, with their names
            kind: [] for kind in (*KINDS, "unknown")}
        for p in sorted({*path.glob("[!.]*.json")} - {path / "results.json"}):
            d = results.load(p)
            self.documents[kind_of(p, d)].append((p.stem, d))
        self.cells = self.results.cells
        self.own = [c for c in self.cells if not c["control"]]
        self.base = self.results.base_cell

    def median(self, c: Document, figure: str) -> Ratio:
        return self.results.median(c, figure)._replace(unit=unit_of(figure))

    def noise(self, figure: str) -> Ratio:
        return Ratio(unit=RATIO)._replace(**self.results["noise"].get(figure, {}))

    def ratio(self, upper: Document, lower: Document, figure: str) -> Ratio:
        """Within the noise when its interval and the control's meet."""
        try:
            x, floor = self.results.ratio(upper, lower, figure), self.noise(figure)
        except (ArithmeticError, ValueError):  # of figures that are none
            return Ratio()
        return x._replace(unit=RATIO, is_noise=lower is self.base and min(x.mid, floor.mid) > 0
                          and x.low <= floor.high and x.high >= floor.low)


def grouped(cells: Iterable[Document], key: Callable[[Document], str]
            ) -> list[tuple[str, list[Document]]]:
    groups: dict[str, list[Document]] = {}
    for c in cells:
        groups.setdefault(key(c), []).append(c)
    return list(groups.items())


def is_closed(c: Document) -> bool:
    return not c["control"] and c["axes"]["in_flight"] > 0 and not c["axes"]["rate"] > 0


def line_of(f: Folder, name: str, cells: list[Document], axis: str, figure: str) -> Line:
    medians = ((c["axes"][axis], f.median(c, figure))
               for c in sorted(cells, key=lambda c: float(c["axes"][axis])))
    return name, [(x, m.mid, m.low, m.high) for x, m in medians if m.mid > 0]


def noise(f: Folder) -> dict[str, Any]:
    if f.results["rounds"] == 0:
        return {}
    bad = [d["round"] for d in f.results["disturbed"]]
    pulses = [(n, [v for v in values if v is not None])
              for n, values in enumerate(f.results["pulse"]["rounds"]) if any(values)]
    usual = np.median([np.median(values) for _, values in pulses]) if pulses else 1
    points = [(n, *(np.percentile(values, (50, 0, 100)) / usual)) for n, values in pulses]
    known = ((k, f.noise(k)) for k in f.results.figures())
    return {"floor": [row for row in known if row[1].mid > 0], "pulses": points,
            "marks": [(n, "disturbed" if n == bad[0] else "") for n in bad]}


def concurrency(f: Folder) -> list[tuple[str, list[Line]]]:
    """By method."""
    fitting = [c for c in f.cells if is_closed(c) and not c["axes"]["token_delay_us"] > 0]
    made = [(method, [line_of(f, subject, some, "in_flight", "calls_per_s")
                      for subject, some in grouped(cells, lambda c: str(c["axes"]["subject"]))])
            for method, cells in grouped(fitting, lambda c: str(c["axes"]["method"]))]
    return [(method, lines) for method, lines in made
            if any(len(points) > 1 for _, points in lines)]


def percentile_points(histogram: list[list[int]]) -> list[tuple[float, float]]:
    """1 / (1 - share) and the µs that the share does not exceed, thinned to what can be seen."""
    upper, count = np.array(histogram or [[0, 0]], dtype=float).T
    below, total = np.cumsum(count), count.sum()
    if total <= BEYOND:
        return []
    x = total / np.maximum(total - below, 1)
    steps = np.floor(np.log(x) / math.log(total / BEYOND) * 240)[x <= total / BEYOND]
    shown = np.unique(steps, return_index=True)[1]
    return [(1.0, float(upper[0]) / 1e3), *zip(x[shown].tolist(), (upper[shown] / 1e3).tolist())]


def percentiles(f: Folder) -> list[Line]:
    cells = [c for c in f.own if c.get("histogram")]
    lines = [(c["name"], percentile_points(c["histogram"]))
             for c in [c for c in cells if c["primary"]] or cells]
    return lines if any(points for _, points in lines) else []


def knee(offers: list[tuple[float, float, float]]) -> tuple[str, float]:
    """Of rate, goodput and p99 (0: unknown): the last served rate before one that is not."""
    if len(offers) < 2 or not all(goodput for _, goodput, _ in offers):
        return "unknown", 0
    served = [goodput >= SERVED * rate and not p99 > SLOWER * (offers[0][2] or math.inf)
              for rate, goodput, p99 in offers]
    good = [*served, False].index(False)
    if good == 0:
        return "below", 0
    return "found" if good < len(offers) else "above", offers[good - 1][0]


def offered(f: Folder) -> list[dict[str, Any]]:
    made = []
    goodput = "goodput_per_s" if "goodput_per_s" in f.results.figures() else "calls_per_s"
    opened = grouped((c for c in f.own if c["axes"]["rate"]), lambda c: str(c["axes"]["subject"]))
    for subject, cells in (some for some in opened if len(some[1]) > 1):
        offers = sorted((float(c["axes"]["rate"]), f.median(c, goodput).mid,
                         f.median(c, "p99_us").mid) for c in cells)
        found, rate = knee(offers)
        made.append({
            "subject": subject, "knee": found,
            "marks": [(rate, f"knee: {number_text(rate)} a second")] if found == "found" else [],
            "goodput": [line_of(f, "goodput", cells, "rate", goodput),
                        ("offered", [(at, at) for at, *_ in offers])],
            "latency": [line_of(f, k, cells, "rate", f"{k}_us") for k in ("p50", "p90", "p99")]})
    return made


def variant(c: Document) -> str:
    """What a cell is called but for a part such as slow2ms, which says the delay."""
    name = "-".join(part for part in c["axes"]["subject"].split("-")
                    if part and not re.fullmatch(r"(slow|delay)?[0-9._]+[mu]s", part))
    in_flight = c["axes"]["in_flight"]
    return (name or "uncached") + (f", {in_flight:.0f} in flight" if in_flight > 0 else "")


def delay(f: Folder) -> list[Line]:
    variants = grouped((c for c in f.own if not c["axes"]["rate"] > 0), variant)
    lines = [line_of(f, words, cells, "token_delay_us", "p50_us") for words, cells in variants
             if len({c["axes"]["token_delay_us"] for c in cells}) > 1]
    return lines if any(points for _, points in lines) else []


def peer(f: Folder) -> list[tuple[Any, ...]]:
    """What a user would run, beside the Go plugin, the bare wall, and itself with a good token."""
    keyward = "(?!.*(noverify|inproc|copy))(wall|uncached|hit|repeat|encrypt|status|sess|hang)"
    return [(f"{ours['name']} to {other['name']}",
             *(f.ratio(ours, other, k) for k in ("calls_per_s", "p99_us", "cpu_us")))
            for other in f.own if re.match("peer|bare|calm|paced", other["axes"]["subject"])
            for ours in f.own if f.results.calm() and re.match(keyward, ours["axes"]["subject"])
            and {**ours["axes"], "subject": ""} == {**other["axes"], "subject": ""}]


def client(f: Folder) -> dict[str, Any]:
    """How much of one CPU the client uses, and how far each cell stays below echo."""
    loops = [c for c in f.cells if is_closed(c)]
    echoes = {c["axes"]["in_flight"]: c for c in reversed(loops) if c["axes"]["subject"] == "echo"}
    if not any(f.median(c, "client_us").mid > 0 for c in echoes.values()):
        return {}
    rows, used = [], {"": 0.0}
    for c in loops:
        echo, mine = echoes.get(c["axes"]["in_flight"], c), f.median(c, "client_us")
        used[c["name"]] = mine.mid * f.median(c, "calls_per_s").mid / 1e6
        of_echo = Ratio() if echo is c else f.ratio(c, echo, "calls_per_s")
        if c["primary"] or c["axes"]["subject"] == "echo" or not any(c["primary"] for c in loops):
            rows.append((c["name"], mine, f.median(c, "server_us"), number_text(
                used[c["name"]] or None, PERCENT), of_echo._replace(unit=PERCENT, is_noise=False)))
    others = (c["name"] for c in loops if c["axes"]["subject"] != "echo")
    worst = max(("", *others), key=used.__getitem__)
    return {"rows": rows, "worst": worst, "used": used[worst], "most": BUSY,
            "echoes": [c["name"] for c in echoes.values()]}


def lines_of(members: Iterable[str], points: Iterable[Document], x: str, scale: float = 1
             ) -> list[Line]:
    return [(member, [(at[x] / scale, at[member]) for at in points if member in at])
            for member in members if any(at.get(member) for at in points)]


def page(f: Folder, version: str) -> str:
    env = tables.environment(
        autoescape=True, finalize=lambda v: plain(v) if type(v) is str else v)
    env.filters |= {"number": number_text, "unit": unit_of}
    env.globals |= {"plot": plot, "axis": Axis, "lines": lines_of}
    r, calm = f.results, f.results.calm()
    with np.errstate(all="ignore"):
        found: dict[str, Any] = f.documents | {make.__name__: make(f) for make in (
            noise, concurrency, percentiles, offered, delay, peer, client)}
        found |= {"primary": [c for c in f.own if c["primary"] and calm],
                  "medians": r.figures() if calm else [],
                  "ratios": [c for c in f.cells if c is not f.base and calm],
                  "environment": r.document, "cells": r.document}
        return str(env.get_template("page.html.j2").render(
            f=f, r=r.document, calm=calm, found=found, version=version,
            style=(tables.TEMPLATES / "page.css").read_text()))


def main(words: list[str], bench: str) -> int:
    o = verb.Parser("report", __doc__).parse_args(words)
    out = o.out or o.results_dir / "report.html"
    results.replace(out, page(Folder(o.results_dir), verb.version(bench)))
    print(out)
    return verb.GOOD

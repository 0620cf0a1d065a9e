# SPDX-License-Identifier: Apache-2.0
"""keyward-bench compare: does NEW need more CPU a call than OLD?

help/compare.txt says more.
"""
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Optional

import numpy as np

import results
import stats
import tables
import verb
from results import Results
from ruling import CANNOT_TELL, RULED_MAX, SLOWER, Ruled, known_by, rule
from stats import Centre
from verb import Document, Unable, Usage

WEIGHED = ("cpu_us", "calls_per_s", "p99_us")  # the first decides, the others are shown
YARDSTICKS = {"machine": ("base",), "foreign": ("base", "reference")}
WORDS = {
    "paired": "one interleaved run: compared round by round",
    "machine": "two runs on one machine: compared as ratios to the base of the same round; what "
               "the runs differ by themselves is in them",
    "foreign": "two machines: no figure is compared, only ratios to the base and the reference, "
               "and only what both say"}


@dataclass
class Profile:
    """What a run says of its cells that another may be held against: a baseline's members
    and more."""
    document: Document
    results: Optional[Results]  # None for a baseline

    def __getitem__(self, member: Any) -> Any:
        return self.document[member]

    def cell(self, name: str) -> Optional[Document]:
        return next((c for c in self["cells"] if c["name"] == name), None)


def profile(path: Path) -> Profile:
    r = results.read(path)
    e = r["environment"]
    machine = (f"{e['cpu']}, {e['cpus']} CPU{'s' * (e['cpus'] != 1)}, {e['kernel']}, "
               f"virtualisation: {e['virtualisation']}")
    document = {"name": str(path), "machine": machine, "fingerprint": r["fingerprint"],
                "session": r["session"], "commit": e["commit"], "began": r["began"],
                "layout": r["layout"]["name"], "base": r["base"], "rounds": len(r.calm()),
                "cells": [{"name": c["name"], "primary": c["primary"], "axes": c["axes"],
                           **{f: ratios(r, c, f) for f in WEIGHED}}
                          for c in r.cells if not c["control"]]}
    return Profile(document, r)


def ratios(r: Results, cell: Document, figure: str) -> Document:
    """To the base, and to the reference that does the same work."""
    def kind(c: Document) -> tuple[object, ...]:
        return c["control"], c["axes"]["in_flight"], c["axes"]["method"]
    references = [c for c in r.cells if c["axes"]["subject"] == "reference"
                  and kind(c) == kind(cell)]
    by = {"base": r.cell(r["base"]), "reference": references[0] if references else None}
    made = {}
    for yardstick, other in by.items():
        to = None if other is None else stats.centre(
            stats.logs(r.series(cell, figure), r.series(other, figure)))
        if to is not None and other is not cell:  # of itself nothing is told
            made[yardstick] = {"ratio": math.exp(to.mean), "error": float(to.error),
                               "freedom": float(to.freedom)}
    return made


def write_baseline(p: Profile, path: Path, version: str) -> None:
    """Unable: no cell has a ratio to the base, or the run is not worth keeping."""
    r = p.results
    if r is None or r["partial"] or r["quiet"]["verdict"] == "unusable":
        raise Unable(f"{p['name']}: it is partial, or its machine was not quiet enough for a "
                     "baseline: measure anew")
    kept = [{k: c[k] for k in ("name", "primary", "axes", "cpu_us")}
            for c in p["cells"] if "base" in c["cpu_us"]]
    if not kept:
        raise Unable(f"{p['name']}: no cell's cpu_us is known beside the base's in "
                     f"{stats.CENTRE_LEAST} rounds")
    document = {"tool": "keyward-bench compare --write-baseline", "schema": 1, "version": version,
                **p.document, "name": path.name.removesuffix(".json"), "cells": kept}
    del document["session"]
    results.replace(path, json.dumps(results.rounded(document, 8), indent=2) + "\n")


def read_baseline(path: Path) -> Profile:
    document = results.load(path)
    results.check(path, document, results.SCHEMA.with_name("baseline-1.schema.json"))
    return Profile({**document, "session": ""}, None)


def footing_of(old: Profile, new: Profile) -> str:
    """Unable: they cannot be compared; it says why and what to do."""
    footing = "machine" if old["fingerprint"] == new["fingerprint"] else "foreign"
    footing = "paired" if old["session"] == new["session"] else footing
    for member in ("layout", "base"):
        if old[member] != new[member] and (member, footing) != ("base", "paired"):
            raise Unable(f"{old['name']} has the {member} {old[member]} and {new['name']} "
                         f"{new[member]}: measure both with the same one")
    return footing


def centres(old: Profile, new: Profile, name: str, figure: str, footing: str) -> list[Centre]:
    """In each way in which the ratio is known."""
    ways = []
    if footing == "paired" and old.results and new.results:
        calm = sorted({*old.results.calm()} & {*new.results.calm()})
        a, b = ((r.cell(name) or {})["figures"].get(figure, [None] * r.rounds)
                for r in (old.results, new.results))
        ways.append(stats.centre(stats.logs([b[n] for n in calm], [a[n] for n in calm])))
    for yardstick in YARDSTICKS.get(footing, ()):
        known = [(p.cell(name) or {}).get(figure, {}).get(yardstick) for p in (old, new)]
        if all(known):
            ways.append(stats.between(*(Centre(math.log(x["ratio"]), x["error"], x["freedom"])
                                        for x in known)))
    return [way for way in ways if way is not None]


def compare_cell(old: Profile, new: Profile, name: str, footing: str
                 ) -> tuple[Document, Optional[Ruled]]:
    """With its CPU a call, to be judged when the cell is a primary one."""
    a, b = old.cell(name), new.cell(name)
    x = {"name": name, "primary": any(c["primary"] for c in (a, b) if c), "why_not": "",
         "ratios": {}}
    if footing != "paired" and name == new["base"]:
        x.update(primary=False, why_not="the others are divided by it")
    elif a is None or b is None:
        x["why_not"] = f"{'OLD' if a is None else 'NEW'} has no such cell"
    else:
        for axis in ("method", "in_flight", "rate", "token_delay_us"):
            if a["axes"][axis] != b["axes"][axis]:
                x["why_not"] = f"other {axis}: {a['axes'][axis]}, then {b['axes'][axis]}"
    if x["why_not"]:
        return x, None
    ways = {figure: centres(old, new, name, figure, footing) for figure in WEIGHED}
    ruled = {figure: known_by(known) for figure, known in ways.items() if known}
    x["ratios"] = {figure: {k: float(getattr(one, k)) for k in ("low", "mid", "high")}
                   for figure, one in ruled.items()}
    if "cpu_us" not in ruled:
        x["why_not"] = (f"cpu_us, or its base's, is known in fewer than {stats.CENTRE_LEAST} "
                        "undisturbed rounds of OLD or NEW")
    return x, ruled.get("cpu_us")


def compare(old: Profile, new: Profile, threshold: float, version: str = "") -> Document:
    """Its exit status: WRONG: a primary cell is slower.  UNABLE: none is, and one could not
    be looked at.  GOOD: neither ("cannot tell" included)."""
    footing = footing_of(old, new)
    unusable = any(p.results and p.results["quiet"]["verdict"] == "unusable" for p in (old, new))
    names = dict.fromkeys(c["name"] for p in (new, old) for c in p["cells"])
    compared = [compare_cell(old, new, name, footing) for name in names]
    primary = [x for x, _ in compared if x["primary"]]
    if not 1 <= len(primary) <= RULED_MAX:
        raise Unable(f"{len(primary)} cells are primary, and 1 to {RULED_MAX} can be judged: "
                     "measure with NAME*=… for the cells that decide")
    judged = [(x, cpu) for x, cpu in compared if x["primary"] and cpu is not None]
    if judged:
        ruled = rule(Ruled(*map(np.array, zip(*(cpu for _, cpu in judged)))), threshold)
        for (x, _), verdict, slower_p, faster_p in zip(judged, *ruled):
            x["verdict"] = CANNOT_TELL if unusable else str(verdict)
            if not unusable:
                x.update(slower_p=float(slower_p), faster_p=float(faster_p))
    status = verb.UNABLE if unusable or len(judged) < len(primary) else verb.GOOD
    if any(x.get("verdict") == SLOWER for x in primary):
        status = verb.WRONG
    shown = "name machine fingerprint session commit began rounds".split()
    old_side, new_side = ({**{k: p[k] for k in shown}, "baseline": p.results is None}
                          for p in (old, new))
    return {"tool": "keyward-bench compare", "schema": 1, "version": version,
            "footing": footing, "words": WORDS[footing], "threshold": threshold,
            "exit_status": status, "unusable": unusable, "old": old_side, "new": new_side,
            "cells": [x for x, _ in compared], "remarks": [*remarks(old, new)][:16]}


def remarks(old: Profile, new: Profile) -> Iterable[str]:
    """What a reader should know of the runs."""
    for side, p in (("OLD", old), ("NEW", new)):
        if old["fingerprint"] != new["fingerprint"]:
            yield f"{side}'s machine: {p['machine']}"
        if p.results is not None and p.results["partial"]:
            yield f"{side} is partial, {p.results.rounds} rounds: {p.results['fault']}"
        if p.results is not None and p.results["quiet"]["verdict"] != "quiet":
            yield "{}'s machine was {verdict}: {words}".format(side, **p.results["quiet"])
        for c in p.results.cells if p.results else ():
            if c["primary"] and c["failures"]:
                yield "{}, {name}: {failures} rounds gave no figures: {failure}".format(side, **c)
    if old.results and new.results:
        a, b = ({**r["environment"], **r["environment"]["libraries"]}
                for r in (old.results, new.results))
        for what in ("build", "governor", *new.results["environment"]["libraries"]):
            if a.get(what) != b[what]:
                yield f"other {what}: {a.get(what, 'none')}, then {b[what]}"


def main(words: list[str], bench: str) -> int:
    parser = verb.Parser("keyward-bench compare", __doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="[OLD] NEW")
    parser.options(
        ("--threshold PERCENT", verb.number(1, 100), "what is too small to matter, 1..100 (5)"),
        ("--baseline FILE", Path, "OLD is this baseline"),
        ("--write-baseline FILE", Path, "write NEW's ratios as a baseline; compare nothing"),
        ("--json", None, "one JSON document instead of a table"))
    o = parser.parse_intermixed_args(words)
    if len(o.runs) != (1 if o.baseline or o.write_baseline else 2):
        raise Usage("it wants OLD NEW; --baseline and --write-baseline want NEW alone")
    if o.write_baseline and (o.baseline or o.json or o.threshold):
        raise Usage("--write-baseline goes with no other option")
    version, new = verb.version(bench), profile(o.runs[-1])
    if o.write_baseline:
        write_baseline(new, o.write_baseline, version)
        return verb.GOOD
    old = read_baseline(o.baseline) if o.baseline else profile(o.runs[0])
    document = compare(old, new, (o.threshold or 5) / 100, version)
    if o.json:
        verb.print_document(document)
    else:
        print(tables.render("compare", document))
    return int(document["exit_status"])

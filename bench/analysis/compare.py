# SPDX-License-Identifier: Apache-2.0
"""Does NEW need more CPU a call than OLD?"""
import json
import math
from pathlib import Path

import numpy as np

import results
import stats
import tables
import verb
from stats import CANNOT_TELL, RULED_MAX, SLOWER, Ruled, known_by, rule, Centre
from verb import Document, Unable, Usage

WEIGHED = ("cpu_us", "calls_per_s", "p99_us")  # the first decides, the others are shown
AXES = ("method", "in_flight", "rate", "token_delay_us")
SIDE = "name machine fingerprint session commit began rounds".split()
YARDSTICKS = {"paired": (), "machine": ("base",), "foreign": ("base", "reference")}


class Profile(results.Results):
    """A baseline, or what one would have of a run."""
    run: results.Results | None = None  # the run; a baseline has none
    is_unusable = False


def profile(path: Path) -> Profile:
    r = results.read(path)
    e = r["environment"]
    p = Profile({
        "name": str(path), "fingerprint": r["fingerprint"], "session": r["session"],
        "machine": f"{e['cpu']}, {e['cpus']} CPU{'s' * (e['cpus'] != 1)}, {e['kernel']}, "
                   f"virtualisation: {e['virtualisation']}",
        "commit": e["commit"], "began": r["began"], "layout": r["layout"]["name"],
        "base": r["base"], "rounds": len(r.calm()), "cells": [
            {**{k: c[k] for k in ("name", "primary", "axes")},
             **{figure: ratios(r, c, figure) for figure in WEIGHED}}
            for c in r.cells if not c["control"]]})
    p.run, p.is_unusable = r, r["quiet"]["verdict"] == "unusable"
    return p


def ratios(r: results.Results, cell: Document, figure: str) -> Document:
    """To the base, and to the reference that does the same work; of itself nothing is told."""
    same = {k: cell["axes"][k] for k in ("in_flight", "method")} | {"subject": "reference"}
    alike = (c for c in r.cells if not c["control"] and same.items() <= c["axes"].items())
    made = {}
    for yardstick, other in (("base", r.base_cell), ("reference", next(alike, cell))):
        to = stats.centre(stats.logs(r.series(cell, figure), r.series(other, figure)))
        if to is not None and other is not cell:
            made[yardstick] = {"ratio": math.exp(to.mean), "error": float(to.error),
                               "freedom": float(to.freedom)}
    return made


def write_baseline(p: Profile, path: Path, version: str) -> None:
    if p.run is None or p.run["partial"] or p.is_unusable:
        raise Unable(f"{p['name']}: it is partial, or its machine was not quiet enough for a "
                     "baseline: measure anew")
    kept = [{k: c[k] for k in ("name", "primary", "axes", "cpu_us")}
            for c in p.cells if "base" in c["cpu_us"]]
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
    return Profile({**document, "session": ""})


def footing_of(old: Profile, new: Profile) -> str:
    """Unable: they cannot be compared; it says why and what to do."""
    footing = "machine" if old["fingerprint"] == new["fingerprint"] else "foreign"
    footing = "paired" if old["session"] == new["session"] else footing
    for member in ("layout", "base")[:1 if footing == "paired" else 2]:
        if old[member] != new[member]:
            raise Unable(f"{old['name']} has the {member} {old[member]} and {new['name']} "
                         f"{new[member]}: measure both with the same one")
    return footing


def centres(old: Profile, new: Profile, name: str, figure: str, footing: str) -> list[Centre]:
    ways = []
    if old.run and new.run and footing == "paired":
        calm = sorted({*old.run.calm()} & {*new.run.calm()})
        a, b = (r.series(c, figure, calm) for r in (old.run, new.run)
                for c in r.cells if c["name"] == name)
        ways.append(stats.centre(stats.logs(b, a)))
    for yardstick in YARDSTICKS[footing]:
        known = [(p.cell(name) or {}).get(figure, {}).get(yardstick) for p in (old, new)]
        if all(known):
            ways.append(stats.between(*(Centre(math.log(x["ratio"]), x["error"], x["freedom"])
                                        for x in known)))
    return [way for way in ways if way is not None]


def compare_cell(old: Profile, new: Profile, name: str, footing: str
                 ) -> tuple[Document, Ruled | None]:
    is_base = footing != "paired" and name == new["base"]
    cells = [c for c in (old.cell(name), new.cell(name)) if c]
    a, b = cells[0]["axes"], cells[-1]["axes"]
    other = next((f"other {k}: {a[k]}, then {b[k]}" for k in AXES if a[k] != b[k]), "")
    none = f"{'NEW' if old.cell(name) else 'OLD'} has no such cell" if len(cells) < 2 else ""
    x: Document = {"name": name, "primary": not is_base and any(c["primary"] for c in cells),
                   "why_not": "the others are divided by it" if is_base else none or other,
                   "ratios": {}}
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
    footing = footing_of(old, new)
    unusable = old.is_unusable or new.is_unusable
    compared = [compare_cell(old, new, name, footing)
                for name in dict.fromkeys(new.names() + old.names())]
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
    old_side, new_side = ({**{k: p[k] for k in SIDE}, "baseline": p.run is None}
                          for p in (old, new))
    words = tables.render("compare-footing", {"footing": footing})
    remarks = tables.sentences("compare-remarks", {"old": old, "new": new})
    return {"tool": "keyward-bench compare", "schema": 1, "version": version,
            "footing": footing, "words": words, "threshold": threshold,
            "exit_status": status, "unusable": unusable, "old": old_side, "new": new_side,
            "cells": [x for x, _ in compared], "remarks": remarks[:16]}


def main(words: list[str], bench: str) -> int:
    o = verb.Parser("compare", __doc__).parse_intermixed_args(words)
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
    tables.show(o.json, "compare", document)
    return int(document["exit_status"])

# SPDX-License-Identifier: Apache-2.0
"""keyward-bench compare: two runs against each other, or one against a baseline.

What may be compared depends on where both were measured:

  paired    one interleaved run (the same session): NEW / OLD of each round that is
            disturbed in neither; both met the machine in the same mood
  machine   two runs on one machine (the same fingerprint): each figure is divided by the
            base cell's of its own round, then the two runs are two samples; what the runs
            themselves differ by cannot be told from the programs
  foreign   two machines: the same, and only what the ratios to the base and to the
            reference (the same work in software) both say; figures of two machines are
            never compared

CPU per call of the primary cells decides (ruling.py), calls per second and p99 are shown.
A baseline keeps, of a named run, CPU per call alone: the log ratios to the base and to the
reference, as centres.
"""
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import results
import stats
import verb
from results import Results
from ruling import CANNOT_TELL, RULED_MAX, SLOWER, Ruled, rule
from verb import Document, Unable, Usage

WEIGHED = ("cpu_us", "calls_per_s", "p99_us")  # the first decides, the others are shown
YARDSTICKS = ("base", "reference")
SCHEMA = results.SCHEMA.with_name("baseline-1.schema.json")
BASELINE = "keyward-bench compare --write-baseline"
WORDS = {
    "paired": "one interleaved run: compared round by round",
    "machine": "two runs on one machine: compared as ratios to the base of the same round; what "
               "the runs differ by themselves is in them",
    "foreign": "two machines: no figure is compared, only ratios to the base and the reference, "
               "and only what both say"}


@dataclass
class ProfileCell:
    name: str
    axes: Document
    primary: bool
    to: dict[tuple[str, str], stats.Centre]  # by figure and yardstick
    cell: Optional[Document] = None  # None in a baseline


@dataclass
class Profile:
    """What a run says of its cells that another run may be held against."""
    name: str
    head: Document  # machine, fingerprint, session, commit, began, layout, base, rounds
    cells: dict[str, ProfileCell]
    results: Optional[Results] = None  # None in a baseline

    def quiet(self) -> str:
        return str(self.results["quiet"]["verdict"]) if self.results else "quiet"


def profile(r: Results, name: str, prefix: str = "") -> Profile:
    """Of all cells but the control whose name begins with `prefix`, without it."""
    e = r["environment"]
    head = {"machine": f"{e['cpu']}, {e['cpus']} CPU{'s' if e['cpus'] != 1 else ''}, "
                       f"{e['kernel']}, virtualisation: {e['virtualisation']}",
            "fingerprint": r["fingerprint"], "session": r["session"], "commit": e["commit"],
            "began": r["began"], "layout": r["layout"]["name"], "base": r["base"],
            "rounds": len(r.calm())}
    made = {}
    for c in r.cells:
        if not c["control"] and c["name"].startswith(prefix):
            by = {"base": r.cell(r["base"]), "reference": reference_of(r, c)}
            to = {(f, y): weighed for f in WEIGHED for y, cell in by.items()
                  # nothing is told of a yardstick by itself
                  if cell is not None and cell is not c
                  and (weighed := stats.centre(stats.logs(r.series(c, f), r.series(cell, f))))}
            short = c["name"][len(prefix):]
            made[short] = ProfileCell(short, c["axes"], c["primary"], to, c)
    return Profile(name, head, made, r)


def reference_of(r: Results, cell: Document) -> Optional[Document]:
    def axes(c: Document) -> tuple[object, object]:
        return c["axes"]["in_flight"], c["axes"]["method"]
    return next((c for c in r.cells if not c["control"] and axes(c) == axes(cell)
                 and c["axes"]["subject"] == "reference"), None)


# ---- baselines --------------------------------------------------------------------------------


def write_baseline(p: Profile, path: Path, version: str) -> None:
    """Unable: no cell has a ratio to the base, or the run is partial or was not quiet
    enough to be kept."""
    r = p.results
    assert r is not None
    kept = [c for c in p.cells.values() if ("cpu_us", "base") in c.to]
    if not kept:
        raise Unable(f"{p.name}: no cell's cpu_us is known beside the base's in "
                     f"{stats.CENTRE_LEAST} rounds")
    if r["partial"] or p.quiet() == "unusable":
        why = "is partial" if r["partial"] else r["quiet"]["words"]
        raise Unable(f"{p.name}: {why}; a baseline is a whole run on a machine that was quiet "
                     "enough: measure anew")

    def cell(c: ProfileCell) -> Document:
        cpu = {y: {"ratio": math.exp(to.mean), "error": to.error, "freedom": float(to.freedom)}
               for (f, y), to in c.to.items() if f == "cpu_us"}
        axes = {k: c.axes[k] for k in ("subject", "method")}
        axes.update({k: float(c.axes[k]) for k in ("in_flight", "rate", "token_delay_us")})
        return {"name": c.name, "primary": c.primary, "axes": axes, "cpu_us": cpu}
    head = {name: p.head[name] for name in
            ("machine", "fingerprint", "commit", "began", "layout", "base", "rounds")}
    document = {"tool": BASELINE, "schema": 1, "version": version,
                "name": path.name.removesuffix(".json"), **head, "cells": list(map(cell, kept))}
    results.replace(path, verb.document_text(results.rounded(document, 8)))


def read_baseline(path: Path) -> Profile:
    document = results.load(path)
    results.check(path, document, SCHEMA)
    cells: dict[str, ProfileCell] = {}
    for i, c in enumerate(document["cells"]):
        if c["name"] in cells:
            results.bad(path, f"cells[{i}].name", f"{c['name']} is there twice")
        to = {("cpu_us", y): stats.Centre(math.log(x["ratio"]), x["error"], x["freedom"])
              for y, x in c["cpu_us"].items()}
        cells[c["name"]] = ProfileCell(c["name"], c["axes"], c["primary"], to)
    return Profile(document["name"], {**document, "session": ""}, cells)


# ---- the comparison ---------------------------------------------------------------------------


@dataclass
class Compared:
    name: str
    primary: bool
    why: str = ""  # it is not compared
    ruled: dict[str, Ruled] = field(default_factory=dict)  # verdict: of a primary cell's CPU


@dataclass
class Comparison:
    old: Profile
    new: Profile
    footing: str
    threshold: float
    unusable: bool  # one of the runs says so of itself: no verdicts
    cells: list[Compared] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def verdict(self, x: Compared) -> str:
        if not x.primary or x.why:
            return "-"
        return CANNOT_TELL if self.unusable else x.ruled["cpu_us"].verdict

    def exit_status(self) -> int:
        """WRONG: a primary cell is slower.  UNABLE: none is, and one could not be looked
        at.  GOOD: neither ("cannot tell" included)."""
        if any(self.verdict(x) == SLOWER for x in self.cells):
            return verb.WRONG
        blind = any(x.primary and x.why for x in self.cells)
        return verb.UNABLE if self.unusable or blind else verb.GOOD


def footing_of(old: Profile, new: Profile) -> str:
    if old.results and new.results and old.head["session"] == new.head["session"] != "":
        return "paired"
    same = old.head["fingerprint"] == new.head["fingerprint"] != ""
    return "machine" if same else "foreign"


def compare(old: Profile, new: Profile, threshold: float) -> Comparison:
    """Unable: they cannot be compared; it says why and what to do."""
    unusable = "unusable" in (old.quiet(), new.quiet())
    c = Comparison(old, new, footing_of(old, new), threshold, unusable)
    if old.head["layout"] != new.head["layout"]:
        raise Unable(f"{old.name} was measured in the layout '{old.head['layout']}' and {new.name} "
                     f"in '{new.head['layout']}': measure again in one of them")
    if c.footing != "paired" and old.head["base"] != new.head["base"]:
        raise Unable(f"{old.name} has ratios to {old.head['base']} and {new.name} to "
                     f"{new.head['base']}: two runs want the same base, the first cell of each")
    c.cells = [compare_cell(c, cell) for cell in new.cells.values()]
    c.cells += [Compared(cell.name, cell.primary, "NEW has no such cell")
                for cell in old.cells.values() if cell.name not in new.cells]
    primary = [x for x in c.cells if x.primary]
    if not 1 <= len(primary) <= RULED_MAX:
        raise Unable(f"{len(primary)} cells are primary, and 1 to {RULED_MAX} can be judged: "
                     "measure with NAME*=… for the cells that decide")
    if not unusable:
        rule([x.ruled["cpu_us"] for x in primary if "cpu_us" in x.ruled], threshold)
    c.remarks = remarks(c)
    return c


def compare_cell(c: Comparison, new: ProfileCell) -> Compared:
    old = c.old.cells.get(new.name)
    if c.footing != "paired" and new.name == c.new.head["base"]:
        return Compared(new.name, False, "the others are divided by it")
    if old is None:
        return Compared(new.name, new.primary, "OLD has no such cell")
    x = Compared(new.name, new.primary or old.primary)
    for axis, words in (("method", "method"), ("in_flight", "in-flight"), ("rate", "rate"),
                        ("token_delay_us", "delay of the token")):
        a, b = old.axes[axis], new.axes[axis]
        if a != b:
            unit = " us" if axis == "token_delay_us" else ""
            x.why = f"other {words}: {a}{unit}, then {b}{unit}" if axis == "method" else \
                f"other {words}: {a:g}{unit}, then {b:g}{unit}"
            return x
    for figure in WEIGHED:
        ways = centres(c, old, new, figure)
        if ways:
            x.ruled[figure] = Ruled(ways)
    if "cpu_us" not in x.ruled:
        x.why = (f"cpu_us is known in fewer than {stats.CENTRE_LEAST} undisturbed rounds"
                 + (" of both" if c.footing == "paired" else ", or its base's is"))
    return x


def centres(c: Comparison, old: ProfileCell, new: ProfileCell, figure: str) -> list[stats.Centre]:
    if c.footing == "paired":
        a, b = c.old.results, c.new.results
        assert a and b and old.cell and new.cell
        calm = sorted(set(a.calm()) & set(b.calm()))
        lower, upper = old.cell["figures"].get(figure), new.cell["figures"].get(figure)
        pairs = stats.logs([upper[n] for n in calm], [lower[n] for n in calm]) \
            if lower and upper else []
        one = stats.centre(pairs)
        return [one] if one else []
    last = 2 if c.footing == "foreign" else 1
    return [stats.between(old.to[figure, y], new.to[figure, y]) for y in YARDSTICKS[:last]
            if (figure, y) in old.to and (figure, y) in new.to]


def remarks(c: Comparison) -> list[str]:
    """What a reader should know about the runs themselves."""
    said = [f"{side}'s machine: {p.head['machine']}" for side, p in
            (("OLD", c.old), ("NEW", c.new)) if c.footing == "foreign"]
    for side, p in (("OLD", c.old), ("NEW", c.new)):
        said += [f"{side}, {x.name}: {x.cell['failures']} rounds gave no figures: "
                 f"{x.cell['failure']}" for x in p.cells.values()
                 if x.primary and x.cell is not None and x.cell["failures"]]
    a, b = c.old.results, c.new.results
    for side, r in (("the run", b),) if a is b else (("OLD", a), ("NEW", b)):
        if r is not None and r["partial"]:
            said.append(f"{side} is partial, {r.rounds} rounds: {r['fault']}")
        if r is not None and r["quiet"]["verdict"] != "quiet":
            said.append(f"{side}'s machine was {r['quiet']['verdict']}: {r['quiet']['words']}")
    if a is not None and b is not None:
        old, new = a["environment"], b["environment"]
        pairs = [("build", old["build"], new["build"]),
                 ("CPU governor", old["governor"], new["governor"])]
        pairs += [(k, old["libraries"].get(k, "none"), v) for k, v in new["libraries"].items()]
        said += [f"other {what}: {x}, then {y}" for what, x, y in pairs if x != y]
    return said[:16]


# ---- what it says -----------------------------------------------------------------------------


def table(c: Comparison) -> None:
    for side, p in (("OLD", c.old), ("NEW", c.new)):
        print(f"{side}  {p.name}: commit {p.head['commit']}, {p.head['began']}, "
              f"{p.head['rounds']} undisturbed rounds")
    print(f"{WORDS[c.footing]}\n\n{'NEW / OLD':20} {WEIGHED[0]:>21}  {'verdict':11} "
          f"{WEIGHED[1]:>21} {WEIGHED[2]:>21}")
    for x in sorted(c.cells, key=lambda x: not x.primary):
        if x.why:
            print(f"{x.name:20}   not compared: {x.why}")
            continue
        cpu, rate, p99 = (x.ruled[f].words() if f in x.ruled else "-" for f in WEIGHED)
        print(f"{x.name:20} {cpu:>21}  {c.verdict(x):11} {rate:>21} {p99:>21}")
    print("\nintervals: the truth lies beyond either end with at most 5 %; the cells with a "
          "verdict decide, by cpu_us")
    for remark in c.remarks:
        print(f"note: {remark}")
    verdicts = [c.verdict(x) for x in c.cells if x.primary]
    above = f"slower by more than {100 * c.threshold:g} %"
    if SLOWER in verdicts:
        print(f"\n{above.replace('slower', 'SLOWER')}: {verdicts.count(SLOWER)} of the cells "
              "that decide")
    elif c.exit_status() == verb.UNABLE:
        print("\nCOULD NOT LOOK: " + ("the machine was not quiet enough; measure anew" if c.unusable
                                      else "a cell that decides is not in both runs"))
    else:
        print(f"\nno cell that decides was shown to be {above}")
    if CANNOT_TELL in verdicts and not c.unusable:
        print(f"{verdicts.count(CANNOT_TELL)} cannot be told: more rounds make the interval "
              "narrower")


def document(c: Comparison, version: str) -> Document:
    def side(p: Profile) -> Document:
        names = "machine fingerprint session commit began rounds".split()
        return {"name": p.name, **{n: p.head[n] for n in names}, "baseline": p.results is None}

    def cell(x: Compared) -> Document:
        of: Document = {"name": x.name, "primary": x.primary, "why_not": x.why, "ratios": {
            f: {"low": j.low, "mid": j.mid, "high": j.high} for f, j in x.ruled.items()}}
        if x.primary and not x.why:
            of["verdict"] = c.verdict(x)
            if not c.unusable:
                cpu = x.ruled["cpu_us"]
                of.update(slower_p=cpu.slower_p, faster_p=cpu.faster_p)
        return of
    return {"tool": "keyward-bench compare", "schema": 1, "version": version,
            "footing": c.footing, "words": WORDS[c.footing], "threshold": c.threshold,
            "exit_status": c.exit_status(), "unusable": c.unusable, "old": side(c.old),
            "new": side(c.new), "cells": list(map(cell, c.cells)), "remarks": c.remarks}


def read_sides(paths: list[Path], baseline: Optional[Path]) -> tuple[Profile, Profile]:
    new = results.read(paths[-1])
    if baseline is not None:
        return read_baseline(baseline), profile(new, str(paths[0]))
    if len(paths) == 2:
        return profile(results.read(paths[0]), str(paths[0])), profile(new, str(paths[1]))
    halves = profile(new, "cells old-…", "old-"), profile(new, "cells new-…", "new-")
    if not halves[0].cells or not halves[1].cells:
        raise Unable(f"{paths[0]} has no cells old-… and new-…: give two documents, or --baseline")
    return halves


def main(words: list[str], bench: str) -> int:
    parser = verb.Parser(
        "keyward-bench compare", "Says whether NEW needs more CPU a call than OLD.",
        "OLD and NEW are results.json files or their folders.  NEW alone is compared with\n"
        "--baseline, or its cells new-NAME with its cells old-NAME.  Documents of one interleaved\n"
        "run are compared round by round; of two runs, by their ratios to the base.  The cells\n"
        "marked primary (NAME*=… of rounds) decide, 8 at most.  Exit status here: 0 no primary\n"
        "cell was shown to be slower by more than the threshold, 1 one was, 3 one could not be\n"
        "looked at.\n")
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="[OLD] NEW")
    add("--threshold", action=verb.Once, type=verb.number(1, 100), metavar="PERCENT",
        help="what is too small to matter, 1..100 (5)")
    add("--baseline", action=verb.Once, type=Path, metavar="FILE", help="OLD is this baseline")
    add("--write-baseline", action=verb.Once, dest="write", type=Path, metavar="FILE",
        help="write NEW's ratios as a baseline; compare nothing")
    add("--json", action="store_true", help="one JSON document instead of a table")
    o = parser.parse_intermixed_args(words)
    if len(o.runs) > 2:
        raise Usage("it wants [OLD] NEW")
    if (o.baseline or o.write) and len(o.runs) != 1:
        raise Usage(f"--{'baseline' if o.baseline else 'write-baseline'} wants NEW alone")
    if o.write and (o.baseline or o.json or o.threshold):
        raise Usage("--write-baseline goes with no other option")
    version = verb.version(bench)
    if o.write:
        write_baseline(profile(results.read(o.runs[0]), str(o.runs[0])), o.write, version)
        return verb.GOOD
    c = compare(*read_sides(o.runs, o.baseline), (o.threshold or 5) / 100)
    if o.json:
        verb.print_document(document(c, version))
    else:
        table(c)
    return c.exit_status()

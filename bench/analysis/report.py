# SPDX-License-Identifier: Apache-2.0
"""keyward-bench report: one results folder as one page that needs nothing else.

Nothing is fetched and nothing runs. Each section shows what it finds in the folder; one that
finds nothing is named in the list of what was not measured, with what would measure it. Whatever
stands in the folder is foreign: page.html.j2 escapes it, and draw.py what stands in plots.
"""
from __future__ import annotations

from pathlib import Path
from typing import Callable

import jinja2
import numpy as np

import documents
import measured
import results
import units
import verb
from blocks import Block, faulty
from folder import Folder

HERE = Path(__file__).parent
SECTIONS: tuple[tuple[Callable[[Folder], list[Block]], str, str], ...] = (
    # what makes it, its heading, what the run would have needed
    (measured.primary, "In short",
     "cells named primary (NAME*=… of rounds) in an undisturbed round"),
    (measured.noise, "How quiet the machine was", "a whole round"),
    (measured.concurrency, "Throughput over concurrency",
     "cells of one subject at several numbers in flight"),
    (measured.percentiles, "Latency by percentile", "cells with more than 100 good calls"),
    (measured.offered, "Latency and goodput over offered rate", "open-loop cells (load --rate)"),
    (measured.delay, "What the cache buys", "cells against a token that is slowed"),
    (measured.peer, "Beside another plugin",
     "cells of the Go plugin (peer-…) and keyward’s of the same shape"),
    (measured.client, "Is it the client?", "closed-loop cells of echo with the client’s CPU"),
    (documents.storm, "Restarts of API servers",
     "documents of keyward-bench storm (storm-….json)"),
    (documents.plan, "What a token carries", "documents of keyward-bench plan (plan-….json)"),
    (documents.token, "The token alone", "documents of keyward-bench token (token-….json)"),
    (documents.micro, "Single operations", "the document of keyward-bench micro (micro.json)"),
    (measured.medians, "Medians", "an undisturbed round"),
    (measured.ratios, "Ratios to the base", "two cells in an undisturbed round"),
    (measured.environment, "Environment", ""),
    (measured.cells, "Every figure and its command", ""),
)


def page(f: Folder, version: str) -> str:
    r = f.results
    with np.errstate(all="ignore"):
        sections = [(make.__name__, heading, wants, make(f)) for make, heading, wants in SECTIONS]
    lead = " · ".join((
        f"keyward-bench {r['version']}", r["began"],
        f"{len(r.cells)} cells, {r.rounds} rounds, {len(r.calm())} undisturbed",
        f"{units.number_text(r['elapsed_s'])} seconds",
        f"{r['environment']['cpu']}, {r['environment']['cpus']} CPUs"))
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
        finalize=lambda v: units.plain(v) if type(v) is str else v).get_template("page.html.j2")
    return template.render(
        name=f.name, lead=lead, layout=r["layout"]["words"], quiet=r["quiet"], version=version,
        style=(HERE / "page.css").read_text(), faults=faulty(r["partial"], r["fault"]),
        sections=sections, strange=[name for name, _ in f.of_kind("unknown")])


def main(words: list[str], bench: str) -> int:
    p = verb.Parser(
        "keyward-bench report",
        "Makes one page of a results folder: plots, tables and the verdict.",
        "RESULTS_DIR has the results.json of rounds --out, and perhaps documents of storm, plan,\n"
        "token (--json) and micro beside it.  The page needs nothing but itself; what was not\n"
        "measured is named in it.\n")
    p.add_argument("folder", metavar="RESULTS_DIR", type=Path)
    p.add_argument("--out", metavar="FILE", type=Path, action=verb.Once,
                   help="where the page goes (RESULTS_DIR/report.html)")
    o = p.parse_args(words)
    out = o.out or o.folder / "report.html"
    results.replace(out, page(Folder(o.folder), verb.version(bench)))
    print(out)
    return verb.GOOD

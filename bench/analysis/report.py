# SPDX-License-Identifier: Apache-2.0
"""keyward-bench report: one results folder as one page that needs nothing else.

Nothing is fetched and nothing runs. Each section shows what it finds in the folder; one that
finds nothing is named in the list of what was not measured, with what would measure it. Whatever
stands in the folder is foreign: the template escapes it, and matplotlib what stands in plots.
"""
from __future__ import annotations

from pathlib import Path

import jinja2
import numpy as np

import results
import sections
import units
import verb
from folder import Folder
from tables import TEMPLATES


def page(f: Folder, version: str) -> str:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda v: units.plain(v) if type(v) is str else v)
    env.filters |= {"number": units.number_text, "unit": units.unit_of}
    with np.errstate(all="ignore"):
        made = {name: make(f) for name, make in sections.SECTIONS.items()}
    found = {name: data if any(data.values()) else None for name, data in made.items()}
    whole = f.results.document
    return env.get_template("page.html.j2").render(
        f=f, r=whole, calm=f.results.calm(), style=(TEMPLATES / "page.css").read_text(),
        found=found | {"environment": whole, "cells": whole}, version=version)


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

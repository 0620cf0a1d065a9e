# SPDX-License-Identifier: Apache-2.0
"""Documents put into words for a terminal; what is said stands in templates/*.j2.

keyward-bench table VERB reads the document on its standard input, from the program that made it.
"""
from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import jinja2

import verb

TEMPLATES = Path(__file__).parent / "templates"
PERCENTILES = ("mean", "p50", "p90", "p99", "p99.9", "max")


def row(name: str, *said: Any) -> str:
    return f"  {name:15} {' '.join(map(str, said))}".rstrip()


def percentiles(o: dict[str, Any]) -> str:
    """In microseconds: those that enough samples lie beyond, and what else is known."""
    return "  ".join(f"{name} {o[name + unit] / scale:.1f}" for name in PERCENTILES
                     for unit, scale in (("_ns", 1e3), ("_us", 1)) if name + unit in o)


def render(template: str, facts: dict[str, Any]) -> str:
    """jinja2.TemplateError names a member that is not there."""
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True,
                             lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    env.globals |= {"row": row, "percentiles": percentiles}
    return env.get_template(f"{template}.j2").render(facts).rstrip("\n")


def sentences(template: str, facts: dict[str, Any]) -> list[str]:
    """A template's items, each on one line."""
    return [" ".join(item.split()) for item in re.split("(?m)^- ", render(template, facts))[1:]]


def table_of(d: dict[str, Any]) -> str:
    name = d["tool"].removeprefix("keyward-bench ")
    return render("leftovers" if "leftovers" in d else "intent" if d.get("dry_run") else name, d)


def main(words: list[str], _bench: str) -> int:
    if len(words) != 1:
        raise verb.Usage("it wants the name of one verb, and that verb's document on stdin")
    try:
        print(table_of(json.load(sys.stdin)))
    except (jinja2.TemplateError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise verb.Unable(f"standard input: no document of {words[0]}: {error}") from error
    return verb.GOOD

# SPDX-License-Identifier: Apache-2.0
"""Documents put into words for a terminal; what is said stands in templates/*.j2."""
import json
import re
import sys
from pathlib import Path
from typing import Any

import jinja2

import verb
from verb import Document

TEMPLATES = Path(__file__).parent / "templates"


def environment(**how: Any) -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True,
                              lstrip_blocks=True, **how)


def render(template: str, facts: Document) -> str:
    env = environment(undefined=jinja2.StrictUndefined)
    return str(env.get_template(f"{template}.j2").render(facts).rstrip("\n"))


def sentences(template: str, facts: Document) -> list[str]:
    return [" ".join(item.split()) for item in re.split("(?m)^- ", render(template, facts))[1:]]


def show(as_json: bool, template: str, document: Document, **facts: Any) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False) if as_json
          else render(template, {**document, **facts}))


def main(words: list[str], _bench: str) -> int:
    if len(words) != 1:
        raise verb.Usage("it wants the name of one verb, and that verb's document on stdin")
    try:
        d = json.load(sys.stdin)
        name = d["tool"].removeprefix("keyward-bench ")
        print(render("leftovers" if "leftovers" in d else "intent" if d.get("dry_run") else name,
                     d))
    except (jinja2.TemplateError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise verb.Unable(f"standard input: no document of {words[0]}: {error}") from error
    return verb.GOOD

# SPDX-License-Identifier: Apache-2.0
"""Documents put into words for a terminal; what is said stands in templates/*.j2."""
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, facts: dict[str, Any]) -> str:
    """jinja2.UndefinedError names a member that is not there."""
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True,
                             lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return env.get_template(f"{template}.j2").render(facts).rstrip("\n")

# SPDX-License-Identifier: Apache-2.0
"""keyward-bench split: one run of several things, told apart.

Two revisions that are compared are measured by turns in one run, their cells called
old.hit-64 and new.hit-64.  Each part of such a run is a run of its own, of the same
session and the same rounds, in which the cell is called hit-64: what pairs them by their
rounds finds everything as it was.
"""
import copy
from pathlib import Path

import results
import verb
from results import Results
from verb import Unable, Usage, is_name


def keep(r: Results, prefixes: list[str], own: str) -> Results:
    """What belongs to `own`: its cells, without the prefix and the dot behind it, and those
    that have none of the prefixes, the control among them."""
    def owner(name: str) -> str:
        return next((p for p in prefixes if name.startswith(p + ".") and name != p + "."), "")

    def short(name: str) -> str:
        return name.removeprefix(owner(name) + ".") if owner(name) else name
    part = copy.deepcopy(r.document)
    kept = [i for i, c in enumerate(r.cells) if owner(c["name"]) in (own, "")]
    if not any(owner(r.cells[i]["name"]) for i in kept):
        raise Unable(f"no cell's name begins with {own}.")
    part["cells"] = [part["cells"][i] for i in kept]
    part["pulse"]["rounds"] = [[pulses[i] for i in kept] for pulses in part["pulse"]["rounds"]]
    for c in part["cells"]:
        c["name"] = short(c["name"])
        c["axes"]["subject"] = short(c["axes"]["subject"])
    names = [c["name"] for c in part["cells"]]
    for name in names:
        if names.count(name) > 1:
            raise Unable(f"two cells would be called {name}")
    part["base"], part["control"] = short(part["base"]), short(part["control"])
    return Results(part)


def main(words: list[str], _bench: str) -> int:
    parser = verb.Parser(
        "keyward-bench split", "Tells apart the things that one run measured by turns.",
        "Of the run in FOLDER, the cells called PREFIX.NAME become a run of their own in\n"
        "FOLDER/PREFIX, called NAME there: the same session, the same rounds.  Cells with none of\n"
        "the prefixes are in every part.  =COMMIT says what it is.\n")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("parts", nargs="+", metavar="PREFIX[=COMMIT]")
    o = parser.parse_args(words)
    if not 2 <= len(o.parts) <= 8:
        raise Usage("it wants FOLDER PREFIX[=COMMIT] PREFIX[=COMMIT]…")
    parts = {}
    for text in o.parts:
        prefix, equals, commit = text.partition("=")
        if not is_name(prefix) or prefix[0] == "." or (equals and not 0 < len(commit) < 64):
            raise Usage(f"{text}: a prefix has letters, digits and ._-")
        parts[prefix] = commit
    whole = results.read(o.folder / "results.json")
    for prefix, commit in parts.items():
        part = keep(whole, list(parts), prefix)
        part["environment"]["commit"] = commit or part["environment"]["commit"]
        (o.folder / prefix).mkdir(exist_ok=True)
        results.write(part, o.folder / prefix)
    return verb.GOOD

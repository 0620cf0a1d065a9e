# SPDX-License-Identifier: Apache-2.0
"""A cell as it is typed, where it stands in the matrix, and what its document says."""
import re
from typing import Any, NamedTuple, Optional

import results
import verb
from verb import Document, Usage, is_name, printable

UNKNOWN = {"in_flight": 0.0, "rate": 0.0, "method": "", "seconds": 0.0, "warmup": 0.0}
USUAL = {"load": UNKNOWN | {"in_flight": 64.0, "method": "decrypt", "seconds": 5.0, "warmup": 1.0},
         "token": UNKNOWN | {"in_flight": 1.0, "method": "unwrap", "seconds": 5.0, "warmup": 1.0}}
OPTIONS = """--mix MIX text
--op OPERATION text
--in-flight N real
--rate N real
--calls N real
--seconds TIME seconds 0 1e6
--warmup TIME seconds 0 1e6"""
SCHEMA = results.SCHEMA.with_name("reading-1.schema.json")


class Entry(NamedTuple):
    words: list[str]
    program: str  # another one than ours, or empty
    expected: float  # seconds, as its words say; 0: they do not


class Reading(NamedTuple):
    """What one measurement gave: figures, or why it failed."""
    tool: str = ""
    figures: dict[str, float] = {}
    histogram: list[list[int]] = []
    failure: str = ""


def said_by(words: list[str]) -> dict[str, Any]:
    """What a measuring verb's options say of where a cell stands, and how long it takes."""
    said = vars(verb.Parser("cell", None, OPTIONS).parse_known_args(words[1:])[0])
    said["method"] = said["mix"] or said["op"]
    return USUAL.get(words[0], UNKNOWN) | {k: v for k, v in said.items() if v is not None}


def cell(text: str, taken: list[str]) -> tuple[Document, Entry]:
    head, equals, line = text.partition("=")
    name = head.removesuffix("*")
    words = [word for word in line.split() if word[0] != "@"]
    axes = {"subject": name.rpartition("-")[0] or name, "token_delay_us": "0", "bench": ""}
    given = dict(word[1:].partition("=")[::2] for word in line.split() if word[0] == "@")
    wrong = None
    if not equals or not is_name(name) or name in ("control", *taken):
        wrong = ("it wants NAME=load SOCKET … (or another verb; NAME*= for a primary cell), the "
                 "name of at most 47 letters, digits and ._-, not control, and given once")
    elif not words or words[0] in ("rounds", "echo", "serve"):
        wrong = "it wants a verb that measures after the name: load, token, storm …"
    elif (not given.keys() <= axes.keys() or not is_name(given.get("subject", "x"))
          or not re.fullmatch("[0-9]{1,15}", given.get("token_delay_us", "0"))):
        wrong = "its axes are @subject=NAME and @token_delay_us=N; @bench=PATH is who measures it"
    if wrong:
        raise Usage(f"'{printable(text)}': {wrong}")
    axes.update(given)
    said = said_by(words)
    seconds = said["seconds"] + said["warmup"] if said["seconds"] and "calls" not in said else 0.0
    return ({"name": name, "primary": head.endswith("*"), "control": False,
             "command": printable(" ".join(words)), "tool": "",
             "axes": {"in_flight": said["in_flight"], "method": printable(said["method"], 47),
                      "subject": axes["subject"], "rate": said["rate"],
                      "token_delay_us": int(axes["token_delay_us"])},
             "failures": 0, "failure": "", "figures": {}}, Entry(words, axes["bench"], seconds))


def reading(text: str) -> Reading:
    try:
        document = results.parse(text)
    except (ValueError, RecursionError) as error:
        return Reading(failure=f"it gave no JSON: {error}")
    for fault in results.faults(document, SCHEMA):
        return Reading(failure=f"its document has no figures as they should be: {fault}")
    return Reading(document["tool"], {k: float(v) for k, v in document["figures"].items()},
                   document.get("histogram", []))


def layout(text: Optional[str]) -> Document:
    """NAME=client:CPUS,server:CPUS, and the sentence that says what may be concluded."""
    if text is None:
        return {"name": "unknown", "client": "", "server": "", "words":
                "nobody told which process runs on which CPU: no scaling conclusion"}
    cpus = "(any|([0-9]{1,3})(?:-([0-9]{1,3}))?)"
    match = re.fullmatch(f"([A-Za-z0-9._-]{{1,47}})=client:{cpus},server:{cpus}", text)
    if match is None:
        raise Usage(f"--layout {text}: it wants NAME=client:CPUS,server:CPUS, CPUS being 0, 2-3 "
                    "or any")
    name, client, *ends = match.groups()
    server = ends[2]
    a, b = (set(range(int(first or 0), int(last or first or 999) + 1))
            for first, last in (ends[:2], ends[3:]))
    return {"name": name, "client": client, "server": server, "words":
            f"client on CPU {client}, daemon and workers on CPU {server}: "
            + ("they may share one, so no scaling conclusion" if a & b else "they share none")}

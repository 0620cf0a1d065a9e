# SPDX-License-Identifier: Apache-2.0
"""A cell as it is typed, how long it will take, and what its document says.

NAME[*]=VERB WORDS…, * for a primary cell.  Words are what blanks separate, there is no
quoting.  @subject=NAME and @token_delay_us=N say where it stands in the matrix, and
@bench=PATH which other keyward-bench measures it.
"""
import math
import re
from dataclasses import dataclass, field
from typing import Any, Iterable, NamedTuple, Optional

from results import FIGURES_MAX, is_histogram
from verb import Document, Usage, is_name, printable, seconds_of

CELLS_MAX = 128  # the control comes on top
WORDS_MAX = 61


@dataclass
class Entry:
    """What runs for a cell."""
    words: list[str] = field(default_factory=list)
    program: Optional[str] = None
    expected: float = 0.0  # seconds, as its words say; 0: they do not

    def said(self, flag: str) -> Optional[str]:
        """The value of "--flag value" or "--flag=value"."""
        for word, after in zip(self.words[1:], self.words[2:] + [""]):
            if word == flag:
                return after
            if word.startswith(flag + "="):
                return word[len(flag) + 1:]
        return None


class Defaults(NamedTuple):
    """What a verb does when nothing is said."""
    in_flight: float = 0
    flag: str = ""
    method: str = ""
    seconds: float = 0
    warmup: float = 0


DEFAULTS = {"load": Defaults(64, "--mix", "decrypt", 5, 1),
            "token": Defaults(1, "--op", "unwrap", 5, 1)}


def number_of(text: Optional[str]) -> Optional[float]:
    if text is None or re.fullmatch(r"[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?", text) is None:
        return None
    value = float(text)
    if not value < 1e15:
        return None
    return int(value) if value.is_integer() else value


def cell(text: str, taken: Iterable[str]) -> tuple[Document, Entry]:
    def refuse(why: str) -> Usage:
        return Usage(f"'{printable(text)}': {why}")
    head, equals, line = text.partition("=")
    name = head.removesuffix("*")
    if not equals or not is_name(name) or name == "control":
        raise refuse("it wants NAME=load SOCKET … (or another verb; NAME*= for a primary cell), "
                     "the name of at most 47 letters, digits and ._-; control is no free name")
    if name in taken:
        raise refuse("this name is given twice")
    entry, axes = Entry(), {"token_delay_us": 0.0}
    subject = name.rpartition("-")[0] or name  # wall-cached of wall-cached-64
    for word in line.split():
        key, _, value = word.partition("=")
        delay = number_of(value)
        if word[0] != "@":
            entry.words.append(word)
        elif key == "@subject" and is_name(value):
            subject = value
        elif key == "@token_delay_us" and delay is not None:
            axes["token_delay_us"] = delay
        elif key == "@bench" and value:
            entry.program = value
        else:
            raise refuse("its axes are @subject=NAME and @token_delay_us=N; @bench=PATH is "
                         "who measures it")
    if len(entry.words) > WORDS_MAX:
        raise refuse(f"it has more than {WORDS_MAX} words")
    if not entry.words:
        raise refuse("no verb stands after the name: NAME=load SOCKET …")
    if entry.words[0] in ("rounds", "echo", "serve"):
        raise refuse("this verb is no measurement: load, token, storm … are")
    d = DEFAULTS.get(entry.words[0], Defaults())
    entry.expected = expected(entry, d)
    method = entry.said(d.flag) if d.flag else None
    in_flight, rate = number_of(entry.said("--in-flight")), number_of(entry.said("--rate"))
    return {"name": name, "primary": head.endswith("*"), "control": False,
            "command": printable(" ".join(entry.words)), "tool": "",
            "axes": {"in_flight": d.in_flight if in_flight is None else in_flight,
                     "method": printable(d.method if method is None else method, 47),
                     "subject": subject, "rate": rate or 0, **axes},
            "failures": 0, "failure": "", "figures": {}}, entry


def expected(entry: Entry, d: Defaults) -> float:
    """Seconds, when it goes by time."""
    seconds = seconds_of(entry.said("--seconds") or f"{d.seconds}s")
    warmup = seconds_of(entry.said("--warmup") or f"{d.warmup}s")
    if entry.said("--calls") is not None or not seconds or warmup is None:
        return 0.0
    return seconds + warmup


class Failed(Exception):
    """A measurement gave no figures; its text says why."""


class Reading(NamedTuple):
    """What one measurement gave."""
    tool: str
    figures: dict[str, float]
    histogram: list[list[int]]


def reading(document: Any) -> Reading:
    """Failed: figures are not there, or something else than numbers."""
    members = document if isinstance(document, dict) else {}
    tool, figures = members.get("tool"), members.get("figures")
    histogram = members.get("histogram", [])
    if not isinstance(tool, str) or len(tool) > 47:
        raise Failed("its document does not name its tool")
    if not isinstance(figures, dict) or not figures:
        raise Failed("its document has no figures")
    if len(figures) > FIGURES_MAX:
        raise Failed(f"its document has more than {FIGURES_MAX} figures")
    if not all(is_name(name) and type(v) in (int, float) and math.isfinite(v)
               for name, v in figures.items()):
        raise Failed("a figure of its document is no number, or its name is not of letters, "
                     "digits and ._-")
    if not is_histogram(histogram):
        raise Failed("the histogram of its document is not [[upper_ns, count], …]")
    return Reading(tool, {name: float(v) for name, v in figures.items()}, histogram)


def layout(text: Optional[str]) -> Document:
    """NAME=client:CPUS,server:CPUS, and the sentence that says what may be concluded."""
    if text is None:
        return {"name": "unknown", "client": "", "server": "", "words":
                "nobody told which process runs on which CPU: no scaling conclusion"}
    match = re.fullmatch("([^=]*)=client:([^,]*),server:(.*)", text)
    sets = [cpus_of(match[2]), cpus_of(match[3])] if match else []
    if match is None or not is_name(match[1]) or None in sets:
        raise Usage(f"--layout {text}: it wants NAME=client:CPUS,server:CPUS, CPUS being 0, 2-3 "
                    "or any")
    client, server = sets
    one, other = cpus_words(match[2]), cpus_words(match[3])
    if match[2] == match[3] != "any":
        words = f"client, daemon and workers share {one}: no scaling conclusion"
    elif client and server and not client & server:
        words = f"client on {one}, daemon and workers on {other}: they share none"
    else:
        words = (f"client on {one}, daemon and workers on {other}, so that they may share one: no "
                 "scaling conclusion")
    return {"name": match[1], "client": match[2], "server": match[3], "words": words}


def cpus_of(text: str) -> Optional[set[int]]:
    """Of 0 or 2-3; empty for any; None when it is none of them."""
    match = re.fullmatch("([0-9]{1,4})(?:-([0-9]{1,4}))?", text)
    if text == "any":
        return set()
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return set(range(first, last + 1)) if first <= last <= 1023 else None


def cpus_words(text: str) -> str:
    return "any CPU" if text == "any" else f"CPU{'s' if '-' in text else ''} {text}"

# SPDX-License-Identifier: Apache-2.0
"""What the verbs share: exit statuses, options, durations, documents, and the stop.

A verb reads its options, does its work, and says the outcome once: a table for people,
or with --json one document on standard output.
"""
import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
from typing import Any, Callable, NoReturn, Optional

GOOD = 0
WRONG = 1  # measured and not content
USAGE = 2
UNABLE = 3  # could not run, or not to its end

Document = dict[str, Any]


class Usage(Exception):
    """Wrong usage; its text names the word and says what is wanted."""


class Unable(Exception):
    """It could not run, or not to its end; its text says why."""


def os_words(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    return where + (error.strerror or str(error))


class Parser(argparse.ArgumentParser):
    def __init__(self, prog: str, summary: str, more: str = "") -> None:
        super().__init__(
            prog=prog, description=summary, allow_abbrev=False,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=90),
            epilog=more + "\nexit status: 0 good, 1 measured and not content, 2 wrong usage, "
            "3 could not run or not to its end")

    def error(self, message: str) -> NoReturn:
        raise Usage(message.removeprefix("argument "))


class Once(argparse.Action):
    """An option with a value that is not to be given twice."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: Any, option_string: Optional[str] = None) -> None:
        if self.dest in getattr(namespace, "given", set()):
            parser.error(f"{option_string} is given twice")
        namespace.given = getattr(namespace, "given", set()) | {self.dest}
        setattr(namespace, self.dest, values)


def complain(name: str, text: str) -> None:
    print(f"{'ci/bench' if name == 'suite' else 'keyward-bench ' + name}: {text}",
          file=sys.stderr, flush=True)


def pin(cpu: Optional[int]) -> None:
    """This process, and what it starts; the pulse is taken there, too."""
    try:
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
    except OSError as error:
        raise Unable(f"there is no CPU {cpu} for this process") from error


def ended(child: "subprocess.Popen[Any]", seconds: float) -> bool:
    """Waits so long for its end, asleep, and knows it at once."""
    if child.poll() is not None:
        return True
    over = os.pidfd_open(child.pid)
    try:
        watch = select.poll()
        watch.register(over, select.POLLIN)
        return bool(watch.poll(1000 * seconds)) and child.wait() is not None
    finally:
        os.close(over)


def number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"{text}: it wants a whole number from {least} to {most}")
        return int(text)
    return read


SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> Optional[float]:
    """Of a time such as 500ms; None when it is none."""
    match = re.fullmatch("([0-9]{1,12})(ms|s|m|h)", text)
    return int(match[1]) * SECONDS[match[2]] if match else None


def duration(least: float, most: float) -> Callable[[str], float]:
    """In seconds."""
    def read(text: str) -> float:
        seconds = seconds_of(text)
        if seconds is None or not least <= seconds <= most:
            raise argparse.ArgumentTypeError(
                f"{text}: it wants a time such as 500ms or 2s, from {least:g}s to {most:g}s")
        return seconds
    return read


def time_words(seconds: float) -> str:
    s = int(seconds + 0.5)
    if s < 60:
        return f"{s} s"
    if s < 3600:
        return f"{s // 60} min {s % 60:02} s"
    return f"{s // 3600} h {s % 3600 // 60:02} min"


def version(bench: str) -> str:
    """Of the program that this belongs to."""
    said = subprocess.run([bench, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.removeprefix("keyward-bench ").strip() or "unknown"


def is_name(text: str) -> bool:
    return re.fullmatch("[A-Za-z0-9._-]{1,47}", text) is not None


def printable(text: str, room: int = 1 << 30) -> str:
    """Foreign text as JSON and a page take it, of at most `room` bytes of UTF-8."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain.encode()[:room].decode(errors="ignore")


def document_text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def print_document(document: Document) -> None:
    print(document_text(document), end="")


class Stop:
    """From `catch` on, Ctrl-C and SIGTERM say "stop here and tell what you have"."""

    def __init__(self) -> None:
        self.asked = False

    def catch(self) -> "Stop":
        for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number_, self._note)
        return self

    def _note(self, _number: int, _frame: object) -> None:
        self.asked = True

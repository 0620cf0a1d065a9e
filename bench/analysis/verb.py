# SPDX-License-Identifier: Apache-2.0
"""What the verbs share: exit statuses, options, documents, and how one is stopped."""
import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, NoReturn, Optional, Sequence

GOOD = 0
WRONG = 1  # measured and not content
USAGE = 2
UNABLE = 3  # could not run, or not to its end

Document = dict[str, Any]


class Usage(Exception):
    """Wrong usage; its text names the word and says what is wanted."""


class Unable(Exception):
    """It could not run, or not to its end; its text says why."""


class Stopped(Exception):
    """Ctrl-C: nothing more is begun."""


def why(error: Exception) -> str:
    if not isinstance(error, OSError):
        return str(error)
    return ": ".join(str(part) for part in (error.filename, error.strerror) if part)


def complain(name: str, text: str) -> None:
    print(f"{'ci/bench' if name == 'suite' else 'keyward-bench ' + name}: {text}",
          file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """help/NAME.txt says more of a verb."""

    def __init__(self, prog: str, summary: str, more: str = "") -> None:
        text = Path(__file__).parent / "help" / f"{Path(prog).name.split()[-1]}.txt"
        more = text.read_text(encoding="utf-8") if text.exists() else more
        super().__init__(
            prog=prog, description=summary.partition("\n\n")[0], allow_abbrev=False,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=90),
            epilog=more + "\nexit status: 0 good, 1 measured and not content, 2 wrong usage, "
            "3 could not run or not to its end")

    def error(self, message: str) -> NoReturn:
        raise Usage(message.removeprefix("argument "))

    def options(self, *rows: tuple[str, Any, str]) -> None:
        """Of each its name and metavar (none for a switch), its type, and its help."""
        for name, kind, words in rows:
            flag, _, metavar = name.partition(" ")
            if metavar:
                self.add_argument(flag, action=Once, type=kind, metavar=metavar, help=words)
            else:
                self.add_argument(flag, action="store_true", help=words)


class Once(argparse.Action):
    """An option with a value that is not to be given twice."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: Any, option_string: Optional[str] = None) -> None:
        namespace.given = getattr(namespace, "given", []) + [self.dest]
        if namespace.given.count(self.dest) > 1:
            parser.error(f"{option_string} is given twice")
        setattr(namespace, self.dest, values)


def number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"{text}: it wants a whole number from {least} to {most}")
        return int(text)
    return read


def seconds_of(text: str) -> Optional[float]:
    """Of a time such as 500ms; None when it is none."""
    match = re.fullmatch("([0-9]{1,12})(ms|s|m|h)", text)
    units = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    return int(match[1]) * units[match[2]] if match else None


def duration(least: float, most: float) -> Callable[[str], float]:
    """In seconds."""
    def read(text: str) -> float:
        seconds = seconds_of(text)
        if seconds is None or not least <= seconds <= most:
            raise argparse.ArgumentTypeError(
                f"{text}: it wants a time such as 500ms or 2s, from {least:g}s to {most:g}s")
        return seconds
    return read


def is_name(text: str) -> bool:
    return re.fullmatch("[A-Za-z0-9._-]{1,47}", text) is not None


def printable(text: str, room: int = 1 << 30) -> str:
    """Foreign text as JSON and a page take it, of at most `room` bytes of UTF-8."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain.encode()[:room].decode(errors="ignore")


def print_document(document: Document) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


def version(bench: str) -> str:
    """Of the program that this belongs to."""
    said = subprocess.run([bench, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.removeprefix("keyward-bench ").strip() or "unknown"


def pin(cpu: Optional[int]) -> None:
    """This process, and what it starts; the pulse is taken there, too."""
    try:
        os.sched_setaffinity(0, os.sched_getaffinity(0) if cpu is None else {cpu})
    except OSError as error:
        raise Unable(f"there is no CPU {cpu} for this process") from error


def ended(child: "subprocess.Popen[Any]", seconds: float) -> bool:
    """Waits so long for its end, asleep, and knows it at once."""
    if child.poll() is None:
        over = os.pidfd_open(child.pid)
        select.select([over], [], [], seconds)
        os.close(over)
    return child.poll() is not None


class Stop:
    """From `catch` on, Ctrl-C and SIGTERM say "stop here and tell what you have", to the
    child that is waited for, too."""

    def __init__(self) -> None:
        self.asked = False
        self.child: Optional["subprocess.Popen[str]"] = None

    def catch(self) -> "Stop":
        for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number_, self._note)
        return self

    def _note(self, _number: int, _frame: object) -> None:
        self.asked = True
        if self.child is not None:
            self.child.terminate()

    def run(self, argv: Sequence[Any], **how: Any) -> "subprocess.CompletedProcess[str]":
        """To its end, also when a signal comes meanwhile."""
        if self.asked:
            raise Stopped
        with subprocess.Popen([*map(str, argv)], stdin=subprocess.DEVNULL, encoding="utf-8",
                              errors="replace", **how) as self.child:
            if self.asked:  # while it was being started
                self.child.terminate()
            out, err = self.child.communicate()
        return subprocess.CompletedProcess(argv, self.child.returncode, out, err)

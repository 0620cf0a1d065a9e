# SPDX-License-Identifier: Apache-2.0
"""What the verbs share: exit statuses, options, and programs that are started and ended."""
import argparse
import math
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, NoReturn, Optional, Sequence

GOOD, WRONG, USAGE, UNABLE = range(4)  # WRONG: measured and not content
EXITS = ("\nexit status: 0 good, 1 measured and not content, 2 wrong usage, "
         "3 could not run or not to its end")
NAME = "[A-Za-z0-9._-]{1,47}"
TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
KINDS: dict[str, tuple[float, dict[str, float], str]] = {  # scale, units, and what is wanted
    "number": (1, {"": 1}, "a whole number"), "percent": (1, {"%": 0.01}, "a share such as 5%"),
    "seconds": (1, TIMES, "a time such as 500ms or 2s, in seconds"),
    "ms": (1e3, TIMES, "a time such as 500ms or 2s, in milliseconds")}
Document = dict[str, Any]
Process = subprocess.Popen[Any]


class Usage(Exception):
    """Wrong usage; its text names the word and says what is wanted."""


class Unable(Exception):
    """It could not run, or not to its end; its text says why."""


class Stopped(Exception):
    """Ctrl-C: nothing more is begun."""


def why(error: Exception) -> str:
    parts = (error.filename, error.strerror) if isinstance(error, OSError) else (error,)
    return ": ".join(str(part) for part in parts if part)


def called(name: str) -> str:
    return "ci/bench" if name == "suite" else f"keyward-bench {name}"


def complain(name: str, text: str) -> None:
    """Foreign words in it steer no terminal."""
    text = "\n".join(map(printable, text.split("\n")))
    print(f"{called(name)}: {text}", file=sys.stderr, flush=True)


def reader(kind: str, least: float = 0, most: float = 0) -> Callable[[str], Any]:
    def read(text: str) -> float:
        scale, units, wants = KINDS[kind]
        match = re.fullmatch(rf"([0-9]{{1,18}}|[0-9]+\.[0-9]*(?=%))({'|'.join(units)})", text)
        value = round(float(match[1]) * units[match[2]] * scale, 9) if match else math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text}: it wants {wants} from {least:g} to {most:.10g}")
        return int(value) if kind == "number" else value
    plain: dict[str, Callable[[str], Any]] = {"text": str, "file": Path, "real": float}
    return plain.get(kind, read)


class Once(argparse.Action):
    is_given = False

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: Any, option_string: Optional[str] = None) -> None:
        if self.is_given:
            parser.error(f"{option_string} is given twice")
        self.is_given = True
        setattr(namespace, self.dest, values)


class Parser(argparse.ArgumentParser):
    """help/NAME.txt has the options, FLAG METAVAR KIND LEAST MOST | WORDS, and more words.  A
    FLAG+ wants one value or more, a FLAG* may be there several times."""

    def __init__(self, name: str, summary: Optional[str], rows: str = "", **defaults: Any) -> None:
        file = Path(__file__).parent / "help" / f"{name}.txt"
        rows, _, more = (rows or file.read_text(encoding="utf-8")).partition("\n\n")
        super().__init__(
            prog=called(name), description=summary, allow_abbrev=False, epilog=more + EXITS,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=90))
        for row in rows.splitlines():
            (flag, *value), words = row.partition(" |")[0].split(), row.partition("| ")[2]
            how: dict[str, Any] = {"action": "store_true"} if not value else {
                "metavar": value[0], "type": reader(value[1], *map(float, value[2:])),
                "action": "append" if flag[-1] == "*" else Once if flag[0] == "-" else "store"}
            if flag[-1] == "+":
                how["nargs"] = "+"
            if value[1:2] == ["ms"]:
                how["dest"] = flag.strip("-").replace("-", "_") + "_ms"
            self.add_argument(flag.rstrip("+*"), help=words.replace("%", "%%"), **how)
        self.set_defaults(**defaults)

    def error(self, message: str) -> NoReturn:
        raise Usage(message.removeprefix("argument "))


def refuse_if(error: type[Exception], *cases: tuple[Any, str]) -> None:
    for is_so, words in cases:
        if is_so:
            raise error(words)


def printable(text: str, room: int = 1 << 30) -> str:
    """Foreign text as JSON and a page take it, of at most `room` bytes of UTF-8."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain.encode()[:room].decode(errors="ignore")


def version(bench: str) -> str:
    said = subprocess.run([bench, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.removeprefix("keyward-bench ").strip() or "unknown"


def pin(cpu: Optional[int]) -> None:
    """This process, and what it starts; the pulse is taken there, too."""
    try:
        os.sched_setaffinity(0, os.sched_getaffinity(0) if cpu is None else {cpu})
    except OSError as error:
        raise Unable(f"there is no CPU {cpu} for this process") from error


def start(argv: Sequence[Any], out: Any, err: Any, **how: Any) -> Process:
    """In a session of its own, so that Ctrl-C reaches only us, who end it in order."""
    return subprocess.Popen([*map(str, argv)], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                            start_new_session=True, **how)


def ended(child: Process, seconds: float) -> bool:
    if child.poll() is None:
        over = os.pidfd_open(child.pid)
        select.select([over], [], [], seconds)
        os.close(over)
    return child.poll() is not None


def end(child: Process, patience: float) -> bool:
    """False: it did not end within so many seconds of SIGTERM, and was killed."""
    child.terminate()
    in_time = ended(child, patience)
    child.kill()  # nothing is sent to one that has ended
    child.wait()
    return in_time


class Stop:
    """From `catch` on, signals say "stop here and tell what you have", to the child, too."""

    def __init__(self) -> None:
        self.asked = False
        self.child: Optional[Process] = None

    def catch(self) -> "Stop":
        for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number_, self._note)
        return self

    def _note(self, *_of: object) -> None:
        """With all that the child started: a shell that ends does not end its build."""
        self.asked = True
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGTERM)

    def check(self) -> None:
        if self.asked:
            raise Stopped

    def run(self, argv: Sequence[Any], **how: Any) -> "subprocess.CompletedProcess[str]":
        self.check()
        with subprocess.Popen([*map(str, argv)], stdin=subprocess.DEVNULL, encoding="utf-8",
                              errors="replace", process_group=0, **how) as self.child:
            if self.asked:  # while it was being started
                self._note()
            out, err = self.child.communicate()
        return subprocess.CompletedProcess(argv, self.child.returncode, out, err)

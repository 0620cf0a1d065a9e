# SPDX-License-Identifier: Apache-2.0
"""keyward-bench gap: how long a plugin takes to come up, and what a client misses while
it restarts.

The plugin is started by us: a program that becomes it.  Two clients (`load --reconnect`),
one for Status and one for Decrypt, make one call at a time through all of it and keep
when nothing good came.  One restart:

  1. The plugin is up: a new client had a good Decrypt, and both go on for a second.
  2. It gets SIGTERM, and runs until it has ended.                     stop
  3. It is started at once, and is up again with a good Status         start_status
     and a good Decrypt of what was encrypted before.                  start_decrypt

start_ times count from the start, stop from the signal.  The gap is what lies between the
last good Decrypt of the old process and the first of the new one.  Times of what is up
are exact to 10 ms, as a client without a connection tries again so often.
"""
import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import IO, Optional

import verb
from verb import Document, Unable, Usage

MEANINGS = {"stop_ms": "SIGTERM to the end", "start_status_ms": "start to a good Status",
            "start_decrypt_ms": "start to a good Decrypt", "gap_ms": "without a good Decrypt"}
SETTLED = 1.0  # seconds of good calls before a restart
# What the plugin was asked is right, it made the ciphertext itself: these codes say that
# it does not know it any more.  Anything else may pass.
FINAL = {"INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "DATA_LOSS"}


class Wrong(Exception):
    """A seed came back that is not ours."""


class Interrupted(Exception):
    """Ctrl-C."""


class Gap:
    def __init__(self, bench: str, socket: str, start: str, log: IO[bytes], patience: float,
                 stop: verb.Stop) -> None:
        self.bench, self.socket, self.start, self.log = bench, socket, start, log
        self.patience, self.stop = patience, stop
        self.child: Optional["subprocess.Popen[bytes]"] = None

    def __enter__(self) -> "Gap":
        return self

    def __exit__(self, *_: object) -> None:
        """The plugin has ended when this returns."""
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()
            if not verb.ended(self.child, self.patience):
                self.child.kill()
            self.child.wait()

    def load(self, *words: str) -> "subprocess.Popen[str]":
        """In a session of its own: Ctrl-C is for us, who end it in order."""
        argv = [self.bench, "load", self.socket, "--yes", "--in-flight", "1", "--ciphertexts",
                "distinct:1", "--warmup", "0s", "--json", "--quiet", *words]
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def end(self, load: "subprocess.Popen[str]") -> Document:
        """What it has measured until now."""
        load.send_signal(signal.SIGINT)
        out, said = load.communicate(timeout=self.patience)
        try:
            document: Document = json.loads(out)
        except ValueError:
            raise Unable(f"the client saw nothing of {self.socket}: {said.strip()}") from None
        if document["wrong"]:
            raise Wrong
        for code, failure in document["failures"].items():
            if code in FINAL:
                raise Unable(f"{self.socket} refuses what it sealed before its restart; it said "
                             f"{failure['message']}")
        return document

    def come_up(self) -> int:
        """When it was started.  Comes back when it serves."""
        began = time.monotonic_ns()
        try:
            self.child = subprocess.Popen([self.start], stdin=subprocess.DEVNULL, stdout=self.log,
                                          stderr=self.log, start_new_session=True)
        except OSError as error:
            raise Unable(f"{self.start}: {error.strerror}: it wants an executable file that "
                         "becomes the plugin") from error
        until = began + int(1e9 * self.patience)
        while True:
            with self.load("--calls", "1", "--timeout", "1s") as probe:
                out, said = probe.communicate()
            if probe.returncode == verb.GOOD:
                return began
            if probe.returncode == verb.WRONG and out and json.loads(out)["wrong"]:
                raise Wrong
            if self.stop.asked:
                raise Interrupted
            if self.child.poll() is not None:
                raise Unable(self.early(self.child.returncode))
            if time.monotonic_ns() > until:
                last = said.strip().rpartition("\n")[2].removeprefix("keyward-bench load: ")
                raise Unable(f"{self.socket}: no good Decrypt within {self.patience:g} s of the "
                             f"start; the client said {last}")

    def early(self, status: int) -> str:
        end = f"exit status {status}" if status >= 0 else f"signal {-status}"
        return f"{self.start} ended with {end} before it served: look at what it said (--log FILE)"

    def restart(self) -> dict[str, float]:
        assert self.child is not None
        with ExitStack() as stack:
            loads = {}
            for method in ("status", "decrypt"):
                # Longer than all that is waited for; it is ended before.
                seconds = min(3600, int(2 * self.patience + 60))
                loads[method] = stack.enter_context(
                    self.load("--reconnect", "--mix", method, "--seconds", f"{seconds}s"))
                stack.callback(loads[method].kill)
            if verb.ended(self.child, SETTLED):
                raise Unable(f"{self.start} ended by itself")
            told = time.monotonic_ns()
            self.child.terminate()
            if not verb.ended(self.child, self.patience):
                raise Unable(f"{self.start} did not end within {self.patience:g} s of SIGTERM")
            ended = time.monotonic_ns()
            began = self.come_up()
            verb.ended(self.child, SETTLED)
            seen = {method: outage(self.end(load), ended) for method, load in loads.items()}
        return {"stop_ms": (ended - told) / 1e6,
                "start_status_ms": (seen["status"][1] - began) / 1e6,
                "start_decrypt_ms": (seen["decrypt"][1] - began) / 1e6,
                "gap_ms": (seen["decrypt"][1] - seen["decrypt"][0]) / 1e6}


def outage(document: Document, when: int) -> tuple[int, int]:
    """From when to when nothing good came around `when`, all of CLOCK_MONOTONIC in ns."""
    for gap in document["gaps"]:
        begin = document["began_monotonic_ns"] + 1000 * gap["at_us"]
        if begin <= when <= begin + 1000 * gap["us"]:
            return begin, begin + 1000 * gap["us"]
    raise Unable("the client missed nothing while the plugin was gone: somebody else serves the "
                 "socket")


def table(document: Document) -> None:
    runs = document["runs"]
    print(f"{document['socket']}: {len(runs)} restarts" + "  PARTIAL" * document["partial"])
    for name, middle in document["figures"].items():
        most = max(run[name] for run in runs)
        print(f"  {MEANINGS[name]:26} {middle:8.1f} ms, at most {most:.1f}")


def main(words: list[str], bench: str) -> int:
    parser = verb.Parser(
        "keyward-bench gap",
        "Restarts a plugin and says how long it takes, and what a client misses.",
        "The program must become the plugin (exec), as it gets SIGTERM.  Nobody else may serve\n"
        "the socket.  Times are medians, those of a client exact to 10 ms.\n")
    add = parser.add_argument
    add("socket", metavar="SOCKET")
    add("--start", action=verb.Once, metavar="PATH",
        help="an executable file without arguments that becomes the plugin")
    add("--restarts", action=verb.Once, type=verb.number(1, 64), default=5, metavar="N",
        help="how often, 1..64 (5)")
    add("--patience", action=verb.Once, type=verb.duration(0.001, 600), default=60.0,
        metavar="TIME", help="for one start and for one end (60s)")
    add("--log", action=verb.Once, type=Path, default=Path(os.devnull), metavar="FILE",
        help="where the plugin's output goes (nowhere)")
    add("--cpu", action=verb.Once, type=verb.number(0, 1023), metavar="N",
        help="run the clients, and what they start, on CPU N only")
    add("--json", action="store_true", help="one JSON document instead of a table")
    o = parser.parse_args(words)
    if o.start is None:
        raise Usage("it wants --start PATH: a program that becomes the plugin")
    verb.pin(o.cpu)
    runs: list[dict[str, float]] = []
    status, fault = verb.GOOD, ""
    stop = verb.Stop().catch()
    try:
        with open(o.log, "ab") as log, \
                Gap(bench, o.socket, o.start, log, o.patience, stop) as gap:
            gap.come_up()
            while len(runs) < o.restarts:
                runs.append(gap.restart())
                if stop.asked and len(runs) < o.restarts:
                    raise Interrupted
    except Interrupted:
        status, fault = verb.UNABLE, f"interrupted: {len(runs)} of {o.restarts} restarts"
    except Wrong:
        status, fault = verb.WRONG, f"{o.socket} gave back another seed than it was given"
    except Unable as error:
        status, fault = verb.UNABLE, str(error)
    if fault:
        verb.complain("gap", fault)
    document = {
        "tool": "keyward-bench gap", "schema": 1, "version": verb.version(bench),
        "partial": len(runs) < o.restarts, "fault": fault, "socket": o.socket, "start": o.start,
        "restarts": o.restarts, "runs": runs,
        "figures": {name: median(run[name] for run in runs) for name in MEANINGS if runs}}
    if o.json:
        verb.print_document(document)
    else:
        table(document)
    return status

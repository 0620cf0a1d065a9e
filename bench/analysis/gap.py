# SPDX-License-Identifier: Apache-2.0
"""keyward-bench gap: how long a plugin takes to come up, and what a client misses while
it restarts.

help/gap.txt says more.
"""
import json
import os
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import IO, Any, Optional

import verb
from verb import Document, Stopped, Unable, Usage

MEANINGS = {"stop_ms": "SIGTERM to the end", "start_status_ms": "start to a good Status",
            "start_decrypt_ms": "start to a good Decrypt", "gap_ms": "without a good Decrypt"}
SETTLED = 1.0  # seconds of good calls before a restart
# What the plugin was asked is right, it made the ciphertext itself: these codes say that
# it does not know it any more.  Anything else may pass.
FINAL = {"INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "DATA_LOSS"}


class Wrong(Exception):
    """A seed came back that is not ours."""


class Gap:
    """The plugin, which has ended when `with` is left."""

    def __init__(self, bench: str, o: Any, log: IO[bytes], stop: verb.Stop) -> None:
        self.bench, self.socket, self.start, self.patience = bench, o.socket, o.start, o.patience
        self.log, self.stop = log, stop
        self.plugin: Optional["subprocess.Popen[bytes]"] = None

    def __enter__(self) -> "Gap":
        return self

    def __exit__(self, *_: object) -> None:
        if self.plugin is not None:
            self.plugin.terminate()
            if not verb.ended(self.plugin, self.patience):
                self.plugin.kill()
            self.plugin.wait()

    def load(self, *words: str) -> "subprocess.Popen[str]":
        """In a session of its own: Ctrl-C is for us, who end it in order."""
        argv = [self.bench, "load", self.socket, "--yes", "--in-flight", "1", "--ciphertexts",
                "distinct:1", "--warmup", "0s", "--json", "--quiet", *words]
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def seen_by(self, load: "subprocess.Popen[str]") -> tuple[Document, str]:
        """Its document at its end, or an empty one, and what it said."""
        out, said = load.communicate()
        document: Document = json.loads(out) if out.startswith("{") else {}
        if document.get("wrong"):
            raise Wrong(f"{self.socket} gave back another seed than it was given")
        return document, said.strip().rpartition("\n")[2]

    def come_up(self) -> int:
        """When it was started.  Comes back when it serves."""
        began = time.monotonic_ns()
        try:
            self.plugin = subprocess.Popen([self.start], stdin=subprocess.DEVNULL, stdout=self.log,
                                           stderr=self.log, start_new_session=True)
        except OSError as error:
            raise Unable(f"{self.start}: {error.strerror}: it wants an executable file that "
                         "becomes the plugin") from error
        while True:
            with self.load("--calls", "1", "--timeout", "1s") as probe:
                _, said = self.seen_by(probe)
            if probe.returncode == verb.GOOD:
                return began
            if self.stop.asked:
                raise Stopped
            if self.plugin.poll() is not None:
                raise Unable(f"{self.start} ended with exit status {self.plugin.returncode} before "
                             "it served: look at what it said (--log FILE)")
            if time.monotonic_ns() > began + 1e9 * self.patience:
                raise Unable(f"{self.socket}: no good Decrypt within {self.patience:g} s of the "
                             f"start; the client said {said}")

    def restart(self) -> dict[str, float]:
        assert self.plugin is not None
        # Longer than all that is waited for; they are ended before.
        most = ("--reconnect", "--seconds", f"{min(3600, int(2 * self.patience + 60))}s")
        with ExitStack() as stack:
            loads = []
            for method in ("status", "decrypt"):
                loads.append(stack.enter_context(self.load("--mix", method, *most)))
                stack.callback(loads[-1].kill)
            if verb.ended(self.plugin, SETTLED):
                raise Unable(f"{self.start} ended by itself")
            told = time.monotonic_ns()
            self.plugin.terminate()
            if not verb.ended(self.plugin, self.patience):
                raise Unable(f"{self.start} did not end within {self.patience:g} s of SIGTERM")
            ended = time.monotonic_ns()
            began = self.come_up()
            verb.ended(self.plugin, SETTLED)
            for load in loads:
                load.terminate()
            status, decrypt = (outage(*self.seen_by(load), ended) for load in loads)
        return {"stop_ms": (ended - told) / 1e6, "start_status_ms": (status[1] - began) / 1e6,
                "start_decrypt_ms": (decrypt[1] - began) / 1e6,
                "gap_ms": (decrypt[1] - decrypt[0]) / 1e6}


def outage(document: Document, said: str, when: int) -> tuple[int, int]:
    """From when to when nothing good came around `when`, all of CLOCK_MONOTONIC in ns."""
    for code in FINAL.intersection(document.get("failures", ())):
        raise Unable("the plugin refuses what it sealed before its restart; it said "
                     f"{document['failures'][code]['message']}")
    for gap in document.get("gaps", ()):
        begin = document["began_monotonic_ns"] + 1000 * gap["at_us"]
        if begin <= when <= begin + 1000 * gap["us"]:
            return begin, begin + 1000 * gap["us"]
    raise Unable("the client missed nothing while the plugin was gone: does somebody else serve "
                 f"the socket?  {said}")


def main(words: list[str], bench: str) -> int:
    parser = verb.Parser("keyward-bench gap", __doc__)
    parser.add_argument("socket", metavar="SOCKET")
    parser.options(
        ("--start PATH", str, "an executable file without arguments that becomes the plugin"),
        ("--restarts N", verb.number(1, 64), "how often, 1..64 (5)"),
        ("--patience TIME", verb.duration(0.001, 600), "for one start and for one end (60s)"),
        ("--log FILE", Path, "where the plugin's output goes (nowhere)"),
        ("--cpu N", verb.number(0, 1023), "run the clients, and what they start, on CPU N only"),
        ("--json", None, "one JSON document instead of a table"))
    parser.set_defaults(restarts=5, patience=60.0, log=os.devnull)
    o = parser.parse_args(words)
    if o.start is None:
        raise Usage("it wants --start PATH: a program that becomes the plugin")
    verb.pin(o.cpu)
    runs: list[dict[str, float]] = []
    status, fault = verb.GOOD, ""
    stop = verb.Stop().catch()
    try:
        with open(o.log, "ab") as log, Gap(bench, o, log, stop) as gap:
            gap.come_up()
            while len(runs) < o.restarts:
                if stop.asked:
                    raise Stopped
                runs.append(gap.restart())
    except (Stopped, Wrong, Unable) as error:
        status = verb.WRONG if isinstance(error, Wrong) else verb.UNABLE
        fault = str(error) or f"interrupted: {len(runs)} of {o.restarts} restarts"
        verb.complain("gap", fault)
    figures = {name: median(run[name] for run in runs) for name in MEANINGS if runs}
    if o.json:
        verb.print_document({
            "tool": "keyward-bench gap", "schema": 1, "version": verb.version(bench),
            "partial": len(runs) < o.restarts, "fault": fault, "socket": o.socket,
            "start": o.start, "restarts": o.restarts, "runs": runs, "figures": figures})
        return status
    print(f"{o.socket}: {len(runs)} of {o.restarts} restarts")
    for name, middle in figures.items():
        print(f"  {MEANINGS[name]:26} {middle:8.1f} ms, at most {max(r[name] for r in runs):.1f}")
    return status

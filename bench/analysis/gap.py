# SPDX-License-Identifier: Apache-2.0
"""How long a plugin takes to come up, and what a client misses while it restarts."""
import json
import os
import subprocess
import time
from contextlib import ExitStack
from statistics import median
from typing import IO, Any

import tables
import verb
from verb import Document, Process, Stopped, Unable, Usage

MEANINGS = {"stop_ms": "SIGTERM to the end", "start_status_ms": "start to a good Status",
            "start_decrypt_ms": "start to a good Decrypt", "gap_ms": "without a good Decrypt"}
SETTLED = 1.0  # seconds of good calls before a restart
# What the plugin was asked is right, it made the ciphertext itself: these codes say that
# it does not know it any more.  Anything else may pass.
FINAL = {"INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "DATA_LOSS"}


class Wrong(Exception):
    """A seed came back that is not ours."""


class Gap(ExitStack):
    """The plugin, which has ended when `with` is left."""

    def __init__(self, bench: str, o: Any, log: IO[bytes], stop: verb.Stop) -> None:
        super().__init__()
        self.bench, self.log, self.stop = bench, log, stop
        self.socket, self.start, self.patience = o.socket, o.start, o.patience

    def load(self, *words: str) -> Process:
        argv = [self.bench, "load", self.socket, "--yes", "--in-flight", "1", "--ciphertexts",
                "distinct:1", "--warmup", "0s", "--json", "--quiet", *words]
        return verb.start(argv, subprocess.PIPE, subprocess.PIPE, text=True)

    def seen_by(self, load: Process) -> tuple[Document, str]:
        out, said = load.communicate()
        document: Document = json.loads(out) if out.startswith("{") else {}
        if document.get("wrong"):
            raise Wrong(f"{self.socket} gave back another seed than it was given")
        return document, said.strip().rpartition("\n")[2]

    def come_up(self) -> int:
        """When it was started.  Comes back when it serves."""
        began = time.monotonic_ns()
        try:
            plugin = self.plugin = verb.start([self.start], self.log, self.log)
        except OSError as error:
            raise Unable(f"{self.start}: {error.strerror}: it wants an executable file that "
                         "becomes the plugin") from error
        self.callback(verb.end, plugin, self.patience)
        while True:
            with self.load("--calls", "1", "--timeout", "1s") as probe:
                _, said = self.seen_by(probe)
            if probe.returncode == verb.GOOD:
                return began
            self.stop.check()
            if plugin.poll() is not None:
                raise Unable(f"{self.start} ended with exit status {plugin.returncode} before it "
                             "served: look at what it said (--log FILE)")
            if time.monotonic_ns() > began + 1e9 * self.patience:
                raise Unable(f"{self.socket}: no good Decrypt within {self.patience:g} s of the "
                             f"start; the client said {said}")

    def restart(self) -> dict[str, float]:
        # Longer than all that is waited for; they are ended before.
        most = ("--reconnect", "--seconds", f"{min(3600, int(2 * self.patience + 60))}s")
        with ExitStack() as stack:
            loads = [stack.enter_context(self.load("--mix", method, *most))
                     for method in ("status", "decrypt")]
            for load in loads:
                stack.callback(load.kill)
            if verb.ended(self.plugin, SETTLED):
                raise Unable(f"{self.start} ended by itself")
            told = time.monotonic_ns()
            if not verb.end(self.plugin, self.patience):
                raise Unable(f"{self.start} did not end within {self.patience:g} s of SIGTERM")
            ended = time.monotonic_ns()
            began = self.come_up()
            verb.ended(self.plugin, SETTLED)
            for load in loads:
                load.terminate()
            status, decrypt = (outage(*self.seen_by(load), ended) for load in loads)
        times = (ended - told, status[1] - began, decrypt[1] - began, decrypt[1] - decrypt[0])
        return {name: ns / 1e6 for name, ns in zip(MEANINGS, times)}


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
    o = verb.Parser("gap", __doc__, restarts=5, patience=60.0, log=os.devnull).parse_args(words)
    if o.start is None:
        raise Usage("it wants --start PATH: a program that becomes the plugin")
    verb.pin(o.cpu)
    runs: list[dict[str, float]] = []
    status, fault, stop = verb.GOOD, "", verb.Stop().catch()
    try:
        with open(o.log, "ab") as log, Gap(bench, o, log, stop) as gap:
            gap.come_up()
            while len(runs) < o.restarts:
                stop.check()
                runs.append(gap.restart())
    except (Stopped, Wrong, Unable) as error:
        status = verb.WRONG if isinstance(error, Wrong) else verb.UNABLE
        fault = str(error) or f"interrupted: {len(runs)} of {o.restarts} restarts"
        verb.complain("gap", fault)
    figures = {name: median(run[name] for run in runs) for name in MEANINGS if runs}
    tables.show(o.json, "gap", {
        "tool": "keyward-bench gap", "schema": 1, "version": verb.version(bench),
        "partial": len(runs) < o.restarts, "fault": fault, "socket": o.socket, "start": o.start,
        "restarts": o.restarts, "runs": runs, "figures": figures}, meanings=MEANINGS)
    return status

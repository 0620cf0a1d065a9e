# SPDX-License-Identifier: Apache-2.0
"""Measures keyward on this machine, beside what it is compared with, and writes a report."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from time import gmtime, strftime
from typing import Any, Sequence

import results
import tables
import verb

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "build" / "release" / "bin" / "keyward-bench"
PREPARE = Path(__file__).parent / "prepare"
UP = "event=hsm-state.*to=up"  # what keywardd says when it serves
KNEE = (40, 60, 75, 85, 95, 105, 120)  # per cent of what the closed loop gives


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def said_by(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False,
                          cwd=ROOT).stdout.strip()


def layout_for(cpus: int) -> tuple[str, str, str]:
    """Its name, the client's CPUs and the servers', who must not wait for the client."""
    if cpus <= 3:
        return ("same", "0", "0") if cpus == 1 else ("split", "1", "0")
    return "wide", str(cpus - 1), f"0-{cpus - 2}"


def socket(state: Path, server: str) -> str:
    node, _, label = server.partition("/")
    return f"{state}/{node}/run/{label}.sock" if label else f"{state}/{node}.sock"


def rows_of(o: argparse.Namespace, table: str) -> list[list[str]]:
    parts = ["primary"] + ["quick"] * (not o.compare) + ["full"] * o.full
    lines = (Path(__file__).parent / table).read_text().splitlines()
    return [row[1:] for row in map(str.split, lines) if row and row[0] in parts]


def matrix(o: argparse.Namespace, state: Path, rates: Sequence[str] = ()) -> dict[str, str]:
    """The cells' command lines; --yes as a keywardd's workers hide which module they have.
    Primary, with a star to their name, are all cells of a comparison, else the quick ones."""
    how = f"--seconds {'2s --warmup 700ms' if o.full else '1500ms --warmup 300ms'}"
    made: dict[str, str] = {}
    for name, numbers, server, *words in rows_of(o, "matrix.txt"):
        for prefix in ("old.", "new.") if o.compare else ("",):
            for number in numbers.split(","):
                line = [] if server == "-" else ["load", socket(state, prefix + server), "--yes"]
                line += [*words, "--in-flight", number, *[how] * ("--seconds" not in words)]
                made.setdefault(f"{prefix}{name}-{number}", " ".join(line).format(state=state))
    for rate in rates:
        made[f"uncached-r{rate}"] = f"{made['uncached-64']} --rate {rate} @subject=uncached"
    if o.full:
        made["gap-restart"] = (f"gap {socket(state, 'gap/cached')} --start {state}/gap/start "
                               "--restarts 3")
    primary = [*made][:None if o.compare else 8]
    return {name + "*" * (name in primary): line for name, line in made.items()}


class Subjects(ExitStack):
    """Servers on their CPUs, and a folder for them: all of it is gone when `with` is left."""

    def __init__(self, stop: verb.Stop, cpus: str) -> None:
        super().__init__()
        self.stop, self.cpus = stop, cpus
        # Short, as a socket's path is, and where the daemon's user can go.
        self.path = Path(self.enter_context(tempfile.TemporaryDirectory(
            prefix="keyward-bench-", dir="/var/tmp")))
        self.path.chmod(0o755)
        self.servers: dict[str, verb.Process] = {}

    def prepare(self, *words: Any) -> None:
        """What has to succeed; when it does not, the end of its log is shown."""
        log = self.path / f"{words[0]}.log"
        with open(log, "ab") as out:
            done = self.stop.run([PREPARE, *words], stdout=out, stderr=out)
        self.stop.check()
        if done.returncode != 0:
            print(*log.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)
            raise verb.Unable(f"this failed (see above): prepare {' '.join(map(str, words))}")

    def launch(self, name: str, ready: str, argv: Any, **env: str) -> None:
        path = self.path / f"{name}.log"
        with open(path, "wb") as log:
            server = self.servers[name] = verb.start(argv, log, log, env={**os.environ, **env})
        self.callback(self.end, name, server)
        while re.search(ready, path.read_text(errors="replace"), re.MULTILINE) is None:
            self.stop.check()
            if verb.ended(server, 0.02):
                raise verb.Unable(f"{name} did not come up: {path.read_text(errors='replace')}")

    def end(self, name: str, server: verb.Process) -> None:
        if not verb.end(server, 15):
            verb.complain("suite", f"{name} did not end within 15 s of SIGTERM: killed")

    def token(self, name: str, *slowed: Any) -> tuple[dict[str, str], list[str]]:
        """An empty one of SoftHSM: environment, and words that name it."""
        folder = self.path / f"token-{name}"
        self.prepare("token", folder, *slowed)
        module, env = ((folder / file).read_text() for file in ("module", "env"))
        words = f"--module {module} --uri pkcs11:token=bench --pin file:{folder}/pin"
        return dict(line.split(" ", 1) for line in env.splitlines()), words.split()

    def daemon(self, node: str) -> None:
        """As it was prepared.  One that is there ends first, and its cache with it."""
        if node in self.servers:
            self.end(node, self.servers[node])
        self.launch(node, UP, [self.path / node / "start"])

    def serve(self, name: str, program: Path, *words: Any, **env: str) -> None:
        """A server of ours that says its first line when it serves; @ is its socket's path."""
        socket = f"{self.path}/{name}.sock"
        told = ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", self.cpus]  # when we die
        self.launch(name, f" {re.escape(socket)}$",
                    [*told, program, *(socket if word == "@" else word for word in words)], **env)

    def start(self, rows: list[list[str]], prefix: str, bench: Path, programs: str) -> None:
        """As servers.txt says."""
        for name, kind, *words in rows:
            name = prefix + name
            if kind in ("node", "ready"):
                self.prepare("node", self.path / name, self.path / programs, self.cpus, *words)
                if kind == "node":
                    self.daemon(name)
            elif kind == "bench":
                self.serve(name, bench, *words)
            else:
                program, slowed = bench, words if kind == "peer" else []
                env, token = self.token(name, self.path / programs, *slowed)
                if kind == "peer":
                    program, pin = bench.with_name("keyward-bench-peer"), token[-1][len("file:"):]
                    words, token = [], [*token[:2], "--token", "bench", "--pin", pin, "@"]
                self.serve(name, program, *words, *token, **env)


class Suite:
    def __init__(self, o: argparse.Namespace) -> None:
        self.o, self.stop = o, verb.Stop()
        self.layout, self.client, self.server = layout_for(len(os.sched_getaffinity(0)))
        self.results = ROOT / "results" / (o.name or strftime("%Y%m%d-%H%M%S", gmtime()))
        self.most = o.rounds or (12 if o.full else 10)
        # Of two revisions as many as it takes: else the answer is "cannot tell".
        self.how_long = ["--rounds", str(self.most)] if o.rounds or not o.compare else [
            "--until", "5%", "--for", "20m"]
        self.failed: list[str] = []

    def rounds(self, cells: dict[str, str], **notes: str) -> list[str]:
        layout = f"{self.layout}=client:{self.client},server:{self.server}"
        return [str(BENCH), "rounds", "--out", str(self.results), *self.how_long,
                "--cpu-client", self.client, "--layout", layout,
                *(f"--note={key}={value}" for key, value in notes.items()),
                *(f"{name}={line}" for name, line in cells.items())]

    def bench(self, *words: Any, side: str = "client") -> list[Any]:
        return ["taskset", "-c", self.client if side == "client" else self.server, BENCH, *words]

    def also(self, file: str, words: list[str], side: str = "client", **env: str) -> None:
        """One with a document.  What fails is told at the end, as the rest is worth having."""
        say(f"{file}: {' '.join(words)}")
        done = self.stop.run(self.bench(*words, side=side), stdout=subprocess.PIPE,
                             env={**os.environ, **env})
        wrong = ""
        try:  # half of one would leave all the others without a report
            results.parse(done.stdout)
            results.replace(self.results / file, done.stdout)
        except (ValueError, RecursionError):
            wrong = ", and its document is not whole"
        if done.returncode != 0 or wrong:
            self.failed.append(f"{file}: its measurement ended with exit status "
                               f"{done.returncode}{wrong}")

    def storm(self, subjects: Subjects, node: str, seeds: int) -> None:
        words = ["storm", socket(subjects.path, f"{node}/cached"), "--yes"]
        corpus = f"{subjects.path}/corpus-{node}"
        say(f"{seeds} ciphertexts for a storm on {node}")
        self.stop.run(self.bench(*words, "--seeds", seeds, "--prepare", corpus))
        subjects.daemon(node)
        self.also(f"storm-{node}.json", [*words, "--corpus", corpus, "--status",
                                         socket(subjects.path, f"{node}/status"), "--json"])

    def others(self, subjects: Subjects) -> None:
        self.stop.check()
        self.storm(subjects, "wall2", 1000)
        if self.o.full:
            self.storm(subjects, "slow2ms", 500)
        env, token = subjects.token("curve")
        names = {"state": subjects.path, "results": self.results, "token": " ".join(token)}
        for file, side, *words in rows_of(self.o, "others.txt"):
            self.also(file, " ".join(words).format(**names).split(), side, **env)

    def rates(self, state: Path) -> list[str]:
        """Around the knee, which nobody knows beforehand."""
        seen = self.stop.run(self.bench(
            "load", socket(state, "wall2/uncached"), "--yes", "--seconds", "2s", "--warmup",
            "500ms", "--json"), stdout=subprocess.PIPE)
        self.stop.check()
        if seen.returncode != verb.GOOD:
            raise verb.Unable("a first look at keywardd gave no figure")
        knee = json.loads(seen.stdout)["figures"]["calls_per_s"]
        return [str(int(knee * percent / 100)) for percent in KNEE]

    def run_matrix(self, subjects: Subjects, configuration: str) -> None:
        cells = matrix(self.o, subjects.path, self.rates(subjects.path) if self.o.full else [])
        commit = said_by("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
        disk = said_by(str(PREPARE), "disk", str(subjects.path))
        say(f"the matrix: {len(cells)} cells, {' '.join(self.how_long)}; {disk}")
        status = self.stop.run(self.rounds(
            cells, commit=commit or "unknown", configuration=configuration, disk=disk,
            token=f"SoftHSM {said_by('softhsm2-util', '--version')}")).returncode
        if not (self.results / "results.json").exists():
            self.stop.check()
            raise verb.Unable("nothing was measured (see above)")
        if status != 0:
            self.failed.append(f"the matrix ended with exit status {status}: what it has is in "
                               f"{self.results}/results.json")

    def measure_tree(self, subjects: Subjects) -> int:
        subjects.start(rows_of(self.o, "servers.txt"), "", BENCH, "bin")
        self.run_matrix(subjects, "2 workers a token, cache 8192; tokens slowed by tests/fault")
        try:
            self.others(subjects)
        finally:  # also of what Ctrl-C left
            say("report")
            status = subprocess.call([BENCH, "report", self.results])
        return status

    def measure_both(self, subjects: Subjects) -> int:
        sha = said_by("git", "rev-parse", "--short=12", f"{self.o.compare}^{{commit}}")
        tree, rows = ROOT / "build" / "compare" / sha, rows_of(self.o, "servers.txt")
        subjects.prepare("tree", subjects.path / "other", tree, sha)
        subjects.start(rows, "old.", tree / BENCH.relative_to(ROOT), "other")
        subjects.start(rows, "new.", BENCH, "bin")
        self.run_matrix(subjects, f"old is {sha} ({self.o.compare}), new is this tree")
        if subprocess.call([BENCH, "split", self.results, f"old={sha}", "new"]) != 0:
            raise verb.Unable(f"{self.results} could not be told apart (see above)")
        say(f"this tree compared with {self.o.compare}")
        return subprocess.call([BENCH, "compare", self.results / "old", self.results / "new"])

    def measure(self, subjects: Subjects) -> int:
        say("packages and the release build")
        subjects.prepare("here", subjects.path / "bin", self.server, self.o.compare or "all")
        return (self.measure_both if self.o.compare else self.measure_tree)(subjects)

    def run(self) -> int:
        """The exit status is that of the report or the comparison; not 0 when anything failed."""
        self.stop.catch()
        status = verb.GOOD
        with suppress(verb.Stopped), Subjects(self.stop, self.server) as subjects:
            status = self.measure(subjects)
        if kept := (self.results / "results.json").exists():
            say(f"results: {self.results}")
        for text in self.failed:
            verb.complain("suite", text)
        if self.stop.asked:
            raise verb.Unable("interrupted: what was measured until then is there, marked partial"
                              if kept else "interrupted before anything was measured")
        return max(verb.WRONG, status) if self.failed else status


def main(words: list[str], _bench: str) -> int:
    o = verb.Parser("suite", __doc__).parse_args(words)
    suite = Suite(o)
    known = not o.compare or said_by("git", "rev-parse", "--verify", f"{o.compare}^{{commit}}")
    verb.refuse_if(
        verb.Usage, (o.compare and o.full, "--compare measures primary cells; leave out --full"),
        (not known, f"--compare {o.compare}: git knows no such revision here"),
        (re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]*", o.name or "x") is None,
         f"--name {o.name}: letters, digits and ._-"),
        (suite.results.exists(), f"{suite.results} is there already: choose another --name"))
    if not o.dry_run:
        return suite.run()
    rates = [f"{percent}%" for percent in KNEE] if o.full else []
    cells = matrix(o, Path("/var/tmp/keyward-bench-XXXXXX"), rates)
    print(tables.render("suite-dry-run", {"suite": suite, "cells": cells, "full": o.full}))
    return verb.GOOD

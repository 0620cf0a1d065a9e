# SPDX-License-Identifier: Apache-2.0
"""ci/bench: measures keyward on this machine, beside what it is compared with, and writes
a report.  Builds, starts, measures, and takes all of it away again whichever way it ends.

Needs nothing but Python's own library until ci/install was run.
"""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from time import gmtime, strftime
from typing import Optional, Union

import machine
import verb
from machine import Commands, Interrupted, Layout, Scratch
from subjects import Subjects
from verb import Unable, Usage

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("keyward", "keywardd", "keyward-hsm")
KNEE = (40, 60, 75, 85, 95, 105, 120)  # per cent of what the closed loop gives
HELP = """\
Without options: the eight primary cells, a storm, a plan and the micro-benchmarks, about
five minutes on two cores once everything is built.  --full: everything there is, the
slowed tokens and the rates around the knee included, about three quarters of an hour.
--compare builds the revision REV beside this one, measures both by turns in one run until
the primary cells are known to 5 % or 20 minutes are over, and says whether this one is
slower.

Builds the release, makes throw-away SoftHSM tokens in a folder below /var/tmp, starts
what is measured on CPUs of its own, and stops and removes all of that again whichever
way it ends.  Ctrl-C keeps what was measured.  Results lie in results/NAME (by default
the date): report.html is for people.
"""


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


# ---- the matrix ---------------------------------------------------------------------------------


class Matrix:
    """The cells, each once.  The first is the base of all ratios."""

    def __init__(self, state: Path, times: str) -> None:
        self.state, self.times = state, times
        self.cells: dict[str, str] = {}

    def socket(self, name: str) -> str:
        """Of a server, or of NODE/CLASS."""
        node, _, label = name.partition("/")
        return f"{self.state}/{node}/run/{label}.sock" if label else f"{self.state}/{name}.sock"

    def load(self, name: str, server: str, in_flight: int, words: str = "") -> None:
        """--yes: a keywardd's workers hide from anybody but root which module they have."""
        line = f"load {self.socket(server)} --yes --in-flight {in_flight} {self.times} {words}"
        if name not in {known.rstrip("*") for known in self.cells}:
            self.cells[name] = line.strip()

    def of_keyward(self, prefix: str = "") -> None:
        """What two revisions are compared by, too."""
        for name, server, in_flight, words in (
                ("echo-64", "echo", 64, ""),
                ("hit-64", "wall2/cached", 64, "--ciphertexts distinct:200"),
                ("uncached-64", "wall2/uncached", 64, ""),
                ("status-64", "wall2/uncached", 64, "--mix status"),
                ("encrypt-64", "wall2/uncached", 64, "--mix encrypt"),
                ("uncached-1", "wall2/uncached", 1, "")):
            self.load(f"{prefix}{name}*", prefix + server, in_flight, words)

    def quick(self) -> None:
        self.of_keyward()
        self.load("inproc-64*", "inproc", 64)
        self.load("peer-64*", "peer", 64)

    def full(self, rates: list[str]) -> None:
        for subject, server, words in (
                ("echo", "echo", ""), ("software", "software", ""), ("inproc", "inproc", ""),
                ("copy", "copy", ""), ("wall1", "wall1/uncached", ""),
                ("wall2", "wall2/uncached", ""),
                ("hit", "wall2/cached", "--ciphertexts distinct:200"),
                ("uncached", "wall2/uncached", ""),
                ("repeat90", "wall2/small", "--ciphertexts repeat:90:1000"),
                ("encrypt", "wall2/uncached", "--mix encrypt"),
                ("encrypt-inproc", "inproc", "--mix encrypt"),
                ("encrypt-noverify", "noverify", "--mix encrypt"),
                ("status", "wall2/uncached", "--mix status"), ("peer", "peer", ""),
                ("peer-encrypt", "peer", "--mix encrypt"),
                ("peer-status", "peer", "--mix status")):
            for in_flight in (1, 8, 64):
                self.load(f"{subject}-{in_flight}", server, in_flight, words)
        # Few ciphertexts: each is made by two operations of a slow token, in every round.
        for slow, us in (("slow500us", 500), ("slow2ms", 2000), ("slow10ms", 10000)):
            words = f"--ciphertexts distinct:128 @token_delay_us={us}"
            self.load(f"{slow}-64", f"{slow}/uncached", 64, words)
            self.load(f"{slow}-hit-64", f"{slow}/cached", 64, words)
        for rate in rates:
            self.load(f"uncached-r{rate}", "wall2/uncached", 64, f"--rate {rate} @subject=uncached")
        self.cells["gap-restart"] = (f"gap {self.socket('gap/cached')} --start "
                                     f"{self.state}/gap/start --restarts 3")


# ---- the run -------------------------------------------------------------------------------------


class Suite:
    def __init__(self, words: list[str]) -> None:
        o = options().parse_args(words)
        if o.compare and o.full:
            raise Usage("--compare measures primary cells; leave out --full")
        if o.name is not None and re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]*", o.name) is None:
            raise Usage(f"--name {o.name}: letters, digits and ._-")
        self.full, self.dry, self.compare, self.sha = o.full, o.dry_run, o.compare, ""
        if o.compare:
            self.sha = self.git("rev-parse", "--verify", "--quiet", f"{o.compare}^{{commit}}")
            if not self.sha:
                raise Usage(f"--compare {o.compare}: git knows no such revision here")
        self.results = ROOT / "results" / (o.name or strftime("%Y%m%d-%H%M%S", gmtime()))
        if self.results.exists():
            raise Usage(f"{self.results} is there already: choose another --name")
        self.rounds = o.rounds or (12 if o.full else 10)
        self.how_long = ["--rounds", str(self.rounds)]
        if o.compare and o.rounds is None:
            self.how_long = ["--until", "5%", "--for", "20m"]  # else the answer is "cannot tell"
        self.times = f"--seconds {'2s --warmup 700ms' if o.full else '1500ms --warmup 300ms'}"
        self.layout: Layout = machine.choose_layout()
        self.bench = ROOT / "build" / "release" / "bin" / "keyward-bench"
        self.commands, self.failed, self.unsure = Commands(), list[str](), ""

    @staticmethod
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True,
                              check=False).stdout.strip()

    def matrix(self, state: Path) -> Matrix:
        m = Matrix(state, self.times)
        if self.compare:
            m.of_keyward("old.")
            m.of_keyward("new.")
        else:
            m.quick()
        return m

    def dry_run(self) -> None:
        """What would run: nothing is built, started or written."""
        m = self.matrix(Path("/var/tmp/keyward-bench-XXXXXX"))
        if self.full:
            m.full([f"{percent}%" for percent in KNEE])
        say(f"would build the release, start what is measured on CPU {self.layout.server}, and "
            f"measure from CPU {self.layout.client}")
        for name, words in m.cells.items():
            print(f"{name}: keyward-bench {words}")
        seconds = (len(m.cells) + 1) * self.rounds * (3.2 if self.full else 2.3)
        time = "at most 20" if "--until" in self.how_long else f"about {int(seconds / 60) + 1}"
        rest = "the comparison" if self.compare else "storms, plans and micro-benchmarks"
        print(f"{len(m.cells)} cells and the control, rounds {' '.join(self.how_long)}: {time} "
              f"min; then {rest}\nresults would lie in {self.results}")

    def build(self, scratch: Scratch) -> None:
        say("packages")
        parts = ["--bench"] + ["--unit"] * self.full  # the fault module belongs to the tests
        if self.commands.run([ROOT / "ci" / "install", *parts]) != 0:
            raise Unable(f"ci/install {' '.join(parts)} failed (see above)")
        os.environ["PATH"] = f"{ROOT}/build/tools/go/bin:{os.environ['PATH']}"
        say("release build")
        more = [] if self.compare else ["keyward-bench-micro", "peer"]
        self.build_tree(scratch, "build", ROOT, "bin", more + ["kw_fault"] * self.full)
        if self.full:
            shutil.copy(ROOT / "build" / "release" / "tests" / "keyward-fault.so",
                        scratch.path / "bin")

    def build_tree(self, scratch: Scratch, log: str, tree: Path, to: str, more: list[str]) -> None:
        testing = "ON" if "kw_fault" in more else "OFF"
        scratch.logged(log, "env", "-C", tree, "cmake", "--preset", "release",
                       f"-DBUILD_TESTING={testing}", "-DKEYWARD_BENCH=ON")
        scratch.logged(log, "cmake", "--build", tree / "build" / "release", "--target", *PROGRAMS,
                       "keyward-bench", *more)
        (scratch.path / to).mkdir(exist_ok=True)
        for program in PROGRAMS:
            shutil.copy(tree / "build" / "release" / "bin" / program, scratch.path / to)

    def build_other(self, scratch: Scratch) -> Path:
        """Another revision, in a worktree that stays for the next time."""
        tree = ROOT / "build" / "compare" / self.sha[:12]
        say(f"release build of {self.compare} ({tree})")
        if not (tree / ".git").exists():
            self.git("worktree", "prune")
            scratch.logged("build-other", "git", "-C", ROOT, "worktree", "add", "--detach", tree,
                           self.sha)
        self.build_tree(scratch, "build-other", tree, "other", [])
        return tree / "build" / "release" / "bin" / "keyward-bench"

    # ---- measuring ---------------------------------------------------------------------------

    def measured(self, *words: Union[str, Path]) -> list[str]:
        return ["taskset", "-c", self.layout.client, str(self.bench), *map(str, words)]

    def run_matrix(self, m: Matrix, commit: str, configuration: str) -> None:
        """The one place where the matrix is run."""
        version = subprocess.run(["softhsm2-util", "--version"], capture_output=True, text=True,
                                 check=False).stdout.strip()
        say(f"the matrix: {len(m.cells)} cells, {' '.join(self.how_long)}")
        notes = {"commit": commit, "token": f"SoftHSM {version}", "configuration": configuration}
        status = self.commands.run([
            self.bench, "rounds", "--out", self.results, *self.how_long, "--cpu-client",
            self.layout.client, "--layout", self.layout.words(),
            *(word for note in notes.items() for word in ("--note", "=".join(note))),
            *(f"{name}={words}" for name, words in m.cells.items())])
        kept = self.results / "results.json"
        if not kept.exists():
            raise Unable("nothing was measured (see above)")
        if status != 0:
            self.failed.append(f"the matrix ended with exit status {status}: what it has is in "
                               f"{kept}")

    def also(self, what: str, file: str, words: list[str],
             env: Optional[dict[str, str]] = None) -> None:
        """Another measurement with a document of its own.  What fails is told at the end, as
        the rest is worth having."""
        path = self.results / file
        say(what)
        with open(path, "wb") as out:
            status = self.commands.run(words, out, env=env)
        if path.stat().st_size == 0:
            path.unlink()
        if status != 0:
            self.failed.append(f"{what} ended with exit status {status}")

    def storm(self, subjects: Subjects, node: str, seeds: int) -> None:
        """A restart of the API servers against an empty cache."""
        socket = f"{subjects.path}/{node}/run/cached.sock"
        corpus = subjects.path / f"corpus-{node}"
        with open(subjects.scratch.log("storm"), "ab") as log:
            status = self.commands.run(self.measured("storm", socket, "--yes", "--seeds",
                                                     str(seeds), "--prepare", corpus), log)
        if status != 0:
            self.failed.append(f"the storm's ciphertexts were not made ({node})")
            return
        subjects.stop(node)
        subjects.start_daemon(node)
        self.also(f"a storm on {node}: 3 API servers, {seeds} seeds, nothing in the cache",
                  f"storm-{node}.json", self.measured(
                      "storm", socket, "--yes", "--corpus", corpus, "--status",
                      f"{subjects.path}/{node}/run/status.sock", "--json"))

    def others(self, subjects: Subjects) -> None:
        self.storm(subjects, "wall2", 1000)
        env, token = subjects.token("curve")
        self.also("the token alone, by how many work with it", "token-curve.json", [
            "taskset", "-c", self.layout.server, str(self.bench), "token", "--curve", "1,2,4",
            "--seconds", "2s", "--warmup", "500ms", *token, "--json"], env)
        curve, plan = self.results / "token-curve.json", [str(self.bench), "plan"]
        if curve.exists():
            self.also("a plan by that token", "plan-here.json",
                      [*plan, "--curve", str(curve), "--seeds", "1000", "--json"])
        self.also("a plan by a token over a network", "plan-network.json", [
            *plan, "--latency", "2ms", "--sessions", "8", "--seeds", "1000", "--json"])
        self.also("micro-benchmarks", "micro.json", self.measured(
            "micro", "--benchmark_format=json",
            f"--benchmark_min_time={0.2 if self.full else 0.02}"))
        if self.full:
            self.storm(subjects, "slow2ms", 500)
            self.also("a day of polls and restarts in a minute", "storm-day.json", self.measured(
                "storm", f"{subjects.path}/wall2/run/cached.sock", "--yes", "--day", "--status",
                f"{subjects.path}/wall2/run/status.sock", "--json"))

    def choose_rates(self, m: Matrix) -> list[str]:
        """Where the knee is, is not known beforehand: a look at what the closed loop gives."""
        seen = subprocess.run(self.measured(
            "load", m.socket("wall2/uncached"), "--yes", "--seconds", "2s", "--warmup", "500ms",
            "--json"), stdout=subprocess.PIPE, check=False)
        if seen.returncode != 0:
            raise Unable("a first look at keywardd gave no figure")
        knee = json.loads(seen.stdout)["figures"]["calls_per_s"]
        return [str(int(knee * percent / 100)) for percent in KNEE]

    def measure_tree(self, subjects: Subjects, commit: str) -> None:
        subjects.start_quick()
        m = self.matrix(subjects.path)
        if self.full:
            subjects.start_full()
            m.full(self.choose_rates(m))
        self.run_matrix(m, commit, "2 workers a token, cache 8192; tokens slowed by tests/fault")
        try:
            self.others(subjects)
        finally:  # also of what Ctrl-C left
            say("report")
            if subprocess.run([self.bench, "report", self.results], check=False).returncode != 0:
                self.failed.append("the report was not written (see above)")

    def measure_both(self, subjects: Subjects, commit: str, other_bench: Path) -> None:
        sha = self.sha[:12]
        subjects.start_compare(self.compare, other_bench)
        self.run_matrix(self.matrix(subjects.path), commit,
                        f"old is {sha} ({self.compare}), new is {commit}")
        if subprocess.run([self.bench, "split", self.results, f"old={sha}", f"new={commit}"],
                          check=False).returncode != 0:
            raise Unable("the results could not be told apart")
        say(f"this tree compared with {self.compare}")
        status = subprocess.run([self.bench, "compare", self.results / "old" / "results.json",
                                 self.results / "new" / "results.json"], check=False).returncode
        if status == verb.WRONG:
            self.failed.append(f"this tree is slower than {self.compare} (see above)")
        elif status != verb.GOOD:
            self.unsure = (f"the comparison ended with exit status {status}: it could not tell "
                           "(see above)")

    def run(self) -> int:
        self.commands.catch()
        try:
            with Scratch(self.commands) as scratch:
                user, become = machine.choose_user()
                self.build(scratch)
                other: Optional[Path] = self.build_other(scratch) if self.compare else None
                commit = self.git("describe", "--always", "--dirty", "--abbrev=12",
                                  "--exclude=*") or "unknown"
                with Subjects(scratch, self.layout, user, become, self.bench) as subjects:
                    if other is not None:
                        self.measure_both(subjects, commit, other)
                    else:
                        self.measure_tree(subjects, commit)
        except Interrupted:
            pass
        return self.finish()

    def finish(self) -> int:
        if self.commands.asked and not self.results.exists():
            raise Unable("interrupted before anything was measured")
        page = self.results / "report.html"
        say(f"results: {self.results}" + (f"\n{page}" if page.exists() else ""))
        for text in self.failed:
            verb.complain("suite", text)
        if self.commands.asked:
            raise Unable("interrupted: what was measured is there, marked partial")
        if self.failed:
            return verb.WRONG
        if self.unsure:
            raise Unable(self.unsure)
        return verb.GOOD


def options() -> verb.Parser:
    parser = verb.Parser("ci/bench", "Measures keyward on this machine, beside what it is compared "
                         "with, and writes a report.", HELP)
    add = parser.add_argument
    add("--full", action="store_true", help="everything there is")
    add("--compare", action=verb.Once, metavar="REV",
        help="this tree and another revision by turns")
    add("--name", action=verb.Once, metavar="NAME", help="of the folder below results (the date)")
    add("--rounds", action=verb.Once, type=verb.number(1, 64), metavar="N", help="how many")
    add("--dry-run", action="store_true", help="say what would run, and for how long")
    return parser


def main(words: list[str], _bench: str) -> int:
    suite = Suite(words)
    if suite.dry:
        suite.dry_run()
        return verb.GOOD
    return suite.run()

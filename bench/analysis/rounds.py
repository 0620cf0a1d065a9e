# SPDX-License-Identifier: Apache-2.0
"""keyward-bench rounds: several measurements by turns, so that each round's ratios met
one machine.

Every round runs each cell once, in a process of its own, odd rounds backwards; the first
cell, the base, runs twice, as itself and as the control: what the control differs from it
is the machine's noise, and a difference within that is none.

A cell is any verb whose --json has figures.  One that fails does not end the run: its
figures of that round stay unknown and the reason is kept.  Wrong usage is no measurement
and ends it.  Only whole rounds count; Ctrl-C ends the round under way and drops it.
"""
import copy
import hashlib
import json
import math
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Optional, Union

import cells
import environment
import judge
import results
import stats
import verb
from cells import Entry, Failed, Reading
from verb import Document, Unable, Usage

Round = list[Union[Reading, Failed]]
COLUMNS = "calls_per_s p50_us p99_us cpu_us server_us workers_us switches client_us".split()
UNFINISHED = "not at its end yet"


class Stopped(Exception):
    """Ctrl-C."""


def pulse() -> float:
    """How long a fixed piece of work takes now, in ns: a chain of hashes, each of which
    waits for the one before, in one piece and not the best of several: long enough for
    somebody else's turn, or the hypervisor's, to fall into it."""
    before = time.perf_counter_ns()
    hashlib.pbkdf2_hmac("sha256", b"the machine's", b"pulse, and no secret", 40000)
    return float(time.perf_counter_ns() - before)


class Progress:
    """On a terminal one line that is drawn again; elsewhere a line every few seconds."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.began = self.told = time.monotonic()

    def tell(self, what: str, part: float) -> None:
        now = time.monotonic()
        if now - self.told < (0.2 if self.terminal else 5) or part <= 0:
            return
        self.told = now
        left = verb.time_words((now - self.began) * max(0.0, 1 / part - 1))
        words = f"{what}: {100 * min(part, 1):.0f} %, {left} left"
        print(f"\r\033[K{words}" if self.terminal else f"keyward-bench rounds: {words}",
              end="" if self.terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        print("\r\033[K" * self.terminal, end="", file=sys.stderr, flush=True)


class Run:
    """Until there are enough rounds.  Tests have a world of their own."""

    def __init__(self, document: Document, entries: list[Entry], bench: str,
                 stop: verb.Stop) -> None:
        self.results = results.Results(document)
        self.entries, self.bench, self.stop = entries, bench, stop
        self.wanted, self.until, self.limit = 8, 0.0, 0.0
        self.keep: Optional[Path] = None
        self.kept = True
        self.histograms: list[list[list[list[int]]]] = []  # by round and cell
        self.progress, self.done = Progress(), 0
        self.clock: Callable[[], float] = time.monotonic
        self.pulse: Callable[[], float] = pulse
        self.measure: Callable[[int], Reading] = self.measure_child
        self.began, self.under_way = 0.0, ""

    # ---- one measurement ------------------------------------------------------------------

    def measure_child(self, at: int) -> Reading:
        entry = self.entries[at]
        argv = [entry.program or self.bench, *entry.words, "--json"]
        with (open(os.memfd_create("out"), "r+b") as out,
              open(os.memfd_create("err"), "r+b") as err,
              subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err) as child):
            told = False
            while not verb.ended(child, 0.2):
                if self.stop.asked and not told:  # Ctrl-C is handed on, once
                    child.send_signal(signal.SIGINT)
                    told = True
                self.tick()
            out.seek(0)
            err.seek(0)
            text, said, status = out.read(), err.read().decode(errors="replace"), child.returncode
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if status == verb.GOOD:
            return cells.reading(document)
        why = said.strip().rpartition("\n")[2].removeprefix(f"keyward-bench {entry.words[0]}: ")
        if isinstance(document, dict):
            why = document.get("fault") or "wrong replies or errors"
        end = f"exit status {status}" if status >= 0 else "a signal ended it"
        why = end + (f": {why}" if why else "")
        raise Usage(why) if status == verb.USAGE else Failed(why)

    def tick(self) -> None:
        """By cells; with a time limit the time that is over, for nobody knows how many."""
        r, count = self.results, len(self.results.cells)
        part = (r.rounds * count + self.done) / (self.wanted * count)
        if self.limit > 0:
            part = (self.clock() - self.began) / self.limit
        self.progress.tell(f"round {r.rounds + 1}, {self.under_way}", part)

    # ---- one round ------------------------------------------------------------------------

    def one_round(self) -> tuple[Round, list[float]]:
        """The order is turned round every time, so that nobody always comes first."""
        r = self.results
        order = range(len(r.cells))
        readings: dict[int, Union[Reading, Failed]] = {}
        pulses: dict[int, float] = {}
        for at in order if r.rounds % 2 == 0 else reversed(order):
            self.done = len(readings)
            if self.stop.asked:
                raise Stopped
            self.under_way = r.cells[at]["name"]
            pulses[at] = self.pulse()
            try:
                readings[at] = self.measure(at)
            except Failed as failed:
                readings[at] = failed
            except Usage as error:
                raise Usage(f"{r.cells[at]['name']}: {error}") from error
            if self.stop.asked:
                raise Stopped
        return [readings[at] for at in order], [pulses[at] for at in order]

    def close_round(self, readings: Round, pulses: list[float]) -> None:
        """The round is whole: now it counts."""
        r, n = self.results, self.results.rounds
        for at, (c, got) in enumerate(zip(r.cells, readings)):
            figures = {} if isinstance(got, Failed) else got.figures
            if len({*r.figures(), *figures}) > results.FIGURES_MAX:
                got, figures = Failed("the cells have more than 32 different figures"), {}
            if isinstance(got, Failed):
                c["failures"] += 1
                c["failure"] = verb.printable(f"round {n}: {got}", 191)
            else:
                c["tool"] = got.tool
            for name in {**c["figures"], **figures}:
                c["figures"].setdefault(name, [None] * n).append(figures.get(name))
            readings[at] = got
        self.histograms.append([[] if isinstance(g, Failed) else g.histogram for g in readings])
        r["pulse"]["rounds"].append(pulses)
        r.document["rounds"] = n + 1
        judge.judge(r)
        for at, c in enumerate(r.cells):  # anew: an earlier round may now be a disturbed one
            merged = results.merged(self.histograms[k][at] for k in r.calm())
            c.pop("histogram", None)
            if merged:
                c["histogram"] = merged

    # ---- all of them ------------------------------------------------------------------------

    def run(self) -> None:
        """What was measured is in the results, also after an exception."""
        self.began = self.clock()
        self.results.document.update(partial=True, fault=UNFINISHED)
        judge.judge(self.results)
        if self.keep is not None:
            results.write(self.results, self.keep)  # before hours are spent
        try:
            while self.results["partial"]:
                before = self.clock()
                self.close_round(*self.one_round())
                self.results.document["partial"] = not self.enough(self.clock() - before)
                self.write()
        except Stopped:
            self.broken("interrupted")
        except (Usage, OSError) as error:
            self.broken(verb.os_words(error) if isinstance(error, OSError) else str(error))
            raise
        finally:
            self.progress.end()

    def broken(self, why: str) -> None:
        self.fault(f"round {self.results.rounds + 1} does not count: {why}")
        self.write()

    def fault(self, text: str) -> None:
        self.results.document["fault"] = verb.printable(text, 191)

    def enough(self, took: float) -> bool:
        """`took`: how long the last round took, and so the next."""
        done = self.results.rounds
        self.fault(UNFINISHED if done < self.wanted else "")
        if self.until <= 0:
            return done >= self.wanted
        width = judge.width(self.results)
        if (width > self.until and done < self.wanted
                and self.clock() - self.began + took <= self.limit):
            return False
        end = "time was up" if done < self.wanted else "no more rounds are kept"
        self.fault("")
        if width == math.inf:
            self.fault(f"{end} after {done} rounds: too few of them were undisturbed and have "
                       "cpu_us to say how well it is known")
        elif width > self.until:
            self.fault(f"{end} after {done} rounds: cpu_us of the primary cells is known to "
                       f"{100 * width:.1f} %, not to the {100 * self.until:.1f} % asked for")
        return True

    def write(self) -> None:
        """A failure is said, and does not end the run: what is measured is still told at
        the end, and the next round tries to write it again."""
        self.results.document["elapsed_s"] = self.clock() - self.began
        if self.keep is None:
            return
        before = self.kept
        try:
            results.write(self.results, self.keep)
            self.kept = True
        except OSError as error:
            self.kept = False
            if before:
                self.progress.end()
                verb.complain("rounds", f"{verb.os_words(error)}: the run goes on and tries again "
                              "after each round")


# ---- for people -------------------------------------------------------------------------------


def dry(run: Run) -> None:
    r, entries = run.results, run.entries
    for c, e in zip(r.cells, entries):
        takes = verb.time_words(e.expected) if e.expected else "nobody knows how long"
        print(f"{c['name']}{'*' if c['primary'] else ''}: keyward-bench {c['command']}  ({takes})")
    print(f"layout {r['layout']['name']}: {r['layout']['words']}")
    total = sum(e.expected for e in entries)
    unknown = sum(not e.expected for e in entries)
    print(f"one round of {len(entries)} cells, the control among them: {verb.time_words(total)}"
          + (f" and what {unknown} of them take whose words do not say it" if unknown else ""))
    if run.until > 0:
        print(f"rounds until the primary cells' cpu_us is known to {100 * run.until:.1f} %, at "
              f"most {run.wanted} of them and {verb.time_words(run.limit)}")
    else:
        print(f"{run.wanted} rounds: {'more than ' if unknown else ''}"
              f"{verb.time_words(total * run.wanted)}")


def table(r: results.Results) -> None:
    """The machine's mood first, then medians, ratios and the noise."""
    print(f"{r['quiet']['verdict']}: {r['quiet']['words']}")
    print(f"layout {r['layout']['name']}: {r['layout']['words']}")
    if r["partial"] or r["fault"]:
        print(f"PARTIAL: {r.rounds} rounds: {r['fault']}" if r["partial"] else r["fault"])
    print()
    if r.rounds == 0:
        return
    there = r.figures()
    columns = [c for c in COLUMNS if c in there]
    columns = (columns + [c for c in there if c not in columns])[:8]
    print(f"{'medians':20}" + "".join(f" {c:>17}" for c in columns))
    for c in r.cells:
        print(f"{c['name']:19}{'*' if c['primary'] else ' '}"
              + "".join(f" {median_words(r, c, k):>17}" for k in columns))
    print(f"\n{'ratio to ' + r['base']:20}" + "".join(f" {c:>21}" for c in columns[:4]))
    for c in r.cells[1:]:
        print(f"{c['name']:20}" + "".join(
            f" {ratio_words(r.ratio(c, r.cells[0], k)):>21}" for k in columns[:4]))
    floor = "".join(f" {k} {x['low']:.3f}-{x['high']:.3f}" for k, x in r["noise"].items()
                    if k in columns[:4])
    print(f"\nnoise floor ({r['control']} once more, as the control):{floor}; what lies within "
          "is no difference")
    for d in r["disturbed"]:
        print(f"round {d['round']} left out: {d['why']}")
    for c in r.cells:
        if c["failures"]:
            print(f"{c['name']} failed in {c['failures']} of {r.rounds} rounds; {c['failure']}")
    print(f"medians and their 95 % intervals (bootstrap) over {len(r.calm())} of {r.rounds} "
          f"rounds, {r['elapsed_s']:.0f} s")


def median_words(r: results.Results, c: Document, figure: str) -> str:
    if all(v is None for v in r.series(c, figure)):
        return "-"
    x = r.median(c, figure)
    if not x.mid > 0:
        return f"{x.mid:.2f}"
    return f"{x.mid:.{0 if x.mid >= 10000 else 2}f} ±{100 * x.reach():.1f}%"


def ratio_words(x: stats.Ratio) -> str:
    return f"{x.mid:.3f} ({x.low:.3f}-{x.high:.3f})" if x.mid > 0 else "-"


# ---- the verb ---------------------------------------------------------------------------------


def percent(text: str) -> float:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)%", text)
    if match is None or not 0.1 <= float(match[1]) <= 50:
        raise Usage(f"--until {text}: it wants 0.1% to 50%")
    return float(match[1]) / 100


def options() -> verb.Parser:
    parser = verb.Parser(
        "keyward-bench rounds",
        "Runs several measurements by turns and tells their ratios to the first.",
        "Each CELL is 'NAME=VERB …': a name and a command line of load, token or another verb\n"
        "with figures, without quotes.  NAME*=… makes it a primary one, by which two runs are\n"
        "compared.  The first one also runs as the control: the same thing twice.  @subject=X\n"
        "and @token_delay_us=N among its words say where it stands in the matrix, @bench=PATH\n"
        "which other keyward-bench measures it.  Ctrl-C keeps whole rounds.\n")
    add = parser.add_argument
    add("cells", nargs="+", metavar="CELL")
    add("--rounds", action=verb.Once, type=verb.number(1, stats.ROUNDS_MAX), metavar="N",
        help="how many, 1..64 (8)")
    add("--until", action=verb.Once, type=percent, metavar="P%%",
        help="or: as many as it takes to know cpu_us of the primary cells so well")
    add("--for", action=verb.Once, dest="limit", type=verb.duration(1, 86400), metavar="TIME",
        help="with --until: no longer than this (10m)")
    add("--out", action=verb.Once, type=Path, metavar="FOLDER",
        help="keep results.json and results.csv there, from round to round")
    add("--layout", action=verb.Once, metavar="WHERE",
        help="NAME=client:CPUS,server:CPUS: kept with the results")
    add("--note", action="append", default=[], metavar="KEY=VALUE",
        help="kept with the results; up to 16 of them, and commit=ID")
    add("--cpu-client", action=verb.Once, type=verb.number(0, 1023), metavar="N",
        help="run what measures on CPU N only")
    add("--dry-run", action="store_true", help="say what would run and for how long")
    add("--json", action="store_true", help="one JSON document instead of tables")
    return parser


def make_run(words: list[str], texts: list[str], bench: str) -> Run:
    made: list[Document] = []
    entries: list[Entry] = []
    for text in texts:
        c, entry = cells.cell(text, [m["name"] for m in made])
        made.append(c)
        entries.append(entry)
    if len(made) > cells.CELLS_MAX:
        raise Usage(f"{cells.CELLS_MAX} cells are the most")
    base = made[0]
    made.append({**copy.deepcopy(base), "name": "control", "primary": False, "control": True})
    entries.append(entries[0])
    machine = environment.machine()
    machine.update(build=environment.build_type(bench), libraries=environment.libraries(bench))
    began = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "tool": results.TOOL, "schema": 1, "version": verb.version(bench),
        "session": secrets.token_hex(8), "partial": True, "fault": UNFINISHED, "began": began,
        "elapsed_s": 0.0,
        "command": verb.printable(shlex.join(["keyward-bench", "rounds", *words])),
        "environment": machine, "fingerprint": environment.fingerprint(machine), "layout": {},
        "base": base["name"], "control": base["name"], "rounds": 0,
        "pulse": {"unit": "ns of a fixed piece of work", "rule": "", "rounds": []},
        "disturbed": [], "quiet": {}, "noise": {}, "cells": made}
    return Run(document, entries, bench, verb.Stop())


def place(run: Run, where: Optional[str], cpu: Optional[int], is_dry: bool) -> None:
    run.results.document["layout"] = cells.layout(where)
    client = run.results["layout"]["client"]
    if cpu is not None and where is not None and client != str(cpu):
        raise Usage(f"--cpu-client {cpu}, and the layout says client:{client}")
    if not is_dry:
        verb.pin(cpu)


def prepare(words: list[str], bench: str) -> tuple[Run, bool, bool]:
    """Everything that can be wrong is found before the first measurement."""
    o = options().parse_intermixed_args(words)
    run = make_run(words, o.cells, bench)
    if o.until is not None and o.rounds is not None:
        raise Usage("--rounds and --until are two ways to say when to end")
    if o.until is None and o.limit is not None:
        raise Usage("--for limits --until, which is not there")
    if o.until is not None and not any(c["primary"] for c in run.results.cells[1:]):
        raise Usage("--until looks at primary cells: mark some behind the first with NAME*=…")
    run.wanted = o.rounds or (8 if o.until is None else stats.ROUNDS_MAX)
    if o.until is not None:
        run.until, run.limit = o.until, o.limit or 600.0
    place(run, o.layout, o.cpu_client, o.dry_run)
    for note in o.note:
        environment.add_note(run.results["environment"], note)
    if o.out is not None and not o.dry_run:
        try:
            o.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unable(f"--out {o.out}: {error.strerror}") from error
        if (o.out / "results.json").exists():
            raise Unable(f"{o.out}/results.json is there already: name another folder with --out")
    run.keep = o.out
    return run, o.dry_run, o.json


def main(words: list[str], bench: str) -> int:
    run, is_dry, as_json = prepare(words, bench)
    if is_dry:
        dry(run)
        return verb.GOOD
    run.stop.catch()
    status = verb.GOOD
    try:
        run.run()
    except (Usage, OSError) as error:
        status = verb.USAGE if isinstance(error, Usage) else verb.UNABLE
        said = verb.os_words(error) if isinstance(error, OSError) else str(error)
        verb.complain("rounds", said)
    r = run.results
    if status == verb.GOOD and (r["partial"] or not run.kept):
        status = verb.UNABLE
    elif status == verb.GOOD and any(c["failures"] for c in r.cells):
        status = verb.WRONG
    if as_json:
        verb.print_document(r.document)
    else:
        table(r)
        if run.keep is not None and run.kept:
            print(f"{run.keep}/results.json and results.csv have all of it")
    return status

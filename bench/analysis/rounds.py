# SPDX-License-Identifier: Apache-2.0
"""Several measurements by turns, so that each round's ratios met one machine."""
import hashlib
import re
import secrets
import shlex
import subprocess
import time
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, NamedTuple, Optional

import environment
import results
import stats
import tables
import verb
from verb import Document, Stopped, Unable, Usage

COLUMNS = "calls_per_s p50_us p99_us cpu_us server_us workers_us switches client_us".split()
CELLS_MAX = 128  # the control comes on top
UNFINISHED = "not at its end yet"
READING = results.SCHEMA.with_name("reading-1.schema.json")
USUAL: Document = {
    **dict.fromkeys(("load", "wall"), {"in_flight": 64.0, "mix": "decrypt", "seconds": 5.0,
                                       "warmup": 1.0}),
    "token": {"in_flight": 1.0, "op": "unwrap", "seconds": 5.0, "warmup": 1.0}}


class Entry(NamedTuple):
    words: list[str]
    program: str  # another one than ours, or empty
    expected: float  # seconds, as its words say; 0: they do not


class Reading(NamedTuple):
    """What one measurement gave: figures, or why it failed."""
    tool: str = ""
    figures: dict[str, float] = {}
    histogram: list[list[int]] = []
    failure: str = ""


def cell_of(text: str, taken: Iterable[str]) -> tuple[Document, Entry]:
    match, shown = re.fullmatch(rf"({verb.NAME})(\*?)=(.*)", text, re.S), verb.printable(text)
    if match is None or match[1] in ("control", *taken):
        raise Usage(f"'{shown}': it wants NAME=load SOCKET … (or another verb; NAME*= for a "
                    "primary cell), the name of at most 47 letters, digits and ._-, not control, "
                    "and given once")
    name, star, line = match.groups()
    words = [word for word in line.split() if word[0] != "@"]
    if not words or words[0] in ("rounds", "echo", "serve"):
        raise Usage(f"'{shown}': it wants a verb that measures after the name: load, token, "
                    "storm …")
    axes = {"subject": name.rpartition("-")[0] or name, "token_delay_us": "0", "bench": ""}
    axes |= dict(word[1:].partition("=")[::2] for word in line.split() if word[0] == "@")
    subject, delay, program, *others = axes.values()
    if others or not re.fullmatch("[0-9]{1,15}", delay) or not re.fullmatch(verb.NAME, subject):
        raise Usage(f"'{shown}': its axes are @subject=NAME and @token_delay_us=N; @bench=PATH "
                    "is who measures it")
    said, _ = verb.Parser("cell", None, **USUAL.get(words[0], {})).parse_known_args(words[1:])
    seconds = said.seconds + (said.warmup or 0) if said.seconds and said.calls is None else 0.0
    return ({"name": name, "primary": bool(star), "control": False,
             "command": verb.printable(" ".join(words)), "tool": "",
             "axes": {"in_flight": said.in_flight or 0.0,
                      "method": verb.printable(said.mix or said.op or "", 47),
                      "subject": subject, "rate": said.rate or 0.0, "token_delay_us": int(delay)},
             "failures": 0, "failure": "", "figures": {}}, Entry(words, program, seconds))


def reading_of(text: str) -> Reading:
    try:
        document = results.parse(text)
    except (ValueError, RecursionError) as error:
        return Reading(failure=f"it gave no JSON: {error}")
    for fault in results.faults(document, READING):
        return Reading(failure=f"its document has no figures as they should be: {fault}")
    return Reading(document["tool"], {k: float(v) for k, v in document["figures"].items()},
                   document.get("histogram", []))


def layout_of(text: Optional[str]) -> Document:
    """NAME=client:CPUS,server:CPUS, and the sentence that says what may be concluded."""
    if text is None:
        return {"name": "unknown", "client": "", "server": "", "words":
                "nobody told which process runs on which CPU: no scaling conclusion"}
    cpus = "(any|[0-9]{1,3}(?:-[0-9]{1,3})?)"
    match = re.fullmatch(f"({verb.NAME})=client:{cpus},server:{cpus}", text)
    if match is None:
        raise Usage(f"--layout {text}: it wants NAME=client:CPUS,server:CPUS, CPUS being 0, 2-3 "
                    "or any")
    name, client, server = match.groups()
    a, b = ([*map(int, side.replace("any", "0-999").split("-"))] for side in (client, server))
    shared = max(a[0], b[0]) <= min(a[-1], b[-1])
    return {"name": name, "client": client, "server": server, "words":
            f"client on CPU {client}, daemon and workers on CPU {server}: "
            + ("they may share one, so no scaling conclusion" if shared else "they share none")}


def pulse() -> float:
    """How long a piece of work takes now, in ns: long enough to meet the hypervisor's turns."""
    before = time.perf_counter_ns()
    hashlib.pbkdf2_hmac("sha256", b"the machine's", b"pulse, and no secret", 40000)
    return float(time.perf_counter_ns() - before)


class Run:
    def __init__(self, document: Document, entries: list[Entry], bench: str, o: Any) -> None:
        self.results = results.Results(document)
        self.entries, self.bench, self.stop = entries, bench, verb.Stop()
        self.wanted = o.rounds or (stats.ROUNDS_MAX if o.until else 8)
        self.until, self.limit, self.keep = o.until or 0.0, o.limit or 600.0, o.out
        self.readings: list[dict[int, Reading]] = []  # by round and cell
        self.clock: Callable[[], float] = time.monotonic
        self.pulse: Callable[[], float] = pulse
        self.measure: Callable[[int], Reading] = self.measure_child
        self.began = self.told = self.clock()

    def measure_child(self, at: int) -> Reading:
        entry = self.entries[at]
        done = self.stop.run([entry.program or self.bench, *entry.words, "--json"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode == verb.GOOD:
            return reading_of(done.stdout)
        why = done.stderr.strip().rpartition("\n")[2] or "wrong replies or errors"
        why = why.removeprefix(f"keyward-bench {entry.words[0]}: ")
        if done.returncode == verb.USAGE:
            raise Usage(f"{self.results.cells[at]['name']}: {why}")
        return Reading(failure=f"exit status {done.returncode}: {why}")

    def one_round(self) -> None:
        n, order = self.results["rounds"], range(len(self.results.cells))
        readings, pulses = {}, {}
        for at in order if n % 2 == 0 else reversed(order):
            if self.clock() - self.told >= 5:
                self.told = self.clock()
                verb.complain("rounds", f"round {n + 1} of at most {self.wanted}, "
                                        f"{self.told - self.began:.0f} s")
            pulses[at] = self.pulse()
            readings[at] = self.measure(at)
            self.stop.check()
        self.close_round(readings, [pulses[at] for at in order])

    def close_round(self, readings: dict[int, Reading], pulses: list[float]) -> None:
        r, n = self.results, self.results["rounds"]
        for at, c in enumerate(r.cells):
            got = readings[at]
            if len({*r.figures(), *got.figures}) > results.FIGURES_MAX:
                got = readings[at] = Reading(
                    failure="the cells have more than 32 different figures")
            c["tool"] = got.tool or c["tool"]
            if got.failure:
                c["failures"] += 1
                c["failure"] = verb.printable(f"round {n}: {got.failure}", 191)
            for name in {**c["figures"], **got.figures}:
                c["figures"].setdefault(name, [None] * n).append(got.figures.get(name))
        self.readings.append(readings)
        r["pulse"]["rounds"].append(pulses)
        r.document["rounds"] = n + 1
        r.judge()
        for at, c in enumerate(r.cells):  # anew: an earlier round may now be a disturbed one
            c.pop("histogram", None)
            if merged := results.merged(self.readings[k][at].histogram for k in r.calm()):
                c["histogram"] = merged

    def run(self) -> None:
        """What was measured is in the results, also after an exception."""
        r, document = self.results, self.results.document
        self.began = self.told = self.clock()
        r.judge()
        self.write()  # before hours are spent
        try:
            while document["partial"]:
                before = self.clock()
                self.one_round()
                document["fault"] = self.enough(self.clock() - before)
                document["partial"] = document["fault"] == UNFINISHED
                self.write()
        except (Stopped, Usage, OSError) as error:
            why = f"round {r['rounds'] + 1} does not count: {verb.why(error) or 'interrupted'}"
            document.update(partial=True, fault=verb.printable(why, 191))
            if not isinstance(error, OSError):
                self.write()
            if not isinstance(error, Stopped):
                raise

    def enough(self, took: float) -> str:
        """UNFINISHED, or what is to be said at the end.  `took`: as long as the next round."""
        done = self.results["rounds"]
        if self.until <= 0:
            return UNFINISHED if done < self.wanted else ""
        width = self.results.width()
        if width <= self.until:
            return ""
        if done < self.wanted and self.clock() - self.began + took <= self.limit:
            return UNFINISHED
        return tables.render("not-known", {"run": self, "done": done, "width": width})

    def write(self) -> None:
        self.results.document["elapsed_s"] = self.clock() - self.began
        if self.keep is not None:
            results.write(self.results, self.keep)


def prepare(words: list[str], bench: str) -> tuple[Run, Any]:
    """Everything that can be wrong is found before the first measurement."""
    o = verb.Parser("rounds", __doc__).parse_intermixed_args(words)
    o.limit = vars(o)["for"]
    made: list[tuple[Document, Entry]] = []
    for text in o.cells:
        made.append(cell_of(text, [c["name"] for c, _ in made]))
    layout, (base, *others) = layout_of(o.layout), [c for c, _ in made]
    machine = {**environment.machine(), **environment.program(bench)}
    for note in o.note or ():
        environment.add_note(machine, note)
    verb.refuse_if(
        Usage, (len(made) > CELLS_MAX, f"{CELLS_MAX} cells are the most"),
        (o.until and o.rounds, "--rounds and --until are two ways to say when to end"),
        (o.limit and not o.until, "--for limits --until, which is not there"),
        (o.until and not any(c["primary"] for c in others),
         "--until looks at primary cells: mark some behind the first with NAME*=…"),
        (o.cpu_client is not None and layout["client"] not in ("", str(o.cpu_client)),
         f"--cpu-client {o.cpu_client}, and the layout says client:{layout['client']}"))
    if o.out is not None and (o.out / "results.json").exists():
        raise Unable(f"{o.out}/results.json is there already: name another folder with --out")
    control = {**base, "name": "control", "primary": False, "control": True, "figures": {}}
    return Run({
        "tool": results.TOOL, "schema": 1, "version": verb.version(bench),
        "session": secrets.token_hex(8), "partial": True, "fault": UNFINISHED,
        "began": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "elapsed_s": 0.0,
        "command": verb.printable(shlex.join(["keyward-bench", "rounds", *words])),
        "environment": machine, "fingerprint": environment.fingerprint(machine), "layout": layout,
        "base": base["name"], "control": base["name"], "rounds": 0,
        "pulse": {"unit": "ns of a fixed piece of work", "rule": "", "rounds": []},
        "disturbed": [], "quiet": {}, "noise": {}, "cells": [base, *others, control],
    }, [entry for _, entry in (*made, made[0])], bench, o), o


def main(words: list[str], bench: str) -> int:
    run, o = prepare(words, bench)
    r = run.results
    if o.dry_run:
        print(tables.render("dry-run", {"run": run, "cells": r.cells, "entries": run.entries}))
        return verb.GOOD
    if o.out is not None:
        o.out.mkdir(parents=True, exist_ok=True)
    verb.pin(o.cpu_client)
    run.stop.catch()
    try:
        run.run()
        status = verb.WRONG if any(c["failures"] for c in r.cells) else verb.GOOD
        status = verb.UNABLE if r["partial"] else status
    except (Usage, OSError) as error:
        status = verb.USAGE if isinstance(error, Usage) else verb.UNABLE
        verb.complain("rounds", verb.why(error))
    columns = sorted(r.figures(), key=lambda f: COLUMNS.index(f) if f in COLUMNS else 99)[:8]
    tables.show(o.json, "rounds", r.document, r=r, columns=columns)
    return status

# SPDX-License-Identifier: Apache-2.0
"""Cells as they are typed, the run in a world of its own (made-up measurements on a clock that
stands still until told), and the verb on an echo."""
import json
import os
import resource
import signal
import subprocess

import pytest

import made_up
import results
import rounds
import tables
import verb
from rounds import Reading
from verb import Usage


class World:
    """A second each; the base and its control cost 10, the rest 20."""

    def __init__(self, program, wanted, until=0.0, limit=0.0, keep=None):
        self.run, _ = rounds.prepare(["a=load /s", "b*=load /s"], program.path)
        r = self.run
        r.wanted, r.until, r.limit, r.keep = wanted, until, limit, keep
        r.clock, r.pulse, r.measure = lambda: self.now, self.pulse, self.measure
        self.now, self.order, self.stop_after, self.spread = 0.0, "", 0, 0.0
        self.slow_round, self.upset = -1, lambda at, n: None

    def pulse(self):
        return 2e7 if self.run.results["rounds"] == self.slow_round else 1e7

    def measure(self, at):
        n = self.run.results["rounds"]
        self.order += self.run.results.cells[at]["name"][0]
        self.now += 1
        self.run.stop.asked = self.run.stop.asked or len(self.order) == self.stop_after
        figures = self.upset(at, n) or {"cpu_us": 10.0}
        if isinstance(figures, str):
            return Reading(failure=figures)
        if at == 1 and "cpu_us" in figures:
            figures["cpu_us"] = 20 * (1 + (self.spread if n % 2 == 0 else -self.spread))
        return Reading("keyward-bench load", figures, [[1000, 5]])


@pytest.fixture
def world(program):
    return lambda *args, **more: World(program, *args, **more)


def test_run__wrong_usage__ended_and_whole_rounds_kept(world, tmp_path):
    def upset(at, n):
        if (at, n) == (1, 1):
            raise Usage("b: --oops is no option")
    w = world(4, keep=tmp_path)
    w.upset = upset
    with pytest.raises(Usage, match="^b: --oops is no option$"):
        w.run.run()
    r = results.read(tmp_path)
    assert r["rounds"] == 1 and r["partial"] and r.cells[1]["failures"] == 0
    assert r["fault"] == "round 2 does not count: b: --oops is no option"


def test_run__one_cell_fails__counted_and_unknown_in_that_round(world):
    w = world(3)
    w.upset = lambda at, n: {(1, 1): "exit status 3: gone",
                             (0, 1): {"cpu_us": 10.0, "late": 2.0}}.get((at, n))
    w.run.run()
    a, b, _ = w.run.results.cells
    assert w.run.results["rounds"] == 3 and not w.run.results["partial"]
    assert (b["failures"], b["failure"]) == (1, "round 1: exit status 3: gone")
    assert b["figures"]["cpu_us"] == [20, None, 20] and b["histogram"] == [[1000, 10]]
    assert a["failures"] == 0 and a["histogram"] == [[1000, 15]]
    assert a["figures"] == {"cpu_us": [10, 10, 10], "late": [None, 2, None]}
    w = world(5)
    w.slow_round = 0
    w.run.run()
    assert w.run.results.calm() == [1, 2, 3, 4]
    assert w.run.results.cells[1]["histogram"] == [[1000, 20]]
    # More figures than there is room for: none of them is kept.
    w = world(1)
    w.upset = lambda at, n: {f"f{i}": 1.0 for i in range(32)} if at == 1 else None
    w.run.run()
    b = w.run.results.cells[1]
    assert b["failure"] == "round 0: the cells have more than 32 different figures"
    assert b["failures"] == 1 and b["figures"] == {} and "histogram" not in b


def test_run__interrupted__the_round_under_way_is_dropped(world, tmp_path):
    w = world(4, keep=tmp_path)
    w.stop_after = 5
    w.run.run()
    assert len(w.order) == 5
    r = results.read(tmp_path)  # as it is kept after each round
    assert r.document == json.loads(results.json_text(w.run.results.document))
    assert r["rounds"] == 1 and r["partial"] and r["fault"] == "round 2 does not count: interrupted"
    assert r.cells[0]["figures"]["cpu_us"] == [10] and r.cells[0]["histogram"] == [[1000, 5]]


def test_run__fixed_rounds__every_other_backwards(world):
    w = world(3)
    w.run.run()
    r = w.run.results
    assert w.order == "abccbaabc" and r["rounds"] == 3 and not r["partial"]
    assert r["fault"] == "" and r["elapsed_s"] == 9
    control = r.cells[2]
    assert control["name"] == "control" and control["control"] and not control["primary"]
    assert (r["control"], control["command"], control["axes"]["subject"]) == ("a", "load /s", "a")


@pytest.mark.parametrize("wanted, median, ratio, noise", [
    (5, "20.00 ±?", "2.000 (?)", "?"), (6, "20.00 ±0.0%", "2.000 (2.000-2.000)", "1.000-1.000")])
def test_table__interval_of_fewer_than_six_rounds__not_known(world, wanted, median, ratio, noise):
    w = world(wanted)
    w.run.run()
    r = w.run.results
    said = tables.render("rounds", {"r": r, "columns": ["cpu_us"], **r.document})
    assert f"b                  * {median:>17}\n" in said and f"{'b':20} {ratio:>21}\n" in said
    assert f"as the control): cpu_us {noise};" in said


@pytest.mark.parametrize("wanted, until, limit, spread, done, fault",
                         made_up.json_cases("until", 6))
def test_until__known_or_not(world, wanted, until, limit, spread, done, fault):
    w = world(wanted, until, limit)
    w.spread = spread
    w.run.run()
    r = w.run.results
    assert (r["rounds"], r["partial"], r["fault"]) == (done, False, fault)


def test_keep__folder_goes_away__nothing_more_is_measured(world, tmp_path):
    w = world(3, keep=tmp_path / "here")
    with pytest.raises(OSError, match="here/results.json"):
        w.run.run()
    assert w.order == ""

    def upset(at, n):  # as good as a full disk
        if (at, n) == (0, 1):
            (tmp_path / "here").rename(tmp_path / "aside")
    (tmp_path / "here").mkdir()
    w = world(3, keep=tmp_path / "here")
    w.upset = upset
    with pytest.raises(OSError, match="here/results.json"):
        w.run.run()
    assert w.run.results["rounds"] == 2 and w.run.results["partial"]
    assert results.read(tmp_path / "aside")["rounds"] == 1


# ---- cells, layouts, and documents of measurements ---------------------------------------


def test_cell_and_reading__good__what_they_have():
    cell, entry = rounds.cell_of("a*=load  /s --mix\tstatus @subject=x @bench=/old", [])
    assert entry.words == ["load", "/s", "--mix", "status"] and entry.program == "/old"
    assert cell["command"] == "load /s --mix status" and cell["primary"] and not cell["control"]
    got = rounds.reading_of('{"tool": "keyward-bench x", "figures": {"a": 1, "b_us": 2.5},'
                            '"histogram": [[10, 3]]}')
    assert got == ("keyward-bench x", {"a": 1.0, "b_us": 2.5}, [[10, 3]], "")


@pytest.mark.parametrize("text, axes, seconds", made_up.json_cases("axes", 3))
def test_cell__axes_and_time__from_its_words_or_the_verbs_defaults(text, axes, seconds):
    cell, entry = rounds.cell_of(text, [])
    names = ("subject", "method", "in_flight", "rate", "token_delay_us")
    assert cell["axes"] == dict(zip(names, axes)) and entry.expected == seconds


@pytest.mark.parametrize("text, words", made_up.json_cases("layouts", 2))
def test_layout__what_may_be_concluded(text, words):
    assert rounds.layout_of(text)["words"].endswith(words)


@pytest.mark.parametrize("text", ["", '{"tool": "x", "figures": {"a": NaN}}'])
def test_reading__no_json__said(text):
    got = rounds.reading_of(text)
    assert "no JSON" in got.failure and got.figures == {}


# ---- the verb ------------------------------------------------------------------------------


def test_verb__dry_run__commands_and_time(program):
    got = program("rounds", "--dry-run", "--rounds", "3", "--out", "/nonexistent/x",
                  "a=load /s --seconds 1s --warmup 1s", "b*=load /s --calls 3")
    assert got.returncode == 0
    assert got.stdout == (made_up.DOCUMENTS / "dry-run.txt").read_text()


def test_verb__echo__kept_as_the_schema_says(program, echo, tmp_path):
    out = tmp_path / "a" / "b"
    first = f"a-64=load {echo} --calls 300 --warmup 0s"
    got = program("rounds", "--rounds", "2", "--out", out, "--note", "token=none", "--note",
                  "commit=abc", "--layout", "apart=client:0,server:1", first,
                  f"o=load {echo} --calls 300 --warmup 0s @bench={program.path}",
                  "b*=load /tmp/kw-no-such.sock")
    assert got.returncode == verb.WRONG  # one failed, the others are measured
    assert "b failed in 2 of 2 rounds; round 1: exit status 3: /tmp/kw-no-such.sock: No such" \
        in got.stdout
    assert "ratio to a-64" in got.stdout and "noise floor (a-64 once more" in got.stdout
    r = results.read(out)
    e = r["environment"]
    assert (e["notes"], e["commit"]) == ({"token": "none"}, "abc")
    assert r["rounds"] == 2 and not r["partial"]
    assert "grpc" in e["libraries"] and r["layout"]["words"].endswith("they share none")
    assert all(v > 0 for c in r.cells if c["name"] != "b" for v in c["figures"]["calls_per_s"])
    assert ("histogram" in r.cells[0]) == bool(r.calm())
    assert r["command"].endswith("'b*=load /tmp/kw-no-such.sock'")
    got = program("rounds", "--out", out, first)
    assert got.returncode == verb.UNABLE and "is there already: name another folder" in got.stderr
    got = program("rounds", "--rounds", "1", f"b=load {echo} --oops")
    assert got.returncode == verb.USAGE and "PARTIAL: 0 rounds" in got.stdout
    assert "b: --oops is no option of this verb" in got.stderr


@pytest.mark.parametrize("words", [["--json"], []])
def test_verb__cannot_be_printed__three(program, echo, words):
    with open("/dev/full", "w", encoding="ascii") as full:
        got = subprocess.run(program.argv("rounds", "--rounds", "1", *words,
                                          f"a=load {echo} --calls 30 --warmup 0s"),
                             stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert got.returncode == verb.UNABLE and "No space left" in got.stderr


def test_verb__full_disk__three_and_told(program, echo, tmp_path):
    """Room for what the run writes before its first round, not for the figures of it."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    got = program("rounds", "--rounds", "1", "--out", tmp_path / "x",
                  *(f"{c}=load {echo} --calls 300 --warmup 0s" for c in "abcdef"), preexec_fn=limit)
    assert got.returncode == verb.UNABLE and "PARTIAL: 1 rounds" in got.stdout
    assert "x/results.json: File too large" in got.stderr


def test_verb__interrupted__three_and_partial(program, echo, tmp_path):
    """Only the run itself is told, not what it started: it hands the word on, for else an
    hour would have to pass."""
    begun, script = tmp_path / "begun", tmp_path / "bench"
    os.mkfifo(begun)
    script.write_text(f'#!/bin/sh\necho >{begun}\nexec {program.path} "$@"\n')
    script.chmod(0o755)
    argv = program.argv("rounds", "--json", f"a=load {echo} --seconds 3600s @bench={script}")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            begun.read_text()  # until the measurement says that it has begun
            run.send_signal(signal.SIGINT)
            document = json.loads(run.communicate(timeout=40)[0])
        finally:
            run.terminate()
    assert run.returncode == verb.UNABLE and document["partial"]
    assert document["fault"] == "round 1 does not count: interrupted"

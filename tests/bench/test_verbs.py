# SPDX-License-Identifier: Apache-2.0
"""Wrong usage of every verb is 2 and names the word; what cannot be read is 3."""
import io
import re
import runpy
import signal
import subprocess
import sys

import pytest

import verb
from verb import Stopped, Usage

GOOD = "a=load /s"
FIT = ["--latency", "2ms", "--sessions", "8"]


@pytest.mark.parametrize("name, words, why", [
    *(("rounds", *case) for case in (
        (["load /x"], "'load /x': it wants NAME="), ([], "CELL"), (["--rounds", "65", GOOD], "65"),
        (["--until", "5", "b*=load /s", GOOD], "--until: 5: it wants a share"),
        (["--until", "5%", "b*=load /s", GOOD], "mark some behind the first"),
        (["--for", "1m", GOOD], "--for limits --until"), (["--rounds", "0", GOOD], "1 to 64"),
        (["--until", "5%", "--rounds", "3", GOOD, "b*=load /s"], "two ways"),
        (["--rounds", "2", "--rounds", "3", GOOD], "--rounds is given twice"),
        (["--layout", "x", GOOD], "--layout x"), (["--oops", GOOD], "--oops"),
        (["--layout", "x=client:1,server:0", "--cpu-client", "0", GOOD], "layout says client:1"),
        (["--note", "x", GOOD], "--note x"), ([GOOD, GOOD], "given once"),
        ([f"c{i}=load /s" for i in range(129)], "128 cells are the most"))),
    *(("compare", *case) for case in (
        ([], "RUN"), (["a", "b", "c"], "OLD NEW"), (["a"], "OLD NEW"),
        (["a", "b", "--threshold", "0"], "1 to 100"),
        (["a", "b", "--baseline", "c"], "want NEW alone"),
        (["a", "--write-baseline", "c", "--json"], "goes with no other option"))),
    *(("gap", *case) for case in (
        (["s"], "it wants --start"), (["s", "--start", "x", "--restarts", "0"], "1 to 64"),
        (["s", "--start", "x", "--restarts", "65"], "--restarts: 65"), ([], "SOCKET"),
        (["s", "--start", "x", "--patience", "601s"], "601s: it wants a time"))),
    *(("split", *case) for case in (
        (["/tmp", "old"], "PREFIX"), (["/tmp", "old", "a/b"], "a prefix of letters"),
        (["/tmp", "old", "a.b"], "a prefix of letters"))),
    *(("plan", [*FIT, f"--{flag}", value], f"--{flag}: {value}") for flag, value in (
        ("servers", "0"), ("servers", "17"), ("seeds", "0"), ("others", "100"), ("workers", "17"),
        ("ready-within", "0s"), ("hsms", "0"), ("call", "7us2"))),
    *(("plan", *case) for case in (
        (["--latency", "0us", "--sessions", "8"], "--latency: 0us"),
        ([*FIT, "--one-lost"], "--one-lost: with --hsms 1 none would be left"),
        (["--servers", "3"], "--curve FILE"), (["--latency", "2ms"], "--sessions"),
        (["--curve", "/nonexistent", "--latency", "2ms"], "--curve has it all"),
        ([*FIT, "--seeds", "5", "--weeks", "3"], "--seeds"),
        ([*FIT, "--parallel", "20", "--readers", "20"], "--parallel times --readers"),
        ([*FIT, "--weeks", "1000", "--starts-per-week", "10000"], "migrate the storage"),
        ([*FIT, "--seeds", "100000", "--servers", "16", "--readers", "2"],
         "--servers times seeds"))),
    ("report", [], "RESULTS_DIR"), ("table", [], "the name of one verb")])
def test_bad_words__two_and_which(capsys, program, name, words, why):
    main = runpy.run_path(program.scripts)["main"]
    assert main(["--bench", program.path, name, *words]) == verb.USAGE
    got = capsys.readouterr()
    assert why in got.err and got.out == ""
    assert got.err.startswith(f"keyward-bench {name}: ") and "; try --help\n" in got.err


@pytest.mark.parametrize("name", ["rounds", "compare", "gap", "split", "plan", "report"])
def test_help__zero_with_the_exit_statuses(capsys, program, name):
    with pytest.raises(SystemExit) as end:
        runpy.run_path(program.scripts)["main"](["--bench", program.path, name, "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0 and f"usage: keyward-bench {name}" in said
    assert "exit status: 0 good" in said


@pytest.mark.parametrize("words, why", [
    (["compare", "x", "/nonexistent.json"], "/nonexistent.json: No such file"),
    (["compare", "/usr/bin/env", "/usr/bin/env"], "/usr/bin/env: "),
    (["split", "/nonexistent/kw", "old", "new"], "/nonexistent/kw: No such file"),
    (["report", "/nonexistent/results"], "keyward-bench report: /nonexistent/results/"),
    (["rounds", "--out", "/proc/none/x", GOOD], "/proc/none"),
    (["plan", "--curve", "/nonexistent/curve.json"], "/nonexistent/curve.json")])
def test_no_such_file_or_none_of_ours__three_and_which(program, words, why):
    got = program(*words)
    assert got.returncode == verb.UNABLE and why in got.stderr and got.stdout == ""


def test_another_locale__utf_8_all_the_same(program, monkeypatch):
    said = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(said, encoding="ascii"))
    main = runpy.run_path(program.scripts)["main"]
    assert main(["--bench", program.path, "rounds", "load /x"]) == verb.USAGE
    assert "NAME=load SOCKET …" in said.getvalue().decode()


@pytest.mark.parametrize("kind, text, want", [
    ("number", "7", 7), ("number", "7.5", None), ("number", "-1", None), ("number", "1e3", None),
    ("seconds", "500ms", 0.5), ("seconds", "2m", 120), ("seconds", "2", None),
    ("ms", "350us", 0.35), ("ms", "2s", 2000), ("percent", "5%", 0.05), ("percent", "2.5%", 0.025),
    ("percent", "5", None), ("seconds", "1.5s", None)])
def test_reader__a_value_or_what_is_wanted(kind, text, want):
    parser = verb.Parser("x", None, f"--x X {kind} 0 5000 | x")
    if want is None:
        with pytest.raises(Usage, match=re.escape(f"--x: {text}: it wants a")):
            parser.parse_args([f"--x={text}"])
    else:
        said = vars(parser.parse_args([f"--x={text}"]))
        assert said["x_ms" if kind == "ms" else "x"] == want


def test_complain__words_that_steer_the_terminal__shown_without(capsys):
    verb.complain("gap", "\x1b[31m\u202e: no\nsuch")
    assert capsys.readouterr().err == "keyward-bench gap: ?[31m?: no\nsuch\n"


@pytest.mark.parametrize("argv", [
    [sys.executable, "-c", "import os, signal\nos.kill(os.getppid(), signal.SIGINT)\n"
     "signal.pause()"],
    ["bash", "-c", "(sleep 15; echo it went on) & kill -INT $PPID; wait"]])
def test_stop__signal__the_child_and_what_it_started_are_told_and_nothing_more_begun(argv):
    stop = verb.Stop()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        stop.catch()
        done = stop.run(argv, stdout=subprocess.PIPE)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert done.returncode == -signal.SIGTERM and done.stdout == "" and stop.asked
    with pytest.raises(Stopped):
        stop.run(["true"])

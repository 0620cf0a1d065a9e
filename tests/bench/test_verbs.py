# SPDX-License-Identifier: Apache-2.0
"""Wrong usage of every verb is 2 and names the word; what cannot be read is 3."""
import io
import re
import runpy
import shlex
import signal
import subprocess
import sys

import pytest

import made_up
import verb
from verb import Stopped, Usage


@pytest.mark.parametrize("name, words, why", [
    *made_up.cases("usage"),
    ("rounds", " ".join(f"c{i}=load" for i in range(129)), "128 cells are the most")])
def test_bad_words__two_and_which(capsys, program, name, words, why):
    main = runpy.run_path(program.scripts)["main"]
    assert main(["--bench", program.path, name, *shlex.split(words)]) == verb.USAGE
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


@pytest.mark.parametrize("words, why", made_up.cases("unable"))
def test_no_such_file_or_none_of_ours__three_and_which(program, words, why):
    got = program(*shlex.split(words))
    assert got.returncode == verb.UNABLE and why in got.stderr and got.stdout == ""


def test_another_locale__utf_8_all_the_same(program, monkeypatch):
    said = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(said, encoding="ascii"))
    main = runpy.run_path(program.scripts)["main"]
    assert main(["--bench", program.path, "rounds", "load /x"]) == verb.USAGE
    assert "NAME=load SOCKET …" in said.getvalue().decode()


@pytest.mark.parametrize("kind, text, want", made_up.json_cases("values", 3))
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

# SPDX-License-Identifier: Apache-2.0
"""What ci/bench would do, and how it cleans up; the whole of it takes minutes."""
import signal
import subprocess
import sys

import pytest

import cells
import machine
import suite
from conftest import ROOT
from subjects import Subjects
from verb import Unable


@pytest.mark.parametrize("cpus, words", [
    (1, "same=client:0,server:0"), (2, "split=client:1,server:0"), (3, "split=client:1,server:0"),
    (4, "wide=client:3,server:0-2"), (64, "wide=client:63,server:0-62")])
def test_layout__the_client_apart_as_soon_as_there_are_two(cpus, words):
    assert machine.layout_for(cpus).words() == words
    assert cells.layout(words)["client"] == machine.layout_for(cpus).client


def matrix(kind):
    m = suite.Matrix("/s", "--seconds 1s --warmup 1s")
    m.of_keyward() if kind == "compare" else m.quick()
    if kind == "full":
        m.full(["100"])
    return m.cells


@pytest.mark.parametrize("kind, count", [("compare", 6), ("quick", 8), ("full", 56)])
def test_matrix__cells_that_rounds_takes__at_most_eight_primary(kind, count):
    made = {}
    for name, words in matrix(kind).items():
        cell, _ = cells.cell(f"{name}={words}", made)
        made[cell["name"]] = cell
    assert len(made) == count and list(made)[0] == "echo-64"
    assert sum(c["primary"] for c in made.values()) == min(count, 8)


@pytest.mark.parametrize("words, status, why", [
    (["--dry-run", "--name", "test-none"], 0, "8 cells and the control, rounds --rounds 10"),
    (["--dry-run", "--full", "--rounds", "3"], 0, "62 cells and the control, rounds --rounds 3"),
    (["--compare", "no-such-revision"], 2, "git knows no such revision"),
    (["--compare", "HEAD", "--full"], 2, "leave out --full"), (["--rounds", "65"], 2, "1 to 64"),
    (["--name", "../x"], 2, "letters, digits"), (["--oops"], 2, "--oops"), (["--help"], 0, "REV")])
def test_ci_bench__words__what_would_run_or_two(words, status, why):
    got = subprocess.run([ROOT / "ci" / "bench", *words], capture_output=True, text=True,
                         check=False)
    assert got.returncode == status and why in (got.stderr if status else got.stdout)
    assert status == 0 or got.stderr.startswith("ci/bench: ")


def test_scratch__a_failure__logs_shown_and_gone(capfd):
    commands = machine.Commands()
    with pytest.raises(Unable, match="this failed"):
        with machine.Scratch(commands) as scratch:
            (scratch.path / "locked").mkdir(0)
            scratch.logged("build", "sh", "-c", "echo it hurts; exit 7")
    assert not scratch.path.exists()
    assert "---- the last lines of build\nit hurts\n" in capfd.readouterr().err


def test_commands__signal__the_job_is_told_and_nothing_more_begun():
    commands = machine.Commands()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        commands.catch()
        status = commands.run([sys.executable, "-c", "import os, signal\n"
                               "os.kill(os.getppid(), signal.SIGINT)\nsignal.pause()"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert status == -signal.SIGTERM and commands.asked
    with pytest.raises(machine.Interrupted):
        commands.run(["true"])


def test_subjects__a_server__up_when_it_says_so_and_gone_at_the_end(program):
    with machine.Scratch(machine.Commands()) as scratch:
        with Subjects(scratch, machine.Layout("same", "0", "0"), "", [], program.path) as subjects:
            subjects.serve("echo", program.path, "echo", "@")
            server = subjects.servers["echo"]
            assert (scratch.path / "echo.sock").exists() and server.poll() is None
            with pytest.raises(Unable, match="dumb did not come up"):
                subjects.serve("dumb", "/bin/true", "@")
        assert server.poll() == 0 and not (scratch.path / "echo.sock").exists()
    assert not scratch.path.exists()

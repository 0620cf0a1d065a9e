# SPDX-License-Identifier: Apache-2.0
"""What ci/bench would do, and how it cleans up; the whole of it takes minutes."""
import argparse
import subprocess
from pathlib import Path

import pytest

import rounds
import suite
import verb
from conftest import ROOT
from suite import Subjects
from verb import Unable


@pytest.mark.parametrize("cpus, layout", [
    (1, ("same", "0", "0")), (2, ("split", "1", "0")), (3, ("split", "1", "0")),
    (4, ("wide", "3", "0-2")), (64, ("wide", "63", "0-62"))])
def test_layout__the_client_apart_as_soon_as_there_are_two(cpus, layout):
    assert suite.layout_for(cpus) == layout


@pytest.mark.parametrize("compare, full, count, primary", [
    ("x", False, 12, 12), (None, False, 8, 8), (None, True, 56, 8)])
def test_rounds__cells_that_it_takes__all_of_a_comparison_or_eight_primary(compare, full, count,
                                                                           primary):
    o = argparse.Namespace(compare=compare, full=full, name="x", rounds=3)
    lines = suite.matrix(o, Path("/s"), ["100"] if o.full else [])
    made = {}
    for word in suite.Suite(o).rounds(lines)[-len(lines):]:
        cell, _ = rounds.cell_of(word, made)
        made[cell["name"]] = cell
    assert len(made) == count and list(made)[0].removeprefix("old.") == "echo-64"
    assert sum(c["primary"] for c in made.values()) == primary


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


def test_subjects__a_server_and_a_token__there_and_gone_at_the_end(program, capfd):
    with Subjects(verb.Stop(), "0", program.path) as subjects:
        subjects.serve("echo", program.path, "echo", "@")
        server = subjects.servers["echo"]
        assert (subjects.path / "echo.sock").exists() and server.poll() is None
        with pytest.raises(Unable, match="dumb did not come up"):
            subjects.serve("dumb", "/bin/true", "@")
        with pytest.raises(Unable, match="this failed .*: prepare token /proc/none"):
            subjects.prepare("token", "/proc/none")
        assert "cannot create directory" in capfd.readouterr().err
        env, words, _ = subjects.token("x")  # that the program finds
        subprocess.run([program.path, "token", *words, "--calls", "3", "--json"], env=env,
                       stdout=subprocess.DEVNULL, check=True)
    assert server.poll() == 0 and not subjects.path.exists()

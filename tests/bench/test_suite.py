# SPDX-License-Identifier: Apache-2.0
"""What ci/bench would do, and how it cleans up; the whole of it takes minutes."""
import argparse
import os
import subprocess
from pathlib import Path

import pytest

import made_up
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
    ("x", False, 12, 12), (None, False, 19, 8), (None, True, 79, 8)])
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
    for other in ("peer-sessions", "bare") if not compare else ():  # the page's pairs
        for n in (8, 64):
            ours, theirs = ({**made[f"{name}-{n}"]["axes"], "subject": ""}
                            for name in ("sessions", other))
            assert ours == theirs and ours["token_delay_us"] == 2000


@pytest.mark.parametrize("words, status, why", made_up.json_cases("suite", 3))
def test_ci_bench__words__what_would_run_or_two(words, status, why):
    got = subprocess.run([ROOT / "ci" / "bench", *words], capture_output=True, text=True,
                         check=False)
    assert got.returncode == status and why in (got.stderr if status else got.stdout)
    assert status == 0 or got.stderr.startswith("ci/bench: ")


def test_also__half_a_document__told_and_taken_away__a_whole_one_stays(tmp_path):
    run = suite.Suite(argparse.Namespace(compare="", full=False, name="test-none", rounds=1))
    run.results = tmp_path

    def ended(argv, **_how):
        return subprocess.CompletedProcess([], int(argv[-1]), argv[-2])
    run.stop.run = ended
    run.also("whole.json", ['{"partial": true}', "3"])
    run.also("half.json", ['{"partial": tr', "0"])
    run.also("none.json", ["", "0"])
    assert [path.name for path in tmp_path.iterdir()] == ["whole.json"]
    assert [text.partition(":")[0] for text in run.failed] == ["whole.json", "half.json",
                                                               "none.json"]


@pytest.mark.parametrize("report, failed, status", [
    (0, [], 0), (0, ["x"], 1), (1, [], 1), (3, ["x"], 3)])
def test_suite__its_status__no_better_than_the_report_and_than_what_failed(monkeypatch, report,
                                                                           failed, status):
    run = suite.Suite(argparse.Namespace(compare="", full=False, name="test-none", rounds=1))
    monkeypatch.setattr(run.stop, "catch", lambda: run.stop)
    monkeypatch.setattr(run, "measure", lambda _subjects: report)
    run.failed = failed
    assert run.run() == status


def test_suite__interrupted_before_the_matrix__says_so_and_names_no_results(monkeypatch, capsys):
    run = suite.Suite(argparse.Namespace(compare="", full=False, name="test-none", rounds=1))

    def ended_by_the_signal(argv, **_how):
        run.stop.asked = True
        return subprocess.CompletedProcess(argv, -15)
    monkeypatch.setattr(run.stop, "catch", lambda: run.stop)
    monkeypatch.setattr(run.stop, "run", ended_by_the_signal)
    with pytest.raises(Unable, match="^interrupted before anything was measured$"):
        run.run()
    assert "results:" not in capsys.readouterr().out


def test_subjects__a_server_and_a_token__there_and_gone_at_the_end(program, capfd):
    with Subjects(verb.Stop(), "0") as subjects:
        subjects.serve("echo", program.path, "echo", "@")
        server = subjects.servers["echo"]
        assert (subjects.path / "echo.sock").exists() and server.poll() is None
        with pytest.raises(Unable, match="dumb did not come up"):
            subjects.serve("dumb", "/bin/true", "@")
        with pytest.raises(Unable, match="this failed .*: prepare token /proc/none"):
            subjects.prepare("token", "/proc/none")
        assert "cannot create directory" in capfd.readouterr().err
        env, words = subjects.token("x")  # that the program finds
        subprocess.run([program.path, "token", *words, "--calls", "3", "--json"], env=env,
                       stdout=subprocess.DEVNULL, check=True)
        env, words = subjects.token("slow", "/bin/of", "1/2")
        assert words[1] == "/bin/of/keyward-fault.so" and env["KW_FAULT_MODULE"].endswith("m2.so")
        assert Path(env["KW_FAULT_CONTROL"]).read_text() == "C_Encrypt delay=1\nC_Decrypt delay=2\n"
    assert server.poll() == 0 and not subjects.path.exists()


def test_subjects__read_only_folders_of_no_root__gone_at_the_end():
    child = os.fork()
    if child == 0:
        left = True
        try:
            if os.getuid() == 0:
                os.setresuid(65534, 65534, 65534)
            with Subjects(verb.Stop(), "0") as subjects:
                token = subjects.path / "node" / "tokens"
                token.mkdir(parents=True)
                (token / "generation").touch()
                token.chmod(0o500)
                token.parent.chmod(0o500)
            left = subjects.path.exists()
        finally:
            os._exit(left)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

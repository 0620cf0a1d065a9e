# SPDX-License-Identifier: Apache-2.0
"""The verb on plugins that are scripts which become one of ours."""
import json

import pytest

import gap
import verb
from verb import Unable

FIGURES = ["stop_ms", "start_status_ms", "start_decrypt_ms", "gap_ms"]


@pytest.fixture(name="run")
def of_a_script(program, tmp_path):
    """Runs the verb on a script whose last line is given; afterwards nobody serves."""
    socket, script = tmp_path / "s", tmp_path / "start"

    def run(becomes, *words, mode=0o700):
        script.write_text(f"#!/bin/sh\nS={socket} B={program.path}\n{becomes}\n")
        script.chmod(mode)
        got = program("gap", socket, "--start", script, "--log", tmp_path / "log", *words)
        assert not socket.exists()
        return got
    return run


@pytest.mark.parametrize("becomes, mode, words, why", [
    ("", 0o600, [], "it wants an executable file that becomes the plugin"),
    ("echo it hurts; exit 7", 0o700, [], "ended with exit status 7 before it served"),
    ("kill -9 $$", 0o700, [], "ended with exit status -9 before it served"),
    # One that makes a new key at each start loses what was sealed before.
    ("exec $B serve $S --work software", 0o700, [],
     "refuses what it sealed before its restart; it said "),
    ("exec tail -f /dev/null", 0o700, ["--patience", "50ms"], "no good Decrypt within 0.05 s")])
def test_verb__never_or_not_again__three_and_why(run, tmp_path, becomes, mode, words, why):
    got = run(becomes, "--json", *words, mode=mode)
    document = json.loads(got.stdout)
    assert got.returncode == verb.UNABLE and why in got.stderr
    assert document["partial"] and document["fault"] in got.stderr
    assert document["runs"] == [] and document["figures"] == {}
    assert "hurts" not in becomes or (tmp_path / "log").read_text() == "it hurts\n"


def test_verb__restarts__as_many_as_asked_and_in_order(run):
    """The order of events is the same on the slowest machine."""
    got = run("exec $B echo $S", "--restarts", "2", "--json")
    document = json.loads(got.stdout)
    assert (got.returncode, got.stderr, document["partial"]) == (verb.GOOD, "", False)
    assert list(document["figures"]) == FIGURES and len(document["runs"]) == 2
    for times in document["runs"]:
        assert times["stop_ms"] > 0 and times["start_status_ms"] > 0
        assert times["gap_ms"] >= times["start_decrypt_ms"] > 0
    got = run("exec $B echo $S", "--restarts", "1")
    assert got.returncode == verb.GOOD and "without a good Decrypt" in got.stdout


def test_outage__the_one_around_the_moment():
    document = {"began_monotonic_ns": 1_000_000, "gaps": [
        {"at_us": 10, "us": 5}, {"at_us": 100, "us": 50}, {"at_us": 200, "us": 5}]}
    assert gap.outage(document, "", 1_120_000) == (1_100_000, 1_150_000)
    with pytest.raises(Unable, match="missed nothing"):
        gap.outage(document, "", 1_180_000)

# SPDX-License-Identifier: Apache-2.0
"""The planner's arithmetic by hand; who bounds what, and what is said of it."""
import json
import math
from dataclasses import replace

import pytest
from pytest import approx as near
from test_simulate import GIVEN, given, token

import made_up
import plan
import reckon
import verb
from reckon import Curve, Point, of_figures


THREE = Curve((Point(1, 1000, 900, 1800), Point(2, 1800), Point(4, 1500, 2000, 2000)), "")


# ---- the curve


@pytest.mark.parametrize("of, sessions, rate", [
    (THREE, 0.5, 500), (THREE, 1, 1000), (THREE, 1.5, 1400),
    (THREE, 3, 1650), (THREE, 400, 1500),  # slower with more, as measured
    (token(2), 1, 500), (token(2), 8, 4000), (token(2), 9, 4000),
    (of_figures(32, ops_per_s=1500), 32, 1500), (of_figures(32, ops_per_s=1500), 16, 750),
    (of_figures(32, 10, 1500), 1, 100), (of_figures(32, 10, 1500), 32, 1500),
    (of_figures(4, 10, 1500), 32, 400)])
def test_rate_between_below_and_beyond(of, sessions, rate):
    assert of.ops_per_s(sessions) == near(rate)


def test_sessions_for_a_rate_and_sigma():
    """The least sessions, 0 when none are enough; sigma is that of a log normal."""
    assert [THREE.sessions_for(rate) for rate in (500, 1400, 1500, 1801)] == [0.5, 1.5, 1.625, 0]
    assert math.exp(2.3263478740408408 * THREE.sigma(1)) == near(2)
    assert THREE.sigma(2) == THREE.sigma(99) == 0  # unknown, or without spread


TOKEN = {"tool": "keyward-bench token", "schema": 1}
LOAD = {"tool": "keyward-bench load", "schema": 1}


@pytest.mark.parametrize("document, points, words", [
    (TOKEN | {"curve": [{"sessions": 4, "ops_per_s": 300.5, "p50_us": 5, "p99_us": 9},
                        {"sessions": 1, "ops_per_s": 100, "p50_us": 5}]},  # no use without p99
     (Point(1, 100, 0, 0), Point(4, 300.5, 5, 9)), "without a server before them [measured: "),
    (LOAD | {"options": {"mix": "encrypt", "in_flight": 8},  # two operations each
             "figures": {"calls_per_s": 50, "p50_us": 40, "p99_us": 60}},
     (Point(8, 100, 20, 30),), "missed its cache")])
def test_curve_of_token_and_of_load(tmp_path, document, points, words):
    path = tmp_path / "curve.json"
    path.write_text(json.dumps(document))
    assert reckon.read_curve(path).points == points and words in reckon.read_curve(path).words


# ---- the arithmetic


def test_needs_by_hand():
    p = replace(GIVEN, seeds_given=False, starts_per_week=2, weeks=10, rotations=4, versions=2,
                probe_ms=10_000).of(3)
    assert p.seeds == 75
    steady = 0.905 + 12 / 604800 + 225 / 86400
    assert reckon.needs(p) == near({
        "canaries_per_s": 0.905,  # 3 x (3 / 10 s + 1 / 600 s)
        "encrypts_per_s": 12 / 604800, "rereads_per_s": 225 / 86400, "steady_per_s": steady,
        "storm_operations": 231, "storm_per_s": 3.85, "capacity_per_s": 3000,
        "sessions": 6, "connections": 6, "steady_utilisation": steady / 3000,
        "storm_utilisation": (steady + 3.85) / 3000, "sessions_at_work": 1})
    more = reckon.needs(replace(p, sessions=4))  # and one of each worker that keeps its login
    assert (more["sessions"], more["connections"], more["capacity_per_s"]) == (30, 6, 4000)
    assert replace(p, sessions=4).in_flight_max(3) == 24
    assert replace(p, sessions=4, connections_max=2).in_flight_max(3) == 8
    assert reckon.needs(replace(p, rolling=True))["storm_operations"] == near(77)
    p = replace(GIVEN, hsms=3, one_lost=True, others_percent=25)
    assert [p.ops_per_s(k) for k in (16, 99, 2)] == pytest.approx([6000, 6000, 750])
    # Away for 12 s is long enough for keyward to give the token up.
    assert [replace(p, failover_ms=ms).away_ms for ms in (5000, 12000)] == [5000, 22000]


@pytest.mark.parametrize("more, neck, rate, ready_ms", made_up.json_cases("necks", 4))
def test_lists_have_a_neck(more, neck, rate, ready_ms):
    b = reckon.bound(given(**{"parallel": 10} | more))
    assert b["bounded_by"] == getattr(reckon, neck) and b["ops_per_s"] == near(rate)
    assert ready_ms is None or b["ready_ms"] == near(ready_ms)


@pytest.mark.parametrize("more, wrong", made_up.json_cases("fits", 2))
def test_what_is_just_right_or_wrong(more, wrong):
    assert reckon.wrong_with(given(**more)) == wrong


def test_limits_by_hand():
    """(60001 - 6) / 3; a server brings a list of its own until the sessions are spent."""
    def limits(**more):
        return tuple(reckon.limits(replace(GIVEN, **{"ready_within_ms": 60001} | more)).values())
    assert limits(sessions_max=12) == (6, 19998)
    assert limits(sessions_max=12, clients_max=4) == (4, 19998)
    assert limits(ready_within_ms=5) == (0, 0)


def test_series_rise_with_what_grows():
    for s in reckon.series(replace(GIVEN, seeds=3), 19998):  # fewer than points
        assert all(a[0] < b[0] and b[1] > 0 for a, b in zip(s["points"], s["points"][1:]))
        if s["x"] == "seeds":
            assert all(ready == near(6 + 3 * seeds) for seeds, ready in s["points"])


# ---- sentences


@pytest.mark.parametrize("words, findings", made_up.sections("findings"))
def test_what_does_not_fit_and_what_would(words, findings):
    o = vars(verb.Parser("plan", None).parse_args(words.split()))
    p = plan.plan_given({k: v for k, v in o.items() if v is not None})
    d = plan.plan_document(p, "1")
    assert "".join(f"{line}\n" for line in d["findings"]) == findings
    assert d["carried"] == (findings == "")
    assert all("[" in line or "no percentiles" in line for line in d["assumptions"])  # the source


# ---- the verb

def test_verb_status_words_and_the_whole_document(program):
    for words, status, said in (
            ("--ops-per-s 10 --latency 50ms --sessions-max 32 --seeds 2000", 1, "IT DOES NOT FIT"),
            ("--ops-per-s 1500 --latency 2ms --at-once 32 --hsms 2 --one-lost --others 20 "
             "--failover 2s --rolling", 0, "HSMs: 2 less one that is lost")):
        r = program("plan", *words.split())
        assert r.returncode == status and said in r.stdout
    r = program("plan", *"--latency 2000us --at-once 8 --seeds 100 --servers 1 --json".split())
    d = json.loads(r.stdout)
    assert r.returncode == 0 and (d["tool"], d["schema"]) == ("keyward-bench plan", 1)
    assert 305.9 < d["expected"]["ready_ms"] < 306.5 and d["expected"]["p99_ms"] > 2.9
    assert d["figures"]["ready_ms"] == d["expected"]["ready_ms"]
    assert d["limits"]["seeds"] > 19000 and d["limits"]["servers"] >= 16
    assert d["inputs"]["seeds"] == 100 and "sessions_max" not in d["inputs"]
    assert d["inputs"]["curve"] == [{"sessions": 8, "ops_per_s": 4000}]
    assert d["curves"][0]["x"] == "seeds" and len(d["curves"][0]["points"]) == 16

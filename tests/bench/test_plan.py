# SPDX-License-Identifier: Apache-2.0
"""The planner's arithmetic by hand; who bounds what, and what is said of it."""
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import curve
import findings
import plan
import reckon
import simulate
import verb
from curve import Curve, Point, of_figures
from reckon import MS, S, Plan

ANALYSIS = Path(plan.__file__).parent


def near(value: float, percent: float = 1e-6) -> Any:
    return pytest.approx(value, rel=percent / 100)


def token(latency_ms: float, at_once: int = 8) -> Curve:
    return of_figures(at_once, int(latency_ms * MS))


GIVEN = Plan(token(2), servers=1, seeds=100, seeds_given=True, starts_per_week=0, weeks=0,
             probe_ns=2 ** 62)
THREE = Curve((Point(1, 1000, 900, 1800), Point(2, 1800), Point(4, 1500, 2000, 2000)), "")


# ---- the curve


@pytest.mark.parametrize("of, sessions, rate", [
    (THREE, 0.5, 500), (THREE, 1, 1000), (THREE, 1.5, 1400),
    (THREE, 3, 1650), (THREE, 400, 1500),  # slower with more, as measured
    (token(2), 1, 500), (token(2), 8, 4000), (token(2), 9, 4000),
    (of_figures(32, ops_per_s=1500), 32, 1500), (of_figures(32, ops_per_s=1500), 16, 750),
    (of_figures(32, 10 * MS, 1500), 1, 100), (of_figures(32, 10 * MS, 1500), 32, 1500),
    (of_figures(4, 10 * MS, 1500), 32, 400)])
def test_rate_between_below_and_beyond(of: Curve, sessions: float, rate: float) -> None:
    assert of.ops_per_s(sessions) == near(rate)


@pytest.mark.parametrize("rate, sessions", [(500, 0.5), (1400, 1.5), (1500, 1.625), (1801, 0)])
def test_sessions_for_a_rate_are_the_least(rate: float, sessions: float) -> None:
    assert THREE.sessions_for(rate) == near(sessions)


def test_sigma_is_that_of_a_log_normal() -> None:
    assert math.exp(2.3263478740408408 * THREE.sigma(1)) == near(2)
    assert THREE.sigma(2) == THREE.sigma(99) == 0  # unknown, or without spread


TOKEN: dict[str, Any] = {"tool": "keyward-bench token", "schema": 1}
LOAD: dict[str, Any] = {"tool": "keyward-bench load", "schema": 1, "figures": {"calls_per_s": 9},
                        "options": {"mix": "decrypt", "in_flight": 1}}
POINT = {"sessions": 1, "ops_per_s": 9}


@pytest.mark.parametrize("document, why", [
    ("", "no JSON"), ([1], "no JSON object"), ({}, "it is no document of"),
    ({"tool": "keyward-bench storm", "schema": 1}, "it is no document of"),
    ({"tool": 7, "schema": 1}, "it is no document of"),
    (TOKEN | {"schema": 2, "curve": []}, '"schema"'), ({"tool": TOKEN["tool"]}, '"schema"'),
    (TOKEN | {"partial": True, "curve": [POINT]}, "cut short"),
    (LOAD | {"failures": {"INTERNAL": {"count": 1}}}, "wrong or failed"),
    (LOAD | {"by_method": {"decrypt": {"wrong": 1}}}, "wrong or failed"),
    (TOKEN | {"wrong": 1, "curve": [POINT]}, "wrong"),
    (TOKEN | {"figures": {}}, "--curve 1,2,4,8"), (TOKEN | {"curve": []}, "--curve 1,2,4,8"),
    (TOKEN | {"curve": [POINT] * 65}, "over 64 points"),
    (TOKEN | {"curve": [POINT | {"sessions": 0}]}, "a point"),
    (TOKEN | {"curve": [POINT | {"ops_per_s": 0}]}, "a point"), (TOKEN | {"curve": [7]}, "a point"),
    (TOKEN | {"curve": [POINT | {"p50_us": 3, "p99_us": 2}]}, "a point"),
    (TOKEN | {"curve": [POINT, POINT]}, "twice"),
    (TOKEN | {"options": {"max_rate": 5}, "curve": [POINT]}, "--max-rate"),
    (LOAD | {"options": LOAD["options"] | {"rate": 5}}, "--rate"),
    (TOKEN | {"options": {"operation": "find"}, "curve": [POINT]}, "neither unwrap nor wrap"),
    (LOAD | {"options": {"mix": "status", "in_flight": 1}}, "not all Decrypts or all Encrypts"),
    (LOAD | {"options": {"mix": "decrypt:90,encrypt:10"}}, "not all Decrypts or all Encrypts"),
    (LOAD | {"figures": {}}, "calls_per_s")])
def test_curve_that_cannot_be_is_refused(tmp_path: Path, document: Any, why: str) -> None:
    path = tmp_path / "curve.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(verb.Unable) as error:
        curve.read_curve(str(path))
    assert str(path) in str(error.value) and why in str(error.value)


def test_curve_of_token_comes_in_order(tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    points = [{"sessions": 4, "ops_per_s": 300.5, "p50_us": 5, "p99_us": 9},
              {"sessions": 1, "ops_per_s": 100, "p50_us": 5}]  # p50 alone is of no use
    path.write_text(json.dumps(TOKEN | {"curve": points}))
    c = curve.read_curve(str(path))
    assert c.points == (Point(1, 100, 0, 0), Point(4, 300.5, 5, 9))
    assert f"without a server before them [measured: {path}" in c.words


def test_curve_of_load_an_encrypt_is_two_operations(tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    path.write_text(json.dumps(LOAD | {
        "options": {"mix": "encrypt", "in_flight": 8},
        "figures": {"calls_per_s": 50, "p50_us": 40, "p99_us": 60}}))
    c = curve.read_curve(str(path))
    assert c.points == (Point(8, 100, 20, 30),) and "missed its cache" in c.words


# ---- the arithmetic


def bound(**more: Any) -> reckon.Bound:
    p = replace(GIVEN, **more)
    return reckon.bound(p, p.servers, p.seeds)


def test_needs_by_hand() -> None:
    p = replace(GIVEN, servers=3, seeds_given=False, starts_per_week=2, weeks=10, rotations=4,
                versions=2, probe_ns=10 * S)
    p = replace(p, seeds=p.seeds_of(3))
    assert p.seeds == 75
    n = reckon.needs(p)
    assert n.canaries_per_s == near(1.2)  # 3 x (1 + 3) / 10 s
    assert n.encrypts_per_s == near(12 / 604800) and n.rereads_per_s == near(225 / 86400)
    assert (n.sessions, n.sessions_at_work) == (6, 1)
    assert n.capacity_per_s == near(3000)
    assert n.storm_operations == near(231) and n.storm_per_s == near(3.85)
    assert n.steady_utilisation == near((1.2 + 12 / 604800 + 225 / 86400) / 3000)
    assert reckon.needs(replace(p, rolling=True)).storm_operations == near(77)


def test_token_without_a_lost_hsm_and_other_tenants() -> None:
    p = replace(GIVEN, hsms=3, one_lost=True, others_percent=25)
    assert p.hsms_left == 2
    assert [p.ops_per_s(k) for k in (16, 99, 2)] == pytest.approx([6000, 6000, 750])


def test_one_list_takes_its_round_trips() -> None:
    """Status 1 ms; Encrypt 2 x 2 + 1 ms; a hundred times 2 + 1 ms."""
    b = bound()
    assert b.ready_ns == near(306 * MS, 0.001) and b.wait_ns == near(2 * MS, 0.001)
    assert b.in_flight == near(2 / 3, 0.001) and b.neck == reckon.NECK_ROUNDS
    assert bound(readers=5).ready_ns == near(306 * MS, 0.001)  # they share


@pytest.mark.parametrize("more, neck, rate, ready_ms", [
    ({}, reckon.NECK_WORKERS, 1000, 106), ({"sessions_max": 1}, reckon.NECK_SESSIONS, 500, None),
    ({"servers": 3, "curve": token(2, 1)}, reckon.NECK_TOKEN, 500, 2 + 12 + 600),
    ({"probe_ns": S, "versions": 64}, reckon.NECK_WORKERS, 934, None)])  # 66 are for canaries
def test_ten_lists_have_a_neck(more: dict[str, Any], neck: str, rate: float,
                               ready_ms: float | None) -> None:
    b = bound(parallel=10, **more)
    assert b.neck == neck and b.ops_per_s == near(rate, 0.001)
    assert ready_ms is None or b.ready_ns == near(ready_ms * MS, 0.001)


@pytest.mark.parametrize("failover_s, ready_ms, away_s", [
    (5, 11508 + 300, 5),  # given up at 1501 ms, said at 1502, asked again 10 s later
    (1, 1005 + 300, 1),  # within the first one's patience
    (12, None, 22)])  # long enough for keyward to give the token up
def test_token_that_is_away(failover_s: int, ready_ms: float | None, away_s: int) -> None:
    assert replace(GIVEN, failover_ns=failover_s * S).away_ns == away_s * S
    if ready_ms is not None:
        assert bound(failover_ns=failover_s * S).ready_ns == near(ready_ms * MS, 0.001)


@pytest.mark.parametrize("servers, more, carried", [
    (3, {}, True), (3, {"sessions_max": 6, "connections_max": 6, "clients_max": 3}, True),
    (3, {"sessions_max": 5}, False), (3, {"connections_max": 5}, False),
    (3, {"clients_max": 2}, False),
    (1, {"curve": token(800), "seeds": 1}, False),  # an Encrypt takes 1.6 s of 1.5
    (1, {"curve": token(700), "seeds": 1}, True),
    (1, {"curve": token(700), "seeds": 6, "parallel": 6}, False),  # two at a time: 2.1 s
    (4, {"curve": token(5, 1), "seeds": 1, "rolling": True, "versions": 64}, True),
    (4, {"curve": token(5, 1), "seeds": 1, "rolling": True, "versions": 64, "probe_ns": S}, False)])
def test_carries(servers: int, more: dict[str, Any], carried: bool) -> None:
    p = replace(GIVEN, servers=servers, **more)
    assert reckon.carries(p, servers, p.seeds) == carried


def test_limits_by_hand() -> None:
    """(60001 - 6) / 3; a server brings a list of its own until the sessions are spent."""
    p = replace(GIVEN, within_ns=60001 * MS)
    assert reckon.limits(p)[1] == 19998
    assert reckon.limits(replace(p, sessions_max=12))[0] == 6
    assert reckon.limits(replace(p, sessions_max=12, clients_max=4))[0] == 4
    assert reckon.limits(replace(p, within_ns=5 * MS)) == (0, 0)


def test_series_rise_with_what_grows() -> None:
    p = replace(GIVEN, seeds=3)  # fewer than points
    all_series = reckon.series(p, reckon.limits(p)[1])
    assert [s.x for s in all_series] == ["seeds", "api servers", "sessions at work"]
    for s in all_series:
        assert all(a[0] < b[0] and b[1] > 0 for a, b in zip(s.points, s.points[1:]))
    assert all(ready == near(6 + 3 * seeds, 0.001) for seeds, ready in all_series[0].points)


# ---- sentences


def found(**more: Any) -> str:
    p = replace(GIVEN, **more)
    return "\n".join(findings.findings(p, reckon.needs(p), reckon.bound(p, p.servers, p.seeds),
                                       simulate.play(p)))


@pytest.mark.parametrize("more, words", [
    ({"servers": 3, "sessions_max": 4, "connections_max": 5, "clients_max": 2},
     ["6 sessions and the token grants 4 (--sessions-max): 2 too many",
      "6 connections and the token grants 5", "3 clients and the token grants 2",
      "no number of workers"]),  # of servers there are three whatever happens
    ({"seeds": 1500, "parallel": 3, "curve": token(100, 1)},  # 10 operations a second
     ["2.50 times the 60.0 s wanted", reckon.NECK_TOKEN, "HSMs and 16 workers in each keyward",
      "seeds or fewer; a storage migration"]),
    ({"seeds": 25000}, ["1.25 times the 60.0 s wanted", reckon.NECK_ROUNDS, "seeds or fewer",
                        "no number of workers (to 16) or HSMs (to 64) carries it"]),
    ({"seeds": 40000, "parallel": 10, "workers": 1},
     ["would carry it: 2 workers in each keyward (2 sessions)"]),
    ({"versions": 64, "probe_ns": S, "curve": token(100, 2), "seeds": 1},
     ["ordinary days take 66.0 operations a second and the token does 20.0",
      "by a factor of 3.30"]),
    ({"servers": 16, "curve": token(100, 1)},
     ["first Encrypts of all API servers take 3200 ms together", "restarted one after the other"]),
    ({"parallel": 32, "curve": token(100, 1)}, ["is given up after 1500 ms"]),
    ({"failover_ns": 5 * S, "within_ns": 12 * S},  # how a list waits the arithmetic does not see
     ["after a start it takes 12.8 s", "by arithmetic it would just fit"])])
def test_what_does_not_fit_and_what_would(more: dict[str, Any], words: list[str]) -> None:
    said = found(**more)
    assert [w for w in words if w not in said] == []


def test_nothing_wrong_nothing_said() -> None:
    assert found() == ""


def test_every_assumption_has_its_source() -> None:
    lines = findings.assumptions(replace(GIVEN, failover_ns=1))
    assert len(lines) > 10 and "100 distinct seeds" in lines[0]
    assert all("[" in line or "as no percentiles of it are known" in line for line in lines)
    lines = findings.assumptions(replace(GIVEN, seeds_given=False))
    assert "at each of 0 starts a week" in lines[0]


# ---- the verb


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-B", str(ANALYSIS), "--bench", "/bin/echo",
                           "plan", *words], capture_output=True, text=True, timeout=60, check=False)


FIT = ("--latency", "2ms", "--sessions", "8")


@pytest.mark.parametrize("words, said", [
    *((FIT + (f"--{flag}", value), f"--{flag}") for flag, value in (
        ("servers", "0"), ("servers", "17"), ("seeds", "0"), ("others", "100"), ("workers", "17"),
        ("ready-within", "0s"), ("hsms", "0"), ("call", "7us2"))),
    (("--latency", "0ms", "--sessions", "8"), "--latency: 0ms"),
    (("--latency", "0us", "--sessions", "8"), "--latency: 0us"),
    (("--latency", "2ms", "--sessions", "0"), "--sessions: 0"),
    (FIT + ("--one-lost",), "--one-lost: with --hsms 1 none would be left"),
    (("--servers", "3"), "--curve FILE"), (("--latency", "2ms"), "--sessions"),
    (("--curve", "/nonexistent", "--latency", "2ms"), "--curve has it all"),
    (FIT + ("--seeds", "5", "--weeks", "3"), "--seeds"),
    (FIT + ("--parallel", "20", "--readers", "20"), "--parallel times --readers"),
    (FIT + ("--weeks", "1000", "--starts-per-week", "10000"), "migrate the storage"),
    (FIT + ("--seeds", "100000", "--servers", "16", "--readers", "2"), "--servers times seeds")])
def test_nonsense_is_wrong_usage(words: tuple[str, ...], said: str) -> None:
    r = run(*words)
    assert r.returncode == 2 and said in r.stderr and r.stdout == ""


def test_help_is_good() -> None:
    r = run("--help")
    assert r.returncode == 0 and r.stdout.startswith("usage: keyward-bench plan")


def test_curve_that_cannot_be_read_is_three(tmp_path: Path) -> None:
    r = run("--curve", "/nonexistent/curve.json")
    assert r.returncode == 3 and "/nonexistent/curve.json" in r.stderr
    (tmp_path / "c.json").write_text(json.dumps(TOKEN | {"schema": 9}))
    r = run("--curve", str(tmp_path / "c.json"))
    assert r.returncode == 3 and '"schema" is not 1' in r.stderr


def test_too_slow_is_one_and_says_what_would_carry_it() -> None:
    words = ("--ops-per-s", "10", "--latency", "50ms", "--sessions-max", "32", "--seeds", "2000")
    r = run(*words)
    assert r.returncode == 1
    for said in ("IT DOES NOT FIT", "times the 60.0 s wanted", "would carry it"):
        assert said in r.stdout
    r = run(*words, "--json")
    assert r.returncode == 1 and json.loads(r.stdout)["carried"] is False


def test_carried_is_zero_and_the_whole_document() -> None:
    r = run("--latency", "2000us", "--sessions", "8", "--seeds", "100", "--servers", "1", "--json")
    assert r.returncode == 0
    d = json.loads(r.stdout)
    assert (d["tool"], d["schema"], d["partial"]) == ("keyward-bench plan", 1, False)
    assert 305.9 < d["expected"]["ready_ms"] < 306.5 and d["expected"]["p99_ms"] > 2.9
    assert d["expected"]["goodput"] == 1
    assert d["figures"]["ready_ms"] == d["expected"]["ready_ms"]
    assert d["limits"]["seeds"] > 19000 and d["limits"]["servers"] >= 16
    assert d["needs"]["steady_per_s"] > 0.3 and d["inputs"]["seeds"] == 100
    assert len(d["assumptions"]) > 10 and d["findings"] == []
    assert d["curves"][0]["x"] == "seeds" and len(d["curves"][0]["points"]) == 16


def test_table_says_what_is_assumed() -> None:
    r = run("--ops-per-s", "1500", "--latency", "2ms", "--sessions", "32", "--hsms", "2",
            "--one-lost", "--others", "20", "--failover", "2s", "--rolling")
    assert r.returncode == 0
    for said in ("the token carries this", "HSMs: 2 less one that is lost",
                 "at most 1500 a second", "one after the other"):
        assert said in r.stdout


def test_plot_is_a_picture_or_three(tmp_path: Path) -> None:
    r = run(*FIT, "--plot", str(tmp_path / "plan.svg"))
    picture = (tmp_path / "plan.svg").read_text()
    assert r.returncode == 0 and picture.startswith("<svg") and picture.count("<svg y=") == 3
    r = run(*FIT, "--plot", "/nonexistent/plan.svg")
    assert r.returncode == 3 and "/nonexistent/plan.svg" in r.stderr

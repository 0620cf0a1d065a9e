# SPDX-License-Identifier: Apache-2.0
"""Each rule of simulate.py, whole storms to the nanosecond, and whether the prediction is right."""
from dataclasses import replace

import pytest

import made_up
import reckon
import simulate
from reckon import Curve, Point, of_figures
from reckon import Plan
from simulate import MS


def token(latency_ms, at_once=8):
    return of_figures(at_once, latency_ms)


GIVEN = Plan(token(2), servers=1, seeds=100, seeds_given=True, starts_per_week=0, weeks=0,
             sessions=1, probe_ms=2 ** 62)


class Keyward(simulate.Storm):
    """Calls come from the test, and answers go to it: at which ms, to whom, whether good."""

    def __init__(self, plan):
        super().__init__(plan)
        self.said = []

    def ask(self, at_ms, who, what, server=0):
        def asker():
            good = yield what
            self.said.append((self.now // MS, who, good))
        self.run_until(at_ms * MS)
        self.now = at_ms * MS
        self.resume(self.servers[server], asker())

    def run_until(self, ns):
        while self.events and self.events[0][0] < ns:
            self.instant()


def given(curve=None, **more):
    """As a table of cases says: the curve is its points."""
    of = Curve(tuple(Point(*point) for point in curve), "") if curve else GIVEN.curve
    return replace(GIVEN, curve=of, **more)


@pytest.mark.parametrize("more, calls, said, operations", made_up.json_cases("rules", 4))
def test_rule(more, calls, said, operations):
    k = Keyward(given(**more))
    for call in calls:
        k.ask(*call)
    k.run_until(2 ** 62)
    assert [*map(list, k.said)] == said and [k.operations, k.wasted] == operations


def test_percentiles_known_varies_around_the_curve():
    """4,000 operations one after the other; the same draw gives the same time."""
    def time_of(draw):
        curve = Curve((Point(8, 4000, 1000, 3000),), "")
        return float(play(seeds=4000, call_ms=0, draw=draw, curve=curve)["ready_ms"])
    assert time_of(1) == pytest.approx(8000, rel=0.05)
    assert time_of(1) == time_of(1) != time_of(2)


# ---- whole storms


def play(**more):
    return simulate.play(replace(GIVEN, **more))


@pytest.mark.parametrize("more, ready_ms, figures", made_up.json_cases("storms", 3))
def test_storm_to_the_nanosecond(more, ready_ms, figures):
    x = simulate.play(given(**more))
    assert x["ready_ms"] == ready_ms
    assert {k: x[k] for k in figures} == figures


@pytest.mark.parametrize("more", [
    {"curve": token(2000)},  # longer than the deadline
    # the API server gives up before keyward does, and asks again before the token is done
    {"curve": token(200), "timeout_ms": 100, "retry_ms": 10},
    {"parallel": 32, "curve": token(100, 1)}])  # overload: lost, asked again, and ready at last
def test_too_slow_calls_are_lost(more):
    x = play(**more)
    assert x["lost"] > 0 and x["wasted"] > 0 and x["goodput"] < 1
    assert x["decrypts"] in (0, x["good"] + x["lost"])
    if "parallel" not in more:
        assert not x["ready"] and x["goodput"] == 0 and x["wasted"] == x["operations"]
        assert x["given_up_ms"] == 3_600_000 and "p50_ms" not in x


# ---- is the prediction right?


def measure(p, places, takes):
    """A second simulation, which shares no line with the first. It has no queues and no events:
    lists are taken in the order in which they ask; an operation begins when the asker, a session
    and a place in the token are all free (Lindley's recursion)."""
    workers = [[0.0] * p.workers * p.sessions for _ in range(p.servers)]
    place, known = [0.0] * places, dict[tuple[int, int], float]()

    def operate(server, at):
        w, t = workers[server], min(range(places), key=place.__getitem__)
        i = min(range(len(w)), key=w.__getitem__)
        w[i] = place[t] = max(at, w[i], place[t]) + takes
        return place[t]

    wrapped = [operate(s, p.call_ms) for s in range(p.servers)]
    lists = []
    for s in range(p.servers):
        begins = operate(s, wrapped[s]) + p.call_ms
        lists += [[begins, s, i // p.readers] for i in range(p.parallel * p.readers)]
    ready = 0.0
    while left := [x for x in lists if x[2] < p.seeds]:
        x = min(left, key=lambda x: float(x[0]))
        asked, server, seed = x
        if (server, seed) not in known:
            known[server, seed] = operate(server, asked)
        x[0] = max(known[server, seed], asked) + p.call_ms
        x[2] += p.parallel
        assert x[0] - asked < p.deadline_ms  # it has no deadlines
        ready = max(ready, x[0])
    return ready


@pytest.mark.parametrize("latency_ms, places, shape, varies", made_up.json_cases("foretold", 4))
def test_storms_are_as_foretold_by_both_ways(latency_ms, places, shape, varies):
    of = token(latency_ms, places)
    if varies:
        of = Curve((replace(of.points[0], p50_us=9000, p99_us=20000),), "")
    p = replace(GIVEN, seeds=500, curve=of, **dict(zip(
        ("servers", "parallel", "readers", "workers", "sessions"), shape)))
    measured = measure(p, places, latency_ms)
    assert simulate.play(p)["ready_ms"] == pytest.approx(measured, rel=0.25)
    assert reckon.bound(p)["ready_ms"] == pytest.approx(measured, rel=0.25)

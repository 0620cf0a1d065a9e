# SPDX-License-Identifier: Apache-2.0
"""Each rule of simulate.py, whole storms to the nanosecond, and whether the prediction is right."""
from dataclasses import replace

import pytest

import reckon
import simulate
from reckon import Curve, Point, of_figures
from reckon import Plan
from simulate import ENCRYPT, MS, STATUS


def token(latency_ms, at_once=8):
    return of_figures(at_once, latency_ms)


GIVEN = Plan(token(2), servers=1, seeds=100, seeds_given=True, starts_per_week=0, weeks=0,
             probe_ms=2 ** 62)


class Keyward(simulate.Storm):
    """Calls come from the test, and answers go to it: at which ms, to whom, whether good."""

    def __init__(self, **more):
        super().__init__(replace(GIVEN, **more))
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


SHORT = Curve((Point(1, 500), Point(2, 500)), "")


@pytest.mark.parametrize("more, calls, said, operations, wasted", [
    # a Status is answered at once; an Encrypt is two operations
    ({}, [(0, 0, STATUS), (0, 1, ENCRYPT)], [(1, 0, True), (5, 1, True)], 2, 0),
    # equal Decrypts in one keyward share an operation, or find it in the cache; in two they do not
    ({"servers": 2}, [(0, 0, 7), (1, 1, 7), (1, 2, 7, 1), (9, 3, 7)],
     [(3, 0, True), (3, 1, True), (4, 2, True), (10, 3, True)], 2, 0),
    # an answer that came too late for everybody is not in the cache
    ({"curve": token(2000, 1)}, [(0, 0, 5), (3000, 1, 5)], [(1501, 0, False), (4501, 1, False)],
     2, 2),
    # of an operation that everybody has left nothing begins
    ({"workers": 1, "curve": token(20), "timeout_ms": 15}, [(0, 0, 1), (0, 1, 2), (0, 2, 2)],
     [(15, 0, False), (15, 1, False), (15, 2, False)], 1, 1),
    # two workers, and those of another server do not help
    ({"servers": 2}, [(0, i, i) for i in range(5)],
     [(3, 0, True), (3, 1, True), (5, 2, True), (5, 3, True), (7, 4, True)], 5, 0),
    # with fewer sessions than workers it goes by turns
    ({"servers": 2, "sessions_max": 1}, [(0, i, i, i // 2) for i in range(4)],
     [(3, 0, True), (5, 2, True), (7, 1, True), (9, 3, True)], 4, 0),
    # a full token: first come, first served
    ({"curve": token(2, 1)}, [(0, 0, 0), (1, 1, 1)], [(3, 0, True), (5, 1, True)], 2, 0),
    # with two in flight this token takes 2 / 500 s for each
    ({"curve": SHORT}, [(0, 0, 0), (0, 1, 1)], [(3, 0, True), (5, 1, True)], 2, 0),
    # what begins while the token is away begins when it is back
    ({"failover_ms": 100}, [(0, 0, 1), (0, 1, STATUS)], [(1, 1, True), (103, 0, True)], 1, 0)])
def test_rule(more, calls, said, operations, wasted):
    k = Keyward(**more)
    for call in calls:
        k.ask(*call)
    k.run_until(2 ** 62)
    assert k.said == said and (k.operations, k.wasted) == (operations, wasted)


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


@pytest.mark.parametrize("more, ready_ms, figures", [
    # Status 1 ms; Encrypt 2 x 2 + 1 ms; a hundred times 2 + 1 ms
    ({}, 306, {"good": 100, "lost": 0, "operations": 102, "goodput": 1, "p50_ms": 3, "p99_ms": 3}),
    ({"readers": 4}, 306, {"good": 400, "operations": 102, "duplicates": 300}),
    ({"servers": 3}, 306, {"operations": 306}),
    ({"servers": 3, "rolling": True}, 306, {"operations": 102}),
    # the Encrypt is just in time, one of three lists' Decrypts is not: 202 + 250, a second until
    # the list begins anew, and 101
    ({"parallel": 3, "seeds": 3, "workers": 1, "timeout_ms": 250, "curve": token(100, 1)}, 1553,
     {"good": 3, "lost": 1, "operations": 6, "wasted": 1}),
    # asked at 1 ms, given up at 1501, said at 1502; lists begin at 1502, 2502 …; the second check
    # is from 11502 to 11508; the list that begins at 12502 has a state
    ({"failover_ms": 5000}, 12802, {"lost": 1})])
def test_storm_to_the_nanosecond(more, ready_ms, figures):
    x = play(**more)
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
    lists are taken in the order in which they ask; an operation begins when the asker, a worker
    and a place in the token are all free (Lindley's recursion)."""
    workers = [[0.0] * p.workers for _ in range(p.servers)]
    place, known = [0.0] * places, dict[tuple[int, int], float]()

    def operate(server, at):
        w, t = workers[server], min(range(places), key=place.__getitem__)
        i = min(range(p.workers), key=w.__getitem__)
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


@pytest.mark.parametrize("latency_ms, places, shape, varies", [
    (2, 8, (1, 1, 1, 2), False), (2, 8, (3, 1, 1, 2), False), (10, 8, (3, 1, 1, 2), False),
    (2, 8, (1, 7, 1, 2), False), (2, 8, (3, 7, 3, 2), False), (10, 8, (1, 16, 4, 2), False),
    (10, 8, (3, 10, 2, 4), False), (2, 1, (3, 1, 1, 2), False), (10, 2, (3, 5, 2, 2), False),
    (10, 3, (4, 2, 1, 4), False), (10, 8, (1, 16, 4, 2), True)])  # both were told the mean
def test_storms_are_as_foretold_by_both_ways(latency_ms, places, shape, varies):
    of = token(latency_ms, places)
    if varies:
        of = Curve((replace(of.points[0], p50_us=9000, p99_us=20000),), "")
    p = replace(GIVEN, seeds=500, curve=of, **dict(zip(
        ("servers", "parallel", "readers", "workers"), shape)))
    measured = measure(p, places, latency_ms)
    assert simulate.play(p)["ready_ms"] == pytest.approx(measured, rel=0.25)
    assert reckon.bound(p)["ready_ms"] == pytest.approx(measured, rel=0.25)

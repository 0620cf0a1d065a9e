# SPDX-License-Identifier: Apache-2.0
"""Each rule of simulate.py, whole storms to the nanosecond, and whether the prediction is right."""
from dataclasses import replace
from typing import Any

import pytest

import reckon
import simulate
from curve import Curve, Point, of_figures
from reckon import MS, S, Plan
from simulate import DECRYPT, ENCRYPT, STATUS


def token(latency_ms: float, at_once: int = 8) -> Curve:
    return of_figures(at_once, int(latency_ms * MS))


GIVEN = Plan(token(2), servers=1, seeds=100, seeds_given=True, starts_per_week=0, weeks=0,
             probe_ns=2 ** 62)


class Keyward(simulate.Storm):
    """Calls come from the test, and answers go to it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.said: list[tuple[int, int, bool]] = []

    def ask(self, at_ms: int, asker: int, method: int, seed: int = 0,
            server: int = 0) -> simulate.Call:
        self.until(at_ms)
        self.now = at_ms * MS
        call = simulate.Call(self.servers[server], asker, method, seed, self.now)
        self.call(call)
        return call

    def until(self, at_ms: int) -> None:
        while self.events and self.events[0][0] < at_ms * MS:
            self.instant()

    def give_up(self, call: simulate.Call) -> None:
        self._leave(call)
        call.over = True

    def _end_of_call(self, call: simulate.Call, good: bool) -> None:
        call.over = True
        self.said.append((self.now // MS, call.asker, good))

    def told(self, operations: int, wasted: int = 0, saved: int = 0) -> list[tuple[int, int, bool]]:
        """At which ms, to whom, and whether it was good, of all that is still to come."""
        self.until(10 ** 9)
        assert (self.operations, self.wasted, self.saved) == (operations, wasted, saved)
        said, self.said = self.said, []
        return said


def test_status_at_once_an_encrypt_is_two_operations() -> None:
    k = Keyward(GIVEN)
    k.ask(0, 0, STATUS)
    k.ask(0, 1, ENCRYPT)
    assert k.told(2) == [(1, 0, True), (5, 1, True)]


def test_equal_decrypts_one_keyward_shares_two_do_not() -> None:
    k = Keyward(replace(GIVEN, servers=2))
    for at, asker, server in ((0, 0, 0), (1, 1, 0), (1, 2, 1)):
        k.ask(at, asker, DECRYPT, 7, server)
    k.ask(9, 0, DECRYPT, 7)  # from the cache
    assert k.told(2, saved=2) == [(3, 0, True), (3, 1, True), (4, 2, True), (10, 0, True)]


def test_over_its_deadline_said_and_wasted() -> None:
    k = Keyward(replace(GIVEN, curve=token(2000, 1)))
    k.ask(0, 0, DECRYPT, 5)
    assert k.told(1, wasted=1) == [(1501, 0, False)]
    k.ask(3000, 0, DECRYPT, 5)  # the answer that nobody took is not in the cache
    assert k.told(2, wasted=2) == [(4501, 0, False)]


def test_last_waiter_leaves_the_queue_no_operation() -> None:
    k = Keyward(replace(GIVEN, workers=1))
    calls = [k.ask(0, asker, DECRYPT, seed) for asker, seed in ((0, 1), (1, 2), (2, 2))]
    for call in (calls[1], calls[2], calls[2]):  # the last time there is no call any more
        k.give_up(call)
    assert k.told(1, saved=1) == [(3, 0, True)]


def test_left_while_it_runs_the_next_equal_one_asks_anew() -> None:
    k = Keyward(GIVEN)
    k.give_up(k.ask(0, 0, DECRYPT, 1))
    k.ask(1, 1, DECRYPT, 1)
    assert k.told(2, wasted=1) == [(4, 1, True)]


def test_answer_on_its_way_and_given_up_never_arrives() -> None:
    k = Keyward(GIVEN)
    k.give_up(k.ask(0, 0, STATUS))
    assert k.told(0) == []


def test_two_workers_further_calls_wait() -> None:
    k = Keyward(replace(GIVEN, servers=2))  # the other one's workers do not help
    for i in range(6):
        k.ask(0, i, DECRYPT, i)
    assert [at for at, _, _ in k.told(6)] == [3, 3, 5, 5, 7, 7]


def test_fewer_sessions_than_workers_by_turns() -> None:
    k = Keyward(replace(GIVEN, servers=2, sessions_max=1))
    for i in range(4):
        k.ask(0, i, DECRYPT, i, i // 2)
    assert [(at, who) for at, who, _ in k.told(4)] == [(3, 0), (5, 2), (7, 1), (9, 3)]


def test_full_token_first_come_first_served_and_not_called_back() -> None:
    k = Keyward(replace(GIVEN, curve=token(2, 1)))
    k.ask(0, 0, DECRYPT, 0)
    k.ask(1, 1, DECRYPT, 1)
    assert [at for at, _, _ in k.told(2)] == [3, 5]
    k.ask(10, 0, DECRYPT, 2)
    k.give_up(k.ask(10, 1, DECRYPT, 3))
    k.ask(10, 2, DECRYPT, 4)  # no worker: both have gone into the token
    assert [(at, who) for at, who, _ in k.told(5, wasted=1)] == [(13, 0), (17, 2)]


def test_operation_with_others_takes_what_the_curve_says() -> None:
    """With two in flight this token takes 2 / 500 s for each."""
    k = Keyward(replace(GIVEN, curve=Curve((Point(1, 500), Point(2, 500)), "")))
    for i in range(2):
        k.ask(0, i, DECRYPT, i)
    assert [at for at, _, _ in k.told(2)] == [3, 5]


def test_token_away_begins_when_it_is_back() -> None:
    k = Keyward(replace(GIVEN, failover_ns=100 * MS))
    k.ask(0, 0, DECRYPT)
    k.ask(0, 1, STATUS)
    assert k.told(1) == [(1, 1, True), (103, 0, True)]


def test_percentiles_known_varies_around_the_curve() -> None:
    """4,000 operations one after the other; the same draw gives the same time."""
    def time_of(draw: int) -> int:
        p = replace(GIVEN, seeds=4000, call_ns=0, draw=draw,
                    curve=Curve((Point(8, 4000, 1000, 3000),), ""))
        return simulate.play(p).ready_ns or 0
    assert time_of(1) == pytest.approx(8 * S, rel=0.05)
    assert time_of(1) == time_of(1) != time_of(2)


# ---- whole storms


def play(**more: Any) -> simulate.Played:
    return simulate.play(replace(GIVEN, **more))


def test_one_list_to_the_nanosecond() -> None:
    """Status 1 ms; Encrypt 2 x 2 + 1 ms; a hundred times 2 + 1 ms."""
    x = play()
    assert x.ready_ns == 306 * MS
    assert (x.decrypts, x.good, x.lost, x.operations, x.wasted) == (100, 100, 0, 102, 0)
    assert x.goodput == 1 and x.p50_ns == x.p99_ns == 3 * MS
    assert x.seeds_per_s == pytest.approx(100 / 0.306)


def test_readers_share_operations() -> None:
    x = play(readers=4)
    assert (x.ready_ns, x.good, x.operations, x.duplicates) == (306 * MS, 400, 102, 300)


@pytest.mark.parametrize("rolling, operations", [(False, 306), (True, 102)])
def test_servers_share_nothing_but_the_token(rolling: bool, operations: int) -> None:
    x = play(servers=3, rolling=rolling)
    assert (x.ready_ns, x.operations) == (306 * MS, operations)


@pytest.mark.parametrize("more, played_s", [
    ({"curve": token(2000)}, 3600),  # longer than the deadline
    # the API server gives up before keyward does, and asks again before the token is done
    ({"curve": token(200), "timeout_ns": 100 * MS, "list_retry_ns": 10 * MS}, None)])
def test_too_slow_for_any_call_never_ready(more: dict[str, Any], played_s: int | None) -> None:
    x = play(**more)
    assert x.ready_ns is None and x.good == 0 and x.lost > 0 and x.goodput == 0
    assert x.wasted == x.operations > 0 and x.p50_ns is None
    assert played_s is None or x.played_ns == played_s * S


def test_timeout_of_the_server_its_calls_are_forgotten() -> None:
    """The Encrypt is just in time, one of three lists' Decrypts is not: 202 + 250, a second until
    the list begins anew, and 101."""
    x = play(parallel=3, seeds=3, workers=1, timeout_ns=250 * MS, curve=token(100, 1))
    assert (x.good, x.lost, x.operations, x.wasted) == (3, 1, 2 + 4, 1)
    assert x.ready_ns == 1553 * MS


def test_overload_calls_are_lost_and_asked_again() -> None:
    """32 lists and a token that does 10 a second."""
    x = play(parallel=32, curve=token(100, 1))
    b = reckon.bound(replace(GIVEN, parallel=32, curve=token(100, 1)), 1, 100)
    assert b.wait_ns > 1500 * MS
    assert x.ready_ns is not None and x.ready_ns > b.ready_ns * 0.99
    assert x.lost > 0 and x.wasted > 0 and x.goodput < 1
    assert x.good == 100 and x.decrypts == x.good + x.lost


def test_token_away_as_the_rules_say() -> None:
    """Asked at 1 ms, given up at 1501, said at 1502; lists begin at 1502, 2502 …; the second check
    is from 11502 to 11508; the list that begins at 12502 has a state."""
    x = play(failover_ns=5 * S)
    assert (x.ready_ns, x.lost) == (12802 * MS, 1)


def test_many_lists_the_token_is_busy_all_the_time() -> None:
    x = play(parallel=10)
    assert x.ready_ns == pytest.approx(106 * MS, rel=0.02)
    assert x.p50_ns == pytest.approx(10 * MS, rel=0.02)
    assert x.p99_ns == pytest.approx(11 * MS, rel=0.02)  # the last of the first ten


# ---- is the prediction right?


def measure(p: Plan, places: int, takes: int) -> int:
    """A second simulation, which shares no line with the first. It has no queues and no events:
    lists are taken in the order in which they ask; an operation begins when the asker, a worker
    and a place in the token are all free (Lindley's recursion)."""
    workers = [[0] * p.workers for _ in range(p.servers)]
    place, known = [0] * places, dict[tuple[int, int], int]()

    def operate(server: int, at: int) -> int:
        w, t = workers[server], min(range(places), key=place.__getitem__)
        i = min(range(p.workers), key=w.__getitem__)
        w[i] = place[t] = max(at, w[i], place[t]) + takes
        return place[t]

    wrapped = [operate(s, p.call_ns) for s in range(p.servers)]
    lists = []
    for s in range(p.servers):
        begins = operate(s, wrapped[s]) + p.call_ns
        lists += [[begins, s, i // p.readers] for i in range(p.parallel * p.readers)]
    ready = 0
    while left := [x for x in lists if x[2] < p.seeds]:
        x = min(left, key=lambda x: x[0])
        asked, server, seed = x
        if (server, seed) not in known:
            known[server, seed] = operate(server, asked)
        x[0] = max(known[server, seed], asked) + p.call_ns
        x[2] += p.parallel
        assert x[0] - asked < p.deadline_ns  # it has no deadlines
        ready = max(ready, x[0])
    return ready


@pytest.mark.parametrize("latency_ms, places, servers, parallel, readers, workers, varies", [
    (2, 8, 1, 1, 1, 2, False), (2, 8, 3, 1, 1, 2, False), (10, 8, 1, 1, 1, 2, False),
    (10, 8, 3, 1, 1, 2, False), (2, 8, 1, 7, 1, 2, False), (2, 8, 3, 7, 3, 2, False),
    (10, 8, 1, 16, 4, 2, False), (10, 8, 3, 10, 2, 4, False), (2, 8, 3, 1, 10, 2, False),
    (2, 1, 3, 1, 1, 2, False), (10, 2, 3, 5, 2, 2, False), (10, 3, 4, 2, 1, 4, False),
    (10, 8, 1, 16, 4, 2, True)])  # the mean is what both were told
def test_storms_are_as_foretold_by_both_ways(latency_ms: int, places: int, servers: int,
                                             parallel: int, readers: int, workers: int,
                                             varies: bool) -> None:
    of = token(latency_ms, places)
    if varies:
        of = Curve((replace(of.points[0], p50_us=9000, p99_us=20000),), "")
    p = replace(GIVEN, seeds=500, servers=servers, parallel=parallel, readers=readers,
                workers=workers, curve=of)
    measured = measure(p, places, latency_ms * MS)
    assert simulate.play(p).ready_ns == pytest.approx(measured, rel=0.25)
    assert reckon.bound(p, servers, 500).ready_ns == pytest.approx(measured, rel=0.25)

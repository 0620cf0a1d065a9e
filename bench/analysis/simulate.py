# SPDX-License-Identifier: Apache-2.0
"""A storm on a simulated clock, by the rules of bench/storm/storm.h and docs/BENCHMARKS.md."""
import math
import random
from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Callable, Generator

import numpy as np

from reckon import CHECK_RETRY_MS, Plan

STATUS, ENCRYPT = -2, -1  # what a call is for; or a seed: a Decrypt of it
LATE, WAKES, ENDS, DEADLINE, ARRIVES = range(5)  # what happens first when all is due at once
MS = 10 ** 6  # the clock counts nanoseconds
CHECK_MS = 60_000.0  # from the end of a good check to the next one
LONGEST_NS = 3_600_000 * MS  # so long nobody waits for an API server
LOST_MAX = 1_000_000  # calls over their time, after which a storm is hopeless

# Makes calls, and is told of each whether it was good; or sleeps, a float of milliseconds.
Asker = Generator["int | float", bool, None]


@dataclass(eq=False)
class Server:
    has_state: bool = False  # an Encrypt was good
    has: set[int] = field(default_factory=set)  # seeds in the server's own cache
    cached: set[int] = field(default_factory=set)  # in keyward's
    queue: deque["Job"] = field(default_factory=deque)  # those that everybody left stay in it
    flight: dict[int, "Job"] = field(default_factory=dict)  # what an equal call may join
    busy: int = 0  # sessions of its workers


@dataclass(eq=False, slots=True)
class Job:
    server: Server
    what: int
    waiters: list["Call"] = field(default_factory=list)
    verifies: bool = False  # the second one of an Encrypt


@dataclass(eq=False, slots=True)
class Call:
    server: Server
    asker: Asker
    job: Job | None = None  # that it waits for
    over: bool = False  # ended or given up


class Storm:
    """Everything, and what happens next: a heap of (time, kind, number, what)."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.now, self.number = plan, 0, 0
        self.events: list[tuple[int, int, int, Callable[[], None]]] = []
        self.servers = [Server() for _ in range(plan.starting)]
        self.lists_left = plan.starting * plan.parallel * plan.readers
        self.decrypts = self.lost = self.operations = self.wasted = self.duplicates = 0
        self.latency: list[int] = []  # of good Decrypts
        self.turn = self.in_flight = 0
        self.in_flight_max = plan.in_flight_max(plan.starting)
        self.inside: deque[Job] = deque()  # waiting in the token
        self.random = random.Random(plan.draw)
        at_once = math.ceil(plan.hsms_left * plan.curve.points[-1].sessions)
        self.takes = [
            (float(k / plan.storm_ops_per_s(k) * 1e9), plan.curve.sigma(k / plan.hsms_left))
            for k in range(1, min(at_once, self.in_flight_max) + 1)]

    def _after(self, ns: float, kind: int, what: Callable[[], None]) -> None:
        self.number += 1
        heappush(self.events, (self.now + round(ns), kind, self.number, what))

    def _serve(self, job: Job) -> None:
        ns, sigma = self.takes[self.in_flight - len(self.inside) - 1]
        if sigma > 0:
            ns *= self.random.lognormvariate(-sigma * sigma / 2, sigma)  # of mean 1
        away = max(self.plan.away_ms * MS - self.now, 0)
        self._after(away + ns, ENDS, lambda: self._end_of_job(job))

    def _start_all(self) -> None:
        """Whoever has work and a session begins; when sessions are few, by turns."""
        looked = 0
        while looked < len(self.servers) and self.in_flight < self.in_flight_max:
            server = self.servers[self.turn]
            self.turn = (self.turn + 1) % len(self.servers)
            looked += 1
            while server.queue and not server.queue[0].waiters:
                server.queue.popleft()
            if server.queue and server.busy < self.plan.workers * self.plan.sessions:
                looked, job = 0, server.queue.popleft()
                server.busy += 1
                self.in_flight += 1
                if self.in_flight - len(self.inside) <= len(self.takes):
                    self._serve(job)
                else:
                    self.inside.append(job)

    def _end_of_job(self, job: Job) -> None:
        server = job.server
        server.busy -= 1
        self.in_flight -= 1
        self.operations += 1
        self.wasted += not job.waiters
        if self.inside:
            self._serve(self.inside.popleft())
        if job.waiters and job.what == ENCRYPT and not job.verifies:
            self._join(job.waiters[0], Job(server, ENCRYPT, verifies=True))  # whose deadline stays
            return
        if job.waiters:
            del server.flight[job.what]
            server.cached.add(job.what)
        for call in job.waiters:
            self._answer(call, True)

    def _join(self, call: Call, job: Job) -> None:
        """Whoever is the first brings the operation along."""
        if not job.waiters:
            job.server.queue.append(job)
            job.server.flight[job.what] = job
        job.waiters.append(call)
        call.job = job

    def _leave(self, call: Call) -> None:
        """The last one takes the operation along; of one that has begun nobody joins the rest."""
        job, call.job = call.job, None
        if job is not None:
            job.waiters.remove(call)
            if not job.waiters:
                del job.server.flight[job.what]

    def _answer(self, call: Call, good: bool) -> None:
        call.job = None
        self._after(self.plan.call_ms * MS, ARRIVES, lambda: self._end_of_call(call, good))

    def _deadline(self, call: Call) -> None:
        if call.job is not None:
            self._leave(call)
            self._answer(call, False)

    def resume(self, server: Server, asker: Asker, good: Any = None) -> None:
        try:
            what = asker.send(good)
        except StopIteration:
            return
        if isinstance(what, float):
            self._after(what * MS, WAKES, lambda: self.resume(server, asker))
            return
        call, job = Call(server, asker), server.flight.get(what)
        self._after(self.plan.timeout_ms * MS, LATE, lambda: self._end_of_call(call, False))
        known = what >= 0 and what in server.cached
        self.duplicates += known or job is not None
        if known or what == STATUS:
            self._answer(call, True)
        else:
            self._join(call, job or Job(server, what))
            self._after(self.plan.deadline_ms * MS, DEADLINE, lambda: self._deadline(call))
            self._start_all()

    def _end_of_call(self, call: Call, good: bool) -> None:
        if not call.over:
            self._leave(call)
            call.over = True
            self.lost += not good
            self.resume(call.server, call.asker, good)

    def check(self, server: Server) -> Asker:
        """Of the plugin, again and again; after the first one the lists begin."""
        lists = self.plan.parallel * self.plan.readers
        while True:
            good = yield STATUS
            if good and not server.has_state:
                good = server.has_state = yield ENCRYPT
            for i in range(lists):
                self.resume(server, self.read(server, i // self.plan.readers))
            lists = 0
            yield CHECK_MS if good else CHECK_RETRY_MS

    def read(self, server: Server, first: int) -> Asker:
        """A list; a call that fails ends it, and it begins anew with what the server has."""
        seed = first
        while seed < self.plan.seeds:
            good = server.has_state
            if good and seed not in server.has:
                wanted_ns, self.decrypts = self.now, self.decrypts + 1
                good = yield seed
                self.latency += [self.now - wanted_ns] if good else []
            if good:
                server.has.add(seed)
                seed += self.plan.parallel
            else:
                seed = first
                yield float(self.plan.retry_ms)
        self.lists_left -= 1

    def instant(self) -> None:
        self.now = self.events[0][0]
        while self.lists_left and self.events and self.events[0][0] == self.now:
            if self.events[0][1] == ARRIVES:  # whatever else is due has happened
                self._start_all()
            heappop(self.events)[-1]()
        self._start_all()

    def run(self) -> None:
        for server in self.servers:
            self.resume(server, self.check(server))
        while self.lists_left and self.lost <= LOST_MAX and self.events[0][0] < LONGEST_NS:
            self.instant()
        if self.lists_left and self.lost <= LOST_MAX:
            self.now = LONGEST_NS


def play(plan: Plan) -> dict[str, Any]:
    """What came of it, as the document has it; what never came about is not there."""
    s = Storm(plan)
    s.run()
    ms, ready = s.now / MS, not s.lists_left
    o: dict[str, Any] = {
        "ready": ready, "goodput": 1 - s.wasted / s.operations if s.operations else 0.0,
        "decrypts": s.decrypts, "good": len(s.latency), "lost": s.lost, "duplicates": s.duplicates,
        "operations": s.operations, "wasted": s.wasted, "ready_ms" if ready else "given_up_ms": ms}
    if ready:
        o["seeds_per_s"] = len(s.servers) * plan.seeds * 1e3 / ms
    if s.latency:
        p50, p99 = np.percentile(s.latency, (50, 99), method="inverted_cdf") / MS
        o |= {"p50_ms": float(p50), "p99_ms": float(p99)}
    return o

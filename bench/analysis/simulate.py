# SPDX-License-Identifier: Apache-2.0
"""A storm of API servers against keywards and the token that they share, on a simulated clock.

The servers follow rules 1 to 9 of bench/storm/storm.h, one socket each. Of keyward and the token:

 1. Each API server has a keyward of its own: a queue, first in first out, and workers with one
    operation each. All of them work with one token.
 2. Status is answered at once. An Encrypt is a wrap and then, queued again, the unwrap that
    verifies it.
 3. A Decrypt whose seed this keyward has unwrapped before is answered at once; one whose equal is
    queued or in the token waits for that one; any other is one operation.
 4. A call that has waited for hsm.deadline is answered so. An operation for which nobody waits
    any more never begins; one that has begun goes on, and its answer is dropped.
 5. The token serves as many operations at once as its curve goes; the others wait in it, first
    come first served, and cannot be called back. One that begins as the k-th takes k / X(k),
    times a random factor of mean 1 as wide as the curve's percentiles say. What begins while the
    token is away begins when it is back.
 6. Every answer is on its way for call_ns.

Not here: workers that are replaced, a cache that is too small, and canaries (they take their
share of X).
"""
from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from reckon import CHECK_RETRY_NS, Plan, S

STATUS, ENCRYPT, DECRYPT = range(3)
LATE, WAKES, ENDS, DEADLINE, ARRIVES = range(5)  # what happens first when all is due at once
CHECK_NS = 60 * S  # from the end of a good check to the next one
LONGEST_NS = 3600 * S  # so long nobody waits for an API server
LOST_MAX = 1_000_000  # calls over their time, after which a storm is hopeless
WORKERS_MAX = 256


@dataclass(frozen=True)
class Played:
    ready_ns: int | None  # the last server's; None: given up at played_ns
    played_ns: int
    p50_ns: int | None  # of good Decrypts; None: none was good
    p99_ns: int | None
    decrypts: int
    good: int
    lost: int  # calls over their time
    duplicates: int  # Decrypts that joined another or were answered by the cache
    operations: int  # of the token
    wasted: int  # of them: nobody waited any more
    seeds_per_s: float

    @property
    def goodput(self) -> float:
        return 1 - self.wasted / self.operations if self.operations else 0.0


class Server:
    """An API server and its keyward. Asker `check` is its check of the plugin, the next ones are
    its lists."""

    def __init__(self, number: int, plan: Plan) -> None:
        self.lists_left = plan.parallel * plan.readers
        self.check = number * (1 + self.lists_left)
        self.state = self.begun = False  # an Encrypt was good; the first check has ended
        self.has: set[int] = set()  # seeds in the server's own cache
        self.cached: set[int] = set()  # in keyward's
        self.queue: deque[Job] = deque()  # one that everybody left lies in it until it is first
        self.flight: dict[int, Job] = {}  # by seed: what an equal Decrypt may join
        self.busy = 0  # workers


@dataclass(eq=False, slots=True)
class Job:
    """An operation, queued or in the token."""
    server: Server
    method: int
    seed: int
    waiters: list[Call]
    verifies: bool = False  # the second one of an Encrypt


@dataclass(eq=False, slots=True)
class Call:
    server: Server
    asker: int
    method: int
    seed: int
    wanted_ns: int
    over: bool = False  # ended or given up
    job: Job | None = None  # that it waits for
    good: bool = True  # its answer


class Storm:
    """Everything, and what happens next: a heap of (time, kind, place, number, whom), in which
    what nobody waits for any more is passed over."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.now, self.away_ns = plan, 0, plan.away_ns
        self.events: list[tuple[int, int, int, int, Any]] = []
        self.servers = [Server(i, plan) for i in range(plan.starting(plan.servers))]
        self.left = len(self.servers)  # not ready
        self.ready_ns: int | None = None
        self.decrypts = self.lost = self.operations = self.wasted = self.saved = self.number = 0
        self.latency = array("q")
        self.in_flight = self.begins = 0
        self.in_flight_max = plan.in_flight_max(len(self.servers))
        self.served, self.inside = 0, deque[tuple[int, Job]]()  # by the token; waiting in it
        at_once = math.ceil(plan.hsms_left * plan.curve.points[-1].sessions)
        self.served_max = min(at_once, WORKERS_MAX)
        self.idle = list(range(WORKERS_MAX))
        self.random = plan.draw
        self.op_ns = [k / plan.storm_ops_per_s(plan.servers, k) * 1e9 if k else 0.0
                      for k in range(self.served_max + 1)]
        self.sigma = [plan.curve.sigma(k / plan.hsms_left) for k in range(self.served_max + 1)]

    def _at(self, time: int, kind: int, whom: Any, place: int = 0) -> None:
        self.number += 1
        heappush(self.events, (time, kind, place, self.number, whom))

    # ---- the token

    def _draw_unit(self) -> float:
        """Above 0 and at most 1: splitmix64, of which every seed is a good one."""
        mask = (1 << 64) - 1
        z = self.random = (self.random + 0x9e3779b97f4a7c15) & mask
        z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & mask
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & mask
        return (((z ^ (z >> 31)) >> 11) + 1) / 2 ** 53

    def _factor(self, sigma: float) -> float:
        """Log normal with mean 1 (Box and Muller)."""
        if sigma <= 0:
            return 1.0
        far = math.sqrt(-2 * math.log(self._draw_unit()))
        z = far * math.cos(2 * math.pi * self._draw_unit())
        return math.exp(sigma * z - sigma * sigma / 2)

    def _serve(self, worker: int, job: Job) -> None:
        self.served += 1
        took = self.op_ns[self.served] * self._factor(self.sigma[self.served])
        end = max(self.now, self.away_ns) + math.floor(took + 0.5)
        self._at(end, ENDS, job, worker)

    def _start_all(self) -> None:
        """Whoever has work and a worker begins; when sessions are few, by turns."""
        looked = 0
        while looked < len(self.servers) and self.in_flight < self.in_flight_max:
            server = self.servers[self.begins]
            self.begins = (self.begins + 1) % len(self.servers)
            looked += 1
            while server.queue and not server.queue[0].waiters:
                server.queue.popleft()
            if not server.queue or server.busy >= self.plan.workers:
                continue
            looked = 0
            job, worker = server.queue.popleft(), heappop(self.idle)
            server.busy += 1
            self.in_flight += 1
            if self.served < self.served_max:
                self._serve(worker, job)
            else:
                self.inside.append((worker, job))

    # ---- keyward

    def _answer(self, call: Call, good: bool) -> None:
        call.good, call.job = good, None
        self._at(self.now + self.plan.call_ns, ARRIVES, call)

    def _enqueue(self, job: Job, call: Call) -> None:
        job.waiters.append(call)
        call.job = job
        call.server.queue.append(job)

    def call(self, call: Call) -> None:
        """A call comes in."""
        server, job = call.server, None
        known = call.method == DECRYPT and call.seed in server.cached
        if call.method == DECRYPT:
            job = server.flight.get(call.seed)
            self.saved += known or job is not None
        if call.method == STATUS or known:
            self._answer(call, True)
            return
        if job is not None:
            job.waiters.append(call)
            call.job = job
        else:
            job = Job(server, call.method, call.seed, [])
            self._enqueue(job, call)
            if call.method == DECRYPT:
                server.flight[call.seed] = job
        self._at(self.now + self.plan.deadline_ns, DEADLINE, call)
        self._start_all()

    def _leave(self, call: Call) -> None:
        """The last one to leave takes the operation along, unless it has begun; then nobody
        joins it any more."""
        job, call.job = call.job, None
        if job is None:
            return
        job.waiters.remove(call)
        if job.method == DECRYPT and not job.waiters:
            del job.server.flight[job.seed]

    def _end_of_job(self, worker: int, job: Job) -> None:
        server = job.server
        heappush(self.idle, worker)
        server.busy -= 1
        self.in_flight -= 1
        self.served -= 1
        self.operations += 1
        self.wasted += not job.waiters
        if self.inside:
            self._serve(*self.inside.popleft())
        if job.waiters and job.method == ENCRYPT and not job.verifies:
            self._enqueue(Job(server, ENCRYPT, 0, [], verifies=True), job.waiters[0])
            return  # the call's deadline stays
        if job.waiters and job.method == DECRYPT:
            del server.flight[job.seed]
            server.cached.add(job.seed)
        for call in job.waiters:
            self._answer(call, True)

    # ---- API servers

    def _want(self, server: Server, asker: int, method: int, seed: int = 0) -> None:
        call = Call(server, asker, method, seed, self.now)
        self.decrypts += method == DECRYPT
        self._at(self.now + self.plan.timeout_ns, LATE, call, asker)
        self.call(call)

    def _list_goes_on(self, server: Server, asker: int, seed: int) -> None:
        while seed < self.plan.seeds and seed in server.has:
            seed += self.plan.parallel
        if seed < self.plan.seeds:
            self._want(server, asker, DECRYPT, seed)
            return
        server.lists_left -= 1
        if server.lists_left == 0:
            self.ready_ns = self.now
            self.left -= 1

    def _begin(self, server: Server, asker: int) -> None:
        """A check, or a list from its first seed on; without a state a list ends at once."""
        if asker == server.check:
            self._want(server, asker, STATUS)
        elif server.state:
            self._list_goes_on(server, asker, (asker - server.check - 1) // self.plan.readers)
        else:
            self._at(self.now + self.plan.list_retry_ns, WAKES, (server, asker), asker)

    def _end_of_check(self, server: Server, good: bool) -> None:
        pause = CHECK_NS if good else CHECK_RETRY_NS
        self._at(self.now + pause, WAKES, (server, server.check), server.check)
        if not server.begun:
            server.begun = True
            for i in range(self.plan.parallel * self.plan.readers):
                self._begin(server, server.check + 1 + i)

    def _end_of_call(self, call: Call, good: bool) -> None:
        server, call.over = call.server, True
        self.lost += not good
        if call.method == DECRYPT and good:
            self.latency.append(self.now - call.wanted_ns)
            server.has.add(call.seed)
            self._list_goes_on(server, call.asker, call.seed)
        elif call.method == DECRYPT:
            wakes = self.now + self.plan.list_retry_ns
            self._at(wakes, WAKES, (server, call.asker), call.asker)
        elif call.method == STATUS and good and not server.state:
            self._want(server, call.asker, ENCRYPT)
        else:
            server.state = server.state or (good and call.method == ENCRYPT)
            self._end_of_check(server, good)

    # ---- time

    def _happen(self, kind: int, place: int, whom: Any) -> None:
        if kind == ENDS:
            self._end_of_job(place, whom)
        elif kind == WAKES:
            self._begin(*whom)
        elif kind == DEADLINE:
            if whom.job is not None:
                self._leave(whom)
                self._answer(whom, False)
        elif not whom.over:  # LATE or ARRIVES
            self._leave(whom)
            self._end_of_call(whom, kind == ARRIVES and whom.good)

    def instant(self) -> None:
        """Everything that is due at the next moment at which something is."""
        self.now = self.events[0][0]
        while self.left and self.events and self.events[0][0] == self.now:
            if self.events[0][1] == ARRIVES:  # whatever else is due has happened
                self._start_all()
            _, kind, place, _, whom = heappop(self.events)
            self._happen(kind, place, whom)
        self._start_all()

    def run(self) -> None:
        for server in self.servers:
            self._want(server, server.check, STATUS)
        while self.left and self.lost <= LOST_MAX:
            if self.events[0][0] >= LONGEST_NS:
                self.now = LONGEST_NS
                break
            self.instant()


def play(plan: Plan) -> Played:
    storm = Storm(plan)
    storm.run()
    times = sorted(storm.latency)
    p50, p99 = (times[-(-len(times) * share // 100) - 1] if times else None for share in (50, 99))
    ready = storm.ready_ns if not storm.left else None
    rate = len(storm.servers) * plan.seeds * 1e9 / ready if ready else 0.0
    return Played(ready, storm.now, p50, p99, storm.decrypts, len(times),
                  storm.lost, storm.saved, storm.operations, storm.wasted, rate)

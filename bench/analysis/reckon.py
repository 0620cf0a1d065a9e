# SPDX-License-Identifier: Apache-2.0
"""Can this token carry this cluster? The arithmetic; nothing is measured here.

A server has P lists that want different seeds, each one Decrypt at a time, so S servers have
S * P calls going round. A round is one operation of the token and `call_ns` outside it. With k
operations in flight the token does X(k) a second, so that k + call * X(k) = S * P says how many
are in flight, unless workers or sessions are fewer; a storm of S * D operations then takes
S * D / X(k), after one Status and one Encrypt (two operations) of each server. Equal Decrypts
share an operation.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, replace

from curve import Curve

MS, S = 10 ** 6, 10 ** 9  # in nanoseconds, as all times here
WEEK_S, DAY_S = 7 * 24 * 3600, 24 * 3600
CHECK_RETRY_NS = 10 * S  # kube-apiserver's pause after a check that was bad
SUSPECT_NS = RECOVER_NS = 10 * S  # hsm.suspect and hsm.recover unless somebody sets them
LIMIT_SERVERS = 1000  # limits looks no further
POINTS = 16  # of a series


@dataclass(frozen=True)
class Plan:
    """What is given."""
    curve: Curve  # of one HSM
    servers: int = 3  # API servers, each with a keyward of its own
    rolling: bool = False  # restarted one after the other, not together
    seeds: int = 1  # distinct ones in etcd
    seeds_given: bool = False  # `seeds` does not come from the three below
    starts_per_week: int = 1  # of one API server: restarts and reloads
    weeks: int = 52  # since etcd was last rewritten under one seed
    rotations: int = 0
    parallel: int = 1  # lists of one server that want seeds of their own
    readers: int = 1  # lists that want the very same seeds
    timeout_ns: int = 3 * S
    list_retry_ns: int = S
    within_ns: int = 60 * S
    call_ns: int = MS  # of a Decrypt outside the token
    workers: int = 2
    versions: int = 1
    deadline_ns: int = 1500 * MS
    probe_ns: int = 10 * S
    hsms: int = 1  # bought
    one_lost: bool = False  # plan without one
    others_percent: int = 0
    sessions_max: int = 0  # 0: no such bound
    connections_max: int = 0
    clients_max: int = 0
    failover_ns: int = 0  # nothing is answered for so long when the storm begins
    draw: int = 1  # where the drawing of operation times begins

    @property
    def hsms_left(self) -> int:
        return self.hsms - self.one_lost

    @property
    def ours(self) -> float:
        """What other tenants leave."""
        return 1 - self.others_percent / 100

    @property
    def patience_ns(self) -> int:
        """After so long a call is given up, by the API server or by keyward."""
        return min(self.timeout_ns, self.deadline_ns)

    @property
    def away_ns(self) -> int:
        """How long the token is gone for us, keyward's own caution included."""
        lost = self.failover_ns > self.deadline_ns + SUSPECT_NS
        return self.failover_ns + (RECOVER_NS if lost else 0)

    def starting(self, servers: int) -> int:
        return 1 if self.rolling else servers

    def seeds_of(self, servers: int) -> int:
        """In etcd: each start of a server leaves one."""
        made = 1 + self.starts_per_week * self.weeks + self.rotations
        return self.seeds if self.seeds_given else servers * made

    def ops_per_s(self, in_flight: float) -> float:
        """Of all HSMs that are left, for us."""
        return self.ours * self.hsms_left * self.curve.ops_per_s(in_flight / self.hsms_left)

    def in_flight_max(self, servers: int) -> int:
        bounds = (servers * self.workers, self.sessions_max, self.connections_max)
        return min(b for b in bounds if b > 0)

    def canaries_per_s(self, servers: int) -> float:
        """One operation for each version; two more, wrap and unwrap, for the active one."""
        return servers * (self.versions + 2) / (self.probe_ns / 1e9)

    def storm_ops_per_s(self, servers: int, in_flight: float) -> float:
        """What the canaries leave. With nothing left the plan fails; the figures stay finite."""
        everything = self.ops_per_s(self.in_flight_max(servers))
        left = max(1 - self.canaries_per_s(servers) / everything, 0.01)
        return self.ops_per_s(in_flight) * left


@dataclass(frozen=True)
class Needs:
    """What the token has to do, in operations."""
    canaries_per_s: float
    encrypts_per_s: float
    rereads_per_s: float
    steady_per_s: float  # the three together
    storm_operations: float
    storm_per_s: float  # to be ready in time
    capacity_per_s: float  # with all workers busy
    steady_utilisation: float
    storm_utilisation: float  # of both together
    sessions: int  # that keyward opens, on every HSM
    sessions_at_work: float  # that the storm takes; 0: no number does


def needs(p: Plan) -> Needs:
    canaries = p.canaries_per_s(p.servers)
    encrypts = 2 * p.servers * p.starts_per_week / WEEK_S
    rereads = p.servers * p.seeds / DAY_S
    steady = canaries + encrypts + rereads
    operations = float(p.starting(p.servers) * (p.seeds + 2))
    storm = operations / (p.within_ns / 1e9)
    capacity = p.ops_per_s(p.in_flight_max(p.servers))
    at_work = p.hsms_left * p.curve.sessions_for((storm + steady) / p.ours / p.hsms_left)
    return Needs(canaries, encrypts, rereads, steady, operations, storm, capacity,
                 steady / capacity, (storm + steady) / capacity, p.servers * p.workers,
                 float(math.ceil(at_work)))


NECK_ROUNDS = "the lists, which ask for one seed after the other"
NECK_WORKERS = "keyward's workers, one operation each"
NECK_SESSIONS = "the sessions or connections that the token grants"
NECK_TOKEN = "the token, which does no more operations a second"


@dataclass(frozen=True)
class Bound:
    """The storm by arithmetic, nothing being lost."""
    in_flight: float  # operations in the token
    ops_per_s: float
    op_ns: float
    wait_ns: float  # of a call in the plugin, queue and operation
    first_ns: float  # of the servers' first Encrypts, all together
    ready_ns: float
    neck: str


def _in_flight(p: Plan, servers: int, calls: int) -> float:
    """The k of k + call * X(k) = calls: what goes round is in the token or outside it."""
    low, high = 0.0, float(calls)
    for _ in range(60):
        k = (low + high) / 2
        if k + p.call_ns / 1e9 * p.storm_ops_per_s(servers, k) < calls:
            low = k
        else:
            high = k
    return high


def _neck(p: Plan, in_flight: float, ceiling: int, workers: int) -> str:
    peak = max(p.ops_per_s(point.sessions * p.hsms_left) for point in p.curve.points)
    if p.ops_per_s(in_flight) >= 0.99 * peak:
        return NECK_TOKEN
    if in_flight < ceiling:
        return NECK_ROUNDS
    return NECK_SESSIONS if ceiling < workers else NECK_WORKERS


def _first_check_ns(p: Plan, encrypt_ns: float) -> float:
    """Until the first good check ends. An Encrypt that the token does not answer in time spoils
    a check, and the next one is not soon."""
    begin = 0
    while begin + p.call_ns + p.patience_ns < p.away_ns + encrypt_ns and encrypt_ns < p.patience_ns:
        begin += 2 * p.call_ns + p.patience_ns + CHECK_RETRY_NS
    return max(begin + p.call_ns, p.away_ns) + encrypt_ns + p.call_ns


def bound(p: Plan, servers: int, seeds: int) -> Bound:
    starting, parallel = p.starting(servers), min(p.parallel, seeds)
    calls, ceiling = starting * parallel, p.in_flight_max(starting)

    def op_ns(in_flight: float) -> float:
        return in_flight / p.storm_ops_per_s(servers, in_flight) * 1e9

    in_flight = min(_in_flight(p, servers, calls), float(ceiling))
    rate, op = p.storm_ops_per_s(servers, in_flight), op_ns(in_flight)
    first = min(starting, ceiling)
    wait = max(calls / rate * 1e9 - p.call_ns, op)
    first_ns = 2 * op_ns(first) * starting / first
    ready = _first_check_ns(p, first_ns) + math.ceil(seeds / parallel) * (p.call_ns + wait)
    return Bound(in_flight, rate, op, wait, first_ns, ready,
                 _neck(p, in_flight, ceiling, starting * p.workers))


def carries(plan: Plan, servers: int, seeds: int) -> bool:
    """In time, no call given up, no ceiling of the token reached: by the arithmetic."""
    p = replace(plan, servers=servers, seeds=seeds)
    n, b = needs(p), bound(p, servers, seeds)
    return (n.steady_utilisation <= 1 and b.ready_ns <= p.within_ns and
            b.wait_ns <= p.patience_ns and b.first_ns <= p.patience_ns and
            all(most == 0 or needed <= most for needed, most in (
                (n.sessions, p.sessions_max), (n.sessions, p.connections_max),
                (servers, p.clients_max))))


def limits(p: Plan) -> tuple[int, int]:
    """The most servers (with the seeds that they leave) and seeds that are carried; 0: none."""
    servers, seeds, none = 0, 0, 1 << 30  # more than any etcd holds
    while servers < LIMIT_SERVERS and carries(p, servers + 1, p.seeds_of(servers + 1)):
        servers += 1
    while none - seeds > 1:
        middle = seeds + (none - seeds) // 2
        if carries(p, p.servers, middle):
            seeds = middle
        else:
            none = middle
    return servers, seeds


@dataclass(frozen=True)
class Series:
    """A curve for the eye, over one thing that may grow."""
    name: str
    x: str
    y: str
    points: list[list[float]]


def series(p: Plan, most_seeds: int) -> list[Series]:
    """`most_seeds` of limits: seeds go to twice what there is, or beyond that when it is near."""
    top, beyond = 2 * p.seeds, most_seeds + most_seeds // 4
    top = max(top, min(beyond, 20 * p.seeds))
    steps = sorted({top * i // POINTS for i in range(1, POINTS + 1)} - {0})
    ready = [[float(n), bound(p, p.servers, n).ready_ns / MS] for n in steps]
    use = [[float(n), needs(replace(p, servers=n, seeds=p.seeds_of(n))).storm_utilisation]
           for n in range(1, POINTS + 1)]
    most = max(p.hsms_left * p.curve.points[-1].sessions, p.in_flight_max(p.servers))
    step = max(most / POINTS, 1.0)
    rate = [[i * step, p.ops_per_s(i * step)]
            for i in range(1, POINTS + 1) if i * step < most + 1]
    return [Series("ready_ms over seeds", "seeds", "ready_ms", ready),
            Series("utilisation over api servers", "api servers", "utilisation", use),
            Series("operations a second over sessions", "sessions at work",
                   "operations a second", rate)]

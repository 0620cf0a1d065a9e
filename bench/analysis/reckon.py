# SPDX-License-Identifier: Apache-2.0
"""Can this token carry this cluster?  The arithmetic; nothing is measured here."""
import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Callable

import numpy as np

import results
import verb

CURVE = results.SCHEMA.with_name("curve-1.schema.json")
Z99 = 2.3263478740408408  # how far percentile 99 of the normal distribution lies from its middle
DAY_S = 24 * 3600
CHECK_RETRY_MS = 10_000.0  # kube-apiserver's pause after a check that was bad
SUSPECT_MS = RECOVER_MS = 10_000  # hsm.suspect and hsm.recover unless somebody sets them
SERVERS_MOST, SEEDS_MOST = 1000, 1 << 30  # limits looks no further
SESSIONS_MOST, HSMS_MOST, POINTS = 64, 64, 16  # of a worker, of a plan, of a series


@dataclass(frozen=True)
class Point:
    sessions: float  # operations in flight
    ops_per_s: float
    p50_us: float = 0  # of one operation; both 0 when nobody knows
    p99_us: float = 0


@dataclass(frozen=True)
class Curve:
    """A few measured points, or a data sheet's.  Between two of them the rate is on a straight
    line, below the first on the line from nothing, above the last it stays what it was."""
    points: tuple[Point, ...]  # ascending in sessions, at least one
    words: str  # where it comes from, for people

    @cached_property
    def corners(self) -> Any:
        return np.array([(0, 0), *((p.sessions, p.ops_per_s) for p in self.points)], float).T

    def ops_per_s(self, sessions: Any) -> Any:
        return np.interp(sessions, *self.corners)

    def sessions_for(self, ops_per_s: float) -> float:
        """The least number in flight at which the token does so many; 0: it never does."""
        sessions, rates = self.corners
        return float(np.interp(ops_per_s, np.maximum.accumulate(rates), sessions, right=0))

    def sigma(self, sessions: float) -> float:
        """Deviation of the logarithm of an operation's time, a log normal one; 0: unknown."""
        p = next((p for p in self.points if p.sessions >= sessions), self.points[-1])
        return math.log(p.p99_us / p.p50_us) / Z99 if 0 < p.p50_us < p.p99_us else 0.0


def of_figures(sessions: float, latency_ms: float = 0, ops_per_s: float = 0) -> Curve:
    """By its latency, its best rate, or both; a rate alone is reached with all sessions only."""
    latency_s = latency_ms / 1e3 or sessions / ops_per_s
    knee = min(ops_per_s * latency_s or math.inf, sessions)
    words = (f"an operation takes {latency_s * 1e3:.4g} ms and at most {knee / latency_s:g} a "
             f"second are done, {sessions:g} at once [given, not measured")
    more = "" if latency_ms else "; the worst reading of a rate, which --latency corrects"
    return Curve((Point(knee, knee / latency_s),), f"{words}{more}]")


def read_curve(path: Path) -> Curve:
    """From the document of `token --curve`, or of `load`, where an Encrypt is two operations."""
    d = results.load(path)
    results.check(path, d, CURVE)
    words, operations = "operations without a server before them", 1
    measured = d.get("curve", [])
    if not measured:
        words = ("calls through a server, one point; right only when every ciphertext missed its "
                 "cache, and their time outside the token counts as the token's")
        operations = 2 if d["options"]["mix"] == "encrypt" else 1
        measured = [d["figures"] | {"sessions": d["options"]["in_flight"],
                                    "ops_per_s": operations * d["figures"]["calls_per_s"]}]
    points = []
    for o in sorted(measured, key=lambda o: float(o["sessions"])):
        # Not there when the run was too short; p50 alone is of no use.
        p50, p99 = ((o.get("p99_us") and o.get(k) or 0) / operations for k in ("p50_us", "p99_us"))
        points.append(Point(o["sessions"], o["ops_per_s"], p50, p99))
    verb.refuse_if(verb.Unable, (len({p.sessions for p in points}) < len(points),
                                 f"{path}: curve: one number of sessions is there twice"),
                   (any(p.p99_us < p.p50_us for p in points), f"{path}: p99_us is below p50_us"))
    return Curve(tuple(points), f"{words} [measured: {verb.printable(str(path), 120)}]")


@dataclass(frozen=True)
class Plan:
    """What is given, by the names of the document's inputs; help/plan.txt says what they are."""
    curve: Curve  # of one HSM
    servers: int = 3
    seeds: int = 0
    weeks: int = 52
    starts_per_week: int = 1
    rotations: int = 0
    parallel: int = 1
    readers: int = 1
    timeout_ms: float = 3000
    retry_ms: float = 1000
    ready_within_ms: float = 60000
    call_ms: float = 1
    workers: int = 2
    sessions: int = 4  # of each worker, as keyward has them for any token but SoftHSM
    versions: int = 1
    deadline_ms: float = 1500
    probe_ms: float = 10000
    hsms: int = 1
    others_percent: int = 0
    sessions_max: int = 0
    connections_max: int = 0
    clients_max: int = 0
    failover_ms: float = 0
    draw: int = 1
    rolling: bool = False  # restarted one after the other, not together
    one_lost: bool = False  # plan without one HSM
    seeds_given: bool = False  # `seeds` does not come from the three after it

    def of(self, servers: int) -> "Plan":
        """The same with so many API servers and what they leave: a seed at each start."""
        made = 1 + self.starts_per_week * self.weeks + self.rotations
        return replace(self, servers=servers,
                       seeds=self.seeds if self.seeds_given else servers * made)

    @property
    def starting(self) -> int:
        return 1 if self.rolling else self.servers

    @property
    def hsms_left(self) -> int:
        return self.hsms - self.one_lost

    @property
    def patience_ms(self) -> float:
        """After so long a call is given up, by the API server or by keyward."""
        return min(self.timeout_ms, self.deadline_ms)

    @property
    def away_ms(self) -> float:
        """How long the token is gone for us, keyward's own caution included."""
        lost = self.failover_ms > self.deadline_ms + SUSPECT_MS
        return self.failover_ms + (RECOVER_MS if lost else 0)

    @property
    def canaries_per_s(self) -> float:
        return self.servers * (3 / (self.probe_ms / 1e3) + (self.versions - 1) / 600)  # 10 min

    def ops_per_s(self, in_flight: Any) -> Any:
        ours = 1 - self.others_percent / 100
        return ours * self.hsms_left * self.curve.ops_per_s(in_flight / self.hsms_left)

    def in_flight_max(self, servers: int) -> int:
        workers = min(servers * self.workers, self.connections_max or math.inf)
        return int(min(workers * self.sessions, self.sessions_max or math.inf))

    def storm_ops_per_s(self, in_flight: Any) -> Any:
        """What the canaries leave. With nothing left the plan fails; the figures stay finite."""
        everything = self.ops_per_s(self.in_flight_max(self.servers))
        return self.ops_per_s(in_flight) * max(1 - self.canaries_per_s / everything, 0.01)


def needs(p: Plan) -> dict[str, float]:
    encrypts = 2 * p.servers * p.starts_per_week / (7 * DAY_S)
    rereads = p.servers * p.seeds / DAY_S
    steady = p.canaries_per_s + encrypts + rereads
    operations = float(p.starting * (p.seeds + 2))
    storm = operations / (p.ready_within_ms / 1e3)  # to be ready in time
    capacity = float(p.ops_per_s(p.in_flight_max(p.servers)))  # with all sessions busy
    of_each = (storm + steady) / (1 - p.others_percent / 100) / p.hsms_left
    at_work = p.hsms_left * p.curve.sessions_for(of_each)
    return {"canaries_per_s": p.canaries_per_s, "encrypts_per_s": encrypts,
            "rereads_per_s": rereads, "steady_per_s": steady, "storm_operations": operations,
            "storm_per_s": storm, "capacity_per_s": capacity,
            "steady_utilisation": steady / capacity,
            "storm_utilisation": (storm + steady) / capacity,  # of both together
            "connections": p.servers * p.workers,  # to every HSM; several keep one for the login
            "sessions": p.servers * p.workers * (p.sessions + (p.sessions > 1)),
            "sessions_at_work": math.ceil(at_work)}  # that the storm takes; 0: no number does


NECK_ROUNDS = "the lists, which ask for one seed after the other"
NECK_WORKERS = "the sessions of keyward's workers, one operation each"
NECK_SESSIONS = "the sessions or connections that the token grants"
NECK_TOKEN = "the token, which does no more operations a second"


def _in_flight(p: Plan, calls: int) -> float:
    """The least k of k + call * X(k) = calls: what goes round is in the token or outside it."""
    corners = p.hsms_left * p.curve.corners[0]
    k = np.append(corners, corners[-1] + calls)
    going_round = k + p.call_ms / 1e3 * p.storm_ops_per_s(k)
    return float(np.interp(calls, np.maximum.accumulate(going_round), k))


def _neck(p: Plan, in_flight: float, ceiling: int) -> str:
    if p.ops_per_s(in_flight) >= 0.99 * max(p.ops_per_s(p.hsms_left * p.curve.corners[0])):
        return NECK_TOKEN
    scarce = NECK_SESSIONS if ceiling < p.starting * p.workers * p.sessions else NECK_WORKERS
    return NECK_ROUNDS if in_flight < ceiling else scarce


def first_encrypts_ms(p: Plan) -> float:
    """Of the servers that start, all together; an Encrypt is two operations."""
    first = min(p.starting, p.in_flight_max(p.starting))
    return 2e3 * p.starting / float(p.storm_ops_per_s(first))


def _first_check_ms(p: Plan, encrypt_ms: float) -> float:
    """Until the first good check ends; one whose Encrypt is late is not soon followed."""
    begin = 0.0
    while begin + p.call_ms + p.patience_ms < p.away_ms + encrypt_ms and encrypt_ms < p.patience_ms:
        begin += 2 * p.call_ms + p.patience_ms + CHECK_RETRY_MS
    return max(begin + p.call_ms, p.away_ms) + encrypt_ms + p.call_ms


def bound(p: Plan) -> dict[str, Any]:
    """The storm by arithmetic, nothing being lost, by the names of the document."""
    parallel, ceiling = min(p.parallel, p.seeds), p.in_flight_max(p.starting)
    calls = p.starting * parallel
    in_flight = min(_in_flight(p, calls), float(ceiling))
    rate = float(p.storm_ops_per_s(in_flight))
    operation_ms = in_flight / rate * 1e3
    wait_ms = max(calls / rate * 1e3 - p.call_ms, operation_ms)
    rounds_ms = math.ceil(p.seeds / parallel) * (p.call_ms + wait_ms)
    return {"ready_ms": _first_check_ms(p, first_encrypts_ms(p)) + rounds_ms, "ops_per_s": rate,
            "in_flight": in_flight, "operation_ms": operation_ms, "wait_ms": wait_ms,  # of a call
            "bounded_by": _neck(p, in_flight, ceiling)}


def wrong_with(p: Plan, ready_ms: float | None = 0) -> list[str]:
    """What does not fit, by the arithmetic and by the time that a storm took; none: carried."""
    n, b = needs(p), bound(p)
    return [name for name, is_so in (
        ("sessions", 0 < p.sessions_max < n["sessions"]),
        ("connections", 0 < p.connections_max < n["connections"]),
        ("clients", 0 < p.clients_max < p.servers),
        ("days", n["steady_utilisation"] > 1),
        ("never", ready_ms is None),
        ("late", max(b["ready_ms"], ready_ms or 0) > p.ready_within_ms),
        ("checks", first_encrypts_ms(p) > p.patience_ms),
        ("calls", b["wait_ms"] > p.patience_ms)) if is_so]


def limits(p: Plan) -> dict[str, int]:
    def most(numbers: range, make: Callable[[int], Plan]) -> int:
        return bisect_left(numbers, True, key=lambda n: bool(wrong_with(make(n))))
    return {"servers": most(range(1, SERVERS_MOST + 1), p.of),
            "seeds": most(range(1, SEEDS_MOST), lambda n: replace(p, seeds=n))}


def series(p: Plan, most_seeds: int) -> list[dict[str, Any]]:
    top = max(2 * p.seeds, min(most_seeds + most_seeds // 4, 20 * p.seeds))
    steps = sorted({top * i // POINTS for i in range(1, POINTS + 1)} - {0})
    most = max(p.hsms_left * p.curve.points[-1].sessions, p.in_flight_max(p.servers))
    step = max(most / POINTS, 1.0)
    at_work = [i * step for i in range(1, POINTS + 1) if i * step < most + 1]
    return [
        {"name": "ready_ms over seeds", "x": "seeds", "y": "ready_ms",
         "points": [[float(n), bound(replace(p, seeds=n))["ready_ms"]] for n in steps]},
        {"name": "utilisation over api servers", "x": "api servers", "y": "utilisation",
         "points": [[float(n), needs(p.of(n))["storm_utilisation"]] for n in range(1, POINTS + 1)]},
        {"name": "operations a second over sessions", "x": "sessions at work",
         "y": "operations a second", "points": [[n, float(p.ops_per_s(n))] for n in at_work]}]

# SPDX-License-Identifier: Apache-2.0
"""What a plan says in sentences: what does not fit, what would, what was assumed."""
from __future__ import annotations

from dataclasses import replace

from reckon import MS, S, Bound, Needs, Plan, carries, limits
from simulate import Played

WORKERS_MAX = 16  # of one token
HSMS_TRIED = 64


def _too_much(p: Plan) -> list[str]:
    workers = p.servers * p.workers
    return [f"keyward takes {needed} {what} and the token grants {granted} (--{what}-max): "
            f"{needed - granted} too many"
            for needed, granted, what in ((workers, p.sessions_max, "sessions"),
                                          (workers, p.connections_max, "connections"),
                                          (p.servers, p.clients_max, "clients"))
            if 0 < granted < needed]


def _too_slow(p: Plan, n: Needs, b: Bound, x: Played) -> list[str]:
    said = []
    ready = max(b.ready_ns, x.ready_ns or 0)
    if n.steady_utilisation > 1:
        said.append(
            f"ordinary days take {n.steady_per_s:.1f} operations a second and the token does "
            f"{n.capacity_per_s:.1f}: it is too slow by a factor of {n.steady_utilisation:.2f}")
    if x.ready_ns is None:
        said.append(f"{x.played_ns / S:.0f} s after the start not every API server was ready, and "
                    f"{x.lost} calls were given up")
    if ready > p.within_ns:
        said.append(
            f"after a start it takes {ready / S:.1f} s until all is unwrapped, "
            f"{ready / p.within_ns:.2f} times the {p.within_ns / S:.1f} s wanted; what bounds it: "
            f"{b.neck}")
    if b.first_ns > p.patience_ns:
        said.append(
            f"the first Encrypts of all API servers take {b.first_ns / MS:.0f} ms together, and "
            f"one is given up after {p.patience_ns / MS:.0f} ms: their checks fail, and none of "
            "them reads")
    if b.wait_ns > p.patience_ns:
        said.append(f"a call waits {b.wait_ns / MS:.0f} ms when nothing is given up, and is given "
                    f"up after {p.patience_ns / MS:.0f} ms: lists fail and begin anew")
    return said


def _first(plans: list[tuple[int, Plan]]) -> int:
    """The number of the first plan that is carried; 0: none is."""
    return next((n for n, p in plans if carries(p, p.servers, p.seeds)), 0)


def _remedies(p: Plan) -> list[str]:
    hsms = range(2 if p.one_lost else 1, HSMS_TRIED + 1)
    workers = _first([(n, replace(p, workers=n)) for n in range(1, WORKERS_MAX + 1)])
    alone = _first([(n, replace(p, hsms=n)) for n in hsms])
    both = _first([(n, replace(p, hsms=n, workers=WORKERS_MAX)) for n in hsms])
    seeds = limits(p)[1]
    said = []
    if workers:
        said.append(f"{workers} workers in each keyward ({workers * p.servers} sessions)")
    if alone:
        said.append(f"{alone} HSMs" + (", the lost one counted" if p.one_lost else ""))
    if both and not workers and not alone:
        said.append(f"{both} HSMs and {WORKERS_MAX} workers in each keyward "
                    f"({p.servers * WORKERS_MAX} sessions)")
    if 0 < seeds < p.seeds:
        said.append(f"{seeds} seeds or fewer; a storage migration leaves one for each API server")
    if not p.rolling and p.servers > 1 and carries(replace(p, rolling=True), p.servers, p.seeds):
        said.append("API servers restarted one after the other (--rolling)")
    none = [] if workers or alone or both else [
        f"no number of workers (to {WORKERS_MAX}) or HSMs (to {HSMS_TRIED}) carries it"]
    return none + ["would carry it: " + words for words in said]


def findings(p: Plan, n: Needs, b: Bound, x: Played) -> list[str]:
    """Why it does not fit, and what would; none: it fits."""
    said = _too_much(p) + _too_slow(p, n, b, x)
    if not said:
        return []
    if carries(p, p.servers, p.seeds):
        return said + ["by arithmetic it would just fit; what is lost on the way makes the "
                       "difference, so leave the token more room"]
    return said + _remedies(p)


def _of_cluster(p: Plan) -> list[str]:
    return [
        f"{p.seeds} distinct seeds in etcd [given: --seeds]" if p.seeds_given else
        f"{p.seeds} distinct seeds in etcd: each API server left one at first, at each of "
        f"{p.starts_per_week} starts a week in {p.weeks} weeks, and at each of {p.rotations} "
        "rotations, and all are still in use [kube-apiserver makes a seed at each start, reload "
        "and new key_id]",
        "a list asks for one seed after the other, lists run beside one another, and equal "
        "requests are not joined there [kube-apiserver 1.36: kmsv2/envelope.go, watch caches]",
        f"a call that fails ends its list, which begins anew after {p.list_retry_ns / S:.1f} s "
        "with what it has [kube-apiserver 1.36: cacher.go]",
        f"a Decrypt takes {p.call_ns / MS:.2f} ms outside the token [" +
        ("kube-apiserver 1.36 asked a fast plugin for 1,016 seeds in 0.96 s"
         if p.call_ns == MS else "given: --call") + "]"]


def _of_keyward(p: Plan) -> list[str]:
    return [
        "each API server has a keyward of its own, cache empty and large enough for all seeds; "
        f"{p.workers} workers, each one session and one operation at a time [keyward: "
        "hsm.tokens[].workers, classes[].cache.entries]",
        "equal Decrypts in one keyward share an operation, in several keywards they do not "
        "[keyward: docs/ARCHITECTURE.md]",
        "an Encrypt is two operations, wrap and verify; a canary is one for each of "
        f"{p.versions} key versions and two more for the active one, every {p.probe_ns / S:.0f} s "
        "and keyward [keyward: hsm.probe.every]",
        f"a call is given up after {p.timeout_ns / MS:.0f} ms by the API server and after "
        f"{p.deadline_ns / MS:.0f} ms by keyward [EncryptionConfiguration's timeout; keyward: "
        "hsm.deadline]",
        "each API server asks for every seed once a day again, evenly [kube-apiserver 1.36: "
        "cacheTTL of 24 h]"]


def _of_token(p: Plan) -> list[str]:
    said = [f"the token: {p.curve.words}",
            f"HSMs: {p.hsms}{' less one that is lost' if p.one_lost else ''}, all alike, work "
            f"shared evenly; other tenants take {p.others_percent} % of each at all times "
            "[given: --hsms, --one-lost, --others]"]
    if p.curve.sigma(1) <= 0:
        said.append("every operation takes the same time, as no percentiles of it are known: a "
                    "real p99 is higher")
    if p.failover_ns > 0:
        said.append(f"the token answers nothing for the first {p.away_ns / S:.1f} s of the storm "
                    "[given: --failover; beyond deadline and hsm.suspect keyward waits for "
                    "hsm.recover, 10 s, besides]")
    said.append(f"ready within {p.within_ns / S:.1f} s is what is wanted [" + (
        "kube-apiserver 1.36 answers 500 on /livez for about 64 s while it cannot read"
        if p.within_ns == 60 * S else "given: --ready-within") + "]")
    return said


def assumptions(p: Plan) -> list[str]:
    """What was taken for granted, each with its source."""
    return _of_cluster(p) + _of_keyward(p) + _of_token(p)

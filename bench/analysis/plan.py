# SPDX-License-Identifier: Apache-2.0
"""keyward-bench plan: does this token carry this cluster? Reckoned and played, not measured."""
from __future__ import annotations

import argparse
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable

import curve
import findings
import reckon
import results
import simulate
import verb
from reckon import MS, Bound, Needs, Plan, S, Series

SERVERS_MAX, SEEDS_MAX, LISTS_MAX, VERSIONS_MAX = 16, 100_000, 256, 64
COUNT_MAX = 1_000_000
CALLS_MAX = 2_000_000  # what one play may take: some twenty seconds


@dataclass(frozen=True)
class Answer:
    """All that is known of one plan."""
    plan: Plan
    needs: Needs
    bound: Bound
    played: simulate.Played
    limits: tuple[int, int]  # servers, seeds
    series: list[Series]
    findings: list[str]
    assumptions: list[str]


def answer(p: Plan) -> Answer:
    n, b, x = reckon.needs(p), reckon.bound(p, p.servers, p.seeds), simulate.play(p)
    limits = reckon.limits(p)
    return Answer(p, n, b, x, limits, reckon.series(p, limits[1]), findings.findings(p, n, b, x),
                  findings.assumptions(p))


NUMBERS = (  # option, member of the plan, least, most, what it says
    ("servers", "servers", 1, SERVERS_MAX, "API servers, each with a keyward (3)"),
    ("seeds", "seeds", 1, SEEDS_MAX, "distinct seeds in etcd; or how they come about:"),
    ("weeks", "weeks", 0, 1000, "since the storage was last migrated (52)"),
    ("starts-per-week", "starts_per_week", 0, 10_000, "restarts and reloads of an API server (1)"),
    ("rotations", "rotations", 0, 10_000, "of the KEK since then (0)"),
    ("parallel", "parallel", 1, LISTS_MAX, "lists of one server with seeds of their own (1)"),
    ("readers", "readers", 1, LISTS_MAX, "lists that want the very same seeds (1)"),
    ("workers", "workers", 1, findings.WORKERS_MAX, "in each keyward, one session each (2)"),
    ("versions", "versions", 1, VERSIONS_MAX, "of the KEK in the keyring (1)"),
    ("hsms", "hsms", 1, 64, "alike, sharing the work (1)"),
    ("others", "others_percent", 0, 99, "percent of the token that other tenants take (0)"),
    ("sessions-max", "sessions_max", 1, COUNT_MAX, "sessions that an HSM grants us"),
    ("connections-max", "connections_max", 1, COUNT_MAX, "connected processes, a worker each"),
    ("clients-max", "clients_max", 1, COUNT_MAX, "licensed clients, an API server's node each"),
    ("draw", "draw", 0, 2 ** 32 - 1, "where the drawing of operation times begins (1)"),
)
TIMES = (  # in seconds
    ("timeout", "timeout_ns", 0.1, 600, "of EncryptionConfiguration (3s)"),
    ("retry", "list_retry_ns", 0.1, 600, "until a list that failed begins anew (1s)"),
    ("ready-within", "within_ns", 0.001, 3600, "what is wanted after a start (60s)"),
    ("deadline", "deadline_ns", 0.1, 2.999, "hsm.deadline (1500ms)"),
    ("probe", "probe_ns", 1, 600, "hsm.probe.every (10s)"),
    ("failover", "failover_ns", 0, 600, "the token answers nothing as the storm begins (0s)"),
)


def fine(least_us: int) -> Callable[[str], float]:
    """Tokens are quicker than the milliseconds of other times."""
    def read(text: str) -> float:
        if re.fullmatch("[0-9]{1,7}us", text) and least_us <= int(text[:-2]) <= 1_000_000:
            return int(text[:-2]) / 1e6
        if text.endswith("us"):
            raise argparse.ArgumentTypeError(
                f"{text}: it wants {least_us}us to 1000000us, or a time such as 2ms")
        return verb.duration(least_us / 1e3, 600)(text)
    return read


def parser() -> verb.Parser:
    p = verb.Parser(
        "keyward-bench plan",
        "Says whether a token carries a cluster: what it needs on ordinary days, and how\n"
        "long it takes when the API servers restart with nothing cached.",
        "It measures nothing: a storm is played on a simulated clock with the figures given,\n"
        "and reckoned besides.  Every assumption is printed.  Exit status 1: it does not fit,\n"
        "and what would.\n")
    for name, dest, least, most, words in NUMBERS:
        p.add_argument(f"--{name}", dest=dest, metavar="N", type=verb.number(least, most),
                       action=verb.Once, help=words)
    for name, dest, low, high, words in TIMES:
        p.add_argument(f"--{name}", dest=dest, metavar="TIME", type=verb.duration(low, high),
                       action=verb.Once, help=words)
    p.add_argument("--call", dest="call_ns", metavar="TIME", type=fine(0), action=verb.Once,
                   help="of a Decrypt outside the token, such as 150us (1ms)")
    p.add_argument("--rolling", action="store_true",
                   help="they restart one after the other, not together")
    p.add_argument("--one-lost", action="store_true", help="plan for one HSM less")
    p.add_argument("--curve", metavar="FILE", action=verb.Once,
                   help="the token, from token --curve --json or load --json")
    p.add_argument("--latency", metavar="TIME", type=fine(1), action=verb.Once,
                   help="or: one operation's round trip, such as 350us")
    p.add_argument("--ops-per-s", metavar="N", type=verb.number(1, 100 * COUNT_MAX),
                   action=verb.Once, help="or: operations a second of the data sheet; or both")
    p.add_argument("--sessions", metavar="N", type=verb.number(1, COUNT_MAX), action=verb.Once,
                   help="operations it does at once (--sessions-max)")
    p.add_argument("--plot", metavar="FILE", type=Path, action=verb.Once,
                   help="the curves as SVG")
    p.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    return p


def nanoseconds(seconds: float) -> int:
    return round(seconds * S)


def token_given(o: argparse.Namespace) -> curve.Curve:
    figures = o.latency is not None or o.ops_per_s is not None
    if o.curve is None and not figures:
        raise verb.Usage("it wants the token: --curve FILE, or --latency and --sessions, or "
                         "--ops-per-s and --sessions")
    if o.curve is not None and (figures or o.sessions is not None):
        raise verb.Usage("--curve has it all: leave --latency, --ops-per-s and --sessions out")
    if o.curve is not None:
        return curve.read_curve(o.curve)
    sessions = o.sessions or o.sessions_max
    if sessions is None:
        raise verb.Usage("--sessions: how many operations does the token do at once?")
    return curve.of_figures(sessions, nanoseconds(o.latency or 0), o.ops_per_s or 0)


def plan_given(o: argparse.Namespace) -> Plan:
    made = o.weeks is not None or o.starts_per_week is not None or o.rotations is not None
    if o.seeds is not None and made:
        raise verb.Usage("--seeds says how many there are; --weeks, --starts-per-week and "
                         "--rotations say how many there will be: not both")
    if o.one_lost and (o.hsms or 1) == 1:
        raise verb.Usage("--one-lost: with --hsms 1 none would be left")
    values: dict[str, Any] = {dest: getattr(o, dest) for _, dest, *_ in NUMBERS}
    values |= {dest: nanoseconds(seconds) for dest in [t[1] for t in TIMES] + ["call_ns"]
               if (seconds := getattr(o, dest)) is not None}
    p = Plan(token_given(o), rolling=o.rolling, one_lost=o.one_lost,
             seeds_given=o.seeds is not None,
             **{name: value for name, value in values.items() if value is not None})
    p = replace(p, seeds=p.seeds_of(p.servers))
    if p.seeds > SEEDS_MAX:
        raise verb.Usage(f"--weeks, --starts-per-week and --rotations leave {p.seeds} seeds, over "
                         f"{SEEDS_MAX}: migrate the storage first")
    if p.parallel * p.readers > LISTS_MAX:
        raise verb.Usage(f"--parallel times --readers is at most {LISTS_MAX}")
    if p.servers * p.seeds * p.readers > CALLS_MAX:
        raise verb.Usage(f"--servers times seeds times --readers is at most {CALLS_MAX}")
    return p


def _inputs(p: Plan) -> dict[str, Any]:
    points = [{k: v for k, v in asdict(point).items() if point.p99_us > 0 or "_us" not in k}
              for point in p.curve.points]
    o = {"servers": p.servers, "rolling": p.rolling, "seeds": p.seeds, "parallel": p.parallel,
         "readers": p.readers, "timeout_ms": p.timeout_ns / MS, "retry_ms": p.list_retry_ns / MS,
         "ready_within_ms": p.within_ns / MS, "call_ms": p.call_ns / MS, "workers": p.workers,
         "versions": p.versions, "deadline_ms": p.deadline_ns / MS, "probe_ms": p.probe_ns / MS,
         "hsms": p.hsms, "one_lost": p.one_lost, "others_percent": p.others_percent,
         "failover_ms": p.failover_ns / MS, "draw": p.draw, "curve": points}
    ceilings = {"sessions_max": p.sessions_max, "connections_max": p.connections_max,
                "clients_max": p.clients_max}
    return o | {name: most for name, most in ceilings.items() if most > 0}


def _played(x: simulate.Played) -> dict[str, Any]:
    """What never came about has no figure."""
    o: dict[str, Any] = {"ready": x.ready_ns is not None, "goodput": x.goodput}
    o |= {name: getattr(x, name) for name in ("decrypts", "good", "lost", "duplicates",
                                              "operations", "wasted")}
    if x.ready_ns is not None:
        o |= {"ready_ms": x.ready_ns / MS, "seeds_per_s": x.seeds_per_s}
    else:
        o["given_up_ms"] = x.played_ns / MS
    if x.p50_ns is not None and x.p99_ns is not None:
        o |= {"p50_ms": x.p50_ns / MS, "p99_ms": x.p99_ns / MS}
    return o


def plan_document(a: Answer, version: str) -> dict[str, Any]:
    needs, b, expected = asdict(a.needs), a.bound, _played(a.played)
    if needs["sessions_at_work"] == 0:
        del needs["sessions_at_work"]
    bounds = {"ready_ms": b.ready_ns / MS, "ops_per_s": b.ops_per_s, "in_flight": b.in_flight,
              "operation_ms": b.op_ns / MS, "wait_ms": b.wait_ns / MS, "bounded_by": b.neck}
    figures = {"goodput": a.played.goodput, "steady_utilisation": a.needs.steady_utilisation,
               "storm_utilisation": a.needs.storm_utilisation, "bound_ready_ms": bounds["ready_ms"]}
    figures |= {name: expected[name] for name in ("ready_ms", "p99_ms") if name in expected}
    return {"tool": "keyward-bench plan", "schema": 1, "version": version, "partial": False,
            "fault": "", "inputs": _inputs(a.plan), "needs": needs, "bounds": bounds,
            "expected": expected, "limits": {"servers": a.limits[0], "seeds": a.limits[1]},
            "carried": not a.findings, "findings": a.findings, "assumptions": a.assumptions,
            "curves": [asdict(s) for s in a.series], "figures": figures}


def _needs_table(n: Needs) -> list[str]:
    rows = [("ordinary days", f"{n.steady_per_s:.2f}: canaries {n.canaries_per_s:.2f}, Encrypts "
             f"{n.encrypts_per_s:.4f}, seeds read again {n.rereads_per_s:.4f}"),
            ("a start",
             f"{n.storm_per_s:.1f}: {n.storm_operations:.0f} operations in the time wanted"),
            ("the token does", f"{n.capacity_per_s:.1f} with all sessions at work"),
            ("utilisation", f"{100 * n.steady_utilisation:.2f} % on ordinary days, "
             f"{100 * n.storm_utilisation:.1f} % in a start")]
    if n.sessions_at_work > 0:
        rows.append(("sessions", f"{n.sessions_at_work:.0f} busy ones reach the rate of a start"))
    return ["", "needed of the token, operations a second"] + [f"  {a:22} {b}" for a, b in rows]


def _storm_table(p: Plan, x: simulate.Played, b: Bound) -> list[str]:
    def row(name: str, played: str, reckoned: str = "") -> str:
        return f"  {name:25} {played:>17} {reckoned:>17}".rstrip()

    lines = ["", f"a start with nothing cached {'played':>17} {'by arithmetic':>17}",
             row("ready after", f"not in {x.played_ns / S:7.0f} s" if x.ready_ns is None else
                 f"{x.ready_ns / MS:.1f} ms", f"{b.ready_ns / MS:.1f} ms")]
    if x.ready_ns:
        lines.append(row("operations a second", f"{x.operations / x.ready_ns * S:.1f}",
                         f"{b.ops_per_s:.1f}"))
    if x.p50_ns is not None and x.p99_ns is not None:
        lines.append(row("Decrypt, p50", f"{x.p50_ns / MS:.2f} ms",
                         f"{(b.wait_ns + p.call_ns) / MS:.2f} ms") + " (all alike)")
        lines.append(row("Decrypt, p99", f"{x.p99_ns / MS:.2f} ms"))
    lines += [row("Decrypts", str(x.decrypts)) + f": {x.good} good, {x.lost} over their time",
              row("operations of the token", str(x.operations)) +
              f": {x.duplicates} Decrypts shared one or hit the cache",
              row("of them of use (goodput)", f"{100 * x.goodput:.1f} %"),
              f"  bounded by: {b.neck}"]
    if p.rolling and x.ready_ns is not None:
        lines.append(f"  all {p.servers} one after the other: {p.servers * x.ready_ns / S:.1f} s "
                     "unwrapping")
    return lines


def plan_table(a: Answer) -> str:
    p, (servers, seeds) = a.plan, a.limits
    lines = [f"{p.servers} API server{'s' * (p.servers > 1)} restarted "
             f"{'one after the other' if p.rolling else 'together'}, {p.seeds} seeds, "
             f"{p.parallel} x {p.readers} lists each; {p.hsms_left} HSM{'s' * (p.hsms_left > 1)}, "
             f"{p.servers * p.workers} sessions"]
    lines += _needs_table(a.needs) + _storm_table(p, a.played, a.bound)
    lines += ["", f"in {p.within_ns / S:.1f} s this token carries at most",
              f"  {seeds} seeds with {p.servers} API servers",
              f"  {servers}{' or more' * (servers >= reckon.LIMIT_SERVERS)} API servers with "
              f"{'so many seeds' if p.seeds_given else 'the seeds that so many leave'}",
              "", "assumed", *(f"  - {words}" for words in a.assumptions),
              "", "IT DOES NOT FIT" if a.findings else "the token carries this",
              *(f"  - {words}" for words in a.findings)]
    return "\n".join(lines)


def main(words: list[str], bench: str) -> int:
    o = parser().parse_args(words)
    a = answer(plan_given(o))
    if o.plot is not None:
        import documents  # slow to load
        import draw
        results.replace(o.plot, draw.sheet(documents.curve_plot(i, "plan", asdict(s))
                                           for i, s in enumerate(a.series)))
    if o.json:
        verb.print_document(plan_document(a, verb.version(bench)))
    else:
        print(plan_table(a))
    return verb.WRONG if a.findings else verb.GOOD

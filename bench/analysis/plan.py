# SPDX-License-Identifier: Apache-2.0
"""keyward-bench plan: does this token carry this cluster? Reckoned and played, not measured.

What is said in sentences is in plan-findings.j2, plan-assumptions.j2 and plan-table.j2.
"""
from __future__ import annotations

import argparse
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Callable

import curve
import reckon
import simulate
import tables
import verb
from reckon import Plan

WORKERS_MOST, HSMS_MOST, SEEDS_MOST, LISTS_MOST = 16, 64, 100_000, 256
CALLS_MOST = 2_000_000  # what one play may take: some twenty seconds
MANY = 1_000_000
OPTIONS = (  # name, what ends the plan's member, least and most (times in s), what it says
    ("latency", "_ms", 1e-6, 600, "an operation's round trip on the token, such as 350us"),
    ("ops-per-s", "", 1, 100 * MANY, "or: operations a second of the data sheet; or both"),
    ("sessions", "", 1, MANY, "operations the token does at once (--sessions-max)"),
    ("servers", "", 1, 16, "API servers, each with a keyward (3)"),
    ("seeds", "", 1, SEEDS_MOST, "distinct seeds in etcd; or how they come about:"),
    ("weeks", "", 0, 1000, "since the storage was last migrated (52)"),
    ("starts-per-week", "", 0, 10_000, "restarts and reloads of an API server (1)"),
    ("rotations", "", 0, 10_000, "of the KEK since then (0)"),
    ("parallel", "", 1, LISTS_MOST, "lists of one server with seeds of their own (1)"),
    ("readers", "", 1, LISTS_MOST, "lists that want the very same seeds (1)"),
    ("timeout", "_ms", 0.1, 600, "of EncryptionConfiguration (3s)"),
    ("retry", "_ms", 0.1, 600, "until a list that failed begins anew (1s)"),
    ("ready-within", "_ms", 0.001, 3600, "what is wanted after a start (60s)"),
    ("call", "_ms", 0, 600, "of a Decrypt outside the token, such as 150us (1ms)"),
    ("workers", "", 1, WORKERS_MOST, "in each keyward, one session each (2)"),
    ("versions", "", 1, 64, "of the KEK in the keyring (1)"),
    ("deadline", "_ms", 0.1, 2.999, "hsm.deadline (1500ms)"),
    ("probe", "_ms", 1, 600, "hsm.probe.every (10s)"),
    ("hsms", "", 1, HSMS_MOST, "alike, sharing the work (1)"),
    ("others", "_percent", 0, 99, "percent of the token that other tenants take (0)"),
    ("sessions-max", "", 1, MANY, "sessions that an HSM grants us"),
    ("connections-max", "", 1, MANY, "connected processes, a worker each"),
    ("clients-max", "", 1, MANY, "licensed clients, an API server's node each"),
    ("failover", "_ms", 0, 600, "the token answers nothing as the storm begins (0s)"),
    ("draw", "", 0, 2 ** 32 - 1, "where the drawing of operation times begins (1)"),
)


def milliseconds(least_s: float, most_s: float) -> Callable[[str], float]:
    """Like verb.duration, but tokens are quicker: down to microseconds."""
    def read(text: str) -> float:
        match = re.fullmatch("([0-9]{1,12})us", text)
        seconds = int(match[1]) / 1e6 if match else verb.seconds_of(text)
        if seconds is None or not least_s <= seconds <= most_s:
            raise argparse.ArgumentTypeError(f"{text}: it wants a time such as 350us, 20ms or 2s, "
                                             f"from {least_s:g}s to {most_s:g}s")
        return round(seconds * 1e3, 6)
    return read


def parser() -> verb.Parser:
    p = verb.Parser(
        "keyward-bench plan",
        "Says whether a token carries a cluster: what it needs on ordinary days, and how\n"
        "long it takes when the API servers restart with nothing cached.",
        "It measures nothing: a storm is played on a simulated clock with the figures given,\n"
        "and reckoned besides.  Every assumption is printed.  Exit status 1: it does not fit,\n"
        "and what would.\n")
    p.add_argument("--curve", metavar="FILE", type=Path, action=verb.Once,
                   help="the token, from token --curve --json or load --json; or:")
    for name, unit, least, most, words in OPTIONS:
        is_time = unit == "_ms"
        reader = milliseconds(least, most) if is_time else verb.number(int(least), int(most))
        p.add_argument(f"--{name}", dest=name.replace("-", "_") + unit, type=reader, help=words,
                       metavar="TIME" if is_time else "N", action=verb.Once,
                       default=argparse.SUPPRESS)
    p.add_argument("--rolling", action="store_true",
                   help="they restart one after the other, not together")
    p.add_argument("--one-lost", action="store_true", help="plan for one HSM less")
    p.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    return p


def token_given(o: dict[str, Any]) -> curve.Curve:
    path, latency_ms, ops_per_s = o["curve"], o.get("latency_ms", 0), o.get("ops_per_s", 0)
    sessions = o.get("sessions", o.get("sessions_max"))
    if path is None and not (latency_ms or ops_per_s):
        raise verb.Usage("it wants the token: --curve FILE, or --latency and --sessions, or "
                         "--ops-per-s and --sessions")
    if path is not None:
        if latency_ms or ops_per_s or "sessions" in o:
            raise verb.Usage("--curve has it all: leave --latency, --ops-per-s and --sessions out")
        return curve.read_curve(path)
    if sessions is None:
        raise verb.Usage("--sessions: how many operations does the token do at once?")
    return curve.of_figures(sessions, latency_ms, ops_per_s)


def plan_given(o: dict[str, Any]) -> Plan:
    if "seeds" in o and o.keys() & {"weeks", "starts_per_week", "rotations"}:
        raise verb.Usage("--seeds says how many there are; --weeks, --starts-per-week and "
                         "--rotations say how many there will be: not both")
    if o["one_lost"] and o.get("hsms", 1) == 1:
        raise verb.Usage("--one-lost: with --hsms 1 none would be left")
    members: dict[str, Any] = {k: v for k, v in o.items() if k in Plan.__dataclass_fields__}
    members |= {"curve": token_given(o), "seeds_given": "seeds" in o}
    p = Plan(**members).of(o.get("servers", Plan.servers))
    for product, most, words in (
            (p.seeds, SEEDS_MOST, "the seeds that --weeks, --starts-per-week and --rotations "
             "leave, unless you migrate the storage,"),
            (p.parallel * p.readers, LISTS_MOST, "--parallel times --readers"),
            (p.servers * p.seeds * p.readers, CALLS_MOST, "--servers times seeds times --readers")):
        if product > most:
            raise verb.Usage(f"{words} would be {product}, and {most} is the most")
    return p


def cures(p: Plan, seeds: int) -> dict[str, Any]:
    """What would carry it; 0: nothing of that kind."""
    def least(numbers: range, make: Callable[[int], Plan]) -> int:
        return next((n for n in numbers if not reckon.wrong_with(make(n))), 0)

    hsms = range(1 + p.one_lost, HSMS_MOST + 1)
    return {"workers_most": WORKERS_MOST, "hsms_most": HSMS_MOST, "seeds": seeds,
            "workers": least(range(1, WORKERS_MOST + 1), lambda n: replace(p, workers=n)),
            "hsms": least(hsms, lambda n: replace(p, hsms=n)),
            "both": least(hsms, lambda n: replace(p, hsms=n, workers=WORKERS_MOST)),
            "rolling": not p.rolling and p.servers > 1
            and not reckon.wrong_with(replace(p, rolling=True))}


def plan_document(p: Plan, version: str) -> dict[str, Any]:
    n, b, x, limits = reckon.needs(p), reckon.bound(p), simulate.play(p), reckon.limits(p)
    wrong = reckon.wrong_with(p, x.get("ready_ms"))
    facts = {"p": p, "n": n, "b": b, "x": x, "wrong": wrong,
             "first_ms": reckon.first_encrypts_ms(p),
             "cures": cures(p, limits["seeds"]) if reckon.wrong_with(p) else None}
    given = asdict(p)
    for name in ("seeds_given", "starts_per_week", "weeks", "rotations", *(
            name for name in given if name.endswith("_max") and given[name] == 0)):
        del given[name]
    given["curve"] = [{k: v for k, v in point.items() if point["p99_us"] or "_us" not in k}
                      for point in given["curve"]["points"]]
    figures = {"goodput": x["goodput"], "steady_utilisation": n["steady_utilisation"],
               "storm_utilisation": n["storm_utilisation"], "bound_ready_ms": b["ready_ms"]}
    return {"tool": "keyward-bench plan", "schema": 1, "version": version, "partial": False,
            "fault": "", "inputs": given, "bounds": b, "expected": x, "limits": limits,
            "needs": {name: v for name, v in n.items() if name != "sessions_at_work" or v},
            "carried": not wrong, "findings": tables.sentences("plan-findings", facts),
            "assumptions": tables.sentences("plan-assumptions", facts),
            "curves": reckon.series(p, limits["seeds"]),
            "figures": figures | {k: x[k] for k in ("ready_ms", "p99_ms") if k in x}}


def main(words: list[str], bench: str) -> int:
    o = vars(parser().parse_args(words))
    p = plan_given(o)
    d = plan_document(p, verb.version(bench))
    if o["json"]:
        verb.print_document(d)
    else:
        print(tables.render("plan-table", {"d": d, "seeds_given": p.seeds_given}))
    return verb.GOOD if d["carried"] else verb.WRONG

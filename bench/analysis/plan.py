# SPDX-License-Identifier: Apache-2.0
"""keyward-bench plan: does this token carry this cluster? Reckoned and played, not measured.

What is said in sentences is in plan-findings.j2, plan-assumptions.j2 and plan-table.j2.
"""
from __future__ import annotations

import argparse
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Callable

import curve
import reckon
import simulate
import tables
import verb
from reckon import HSMS_MOST, WORKERS_MOST, Plan

SEEDS_MOST, LISTS_MOST, CALLS_MOST = 100_000, 256, 2_000_000  # one play: some twenty seconds


def milliseconds(least: float, most: float) -> Callable[[str], float]:
    """Like verb.duration, but tokens are quicker: down to microseconds."""
    def read(text: str) -> float:
        match = re.fullmatch("([0-9]{1,12})us", text)
        seconds = int(match[1]) / 1e6 if match else verb.seconds_of(text)
        if seconds is None or not least <= round(seconds * 1e3, 6) <= most:
            raise argparse.ArgumentTypeError(f"{text}: it wants a time such as 350us, 20ms or 2s, "
                                             f"from {least:g}ms to {most / 1e3:g}s")
        return round(seconds * 1e3, 6)
    return read


def parser() -> verb.Parser:
    p = verb.Parser(
        "keyward-bench plan",
        "Says whether a token carries a cluster: what it needs on ordinary days, and how\n"
        "long it takes when the API servers restart with nothing cached.",
        "It measures nothing: a storm is played on a simulated clock and reckoned besides.\n"
        "Every assumption is printed.  Exit status 1: it does not fit, and what would.\n")
    p.add_argument("--curve", metavar="FILE", type=Path, action=verb.Once,
                   help="the token, from token --curve --json or load --json; or:")
    for name, words, default, least, most in (
            ("latency_ms", "an operation's round trip, such as 350us", 0, 1e-3, 600_000),
            ("ops_per_s", "operations a second of the data sheet; or both", 0, 1, 10 ** 8),
            ("sessions", "operations that the token does at once", 0, 1, 10 ** 6),
            *((f.name, f.metadata["words"], f.default, f.metadata["least"], f.metadata["most"])
              for f in fields(Plan) if f.metadata)):
        time = name.endswith("_ms")
        reader = milliseconds(least, most) if time else verb.number(least, most)
        p.add_argument("--" + re.sub("_(ms|percent)$", "", name).replace("_", "-"), dest=name,
                       type=reader, action=verb.Once, default=argparse.SUPPRESS,
                       metavar="TIME" if time else "N",
                       help=f"{words} ({default}{' ms' if time else ''})" if default else words)
    for name, words in (("rolling", "they restart one after the other, not together"),
                        ("one-lost", "plan for one HSM less"),
                        ("json", "one JSON document instead of a table")):
        p.add_argument(f"--{name}", action="store_true", help=words)
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

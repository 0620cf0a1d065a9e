# SPDX-License-Identifier: Apache-2.0
"""Does this token carry this cluster?  Reckoned and played, not measured."""
from dataclasses import asdict, replace
from typing import Any, Callable

import reckon
import simulate
import tables
import verb
from reckon import HSMS_MOST, SESSIONS_MOST, Plan

SEEDS_MOST, LISTS_MOST, CALLS_MOST = 100_000, 256, 2_000_000  # one play: some twenty seconds


def token_given(o: dict[str, Any]) -> reckon.Curve:
    figures = {k: o[k] for k in ("latency_ms", "ops_per_s") if k in o}
    path, sessions = o.get("curve"), o.get("at_once", o.get("sessions_max"))
    if path is None and not figures:
        raise verb.Usage("it wants the token: --curve FILE, or --latency and --at-once, or "
                         "--ops-per-s and --at-once")
    if path is not None and (figures or "at_once" in o):
        raise verb.Usage("--curve has it all: leave --latency, --ops-per-s and --at-once out")
    if path is None and sessions is None:
        raise verb.Usage("--at-once: how many operations does the token do at once?")
    return reckon.read_curve(path) if path else reckon.of_figures(sessions or 0, **figures)


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
    def least(numbers: range, make: Callable[[int], Plan]) -> int:
        return next((n for n in numbers if not reckon.wrong_with(make(n))), 0)
    hsms = range(1 + p.one_lost, HSMS_MOST + 1)
    return {"sessions_most": SESSIONS_MOST, "hsms_most": HSMS_MOST, "seeds": seeds,
            "sessions": least(range(1, SESSIONS_MOST + 1), lambda n: replace(p, sessions=n)),
            "hsms": least(hsms, lambda n: replace(p, hsms=n)),
            "both": least(hsms, lambda n: replace(p, hsms=n, sessions=SESSIONS_MOST)),
            "rolling": p.starting > 1 and not reckon.wrong_with(replace(p, rolling=True))}


def plan_document(p: Plan, version: str) -> dict[str, Any]:
    n, b, x, limits = reckon.needs(p), reckon.bound(p), simulate.play(p), reckon.limits(p)
    wrong = reckon.wrong_with(p, x.get("ready_ms"))
    facts = {"p": p, "n": n, "b": b, "x": x, "wrong": wrong,
             "first_ms": reckon.first_encrypts_ms(p),
             "cures": cures(p, limits["seeds"]) if reckon.wrong_with(p) else None}
    given = {k: v for k, v in asdict(p).items()
             if k not in ("seeds_given", "starts_per_week", "weeks", "rotations")
             and not (k.endswith("_max") and v == 0)}
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
    given = vars(verb.Parser("plan", __doc__).parse_args(words)).items()
    o = {"others_percent" if k == "others" else k: v for k, v in given if v is not None}
    p = plan_given(o)
    d = plan_document(p, verb.version(bench))
    tables.show(o["json"], "plan-table", d, d=d, seeds_given=p.seeds_given)
    return verb.GOOD if d["carried"] else verb.WRONG

# SPDX-License-Identifier: Apache-2.0
"""The sections of a page that show the documents beside results.json."""
from __future__ import annotations

import math
from typing import Any, Callable

import draw
import units
from blocks import Block, Cell, Row, beside, facts, faulty, figure, items, paragraph, table
from folder import Folder
from foreign import list_in, number_in, object_in, text_in
from verb import Document


def head(name: str, d: Document) -> list[Block]:
    return [Block("h3", name), *faulty(d.get("partial") is True, text_in(d, "fault"))]


def member_text(name: str, v: Any) -> str:
    if isinstance(v, bool):
        return "yes" if v else "no"
    if isinstance(v, str):
        return v
    return units.number_text(number_in({"v": v}, "v"), units.unit_of(name))


def member_table(d: Document, member: str, caption: str,
                 words: Callable[[str], str] = units.member_words) -> list[Block]:
    rows = [(words(k), member_text(k, v)) for k, v in object_in(d, member).items()
            if not isinstance(v, (dict, list))]
    return [facts(caption, rows)] if rows else []


def points_of(rows: list[Any], x: str, y: str, scale: float = 1) -> list[draw.Point]:
    return [(number_in(at, x) / scale, number_in(at, y), 0, 0) for at in rows]


STORM_OPTIONS = (("servers", "API servers"), ("seeds", "distinct seeds"),
                 ("readers", "readers of each seed"),
                 ("parallel", "lists of a server with seeds of their own"))
STORM_FACTS = (("ready_ms", "every seed read on every server after"),
               ("requests", "Decrypts asked for"), ("hsm_operations", "operations of the token"),
               ("duplicates", "asked for while an equal one was under way"),
               ("deadline_misses", "missed the deadline"))
METHODS = ("status", "encrypt", "decrypt")


def storm_facts(d: Document) -> Block:
    rows = [("the plugin’s cache", text_in(d, "cache") or "unknown")]
    for member, words in STORM_FACTS:
        v = number_in(d, member)
        rows.append((words, "not known" if math.isnan(v) else
                     units.number_text(v, units.unit_of(member))))
    failures = object_in(d, "failures")
    for code, v in failures.items():
        count = units.number_text(number_in(v if isinstance(v, dict) else {"count": v}, "count"))
        message = text_in(v, "message")[:120]
        rows.append((code, f"{count}: {message}" if message else count))
    return facts("What came of it", rows + ([] if failures else [("failed calls", "none")]))


def storm_hours(d: Document) -> list[Block]:
    rows = [[str(i), *(units.number_text(number_in(object_in(hour, which), m)) for m in METHODS
                       for which in ("calls", "failed"))]
            for i, hour in enumerate(list_in(d, "hours"))]
    heads = ("hour", "Status", "failed", "Encrypt", "failed", "Decrypt", "failed")
    return [table("By hour of the day: calls, and how many of them failed", heads, rows,
                  "")] if rows else []


def storm_plots(i: int, name: str, line: list[Any]) -> list[Block]:
    x = draw.Axis("seconds since the restart")
    seeds = draw.Plot(f"storm-{i}", f"Seeds unwrapped: {name}", x, draw.Axis("seeds, all servers"),
                      "The table above has the sums")
    calls = draw.Plot(f"storm-calls-{i}", f"Calls in flight: {name}", x, draw.Axis("calls"),
                      "Calls that a server wanted and that have not ended")
    for p, member, label, color in ((seeds, "unwrapped", "unwrapped", 0),
                                    (seeds, "failed", "failed calls", 1),
                                    (calls, "in_flight", "in flight", 2)):
        if any(number_in(at, member) > 0 for at in line[1:]):
            p.add(label, color, points_of(line, "t_ms", member, 1000), dots=False)
    failed = any(drawn.name == "failed calls" for drawn in seeds.lines)
    return (figure(seeds, "Added up from the restart on, failed calls too." if failed else
                   "Added up from the restart on; no call failed.") +
            figure(calls, "Wanted by a server and not ended."))


def storm(f: Folder) -> list[Block]:
    blocks: list[Block] = []
    for i, (name, d) in enumerate(f.of_kind("storm")):
        o = object_in(d, "options")
        told = [f"{words}: {units.number_text(number_in(o, k))}"
                for k, words in STORM_OPTIONS if k in o]
        told.append(f"timeout: {units.number_text(number_in(o, 'timeout_ns') / 1000, units.US)}.")
        blocks += [*head(name, d), paragraph("; ".join(told)), storm_facts(d), *storm_hours(d),
                   *storm_plots(i, name, list_in(d, "timeline"))]
    return blocks


def lines_of(d: Document, member: str) -> list[str]:
    """One a line: text, or an object of texts."""
    return [v if isinstance(v, str) else " · ".join(
        s for s in (v.values() if isinstance(v, dict) else ()) if isinstance(s, str))
        for v in list_in(d, member)]


PLAN_TABLES = (("inputs", "Given"), ("needs", "Needed"), ("expected", "Expected"),
               ("limits", "The most that it carries"), ("bounds", "By arithmetic alone"))


def curve_plot(at: int, name: str, c: Any) -> draw.Plot:
    x, y = text_in(c, "x"), text_in(c, "y")
    rows = [dict(zip("xy", point)) for point in list_in(c, "points") if isinstance(point, list)]
    p = draw.Plot(f"plan-{at}", f"{name}: {units.member_words(y)} over {units.member_words(x)}",
                  draw.Axis(units.member_words(x), unit=units.unit_of(x)),
                  draw.Axis(units.member_words(y), unit=units.unit_of(y)), f"{len(rows)} points")
    p.add(units.member_words(y), 0, points_of(rows, "x", "y"))
    return p


def plan(f: Folder) -> list[Block]:
    blocks: list[Block] = []
    plots = 0
    for name, d in f.of_kind("plan"):
        blocks += head(name, d)
        if isinstance(d.get("carried"), bool):
            blocks.append(paragraph("As reckoned, the token carries the cluster.") if d["carried"]
                          else paragraph("", "As reckoned, the token does not carry the cluster:"))
        if found := lines_of(d, "findings"):
            blocks.append(items(found))
        blocks.append(beside(*(b for member, caption in PLAN_TABLES
                               for b in member_table(d, member, caption))))
        for c in list_in(d, "curves"):
            blocks += figure(curve_plot(plots, name, c),
                             "Reckoned, not measured: see the assumptions.")
            plots += 1
        if assumed := lines_of(d, "assumptions"):
            blocks.append(Block("details", "Assumptions", blocks=[items(assumed)]))
    return blocks


def token_words(name: str) -> str:
    """The same names as a server's figures, but here a call is one operation."""
    return {"calls_per_s": "operations a second", "cpu_us": "CPU an operation",
            "switches": "context switches an operation"}.get(name, units.figure_words(name))


def token(f: Folder) -> list[Block]:
    blocks: list[Block] = []
    for i, (name, d) in enumerate(f.of_kind("token")):
        blocks += [*head(name, d), beside(*member_table(d, "token", "The token"),
                                          *member_table(d, "options", "How it was measured"),
                                          *member_table(d, "figures", "Figures, at their best",
                                                        token_words))]
        for at, what, y, lines in (
                ("token", "throughput", draw.Axis("operations a second"),
                 (("ops_per_s", "operations"),)),
                ("token-latency", "latency", draw.Axis("latency", draw.LOG10, units.US),
                 (("p50_us", "p50"), ("p99_us", "p99")))):
            p = draw.Plot(f"{at}-{i}", f"The token’s {what}: {name}",
                          draw.Axis("sessions", draw.LOG2), y,
                          f"The token’s {what} over the number of sessions")
            for color, (member, label) in enumerate(lines):
                p.add(label, color, points_of(list_in(d, "curve"), "sessions", member))
            blocks += figure(p, "No server and no wall stand before the token here.")
    return blocks


def micro_row(e: Document) -> Row:
    if e.get("error_occurred") is True:
        return text_in(e, "name"), Cell(text_in(e, "error_message"), cls="words", span=3)
    us = {"ns": 1e-3, "ms": 1e3, "s": 1e6}.get(text_in(e, "time_unit"), 1.0)
    return (text_in(e, "name"), units.number_text(number_in(e, "cpu_time") * us, units.US),
            units.number_text(number_in(e, "real_time") * us, units.US),
            units.number_text(number_in(e, "iterations")))


def micro(f: Folder) -> list[Block]:
    """A deviation or a coefficient is no time of the operation."""
    return [table(f"{name}: one operation of one part", ("case", "CPU", "wall clock", "iterations"),
                  [micro_row(e) for e in list_in(d, "benchmarks") if isinstance(e, dict)
                   and text_in(e, "aggregate_name") in ("", "median", "mean")])
            for name, d in f.of_kind("micro")]

# SPDX-License-Identifier: Apache-2.0
"""What a token carries with so many operations in flight.

A curve is a few measured points, or a few figures of a data sheet in the same form. Between two
points the rate is on a straight line, below the first one on the line from nothing, above the
last one it stays what it was: what nobody measured is not promised.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import results
import verb
from foreign import list_in, number_in, object_in, text_in
from verb import Document

POINTS_MAX = 64
Z99 = 2.3263478740408408  # how far percentile 99 of the normal distribution lies from its middle


@dataclass(frozen=True)
class Point:
    sessions: float  # operations in flight, at least 1
    ops_per_s: float
    p50_us: float = 0  # of one operation; both 0 when nobody knows
    p99_us: float = 0


@dataclass(frozen=True)
class Curve:
    points: tuple[Point, ...]  # ascending in sessions, at least one
    words: str  # where it comes from, for people

    def ops_per_s(self, sessions: float) -> float:
        before = Point(0, 0)
        for p in self.points:
            if sessions <= p.sessions:
                slope = (p.ops_per_s - before.ops_per_s) * (sessions - before.sessions)
                return before.ops_per_s + slope / (p.sessions - before.sessions)
            before = p
        return before.ops_per_s

    def sigma(self, sessions: float) -> float:
        """Deviation of the logarithm of an operation's time, a log normal one; 0: unknown."""
        p = next((p for p in self.points if p.sessions >= sessions), self.points[-1])
        return math.log(p.p99_us / p.p50_us) / Z99 if 0 < p.p50_us < p.p99_us else 0.0

    def sessions_for(self, ops_per_s: float) -> float:
        """The least number in flight at which the token does so many; 0: it never does."""
        before = Point(0, 0)
        for p in self.points:
            if ops_per_s <= p.ops_per_s:
                share = (ops_per_s - before.ops_per_s) / (p.ops_per_s - before.ops_per_s)
                return before.sessions + (p.sessions - before.sessions) * share
            before = p
        return 0.0


def of_figures(sessions: float, latency_ns: int = 0, ops_per_s: float = 0) -> Curve:
    """A token by its latency, its best rate, or both."""
    ms = latency_ns / 1e6
    if not latency_ns:
        return Curve((Point(float(sessions), float(ops_per_s)),), (
            f"{ops_per_s:g} operations a second are reached with {sessions:g} in flight and not "
            f"before, so one takes {sessions * 1e3 / ops_per_s:.3g} ms: the data sheet's rate, the "
            "worst reading of its latency, which --latency corrects [given, not measured]"))
    if not ops_per_s:
        words = f"an operation takes {ms:g} ms, {sessions:g} of them at once"
        knee = float(sessions)
    else:
        words = (f"an operation takes {ms:g} ms and at most {ops_per_s:g} a second are done, "
                 f"{sessions:g} at once")
        knee = min(ops_per_s * latency_ns / 1e9, float(sessions))
    return Curve((Point(knee, knee * 1e9 / latency_ns),), words + " [given, not measured]")


def _point(o: Any, sessions: float, rate: float, operations: int = 1) -> Point | None:
    """Percentiles that a run was too short to know are simply not there."""
    p99 = number_in(o, "p99_us", 0) / operations
    p50 = number_in(o, "p50_us", 0) / operations if p99 else 0
    possible = 1 <= sessions < math.inf and 0 < rate < math.inf and 0 <= p50 <= p99
    return Point(sessions, rate, p50, p99) if possible else None


def _token(document: Document) -> tuple[Point, ...] | str:
    operation = object_in(document, "options").get("operation")
    if operation not in (None, "unwrap", "wrap"):
        return "its operation was neither unwrap nor wrap, which is what keyward does"
    points = [_point(o, number_in(o, "sessions"), number_in(o, "ops_per_s"))
              for o in list_in(document, "curve")]
    if not points:
        return 'it has no "curve"; measure one with keyward-bench token --curve 1,2,4,8 --json'
    if len(points) > POINTS_MAX:
        return f'its "curve" has over {POINTS_MAX} points'
    known = sorted((p for p in points if p), key=lambda p: p.sessions)
    if len(known) < len(points):
        return ('a point of its "curve" wants sessions >= 1, ops_per_s > 0, and p99_us not below '
                "p50_us")
    if len({p.sessions for p in known}) < len(known):
        return 'its "curve" has one number of sessions twice'
    return tuple(known)


def _load(document: Document) -> tuple[Point, ...] | str:
    """One point. An Encrypt is two operations of the token; a Status is none."""
    options, figures = object_in(document, "options"), object_in(document, "figures")
    if text_in(options, "mix") not in ("decrypt", "encrypt"):
        return "its calls were not all Decrypts or all Encrypts, so they say nothing of a token"
    if number_in(options, "rate") > 0:
        return "its rate was given, so it does not say what the most is; measure without --rate"
    operations = 2 if options["mix"] == "encrypt" else 1
    p = _point(figures, number_in(options, "in_flight"),
               operations * number_in(figures, "calls_per_s"), operations)
    return (p,) if p else "it wants options.in_flight >= 1 and figures.calls_per_s > 0"


def _points(document: Any) -> tuple[Point, ...] | str:
    if not isinstance(document, dict):
        return "it is no JSON object"
    tool = text_in(document, "tool")
    if tool not in ("keyward-bench token", "keyward-bench load"):
        return "it is no document of keyward-bench token --curve or keyward-bench load"
    if document.get("schema") != 1:
        return 'its "schema" is not 1, the only one that this version reads'
    if document.get("partial") is True:
        return "its run was cut short; measure again"
    counted = [document, *object_in(document, "by_method").values()]
    if document.get("failures") or any(number_in(o, name) > 0 for o in counted
                                       for name in ("wrong", "failed")):
        return "its run had wrong or failed operations; cure that and measure again"
    if number_in(object_in(document, "options"), "max_rate") > 0:
        return ("its rate was held down, so it does not say what the most is; measure without "
                "--max-rate")
    return _token(document) if tool == "keyward-bench token" else _load(document)


def read_curve(path: str) -> Curve:
    """A curve from the document of `token --curve` or of `load`; Unable, OSError."""
    document = results.load(Path(path))
    points = _points(document)
    if isinstance(points, str):
        raise verb.Unable(f"{path}: {points}")
    kind = ("operations without a server before them" if document["tool"].endswith("token") else
            "calls through a server, one point; right only when every ciphertext missed its "
            "cache, and their time outside the token counts as the token's")
    sayable = len(path) <= 120 and path.isprintable()
    return Curve(points, f"{kind} [measured: {path if sayable else 'the file'}]")

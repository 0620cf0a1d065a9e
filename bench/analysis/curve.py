# SPDX-License-Identifier: Apache-2.0
"""What a token carries with so many operations in flight.

A curve is a few measured points, or figures of a data sheet in the same form. Between two points
the rate is on a straight line, below the first one on the line from nothing, above the last one
it stays what it was: what nobody measured is not promised.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import results
import verb

SCHEMA = results.SCHEMA.with_name("curve-1.schema.json")
Z99 = 2.3263478740408408  # how far percentile 99 of the normal distribution lies from its middle


@dataclass(frozen=True)
class Point:
    sessions: float  # operations in flight
    ops_per_s: float
    p50_us: float = 0  # of one operation; both 0 when nobody knows
    p99_us: float = 0


@dataclass(frozen=True)
class Curve:
    points: tuple[Point, ...]  # ascending in sessions, at least one
    words: str  # where it comes from, for people

    @cached_property
    def corners(self) -> Any:
        """Of the line, from nothing on: sessions, and operations a second."""
        return np.array([(0, 0), *((p.sessions, p.ops_per_s) for p in self.points)], float).T

    def ops_per_s(self, sessions: Any) -> Any:
        """Of a number, or of an array of them."""
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
    """A token by its latency, its best rate, or both. A rate alone is reached with all sessions
    and not before: the worst that a data sheet may mean."""
    latency_s = latency_ms / 1e3 or sessions / ops_per_s
    knee = min(ops_per_s * latency_s or math.inf, sessions)
    words = (f"an operation takes {latency_s * 1e3:.4g} ms and at most {knee / latency_s:g} a "
             f"second are done, {sessions:g} at once [given, not measured")
    more = "" if latency_ms else "; the worst reading of a rate, which --latency corrects"
    return Curve((Point(knee, knee / latency_s),), f"{words}{more}]")


def read_curve(path: Path) -> Curve:
    """A curve from the document of `token --curve` or of `load`; Unable, OSError.

    A load is one point. An Encrypt is two operations of the token; a Status is none.
    """
    d = results.load(path)
    results.check(path, d, SCHEMA)
    if "curve" in d:
        words, operations = "operations without a server before them", 1
        measured = [o | {"at": o["sessions"], "rate": o["ops_per_s"]} for o in d["curve"]]
    else:
        words = ("calls through a server, one point; right only when every ciphertext missed its "
                 "cache, and their time outside the token counts as the token's")
        operations = 2 if d["options"]["mix"] == "encrypt" else 1
        measured = [d["figures"] | {"at": d["options"]["in_flight"],
                                    "rate": operations * d["figures"]["calls_per_s"]}]
    points = []
    for o in sorted(measured, key=lambda o: float(o["at"])):
        p99 = o.get("p99_us") or 0  # not there when the run was too short; p50 alone is of no use
        p50 = o.get("p50_us") or 0 if p99 else 0
        points.append(Point(o["at"], o["rate"], p50 / operations, p99 / operations))
    if len({p.sessions for p in points}) < len(points):
        raise verb.Unable(f"{path}: curve: one number of sessions is there twice")
    if any(p.p99_us < p.p50_us for p in points):
        raise verb.Unable(f"{path}: p99_us is below p50_us")
    return Curve(tuple(points), f"{words} [measured: {verb.printable(str(path), 120)}]")

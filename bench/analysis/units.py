# SPDX-License-Identifier: Apache-2.0
"""Numbers and names of figures as people read them."""
from __future__ import annotations

import math
import re

COUNT, US, MS, PERCENT, RATIO = "count", "us", "ms", "percent", "ratio"

FIGURES = {
    "calls_per_s": "calls a second",
    "goodput_per_s": "good in time, a second",
    "late_per_s": "due and not made, a second",
    "cpu_us": "CPU a call, server and workers",
    "server_us": "CPU a call, server",
    "workers_us": "CPU a call, workers",
    "client_us": "CPU a call, client",
    "switches": "context switches a call",
    "p50_us": "latency p50",
    "p90_us": "latency p90",
    "p99_us": "latency p99",
    "p99.9_us": "latency p99.9",
    "ready_ms": "time to readiness",
    "ops_per_s": "operations a second",
    "stop_ms": "SIGTERM to the end",
    "start_status_ms": "start to a good Status",
    "start_decrypt_ms": "start to a good Decrypt",
    "gap_ms": "without a good Decrypt",
}

# What the end of a name says of its number, and how that end reads.
ENDS = (("_us", "", US), ("_ms", "", MS), ("_per_s", " a second", COUNT),
        ("_percent", ", %", COUNT), ("utilisation", "utilisation", PERCENT),
        ("goodput", "goodput", PERCENT))


def figure_words(figure: str) -> str:
    return FIGURES.get(figure, figure)


def unit_of(name: str) -> str:
    return next((unit for end, _, unit in ENDS if name.endswith(end)), COUNT)


def member_words(name: str) -> str:
    """A member's name for people: its unit is left to the number."""
    for end, words, _ in ENDS:
        if name.endswith(end):
            return (name.removesuffix(end) + words).replace("_", " ")
    return name.replace("_", " ")


def digits(v: float) -> str:
    """Three digits, thousands by commas, no zeros at the end of a fraction."""
    size = abs(v)
    if 999.5 <= size < 1e15:
        return f"{v:,.0f}"
    if size >= 1e15 or 0 < size < 0.001:
        return f"{v:.2g}"
    decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    text = f"{v:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def time_text(us: float) -> str:
    for least, scale, unit in ((999.5e3, 1e6, "s"), (999.5, 1e3, "ms"), (0.9995, 1, "µs")):
        if abs(us) >= least:
            return f"{digits(us / scale)}\u00a0{unit}"
    return f"{digits(us * 1e3)}\u00a0ns" if us else "0"


def number_text(v: float | None, unit: str = COUNT) -> str:
    """A number with its unit; a dash for what nobody knows."""
    if v is None or not math.isfinite(v):
        return "–"
    if unit == US or unit == MS:
        return time_text(v * (1000 if unit == MS else 1))
    if unit == PERCENT:
        return f"{digits(v * 100)}\u00a0%"
    if unit == RATIO:  # two decimals near 1, so that a column of them reads as a column
        return f"{v:.2f}×" if abs(v) < 9.995 else f"{digits(v)}×"
    return digits(v)


def plain(words: str) -> str:
    """Foreign words without what neither HTML nor SVG takes."""
    return re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", words)

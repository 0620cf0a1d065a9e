# SPDX-License-Identifier: Apache-2.0
"""What the sections of a page show: figures and plots; templates/page.html.j2 has the words.

Each makes a dict, of which nothing is true when the folder has nothing for it.
"""
from __future__ import annotations

import math
import re
from typing import Any, Callable, Iterable

import numpy as np

import plots
from folder import Folder
from plots import Axis, Line, Plot
from units import PERCENT, RATIO, SHARE, US, Measured, number_text, unit_of
from verb import Document

BUSY = 0.8  # a client that is busier may be what limits the figure
BEYOND = 100  # calls that must lie beyond a percentile that is told
SERVED, SLOWER = 0.95, 10.0  # of the last rate that is served: least goodput, most p99 to the first
COLUMNS = 6  # a table that is wider than the page is read by nobody
Data = dict[str, Any]
Section = Callable[[Folder], Data]
Curve = tuple[str, Axis, Axis, list[Line]]  # a title, what it goes over, what it shows
Groups = list[tuple[str, list[Document]]]


def grouped(cells: Iterable[Document], key: Callable[[Document], str]) -> Groups:
    """In the order in which the keys come up."""
    groups: dict[str, list[Document]] = {}
    for c in cells:
        groups.setdefault(key(c), []).append(c)
    return list(groups.items())


def subject_of(c: Document) -> str:
    return str(c["axes"]["subject"])


def is_closed(c: Document) -> bool:
    return not c["control"] and c["axes"]["in_flight"] > 0 and not c["axes"]["rate"] > 0


def line_of(f: Folder, name: str, cells: list[Document], axis: str, figure: str) -> Line:
    """Medians with their intervals, by where the cells stand on an axis."""
    medians = ((c["axes"][axis], f.median(c, figure))
               for c in sorted(cells, key=lambda c: float(c["axes"][axis])))
    return name, [(x, m.mid, m.low, m.high) for x, m in medians if m.mid > 0]


def plain_line(name: str, pairs: Iterable[tuple[float, Any]]) -> Line:
    return name, [(x, y, y, y) for x, y in pairs if y is not None]


def primary(f: Folder) -> Data:
    figures = ("calls_per_s", "p50_us", "p99_us", "cpu_us")
    return {"rows": [(c["name"], *(f.median(c, k) for k in figures), f.ratio(c, f.base, "cpu_us"))
                     for c in f.own if c["primary"] and f.results.calm()]}


def noise(f: Folder) -> Data:
    """The pulse by round: the median, and from the least to the most."""
    bad = [d["round"] for d in f.results["disturbed"]]
    pulses = [(n, [v for v in values if v is not None])
              for n, values in enumerate(f.results["pulse"]["rounds"]) if any(values)]
    usual = np.median([np.median(values) for _, values in pulses]) if pulses else 1
    points = [(n, *(np.percentile(values, (50, 0, 100)) / usual)) for n, values in pulses]
    known = ((k, f.noise(k)) for k in f.results.figures())
    return {"rounds": f.results.rounds, "floor": [row for row in known if row[1].mid > 0],
            "plots": plots.plot(
                "pulse-0", "The pulse of the machine by round", Axis("round"),
                Axis("pulse, to the run’s usual", RATIO), [("pulse", points)],
                [(n, "disturbed" if n == bad[0] else "") for n in bad])}


def concurrency(f: Folder) -> Data:
    """A plot a method, a line a subject."""
    made: list[Plot] = []
    fitting = [c for c in f.cells if is_closed(c) and not c["axes"]["token_delay_us"] > 0]
    for method, cells in grouped(fitting, lambda c: str(c["axes"]["method"])):
        lines = [line_of(f, subject, some, "in_flight", "calls_per_s")
                 for subject, some in grouped(cells, subject_of)]
        if any(len(points) > 1 for _, points in lines):
            made += plots.plot(
                f"concurrency-{len(made)}", f"Throughput over concurrency: {method}",
                Axis("calls in flight", log=2), Axis("calls a second"), lines)
    return {"plots": made}


def percentile_points(histogram: list[list[int]]) -> list[tuple[float, float]]:
    """1 / (1 - share) and the µs that the share does not exceed; ends where fewer than BEYOND
    calls lie beyond, and is thinned to what can be seen."""
    upper, count = np.array(histogram or [[0, 0]], dtype=float).T
    below, total = np.cumsum(count), count.sum()
    if total <= BEYOND:
        return []
    x = total / np.maximum(total - below, 1)
    steps = np.floor(np.log(x) / math.log(total / BEYOND) * 240)[x <= total / BEYOND]
    shown = np.unique(steps, return_index=True)[1]
    return [(1.0, float(upper[0]) / 1e3), *zip(x[shown].tolist(), (upper[shown] / 1e3).tolist())]


def percentiles(f: Folder) -> Data:
    cells = [c for c in f.own if c.get("histogram")]
    return {"plots": plots.plot(
        "percentiles-0", "Latency by percentile",
        Axis("share of the calls that took at most so long", SHARE, log=10),
        Axis("latency", US, log=10),
        [plain_line(c["name"], percentile_points(c["histogram"]))
         for c in [c for c in cells if c["primary"]] or cells])}


def knee(offers: list[tuple[float, float, float]]) -> tuple[str, float]:
    """Of rate, goodput and p99 by rising rate, 0 where not known: the last served rate before
    the first that is not."""
    if len(offers) < 2 or not all(goodput for _, goodput, _ in offers):
        return "unknown", 0
    served = [goodput >= SERVED * rate and not p99 > SLOWER * (offers[0][2] or math.inf)
              for rate, goodput, p99 in offers]
    good = [*served, False].index(False)
    if good == 0:
        return "below", 0
    return "found" if good < len(offers) else "above", offers[good - 1][0]


def offered(f: Folder) -> Data:
    """A pair of plots a subject, with the knee marked."""
    made: list[tuple[str, Plot]] = []
    goodput = "goodput_per_s" if "goodput_per_s" in f.results.figures() else "calls_per_s"
    opened = [c for c in f.own if c["axes"]["rate"] > 0]
    for i, (subject, cells) in enumerate(grouped(opened, subject_of)):
        offers = sorted((float(c["axes"]["rate"]), f.median(c, goodput).mid,
                         f.median(c, "p99_us").mid) for c in cells)
        found, rate = knee(offers)
        marks = [(rate, f"knee: {number_text(rate)} a second")] if found == "found" else []
        for id_, title, y, lines in (
                ("goodput", "Goodput", Axis("good in time, a second"),
                 [line_of(f, "goodput", cells, "rate", goodput),
                  plain_line("offered", [(at, at) for at, *_ in offers])]),
                ("offered", "Latency", Axis("latency", US, log=10),
                 [line_of(f, k, cells, "rate", f"{k}_us") for k in ("p50", "p90", "p99")])):
            made += [(found, p) for p in plots.plot(
                f"{id_}-{i}", f"{title} over offered rate: {subject}",
                Axis("calls offered a second"), y, lines, marks)]
    return {"plots": made}


def variant(c: Document) -> str:
    """The cells of a variant are called alike but for a part such as slow2ms, which says the delay;
    one that says nothing else is uncached."""
    name = "-".join(part for part in subject_of(c).split("-")
                    if part and not re.fullmatch(r"(slow|delay)?[0-9._]+[mu]s", part))
    in_flight = c["axes"]["in_flight"]
    return (name or "uncached") + (f", {in_flight:.0f} in flight" if in_flight > 0 else "")


def delay(f: Folder) -> Data:
    variants = grouped((c for c in f.own if not c["axes"]["rate"] > 0), variant)
    return {"plots": plots.plot(
        "delay-0", "What the cache buys: latency by the token’s delay",
        Axis("what the token takes for an operation besides", US),
        Axis("latency, p50", US, log=10),
        [line_of(f, words, cells, "token_delay_us", "p50_us") for words, cells in variants
         if any(c["axes"]["token_delay_us"] > 0 for c in cells)])}


def is_keyward(subject: str) -> bool:
    """What a user would run; in-process references and bare transports are no plugins."""
    return subject.startswith(("wall", "uncached", "hit", "repeat", "encrypt", "status")) and \
        not any(word in subject for word in ("noverify", "inproc", "copy"))


def peer(f: Folder) -> Data:
    def shape(c: Document) -> list[Any]:
        return [c["axes"][k] for k in ("method", "in_flight", "rate", "token_delay_us")]

    rows: list[Any] = [(f"{ours['name']} to {theirs['name']}",
             *(f.ratio(ours, theirs, k) for k in ("calls_per_s", "p99_us", "cpu_us")))
            for theirs in f.own if subject_of(theirs).startswith("peer")
            for ours in f.own if is_keyward(subject_of(ours)) and shape(ours) == shape(theirs)]
    return {"rows": [row for row in rows if row[1].mid > 0 or row[3].mid > 0]}


def client(f: Folder) -> Data:
    """How much of one CPU the client uses, and how far each cell stays below echo."""
    loops = [c for c in f.cells if is_closed(c)]
    echoes = {c["axes"]["in_flight"]: c for c in reversed(loops) if subject_of(c) == "echo"}
    if not any(f.median(c, "client_us").mid > 0 for c in echoes.values()):
        return {}
    busy: dict[str, float] = {}
    rows = []
    for c in loops:
        echo, mine = echoes.get(c["axes"]["in_flight"], c), f.median(c, "client_us")
        used = mine.mid * f.median(c, "calls_per_s").mid / 1e6
        of_echo = Measured(0, 0, 0) if echo is c else f.ratio(c, echo, "calls_per_s")
        if subject_of(c) != "echo":
            busy[c["name"]] = used
        if c["primary"] or subject_of(c) == "echo" or not any(c["primary"] for c in loops):
            rows.append((c["name"], mine, f.median(c, "server_us"), number_text(
                used or None, PERCENT), of_echo._replace(unit=PERCENT, is_noise=False)))
    worst = max(busy, key=lambda name: busy[name], default="")
    return {"rows": rows, "worst": worst, "used": busy.get(worst, 0), "most": BUSY,
            "echoes": [c["name"] for c in echoes.values()]}


def documents(kind: str, curves: Callable[[Document], Iterable[Curve]]) -> Section:
    def section(f: Folder) -> Data:
        return {"documents": [
            (name, d, [p for k, (title, x, y, lines) in enumerate(curves(d))
                       for p in plots.plot(f"{kind}-{i}-{k}", f"{title}: {name}", x, y, lines)])
            for i, (name, d) in enumerate(f.of_kind(kind))]}
    return section


def storm_curves(d: Document) -> Iterable[Curve]:
    line = d.get("timeline", ())
    yield "Seeds unwrapped", Axis("seconds since the restart"), Axis("seeds, all servers"), [
        plain_line(words, ((at["t_ms"] / 1000, at[member]) for at in line))
        for member, words in (("unwrapped", "unwrapped"), ("failed", "failed calls"))
        if any(at[member] for at in line)]


def plan_curves(d: Document) -> Iterable[Curve]:
    for c in d["curves"]:
        yield (f"{c['y']} over {c['x']}", Axis(c["x"]), Axis(c["y"], unit_of(c["y"])),
               [plain_line(c["y"], c["points"])])


def token_curves(d: Document) -> Iterable[Curve]:
    for what, y, members in (("throughput", Axis("operations a second"), ("ops_per_s",)),
                             ("latency", Axis("latency", US, log=10), ("p50_us", "p99_us"))):
        yield f"The token’s {what}", Axis("sessions", log=2), y, [
            plain_line(member, ((at["sessions"], at.get(member)) for at in d.get("curve", ())))
            for member in members]


def medians(f: Folder) -> Data:
    names = f.results.figures() if f.results.calm() else []
    parts = [names[at:at + COLUMNS] for at in range(0, len(names), COLUMNS)]
    return {"tables": [(part, [(c["name"], *(f.median(c, k) for k in part)) for c in f.cells])
                       for part in parts]}


def ratios(f: Folder) -> Data:
    others = [c for c in f.cells if c is not f.base and f.results.calm()]
    figures = ("calls_per_s", "p50_us", "p99_us", "cpu_us", "server_us")
    return {"rows": [(c["name"], *(f.ratio(c, f.base, k) for k in figures)) for c in others]}


SECTIONS: dict[str, Section] = {
    "primary": primary, "noise": noise, "concurrency": concurrency, "percentiles": percentiles,
    "offered": offered, "delay": delay, "peer": peer, "client": client,
    "storm": documents("storm", storm_curves), "plan": documents("plan", plan_curves),
    "token": documents("token", token_curves), "micro": documents("micro", lambda d: ()),
    "medians": medians, "ratios": ratios}

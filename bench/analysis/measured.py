# SPDX-License-Identifier: Apache-2.0
"""The sections of a page that show results.json; none of a section's blocks: not measured."""
from __future__ import annotations

import math
import re
from typing import Any, Callable, Iterable

import numpy as np

import draw
import units
from blocks import (INTERVAL, Block, Cell, beside, facts, figure, interval, paragraph, row_of,
                    table)
from folder import Folder
from stats import Ratio
from verb import Document

BUSY = 0.8  # a client that is busier may be what limits the figure
BEYOND = 100  # calls that must lie beyond a percentile that is told
SERVED, SLOWER = 0.95, 10.0  # see KNEES
COLUMNS = 6  # a table that is wider than the page is read by nobody
FIRST = ("calls_per_s", "goodput_per_s", "p50_us", "p90_us", "p99_us", "p99.9_us", "cpu_us",
         "server_us", "workers_us", "client_us", "switches", "late_per_s")
Groups = dict[Any, list[Document]]


def grouped(cells: Iterable[Document], key: Callable[[Document], Any]) -> Groups:
    groups: Groups = {}
    for c in cells:
        groups.setdefault(key(c), []).append(c)
    return groups


def subject_of(c: Document) -> str:
    return str(c["axes"]["subject"])


def is_closed(c: Document) -> bool:
    return not c["control"] and c["axes"]["in_flight"] > 0 and not c["axes"]["rate"] > 0


def medians_of(f: Folder, c: Document, figures: Iterable[str]) -> list[Cell]:
    return [interval(f.median(c, k), units.unit_of(k)) for k in figures]


def row_class(c: Document) -> str:
    return "control" if c["control"] else "primary" if c["primary"] else ""


def primary(f: Folder) -> list[Block]:
    shown, base = [c for c in f.own() if c["primary"]], f.base()
    if not shown or not f.results.calm():
        return []
    rows = [[c["name"], *medians_of(f, c, ("calls_per_s", "p50_us", "p99_us", "cpu_us")),
             "1" if c is base else interval(f.ratio(c, base, "cpu_us"), units.RATIO)]
            for c in shown]
    return [table(f"The cells that were named primary before the run: medians with {INTERVAL}s",
                  ("cell", "calls a second", "latency p50", "latency p99", "CPU a call",
                   f"CPU, to {base['name']}"), rows),
            paragraph("CPU a call is the server’s and its children’s, for each good call. The "
                      f"number below a median is its {INTERVAL}, from drawing the rounds again.",
                      cls="note")]


def noise_floor(f: Folder) -> Block:
    rows = [(units.figure_words(k), interval(f.noise(k), units.RATIO, "inline"))
            for k in f.results.figures() if f.noise(k).mid > 0]
    if not rows:
        return paragraph("The noise floor is not known: no undisturbed round has both the control "
                         "and what it repeats.")
    return table(f"The noise floor: {f.results['control']} once more, to itself",
                 ("figure", "control to base"), rows, "")


def disturbed(f: Folder) -> Block:
    found = f.results["disturbed"]
    if not found:
        return paragraph("No round was disturbed.")
    return table(f"Disturbed rounds: {len(found)} of {f.results.rounds}; kept, and left out of "
                 "medians and ratios", ("round", Cell("why", cls="words")),
                 [(str(d["round"]), Cell(d["why"], cls="words")) for d in found], "")


def pulse_plot(f: Folder) -> list[Block]:
    rounds = {n: [v for v in values if v is not None]
              for n, values in enumerate(f.results["pulse"]["rounds"])}
    middles = {n: float(np.median(values)) for n, values in rounds.items() if values}
    usual = float(np.median(list(middles.values()))) if middles else 0.0
    if len(middles) < 2 or not usual > 0:
        return []
    bad = [d["round"] for d in f.results["disturbed"]]
    p = draw.Plot("pulse-0", "The pulse of the machine by round", draw.Axis("round"),
                  draw.Axis("pulse, to the run’s usual", unit=units.RATIO),
                  f"A fixed piece of work before each cell, over {len(rounds)} rounds; {len(bad)} "
                  "of them are disturbed", [(n, "disturbed" if n == bad[0] else "") for n in bad])
    p.add("pulse", 0, [(n, mid / usual, min(rounds[n]) / usual, max(rounds[n]) / usual)
                       for n, mid in middles.items()])
    return figure(p, "How long a fixed piece of work takes before each cell: medians, the bars "
                  "from the least to the most of the round.")


def noise(f: Folder) -> list[Block]:
    if f.results.rounds == 0:
        return []
    return [paragraph("The first cell runs twice in every round, as itself and as the control. "
                      "What the two differ by is the machine’s noise: a difference no larger than "
                      "that is none."),
            beside(noise_floor(f), disturbed(f)), *pulse_plot(f)]


def concurrency(f: Folder) -> list[Block]:
    """A plot a method, a line a subject; more subjects than colours get more than one plot."""
    fitting = [c for c in f.cells if is_closed(c) and not c["axes"]["token_delay_us"] > 0
               and c["axes"]["method"]]
    blocks: list[Block] = []
    for method, cells in grouped(fitting, lambda c: c["axes"]["method"]).items():
        lines = list(grouped(cells, subject_of).items())
        for at in range(0, len(lines), draw.COLORS):
            p = draw.Plot(f"concurrency-{len(blocks)}", f"Throughput over concurrency: {method}"
                          + (", further subjects" if at else ""),
                          draw.Axis("calls in flight", draw.LOG2), draw.Axis("calls a second"))
            for subject, some in lines[at:at + draw.COLORS]:
                p.add(subject, f.color(subject), f.points(some, "in_flight", "calls_per_s"))
            p.description = "; ".join(
                f"{line.name} reaches {line.points[-1][1]:.0f} calls a second at "
                f"{line.points[-1][0]:.0f} in flight" for line in p.lines)
            if any(len(line.points) > 1 for line in p.lines):
                blocks += figure(p, "Closed loop; medians over the undisturbed rounds, the bars "
                                 f"their {INTERVAL}s.")
    return blocks


def percentile_points(histogram: list[list[int]]) -> list[draw.Point]:
    """1 / (1 - share) and the µs that the share does not exceed; ends where fewer than BEYOND
    calls lie beyond, and is thinned to what can be seen."""
    total = sum(count for _, count in histogram)
    if total <= BEYOND:
        return []
    points, below, last = [(1.0, histogram[0][0] / 1e3, 0.0, 0.0)], 0, 0.0
    step = math.log(total / BEYOND) / 240
    for upper, count in histogram:
        below += count
        x = total / max(total - below, 1)
        if x > total / BEYOND:
            break
        if math.log(x) - last >= step:
            last = math.log(x)
            points.append((x, upper / 1e3, 0.0, 0.0))
    return points


def percentiles(f: Folder) -> list[Block]:
    cells = [c for c in f.own() if c.get("histogram")]
    cells = [c for c in cells if c["primary"]] or cells
    p = draw.Plot("percentiles-0", "Latency by percentile",
                  draw.Axis("share of the calls that took at most so long", draw.PERCENTILE),
                  draw.Axis("latency", draw.LOG10, units.US),
                  "The latency that a growing share of the calls does not exceed; the medians "
                  "table has p50, p90, p99 and p99.9 as numbers")
    for c in cells[:draw.COLORS]:
        p.add(c["name"], f.color(subject_of(c)), percentile_points(c["histogram"]), dots=False)
    return figure(p, "All good calls of the undisturbed rounds. A line ends where fewer than "
                  f"{BEYOND} calls lie beyond: from there on nobody knows.")


KNEES = {
    "found": "The knee is the last rate that was served: at least 95\u00a0% of it came back good "
             "in time, with p99 at most ten times that of the lowest rate.",
    "above": "Every rate was served: the knee lies above them.",
    "below": "Not even the lowest rate was served: the knee lies below.",
    "unknown": "Too little is known to say where the knee is."}


def knee(offers: list[tuple[float, float, float]]) -> tuple[str, float]:
    """Of rate, goodput and p99 by rising rate, NAN where not known: the last served rate before
    the first that is not."""
    if len(offers) < 2 or any(math.isnan(goodput) for _, goodput, _ in offers):
        return "unknown", 0
    served = [goodput >= SERVED * rate and not p99 > SLOWER * offers[0][2]
              for rate, goodput, p99 in offers]
    good = [*served, False].index(False)
    if good == 0:
        return "below", 0
    return "found" if good < len(offers) else "above", offers[good - 1][0]


def offered(f: Folder) -> list[Block]:
    """A pair of plots a subject, with the knee marked."""
    blocks: list[Block] = []
    figures = f.results.figures()
    goodput = "goodput_per_s" if "goodput_per_s" in figures else "calls_per_s"
    opened = [c for c in f.own() if c["axes"]["rate"] > 0]
    for i, (subject, cells) in enumerate(grouped(opened, subject_of).items()):
        offers = sorted((float(c["axes"]["rate"]), f.known(c, goodput), f.known(c, "p99_us"))
                        for c in cells)
        found, rate = knee(offers)
        marks = [(rate, f"knee: {units.number_text(rate)} a second")] if found == "found" else []
        x = draw.Axis("calls offered a second")
        p = draw.Plot(f"goodput-{i}", f"Goodput over offered rate: {subject}", x,
                      draw.Axis("good in time, a second"),
                      f"{len(cells)} rates. {KNEES[found]}", marks)
        if points := f.points(cells, "rate", goodput):
            p.add("offered", 7, [(offer[0], offer[0], 0, 0) for offer in offers], dots=False)
            p.add("goodput", 0, points)
        blocks += figure(p, KNEES[found])
        p = draw.Plot(f"offered-{i}", f"Latency over offered rate: {subject}", x,
                      draw.Axis("latency", draw.LOG10, units.US),
                      f"p50, p90 and p99 at {len(cells)} offered rates. {KNEES[found]}", marks)
        for name, color in (("p50", 0), ("p90", 2), ("p99", 3)):
            p.add(name, color, f.points(cells, "rate", f"{name}_us"))
        blocks += figure(p, "Open loop: a call’s latency counts from when it was due, whatever "
                         "became of those before it.")
    return blocks


def variant(c: Document) -> tuple[str, float]:
    """The cells of a variant are called alike but for a part such as slow2ms, which says the delay;
    one that says nothing else is uncached."""
    parts = [part for part in subject_of(c).split("-")
             if part and not re.fullmatch(r"(slow|delay)?[0-9._]+[mu]s", part)]
    return "-".join(parts) or "uncached", c["axes"]["in_flight"]


def delay(f: Folder) -> list[Block]:
    variants = grouped((c for c in f.own() if not c["axes"]["rate"] > 0), variant)
    slowed = [(v, cells) for v, cells in variants.items()
              if any(c["axes"]["token_delay_us"] > 0 for c in cells)]
    blocks = []
    for at, name, label, title, caption in (
            ("latency", "p50_us", "latency, p50", "latency by the token’s delay",
             "A call that the cache answers does not meet the token."),
            ("calls", "calls_per_s", "calls a second", "throughput by the token’s delay",
             "The same cells; at 0 the token is as it is.")):
        p = draw.Plot(f"delay-{at}-0", f"What the cache buys: {title}",
                      draw.Axis("what the token takes for an operation besides, ms"),
                      draw.Axis(label, draw.LOG10, units.unit_of(name)),
                      f"{units.figure_words(name)} against the delay of the token; the values are "
                      "in the medians table")
        for (words, in_flight), cells in slowed[:draw.COLORS]:
            p.add(f"{words}, {in_flight:.0f} in flight" if in_flight > 0 else words,
                  f.color(words), f.points(cells, "token_delay_us", name, 1000))
        blocks += figure(p, caption)
    return blocks


def is_keyward(subject: str) -> bool:
    """What a user would run; in-process references and bare transports are no plugins."""
    return subject.startswith(("wall", "uncached", "hit", "repeat", "encrypt", "status")) and \
        not any(word in subject for word in ("noverify", "inproc", "copy"))


def peer(f: Folder) -> list[Block]:
    def shape(c: Document) -> list[Any]:
        return [c["axes"][k] for k in ("method", "in_flight", "rate", "token_delay_us")]

    pairs = [(ours, theirs) for theirs in f.own() if subject_of(theirs).startswith("peer")
             for ours in f.own() if is_keyward(subject_of(ours)) and shape(ours) == shape(theirs)]
    figures = ("calls_per_s", "p99_us", "cpu_us")
    rows = [row_of(f"{ours['name']} to {theirs['name']}",
                   *(interval(f.ratio(ours, theirs, k), units.RATIO) for k in figures))
            for ours, theirs in pairs
            if any(f.ratio(ours, theirs, k).mid > 0 for k in ("calls_per_s", "cpu_us"))]
    return [paragraph(
        "Each ratio is keyward’s figure through the other plugin’s, of the same round: above 1 is "
        "good for throughput, below 1 for latency and CPU. The other plugin is one written for "
        "this comparison on the Kubernetes project’s own server library, with its key in the same "
        "kind of token. It has no cache and does not verify what it wrapped; keyward’s rows named "
        "hit and repeat are answered wholly or mostly from its cache, and its Encrypt unwraps and "
        "compares."),
        table(f"keyward through the Go plugin, with {INTERVAL}s",
              ("cells", "calls a second", "latency p99", "CPU a call"), rows)] if rows else []


def busy(f: Folder, c: Document) -> float:
    """How much of one CPU the client uses; 0 when that is not known."""
    return f.median(c, "client_us").mid * f.median(c, "calls_per_s").mid / 1e6


def who_limits(f: Folder, loops: list[Document]) -> list[Block]:
    worst = max(loops, key=lambda c: busy(f, c), default=None)
    if worst is None or not busy(f, worst) > 0:
        return []
    used = units.number_text(busy(f, worst), units.PERCENT)
    return [paragraph(
        f"The client is not the bottleneck: in {worst['name']}, where it is busiest but for echo "
        f"itself, it uses {used} of one CPU." if busy(f, worst) < BUSY else
        f"In {worst['name']} the client uses {used} of one CPU: that figure may be the client’s "
        "limit and not the plugin’s.")]


def client(f: Folder) -> list[Block]:
    loops = [c for c in f.cells if is_closed(c)]
    echoes = {c["axes"]["in_flight"]: c for c in reversed(loops) if subject_of(c) == "echo"}
    if not any(f.median(c, "client_us").mid > 0 for c in echoes.values()):
        return []
    words = "Echo is the same transport with no work behind it, and so the ceiling of every cell."
    shown = [c for c in loops if c["primary"] or subject_of(c) == "echo"]
    rows = []
    for c in shown if any(c["primary"] for c in loops) else loops:
        mine, server = f.median(c, "client_us"), f.median(c, "server_us")
        echo = echoes.get(c["axes"]["in_flight"], c)
        if subject_of(c) == "echo" and mine.mid > 0 and server.mid > 0:
            words += (f" In {c['name']} the client uses {mine.mid / server.mid:.2f} times the "
                      "server’s CPU.")
        rows.append(row_of(c["name"], interval(mine, units.US), interval(server, units.US),
                           units.number_text(busy(f, c) or None, units.PERCENT),
                           interval(Ratio() if echo is c else f.ratio(c, echo, "calls_per_s"),
                                    units.PERCENT)))
    return [*who_limits(f, [c for c in loops if subject_of(c) != "echo"]), paragraph(words),
            table("The client’s part", ("cell", "client CPU a call", "server CPU a call",
                                        "client busy, of one CPU", "of echo’s calls a second"),
                  rows)]


def medians(f: Folder) -> list[Block]:
    names = f.results.figures() if f.results.calm() else []
    names = [k for k in FIRST if k in names] + [k for k in names if k not in FIRST]
    blocks: list[Block] = []
    for some in (names[at:at + COLUMNS] for at in range(0, len(names), COLUMNS)):
        caption = ("Further figures of the same cells" if blocks else
                   f"Medians over the undisturbed rounds, with {INTERVAL}s")
        blocks.append(Block("table", caption, "wide",
                            heads=["cell", *map(units.figure_words, some)],
                            rows=[(row_class(c), [c["name"], *medians_of(f, c, some)])
                                  for c in f.cells]))
    return blocks


def is_noise(x: Ratio, floor: Ratio) -> bool:
    """No difference from the base that the control does not show as well."""
    return x.mid > 0 and floor.mid > 0 and x.low <= floor.high and x.high >= floor.low


def ratio_plot(f: Folder, base: Document, others: list[Document]) -> list[Block]:
    words = f"CPU a call, to {base['name']}"
    p = draw.Plot("ratios-0", words, draw.Axis(words, draw.LOG10, units.RATIO), draw.Axis(""),
                  f"Each cell with its ratio and {INTERVAL}; the table below has them as numbers")
    floor = f.noise("cpu_us")
    rows = []
    for c in others:
        x = f.ratio(c, base, "cpu_us")
        if x.low >= 1e-6 and x.high <= 1e6:  # others nobody could draw beside these
            rows.append((c["name"], x, 7 if c["control"] or is_noise(x, floor) else 0))
    return figure(p, f"Dots are medians of the rounds’ ratios, bars their {INTERVAL}s; the band "
                  "is what the control differs from the base.",
                  draw.whiskers(p, rows, floor)) if rows else []


def ratios(f: Folder) -> list[Block]:
    base = f.base()
    others = [c for c in f.cells if c is not base] if f.results.calm() else []
    names = ("calls_per_s", "p50_us", "p99_us", "cpu_us", "server_us")
    rows = []
    for c in others:
        known = [(f.ratio(c, base, k), not c["control"] and
                  is_noise(f.ratio(c, base, k), f.noise(k))) for k in names]
        rows.append((row_class(c), [c["name"], *(
            interval(x, units.RATIO, "noise" if grey else "") for x, grey in known)]))
    return [*ratio_plot(f, base, others),
            Block("table", f"Ratios to {base['name']}, of the same round, with {INTERVAL}s", "wide",
                  heads=["cell", *map(units.figure_words, names)], rows=rows),
            paragraph("In grey: no difference from the base that the control does not show as "
                      "well.", cls="note")] if others else []


def environment(f: Folder) -> list[Block]:
    r, e, where = f.results, f.results["environment"], f.results["layout"]
    return [beside(
        facts("Machine", [
            ("CPU", e["cpu"]), ("CPUs", str(e["cpus"])), ("governor", e["governor"]),
            ("virtualisation", e["virtualisation"]),
            ("memory", f"{e['memory_kib'] / 2 ** 20:.1f} GiB"), ("kernel", e["kernel"]),
            ("distribution", e["distribution"]),
            ("load before the run", units.number_text(e["load_1m"]))]),
        facts("Software", [("keyward-bench", r["version"]), ("commit", e["commit"]),
                           ("build", e["build"]), *e["libraries"].items(), *e["notes"].items()]),
        facts("Layout", [("name", where["name"]), ("client on CPUs", where["client"]),
                         ("servers on CPUs", where["server"]), ("which means", where["words"])]),
        facts("Run", [("began", r["began"]), ("took, seconds", units.number_text(r["elapsed_s"])),
                      ("rounds", f"{r.rounds}, undisturbed {len(r.calm())}"),
                      ("session", r["session"]), ("machine’s fingerprint", r["fingerprint"])]))]


def cells(f: Folder) -> list[Block]:
    bad = {d["round"] for d in f.results["disturbed"]}
    heads = row_of("figure", *(Cell(f"{n}, disturbed", cls="noise") if n in bad else Cell(str(n))
                               for n in range(f.results.rounds)))
    blocks = [paragraph("The whole run:"), Block("pre", f.results["command"])]
    for c in f.cells:
        rows = [[k, *(units.number_text(v, units.unit_of(k)) for v in values)]
                for k, values in c["figures"].items() if any(v is not None for v in values)]
        failed = c["failures"] > 0
        blocks.append(Block(
            "details", f"{c['name']}: failed in {c['failures']} rounds" if failed else c["name"],
            blocks=[Block("pre", f"keyward-bench {c['command']}"),
                    *([paragraph(c["failure"], "Failed:")] if failed else []),
                    table(f"{c['name']}, round by round", heads, rows)]))
    return blocks

# SPDX-License-Identifier: Apache-2.0
"""A results folder as a page: what stands in it, in which order, and what never does."""
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Optional

import folders
import pytest

import draw
import measured
import report
import units
import verb
from blocks import Block
from folder import Folder

ANALYSIS = Path(report.__file__).parent


def page_of(path: Path, change: Optional[Callable[[folders.Document], Any]] = None,
            run: Optional[folders.Run] = None) -> str:
    """Of a quick run's results, changed; or of `run`."""
    document = (run or folders.primaries()).end()
    if change is not None:
        change(document)
    (path / "results.json").write_text(json.dumps(document))
    return report.page(Folder(path), "0.1.0")


def words_of(blocks: list[Block]) -> str:
    """All that blocks say, a table's row a line."""
    said = []
    for b in blocks:
        said.append(f"{b.bold} {b.words}".strip())
        for cls, cells in b.rows:
            said.append("|".join([cls, *(c if isinstance(c, str) else f"{c.text} {c.cls}".strip()
                                         for c in cells)]))
        said.append(words_of(b.blocks))
    return "\n".join(said)


# ---- numbers and axes


@pytest.mark.parametrize("v, unit, text", [
    (0, "count", "0"), (0.42, "count", "0.42"), (9.996, "count", "10"), (99.96, "count", "100"),
    (999.6, "count", "1,000"), (1234567, "count", "1,234,567"), (-1234, "count", "-1,234"),
    (1e18, "count", "1e+18"), (0.00012, "count", "0.00012"), (0.0782, "us", "78.2 ns"),
    (0, "us", "0"), (1900, "ms", "1.9 s"), (12.34, "us", "12.3 µs"), (999.6, "us", "1 ms"),
    (2500000, "us", "2.5 s"), (0.318, "percent", "31.8 %"), (1, "ratio", "1.00×"),
    (12.34, "ratio", "12.3×"), (math.nan, "us", "–"),
    (math.inf, "count", "–"),
    (None, "ratio", "–")])
def test_number_three_digits_and_its_unit(v: Any, unit: str, text: str) -> None:
    assert units.number_text(v, unit).replace("\u00a0", " ") == text


@pytest.mark.parametrize("name, words, unit", [
    ("p99_us", "p99", "us"), ("steady_per_s", "steady a second", "count"),
    ("others_percent", "others, %", "count"), ("storm_utilisation", "storm utilisation", "percent"),
    ("seeds", "seeds", "count"), ("goodput", "goodput", "percent")])
def test_member_its_unit_is_left_to_the_number(name: str, words: str, unit: str) -> None:
    assert (units.member_words(name), units.unit_of(name)) == (words, unit)


@pytest.mark.parametrize("scale, least, most, low, high, told", [
    ("linear", 300, 61000, 0, 70000, ["0", "10,000", "20,000"]),
    ("linear", 0, 0, 0, 1, ["0", "0.2", "0.4"]), ("log2", 1, 64, 1 / 1.12, 64 * 1.12, ["1", "2"]),
    ("log10", 120, 45000, 100, 50000, ["100", "1,000", "10,000"]),
    ("log10", 2100, 9000, 2000, 10000, ["2,000", "5,000", "10,000"]),
    ("log10", 5, 5, 5, 10, ["5", "10"]), ("percentile", 1, 4000, 1, 4000, ["0 %", "50 %"])])
def test_axis_has_round_ends_and_ticks(scale: str, least: float, most: float, low: float,
                                       high: float, told: list[str]) -> None:
    ticks = draw.Axis("", scale).ticks(least, most)
    assert (ticks[0][0], ticks[-1][0]) == pytest.approx((low, high))
    words = [w.replace("\u00a0", " ") for _, w in ticks if w]
    assert words[:len(told)] == told and len(words) <= 9
    assert all(low * 0.999 <= at <= high * 1.001 for at, _ in ticks)


@pytest.mark.parametrize("places, gap, moved", [
    ([0.9, 0.1, 0.5], 0.1, [0.9, 0.1, 0.5]), ([1, 1, 1], 0.1, [0.8, 0.9, 1]),
    ([0, 0.05], 0.1, [0, 0.1]), ([0.5] * 5, 0.4, [0, 0.25, 0.5, 0.75, 1])])
def test_names_keep_apart(places: list[float], gap: float, moved: list[float]) -> None:
    assert draw.spread_out(places, gap) == pytest.approx(moved)


def test_plot_leaves_out_what_is_absurd() -> None:
    p = draw.Plot("a", "a", draw.Axis("x"), draw.Axis("y", draw.LOG10))
    p.add("none", 0, [(1, math.nan, 0, 0), (1, 0, 0, 0), (1e16, 1, 0, 0)])
    assert p.lines == []
    p.add("a", 3, [(1, 2, 1, 3), (2, 3, -1, 4), (3, 4, 4, 4)])
    assert p.lines[0].points == [(1, 2, 1, 3), (2, 3, 0, 0), (3, 4, 0, 0)]
    p.add("b", 3, [(1, 2, 0, 0)])
    assert [line.color for line in p.lines] == [3, 4]  # the one that is free


def test_svg_is_the_same_each_time_and_has_nothing_of_the_outside() -> None:
    def one() -> str:
        p = draw.Plot("a-0", "<t>", draw.Axis("x"), draw.Axis("y"), "d&d", [(2, "mark $x^2$")])
        p.add("$name$ <b>\x01", 0, [(1, 2, 1, 3), (2, 3, 0, 0)])
        return draw.svg(p)
    assert one() == one()
    for never in ("http", "url(", "<style", "<b>", "\x01", "#0101", "DejaVu", "xlink"):
        assert never not in one()
    assert "<title id=\"title-a-0\">&lt;t&gt;</title>" in one()
    assert "$name$ &lt;b&gt;\ufffd" in one() and "mark $x^2$" in one()
    ids = re.findall(r' id="([^"]*)', one())
    assert all(name.startswith(("a-0-", "title-", "text-")) for name in ids)


# ---- curves


def test_percentiles_end_where_a_hundred_calls_lie_beyond() -> None:
    assert measured.percentile_points([[1000, 100]]) == measured.percentile_points([]) == []
    points = measured.percentile_points([[1000, 5000], [2000, 4000], [5000, 900], [100000, 100]])
    assert [p[:2] for p in points] == [(1, 1), (2, 1), (10, 2), (100, 5)]
    many = measured.percentile_points([[1000 + i * 10, 4000 - i] for i in range(4000)])
    assert 100 < len(many) < 256
    assert all(a[0] < b[0] and a[1] <= b[1] for a, b in zip(many, many[1:]))


NAN = math.nan


@pytest.mark.parametrize("offers, found", [
    ([], ("unknown", 0)), ([(100, 100, 5)], ("unknown", 0)),
    ([(100, 100, 5), (200, NAN, 5)], ("unknown", 0)),
    ([(100, 100, 5), (200, 200, 5), (300, 286, 5), (400, 300, 5)], ("found", 300)),
    ([(100, 100, 5), (200, 200, 50), (300, 300, 51)], ("found", 200)),
    ([(100, 100, NAN), (200, 200, 9), (300, 10, 9)], ("found", 200)),
    ([(100, 100, 5), (200, 199, 6)], ("above", 200)), ([(100, 50, 5), (200, 50, 6)], ("below", 0))])
def test_knee_is_the_last_rate_that_was_served(offers: Any, found: tuple[str, float]) -> None:
    assert measured.knee(offers) == found


# ---- the page


def test_quick_run_verdict_first_and_what_was_not_measured(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert '<body>\n<p class="verdict quiet"><b>The machine was quiet.</b>' in page
    missing = re.findall("<li><b>(.*)</b>: it wants ", page)
    assert missing == ["Latency and goodput over offered rate", "What the cache buys",
                       "Restarts of API servers", "What a token carries", "The token alone",
                       "Single operations"]
    for said in ("pulse 1.31 of the median", "no scaling conclusion", ">60,000<", ">15,000<",
                 "A fixture &lt;not a machine&gt;"):
        assert said in page
    assert page.count("<details>") == 9


def test_no_round_says_partial_and_what_is_missing(tmp_path: Path) -> None:
    def empty(d: folders.Document) -> None:
        d.update(rounds=0, partial=True, fault="stopped <by> a signal", disturbed=[], noise={})
        d["quiet"]["verdict"], d["pulse"]["rounds"] = "unusable", []
        for c in d["cells"]:
            c.update(histogram=[], figures={k: [] for k in c["figures"]})
    page = page_of(tmp_path, empty)
    for said in ("<b>The machine was unusable.</b>", "<b>Partial.</b> stopped &lt;by&gt; a signal",
                 "<b>How quiet the machine was</b>: it wants a whole round",
                 "<b>Medians</b>: it wants an undisturbed round"):
        assert said in page
    assert "<figure" not in page


def test_all_rounds_disturbed_no_median_is_told(tmp_path: Path) -> None:
    page = page_of(tmp_path, lambda d: d.update(noise={}, disturbed=[
        {"round": n, "why": "loud"} for n in range(folders.ROUNDS)]))
    for said in ("The noise floor is not known", "<b>Ratios to the base</b>: it wants",
                 "Disturbed rounds: 8 of 8"):
        assert said in page


@pytest.mark.filterwarnings("error")
def test_absurd_figures_a_page_all_the_same(tmp_path: Path) -> None:
    absurd = (1e308, 1e-308, 5e-324, 1e16, 0, 10 ** 18, -1e308, 1e-13)

    def spoil(d: folders.Document) -> None:
        for i, c in enumerate(d["cells"]):
            c["figures"] = {k: [absurd[(i + j + n) % 8] for n in range(8)]
                            for j, k in enumerate(c["figures"])}
            for j, axis in enumerate(("in_flight", "rate", "token_delay_us")):
                c["axes"][axis] = abs(absurd[(i + 3 * j) % 8])
            c["histogram"] = [[ns, 2 ** 63 - 1] for ns, _ in c["histogram"]]
            for n in range(8):
                d["pulse"]["rounds"][n][i] = abs(absurd[(i + n) % 4])
        d["noise"] = {k: {"low": 1e-308, "mid": 1e308, "high": 1e308} for k in d["noise"]}
        d["elapsed_s"] = 1e308
    assert "The machine was quiet" in page_of(tmp_path, spoil)


def test_hostile_words_never_markup(tmp_path: Path) -> None:
    evil = "<script>alert('x')</script>&\"\x01\ud800"

    def spoil(d: folders.Document) -> None:
        e = d["environment"]
        for k in ("cpu", "kernel", "governor", "commit", "build"):
            e[k] = evil
        e["notes"] = {evil: evil}
        d.update(version=evil, fault=evil, command=evil, disturbed=[{"round": 3, "why": evil}])
        d["quiet"]["words"] = d["layout"]["words"] = d["layout"]["name"] = evil
        for c in d["cells"]:
            c.update(failures=1, failure=evil, command=evil)
            c["axes"]["subject"] += evil
    storm = {"tool": "keyward-bench storm", "schema": 1, "fault": evil, "partial": True,
             "failures": {evil: 1}, "cache": evil}
    plan = folders.PLAN | {"findings": [evil], "assumptions": [{"a": evil}], "inputs": {evil: evil},
                           "curves": [{"x": evil, "y": evil, "points": [[1, 2], [2, 3]]}]}
    for name, document in (("<script>d", storm), ("<script>p", plan), ("<script>e", {})):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    page = page_of(tmp_path, spoil)
    page.encode()  # no half of a pair
    assert "<script" not in page and "\x01" not in page
    assert page.count("&lt;script&gt;") > 30


def test_full_run_every_plot_and_nothing_of_the_outside(tmp_path: Path) -> None:
    page = report.page(Folder(folders.full(tmp_path)), "0.1.0")
    for plot in ("pulse-0", "concurrency-0", "concurrency-3", "percentiles-0", "goodput-0",
                 "offered-0", "delay-latency-0", "delay-calls-0", "storm-0", "storm-2",
                 "storm-calls-0", "storm-calls-2", "plan-0", "token-0", "token-latency-0",
                 "ratios-0"):
        assert f'<figure id="plot-{plot}">' in page
    for said in ("<p>Nothing is missing.</p>", "one wrap is two operations · the way of an Encrypt",
                 'DEADLINE_EXCEEDED</th><td class="words">37: a fixture&#39;s &lt;deadline&gt;',
                 "<b>Partial.</b> a fixture breaks off", "<td>1,234</td><td>5</td>",
                 "does not carry", "<li>a fixture is too slow</li>", ">350\u00a0ns<",
                 "decrypt, further subjects", "default-src 'none'"):
        assert said in page
    for outside in ("http:", "https:", "src=", "<link", "@import", "url(", "<script", "<img",
                    "xlink"):
        assert outside not in page
    assert page.count(">knee: 16,000 a second") == 2
    percentiles = page.partition('<figure id="plot-percentiles-0">')[2].partition("</figure>")[0]
    assert re.findall("-[0-9]+(?=</text>)", percentiles).count("-64") == 7  # the primary ones
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert len(page) < 1 << 20


# ---- sections


def folder_of(path: Path, run: folders.Run) -> Folder:
    (path / "results.json").write_text(json.dumps(run.end()))
    return Folder(path)


def test_peer_same_shape_ratio_of_each_figure(tmp_path: Path) -> None:
    run = folders.primaries()
    run.cell("wall1-64", 64, 30000, 30)
    run.cell("encrypt-noverify-64", 64, 30000, 30)
    rows = words_of(measured.peer(folder_of(tmp_path, run))).splitlines()
    assert "|wall1-64 to peer-64|2.00×|0.50×|0.50×" in rows
    assert [r.split("|")[1] for r in rows if " to peer" in r] == [
        "hit-64 to peer-64", "uncached-64 to peer-64", "wall1-64 to peer-64"]
    run.cells = []
    (tmp_path / "results.json").unlink()
    alone = folders.primaries()
    alone.cells.pop()  # peer-64
    assert measured.peer(folder_of(tmp_path, alone)) == []


@pytest.mark.parametrize("client_us, said", [
    (3.4, "The client is not the bottleneck: in status-64"),
    (19, "In hit-64 the client uses 91.2\u00a0% of one CPU")])
def test_client_idle_or_busy_said_so(tmp_path: Path, client_us: float, said: str) -> None:
    run = folders.primaries()
    run.cells[1]["figures"]["client_us"] = [client_us] * folders.ROUNDS  # hit-64: 48000 a second
    words = words_of(measured.client(folder_of(tmp_path, run)))
    assert said in words and ("not the bottleneck" in words) == (client_us < 4)
    assert "In echo-64 the client uses 0.49 times the server’s CPU." in words
    rows = {row.split("|")[1]: row.split("|")[-1] for row in words.splitlines() if "|" in row}
    assert rows["echo-64"] == rows["uncached-1"] == "–"  # itself; no echo of that concurrency
    assert rows["hit-64"].startswith("80")


def test_ratios_within_the_noise_in_grey(tmp_path: Path) -> None:
    run = folders.primaries()
    run.cell("almost-64", 64, 60010, 10.01)
    rows = words_of(measured.ratios(folder_of(tmp_path, run))).splitlines()
    assert any(row.startswith("|almost-64|1.00× noise|") for row in rows)
    assert any(row.startswith("primary|hit-64|0.80×|") for row in rows)


def test_cells_unknown_in_a_round_dash_and_why_it_failed(tmp_path: Path) -> None:
    run = folders.primaries()
    for values in run.cells[1]["figures"].values():
        values[5] = None
    run.cells[1].update(failures=1, failure="exit status 1")
    words = words_of(measured.cells(folder_of(tmp_path, run)))
    assert "hit-64: failed in 1 rounds" in words and "Failed: exit status 1" in words
    assert "|–|" in words


# ---- the folder and the verb


@pytest.mark.parametrize("name, text, said", [
    ("results", None, "results.json: not there; keyward-bench rounds --out"),
    ("results", '{"tool":"keyward-bench rounds","schema":7,"version":"9.9"}', "schema 7"),
    *(("other", json.dumps({"tool": f"keyward-bench {t}", "schema": 2, "version": "9.9"}),
       "other.json: written in schema 2 by") for t in ("storm", "plan", "token")),
    ("storm-a", '{\n"tool": "key', "storm-a.json: line 2: no JSON"),
    ("storm-a", "[1]", "storm-a.json: no JSON object")])
def test_folder_that_is_none_is_refused(tmp_path: Path, name: str, text: Optional[str],
                                        said: str) -> None:
    folders.quick(tmp_path)
    path = tmp_path / f"{name}.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(verb.Unable, match=re.escape(said)):
        Folder(tmp_path)


def test_too_many_documents_are_refused(tmp_path: Path) -> None:
    for i in range(65):
        (folders.quick(tmp_path) / f"a{i}.json").write_text("{}")
    with pytest.raises(verb.Unable, match="more than 64 documents"):
        Folder(tmp_path)


def test_documents_by_name_and_kind(tmp_path: Path) -> None:
    folders.full(tmp_path)
    (tmp_path / "note.json").write_text('{"tool":"other","schema":5}')
    (tmp_path / "dry.json").write_text(
        '{"tool":"keyward-bench storm","schema":1,"dry_run":true}')
    (tmp_path / "words.txt").write_text("not ours")
    assert [d[:2] for d in Folder(tmp_path).documents] == [
        ("dry", "unknown"), ("micro", "micro"), ("note", "unknown"), ("plan-three", "plan"),
        ("storm-cold", "storm"), ("storm-day", "storm"), ("storm-slow10ms", "storm"),
        ("token-wrap", "token")]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-B", str(ANALYSIS), "--bench", "/bin/echo",
                           "report", *words], capture_output=True, text=True, timeout=60,
                          check=False)


@pytest.mark.parametrize("words, status, said", [
    ((), 2, "RESULTS_DIR"), (("a", "b"), 2, "b"),
    (("--help",), 0, "usage: keyward-bench report"),
    (("/nonexistent/results",), 3, "keyward-bench report: /nonexistent/results: ")])
def test_verb_without_a_folder(words: tuple[str, ...], status: int, said: str) -> None:
    r = run(*words)
    assert r.returncode == status and said in r.stderr + r.stdout


def test_verb_page_in_the_folder_and_its_name_said(tmp_path: Path) -> None:
    page = folders.quick(tmp_path) / "report.html"
    r = run(str(tmp_path))
    assert (r.returncode, r.stderr, r.stdout) == (0, "", f"{page}\n")
    assert len(page.read_text()) > 10000
    r = run(str(tmp_path), "--out", "/nonexistent/a.html")
    assert r.returncode == 3 and "/nonexistent/a.html" in r.stderr

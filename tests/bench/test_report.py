# SPDX-License-Identifier: Apache-2.0
"""A results folder as a page: what stands in it, in which order, and what never does."""
import json
import math
import re

import folders
import pytest

import made_up
import plots
import report
import verb
from report import Folder
from plots import Axis


def made(path, change=lambda d: None, run=None):
    """The folder of a run, and its page."""
    document = (run or folders.primaries()).end()
    change(document)
    (path / "results.json").write_text(json.dumps(document))
    return Folder(path), report.page(Folder(path), "0.1.0")


@pytest.mark.parametrize("v, unit, text", [
    *made_up.json_cases("numbers", 3), (math.inf, "count", "–")])
def test_number_three_digits_and_its_unit(v, unit, text):
    assert plots.number_text(v, unit).replace("\u00a0", " ") == text


def test_plot_without_what_is_absurd_and_nothing_of_the_outside():
    x, y = Axis("x"), Axis("y", log=10)
    absurd = [(1, math.nan, 0, 0), (1, 0, 0, 0), (1e16, 1, 0, 0)]
    assert plots.plot("a-0", "a", x, y, [("none", absurd)]) == []
    lines = [("$name$ <b>\x01", [(1, 2, 1, 3), (2, 3, 3, 3)]), ("none", absurd)]
    one, again = (plots.plot("a-0", "a", x, y, lines, [(2, "mark $x^2$")])[0]["svg"]
                  for _ in range(2))
    assert one == again and "$name$ &lt;b&gt;\ufffd" in one and "mark $x^2$" in one
    for never in ("http", "url(", "<style", "<b>", "\x01", "DejaVu", "xlink", "none</text>", *(
            color for color in plots.NAMES)):
        assert never not in one
    # The colours are those of the page.
    css, style = ((plots.TEMPLATES / name).read_text() for name in ("page.css", "plots.mplstyle"))
    said = dict(re.findall("(--[a-z0-9]+): (#[0-9a-f]+);", css.partition("@media")[0]))
    assert all(said[name][:6] == color[:6] for color, name in plots.NAMES.items())
    assert {f"#{color}" for color in re.findall("color: ([0-9a-f]{6})", style)} < {*plots.NAMES}


def test_percentiles_end_where_a_hundred_calls_lie_beyond():
    points = report.percentile_points
    assert points([[1000, 100]]) == points([]) == []
    assert points([[1000, 5000], [2000, 4000], [5000, 900], [100000, 100]]) == [
        (1, 1), (2, 1), (10, 2), (100, 5)]
    many = points([[1000 + i * 10, 4000 - i] for i in range(4000)])
    assert 100 < len(many) < 256 and many == sorted(many)


@pytest.mark.parametrize("offers, found", made_up.json_cases("knees", 2))
def test_knee_is_the_last_rate_that_was_served(offers, found):
    assert [*report.knee(offers)] == found


# ---- the page


def test_quick_run_verdict_first_and_what_was_not_measured(tmp_path):
    _, page = made(tmp_path)
    assert '<body>\n<p class="verdict quiet"><b>The machine was quiet.</b>' in page
    assert re.findall("<li><b>(.*)</b>: it wants ", page) == [
        "Latency and goodput over offered rate",
        "What the cache buys", "Restarts of API servers", "What a token carries",
        "The token alone", "Single operations"]
    for said in ("pulse 1.31 of the median", "no scaling conclusion", ">60,000<", ">15,000<",
                 "A fixture &lt;not a machine&gt;", "keyward-bench load /run/fixture/hit-64.sock"):
        assert said in page
    assert page.count("<details>") == 9


@pytest.mark.parametrize("change, words", [
    (lambda d: d.update(
        rounds=0, partial=True, fault="stopped <by> a signal", disturbed=[], noise={},
        quiet={"verdict": "unusable", "words": "none"}, pulse={"unit": "ns", "rounds": []},
        cells=[c | {"histogram": [], "figures": {k: [] for k in c["figures"]}}
               for c in d["cells"]]),
     ["<b>The machine was unusable.</b>", "<b>Partial.</b> stopped &lt;by&gt; a signal",
      "<b>Medians</b>: it wants an undisturbed round", "<b>How quiet the machine was</b>: it"]),
    (lambda d: d.update(noise={}, disturbed=[{"round": n, "why": "loud"} for n in range(8)]),
     ["The noise floor is not known", "<b>Ratios to the base</b>: it wants",
      "Disturbed rounds: 8 of 8"]),
    (lambda d: d["cells"][1].update(failures=1, failure="exit status 1", figures={
        k: [*v[:5], None, *v[6:]] for k, v in d["cells"][1]["figures"].items()}),
     ["hit-64: failed in 1 rounds", "<b>Failed:</b> exit status 1", "<td>–</td>"])])
def test_page_of_a_run_that_went_wrong(tmp_path, change, words):
    _, page = made(tmp_path, change)
    assert [said for said in words if said not in page] == []


@pytest.mark.filterwarnings("error")
def test_absurd_figures_a_page_all_the_same(tmp_path):
    absurd = (1e308, 1e-308, 5e-324, 1e16, 0, 10 ** 18, -1e308, 1e-13)

    def spoil(d):
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
    assert "The machine was quiet" in made(tmp_path, spoil)[1]


def test_hostile_words_never_markup(tmp_path):
    evil = "<script>alert('x')</script>&\"\x01\ud800"

    def spoil(d):
        d["environment"] |= {"cpu": evil, "kernel": evil, "commit": evil, "notes": {evil: evil}}
        d.update(version=evil, fault=evil, command=evil, disturbed=[{"round": 3, "why": evil}])
        d["quiet"]["words"] = d["layout"]["words"] = d["layout"]["name"] = evil
        for c in d["cells"]:
            c.update(failures=1, failure=evil, command=evil)
            c["axes"]["subject"] += evil
    storm = folders.STORM | {"failures": {evil: {"count": 1, "message": evil}}, "cache": evil,
                             "fault": evil}
    plan = folders.PLAN | {"findings": [evil], "assumptions": [evil], "inputs": {evil: evil},
                           "curves": [{"x": evil, "y": evil, "points": [[1, 2], [2, 3]]}]}
    for name, document in (("<script>d", storm), ("<script>p", plan), ("<script>e", {})):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    _, page = made(tmp_path, spoil)
    page.encode()  # no half of a pair
    assert "<script" not in page and "\x01" not in page
    assert page.count("&lt;script&gt;") > 30


def test_full_run_every_plot_and_nothing_of_the_outside(tmp_path):
    (folders.full(tmp_path) / "dry.json").write_text(
        '{"tool":"keyward-bench storm","schema":1,"dry_run":true}')
    page = report.page(Folder(tmp_path), "0.1.0")
    for plot in ("pulse-0", "concurrency-0", "concurrency-2", "percentiles-0", "goodput-0",
                 "offered-0", "delay-0", "storm-0-0", "storm-2-0", "plan-0-0", "token-0-0",
                 "token-0-1"):
        assert f'<figure id="plot-{plot}">' in page
    for said in ("<code>dry.json</code>, which this report", "a fixture: nothing is assumed",
                 "1,234", ">5</td>", "<b>workers: 2, sessions: 2</b>", "less than a tenth more",
                 "DEADLINE_EXCEEDED: 37, a fixture&#39;s &lt;deadline&gt;", "does not carry",
                 "<b>Partial.</b> a fixture breaks off", "<li>a fixture is too slow</li>",
                 ">350\u00a0ns<", "default-src 'none'"):
        assert said in page
    for outside in ("http:", "https:", "src=", "<link", "@import", "url(", "<script", "<img"):
        assert outside not in page
    assert page.count("knee: 16,000 a second") == 2
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids)) and len(page) < 1 << 20


# ---- sections


def test_ratios_to_the_peer_of_one_shape_and_to_the_base_in_grey_within_the_noise(tmp_path):
    run = folders.primaries()
    run.cell("wall1-64", 64, 30000, 30)
    run.cell("encrypt-noverify-64", 64, 30000, 30)
    run.cell("almost-64", 64, 60010, 10.01)
    slow = [run.cell(f"{name}-8", 8, calls, 30) for name, calls in (
        ("sessions", 3000), ("bare", 4000), ("peer-sessions", 1500), ("bare-nothing", 90000))]
    for c in slow[:3]:
        c["axes"]["token_delay_us"] = 2000
    f, page = made(tmp_path, run=run)
    assert report.delay(f) == []  # of one delay alone nothing is told
    assert 'almost-64</th><td class="noise">1.00×' in page and 'hit-64</th><td>0.8' in page
    *others, wall, bare, go = report.peer(f)
    assert [(row[0], pytest.approx(row[1].mid, rel=0.05)) for row in (bare, go)] == [
        ("sessions-8 to bare-8", 0.75), ("sessions-8 to peer-sessions-8", 2)]
    assert [row[0] for row in others] == ["hit-64 to peer-64", "uncached-64 to peer-64"]
    assert [wall[0], *(m.mid for m in wall[1:])] == [
        "wall1-64 to peer-64", *(pytest.approx(mid, rel=0.05) for mid in (2, 0.5, 0.5))]


@pytest.mark.parametrize("client_us, said", [
    (3.4, "The client is not the bottleneck: in status-64"),
    (19, "In hit-64 the client uses 91.2 % of one CPU")])
def test_client_idle_or_busy_said_so(tmp_path, client_us, said):
    run = folders.primaries()
    run.cells[1]["figures"]["client_us"] = [client_us] * folders.ROUNDS  # hit-64: 48000 a second
    f, page = made(tmp_path, run=run)
    page = " ".join(page.split())
    for words in (said, "In echo-64 the client uses 0.49 times the server’s CPU."):
        assert words in page
    rows = {row[0]: row[4].mid for row in report.client(f)["rows"]}
    assert rows["echo-64"] == rows["uncached-1"] == 0  # itself; no echo of that concurrency
    assert rows["hit-64"] == pytest.approx(0.8, rel=0.05)


# ---- the folder and the verb


@pytest.mark.parametrize("name, text, said", [
    ("results", None, "results.json"),
    ("results", '{"tool":"keyward-bench rounds","schema":7,"version":"9.9"}', "schema 7"),
    ("storm-a", '{\n"tool": "key', "storm-a.json: line 2: no JSON")])
def test_folder_that_is_none_is_refused(tmp_path, name, text, said):
    path = folders.quick(tmp_path) / f"{name}.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises((verb.Unable, OSError), match=re.escape(said)):
        Folder(tmp_path)


def test_verb_page_in_the_folder_and_its_name_said(program, tmp_path):
    page = folders.quick(tmp_path) / "report.html"
    r = program("report", tmp_path)
    assert (r.returncode, r.stderr, r.stdout) == (0, "", f"{page}\n") and page.exists()
    r = program("report", tmp_path, "--out", "/nonexistent/a.html")
    assert r.returncode == 3 and "/nonexistent/a.html" in r.stderr

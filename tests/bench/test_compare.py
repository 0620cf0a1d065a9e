# SPDX-License-Identifier: Apache-2.0
import json
import tempfile
from pathlib import Path

import pytest

import compare
import results
import verb
from made_up import cell, comparable, disturb, scale
from stats import CANNOT_TELL, FASTER, SAME, SLOWER
from verb import Unable


def profile(r, name, folder):
    (folder / name).write_text(results.json_text(r.document))
    return compare.profile(folder / name)


class Compared:
    def __init__(self, old, new):
        with tempfile.TemporaryDirectory() as folder:
            old = old if isinstance(old, compare.Profile) else profile(old, "old", Path(folder))
            d = compare.compare(old, profile(new, "new", Path(folder)), 0.05)
        self.cells = {x["name"]: x for x in d["cells"]}
        self.footing, self.status, self.remarks = d["footing"], d["exit_status"], d["remarks"]

    @property
    def verdicts(self):
        return [self.cells[n]["verdict"] for n in ("hit-64", "miss-64")]


@pytest.fixture(name="sides")
def of_one_run():
    return comparable(), comparable()


@pytest.fixture(name="two_runs")
def of_one_machine():
    return comparable("a"), comparable("b")


def test_compare__other_layout_or_base__refused(sides, two_runs):
    sides[1]["layout"]["name"] = "split"
    with pytest.raises(Unable, match="old has the layout same and .*new split"):
        Compared(*sides)
    two_runs[1].document["base"] = "hit-64"
    with pytest.raises(Unable, match="old has the base echo-64 and .*new hit-64"):
        Compared(*two_runs)


@pytest.mark.parametrize("count", [0, 9])
def test_compare__no_or_nine_primary_cells__refused(sides, count):
    for r in sides:
        r.cell("hit-64")["primary"] = r.cell("miss-64")["primary"] = False
    sides[1].cells += [{**cell(f"more-{i}", {}), "primary": True} for i in range(count)]
    for pulses in sides[1]["pulse"]["rounds"]:
        pulses += [1e7] * count
    with pytest.raises(Unable, match=f"{count} cells are primary, and 1 to 8"):
        Compared(*sides)


def test_compare__primary_cell_in_one_of_them__could_not_look(sides):
    old, new = sides
    new.cell("miss-64")["name"] = "mist-64"
    c = Compared(old, new)
    assert c.cells["miss-64"]["why_not"] == "NEW has no such cell"
    assert c.cells["mist-64"]["why_not"] == "OLD has no such cell"
    assert c.status == verb.UNABLE
    scale(new, "hit-64", 1.3)  # a slow-down that was seen counts for more
    assert Compared(old, new).status == verb.WRONG


def axis(name, value):
    return lambda old, new: new.cell("hit-64")["axes"].update({name: value})


@pytest.mark.parametrize("change, why", [
    (axis("in_flight", 8), "other in_flight: 64, then 8"),
    (axis("rate", 5), "other rate: 0, then 5"),
    (axis("method", "status"), "other method: decrypt, then status"),
    (axis("token_delay_us", 2000), "other token_delay_us: 0, then 2000"),
    (lambda old, new: (disturb(old, 0, 2, 4, 6), disturb(new, 1, 3, 5, 7)),
     "cpu_us, or its base's, is known in fewer than 5 undisturbed rounds of OLD or NEW")])
def test_compare__other_work_or_four_rounds_left__could_not_look(sides, change, why):
    change(*sides)
    c = Compared(*sides)
    assert c.cells["hit-64"]["why_not"] == why and c.status == verb.UNABLE


def test_compare__machine_unusable__no_verdicts(sides):
    scale(sides[1], "hit-64", 2)
    sides[1]["quiet"]["verdict"] = "unusable"
    c = Compared(*sides)
    assert c.verdicts == [CANNOT_TELL] * 2 and c.cells["hit-64"]["ratios"]["cpu_us"]["mid"] > 1.9
    assert c.status == verb.UNABLE


def halve_rate(old, new):
    rate = new.cell("hit-64")["figures"]["calls_per_s"]
    rate[:] = [v / 2 for v in rate]


def disturb_and_forget(old, new):
    scale(new, "hit-64", 50, (0, 3, 6))
    for n in (1, 4, 7):
        old.cell("hit-64")["figures"]["cpu_us"][n] = None
    disturb(old, 0)
    disturb(new, 3, 6)


def slow_and_primary_in_old(old, new):
    new.cell("hit-64")["primary"] = False
    scale(new, "hit-64", 1.2)


@pytest.mark.parametrize("change, verdicts, status", [
    (lambda old, new: None, [SAME, SAME], verb.GOOD),
    (lambda old, new: scale(new, "miss-64", 1.2), [SAME, SLOWER], verb.WRONG),
    (lambda old, new: scale(new, "miss-64", 0.8), [SAME, FASTER], verb.GOOD),
    (lambda old, new: scale(new, "status-64", 2), [SAME, SAME], verb.GOOD),  # not primary
    (halve_rate, [SAME, SAME], verb.GOOD), (disturb_and_forget, [SAME, SAME], verb.GOOD),
    (slow_and_primary_in_old, [SLOWER, SAME], verb.WRONG)])
def test_paired__primary_cells_decide(sides, change, verdicts, status):
    change(*sides)
    c = Compared(*sides)
    assert (c.footing, c.verdicts, c.status) == ("paired", verdicts, status)
    assert len(c.cells) == 5  # the control is nobody's cell


def test_machine__slower_that_day__same(two_runs):
    for name in ("echo-64", "reference-64", "hit-64", "miss-64"):
        scale(two_runs[1], name, 1.4)
    scale(two_runs[1], "hit-64", 50, (0, 2, 4, 6))
    disturb(two_runs[1], 0, 2, 4, 6)
    c = Compared(*two_runs)
    assert (c.footing, c.verdicts, c.status) == ("machine", [SAME] * 2, verb.GOOD)
    # The base itself: divided by itself it would be the same whatever it costs.
    two_runs[1].cell("echo-64")["primary"] = True
    scale(two_runs[1], "echo-64", 1.01)
    c = Compared(*two_runs)
    assert not c.cells["echo-64"]["primary"] and c.status == verb.GOOD
    assert "divided by it" in c.cells["echo-64"]["why_not"]
    scale(two_runs[1], "hit-64", 1.2)
    c = Compared(*two_runs)
    assert (c.verdicts, c.status) == ([SLOWER, SAME], verb.WRONG)


@pytest.mark.parametrize("slower, verdicts, status", [
    (["hit-64", "reference-64", "miss-64"], [CANNOT_TELL] * 2, verb.GOOD),  # one ratio alone
    (["hit-64"], [SLOWER, SAME], verb.WRONG)])
def test_foreign__only_what_both_ratios_say(slower, verdicts, status):
    old, new = comparable("a", "a"), comparable("b", "b")
    for name in slower:
        scale(new, name, 1.3)
    c = Compared(old, new)
    assert (c.footing, c.verdicts, c.status) == ("foreign", verdicts, status)
    assert c.remarks[0].startswith("OLD's machine: made up, 2 CPUs")


def test_remarks__whatever_may_explain_it__told(two_runs):
    assert Compared(*two_runs).remarks == []
    new = two_runs[1]
    new.document.update(partial=True, fault="stopped", quiet={"verdict": "restless", "words": "w"})
    new["environment"].update(build="Debug", libraries={"grpc": "1.99"})
    new.cell("hit-64").update(failures=2, failure="gone")
    assert Compared(*two_runs).remarks == [
        "NEW is partial, 12 rounds: stopped", "NEW's machine was restless: w",
        "NEW, hit-64: 2 rounds gave no figures: gone", "other build: RelWithDebInfo, then Debug",
        "other grpc: none, then 1.99"]


# ---- baselines -----------------------------------------------------------------------------


@pytest.fixture(name="baseline")
def written(tmp_path):
    path = tmp_path / "debian-12.json"
    compare.write_baseline(profile(comparable(), "x", tmp_path), path, "0.1.0")
    return path


def test_baseline__read_back__the_same_ratios(baseline):
    back = compare.read_baseline(baseline)
    was = compare.profile(baseline.with_name("x"))
    assert back["name"] == "debian-12" and back.run is None and back["session"] == ""
    assert back["machine"] == "made up, 2 CPUs, Linux, virtualisation: none"
    assert [c["name"] for c in back.cells] == ["reference-64", "hit-64", "miss-64", "status-64"]
    hit = back.cell("hit-64")
    assert hit["primary"] and hit["axes"]["in_flight"] == 64 and "p99_us" not in hit
    assert set(hit["cpu_us"]) == {"base", "reference"}
    for yardstick, to in hit["cpu_us"].items():
        assert to == pytest.approx(was.cell("hit-64")["cpu_us"][yardstick], abs=1e-6)
    assert hit["cpu_us"]["base"]["ratio"] == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize("letter, footing", [("a", "machine"), ("b", "foreign")])
@pytest.mark.parametrize("factor, status", [(1, verb.GOOD), (1.2, verb.WRONG)])
def test_baseline__compared__by_its_ratios(baseline, letter, footing, factor, status):
    new = comparable(letter, letter)
    new.cell("echo-64")["primary"] = True  # no baseline has the base itself
    scale(new, "hit-64", factor)
    c = Compared(compare.read_baseline(baseline), new)
    assert (c.footing, c.status) == (footing, status)


@pytest.mark.parametrize("change, why", [
    ({"partial": True}, "x: it is partial"),
    ({"quiet": {"verdict": "unusable", "words": "loud"}}, "not quiet enough for a baseline"),
    ({"disturbed": [{"round": n, "why": "x"} for n in range(8)]}, "no cell's cpu_us is known")])
def test_baseline__not_worth_keeping__refused(tmp_path, change, why):
    run = comparable()
    run.document.update(change)
    with pytest.raises(Unable, match=why):
        compare.write_baseline(profile(run, "x", tmp_path), tmp_path / "b.json", "0.1.0")
    assert not (tmp_path / "b.json").exists()


# ---- the verb ------------------------------------------------------------------------------


def test_verb__slower_or_not__one_or_zero(program, tmp_path):
    old, new, baseline = (tmp_path / name for name in ("old", "new", "here.json"))
    for folder, factor in ((old, 1), (new, 1.2)):
        folder.mkdir()
        r = comparable()
        scale(r, "hit-64", factor)
        results.write(r, folder)
    got = program("compare", old, new)
    assert got.returncode == 1 and "1.200 (1.200-1.200)  slower" in got.stdout
    assert "SLOWER by more than 5 %: 1 of the cells that decide" in got.stdout
    got = program("compare", old, new, "--threshold", "25", "--json")
    assert (got.returncode, json.loads(got.stdout)["exit_status"]) == (0, 0)
    got = program("compare", new, old)
    assert got.returncode == 0 and "faster" in got.stdout
    assert "no cell that decides was shown to be slower by more than 5 %" in got.stdout
    assert program("compare", old, "--write-baseline", baseline).returncode == 0
    got = program("compare", old, "--baseline", baseline)
    assert got.returncode == 0 and "OLD  here: " in got.stdout
    assert program("compare", new, "--baseline", baseline).returncode == 1
    got = program("compare", new, "--baseline", "/nonexistent")
    assert got.returncode == verb.UNABLE and "/nonexistent: No such file" in got.stderr

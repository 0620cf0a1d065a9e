# SPDX-License-Identifier: Apache-2.0
"""What a run leaves: its files, its verdict on the machine, its parts, and where it was."""
import json
import math
import os
import re
import resource

import pytest

import compare
import environment
import made_up
import reckon
import report
import results
import rounds
import split
import verb
from conftest import ROOT
from verb import Unable, Usage

BOTH = ["old", "new"]
BASELINE = ROOT / "bench" / "baseline" / "two-shared-epyc-cpus.json"


def refused(path):
    with pytest.raises(Unable) as error:
        results.read(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def test_read__no_file_or_no_json__named(tmp_path):
    path = tmp_path / "results.json"
    with pytest.raises(FileNotFoundError):
        results.read(path)
    for text, why in (("{\n\"a\": }", "line 2: no JSON"), ("[]", "no results.json of keyward"),
                      ('{"a": NaN}', "NaN"), ('{"a": 1e999}', "1e999"),
                      ('{"a": -' + "9" * 31 + "}", "no number"), ("[" * 100000, "JSON"),
                      ("\xff", "JSON"), ("{}", "says nothing")):
        path.write_bytes(text.encode("latin-1"))
        assert re.search(why, refused(path))


def reading(path):
    raise Unable(f"{path}: {rounds.reading_of(path.read_text()).failure}")


POINT = {"sessions": 1, "ops_per_s": 9}
GOOD = {  # and what reads it
    "results": (made_up.sample().document, results.read),
    "baseline": (results.load(BASELINE), compare.read_baseline),
    "curve": ({"tool": "keyward-bench token", "schema": 1, "curve": [POINT]}, reckon.read_curve),
    "load": ({"tool": "keyward-bench load", "schema": 1, "figures": {"calls_per_s": 9},
              "options": {"mix": "decrypt", "in_flight": 1}}, reckon.read_curve),
    "reading": ({"tool": "x", "figures": {"a": 1}}, reading),
    **{name: (made_up.document(name), lambda path: report.kind_of(path, results.load(path)))
       for name in ("storm-day", "plan-three", "token-wrap")}}
MANY = [
    ("results", "cells.1.figures", json.dumps({f"f{i}": [1, 2, 3] for i in range(32)}), "cells: m"),
    ("reading", "figures", json.dumps({f"f{i}": i for i in range(33)}), "figures: "),
    ("curve", "curve", json.dumps([POINT] * 65), "curve: [")]


@pytest.mark.parametrize("file, member, value, why", made_up.cases("refused") + MANY)
def test_read__member_not_as_it_should_be__named(tmp_path, file, member, value, why):
    path, (good, read) = tmp_path / "r.json", GOOD[file]
    path.write_text(json.dumps(good))
    if file != "reading":
        read(path)
    path.write_text(json.dumps(made_up.spoilt(good, member, value)))
    with pytest.raises(Unable) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ") and f": {why}" in str(error.value)


def test_write__no_folder_or_full_disk__said_and_the_old_one_whole(tmp_path):
    r = made_up.sample()
    results.write(r, tmp_path)
    with pytest.raises(OSError, match=f"{tmp_path}/no/results.json"):
        results.write(r, tmp_path / "no")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))
    try:
        with pytest.raises(OSError) as error:
            results.write(made_up.comparable(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.filename == f"{tmp_path}/results.json"
    assert results.read(tmp_path).document == r.document
    assert sorted(p.name for p in tmp_path.iterdir()) == ["results.csv", "results.json"]


def test_replace__a_pipe_or_a_link__stays_what_it_is(tmp_path):
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    link.symlink_to(file)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    results.replace(pipe, "through it")
    assert pipe.is_fifo() and os.read(reader, 99) == b"through it"
    os.close(reader)
    results.replace(link, "behind it")
    assert link.is_symlink() and file.read_text() == "behind it"


def test_written__read_back__the_same(tmp_path):
    want = made_up.sample()
    results.write(want, tmp_path)
    r = results.read(tmp_path)
    assert r.document == want.document and list(r.document) == list(want.document)
    assert (tmp_path / "results.json").stat().st_mode & 0o777 == 0o644
    for name in ("results.json", "results.csv"):
        assert (tmp_path / name).read_text() == (made_up.DOCUMENTS / name).read_text()


def test_median_and_ratio__disturbed_and_unknown_rounds__left_out():
    r = made_up.sample()
    echo, wall, control = r.cells
    assert r.calm() == [0, 2] and r.series(control, "cpu_us") == [10, None]
    assert r.median(echo, "cpu_us").mid == pytest.approx(10.5)
    assert r.median(echo, "other").mid == 0
    assert r.ratio(wall, echo, "cpu_us")[:4] == pytest.approx((math.sqrt(6), 2, 3, 2))
    assert r.ratio(control, echo, "cpu_us").mid == pytest.approx(1)
    assert results.merged([[[10, 1], [30, 3]], [[5, 7], [30, 4], [40, 9]], []]) == \
        [[5, 7], [10, 1], [30, 7], [40, 9]]


# ---- how quiet the machine was -----------------------------------------------------------


def even(count, rounds, figure="cpu_us"):
    """`count` cells, the last one the control, all of them as even as can be."""
    ends = (0, count - 1)
    return made_up.run([made_up.cell(f"c{i}", {figure: [10.0 if i in ends else 20.0] * rounds},
                                     control=i == count - 1) for i in range(count)], rounds)


def judged(r, *pulses):
    for n, at, value in pulses:
        r["pulse"]["rounds"][n][at] = value
    r.judge()
    return r["quiet"]["verdict"], [d["round"] for d in r["disturbed"]]


@pytest.mark.parametrize("cells, wanted, pulses, verdict, disturbed",
                         made_up.json_cases("verdicts", 5))
def test_verdict__by_pulses(cells, wanted, pulses, verdict, disturbed):
    r = even(cells, wanted)
    assert judged(r, *((n, at, times * 1e7) for n, at, times in pulses)) == (verdict, disturbed)
    assert r.calm() == [n for n in range(wanted) if n not in disturbed]


@pytest.mark.parametrize("figure, control, verdict", [
    ("cpu_us", 10.4, "quiet"), ("cpu_us", 10.6, "restless"), ("cpu_us", 12.4, "restless"),
    ("cpu_us", 12.6, "unusable"), ("calls_per_s", 10, "quiet"), ("other", 10, "restless")])
def test_verdict__control_far_from_its_twin_or_not_known(figure, control, verdict):
    r = even(3, 8, figure)
    r.cells[2]["figures"][figure] = [control] * 8
    assert judged(r) == (verdict, [])


def test_words__of_the_verdict():
    r = even(10, 5)
    judged(r, (3, 7, 1.16e7))
    assert r["disturbed"] == [
        {"round": 3, "why": "1 of 10 pulses over 1.15 of the median, the worst 1.16"}]
    assert r["quiet"]["words"] == (
        "1 of 5 rounds disturbed, 95 % of the pulses within 0.0 % of their median, the control "
        "within 0.0 % of its twin; fewer than 6 rounds cannot be called quiet")
    assert r["noise"]["cpu_us"]["mid"] == pytest.approx(1) and "1.15" in r["pulse"]["rule"]
    r = even(3, 8)
    r.cells[2]["figures"] = {}
    assert judged(r)[0] == "restless" and "the control not known" in r["quiet"]["words"]


def test_width__the_widest_of_the_primary_cells_or_unknown():
    r = even(3, 8)
    r.cells[1]["primary"] = True
    cpu = r.cells[1]["figures"]["cpu_us"]
    cpu[:3] = [None] * 3
    assert r.width() == math.inf
    cpu[0] = 20
    assert r.width() < 1e-9
    made_up.disturb(r, 4)
    assert r.width() == math.inf
    r = even(5, 8)
    assert r.width() == 0  # none is primary
    r.cells[1]["primary"] = r.cells[2]["primary"] = True
    r.cells[2]["figures"]["cpu_us"] = [18, 22] * 4
    r.cells[3]["figures"]["cpu_us"] = [1, 99] * 4  # not primary
    assert 0.09 < r.width() < 0.12  # sqrt(18 * 22) is 19.9: +10.6 %, -9.5 %


# ---- parts -------------------------------------------------------------------------------


def run_of(*names):
    """Two rounds of these cells; cell i has 100 * round + i as its one figure and pulse."""
    values = [[100 * n + i + 1 for i in range(len(names))] for n in range(2)]
    r = made_up.run([made_up.cell(name, {"cpu_us": [v[i] for v in values]},
                                  control=name == "control") for i, name in enumerate(names)],
                    2, values)
    for c in r.cells:
        c["command"] = c["name"]
    return r


def shown(r):
    """Of each cell: its name, what it was called, and at which place it was."""
    cells = r.cells
    for i, c in enumerate(cells):
        assert [p[i] for p in r["pulse"]["rounds"]] == c["figures"]["cpu_us"]
    return [(c["name"], c["command"], c["figures"]["cpu_us"][0] - 1) for c in cells]


@pytest.mark.parametrize("names, own, why", [
    (["old.a-1", "older.b-1", "old", "new.", "control"], "new", "no cell's name begins with new."),
    (["old.a-1", "new.a-1", "a-1", "control"], "old", "two cells of old would have the same name")])
def test_keep__no_cell_or_two_alike__refused(names, own, why):
    with pytest.raises(Unable, match=why):
        split.keep(run_of(*names), BOTH, own)


@pytest.mark.parametrize("own, a, b", [("old", 0, 2), ("new", 1, 3)])
def test_keep__a_part__its_cells_and_the_common_ones(own, a, b):
    r = run_of("old.a-1", "new.a-1", "old.b-1", "new.b-1", "peer-1", "control")
    part = split.keep(r, BOTH, own)
    assert shown(part) == [("a-1", f"{own}.a-1", a), ("b-1", f"{own}.b-1", b),
                           ("peer-1", "peer-1", 4), ("control", "control", 5)]
    assert part["base"] == part["control"] == "a-1" and part["session"] == "00112233445566ff"
    assert part.cells[1]["axes"]["subject"] == "b-1"
    assert r.cells[0]["name"] == "old.a-1"  # the whole is as it was


def test_verb__two_parts__each_readable(program, tmp_path):
    results.write(run_of("old.a-1", "new.a-1", "control"), tmp_path)
    got = program("split", tmp_path, "old=abc123", "new")
    assert (got.returncode, got.stderr) == (verb.GOOD, "")
    for at, (name, commit) in enumerate((("old", "abc123"), ("new", "unknown"))):
        part = results.read(tmp_path / name)
        assert shown(part) == [("a-1", f"{name}.a-1", at), ("control", "control", 2)]
        assert part["environment"]["commit"] == commit
        assert (tmp_path / name / "results.csv").exists()


# ---- the environment -----------------------------------------------------------------------


def put(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_machine__nothing_or_little_there__unknown(tmp_path):
    e = environment.machine(tmp_path)
    assert {e[k] for k in "cpu governor virtualisation distribution".split()} == {"unknown"}
    assert e["load_1m"] == 0
    for flags, want in (("nohypervisor hypervisory", "none"), ("hypervisor", "some hypervisor")):
        put(tmp_path, {"proc/cpuinfo": f"processor\t: 0\nflags\t\t: fpu {flags}\n"})
        assert environment.machine(tmp_path)["virtualisation"] == want


def test_machine__a_guest__all_members(tmp_path):
    put(tmp_path, {
        "proc/cpuinfo": "model name\t: A CPU @ 2.00GHz\nflags\t\t: hypervisor lm\n\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
        "proc/loadavg": "0.25 0.5 0.75 1/100 4242\n",
        "sys/class/dmi/id/sys_vendor": "Vendor \n", "sys/class/dmi/id/product_name": "Engine\n",
        "etc/os-release": "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"})
    e = environment.machine(tmp_path)
    assert (e["cpu"], e["load_1m"], e["governor"]) == ("A CPU @ 2.00GHz", 0.25, "performance")
    assert (e["virtualisation"], e["distribution"]) == ("Vendor Engine", "Debian GNU/Linux 12")
    assert (e["cpus"], e["kernel"]) == (os.sysconf("SC_NPROCESSORS_ONLN"), os.uname().release)
    assert e["memory_kib"] * 1024 == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("text", ["token", "=x", "a b=x", "k=" + "x" * 192, "k=\udcff", "k=a\nb",
                                  "there=2"])
def test_note__no_key_twice_or_too_long__refused(text):
    e = {"notes": {"there": ""}, "commit": "unknown"}
    with pytest.raises(Usage, match="--note "):
        environment.add_note(e, text)
    assert e == {"notes": {"there": ""}, "commit": "unknown"}


def test_note__good_and_commit__kept_up_to_sixteen():
    e = {"notes": {}, "commit": "unknown"}
    for text in ["commit=abc", *(f"k{i}=a=b" for i in range(16))]:
        environment.add_note(e, text)
    assert e["commit"] == "abc" and e["notes"]["k15"] == "a=b"
    with pytest.raises(Usage, match="at most 16 keys"):
        environment.add_note(e, "more=1")


def test_fingerprint__of_the_machine_and_not_its_mood():
    # As bench/baseline/two-shared-epyc-cpus.json has it from another program.
    e = {"cpu": "AMD EPYC", "cpus": 2, "kernel": "6.18.44-fc-v595",
         "virtualisation": "some hypervisor", "load_1m": 9}
    assert environment.fingerprint(e) == "e96f6a5361d1d054"
    assert environment.fingerprint({**e, "cpus": 3}) != "e96f6a5361d1d054"


def test_libraries__what_is_linked__with_a_version(program):
    found = environment.program(program.path)["libraries"]
    assert list(found)[0] == "libc" and {"openssl", "nghttp2", "jansson", "grpc"} <= set(found)
    assert all(any(c.isdigit() for c in version) for version in found.values())


@pytest.mark.parametrize("text, room, want", [
    ("abc\xe4", 4, "abc"), ("ab\xe4z", 4, "ab\xe4"), ("a\udcff\n", 9, "a??"), ("", 4, "")])
def test_printable__cut_between_characters_or_marked(text, room, want):
    assert verb.printable(text, room) == want

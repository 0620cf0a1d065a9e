# SPDX-License-Identifier: Apache-2.0
import json
import math
import os
import re
import resource

import pytest

import environment
import made_up
import results
import verb
from verb import Unable, Usage


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


@pytest.mark.parametrize("member, value, why", [
    ("tool", "keyward-bench load", 'its "tool" says keyward-bench load'),
    ("schema", 2, 'and it is of schema 2: read it with the program that wrote it')])
def test_read__other_tool_or_schema__both_named(tmp_path, member, value, why):
    document = {**made_up.sample().document, member: value}
    (tmp_path / "r.json").write_text(json.dumps(document))
    assert why in refused(tmp_path / "r.json")


@pytest.mark.parametrize("member, within, value, why", [
    ("session", "", None, "the document: 'session'"), ("session", "", "0" * 17, "session"),
    ("rounds", "", 65, "rounds"), ("partial", "", 1, "partial"),
    ("elapsed_s", "", "1", "elapsed_s"),
    ("cpu", "environment", None, "environment: 'cpu'"), ("quiet", "", [], "quiet"),
    ("notes", "environment", {"a": 1}, "environment.notes.a"), ("cells", "", [], "cells"),
    ("verdict", "quiet", "fine", "quiet.verdict"), ("name", "cell", "a b", "cells[1].name"),
    ("figures", "cell", {"p": [1, "x", 3]}, "cells[1].figures.p[1]"),
    ("histogram", "cell", [[2, 0]], "cells[1].histogram[0][1]"),
    ("axes", "cell", {}, "cells[1].axes"), ("disturbed", "", [{"round": 0}], "disturbed[0]"),
    ("rounds", "pulse", [[1, 1, 0]] * 3, "pulse.rounds[0][2]"),
    # What the schema cannot say.
    ("rounds", "", 2, "cells: a figure has not"), ("base", "", "nobody", "base"),
    ("name", "cell", "echo-64", "cells: a name is there twice"),
    ("histogram", "cell", [[2, 1], [1, 1]], "cells: a histogram"),
    ("figures", "cell", {f"f{i}": [1, 2, 3] for i in range(32)}, "cells"),
    ("rounds", "pulse", [[1, 1, 1]], "pulse.rounds"),
    ("rounds", "pulse", [[1, 1, 1], [1, 1], [1, 1, 1]], "pulse.rounds"),
    ("disturbed", "", [{"round": 3, "why": "x"}], "disturbed")])
def test_read__member_not_as_it_should_be__named(tmp_path, member, within, value, why):
    document = made_up.sample().document
    of = document["cells"][1] if within == "cell" else document[within] if within else document
    if value is None:
        del of[member]
    else:
        of[member] = value
    (tmp_path / "r.json").write_text(json.dumps(document))
    assert f": {why}" in refused(tmp_path / "r.json")


def test_write__no_folder__named(tmp_path):
    with pytest.raises(OSError) as error:
        results.write(made_up.sample(), tmp_path / "no")
    assert error.value.filename == f"{tmp_path}/no/results.json"


def test_write__full_disk__said_and_the_old_one_whole(tmp_path):
    r = made_up.sample()
    results.write(r, tmp_path)
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
    lines = (tmp_path / "results.json").read_text().splitlines()
    assert lines[0] == "{" and len([one for one in lines if one.startswith('{"name": ')]) == 3


def test_csv__each_known_figure__one_line(tmp_path):
    results.write(made_up.sample(), tmp_path)
    lines = "echo-64,0,0,0,0 10;echo-64,0,0,1,1 20;echo-64,0,0,2,0 11;wall-64,1,0,0,0 20;" \
        "wall-64,1,0,1,1 90;wall-64,1,0,2,0 33;control,0,1,0,0 10;control,0,1,1,1 20".split(";")
    assert (tmp_path / "results.csv").read_text() == (
        "session,cell,primary,control,round,disturbed,figure,value\n"
        + "".join(f"00112233445566ff,{line.replace(' ', ',cpu_us,')}\n" for line in lines))


def test_median_and_ratio__disturbed_and_unknown_rounds__left_out():
    r = made_up.sample()
    echo, wall, control = r.cells
    assert r.calm() == [0, 2] and r.series(control, "cpu_us") == [10, None]
    assert r.median(echo, "cpu_us").mid == pytest.approx(10.5)
    assert r.median(echo, "other").mid == 0
    assert r.ratio(wall, echo, "cpu_us") == pytest.approx((math.sqrt(6), 2, 3))
    assert r.ratio(control, echo, "cpu_us").mid == pytest.approx(1)


def test_merged__same_and_other_buckets__in_order():
    assert results.merged([[[10, 1], [30, 3]], [[5, 7], [30, 4], [40, 9]], []]) == \
        [[5, 7], [10, 1], [30, 7], [40, 9]]


# ---- the environment -----------------------------------------------------------------------


def put(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_machine__nothing_there__unknown(tmp_path):
    e = environment.machine(tmp_path)
    assert {e[k] for k in "cpu kernel governor virtualisation distribution".split()} == {"unknown"}
    assert e["cpus"] == e["memory_kib"] == e["load_1m"] == 0


def test_machine__a_guest__all_members(tmp_path):
    cpu = "processor\t: {}\nmodel name\t: A CPU @ 2.00GHz\nflags\t\t: hypervisor lm\n\n"
    put(tmp_path, {
        "proc/cpuinfo": cpu.format(0) + cpu.format(1),
        "proc/meminfo": "MemTotal:   4030048 kB\n",
        "proc/loadavg": "0.25 0.5 0.75 1/100 4242\n", "proc/sys/kernel/osrelease": "6.1.0\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
        "sys/class/dmi/id/sys_vendor": "Vendor \n", "sys/class/dmi/id/product_name": "Engine\n",
        "etc/os-release": "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"})
    e = environment.machine(tmp_path)
    assert (e["cpu"], e["cpus"], e["memory_kib"], e["load_1m"], e["kernel"], e["governor"]) == \
        ("A CPU @ 2.00GHz", 2, 4030048, 0.25, "6.1.0", "performance")
    assert (e["virtualisation"], e["distribution"]) == ("Vendor Engine", "Debian GNU/Linux 12")


@pytest.mark.parametrize("flags, want", [("fpu nohypervisor hypervisory", "none"),
                                         ("fpu hypervisor", "some hypervisor")])
def test_machine__virtual_or_iron(tmp_path, flags, want):
    put(tmp_path, {"proc/cpuinfo": f"processor\t: 0\nflags\t\t: {flags}\n"})
    assert environment.machine(tmp_path)["virtualisation"] == want


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
    assert environment.fingerprint(e) == "e916eb5da358df3c"
    assert environment.fingerprint({**e, "cpus": 3}) != "e916eb5da358df3c"


def test_libraries__what_is_linked__with_a_version(program):
    found = environment.program(program.path)["libraries"]
    assert list(found)[0] == "libc" and {"openssl", "nghttp2", "jansson", "grpc"} <= set(found)
    assert all(any(c.isdigit() for c in version) for version in found.values())


@pytest.mark.parametrize("text, room, want", [
    ("abc\xe4", 4, "abc"), ("ab\xe4z", 4, "ab\xe4"), ("a\udcff\n", 9, "a??"), ("", 4, "")])
def test_printable__cut_between_characters_or_marked(text, room, want):
    assert verb.printable(text, room) == want

# SPDX-License-Identifier: Apache-2.0
import pytest

import made_up
import results
import split
import verb
from verb import Unable

BOTH = ["old", "new"]


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


def test_keep__first_part__its_cells_and_the_common_ones():
    r = run_of("old.a-1", "new.a-1", "old.b-1", "peer-1", "new.b-1", "control")
    part = split.keep(r, BOTH, "old")
    assert shown(part) == [("a-1", "old.a-1", 0), ("b-1", "old.b-1", 2), ("peer-1", "peer-1", 3),
                           ("control", "control", 5)]
    assert part["base"] == part["control"] == "a-1"
    assert part.cells[1]["axes"]["subject"] == "b-1"
    assert r.cells[0]["name"] == "old.a-1"  # the whole is as it was


def test_keep__second_part__the_same_base_by_name_and_the_same_session():
    part = split.keep(run_of("old.a-1", "new.a-1", "old.b-1", "new.b-1", "control"), BOTH, "new")
    assert shown(part) == [("a-1", "new.a-1", 1), ("b-1", "new.b-1", 3), ("control", "control", 4)]
    assert part["base"] == "a-1" and part["session"] == "00112233445566ff"


def test_verb__two_parts__each_readable(program, tmp_path):
    results.write(run_of("old.a-1", "new.a-1", "control"), tmp_path)
    got = program("split", tmp_path, "old=abc123", "new")
    assert (got.returncode, got.stderr) == (verb.GOOD, "")
    for at, (name, commit) in enumerate((("old", "abc123"), ("new", "unknown"))):
        part = results.read(tmp_path / name)
        assert shown(part) == [("a-1", f"{name}.a-1", at), ("control", "control", 2)]
        assert part["environment"]["commit"] == commit
        assert (tmp_path / name / "results.csv").exists()

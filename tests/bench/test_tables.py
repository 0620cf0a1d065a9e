# SPDX-License-Identifier: Apache-2.0
"""Documents of load, token and storm as people read them."""
import io
import json

import pytest

import made_up
import tables
import verb


@pytest.mark.parametrize("file, table", made_up.sections("tables"))
def test_table(monkeypatch, capsys, file, table):
    name, more = file.split(" ", 1)
    document = made_up.document(name) | json.loads(more)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))
    assert tables.main(["load"], "") == 0
    assert capsys.readouterr().out == table


@pytest.mark.parametrize("text, why", made_up.json_cases("none", 2))
def test_no_document_is_three_and_the_member_is_named(monkeypatch, text, why):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(verb.Unable, match=f"no document of load.*{why}"):
        tables.main(["load"], "")

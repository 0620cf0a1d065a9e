# SPDX-License-Identifier: Apache-2.0
"""Cells as they are typed, layouts, and documents of measurements."""
import json

import pytest

import rounds
from verb import Usage


@pytest.mark.parametrize("text", [
    "load /a", "=load /a", "*=load /a", "a=", "a=  ", "a=rounds x", "control=load /a", "a=echo x",
    "a b=load x", "a=load x @y=1", "a,b=load /", "a=load @subject=", "a=load @token_delay_us=x",
    "a=@subject=x", "x" * 48 + "=load /a", "taken=load /a"])
def test_cell__no_name_or_no_verb__refused(text):
    with pytest.raises(Usage) as error:
        rounds.cell_of(text, ["taken"])
    assert text in str(error.value)


def test_cell__good__its_words():
    cell, entry = rounds.cell_of("a*=load  /s --mix\tstatus @subject=x @bench=/old", [])
    assert entry.words == ["load", "/s", "--mix", "status"] and entry.program == "/old"
    assert cell["command"] == "load /s --mix status" and cell["primary"] and not cell["control"]


@pytest.mark.parametrize("text, subject, method, in_flight, rate, delay", [
    ("wall-cached-8=load /s --in-flight 8 --rate=250 --mix decrypt:90,status:10 "
     "@token_delay_us=2000", "wall-cached", "decrypt:90,status:10", 8, 250, 2000),
    ("wall=load /s", "wall", "decrypt", 64, 0, 0),
    ("soft-1=token --module m @subject=softhsm", "softhsm", "unwrap", 1, 0, 0),
    ("-x=storm /s", "-x", "", 0, 0, 0), ("a=load /\udcff --mix \udcfe", "a", "?", 64, 0, 0)])
def test_cell__axes__from_its_words_or_the_verbs_defaults(text, subject, method, in_flight, rate,
                                                          delay):
    assert rounds.cell_of(text, [])[0]["axes"] == {
        "subject": subject, "method": method, "in_flight": in_flight, "rate": rate,
        "token_delay_us": delay}


@pytest.mark.parametrize("words, seconds", [
    ("load /s", 6), ("load /s --seconds 500ms --warmup=0s", 0.5), ("load /s --calls 5", 0),
    ("storm /s", 0), ("token --warmup 2s", 7)])
def test_cell__times__expected_or_unknown(words, seconds):
    assert rounds.cell_of(f"a={words}", [])[1].expected == seconds


@pytest.mark.parametrize("text", [
    "", "same", "=client:0,server:0", "a b=client:0,server:0", "same=client:0",
    "same=client:,server:0", "same=server:0,client:0", "same=client:0,server:1024",
    "same=client:0,server:1-", "same=client:0,server:all"])
def test_layout__not_that_shape__refused(text):
    with pytest.raises(Usage, match="--layout .*NAME=client:CPUS,server:CPUS"):
        rounds.layout_of(text)


@pytest.mark.parametrize("text, words", [
    (None, "nobody told which process runs on which CPU: no scaling conclusion"),
    ("split=client:0,server:1-3", "client on CPU 0, daemon and workers on CPU 1-3: they share "
     "none"),
    *((f"x={x}", "they may share one, so no scaling conclusion") for x in (
        "client:0,server:0", "client:0-1,server:1-2", "client:any,server:1",
        "client:0,server:any", "client:any,server:any"))])
def test_layout__what_may_be_concluded(text, words):
    assert rounds.layout_of(text)["words"].endswith(words)


@pytest.mark.parametrize("text, why", [
    ("", "no JSON"), ('{"tool": "x", "figures": {"a": NaN}}', "no JSON"), ("[]", "'object'"),
    *((json.dumps(document), why) for document, why in (
        ({"figures": {"a": 1}}, "'tool'"), ({"tool": "x"}, "'figures'"),
        ({"tool": "x", "figures": {}}, "figures: "),
        ({"tool": "x", "figures": {"a": "1"}}, "figures.a"),
        ({"tool": "x", "figures": {"a": True}}, "figures.a"),
        ({"tool": "x", "figures": {"a b": 1}}, "'a b'"),
        ({"tool": "x", "figures": {f"f{i}": i for i in range(33)}}, "figures: "),
        ({"tool": "x", "figures": {"a": 1}, "histogram": [[1, 0]]}, "histogram")))])
def test_reading__no_document_or_no_figures__said(text, why):
    got = rounds.reading_of(text)
    assert why in got.failure and got.figures == {}


def test_reading__good__figures_and_histogram():
    got = rounds.reading_of('{"tool": "keyward-bench x", "figures": {"a": 1, "b_us": 2.5},'
                            '"histogram": [[10, 3]]}')
    assert got == ("keyward-bench x", {"a": 1.0, "b_us": 2.5}, [[10, 3]], "")

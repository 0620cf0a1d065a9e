# SPDX-License-Identifier: Apache-2.0
"""Runs as they might have come out, and tables of cases."""
import copy
import json
import math
import re
from pathlib import Path

import environment
from results import Results

ROUNDS = 12
DOCUMENTS = Path(__file__).parent / "documents"


def document(name):
    return json.loads((DOCUMENTS / f"{name}.json").read_text())


def cases(name):
    """The rows of documents/NAME.txt; | stands between what they have."""
    rows = (DOCUMENTS / f"{name}.txt").read_text().splitlines()
    return [[part.strip() for part in row.split("|")] for row in rows if row[0] != "#"]


def json_cases(name, count):
    """The same of which the first `count` parts are JSON, and the others words for people."""
    return [[json.loads(part) for part in row[:count]] for row in cases(name)]


def sections(name):
    """Of documents/NAME.txt, what stands behind each == and what follows below it."""
    text = (DOCUMENTS / f"{name}.txt").read_text()
    return re.findall(r"(?ms)^== (.*?)\n(.*?)(?=^== |\Z)", text)


def spoilt(good, member, value):
    """A copy with some other JSON as this member (such as cells.1.name), or without it: -."""
    made = {"": copy.deepcopy(good)}
    of, last = made, ""
    for name in filter(None, member.split(".")):
        of, last = of[last], int(name) if name.isdigit() else name
    if value == "-":
        del of[last]
    else:
        of[last] = json.loads(value)
    return made[""]


def cell(name, figures, subject=None, control=False):
    return {"name": name, "primary": False, "control": control, "command": "load /run/a.sock",
            "tool": "keyward-bench load",
            "axes": {"in_flight": 64, "method": "decrypt", "subject": subject or name, "rate": 0,
                     "token_delay_us": 0},
            "failures": 0, "failure": "", "figures": figures}


def run(cells, rounds, pulses=None):
    """What documents/results.json has, of these cells."""
    made = copy.deepcopy(document("results") | {"rounds": rounds, "disturbed": [], "cells": cells})
    made["fingerprint"] = environment.fingerprint(made["environment"])
    made["base"] = made["control"] = cells[0]["name"]
    made["pulse"]["rounds"] = pulses or [[1e7] * len(cells) for _ in range(rounds)]
    made["quiet"] = {"verdict": "quiet", "words": "the machine kept its pace"}
    return Results(made)


def sample():
    """Three rounds, of which the second was disturbed."""
    return Results(document("results"))


def comparable(session="a", machine="a"):
    """12 rounds on a machine that is twice as slow at the end as at the beginning, and about
    one per cent of noise, another for each session, cell and round.  Primary: hit, miss."""
    def made(at, subject, us, control=False):
        cpu = [us * (1 + n / (ROUNDS - 1))
               * (1 + 0.01 * math.sin(ord(session) + 7.3 * at + 2.1 * n)) for n in range(ROUNDS)]
        figures = {"cpu_us": cpu, "calls_per_s": [1e6 / v for v in cpu],
                   "p99_us": [64 * v for v in cpu]}
        return cell("control" if control else f"{subject}-64", figures, subject, control)
    r = run([made(0, "echo", 10), made(1, "reference", 30), made(2, "hit", 20),
             made(3, "miss", 100), made(4, "status", 15), made(5, "echo", 10, True)], ROUNDS)
    r.document.update(session=session * 16, fingerprint=machine * 16)
    r.cell("hit-64")["primary"] = r.cell("miss-64")["primary"] = True
    return r


def scale(r, name, factor, rounds=range(ROUNDS)):
    cpu = r.cell(name)["figures"]["cpu_us"]
    for n in rounds:
        cpu[n] *= factor


def disturb(r, *rounds):
    r.document["disturbed"] = [{"round": n, "why": "a test"} for n in rounds]

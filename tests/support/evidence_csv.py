# SPDX-License-Identifier: Apache-2.0
"""evidence_csv.py BUNDLE: exit status 0 when each table of evidence.json is TABLE.csv, cell by
cell, as a reader of RFC 4180 reads it, and no other table lies there."""
import csv
import json
import pathlib
import re
import sys


def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, str):
        # What a spreadsheet would compute, or take for the end of a cell.
        text = ("'" if re.match(" *[=+@-]", text) else "") + text.replace(";", "\\x3b")
    return text


def main(folder):
    bundle, bad = pathlib.Path(folder), 0
    document = json.loads((bundle / "evidence.json").read_text(encoding="ascii"))
    tables = {name: rows for name, rows in document.items() if isinstance(rows, list)}
    if {path.stem for path in bundle.glob("*.csv")} != set(tables):
        print(f"{bundle}: other tables than evidence.json has", file=sys.stderr)
        bad += 1
    for name, rows in tables.items():
        with open(bundle / f"{name}.csv", encoding="utf-8", newline="") as file:
            there = list(csv.reader(file, strict=True))
        due = [[cell(value) for value in row.values()] for row in rows]
        head = list(rows[0]) if rows else there[0]
        if there != [head] + due:
            print(f"{name}.csv is not what evidence.json has", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

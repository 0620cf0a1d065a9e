# SPDX-License-Identifier: Apache-2.0
"""The page in a browser: every plot is there and seen, nothing is fetched, words can be read on
a light and on a dark screen. Pictures of it are kept in the folder KW_ARTEFACTS, if there is one.
"""
import json
import os
import re
import subprocess
from pathlib import Path

import folders
import pytest

import report
from report import Folder

PLOTS = 13
HERE = Path(__file__).parent


def browse(page, dark, action):
    r = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars",
         f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--window-size=1100,15000",
         f"--user-data-dir={page.parent / 'profile'}", action, f"file://{page}"],
        capture_output=True, text=True, timeout=120, check=False)
    assert r.returncode == 0, r.stderr
    return r.stdout


@pytest.fixture(name="page", scope="module")
def make_page(tmp_path_factory):
    folder = folders.full(tmp_path_factory.mktemp("full"))
    page = folder / "report.html"
    page.write_text(report.page(Folder(folder), "0.1.0"))
    return page


def found(page, dark):
    """The page's own policy forbids every fetch: watch.html tells what it asks for, and lets the
    probe at the end of this copy run."""
    text, policies = re.subn('<meta http-equiv="Content-Security-Policy".*\n',
                             lambda _: (HERE / "watch.html").read_text(), page.read_text())
    assert policies == 1 and text.count("</body>") == 1
    copy = page.with_name("copy.html")
    copy.write_text(text.replace("</body>", (HERE / "probe.html").read_text() + "</body>"))
    told = re.search("FOUND(.*)END</pre>", browse(copy, dark, "--dump-dom"), re.DOTALL)
    assert told is not None
    return json.loads(told[1])


@pytest.mark.parametrize("dark", [False, True])
def test_every_plot_is_seen_and_nothing_fetched(page, dark):
    f = found(page, dark)
    assert f["dark"] == dark and f["fetched"] == []
    assert len(f["plots"]) >= PLOTS
    for p in f["plots"]:
        assert p["width"] >= 400 and p["height"] >= 100 and p["seen"], p
        assert p["drawn"] >= 1 and p["words"] >= 3, p
        assert p["out"] == [] and p["over"] == [] and p["least"] >= 4.5, p
    assert f["least"] >= 4.5 and not f["sideways"]
    assert f["wide"] == 0  # every table fits the page


@pytest.mark.parametrize("action, name, dark", [
    ("screenshot", "report-light.png", False), ("screenshot", "report-dark.png", True),
    ("print-to-pdf", "report.pdf", True)])
def test_pictures_are_kept(page, action, name, dark):
    """One that is worth keeping has more than a blank page."""
    picture = Path(os.environ.get("KW_ARTEFACTS", page.parent)) / name
    picture.parent.mkdir(exist_ok=True)
    picture.unlink(missing_ok=True)
    browse(page, dark, f"--{action}={picture}")
    assert picture.stat().st_size > 50000

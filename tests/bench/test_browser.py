# SPDX-License-Identifier: Apache-2.0
"""The page in a browser: every plot is there and seen, nothing is fetched, words can be read on
a light and on a dark screen. Pictures of it are kept in the folder KW_ARTEFACTS, if there is one.
"""
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import folders
import pytest

import report
from folder import Folder

PLOTS = 16
# The page's own policy forbids every fetch: what it asks for is told here. The copy may run
# scripts besides.
WATCH = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src \
'unsafe-inline'; script-src 'unsafe-inline'">
<script>const asked=[];
addEventListener('securitypolicyviolation',e=>asked.push(e.violatedDirective+' '+e.blockedURI));
addEventListener('error',e=>asked.push('error: '+e.message))</script>"""
# Looks at the page as it is laid out, and leaves nothing but what it found.
PROBE = r"""<script>
addEventListener('load',()=>{
function light(c){const v=c.match(/[\d.]+/g).slice(0,3).map(x=>{x/=255;
  return x<=0.03928?x/12.92:((x+0.055)/1.055)**2.4});return 0.2126*v[0]+0.7152*v[1]+0.0722*v[2]}
function contrast(a,b){const x=light(a),y=light(b);
  return (Math.max(x,y)+0.05)/(Math.min(x,y)+0.05)}
const ground=getComputedStyle(document.body).backgroundColor;
const plots=[...document.querySelectorAll('figure')].map(g=>{
  const s=g.querySelector('svg'),b=s.getBoundingClientRect(),words=[...s.querySelectorAll('text')];
  const drawn=[...s.querySelectorAll('path,use')].filter(p=>!p.closest('defs')&&
    /--c\d/.test(p.getAttribute('style'))&&p.getBoundingClientRect().width+
    p.getBoundingClientRect().height>0).length;
  const out=words.filter(t=>{const w=t.getBoundingClientRect();return w.width>0&&(w.left<b.left-1
    ||w.right>b.right+1||w.top<b.top-1||w.bottom>b.bottom+1)}).map(t=>t.textContent);
  const over=words.filter((t,i)=>words.some((u,k)=>{if(k<=i)return false;
    const v=t.getBoundingClientRect(),w=u.getBoundingClientRect();
    return Math.min(v.right,w.right)-Math.max(v.left,w.left)>1&&
      Math.min(v.bottom,w.bottom)-Math.max(v.top,w.top)>5})).map(t=>t.textContent);
  return {id:g.id,width:b.width,height:b.height,drawn,words:words.length,out,over,
    least:Math.min(...words.map(t=>contrast(getComputedStyle(t).fill,ground))),
    seen:s.checkVisibility()}});
const texts=[...document.querySelectorAll('td,th,p,a,small,figcaption,summary,b')];
const found={plots,
  wide:[...document.querySelectorAll('.wide')].filter(w=>w.scrollWidth>w.clientWidth+1).length,
  sideways:document.documentElement.scrollWidth>innerWidth,
  least:Math.min(...texts.map(t=>contrast(getComputedStyle(t).color,ground))),
  fetched:asked.concat(performance.getEntriesByType('resource').map(e=>e.name)),
  dark:matchMedia('(prefers-color-scheme:dark)').matches};
document.documentElement.innerHTML='<body><pre></pre></body>';
document.querySelector('pre').textContent='FOUND'+JSON.stringify(found)+'END';
});</script>
"""


def browse(page: Path, dark: bool, action: str) -> str:
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
def make_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = folders.full(tmp_path_factory.mktemp("full"))
    page = folder / "report.html"
    page.write_text(report.page(Folder(folder), "0.1.0"))
    return page


def found(page: Path, dark: bool) -> Any:
    """By a copy with a policy that lets the probe run, and with the probe at its end."""
    text, policies = re.subn('<meta http-equiv="Content-Security-Policy".*\n',
                             lambda _: WATCH, page.read_text())
    assert policies == 1 and text.count("</body>") == 1
    copy = page.with_name("copy.html")
    copy.write_text(text.replace("</body>", PROBE + "</body>"))
    told = re.search("FOUND(.*)END</pre>", browse(copy, dark, "--dump-dom"), re.DOTALL)
    assert told is not None
    return json.loads(told[1])


@pytest.mark.parametrize("dark", [False, True])
def test_every_plot_is_seen_and_nothing_fetched(page: Path, dark: bool) -> None:
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
def test_pictures_light_dark_and_paper_are_kept(page: Path, action: str, name: str,
                                                dark: bool) -> None:
    """One that is worth keeping has more than a blank page."""
    folder = Path(os.environ.get("KW_ARTEFACTS", page.parent))
    folder.mkdir(exist_ok=True)
    picture = folder / name
    picture.unlink(missing_ok=True)
    browse(page, dark, f"--{action}={picture}")
    assert picture.stat().st_size > 50000

# SPDX-License-Identifier: Apache-2.0
"""One run of several things, told apart."""
import copy
import re

import results
import verb


def keep(r: results.Results, prefixes: list[str], own: str) -> results.Results:
    def parts(name: str) -> tuple[str, str]:
        prefix, dot, short = name.partition(".")
        return (prefix, short) if short and prefix in prefixes else ("", name)
    document = copy.deepcopy(r.document)
    kept = [i for i, name in enumerate(r.names()) if parts(name)[0] in (own, "")]
    document["pulse"]["rounds"] = [[p[i] for i in kept] for p in document["pulse"]["rounds"]]
    document["cells"] = [document["cells"][i] for i in kept]
    part = results.Results(document)
    if not any(parts(name)[0] == own for name in part.names()):
        raise verb.Unable(f"no cell's name begins with {own}.")
    for c in part.cells:
        c["name"], c["axes"]["subject"] = parts(c["name"])[1], parts(c["axes"]["subject"])[1]
    if len(set(part.names())) < len(kept):
        raise verb.Unable(f"two cells of {own} would have the same name")
    part.document.update(base=parts(r["base"])[1], control=parts(r["control"])[1])
    return part


def main(words: list[str], _bench: str) -> int:
    o = verb.Parser("split", __doc__).parse_args(words)
    parts = dict(text.partition("=")[::2] for text in o.parts)
    if len(parts) < 2 or not all(re.fullmatch("[A-Za-z0-9_-]{1,47}", name) for name in parts):
        raise verb.Usage("it wants FOLDER PREFIX[=COMMIT] PREFIX[=COMMIT]…, a prefix of letters, "
                         "digits and _-")
    whole = results.read(o.folder)
    for prefix, commit in parts.items():
        part = keep(whole, list(parts), prefix)
        part["environment"]["commit"] = commit or part["environment"]["commit"]
        (o.folder / prefix).mkdir(exist_ok=True)
        results.write(part, o.folder / prefix)
    return verb.GOOD

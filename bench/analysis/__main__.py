# SPDX-License-Identifier: Apache-2.0
"""The half of keyward-bench that judges, draws and runs: one module for each verb.

    /usr/bin/python3 -I -B DIR/analysis --bench /path/of/keyward-bench VERB ARGS…

keyward-bench does this for its verbs; ci/bench does it for `suite`.  A module has
main(words, bench) and gives an exit status (verb.py) or raises Usage, Unable or OSError.
"""
import importlib
import io
import os
import sys
import traceback

import verb as kinds

MODULES = {
    "rounds": "rounds",
    "compare": "compare",
    "split": "split",
    "gap": "gap",
    "plan": "plan",
    "report": "report",
    "table": "tables",
    "suite": "suite",
}


def run(name: str, words: list[str], bench: str) -> int:
    try:
        return int(importlib.import_module(MODULES[name]).main(words, bench))
    except SystemExit as end:  # argparse: help or wrong usage, said
        return end.code if isinstance(end.code, int) else kinds.UNABLE
    except kinds.Usage as error:
        kinds.complain(name, f"{error}; try --help")
        return kinds.USAGE
    except kinds.Unable as error:
        kinds.complain(name, str(error))
    except OSError as error:
        kinds.complain(name, kinds.os_words(error))
    except ImportError as error:
        kinds.complain(name, f"{error}: ci/install --bench installs what is missing")
    except KeyboardInterrupt:
        kinds.complain(name, "interrupted")
    except Exception:  # a mistake of ours is no verdict
        traceback.print_exc()
    return kinds.UNABLE


def main(words: list[str]) -> int:
    if len(words) < 3 or words[0] != "--bench" or words[2] not in MODULES:
        print("usage: analysis --bench PROGRAM VERB …; a verb is one of "
              + " ".join(MODULES), file=sys.stderr)
        return kinds.USAGE
    for stream in (sys.stdout, sys.stderr):  # whatever the locale is: documents are UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    status = run(words[2], words[3:], words[1])
    try:
        sys.stdout.flush()
    except OSError as error:
        kinds.complain(words[2], f"standard output: {kinds.os_words(error)}")
        sys.stderr.flush()
        os._exit(kinds.UNABLE)  # the end of the interpreter would try, and say, it again
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""The half of keyward-bench that judges, draws and runs: a module's main for each verb."""
import importlib
import os
import sys
import traceback

import verb as kinds

VERBS = ("rounds", "compare", "split", "gap", "plan", "report", "suite", "table")


def main(words: list[str]) -> int:
    if len(words) < 3 or words[0] != "--bench" or words[2] not in VERBS:
        print("usage: analysis --bench PROGRAM VERB …; a verb is one of", *VERBS, file=sys.stderr)
        return kinds.USAGE
    for stream in (sys.stdout, sys.stderr):  # whatever the locale is: documents are UTF-8
        getattr(stream, "reconfigure")(encoding="utf-8", errors="replace")
    _, bench, name, *rest = words
    try:
        module = importlib.import_module("tables" if name == "table" else name)
        status = int(module.main(rest, bench))
        sys.stdout.flush()
        return status
    except kinds.Usage as error:
        kinds.complain(name, f"{error}; try --help")
        return kinds.USAGE
    except (kinds.Unable, OSError) as error:
        kinds.complain(name, kinds.why(error))
    except ImportError as error:
        kinds.complain(name, f"{error}: ci/install --bench installs what is missing")
    except KeyboardInterrupt:
        kinds.complain(name, "interrupted")
    except Exception:  # a mistake of ours is no verdict
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(kinds.UNABLE)  # the end of the interpreter would try, and say, a full disk again


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

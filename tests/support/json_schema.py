# SPDX-License-Identifier: Apache-2.0
"""json_schema.py SCHEMA DOCUMENT...: exit status 0 when each document is as the schema says."""
import json
import sys

import jsonschema


def main(schema_path, *document_paths):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    bad = 0
    for path in document_paths:
        with open(path, encoding="utf-8") as file:
            for error in validator.iter_errors(json.load(file)):
                bad += 1
                print(f"{path}: {error.json_path}: {error.message}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""json_schema.py [--closed] SCHEMA DOCUMENT...: 0 when each document is as the schema says.

--closed: it has no member either that the schema does not know."""
import json
import sys

import jsonschema


def close(schema):
    if isinstance(schema, dict):
        if "properties" in schema:
            schema["additionalProperties"] = False
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            close(part)


def main(*arguments):
    closed = arguments[0] == "--closed"
    schema_path, *document_paths = arguments[closed:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    if closed:
        close(schema)
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

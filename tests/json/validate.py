#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""validate.py SCHEMAS FILE...: is each FILE, COMMAND.anything, as SCHEMAS/COMMAND.json says?

A member that the schema does not know is a mistake here, as it is not documented then.
Each file is also spoilt at every place: a schema that still takes it says too little.
"""
import copy
import json
import pathlib
import sys

import jsonschema


def strict(schema):
    """The schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {k: strict(v) for k, v in schema.items()}
    if "properties" in schema:
        schema["additionalProperties"] = False
    return schema


def places(value, path=()):
    """The paths of all objects and their members."""
    if isinstance(value, dict):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in items:
        if isinstance(value, dict):
            yield path + (key,)
        if isinstance(member, (dict, list)):
            yield from places(member, path + (key,))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def spoilt(value):
    """Copies with a member too many, one too few, and one of another type."""
    optional = {"min", "max"}  # of a memory region, where it can be changed
    for path in places(value):
        copy_of = copy.deepcopy(value)
        target = at(copy_of, path)
        if isinstance(target, dict):
            target["undocumented"] = 1
            yield path, "a member too many", copy_of
        if not path:
            continue
        copy_of = copy.deepcopy(value)
        at(copy_of, path[:-1])[path[-1]] = 1.5
        yield path, "1.5", copy_of
        if isinstance(path[-1], str) and path[-1] not in optional:
            copy_of = copy.deepcopy(value)
            del at(copy_of, path[:-1])[path[-1]]
            yield path, "missing", copy_of


def main():
    schemas, *files = map(pathlib.Path, sys.argv[1:])
    failed = 0
    for file in files:
        schema = json.loads((schemas / (file.name.split(".")[0] + ".json")).read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(strict(schema))
        value = json.loads(file.read_text())
        wrong = [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(value)]
        if not wrong:
            wrong = [f"{list(p)}, {how}: taken" for p, how, v in spoilt(value)
                     if validator.is_valid(v)]
        for text in wrong:
            print(f"{file.name}: {text}")
        failed += bool(wrong)
    print(f"{len(files)} files, {failed} not as documented")
    sys.exit(1 if failed or not files else 0)


if __name__ == "__main__":
    main()

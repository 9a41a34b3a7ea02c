#!/bin/sh
# json.sh CHECK_JSON: what --json prints in many states is as the schemas in share/json say.
# Exits with 77, skipped, where there is no python3-jsonschema.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python3 -c 'import jsonschema' 2>/dev/null || exit 77
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
JSON_OUT=$out "$1"
"$here/json/validate.py" "$here/../share/json" "$out"/*

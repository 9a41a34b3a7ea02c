#!/bin/sh
# manual.sh FOLDER: the man pages in FOLDER as groff shows them at 80 columns, which is how
# most people read them. Exits with 77, skipped, where there is no groff.
set -eu
command -v groff >/dev/null || exit 77
failed=0

# It puts a last column that does not fit below itself, a word a line.
for page in "$1"/*.[58]; do
	lines=$(groff -mdoc -Tascii -P-cbou -rLL=80n "$page" | grep -E '^ {40,}[^ ]+$') || continue
	echo "not ok: $page: a table is too wide for 80 columns:"
	echo "$lines"
	failed=1
done
exit $failed

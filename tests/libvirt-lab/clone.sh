#!/bin/bash
# clone.sh OUT: what a newcomer has who clones this repository and types what README says
# under "Install": OUT/clone.tar, the files that came to be, and OUT/clone.later, the
# commands for the machine itself. Wants root, as README's commands do.
#
# The clone is of HEAD; what is not committed is not in it.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
out=$(cd "${1:?usage: clone.sh OUT}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lab-clone.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

git -c safe.directory='*' clone --quiet --depth 1 "file://$top" "$work/clone"
# Those of the archive, which tests/setup.sh would fetch again.
cp -n "$top"/subprojects/packagefiles/*.tar.* "$work/clone/subprojects/packagefiles/" 2>/dev/null || :

# The lines of the first block below the heading, without what explains them.
sed -n '/^## Install$/,/^## /s/^    //p' "$work/clone/README.md" | sed 's/ *#.*//' >"$work/commands"
grep -q 'meson install' "$work/commands" || { echo "clone.sh: README has no commands" >&2; exit 1; }

mkdir "$work/bin" "$work/tree"
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod 755 "$work/bin/sudo"
: >"$out/clone.later"
while read -r line; do
	case $line in
	*systemctl*) echo "${line#sudo }" >>"$out/clone.later" ;;
	*) (cd "$work/clone" && PATH=$work/bin:$PATH DESTDIR=$work/tree bash -ec "$line") >"$work/log" 2>&1 </dev/null ||
		{ tail -n 30 "$work/log" >&2; echo "clone.sh: failed: $line" >&2; exit 1; } ;;
	esac
done <"$work/commands"
tar -C "$work/tree" --owner=0 --group=0 -cf "$out/clone.tar" .

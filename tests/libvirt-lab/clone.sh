#!/bin/bash
# clone.sh [--fresh SUITE] OUT: what a newcomer has who clones this repository and types what
# README says under "Install": OUT/clone.tar.gz, the files that came to be, and OUT/clone.later,
# the commands for the machine itself. Wants root, as README's commands do.
#
#   --fresh SUITE   in a Debian of that suite that has nothing but git, made for it: some
#                   minutes, and some hundred MB from the archive
#
# The clone is of HEAD; what is not committed is not in it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
fresh=
[ "${1:-}" != --fresh ] || { fresh=$2; shift 2; }
out=$(cd "${1:?usage: clone.sh [--fresh SUITE] OUT}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lab-clone.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP
[ "$(id -u)" = 0 ] || { echo "clone.sh: must be root" >&2; exit 1; }

# clone FOLDER: this repository there; of an archive without git, its files.
clone()
{
	if [ -e "$top/.git" ]; then
		git -c safe.directory='*' clone --quiet --depth 1 "file://$top" "$1"
	else
		mkdir "$1"
		tar -C "$top" --exclude='./build*' -cf - . | tar -C "$1" -xf -
	fi
}

# Makes $work/root, with the archive that this machine is set up for.
debian()
{
	local f line
	# shellcheck source=tests/lab/sources.sh
	. "$here/../lab/sources.sh"
	mkdir "$work/sources"
	sources "$fresh" "$work/sources"
	set --
	while read -r line; do
		set -- "$@" "--aptopt=$line"
	done < <(apt-config dump | grep -E '^Acquire::(Check|http|Retries)')
	for f in "$work"/sources/lab.*; do
		set -- "$@" "$f"
	done
	mmdebstrap --quiet --mode=root --variant=minbase --include=git,ca-certificates,debian-archive-keyring \
		"$fresh" "$work/root" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
}

# Runs a line of README's in the clone. What it installs goes below $tree.
if [ -n "$fresh" ]; then
	debian
	bin=$work/root/usr/local/bin tree=$work/root/root/tree
	clone "$work/root/root/vfio-hook"
	cp /etc/resolv.conf "$work/root/etc/resolv.conf" 2>/dev/null || :
	readme=$work/root/root/vfio-hook/README.md
	# shellcheck disable=SC2016 # the inner shell's
	run() { unshare --mount --propagation=private sh -ec 'mount -t proc proc "$1/proc"
		exec chroot "$1" env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DESTDIR=/root/tree \
			bash -ec "cd /root/vfio-hook; $2"' sh "$work/root" "$1"; }
else
	bin=$work/bin tree=$work/tree
	mkdir "$bin"
	clone "$work/clone"
	# Those of the archive, which tests/setup.sh would fetch again.
	cp -n "$top"/subprojects/packagefiles/*.tar.* "$work/clone/subprojects/packagefiles/" 2>/dev/null || :
	readme=$work/clone/README.md
	run() { (cd "$work/clone" && PATH=$bin:$PATH DESTDIR=$tree bash -ec "$1"); }
fi
mkdir "$tree"
# shellcheck disable=SC2016 # the shim's
printf '#!/bin/sh\nexec "$@"\n' >"$bin/sudo" # we are root
chmod 755 "$bin/sudo"

# The lines of the first block below the heading, without what explains them.
sed -n '/^## Install$/,/^## /s/^    //p' "$readme" | sed 's/ *#.*//' >"$work/commands"
grep -q 'meson install' "$work/commands" || { echo "clone.sh: README has no commands" >&2; exit 1; }
: >"$out/clone.later"
while read -r line; do
	case $line in
	*systemctl*) echo "${line#sudo }" >>"$out/clone.later" ;;
	*) run "$line" >"$work/log" 2>&1 </dev/null ||
		{ tail -n 30 "$work/log" >&2; echo "clone.sh: failed: $line" >&2; exit 1; } ;;
	esac
done <"$work/commands"
tar -C "$tree" --owner=0 --group=0 -czf "$out/clone.tar.gz" .

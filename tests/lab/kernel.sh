#!/bin/sh
# kernel.sh [SUITE [OUTDIR]]: fetch and unpack the kernel of a Debian suite.
#
# Leaves OUTDIR/vmlinuz, OUTDIR/version and OUTDIR/tree/lib/modules/VERSION
# (with modules.dep). OUTDIR is by default build-lab/kernel/SUITE, or
# $LAB_CACHE/kernel/SUITE. Does nothing when they are there already; remove the
# folder to get a newer kernel.
#
# The packages come from the archive that this machine is set up for. For a
# suite that is not the machine's own, the machine's sources are copied with
# another suite's name into an apt configuration inside OUTDIR.
set -eu

lab=$(cd "$(dirname "$0")" && pwd)
cache=${LAB_CACHE:-$lab/../../build-lab}
suite=${1:-bookworm}
out=${2:-$cache/kernel/$suite}

case $suite in
*[!a-z0-9-]* | '' | -*) echo "kernel.sh: '$suite' is no name of a suite" >&2; exit 2 ;;
esac

is_there()
{
	[ -s "$out/version" ] && [ -s "$out/vmlinuz" ] &&
		[ -s "$out/tree/lib/modules/$(cat "$out/version")/modules.dep" ]
}
! is_there || exit 0

[ -d "$cache" ] || { mkdir -p "$cache" && echo '*' >"$cache/.gitignore"; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
exec 9>"$out.lock"
flock 9
! is_there || exit 0
rm -rf "$out/tree" "$out/deb" "$out/vmlinuz" "$out/version"
mkdir -p "$out/tree" "$out/deb"

# shellcheck source=tests/lab/sources.sh
. "$lab/sources.sh"

# The cache may lie where the user _apt may not write.
conf='-o APT::Sandbox::User=root'
if [ "$suite" != "$machine" ] || ! apt-cache show linux-image-amd64 >/dev/null 2>&1; then
	apt=$out/apt
	rm -rf "$apt"
	mkdir -p "$apt/sources.d" "$apt/lists/partial" "$apt/cache/archives/partial"
	sources "$suite" "$apt/sources.d"
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::SourceList "/dev/null";
		Dir::Etc::SourceParts "$apt/sources.d";
		Dir::State::Lists "$apt/lists";
		Dir::State::Status "/dev/null";
		Dir::Cache "$apt/cache";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Get::List-Cleanup "false";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
	END
	conf="$conf -c $apt/apt.conf"
	# shellcheck disable=SC2086
	apt-get $conf -qq update >&2
fi

# What linux-image-amd64 depends on; in newer suites the image is split further.
todo=linux-image-amd64
have=
while [ -n "$todo" ]; do
	next=
	for p in $todo; do
		# shellcheck disable=SC2086
		for d in $(apt-cache $conf show --no-all-versions "$p" |
		           sed -n 's/^\(Pre-\)\{0,1\}Depends: //p' | tr '|' ',' | tr ',' '\n' | sed 's/^ *//; s/[ (:].*//' |
		           grep -E '^linux-(image|binary|modules|base|image-unsigned)-[0-9]'); do
			case " $have " in *" $d "*) continue ;; esac
			have="$have $d"
			next="$next $d"
		done
	done
	todo=$next
done
[ -n "$have" ] || { echo "kernel.sh: no kernel found in $suite" >&2; exit 1; }
# shellcheck disable=SC2086
(cd "$out/deb" && apt-get $conf -qq download $have) >&2

for deb in "$out"/deb/*.deb; do
	dpkg-deb -x "$deb" "$out/tree"
done
# Merge /usr/lib/modules (newer suites) into /lib/modules.
if [ -d "$out/tree/usr/lib/modules" ]; then
	mkdir -p "$out/tree/lib/modules"
	cp -a "$out/tree/usr/lib/modules/." "$out/tree/lib/modules/"
	rm -rf "$out/tree/usr/lib/modules"
fi
rm -rf "$out/deb" "$out/tree/usr/share"

version=$(cd "$out/tree/lib/modules" && set -- * && echo "$1")
for image in "$out/tree/boot/vmlinuz-$version" "$out/tree/lib/modules/$version/vmlinuz"; do
	[ -s "$image" ] && cp "$image" "$out/vmlinuz" && break
done
[ -s "$out/vmlinuz" ] || { echo "kernel.sh: no image in the packages:$have" >&2; exit 1; }
depmod -b "$out/tree" "$version"
echo "$version" >"$out/version"

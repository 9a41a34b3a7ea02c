#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what building and testing vfio-hook needs on Debian 12 or newer, and fetches the
# sources of libkmod and libpci, of which Debian has no static libraries. Says and does
# nothing when all is there.
set -eu
cd "$(dirname "$0")/../subprojects"

packages=(
	# to build
	gcc libc6-dev libexpat1-dev libinih-dev libkmod-dev liblzma-dev libpci-dev libzstd-dev
	meson ninja-build pkg-config zlib1g-dev
	# unit tests and checkers
	check clang clang-format clang-tidy cppcheck file gcovr libclang-rt-dev libsubunit-dev
	fish mandoc python3-jsonschema shellcheck valgrind zsh
	# the lab: a real kernel under QEMU
	acpica-tools busybox-static cpio dpkg-dev e2fsprogs gzip hyperfine initramfs-tools-core
	kmod mmdebstrap ovmf pci.ids qemu-system-x86 strace xz-utils zstd
)

tmp=
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT

die() {
	echo "tests/setup.sh: $*" >&2
	exit 1
}

# apt-get, quiet unless it fails.
apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 \
		-o DPkg::Lock::Timeout=300 "$@" >"$tmp/log" 2>&1 </dev/null && return
	cat "$tmp/log" >&2
	die "apt-get $* failed"
}

# The packages that are not installed.
missing_packages() {
	# shellcheck disable=SC2016 # dpkg's fields, not the shell's
	comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
			sed -n 's/^installed //p' | sort)
}

# A key of a wrap file.
wrap() {
	sed -n "s/^$2 = //p" "$1.wrap"
}

# Whether the archive of wrap $1 lies in folder $2 and is the right one.
have_source() {
	local file

	file=$2/$(wrap "$1" source_filename)
	[ -f "$file" ] && echo "$(wrap "$1" source_hash)  $file" | sha256sum --check --status
}

# Fetches Debian 12's source packages $@, on whatever release this is: apt says which of its
# archives is Debian's own; that one's bookworm is all that the private configuration has.
fetch_sources() {
	local uri uris

	# shellcheck disable=SC2016 # apt's fields, not the shell's
	uris=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' | sed -n 's/^Debian Debian main //p' | sort -u)
	[ -n "$uris" ] || die "apt knows no Debian archive, cannot fetch the sources of $*"

	mkdir -p "$tmp"/{lists,cache/archives}/partial "$tmp/sources"
	for uri in $uris; do
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri bookworm main"
	done >"$tmp/sources.list"
	cat >"$tmp/apt.conf" <<-END
		Dir::Etc::sourcelist "$tmp/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State::Lists "$tmp/lists";
		Dir::Cache "$tmp/cache";
		APT::Sandbox::User "root";
	END
	(
		cd "$tmp/sources"
		export APT_CONFIG=$tmp/apt.conf
		apt_get update
		apt_get source --download-only "$@"
	)
}

mapfile -t packages < <(missing_packages)
sources=()
have_source libkmod packagefiles || sources+=(kmod)
have_source libpci packagefiles || sources+=(pciutils)

if [ "${#packages[@]}" -gt 0 ] || [ "${#sources[@]}" -gt 0 ]; then
	[ "$(id -u)" = 0 ] || die "must be root to install ${packages[*]} ${sources[*]}"
	tmp=$(mktemp -d)
	(apt_get update) || : # it may be a stranger's archive that is broken
fi
if [ "${#packages[@]}" -gt 0 ]; then
	apt_get install --no-install-recommends "${packages[@]}"
fi
if [ "${#sources[@]}" -gt 0 ]; then
	fetch_sources "${sources[@]}"
fi

for name in libkmod libpci; do
	if ! have_source "$name" packagefiles; then
		have_source "$name" "$tmp/sources" || die "$name: not the source that $name.wrap names"
		cp "$tmp/sources/$(wrap "$name" source_filename)" packagefiles/
	fi
	# Meson unpacks once and never looks at the files laid over again: unpack anew if they
	# were changed since.
	directory=$(wrap "$name" directory)
	if [ -d "$directory" ]; then
		(cd "packagefiles/$name" && find . -type f) | while read -r file; do
			cmp -s "packagefiles/$name/$file" "$directory/$file" || rm -rf "$directory"
		done
	fi
done

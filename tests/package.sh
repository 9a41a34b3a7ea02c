#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# package.sh BUILD: makes a Debian package of what `meson install` installs from the folder
# BUILD, and a next version of it, and installs, upgrades and removes them in an empty root.
#
# package.sh --make BUILD OUT: makes the two and leaves them in the folder OUT.
#
# Wants root, for the owners in the package.
set -eu

only=''
if [ "${1:-}" = --make ]; then
	only=1
	shift
fi

top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:?usage: package.sh [--make] BUILD [OUT]}" && pwd)
command -v dpkg-deb >/dev/null || { echo "package.sh: no dpkg-deb: skipped"; exit 77; }
[ "$(id -u)" -eq 0 ] || { echo "package.sh: not root: skipped"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/vfio-hook-package.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

# make VERSION: the package of that version.
make()
{
	local version=$1 tree=$work/tree
	rm -rf "$tree"
	DESTDIR=$tree meson install -C "$build" --no-rebuild >/dev/null
	rm "$tree/etc/libvirt/hooks/qemu" # a link instead: postinst
	gzip -9n "$tree"/usr/share/man/man?/*
	install -d "$tree/DEBIAN"
	install -m 755 "$top"/share/debian/{preinst,postinst,prerm,postrm} "$tree/DEBIAN"
	sed "s/@version@/$version/; s/@arch@/$(dpkg --print-architecture)/; s/@size@/$(du -sk "$tree" | cut -f 1)/" \
		"$top/share/debian/control.in" >"$tree/DEBIAN/control"
	dpkg-deb --root-owner-group --build "$tree" "$work/vfio-hook_$version.deb" >/dev/null
}

check()
{
	local desc=$1
	shift
	if "$@" >"$work/check" 2>&1; then
		echo "ok - $desc"
	else
		echo "not ok - $desc"
		sed 's/^/#   /' "$work/check"
		failed=1
	fi
}

refute()
{
	local desc=$1
	shift
	if "$@" >/dev/null 2>&1; then
		echo "not ok - $desc"
		failed=1
	else
		echo "ok - $desc"
	fi
}

# An empty root whose daemon runs; the maintainer scripts are told of it by DPKG_ROOT.
new_root()
{
	root=$work/root
	rm -rf "$root"
	mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} "$root"/etc/libvirt/hooks \
		"$root"/run/systemd/system "$root"/tmp
	: >"$root/var/lib/dpkg/status"
	: >"$work/systemctl.log"
}

# shellcheck disable=SC2317 # by check
package()
{
	PATH=$work/bin:$PATH dpkg --root="$root" --log=/dev/null --force-script-chrootless "$@"
}

mkdir "$work/bin"
printf '#!/bin/sh\necho "$*" >>%s\n' "$work/systemctl.log" >"$work/bin/systemctl"
chmod 755 "$work/bin/systemctl"
version=$(sed -n "s/.*'vfio-hook'.* version: '\([^']*\)'.*/\1/p" "$top/meson.build")
make "$version"
make "$version+1"
if [ -n "$only" ]; then
	cp "$work"/*.deb "${2:?usage: package.sh --make BUILD OUT}"
	exit 0
fi
hook=etc/libvirt/hooks/qemu

new_root
check "installs" package -i "$work/vfio-hook_$version.deb"
check "the hook is a link to the program" test "$(readlink "$root/$hook")" = /usr/sbin/vfio-hook
check "the program runs" "$root/usr/sbin/vfio-hook" --version
check "the daemon was told" grep -qx 'reload libvirtd.service' "$work/systemctl.log"
check "and the modular one" grep -qx 'reload virtqemud.service' "$work/systemctl.log"
check "conf.d is there and empty" rmdir "$root/etc/libvirt/hooks/conf.d"
mkdir "$root/etc/libvirt/hooks/conf.d"
echo '[prepare/begin]' >"$root/etc/libvirt/hooks/conf.d/win10.ini"
check "upgrades" package -i "$work/vfio-hook_$version+1.deb"
check "a config is kept" test -s "$root/etc/libvirt/hooks/conf.d/win10.ini"
check "the link is kept" test "$(readlink "$root/$hook")" = /usr/sbin/vfio-hook
mkdir -p "$root/run/vfio-hook" "$root/var/log/vfio-hook"
chmod 700 "$root/run/vfio-hook"
echo torn >"$root/run/vfio-hook/11111111-2222-3333-4444-555555555555.journal"
refute "is not removed while something is changed" package -r vfio-hook
rm "$root"/run/vfio-hook/*.journal
: >"$work/systemctl.log"
check "is removed" package -r vfio-hook
check "the daemon was told, too" grep -qx 'reload libvirtd.service' "$work/systemctl.log"
refute "the hook is gone" test -e "$root/$hook" -o -L "$root/$hook"
check "a config is still kept" test -s "$root/etc/libvirt/hooks/conf.d/win10.ini"
: >"$work/systemctl.log"
check "is installed again" package -i "$work/vfio-hook_$version.deb"
check "the hook is there again" test "$(readlink "$root/$hook")" = /usr/sbin/vfio-hook
check "the daemon was told then" grep -qx 'reload libvirtd.service' "$work/systemctl.log"
check "is removed once more" package -r vfio-hook
check "is purged" package -P vfio-hook
refute "the log is gone" test -e "$root/var/log/vfio-hook"
check "a config is kept even then" test -s "$root/etc/libvirt/hooks/conf.d/win10.ini"

new_root
printf '#!/bin/bash\n# a helper\n' >"$root/$hook"
chmod 755 "$root/$hook"
check "installs beside a hook that is there" package -i "$work/vfio-hook_$version.deb"
check "that one is set aside" grep -q 'a helper' "$root/$hook.before-vfio-hook"
check "is removed again" package -r vfio-hook
check "the old hook is back" grep -q 'a helper' "$root/$hook"

new_root
check "installs once more" package -i "$work/vfio-hook_$version.deb"
rm "$root/$hook"
printf '#!/bin/sh\n# mine\n' >"$root/$hook"
check "upgrades behind the administrator's back" package -i "$work/vfio-hook_$version+1.deb"
check "the administrator's hook stays" grep -q mine "$root/$hook"

exit $failed

#!/bin/sh
# services.sh ROOT: lay the tools of OpenRC and runit over the folder ROOT, as they are in
# Debian's packages, with the libraries that they need. Nothing is installed here. The
# packages are kept in build-lab/services, or $LAB_CACHE/services.
set -eu

lab=$(cd "$(dirname "$0")" && pwd)
root=${1:?usage: services.sh ROOT}
cache=${LAB_CACHE:-$lab/../../build-lab}/services
packages='openrc libeinfo1 librc1 runit'

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
for p in $packages; do
	[ -d "$cache/$p" ] && continue
	rm -rf "$cache/$p".*
	# The cache may lie where the user _apt may not write.
	(cd "$cache" && apt-get -o APT::Sandbox::User=root -qq download "$p") >&2
	dpkg-deb -x "$cache/$p"_*.deb "$cache/$p.new"
	rm "$cache/$p"_*.deb
	mv "$cache/$p.new" "$cache/$p"
done

mkdir -p "$root/etc/init.d" "$root/etc/service" "$root/etc/conf.d" "$root/etc/runlevels/default"
libraries=$cache/libeinfo1/lib/x86_64-linux-gnu:$cache/librc1/lib/x86_64-linux-gnu
for d in openrc/lib/rc openrc/sbin openrc/bin openrc/etc/rc.conf runit/usr/bin runit/usr/sbin; do
	to=$root/${d#*/}
	mkdir -p "$(dirname "$to")"
	cp -a -T "$cache/$d" "$to"
done
find "$root/lib/rc" "$root/sbin" "$root/usr/bin" -type f -perm -1 | while read -r f; do
	LD_LIBRARY_PATH=$libraries ldd "$f" 2>/dev/null || :
done | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u |
while read -r f; do
	to=${f#"$cache"/*1}
	[ -e "$root$to" ] && continue
	mkdir -p "$root$(dirname "$to")"
	cp -L "$f" "$root$to"
done

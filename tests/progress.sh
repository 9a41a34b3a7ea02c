#!/bin/sh
# progress.sh BUILD: what `run` and `test` show while they are at work, on a terminal, on one
# that can do nothing, and in a file. Exits with 77, skipped, where script(1) or root is missing.
set -eu
build=$1
command -v script >/dev/null && [ "$(id -u)" = 0 ] || exit 77
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

root=$tmp/root
mkdir -p "$root/etc/libvirt/hooks/conf.d" "$root/etc/libvirt/qemu" "$root/proc/1" \
	"$root/sys/bus/pci/devices" "$root/run" "$root/var/log"
cat >"$root/etc/libvirt/qemu/win10.xml" <<END
<domain type='kvm'><name>win10</name><uuid>11111111-2222-3333-4444-555555555555</uuid></domain>
END
# The first step ends at once, the second waits to its deadline.
cat >"$root/etc/libvirt/hooks/conf.d/win10.ini" <<END
[prepare/begin]
wait.for  = path=/etc timeout=5s
-wait.for = path=/run/never timeout=2s
END

# seen FILE PATTERN, unseen FILE PATTERN: is it there? \r and ESC are shown as ^M and ^[.
seen()
{
	grep -q -- "$2" "$1" && return
	echo "not ok: $1 has no \"$2\":"
	sed 's/^/    /' "$1"
	failed=1
}

unseen()
{
	grep -q -- "$2" "$1" || return 0
	echo "not ok: $1 has \"$2\":"
	sed 's/^/    /' "$1"
	failed=1
}

# on_terminal NAME ENVIRONMENT WORDS: vfio-hook on a terminal; what it wrote is in $tmp/NAME.
on_terminal()
{
	script -qec "env $2 '$build/vfio-hook' --root '$root' $3" /dev/null </dev/null |
		cat -v >"$tmp/$1"
}

on_terminal live TERM=xterm "test win10 0"
seen "$tmp/live" '\^M\^\[\[K\.\.\.     wait.for = path=/etc timeout=5s\^M'
seen "$tmp/live" '\^M\^\[\[K\^\[\[32mok    \^\[\[0m  wait.for = path=/etc timeout=5s  [0-9]'
seen "$tmp/live" '\^M\^\[\[K\.\.\.     -wait.for: waiting for /run/never, [12] s left\^M'
seen "$tmp/live" '\^M\^\[\[K\^\[\[1;31mfailed\^\[\[0m  -wait.for = path=/run/never timeout=2s  [0-9]'
seen "$tmp/live" 'win10: released; all is as it was'

# Narrow: a line that wraps could not be taken back.
script -qec "stty cols 40; TERM=xterm '$build/vfio-hook' --root '$root' test win10 0" /dev/null \
	</dev/null | tr '\r' '\n' | sed "s/$(printf '\033')\[K//" >"$tmp/narrow"
seen "$tmp/narrow" '^\.\.\.     -wait.for = path=/run/never tim$'

for env in TERM=dumb "TERM=xterm NO_COLOR=1" TERM=; do
	on_terminal plain "$env" "test win10 0"
	seen "$tmp/plain" '^ok      wait.for = path=/etc timeout=5s  [0-9]'
	seen "$tmp/plain" '^failed  -wait.for = path=/run/never timeout=2s  [0-9]'
	unseen "$tmp/plain" '\^\['
	unseen "$tmp/plain" '\.\.\.'
done

TERM=xterm "$build/vfio-hook" --root "$root" test win10 0 </dev/null >"$tmp/file"
seen "$tmp/file" '^ok      wait.for = path=/etc timeout=5s  [0-9]'
unseen "$tmp/file" "$(printf '\033')"
unseen "$tmp/file" '\.\.\.'

# A reader that is gone, or a disk that is full, changes nothing of what is done.
"$build/vfio-hook" --root "$root" test win10 0 </dev/null >/dev/full || {
	echo "not ok: test >/dev/full failed"
	failed=1
}
exit $failed

# shellcheck shell=dash
# What people have in their trees: scripts without #!, links, odd owners, scripts that hang.

tree=/etc/libvirt/hooks/qemu.d/win10
begin=$tree/prepare/begin
rm -f /etc/libvirt/hooks/conf.d/win10.ini
domain win10
mkdir -p $begin /lab/elsewhere.d
script()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod 755 "$1"
}
# ran DESC LINE...: what the scripts of a prepare wrote.
ran()
{
	local desc=$1
	shift
	printf '%s\n' "$@" >"$LAB/want"
	rm -f /run/tree
	hook_ok "$desc: prepare" prepare begin
	check "$desc" diff "$LAB/want" /run/tree
}
state "$LAB/before"

script $begin/1 'echo "1 $(grep -c "<uuid>")" >>/run/tree'
script $begin/2 'echo "2 $(grep -c "<uuid>")" >>/run/tree'
script $begin/3 'head -c 1 >/dev/null; echo 3 >>/run/tree'
script $begin/4 'echo "4 $(grep -c "<uuid>")" >>/run/tree'
ran "the XML is on every script's stdin" '1 1' '2 1' 3 '4 1'

rm $begin/*
echo 'echo "plain $*" >>/run/tree' >$begin/plain
chmod 755 $begin/plain
ran "a script without #!" 'plain win10 prepare begin -'

rm $begin/*
script /lab/elsewhere 'echo "linked $2" >>/run/tree'
ln -s /lab/elsewhere $begin/link
ran "a link to a script" 'linked prepare'
rm -r $begin
mv /lab/elsewhere /lab/elsewhere.d/x
ln -s /lab/elsewhere.d $begin
ran "a link to a folder" 'linked prepare'
rm $begin
mkdir $begin

script $begin/env 'echo "${PATH:+path}" >>/run/tree; test -t 0 || echo "no terminal" >>/run/tree'
ran "a usable environment" path 'no terminal'
script $begin/env 'echo "$PATH $OF_LIBVIRT" >>/run/tree'
HOOK_ENV=OF_LIBVIRT=kept ran "libvirt's environment" "$HOOK_PATH kept"

script $begin/env 'echo ran >>/run/tree'
chown user $begin/env
: >/var/log/vfio-hook/win10.log
ran "one that belongs to a user runs" ran
contains "and is warned of" /var/log/vfio-hook/win10.log 'WARNING.*prepare/begin/env'
chown root $begin/env

script $begin/env 'echo ran >>/run/tree; false && virsh list || :'
: >/var/log/vfio-hook/win10.log
ran "one that calls virsh runs" ran
contains "and is warned of" /var/log/vfio-hook/win10.log 'WARNING.*env calls virsh'

# One that never ends: it is ended, and named.
script $begin/env 'exec sleep 600'
config win10 <<END
[domain]
timeout = 2s
END
hook_refused "a script that hangs" 'script .*prepare/begin/env did not end in time and was killed' prepare begin
refute "nothing of it is left" pgrep -f 'sleep 600'
rm $begin/env

# On the way down the tree runs where the file says.
mkdir -p $tree/release/end
script $tree/release/end/x 'cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor >>/run/tree'
config win10 <<END
[prepare/begin]
governor.set = performance
[release/end]
undo =
scripts.run =
END
first=$(cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor)
rm -f /run/tree
hook_ok "scripts.run in release: prepare" prepare begin
hook_ok "scripts.run in release" release end win10 shutdown
equal "the tree runs behind undo, and once" "$(cat /run/tree)" "$first"

mkdir -p $tree/migrate/begin
script $tree/migrate/begin/x 'cat; echo "<domain/>"'
rm /etc/libvirt/hooks/conf.d/win10.ini
hook_ok "migrate" migrate begin
equal "the XML that a script prints goes nowhere" "$(wc -c <"$OUT")" 0

rm -rf $tree /lab/elsewhere.d
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"

# shellcheck shell=dash
# A PassthroughPOST tree runs as it does with the shell helper.

tree=/etc/libvirt/hooks/qemu.d/win10
rm -f /etc/libvirt/hooks/conf.d/win10.ini
domain win10
mkdir -p $tree/prepare/begin $tree/release/end $tree/started

# script PATH TEXT
script()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod 755 "$1"
}

script $tree/prepare/begin/20-b 'echo "b $*" >>/run/tree'
script "$tree/prepare/begin/10 a \$(x).sh" 'echo "a $* $(grep -c "<uuid>")" >>/run/tree; echo noise'
printf '#!/bin/sh\necho not run >>/run/tree\n' >$tree/prepare/begin/30-not-executable
script $tree/started/begin 'echo "started $4" >>/run/tree'
rm -f /run/tree
state "$LAB/before"
hook_ok "prepare with a folder of scripts" prepare begin
printf 'a win10 prepare begin - 1\nb win10 prepare begin -\n' >"$LAB/want"
check "sorted, with arguments and the XML" diff "$LAB/want" /run/tree
check "their output is in the log" grep -q noise /var/log/vfio-hook/win10.log
hook_ok "started with a file" started begin
contains "the file ran" /run/tree '^started -$'

script $tree/prepare/begin/15-fails 'echo no way >&2; exit 3'
rm -f /run/tree
hook_refused "a script that fails vetoes the start" 'no way' prepare begin
refute "the ones behind it do not run" grep -q '^b' /run/tree
rm $tree/prepare/begin/15-fails

script $tree/release/end/1-fails 'echo one >>/run/tree; exit 3'
script $tree/release/end/2-runs 'echo two $4 >>/run/tree'
rm -f /run/tree
hook release end win10 shutdown
contains "coming down a failing script stops nothing" /run/tree '^two shutdown$'

chmod 777 $tree/prepare/begin/20-b
hook_refused "a script that others can write is refused" 'chmod' prepare begin
chmod 755 $tree/prepare/begin/20-b

# With an INI file beside the tree: on the way up its steps first, on the way down the tree.
rm -rf $tree
mkdir -p $tree/prepare/begin $tree/release/end
script $tree/prepare/begin/x 'echo "up $(cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor)" >>/run/tree'
script $tree/release/end/x 'echo "down $(cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor)" >>/run/tree'
config win10 <<END
[prepare/begin]
governor.set = performance
END
rm -f /run/tree
hook_ok "an INI file and a tree: prepare" prepare begin
hook_ok "an INI file and a tree: release" release end win10 shutdown
printf 'up performance\ndown performance\n' >"$LAB/want"
check "an INI file and a tree: steps first going up, scripts first coming down" diff "$LAB/want" /run/tree
config win10 <<END
[prepare/begin]
scripts.run =
governor.set = performance
END
rm -f /run/tree
hook_ok "scripts.run: prepare" prepare begin
hook_ok "scripts.run: release" release end win10 shutdown
contains "scripts.run: they run where it stands" /run/tree '^up (schedutil|ondemand)'
equal "scripts.run: and once" "$(grep -c up /run/tree)" 1

# A prepare that never came to its scripts has no use for those of release.
config win10 <<END
[prepare/begin]
kmod.unload = no_such_module_at_all drm
END
rm -f /run/tree
hook_refused "refused by its check" 'drm' prepare begin
hook_ok "stopped behind it" stopped end
hook_ok "release behind it" release end win10 failed
refute "no script ran" test -e /run/tree
config win10 <<END
[prepare/begin]
exec.run = /bin/false
END
hook_refused "a step that fails before the scripts" '/bin/false' prepare begin
hook_ok "release behind that" release end win10 failed
refute "no script ran either" test -e /run/tree

# The same whatever kept it from them: a bad file, the switch, a dry run, a torn XML.
# nothing_begun DESC: what kept prepare from its scripts is mended by now.
nothing_begun()
{
	config win10 <<-END
	[prepare/begin]
	governor.set = performance
	END
	hook_ok "stopped behind $1" stopped end
	hook_ok "release behind $1" release end win10 failed
	refute "no script ran behind $1" test -e /run/tree
	rm -f /run/tree
	refute "$1: no journal is left" test -e "/run/vfio-hook/$(uuid_of win10).journal"
}
echo "[prepare/begin" >/etc/libvirt/hooks/conf.d/win10.ini
hook_refused "a bad config beside a tree" 'win10.ini:1' prepare begin
nothing_begun "a bad config"
touch /etc/libvirt/hooks/disable
hook_ok "a tree, switched off: prepare" prepare begin
hook_ok "a tree, switched off: start" start begin
rm /etc/libvirt/hooks/disable
nothing_begun "the switch"
config win10 <<END
[domain]
dry-run = yes
[prepare/begin]
governor.set = performance
END
hook_ok "a dry run beside a tree" prepare begin
nothing_begun "a dry run"
cp /etc/lab/win10.xml "$LAB/keep.xml"
head -c 200 "$LAB/keep.xml" >/etc/lab/win10.xml
hook_refused "a torn XML beside a tree" 'XML' prepare begin
cp "$LAB/keep.xml" /etc/lab/win10.xml
nothing_begun "a torn XML"
head -c 200 "$LAB/keep.xml" >/etc/lab/win10.xml
mv /etc/libvirt/qemu/win10.xml "$LAB/stored.xml"
hook_refused "a torn XML of a transient domain" 'XML' prepare begin
cp "$LAB/keep.xml" /etc/lab/win10.xml
nothing_begun "a torn XML of a transient domain"
mv "$LAB/stored.xml" /etc/libvirt/qemu/win10.xml

rm /etc/libvirt/hooks/conf.d/win10.ini
refute "no journal is left" test -e "/run/vfio-hook/$(uuid_of win10).journal"

# For any other operation libvirt calls: no veto, nothing on stdout.
mkdir -p $tree/migrate/begin $tree/reconnect/begin
script $tree/migrate/begin/x 'echo "<domain/>"; exit 1'
script $tree/reconnect/begin/x 'exit 1'
hook_ok "migrate never fails and prints nothing" migrate begin
hook_ok "reconnect never fails" reconnect begin
hook_ok "an operation of tomorrow" transmogrify begin
rm -rf $tree

# No configuration at all.
domain other
hook_ok "a domain without anything" prepare begin other
hook_ok "and its release" release end other
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"

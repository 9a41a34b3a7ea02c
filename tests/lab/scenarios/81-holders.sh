# shellcheck shell=dash
# modules: ext4
# Who holds a device is told apart and named; nothing is touched while one stays.

domain win10 $GPU_ALL
config win10 <<END
[prepare/begin]
governor.set = performance
service.stop = display-manager.service
pci.detach   = timeout=2s 01:00.*
END
group=$(readlink /sys/bus/pci/devices/$NET1/iommu_group)
group=${group##*/}

# refused DESC REGEX: in time, in words, and nothing is touched; then it works.
refused()
{
	state "$LAB/before"
	hook_refused "$1: refused by name" "$2" prepare begin
	equal "$1: one line" "$(wc -l <"$ERR")" 1
	check "$1: within its deadline" test "$HOOK_MS" -lt 10000
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: nothing was touched" "$ONEWAY_VFIO"
}

works()
{
	state "$LAB/before"
	hook_ok "$1: gone: prepare" prepare begin
	hook_ok "$1: gone: release" release end
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$ONEWAY_VFIO"
}

holder musicd /dev/snd/controlC0
refused "sound" "pci.detach.*$GPU_SOUND is held by musicd \\(pid $HOLDER, root, /dev/snd/controlC0\\): end musicd first"
kill "$HOLDER"
works "sound"

holder renderd /dev/dri/card0
refused "DRM" "$GPU is held by renderd \\(pid $HOLDER, root, /dev/dri/card0\\)"
kill "$HOLDER"
works "DRM"

SCOPE=/system.slice/miner.service holder minerd /dev/dri/card0
hook_refused "a unit's" "minerd \\(pid $HOLDER, root, /dev/dri/card0\\): stop miner.service first" prepare begin
kill "$HOLDER"

SCOPE=/user.slice/user-1000.slice/session-7.scope holder playerd /dev/snd/controlC0
hook_refused "a session's process may end with it, and is named when it does not" \
	"playerd \\(pid $HOLDER" prepare begin
check "within its deadline" test "$HOOK_MS" -lt 15000
kill "$HOLDER"

holder mapperd -m /dev/fb0 2>/dev/null || note "no /dev/fb0 to map"
if grep -qs fb0 "/proc/$HOLDER/maps"; then
	hook_refused "a mapping without a file" "mapperd \\(pid $HOLDER, root, /dev/fb0\\)" prepare begin
fi
holders_end

# In another mount namespace the node has another path.
mkdir -p /tmp/jail
mount -t tmpfs tmpfs /tmp/jail
mkdir -p /tmp/jail/nodes
cp -a /dev/snd/controlC0 /tmp/jail/nodes/controlC0
holder jailed /tmp/jail/nodes/controlC0
hook_refused "a node of another path" "jailed \\(pid $HOLDER, root, /dev/snd/controlC0\\)" prepare begin
kill "$HOLDER"
cp -a /dev/snd/controlC0 /tmp/jail/nodes/controlC7
holder renamed /tmp/jail/nodes/controlC7
hook_refused "a node by another's name" "renamed \\(pid $HOLDER, root, /dev/snd/controlC0\\)" prepare begin
kill "$HOLDER"
until_true 5 umount /tmp/jail

# nested NAME DIR COMMAND: holds DIR/controlC0 in a mount namespace where COMMAND has made it.
nested()
{
	cp /bin/hold "$LAB/bin/$1"
	rm -f $LAB/nested.pid
	# shellcheck disable=SC2016
	unshare -m sh -c 'mkdir -p "$2" && mount -t tmpfs tmpfs "$2" && eval "$3" && exec "$1" -p "$4" "$2/controlC0"' \
		sh "$LAB/bin/$1" "$2" "$3" $LAB/nested.pid </dev/null >"$LAB/out" 2>&1 &
	if ! until_true 5 test -s $LAB/nested.pid; then
		fail "a holder in a mount namespace of its own" "$LAB/out"
		return
	fi
	read -r HOLDER <$LAB/nested.pid
	echo "$HOLDER" >>"$LAB/holders"
}

nested jailed2 /mnt/nodes 'cp -a /dev/snd/controlC0 /mnt/nodes/'
refused "in a container's mount namespace" "jailed2 \\(pid $HOLDER, root, /dev/snd/controlC0\\)"
kill "$HOLDER"

# What an earlier step stops is no reason to refuse.
unit display-manager.service Xorg /dev/dri/card0 /dev/snd/controlC0
systemctl start display-manager.service
works "a display manager that is stopped first"
nested innocent /dev/snd 'mknod /dev/snd/controlC0 c 1 3'
works "another device by our node's name"
kill "$HOLDER"
holder strayd /dev/snd/controlC0
refused "one that stays, beside one that ends" "held by strayd \\(pid $HOLDER"
refute "who ends is not blamed" grep -q Xorg "$ERR"
check "the display manager never stopped" systemctl is-active display-manager.service
kill "$HOLDER"

# A unit that does not let go although it was stopped: the wait ends, all is undone.
unit display-manager.service Xorg /dev/dri/card0
systemctl start display-manager.service
session 5 user /dev/snd/controlC0
state "$LAB/before"
hook_refused "a session that outlives the display manager" "session-5 \\(pid $HOLDER, root, /dev/snd/controlC0\\): end the session of" prepare begin
check "waited for no longer than the step's timeout" test "$HOOK_MS" -lt 15000
state "$LAB/after"
same "$LAB/before" "$LAB/after" "all was undone" "$ONEWAY_VFIO"
loginctl terminate-session 5
holders_end

# The other guest's vfio group.
domain win10 $NET1
config win10 <<END
[prepare/begin]
governor.set = performance
pci.detach = timeout=2s
END
bind_to $NET1 vfio-pci
holder qemuish "/dev/vfio/$group"
refused "a vfio group" "qemuish \\(pid $HOLDER, root, /dev/vfio/$group\\): shut its guest down first"
kill "$HOLDER"
until_true 5 home $NET1
works "the vfio group"

# The last gate names who holds each of the devices, and looks at every process once.
domain win10 $GPU_ALL
: >/etc/libvirt/hooks/disable
holder musicd /dev/snd/controlC0
sound=$HOLDER
holder renderd /dev/dri/card0
HOOK_WRAP="strace -D -f -o $LAB/trace -e trace=openat" hook_refused "switched off: the last gate names all holders" \
	"libvirt would hang.*$GPU is still on bochs.* and held by renderd \\(pid $HOLDER, .*; $GPU_SOUND is still on snd_hda_intel and held by musicd \\(pid $sound, " prepare begin
equal "three devices, one look at each process" "$(grep -c '"/proc/1/maps"' "$LAB/trace")" 1
kill "$HOLDER" "$sound"
until_true 5 eval "! kill -0 $HOLDER && ! kill -0 $sound"
HOOK_WRAP="strace -D -f -o $LAB/trace -e trace=openat" hook_ok "switched off: the last gate lets through what nobody holds" prepare begin
refute "where their modules count nobody, there is no need to look" grep '"/proc/1/maps"' "$LAB/trace"
rm /etc/libvirt/hooks/disable

# Who may not look at others' processes is told that something is not known.
# shellcheck disable=SC2086 # words
domain win10 $GPU_ALL
holder hiddend /dev/snd/controlC0
su -s /bin/sh user -c "vfio-hook plan win10 prepare" </etc/lab/win10.xml >"$LAB/plan" 2>&1
contains "one that may not look at all processes is told so" "$LAB/plan" \
	"[0-9]+ processes may not be looked at, .* \\(pid [0-9]+\\) for one: whether"
kill "$HOLDER"
until_true 5 eval "! kill -0 $HOLDER"

# A process that hangs in the kernel, and whose memory nobody can look at: a page of a
# frozen file system is written to. It is told, nothing waits for it, and what else is
# known of it is known.
domain win10 $GPU_ALL
config win10 <<END
[domain]
headless = yes
[prepare/begin]
pci.detach   = timeout=2s 01:00.*
END
dd if=/dev/zero of=/tmp/frozen.img bs=1M count=8 2>/dev/null
mke2fs -F /tmp/frozen.img >/dev/null 2>&1
mkdir -p /mnt/frozen
modprobe loop
modprobe ext4
mount -o loop /tmp/frozen.img /mnt/frozen
dd if=/dev/zero of=/mnt/frozen/page bs=4096 count=1 2>/dev/null
sync
# One of the group is on VFIO, so the group has a file, and no count tells who has it open.
check "one of the group is on VFIO already" bind_to $GPU_USB vfio-pci
state "$LAB/before"
check "a file system is frozen" fsfreeze --freeze /mnt/frozen
holder frozend -l /mnt/frozen/page /dev/null
innocent=$HOLDER
hangs() { timeout 1 cat "/proc/$1/maps" >/dev/null 2>&1; [ $? -gt 1 ]; }
check "a process hangs with its memory locked" until_true 20 hangs "$innocent"
: >/var/log/vfio-hook/win10.log
hook_ok "it holds up nobody: prepare" prepare begin
contains "it is told that it could not be looked at" /var/log/vfio-hook/win10.log \
	"frozend \\(pid $innocent\\) hangs in the kernel and cannot be looked at: whether one of them holds a device is not known"
refute "no child is left behind" grep -q '^left' "/run/vfio-hook/$(uuid_of win10).journal"
hook_ok "release" release end
vfio-hook devices >"$LAB/devices"
contains "devices tells it as well" "$LAB/devices" "frozend \\(pid $innocent\\) hangs in the kernel"
holder stopme /dev/null
stopme=$HOLDER
echo "[prepare/begin]
process.stop = timeout=5s stopme" | config win10
hook_ok "process.stop looks past it: prepare" prepare begin
check "and ends whom it was to end" until_true 5 eval "! kill -0 $stopme"
hook_ok "release" release end
config win10 <<END
[domain]
headless = yes
[prepare/begin]
pci.detach   = timeout=2s 01:00.*
END
holder frozen2 -l /mnt/frozen/page /dev/snd/controlC0
check "another one hangs, with a node open" until_true 20 hangs "$HOLDER"
refused "one that hangs" "$GPU_SOUND is held by frozen2 \\(pid $HOLDER, root, /dev/snd/controlC0\\): end frozen2 first"
# Killed, they would wait for the thaw as well.
fsfreeze --unfreeze /mnt/frozen
kill "$HOLDER" "$innocent"
check "thawed, they end" until_true 20 eval "! kill -0 $HOLDER && ! kill -0 $innocent"
until_true 5 umount /mnt/frozen
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
until_true 5 home $GPU_USB

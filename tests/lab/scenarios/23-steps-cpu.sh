# shellcheck shell=dash
# CPUs and interrupts: partition, masks, IRQs; each alone, and the host as before.

group() { cat "/sys/fs/cgroup/$1"; }

# Older kernels clear no mask of a group with processes: this one has process 1.
init_mask=/sys/fs/cgroup/init.scope/cpuset.cpus
echo 0-2 >$init_mask
{ echo >$init_mask; } 2>/dev/null
if [ -n "$(cat $init_mask)" ]; then
	cleared='' KEPT='^cgroup /init.scope/cpuset.cpus '
else
	cleared=1 KEPT='^$'
fi
# Without processes it can be cleared.
clear_init()
{
	local p
	for p in $(group init.scope/cgroup.procs); do echo "$p" >/sys/fs/cgroup/cgroup.procs; done 2>/dev/null
	check "the mask of init.scope can be cleared" eval 'echo >/sys/fs/cgroup/init.scope/cpuset.cpus'
	for p in 1 $$; do echo "$p" >/sys/fs/cgroup/init.scope/cgroup.procs; done
}

[ "$cleared" ] || clear_init
isolated='[ "$(group machine.slice/cpuset.cpus.partition) $(group cpuset.cpus.effective) $(group system.slice/cpuset.cpus.effective)" = "root 0-1 0-1" ]'
masked='[ "$(group system.slice/cpuset.cpus) $(group user.slice/cpuset.cpus) $(group init.scope/cpuset.cpus) $(group machine.slice/cpuset.cpus.partition)" = "0-1 0-1 0-1 member" ]'

HUGE='' VCPUPIN='2 3' EMULATORPIN=2-3 domain win10
step "cpuset.isolate, a partition" "$isolated" "$KEPT" <<END
cpuset.isolate =
END
equal "a partition leaves no mask behind" "$(group init.scope/cpuset.cpus)" ''
step "cpuset.isolate, a partition of named CPUs" "$isolated" "$KEPT" <<END
cpuset.isolate = 2-3
END
# The daemon is killed in between: the journal is enough.
echo "cpuset.isolate =" | { echo "[prepare/begin]"; cat; } | config win10
state "$LAB/before"
hook_ok "cpuset.isolate and no release: prepare" prepare begin
rm /etc/libvirt/hooks/conf.d/win10.ini
check "undo puts back a partition without the config" vfio-hook undo win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "cpuset.isolate and no release: the host is as before"

mkdir -p /sys/fs/cgroup/machine.slice
SCOPE=/machine.slice/other.scope holder qemu-other /dev/null
step "cpuset.isolate beside another guest: masks" "$masked" "$KEPT" <<END
cpuset.isolate =
END
check "cpuset.isolate beside another guest: the reason" grep -q 'another guest runs in machine.slice' /var/log/vfio-hook/win10.log
if [ "$cleared" ]; then
	equal "the mask is cleared" "$(group init.scope/cpuset.cpus)" ''
	echo 0-3 >$init_mask
else
	equal "the mask that cannot be cleared is left at all CPUs" "$(group init.scope/cpuset.cpus)" 0-3
	check "and that is reported" grep -q 'init.scope keeps a mask of all CPUs' /var/log/vfio-hook/win10.log
fi
holders_end
rmdir /sys/fs/cgroup/machine.slice/other.scope
step "cpuset.isolate beside a mask: no partition" "$masked" "$KEPT" <<END
cpuset.isolate =
END
check "cpuset.isolate beside a mask: the reason" grep -q 'init.scope has a mask of its own' /var/log/vfio-hook/win10.log
clear_init

HUGE='' VCPUPIN='2 3' domain win10
step "cpuset.isolate without emulatorpin: masks" "$masked" "$KEPT" <<END
cpuset.isolate =
END
clear_init
SCOPE=/system.slice/busy.service holder busyd /dev/null
kept=$KEPT
[ "$cleared" ] || KEPT='^cgroup /(init.scope|system.slice)/cpuset.cpus '
step "cpuset.isolate with services that run: masks" "$masked" "$KEPT" <<END
cpuset.isolate =
END
check "a service runs on all CPUs again" grep -q '^Cpus_allowed_list:.*0-3' "/proc/$HOLDER/status"
holders_end
KEPT=$kept
echo >/sys/fs/cgroup/system.slice/cpuset.cpus
clear_init

# A guest that runs: its QEMU in a control group of its own, as libvirt makes it.
# guest NAME SCOPE: the threads that libvirt pins have groups in that one.
SLICE=/sys/fs/cgroup/machine.slice
guest()
{
	local dir=$SLICE/$2
	mkdir -p $LAB/bin
	cp /bin/busybox $LAB/bin/busybox-qemu
	mkdir -p "$dir/libvirt/emulator"
	rm -f "$LAB/guest"
	mkfifo "$LAB/guest"
	$LAB/bin/busybox-qemu sh -c 'read x' qemu -uuid "$(uuid_of "$1")" <>"$LAB/guest" >/dev/null 2>&1 &
	GUEST=$!
	echo $GUEST >"$dir/libvirt/emulator/cgroup.procs"
}
guest_end()
{
	kill $GUEST
	wait $GUEST
	find "$SLICE/$1" -depth -type d -exec rmdir {} +
} 2>/dev/null
partition_of() { echo "$(group "machine.slice/$1/cpuset.cpus.partition") $(group "machine.slice/$1/cpuset.cpus.effective")"; }
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/status"; }

echo +cpuset >$SLICE/cgroup.subtree_control
WIN10='machine-qemu\x2d1\x2dwin10.scope' OTHER='machine-qemu\x2d2\x2dother.scope'
mkdir -p "$SLICE/$WIN10"
if [ -e "$SLICE/$WIN10/cpuset.cpus.exclusive" ]; then newer=1; else newer=; fi
rmdir "$SLICE/$WIN10"
HUGE='' VCPUPIN='2' EMULATORPIN=2 domain win10
HUGE='' VCPUPIN='3' EMULATORPIN=3 domain other
for d in win10 other; do
	printf '[started/begin]\ncpuset.isolate =\n' | config $d
done
state "$LAB/before"
vfio-hook plan win10 started/begin >"$LAB/plan" 2>&1 </dev/null
contains "before the guest runs the plan does not know" "$LAB/plan" 'a partition or AllowedCPUs: that shows when the guest runs'
hook_ok "[started/begin]: prepare" prepare begin
guest win10 "$WIN10"
hook_ok "cpuset.isolate in [started/begin]" started begin
if [ "$newer" ]; then
	equal "the guest's own group is a partition" "$(partition_of "$WIN10")" "root 2"
	equal "nothing else runs there" "$(group cpuset.cpus.effective) $(group system.slice/cpuset.cpus.effective)" "0-1,3 0-1,3"
	equal "QEMU does" "$(allowed $GUEST)" 2
	equal "no mask was set" "$(group system.slice/cpuset.cpus)" ''
	first=$GUEST
	hook_ok "another guest: prepare" prepare begin other
	guest other "$OTHER"
	hook_ok "another guest: cpuset.isolate in [started/begin]" started begin other
	equal "it has a partition of its own" "$(partition_of "$OTHER")" "root 3"
	equal "the first has its own still" "$(partition_of "$WIN10")" "root 2"
	equal "the host has the rest" "$(group cpuset.cpus.effective)" 0-1
	second=$GUEST GUEST=$first
	# libvirt takes the group away before release.
	guest_end "$WIN10"
	GUEST=$second
	hook_ok "the first guest's release" release end
	equal "the host has its CPU again" "$(group cpuset.cpus.effective)" 0-2
	equal "the other's partition stays" "$(partition_of "$OTHER")" "root 3"
	check "undo while the other guest runs" vfio-hook undo other
	equal "its group is none any more" "$(group "machine.slice/$OTHER/cpuset.cpus.partition")" member
	equal "and it runs on all CPUs" "$(allowed $GUEST)" 0-3
	guest_end "$OTHER"
	hook_ok "the other guest's release" release end other
	KEEP='^$'
else
	equal "an older kernel: masks" "$(group system.slice/cpuset.cpus) $(group user.slice/cpuset.cpus)" "0-1,3 0-1,3"
	contains "and the log says why" /var/log/vfio-hook/win10.log 'no partition, as this kernel makes none of the guest.s group'
	guest_end "$WIN10"
	hook_ok "the guest's release" release end
	KEEP=$KEPT
fi
state "$LAB/after"
same "$LAB/before" "$LAB/after" "cpuset.isolate in [started/begin]: the host is as before" "$KEEP"
clear_init

# What the kernel refuses is taken back, and masks are set: a group beside has these CPUs by name.
if [ "$newer" ]; then
	mkdir "$SLICE/beside"
	echo 2 >"$SLICE/beside/cpuset.cpus.exclusive"
	state "$LAB/before"
	hook_ok "a partition that the kernel refuses: prepare" prepare begin
	guest win10 "$WIN10"
	hook_ok "a partition that the kernel refuses: started" started begin
	equal "masks are set" "$(group system.slice/cpuset.cpus) $(group user.slice/cpuset.cpus)" "0-1,3 0-1,3"
	equal "nothing of a partition is left" "$(partition_of "$WIN10") $(group machine.slice/cpuset.cpus.exclusive)" "member 0-3 "
	contains "the log has the kernel's refusal" /var/log/vfio-hook/win10.log "cpuset.cpus.exclusive: cannot write '2'"
	guest_end "$WIN10"
	hook_ok "a partition that the kernel refuses: release" release end
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "a partition that the kernel refuses: the host is as before" "$KEPT"
	rmdir "$SLICE/beside"
	clear_init
fi
rm /etc/libvirt/hooks/conf.d/other.ini
echo -cpuset >$SLICE/cgroup.subtree_control

config win10 <<END
[prepare/begin]
cpuset.isolate = 0-3
END
hook_refused "cpuset.isolate of all CPUs is refused" 'no CPU would be left to the host' prepare begin
config win10 <<END
[prepare/begin]
cpuset.isolate = 2,9
END
hook_refused "cpuset.isolate of a CPU that is not there is refused" 'use those that are: 0-3' prepare begin
HUGE='' domain win10
config win10 <<END
[prepare/begin]
cpuset.isolate =
END
hook_refused "cpuset.isolate without any CPUs is refused" 'has no <vcpupin>' prepare begin

# Every interrupt that may be moved is where it should be; the others are the kernel's.
irqs_within()
{
	local d n
	for d in /proc/irq/*/*/; do
		n=${d#/proc/irq/}
		n=${n%%/*}
		if grep -qxE "$1" "/proc/irq/$n/smp_affinity_list"; then
			moved=$((moved + 1))
		elif ! grep -h . "/proc/irq/$n/smp_affinity_list" | {
			read -r m
			{ echo "$m" >"/proc/irq/$n/smp_affinity_list"; } 2>/dev/null && exit 1
			exit 0
		}; then
			echo "IRQ $n ($d) is on $(cat "/proc/irq/$n/smp_affinity_list")"
			return 1
		fi
	done
	[ $moved -gt 2 ]
}
moved=0
step "irq.move" "irqs_within '[01]|0-1'" "$KEPT" <<END
irq.move = to=0-1
END
moved=0
HUGE='' VCPUPIN='2 3' EMULATORPIN=2-3 domain win10
step "irq.move away from the XML's CPUs" "irqs_within '[01]|0-1'" "$KEPT" <<END
irq.move =
END
moved=0
step "irq.move away from those of cpuset.isolate" "irqs_within '[0-2]|0-2|0-1|0,2|1-2'" "$KEPT" <<END
-cpuset.isolate = 3
irq.move =
END
clear_init
refute "irq.move: no word of irqbalance" grep -q 'irqbalance' /var/log/vfio-hook/win10.log
holder irqbalance /dev/null
moved=0
step "irq.move beside irqbalance" "irqs_within '[01]|0-1'" "$KEPT" <<END
irq.move = to=0-1
END
check "irq.move beside irqbalance: a warning" grep -q 'irqbalance runs' /var/log/vfio-hook/win10.log
holders_end

# Only what has asked for it by that name.
irqs_but() { grep -H . /proc/irq/*/smp_affinity_list | grep -v "^/proc/irq/$1/" | sort; }
hda=$(basename "$(dirname "$(ls -d /proc/irq/*/snd_hda_intel*/)")")
irqs_but "$hda" >"$LAB/irqs"
only_hda()
{
	irqs_but "$hda" | cmp -s - "$LAB/irqs" && grep -qx 1 "/proc/irq/$hda/smp_affinity_list"
}
step "irq.move by name" only_hda "$KEPT" <<END
irq.move = to=1 snd_hda* nobody
END
check "irq.move by name: a warning" grep -q 'no interrupt of nobody is there now' \
	/var/log/vfio-hook/win10.log

# The interrupt is another one by now, perhaps with the same number.
config win10 <<END
[prepare/begin]
irq.move = to=0
END
state "$LAB/before"
hook_ok "irq.move to=0: prepare" prepare begin
check "an interrupt is given up" eval 'echo $GPU_SOUND >/sys/bus/pci/drivers/snd_hda_intel/unbind'
check "and taken again" eval 'echo $GPU_SOUND >/sys/bus/pci/drivers/snd_hda_intel/bind'
hook_ok "irq.move with an interrupt that went away: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "irq.move with an interrupt that went away: the host is as before"

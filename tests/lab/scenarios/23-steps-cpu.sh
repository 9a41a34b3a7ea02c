# shellcheck shell=dash
# CPUs and interrupts: partition, masks, IRQs; each alone, and the host as before.

group() { cat "/sys/fs/cgroup/$1"; }

# The kernel clears no mask of a group with processes: this one has process 1.
KEPT='^cgroup /init.scope/cpuset.cpus '
# Without processes it can be cleared.
clear_init()
{
	local p
	for p in $(group init.scope/cgroup.procs); do echo "$p" >/sys/fs/cgroup/cgroup.procs; done 2>/dev/null
	check "the mask of init.scope can be cleared" eval 'echo >/sys/fs/cgroup/init.scope/cpuset.cpus'
	for p in 1 $$; do echo "$p" >/sys/fs/cgroup/init.scope/cgroup.procs; done
}

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
equal "the mask that cannot be cleared is left at all CPUs" "$(group init.scope/cpuset.cpus)" 0-3
check "and that is reported" grep -q 'init.scope keeps a mask of all CPUs' /var/log/vfio-hook/win10.log
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
KEPT='^cgroup /(init.scope|system.slice)/cpuset.cpus '
step "cpuset.isolate with services that run: masks" "$masked" "$KEPT" <<END
cpuset.isolate =
END
check "a service runs on all CPUs again" grep -q '^Cpus_allowed_list:.*0-3' "/proc/$HOLDER/status"
holders_end
KEPT='^cgroup /init.scope/cpuset.cpus '
echo >/sys/fs/cgroup/system.slice/cpuset.cpus
clear_init

config win10 <<END
[prepare/begin]
cpuset.isolate = 0-3
END
hook_refused "cpuset.isolate of all CPUs is refused" 'no CPU would be left to the host' prepare begin
config win10 <<END
[prepare/begin]
cpuset.isolate = 2,9
END
hook_refused "cpuset.isolate of a CPU that is not there is refused" 'online: 0-3' prepare begin
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

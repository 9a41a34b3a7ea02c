# shellcheck shell=dash
# Crash recovery and rollback with a fault at each call in turn: for 90-kill.sh and
# 91-errno.sh, which source it. tests/lab/inject.c says which calls count.
#
# On the kernel command line: faults=K tries each K-th call only (1: all of them),
# faults-from=N begins at the N-th, faults-of=devices|tuning takes one part only,
# faults-at=REGEX of these only calls that match (as "fchmod /dev/shm/looking-glass"),
# faults-slow=MS tells of tries that take so long.

# shellcheck source=/dev/null
. /lab/lib.sh

kernel_word() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }

# Something of every kind of change; small, as it is done some hundred times. In two
# parts: devices, with what stands in their way, and tuning. MAKES: calls that must be
# among those of prepare.
faults_config()
{
	KEPT=
	"config_$FAULTS"
}

config_devices()
{
	MAKES='openat.*journal fallocate unbind bind delete_module init_module driver_override scaling_governor nr_hugepages systemctl'
	# shellcheck disable=SC2086 # words
	HUGE='' domain win10 $GPU_ALL
	config win10 <<-END
		[devices]
		gpu = 01:00.*

		[prepare/begin]
		hugepages.allocate = pages=2 size=2M
		governor.set       = performance
		kmod.load          = dummy
		service.stop       = display-manager.service
		vtconsole.unbind   =
		framebuffer.unbind =
		kmod.unload        = $(grep -oE '^bochs[a-z_]*' /proc/modules)
		pci.detach         = timeout=10s gpu
	END
	systemctl start display-manager.service
}

config_tuning()
{
	# A mask that the kernel will not clear, or that it refused to, stays at all CPUs.
	KEPT='^(cgroup /(init.scope|(machine|system|user).slice)/cpuset.cpus (0-3)?|unit units machine.slice properties AllowedCPUs=0-3)$'
	MAKES='cpuset.cpus.partition smp_affinity_list stat_interval sleep_millisecs fchownat chmod openat.*shm ftruncate fchown fchmod true d3cold power/control'
	touch /dev/lab-input
	HUGE='' VCPUPIN='2 3' EMULATORPIN=2-3 domain win10 "$NVME"
	config win10 <<-END
		[prepare/begin]
		cpuset.isolate =
		irq.move       =
		sysctl.write   = vm.stat_interval 120
		sysfs.write    = /sys/kernel/mm/ksm/sleep_millisecs 77
		file.own       = owner=user group=kvm mode=0660 /dev/lab-input
		shm.create     = owner=user group=kvm mode=0600 looking-glass
		exec.run       = /bin/true
		exec.undo      = /bin/true
		pci.detach     = timeout=10s $NVME
		pci.power      = control=on d3cold=0 $NVME
	END
}

# The state, without what is one way by contract.
snap()
{
	state "$1"
	[ -z "$KEPT" ] || sed -i -E "\\@$KEPT@d" "$1"
}

# The parts that are to be tried.
faults_parts() { kernel_word faults-of | grep . || echo devices tuning; }

# calls_of OP SUB: how many calls a whole phase makes; sets COUNT. The list is left in
# $LAB/calls.OP.
calls_of()
{
	HOOK_WRAP="inject -o $LAB/calls.$1" hook_ok "$1, counted" "$1" "$2"
	COUNT=$(wc -l <"$LAB/calls.$1")
}

# The vfio modules are loaded by this, and what boots only once is done.
faults_begin()
{
	TRIED=0 BACK=0 BAD=0
	FAULTS_SLOW=$(kernel_word faults-slow)
	faults_config
	hook_ok "prepare" prepare begin
	hook_ok "release" release end
	snap "$LAB/before"
	calls_of prepare begin
	PREPARE_CALLS=$COUNT
	calls_of release end
	RELEASE_CALLS=$COUNT
	snap "$LAB/after"
	same "$LAB/before" "$LAB/after" "the host is as before under the tracer"
	note "$FAULTS: prepare makes $PREPARE_CALLS calls that count, release $RELEASE_CALLS"
	check "there is something to try" test "$PREPARE_CALLS" -gt 20 -a "$RELEASE_CALLS" -gt 20
	for makes in $MAKES; do
		check "$FAULTS: the calls are known: $makes" grep -q -- "$makes" "$LAB/calls.prepare"
	done
	cat "$LAB/calls.prepare" "$LAB/calls.release" | sed 's/^/# call /'
}

# Is call N of PHASE one of those that are to be tried?
is_wanted() { sed -n "$1p" "$LAB/calls.$2" | grep -qE -- "$(kernel_word faults-at)"; }

# Runs VISIT N for the calls 1 to COUNT, or each K-th.
each_call()
{
	local count=$1 visit=$2 k n
	k=$(kernel_word faults)
	n=$(kernel_word faults-from)
	[ -n "$n" ] || n=1
	while [ "$n" -le "$count" ]; do
		N=$n WRONG='' START=$(uptime_ms)
		is_wanted "$n" "${visit##*in_}" && $visit
		n=$((n + ${k:-${FAULTS_DEFAULT:-9}}))
	done
}

# wrong TEXT: this try failed.
wrong()
{
	WRONG="$WRONG${WRONG:+; }$1"
}

# What the call was that had the fault.
the_call() { sed -n "$N{s/^[0-9]* [0-9]* //p;q}" "$LAB/calls"; }

journal_left()
{
	# An empty one is left where it could not be removed.
	[ ! -s "/run/vfio-hook/$(uuid_of win10).journal" ] || wrong "the journal is still there"
}

# The host is as before; else it is put right as well as can be, for the next try.
as_before()
{
	snap "$LAB/after"
	if ! cmp -s "$LAB/before" "$LAB/after"; then
		diff -U0 "$LAB/before" "$LAB/after" | grep '^[-+][^-+]' >"$LAB/diff.$N"
		wrong "$(wc -l <"$LAB/diff.$N") differences"
	fi
}

settle_try()
{
	local took=$(($(uptime_ms) - START))
	[ $took -lt "${FAULTS_SLOW:-15000}" ] || note "$1 call $N ($(the_call)): $((took / 1000)) s"
	TRIED=$((TRIED + 1))
	if [ -z "$WRONG" ]; then
		BACK=$((BACK + 1))
		return
	fi
	BAD=$((BAD + 1))
	[ $BAD -lt 40 ] || return
	fail "$1 call $N ($(the_call)): $WRONG" "$LAB/diff.$N"
	note "  said: $(cat "$LAB/said" 2>/dev/null)"
	grep -n "^" /var/log/vfio-hook/win10.log | tail -n 30 | cut -c1-260 | sed 's/^/#   log /'
	rm -f "$LAB/diff.$N"
	vfio-hook undo win10 </dev/null >/dev/null 2>&1
	systemctl start display-manager.service
	snap "$LAB/after"
	cmp -s "$LAB/before" "$LAB/after" && return
	note "  undo does not help"
	cp "$LAB/after" "$LAB/before"
}

# class DESC: one line for all tries since the last.
class()
{
	note "faults: $TRIED tried, $BACK put back ($FAULTS: $1)"
	equal "$FAULTS: $1: all put back" "$BACK" "$TRIED"
	[ -n "$(kernel_word faults-at)" ] || check "$FAULTS: $1: some were tried" test "$TRIED" -gt 0
	TRIED=0 BACK=0
}

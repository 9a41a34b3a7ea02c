# shellcheck shell=dash
# What a scenario may use; sourced by the guest's init before each of them.
#
# Results:   ok DESC, fail DESC [FILE...], check DESC CMD..., refute DESC CMD...,
#            equal DESC GOT WANTED, contains DESC FILE REGEX, note TEXT, keep NAME FILE
# State:     state FILE, same A B DESC [REGEX of lines left out]
# Hook:      config DOMAIN <<EOF, domain DOMAIN [ADDRESS...],
#            hook OP SUB [DOMAIN [EXTRA]] (RC, OUT, ERR, HOOK_HUNG),
#            hook_bg (HOOKPID), hook_wait PID, step DESC TEST [REGEX] <<LINES
# Holders:   holder NAME [OPTION...] FILE... (HOLDER), holders_end
# Stand-ins: unit NAME [COMMAND...], session ID USER [FILE...]
# Figures:   figures_begin, figure NAME NUMBER, figures NAME, best NAME, median NAME,
#            vfio_writes ADDRESS..., sound_is_there
# Host:      driver ADDRESS, bind_to ADDRESS DRIVER, home ADDRESS, until_true SECONDS CMD...

# The guest's devices (boot.sh has the layout).
# shellcheck disable=SC2034 # for scenarios
{
GPU=0000:01:00.0 GPU_SOUND=0000:01:00.1 GPU_USB=0000:01:00.2 GPU_PORT=0000:00:01.0
NVME=0000:02:00.0 NVME_PORT=0000:00:02.0
NET1=0000:00:03.0 NET2=0000:00:04.0
GPU_ALL="$GPU $GPU_SOUND $GPU_USB"

# Lines of state that are one way by contract: vfio is never unloaded.
ONEWAY_VFIO='^(module (vfio|vfio_[a-z0-9_]*|irqbypass)( |$)|node .* /dev/vfio(/vfio)?$)'
}

: "${DOMAIN:=win10}" "${LAB_NAME:=lab}"
LAB=/run/lab

# busybox would take its own applets, which know no softdeps, no install
# commands and no compressed modules.
modprobe() { /sbin/modprobe "$@"; }
rmmod() { /sbin/rmmod "$@"; }
insmod() { /sbin/insmod "$@"; }

# keep NAME FILE: boot.sh makes it a file again. Lines of text; what is called as a command
# with --json (plan.idle) is held against the schemas there.
keep() { sed "s/^/#:$1: /" "$2"; }

# --- results ---------------------------------------------------------------

note() { printf '%s\n' "$*" | sed 's/^/# /'; }

ok() { echo "ok $LAB_NAME - $*"; }

# fail DESC [FILE...]: the files are shown as diagnostics.
fail()
{
	local f
	echo "not ok $LAB_NAME - $1"
	: >"$LAB/failed.$LAB_NAME"
	shift
	for f; do
		[ -r "$f" ] && head -n 60 "$f" | tr -d '\000' | sed 's/^/#   /'
	done
	return 1
}

# check DESC CMD...: CMD succeeds. It runs in this shell, so it may set variables.
check()
{
	local desc=$1
	shift
	if "$@" >"$LAB/check" 2>&1; then ok "$desc"; else fail "$desc" "$LAB/check"; fi
}

refute()
{
	local desc=$1
	shift
	if "$@" >"$LAB/check" 2>&1; then fail "$desc" "$LAB/check"; else ok "$desc"; fi
}

equal()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		fail "$1"
		note "  got '$2', wanted '$3'"
		return 1
	fi
}

# contains DESC FILE REGEX
contains()
{
	if grep -qE -e "$3" "$2"; then
		ok "$1"
	else
		fail "$1" "$2"
		note "  nothing there matches $3"
		return 1
	fi
}

uptime_ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

# until_true SECONDS CMD...: CMD succeeds within that time.
until_true()
{
	local end=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(uptime_ms)" -lt $end ] || return 1
		usleep 50000
	done
}

# --- the state of the host -------------------------------------------------

# Lines FILE:VALUE of all named files that can be read.
values() { grep -sH '' "$@" /dev/null; }

state_pci()
{
	local d a f s e x n files=
	for a in driver_override power/control d3cold_allowed reset_method enable msi_bus class vendor device; do
		for f in /sys/bus/pci/devices/*/"$a"; do files="$files $f"; done
	done
	# shellcheck disable=SC2086
	# enable is a counter, and bochs of 5.10 forgets to count down.
	values $files | sed 's|^/sys/bus/pci/devices/\([^/]*\)/\([^:]*\):|pci \1 \2 |
		s/ enable [1-9][0-9]*$/ enable 1/'
	stat -c %N /sys/bus/pci/devices/*/driver 2>/dev/null |
		sed "s|^'/sys/bus/pci/devices/\([^/]*\)/.*/\(.*\)'\$|pci \1 driver \2|"
	for d in /sys/bus/pci/devices/*; do
		a=${d##*/}
		[ -e "$d/driver" ] || echo "pci $a driver -"
		if [ -e "$d/iommu_group" ]; then echo "pci $a group yes"; else echo "pci $a group no"; fi
		n=0
		while read -r s e x; do
			[ "$s" = 0x0000000000000000 ] && [ "$e" = "$s" ] ||
				echo "pci $a resource$n size $((e - s + 1)) flags $x"
			n=$((n + 1))
		done <"$d/resource"
		for f in "$d"/net/*; do
			[ -e "$f" ] && echo "pci $a net ${f##*/}"
		done
	done
}

state_modules()
{
	local m x files=
	# shellcheck disable=SC2034
	while read -r m x; do
		echo "module $m"
		for x in "/sys/module/$m/parameters/"*; do
			[ -r "$x" ] && files="$files $x"
		done
	done </proc/modules
	# shellcheck disable=SC2086
	values $files | sed 's|^/sys/module/\([^/]*\)/parameters/\([^:]*\):|module \1 parameter \2 |'
}

state_consoles()
{
	local v name bind d
	for v in /sys/class/vtconsole/*; do
		read -r name <"$v/name"
		read -r bind <"$v/bind"
		echo "vtconsole $name bind $bind"
	done
	for d in /sys/bus/platform/devices/*-framebuffer.*; do
		[ -e "$d" ] || continue
		if [ -e "$d/driver" ]; then
			name=$(readlink "$d/driver")
			echo "framebuffer ${d##*/} driver ${name##*/}"
		else
			echo "framebuffer ${d##*/} driver -"
		fi
	done
	sed 's/^/fb /' /proc/fb
	values /sys/class/tty/tty0/active | sed 's/^[^:]*:/vt active /'
}

state_tuning()
{
	local d f n mask
	values /sys/devices/system/cpu/cpufreq/policy*/scaling_governor \
		/sys/devices/system/cpu/cpufreq/policy*/scaling_driver \
		/sys/devices/system/cpu/cpufreq/policy*/scaling_m??_freq \
		/sys/devices/system/cpu/cpufreq/policy*/energy_performance_preference |
		sed 's|^/sys/devices/system/cpu/cpufreq/\([^/]*\)/\([^:]*\):|cpufreq \1 \2 |'
	values /sys/devices/system/node/node*/hugepages/*/nr_hugepages \
		/sys/devices/system/node/node*/hugepages/*/surplus_hugepages \
		/sys/kernel/mm/hugepages/*/nr_hugepages \
		/sys/kernel/mm/hugepages/*/surplus_hugepages \
		/sys/kernel/mm/hugepages/*/nr_overcommit_hugepages |
		sed 's|^/sys/||; s|devices/system/node/||; s|kernel/mm/||; s|hugepages/||; s|^|hugepages |; s|:| |'
	values /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/mm/transparent_hugepage/defrag \
		/sys/kernel/mm/ksm/run /sys/devices/virtual/workqueue/cpumask \
		/sys/devices/virtual/workqueue/cpumask_requested /sys/devices/system/cpu/online \
		/proc/irq/default_smp_affinity /proc/sys/vm/nr_hugepages /proc/sys/vm/stat_interval \
		/proc/sys/vm/hugetlb_shm_group /proc/sys/vm/compaction_proactiveness /proc/sys/vm/swappiness \
		/proc/sys/vm/overcommit_memory /proc/sys/kernel/numa_balancing /proc/sys/kernel/watchdog \
		/proc/sys/kernel/nmi_watchdog /proc/sys/kernel/timer_migration /proc/sys/kernel/sched_rt_runtime_us |
		sed 's/^/value /; s/:/ /'
	# Numbers are given anew with each request_irq: named by their action.
	for d in /proc/irq/*/*/; do
		f=${d%/}
		n=${f##*/}
		f=${f%/*}/smp_affinity_list
		read -r mask <"$f" && echo "irq $n $mask"
	done
	find /sys/fs/cgroup -type d | sed 's|^/sys/fs/cgroup|cgroup |'
	find /sys/fs/cgroup -name 'cpuset.cpus' -print0 -o -name cpuset.cpus.partition -print0 -o -name cpuset.cpus.exclusive -print0 \
		-o -name cgroup.subtree_control -print0 | xargs -0 grep -sH '' | sed 's|^/sys/fs/cgroup||; s/^/cgroup /; s/:/ /'
}

state_nodes()
{
	find /dev/dri /dev/snd /dev/vfio /dev/shm /dev/fb* /dev/nvme* /dev/hugepages /dev/lab-* -print0 2>/dev/null |
		xargs -0 stat -c 'node %F %a %u:%g %n' | sed 's/regular empty file/regular file/'
	find /dev/shm -type f -exec stat -c 'shm %n size %s' {} +
}

state_units()
{
	values /run/standin/*/*/ActiveState /run/standin/*/*/SubState /run/standin/*/*/properties |
		sed 's|^/run/standin/|unit |; s|/| |g; s|:| |'
	find /run/systemd/sessions -type f 2>/dev/null | sed 's|.*/|session |'
	find /run/openrc/started /run/openrc/stopping -type l 2>/dev/null | sed 's|/run/openrc/|openrc |'
	[ ! -e /run/runit ] || sv status /etc/service/* | sed 's/(pid [0-9]*) //; s/ [0-9]*s/ /g; s/^/runit /'
}

# state FILE: all of the host's state that the hook may touch, one item a line.
# Refcounts, IRQ and IOMMU group numbers and minor numbers are not in it.
state()
{
	{
		state_pci
		state_modules
		state_consoles
		state_tuning
		state_nodes
		state_units
	} 2>/dev/null | sort >"$1"
}

# same A B DESC [REGEX]: no difference, but for lines that match REGEX.
same()
{
	grep -vE -e "${4:-^\$}" "$1" >"$LAB/same.a"
	grep -vE -e "${4:-^\$}" "$2" >"$LAB/same.b"
	if [ ! -s "$LAB/same.a" ]; then
		fail "$3"
		note "  $1 is empty"
		return 1
	fi
	if diff -U0 "$LAB/same.a" "$LAB/same.b" >"$LAB/same.diff"; then
		ok "$3"
	else
		sed -i '/^---/d; /^+++/d; /^@@/d' "$LAB/same.diff"
		fail "$3" "$LAB/same.diff"
	fi
}

# --- devices by plain sysfs ------------------------------------------------

driver()
{
	local l
	l=$(readlink "/sys/bus/pci/devices/$1/driver") || { echo -; return 0; }
	echo "${l##*/}"
}

# bind_to ADDRESS DRIVER: override, unbind, probe.
bind_to()
{
	echo "$2" >"/sys/bus/pci/devices/$1/driver_override" || return 1
	if [ -e "/sys/bus/pci/devices/$1/driver" ]; then
		echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind" || return 1
	fi
	echo "$1" >/sys/bus/pci/drivers_probe || return 1
	[ "$(driver "$1")" = "$2" ]
}

# home ADDRESS: back to its native driver.
home()
{
	if [ -e "/sys/bus/pci/devices/$1/driver" ]; then
		echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind" || return 1
	fi
	echo >"/sys/bus/pci/devices/$1/driver_override" || return 1
	echo "$1" >/sys/bus/pci/drivers_probe || return 1
	[ "$(driver "$1")" != - ]
}

# --- figures ---------------------------------------------------------------

figure() { echo "$1 $2" >>"$LAB/figures"; }
figures_begin() { : >"$LAB/figures"; }

# figures NAME: all of that name, sorted; best and median: of these.
figures() { sed -n "s|^$1 ||p" "$LAB/figures" | sort -n; }
best() { figures "$1" | head -n 1; }
median() { figures "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# vfio_writes ADDRESS...: those that move these to vfio-pci, "PATH VALUE" a line.
vfio_writes()
{
	local d
	for d; do echo "/sys/bus/pci/devices/$d/driver_override vfio-pci"; done
	for d; do
		echo "/sys/bus/pci/devices/$d/driver/unbind $d"
		echo "/sys/bus/pci/drivers/vfio-pci/bind $d"
	done
}

# What the kernel has to take down is the same each time: a sound card's codecs are found some
# time after its driver has bound.
sound_is_there() { until_true 20 grep -q ' \[' /proc/asound/cards || fail "the sound card is there"; }

# --- the hook --------------------------------------------------------------

# config DOMAIN <<EOF: its conf.d file.
config()
{
	mkdir -p /etc/libvirt/hooks/conf.d
	cat >"/etc/libvirt/hooks/conf.d/$1.ini"
	chmod 644 "/etc/libvirt/hooks/conf.d/$1.ini"
}

uuid_of() { printf %s "$1" | md5sum | sed 's/^\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)\(.\{12\}\).*/\1-\2-\3-\4-\5/'; }

# domain DOMAIN [ADDRESS...]: its XML, in /etc/lab (what hook feeds) and
# /etc/libvirt/qemu. MIB=64, HUGE=2048 (KiB a page; empty: no hugepages),
# MANAGED=yes, VCPUPIN='2 3' (one vCPU on each), MODEL= (<driver model>).
domain()
{
	local name=$1 a rest n=0 xml model=
	[ -z "${MODEL:-}" ] || model=" model='$MODEL'"
	xml=/etc/lab/$name.xml
	shift
	mkdir -p /etc/lab /etc/libvirt/qemu
	{
		echo "<domain type='qemu' id='1'>"
		printf '  <name>%s</name>\n' "$(printf %s "$name" | sed 's/&/\&amp;/g; s/</\&lt;/g')"
		echo "  <uuid>$(uuid_of "$name")</uuid>"
		echo "  <memory unit='KiB'>$((${MIB:-64} * 1024))</memory>"
		echo "  <currentMemory unit='KiB'>$((${MIB:-64} * 1024))</currentMemory>"
		if [ -n "${HUGE-2048}" ]; then
			echo "  <memoryBacking>"
			echo "    <hugepages>"
			echo "      <page size='${HUGE-2048}' unit='KiB'/>"
			echo "    </hugepages>"
			echo "  </memoryBacking>"
		fi
		# shellcheck disable=SC2086
		set -- "$@" -- ${VCPUPIN:-}
		rest=$*
		rest=${rest##*--}
		# shellcheck disable=SC2086
		n=$(set -- $rest; echo $#)
		echo "  <vcpu placement='static'>$((n > 0 ? n : 1))</vcpu>"
		if [ "$n" -gt 0 ]; then
			echo "  <cputune>"
			n=0
			for a in $rest; do
				echo "    <vcpupin vcpu='$n' cpuset='$a'/>"
				n=$((n + 1))
			done
			[ -z "${EMULATORPIN:-}" ] || echo "    <emulatorpin cpuset='$EMULATORPIN'/>"
			echo "  </cputune>"
		fi
		echo "  <os>"
		echo "    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
		echo "  </os>"
		echo "  <on_poweroff>destroy</on_poweroff>"
		echo "  <on_reboot>restart</on_reboot>"
		echo "  <devices>"
		echo "    <emulator>/usr/bin/qemu-system-x86_64</emulator>"
		echo "    <controller type='pci' index='0' model='pcie-root'/>"
		n=5
		for a; do
			[ "$a" != -- ] || break
			echo "    <hostdev mode='subsystem' type='pci' managed='${MANAGED:-yes}'>"
			echo "      <driver name='vfio'$model/>"
			echo "      <source>"
			echo "$a" | sed "s|\(.*\):\(.*\):\(.*\)\.\(.*\)|        <address domain='0x\1' bus='0x\2' slot='0x\3' function='0x\4'/>|"
			echo "      </source>"
			printf "      <address type='pci' domain='0x0000' bus='0x%02x' slot='0x00' function='0x0'/>\n" $n
			echo "    </hostdev>"
			n=$((n + 1))
		done
		echo "  </devices>"
		echo "</domain>"
	} >"$xml"
	cp "$xml" "/etc/libvirt/qemu/$name.xml"
}

HOOK_N=0
HOOK_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# hook_bg OP SUB [DOMAIN [EXTRA]]: as libvirt calls it: XML from a pipe, stdout
# and stderr to pipes, environment of LC_ALL and PATH, cwd /. This shell is its
# parent (the "daemon"). Sets HOOKPID. HOOK_WRAP goes before it; for strace give
# -D, which leaves parent and exit status as they are, -f, and -o FILE.
hook_bg()
{
	local dom=${3:-$DOMAIN} base xml
	HOOK_N=$((HOOK_N + 1))
	base=$LAB/hook.$LAB_NAME.$HOOK_N
	xml=/etc/lab/$dom.xml
	[ -e "$xml" ] || xml=/dev/null
	rm -f "$base".*
	mkfifo "$base.o" "$base.e" "$base.i"
	cat <"$base.o" >"$base.out" &
	HOOK_READERS=$!
	cat <"$base.e" >"$base.err" &
	HOOK_READERS="$HOOK_READERS $!"
	cat "$xml" 2>/dev/null >"$base.i" &
	(
		cd / || exit 127
		# shellcheck disable=SC2086 # words
		exec ${HOOK_WRAP:-} env -i LC_ALL=C PATH=$HOOK_PATH ${HOOK_ENV:-} \
			/etc/libvirt/hooks/qemu "$dom" "$1" "$2" "${4:--}"
	) <"$base.i" >"$base.o" 2>"$base.e" &
	HOOKPID=$!
	echo "$base $HOOK_READERS" >"$LAB/hookpid.$HOOKPID"
}

# hook_wait PID: sets RC, OUT and ERR (files), and
# HOOK_HUNG=1 when a child of the hook still has its stdout or stderr, which
# libvirt would wait for.
hook_wait()
{
	local base readers r n=0
	wait "$1"
	RC=$?
	read -r base readers <"$LAB/hookpid.$1"
	OUT=$base.out ERR=$base.err HOOK_HUNG=
	for r in $readers; do
		while kill -0 "$r" 2>/dev/null && [ $n -lt 40 ]; do
			n=$((n + 1))
			usleep 25000
		done
		if kill "$r" 2>/dev/null; then
			# shellcheck disable=SC2034
			HOOK_HUNG=1
		fi
	done
	rm -f "$base.o" "$base.e" "$base.i" "$LAB/hookpid.$1"
	return $RC
}

# hook OP SUB [DOMAIN [EXTRA]]; also sets HOOK_MS. HOOK_ENV: more variables for it.
hook()
{
	local start
	start=$(uptime_ms)
	hook_bg "$@"
	hook_wait "$HOOKPID"
	# shellcheck disable=SC2034
	HOOK_MS=$(($(uptime_ms) - start))
	return "$RC"
}

# hook_ok DESC OP SUB ...: exit 0 and nothing on stdout.
hook_ok()
{
	local desc=$1
	shift
	hook "$@"
	if [ "$RC" -eq 0 ] && [ ! -s "$OUT" ] && [ -z "$HOOK_HUNG" ]; then
		ok "$desc"
	else
		fail "$desc" "$OUT" "$ERR"
		note "  exit $RC${HOOK_HUNG:+, a child kept its pipes}"
		return 1
	fi
}

# hook_refused DESC REGEX OP SUB ...: exit 1, nothing on stdout, stderr matches.
hook_refused()
{
	local desc=$1 regex=$2
	shift 2
	hook "$@"
	if [ "$RC" -eq 1 ] && [ ! -s "$OUT" ] && [ -z "$HOOK_HUNG" ] && grep -qE -e "$regex" "$ERR"; then
		ok "$desc"
	else
		fail "$desc" "$OUT" "$ERR"
		note "  exit $RC${HOOK_HUNG:+, a child kept its pipes}, wanted 1 and $regex"
		return 1
	fi
}

# step DESC TEST [REGEX] <<LINES: prepare/begin with these lines, for win10; TEST is
# evaluated between prepare and release; then the host is as before, but for lines that
# match REGEX.
step()
{
	local desc=$1 between=$2 oneway=$ONEWAY_VFIO${3:+|$3}
	{ echo "[prepare/begin]"; cat; } | config win10
	state "$LAB/before"
	if hook_ok "$desc: prepare" prepare begin; then
		check "$desc: took effect" eval "$between"
	fi
	hook_ok "$desc: release" release end
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$desc: the host is as before" "$oneway"
}

# refused DESC REGEX <<LINES: prepare/begin with these lines is refused, with REGEX in the
# error.
refused()
{
	local desc=$1 regex=$2
	{ echo "[prepare/begin]"; cat; } | config win10
	hook_refused "$desc" "$regex" prepare begin
	hook release end
}

# --- holders and stand-ins -------------------------------------------------

# holder NAME [OPTION...] FILE...: a process of that name that has the files
# open (options: tests/lab/hold.c). SCOPE=/system.slice/x.service puts it into
# that cgroup. Sets HOLDER. It ends with the scenario.
holder()
{
	local name=$1 pidfile
	shift
	mkdir -p $LAB/bin
	[ -e "$LAB/bin/$name" ] || cp /bin/hold "$LAB/bin/$name"
	pidfile=$LAB/holder.$name
	rm -f "$pidfile"
	(
		if [ -n "${SCOPE:-}" ]; then
			mkdir -p "/sys/fs/cgroup$SCOPE"
			# shellcheck disable=SC2016
			sh -c 'echo $PPID' >"/sys/fs/cgroup$SCOPE/cgroup.procs"
		fi
		exec setsid "$LAB/bin/$name" -p "$pidfile" "$@" </dev/null >"$LAB/holder.log" 2>&1 3>&-
	) &
	until_true 10 test -s "$pidfile" || { note "holder $name: $(cat $LAB/holder.log)"; return 1; }
	read -r HOLDER <"$pidfile"
	echo "$HOLDER" >>"$LAB/holders"
}

# Ends what holder started, and the stand-in units and sessions.
holders_end()
{
	local p u
	if [ -e "$LAB/holders" ]; then
		while read -r p; do kill -9 "$p" 2>/dev/null; done <"$LAB/holders"
		rm -f "$LAB/holders" "$LAB"/holder.*
	fi
	for u in /run/standin/units/*; do
		[ -e "$u" ] || continue
		rm -f "$u/stop-delay" "$u/stop-fail"
		systemctl stop "${u##*/}" 2>/dev/null
	done
	for u in /run/standin/user/*; do
		[ -e "$u" ] && systemctl --user stop "${u##*/}" 2>/dev/null
	done
	rm -rf /run/standin/units /run/standin/user /run/standin/system
	for u in /run/systemd/sessions/*; do
		[ -e "$u" ] && loginctl terminate-session "${u##*/}" 2>/dev/null
	done
	unit display-manager.service Xorg /dev/dri/card0
	for p in /sys/fs/cgroup/system.slice/* /sys/fs/cgroup/user.slice/*/*/*/* /sys/fs/cgroup/user.slice/*/*/* \
		/sys/fs/cgroup/user.slice/*/* /sys/fs/cgroup/user.slice/*; do
		[ -d "$p" ] && rmdir "$p" 2>/dev/null
	done
	return 0
}

# unit NAME [PROCESS [OPTION...] FILE...]: defines a unit of the stand-in
# systemctl, inactive; started, it runs a holder called PROCESS.
# Faults: files in /run/standin/units/NAME, see guest/systemctl.
unit()
{
	local dir=/run/standin/${UNIT_DIR:-units}/$1
	shift
	mkdir -p "$dir"
	echo inactive >"$dir/ActiveState"
	echo dead >"$dir/SubState"
	printf '%s\n' "$@" >"$dir/exec"
}

# session ID USER [FILE...]: a session of the stand-in loginctl on seat0, with a
# process session-ID that has the files open. Sets HOLDER.
session()
{
	local id=$1 user=$2 uid
	shift 2
	uid=$(id -u "$user")
	SCOPE=/user.slice/user-$uid.slice/session-$id.scope holder "session-$id" "$@" || return 1
	cat >"/run/systemd/sessions/$id" <<-END
		UID=$uid
		USER=$user
		ACTIVE=1
		IS_DISPLAY=1
		STATE=active
		REMOTE=0
		TYPE=x11
		CLASS=user
		SCOPE=session-$id.scope
		SEAT=seat0
		TTY=tty7
		VTNR=7
		LEADER=$HOLDER
	END
	printf 'IS_SEAT0=1\nCAN_GRAPHICAL=1\nACTIVE=%s\nACTIVE_UID=%s\nSESSIONS=%s\n' "$id" "$uid" "$id" >/run/systemd/seats/seat0
}

# shellcheck shell=dash
# bench
# What a hook adds to virsh start: until QEMU is run, without a hook (libvirt itself moves the
# devices), with ours, with a shell helper and the usual scripts; the time of each call of ours;
# and what the kernel alone takes for the same writes. For a guest with both functions of a
# card, and for one with two network cards besides. In one boot, in turns; figures only. What
# QEMU takes from then on is the same for all and would hide what is measured. The kernel is as
# a real machine's: grace periods have their length, and programs are where they were the last
# time (an emulator translates them anew elsewhere).

ROUNDS=${ROUNDS:-4}
card="$GPU $GPU_SOUND"
all="$GPU $GPU_SOUND $NET1 $NET2"
times=$LAB/times
: >"$times"
rm -rf /lab/bench
mkdir -p /lab/bench
cp "$HOOK" /lab/bench/ours
# An emulator that tells when it is run; as whom libvirt runs it.
emulator=/usr/local/bin/lab-qemu
cat >$emulator <<-'END'
	#!/bin/bash
	case "$*" in *guest=*) echo "${EPOCHREALTIME/./}" >/run/lab/qemu-begins ;; esac
	exec /usr/bin/qemu-system-x86_64 "$@"
END
chmod 755 $emulator
: >"$LAB/qemu-begins"
chmod 666 "$LAB/qemu-begins"
# shellcheck disable=SC2086 # names
EMULATOR=$emulator guest card $card
# shellcheck disable=SC2086
EMULATOR=$emulator guest all $all
expedited=$(cat /sys/kernel/rcu_expedited)
random=$(cat /proc/sys/kernel/randomize_va_space)
echo 0 >/sys/kernel/rcu_expedited
echo 0 >/proc/sys/kernel/randomize_va_space
systemctl stop display-manager.service

# What a helper of the usual kind does, and scripts of the usual kind, without virsh.
cat >/lab/bench/helper <<-'END'
	#!/bin/bash
	folder="$(dirname "$0")/qemu.d/$1/$2/$3"
	[ -d "$folder" ] || exit 0
	for script in $(find -L "$folder" -maxdepth 1 -type f -executable); do
		"$script" "$@" || exit
	done
END
cat >/lab/bench/start <<-END
	#!/bin/bash
	set -x
	for c in /sys/class/vtconsole/vtcon*; do echo 0 >\$c/bind; done
	[ ! -e /lab/bench/with-sleep ] || sleep 5
	modprobe vfio-pci
	for d in \$(cat /lab/bench/\$1); do
	    echo vfio-pci >/sys/bus/pci/devices/\$d/driver_override
	    echo \$d >/sys/bus/pci/devices/\$d/driver/unbind
	    echo \$d >/sys/bus/pci/drivers_probe
	done
END
cat >/lab/bench/stop <<-END
	#!/bin/bash
	set -x
	for d in \$(cat /lab/bench/\$1); do
	    echo >/sys/bus/pci/devices/\$d/driver_override
	    echo \$d >/sys/bus/pci/devices/\$d/driver/unbind
	    echo \$d >/sys/bus/pci/drivers_probe
	done
	for c in /sys/class/vtconsole/vtcon*; do echo 1 >\$c/bind; done
END
chmod 755 /lab/bench/*
echo "$card" >/lab/bench/card
echo "$all" >/lab/bench/all

# writes DEVICE...: those of ours.
writes()
{
	local d
	for d; do echo "/sys/bus/pci/devices/$d/driver_override vfio-pci"; done
	for d; do
		echo "/sys/bus/pci/devices/$d/driver/unbind $d"
		echo "/sys/bus/pci/drivers/vfio-pci/bind $d"
	done
}
kernel()
{
	# shellcheck disable=SC2046 # names
	writes $(cat "/lab/bench/$1") >"$LAB/writes"
	settle
	lap write <"$LAB/writes" 9>"$LAB/lap" || fail "$1: the writes"
	echo "$1:kernel $(($(cat "$LAB/lap") / 1000))" >>"$times"
	/lab/bench/stop "$1" 2>/dev/null
}

# As libvirt waits for each call of ours.
cat >/lab/bench/timed <<-'END'
	#!/bin/bash
	lap run /lab/bench/hooks/qemu "$@" 9>/run/lab/lap
	status=$?
	echo "$1:call:$2 $(($(cat /run/lab/lap) / 1000))" >>/run/lab/times
	exit $status
END
chmod 755 /lab/bench/*
mkdir -p /lab/bench/hooks
cp /lab/bench/ours /lab/bench/hooks/qemu

begin_none() { rm -f "$HOOK"; }
begin_timed()
{
	begin_ours "$1"
	rm -rf /lab/bench/hooks/conf.d
	cp -r /etc/libvirt/hooks/conf.d /lab/bench/hooks/
	cp /lab/bench/timed "$HOOK"
}
begin_ours()
{
	cp /lab/bench/ours "$HOOK"
	printf '[prepare/begin]\nvtconsole.unbind =\npci.detach = timeout=15s\n' | config "$1"
}
begin_shell()
{
	mkdir -p /etc/libvirt/hooks/qemu.d/"$1"/prepare/begin /etc/libvirt/hooks/qemu.d/"$1"/release/end
	cp /lab/bench/helper "$HOOK"
	cp /lab/bench/start /etc/libvirt/hooks/qemu.d/"$1"/prepare/begin/
	cp /lab/bench/stop /etc/libvirt/hooks/qemu.d/"$1"/release/end/
}
begin_sleep() { begin_shell "$1" && touch /lab/bench/with-sleep; }
bench_end()
{
	rm -rf /etc/libvirt/hooks/conf.d/"$1".ini /etc/libvirt/hooks/qemu.d/"$1" /lab/bench/with-sleep
	cp /lab/bench/ours "$HOOK"
}
# What the kernel has to take down is the same each time: a sound card's codecs are found some
# time after its driver has bound.
settle()
{
	udevadm settle
	until_true 20 grep -q ' \[' /proc/asound/cards || fail "the sound card is there"
}
# one GUEST HOW
one()
{
	local start
	"begin_$2" "$1"
	settle
	start=$(date +%s%6N)
	virt start "$1" || { fail "$1, $2: virsh start" "$LAB/virsh"; return; }
	[ "$2" = timed ] || echo "$1:$2 $((($(cat /run/lab/qemu-begins) - start) / 1000))" >>"$times"
	[ "$(driver "$GPU")" = vfio-pci ] || fail "$1, $2: the card is on vfio-pci"
	virt destroy "$1" || fail "$1, $2: virsh destroy" "$LAB/virsh"
	bench_end "$1"
}
# best NAME, median NAME: milliseconds. A busy machine spoils medians before it spoils the best.
sorted() { sed -n "s|^$1 ||p" "$times" | sort -n; }
best() { sorted "$1" | head -n 1; }
median() { sorted "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# ratios GUEST HOW
ratios()
{
	note "$(awk -v how="$1, $2" -v k="$($2 "$1:kernel")" -v n="$($2 "$1:none")" -v o="$($2 "$1:ours")" \
		-v s="$($2 "$1:shell")" -v z="$($2 "$1:sleep")" -v p="$($2 "$1:call:prepare")" -v d="$($2 "$1:call:started")" 'BEGIN {
		printf "%s: virsh start until QEMU, ours / no hook %.2f, shell / no hook %.2f, shell with its sleep / no hook %.2f\n", how, o / n, s / n, z / n
		printf "%s: what ours adds / the kernel for the same writes %.2f (goal: at most 1.10); what the shell adds %.2f; our prepare / the kernel %.2f\n", how, (o - n + d) / k, (s - n) / k, p / k }')"
}

one card ours
one all ours
: >"$times"
for _ in $(seq "$ROUNDS"); do
	for g in card all; do
		for n in none ours shell timed; do one $g $n; done
		kernel $g
	done
done
for g in card all; do one $g sleep; done
for g in card all; do
	for n in kernel none ours shell sleep call:prepare call:start call:started; do
		note "$(printf '%-25s best %5d ms, median %5d ms, of %s' "$g:$n" "$(best $g:$n)" "$(median $g:$n)" "$(sorted $g:$n | tr '\n' ' ')")"
	done
	ratios $g best
	ratios $g median
done
rm -rf /lab/bench $emulator
echo "$expedited" >/sys/kernel/rcu_expedited
echo "$random" >/proc/sys/kernel/randomize_va_space
systemctl start display-manager.service

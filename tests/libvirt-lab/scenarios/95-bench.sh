# shellcheck shell=dash
# boot: --counted --timeout 1500
# bench
# What a hook adds to virsh start: until QEMU is run, without a hook (libvirt itself moves the
# devices), with ours, with a shell helper and the usual scripts; the time of each call of ours;
# and what the kernel alone takes for the same writes. For a guest with both functions of a
# card, and for one with two network cards besides. In one boot, in turns. What QEMU takes from
# then on is the same for all and would hide what is measured. Grace periods are as long as on a
# real machine.

ROUNDS=4
card="$GPU $GPU_SOUND"
all="$GPU $GPU_SOUND $NET1 $NET2"
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
echo 0 >/sys/kernel/rcu_expedited
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

kernel()
{
	# shellcheck disable=SC2046 # names
	vfio_writes $(cat "/lab/bench/$1") >"$LAB/writes"
	settle
	lap write <"$LAB/writes" 9>"$LAB/lap" || fail "$1: the writes"
	figure "$1:kernel" "$(cat "$LAB/lap")"
	/lab/bench/stop "$1" 2>/dev/null
}

# As libvirt waits for each call of ours.
cat >/lab/bench/timed <<-'END'
	#!/bin/bash
	lap run /lab/bench/hooks/qemu "$@" 9>/run/lab/lap
	status=$?
	echo "$1:call:$2 $(cat /run/lab/lap)" >>/run/lab/figures
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
settle()
{
	udevadm settle
	sound_is_there
}
# one GUEST HOW
one()
{
	local start
	"begin_$2" "$1"
	settle
	start=$(date +%s%6N)
	virt start "$1" || { fail "$1, $2: virsh start" "$LAB/virsh"; return; }
	[ "$2" = timed ] || figure "$1:$2" $(($(cat /run/lab/qemu-begins) - start))
	[ "$(driver "$GPU")" = vfio-pci ] || fail "$1, $2: the card is on vfio-pci"
	virt destroy "$1" || fail "$1, $2: virsh destroy" "$LAB/virsh"
	bench_end "$1"
}
# over GUEST NAME OTHER: how many times as much.
over() { echo "$(median "$1:$2") $(median "$1:$3")" | awk '{ printf "%.2f", $1 / $2 }'; }
# added GUEST NAME: what these hooks add to virsh start, against the kernel for the same writes.
# Ours is called once more when QEMU runs.
added()
{
	local after=0
	[ "$2" = shell ] || after=$(median "$1:call:started")
	echo "$(median "$1:$2") $(median "$1:none") $after $(median "$1:kernel")" |
		awk '{ printf "%.2f", ($1 - $2 + $3) / $4 }'
}
at_most() { echo "$1 $2" | awk '{ exit !($1 <= $2) }'; }

one card ours
one all ours
figures_begin
for _ in $(seq "$ROUNDS"); do
	for g in card all; do
		for n in none ours shell timed; do one $g $n; done
		kernel $g
	done
done
for g in card all; do one $g sleep; done
for g in card all; do
	for n in kernel none ours shell sleep call:prepare call:start call:started; do
		note "$(printf '%-18s median %7d us, of %s' "$g:$n" "$(median $g:$n)" "$(figures $g:$n | tr '\n' ' ')")"
	done
	note "$g: virsh start until QEMU against no hook: ours $(over $g ours none), shell $(over $g shell none), with its sleep $(over $g sleep none)"
	note "$g: our prepare against the kernel for the same writes: $(over $g call:prepare kernel)"
	note "$g: what a hook adds against that: ours $(added $g ours), shell $(added $g shell)"
	check "$g: ours adds no more than the kernel's own time and a tenth" at_most "$(added $g ours)" 1.10
done
rm -rf /lab/bench $emulator
echo "$expedited" >/sys/kernel/rcu_expedited
systemctl start display-manager.service

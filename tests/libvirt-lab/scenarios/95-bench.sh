# shellcheck shell=dash
# bench
# How long virsh start takes for a guest with both functions of a card: without a hook
# (libvirt itself moves them), with ours, with a shell helper and the usual scripts, and
# what the kernel alone takes for the same writes. In one boot, in turns; figures only, and
# of an emulated machine, where a program's own time is as slow as the kernel's.

ROUNDS=${ROUNDS:-5}
guest gpu "$GPU" "$GPU_SOUND"
times=$LAB/times
: >"$times"
rm -rf /lab/bench
mkdir -p /lab/bench
cp "$HOOK" /lab/bench/ours

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
	for d in $GPU $GPU_SOUND; do
	    echo vfio-pci >/sys/bus/pci/devices/\$d/driver_override
	    echo \$d >/sys/bus/pci/devices/\$d/driver/unbind
	    echo \$d >/sys/bus/pci/drivers_probe
	done
END
cat >/lab/bench/stop <<-END
	#!/bin/bash
	set -x
	for d in $GPU $GPU_SOUND; do
	    echo >/sys/bus/pci/devices/\$d/driver_override
	    echo \$d >/sys/bus/pci/devices/\$d/driver/unbind
	    echo \$d >/sys/bus/pci/drivers_probe
	done
	for c in /sys/class/vtconsole/vtcon*; do echo 1 >\$c/bind; done
END
# The same writes by one process that runs already.
cat >/lab/bench/kernel <<-END
	#!/bin/bash
	begin=\${EPOCHREALTIME/./}
	for d in $GPU_SOUND $GPU; do echo vfio-pci >/sys/bus/pci/devices/\$d/driver_override; done
	for d in $GPU_SOUND $GPU; do
	    echo \$d >/sys/bus/pci/devices/\$d/driver/unbind
	    echo \$d >/sys/bus/pci/drivers/vfio-pci/bind
	done
	echo kernel \$(( (\${EPOCHREALTIME/./} - begin) / 1000 )) >>$times
	exec /lab/bench/stop
END
chmod 755 /lab/bench/*
mkdir -p /etc/libvirt/hooks/qemu.d/gpu/prepare/begin /etc/libvirt/hooks/qemu.d/gpu/release/end

begin_none() { rm -f "$HOOK"; }
begin_ours()
{
	cp /lab/bench/ours "$HOOK"
	printf '[prepare/begin]\nvtconsole.unbind =\npci.detach = timeout=15s\n' | config gpu
}
begin_shell()
{
	cp /lab/bench/helper "$HOOK"
	cp /lab/bench/start /etc/libvirt/hooks/qemu.d/gpu/prepare/begin/
	cp /lab/bench/stop /etc/libvirt/hooks/qemu.d/gpu/release/end/
}
begin_sleep() { begin_shell && touch /lab/bench/with-sleep; }
bench_end()
{
	rm -f /etc/libvirt/hooks/conf.d/gpu.ini /etc/libvirt/hooks/qemu.d/gpu/*/*/* /lab/bench/with-sleep
	cp /lab/bench/ours "$HOOK"
	udevadm settle
}
one()
{
	local start
	"begin_$1"
	start=$(date +%s%N)
	virt start gpu || { fail "$1: virsh start" "$LAB/virsh"; return; }
	echo "$1 $((($(date +%s%N) - start) / 1000000))" >>"$times"
	[ "$(driver "$GPU")" = vfio-pci ] || fail "$1: the card is on vfio-pci"
	virt destroy gpu || fail "$1: virsh destroy" "$LAB/virsh"
	[ "$1" != ours ] || sed -n 's/.* -- gpu \(.*\): done in \(.*\) ms/ours:\1 \2/p' /var/log/vfio-hook/gpu.log >>"$times"
	rm -f /var/log/vfio-hook/gpu.log
	bench_end
}
# best NAME, median NAME: milliseconds. A busy machine spoils medians before it spoils the best.
sorted() { sed -n "s|^$1 ||p" "$times" | sort -n; }
best() { sorted "$1" | head -n 1; }
median() { sorted "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratios()
{
	note "$(awk -v how="$1" -v k="$($1 kernel)" -v n="$($1 none)" -v o="$($1 ours)" -v s="$($1 shell)" -v z="$($1 sleep)" \
		-v h="$($1 ours:prepare/begin)" 'BEGIN {
		printf "%s: virsh start, ours / no hook %.2f, shell / no hook %.2f, shell with its sleep / no hook %.2f\n", how, o / n, s / n, z / n
		printf "%s: what ours adds / the kernel for the same writes %.2f (goal: at most 1.10); its prepare / the kernel %.2f\n", how, (o - n) / k, h / k }')"
}

one ours
: >"$times"
for _ in $(seq "$ROUNDS"); do
	for n in none ours shell sleep; do one $n; done
	/lab/bench/kernel 2>/dev/null
	udevadm settle
done
for n in kernel none ours shell sleep ours:prepare/begin ours:start/begin ours:started/begin; do
	note "$(printf '%-20s best %5d ms, median %5d ms, of %s' "$n" "$(best $n)" "$(median $n)" "$(sorted $n | tr '\n' ' ')")"
done
ratios best
ratios median
rm -rf /lab/bench

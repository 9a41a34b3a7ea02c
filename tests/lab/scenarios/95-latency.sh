# shellcheck shell=dash
# boot: --append "rcupdate.rcu_expedited=0 norandmaps"
# bench
# How long the hook's calls take in which a card of three functions goes to VFIO, against the
# kernel alone for the same writes, in turns. Grace periods are as long as on a real machine.
# Figures only: tests/bench/prepare.sh.

ROUNDS=12
times=$LAB/times
domain win10 $GPU_ALL
config win10 <<-END
	[prepare/begin]
	vtconsole.unbind =
	pci.detach       = 01:00.*
END

# What the kernel has to take down is the same each time: a card's sound and what is plugged into
# it are found some time after their driver has bound.
keyboard() { ls -d /sys/bus/pci/devices/0000:01:00.2/usb*/*-1/*-1:1.0 >/dev/null 2>&1; }
settle()
{
	until_true 20 grep -q ' \[' /proc/asound/cards || fail "the sound card is there"
	until_true 20 keyboard || fail "the keyboard is there"
}

# call NAME OPERATION SUBOPERATION: from the exec to the exit, as libvirt would wait for it.
call()
{
	lap run /bin/env -i LC_ALL=C PATH="$HOOK_PATH" /etc/libvirt/hooks/qemu win10 "$2" "$3" - \
		</etc/lab/win10.xml 9>"$LAB/lap" || fail "$2 $3"
	echo "$1 $(cat "$LAB/lap")" >>"$times"
}

writes()
{
	local d
	for d in 2 1 0; do
		echo "/sys/bus/pci/devices/0000:01:00.$d/driver_override vfio-pci"
	done
	for d in 2 1 0; do
		echo "/sys/bus/pci/devices/0000:01:00.$d/driver/unbind 0000:01:00.$d"
		echo "/sys/bus/pci/drivers/vfio-pci/bind 0000:01:00.$d"
	done
}

kernel()
{
	local d
	settle
	lap write 9>"$LAB/lap" <"$LAB/writes"
	echo "kernel $(cat "$LAB/lap")" >>"$times"
	for d in 0 1 2; do
		home "0000:01:00.$d" || fail "01:00.$d is back"
	done
}

round()
{
	settle
	call prepare prepare begin
	call start start begin
	call started started begin
	call stopped stopped end
	call release release end
	kernel
}

sorted() { sed -n "s/^$1 //p" "$times" | sort -n; }
best() { sorted "$1" | head -n 1; }
median() { sorted "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

writes >"$LAB/writes"
round
: >"$times"
for _ in $(seq $ROUNDS); do round; done
for n in kernel prepare start started stopped release; do
	note "$(printf '%-8s best %6d us, median %6d us' $n "$(best $n)" "$(median $n)")"
done
for how in best median; do
	note "$how: prepare / the kernel for the same writes $(echo "$($how prepare) $($how kernel)" | awk '{ printf "%.2f", $1 / $2 }')"
done

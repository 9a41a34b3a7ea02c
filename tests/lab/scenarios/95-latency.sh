# shellcheck shell=dash
# boot: --counted --smp 2 --append "rcupdate.rcu_expedited=0"
# How long the hook's calls take in which a card of three functions goes to VFIO, against the
# kernel alone for the same writes, in turns. Grace periods are as long as on a real machine.
# Figures, and README has the one that counts: tests/bench/prepare.sh.

ROUNDS=4
domain win10 $GPU_ALL
config win10 <<-END
	[prepare/begin]
	vtconsole.unbind =
	pci.detach       = 01:00.*
END

# Nor is what is plugged into a card found at once.
keyboard() { ls -d /sys/bus/pci/devices/0000:01:00.2/usb*/*-1/*-1:1.0 >/dev/null 2>&1; }
settle()
{
	sound_is_there
	until_true 20 keyboard || fail "the keyboard is there"
}

# call NAME OPERATION SUBOPERATION: from the exec to the exit, as libvirt would wait for it.
call()
{
	env -i LC_ALL=C PATH="$HOOK_PATH" /bin/lap run /etc/libvirt/hooks/qemu win10 "$2" "$3" - \
		</etc/lab/win10.xml 9>"$LAB/lap" || fail "$2 $3"
	figure "$1" "$(cat "$LAB/lap")"
}

kernel()
{
	local d
	settle
	lap write 9>"$LAB/lap" <"$LAB/writes"
	figure kernel "$(cat "$LAB/lap")"
	for d in $GPU_ALL; do
		home "$d" || fail "$d is back"
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

vfio_writes "$GPU_USB" "$GPU_SOUND" "$GPU" >"$LAB/writes"
round
figures_begin
for _ in $(seq $ROUNDS); do round; done
for n in kernel prepare start started stopped release; do
	note "$(printf '%-8s best %6d us, median %6d us' $n "$(best $n)" "$(median $n)")"
done
note "prepare / the kernel for the same writes $(echo "$(median prepare) $(median kernel)" | awk '{ printf "%.2f", $1 / $2 }')"
for n in kernel prepare; do equal "$n was measured each time" "$(figures $n | grep -c .)" $ROUNDS; done

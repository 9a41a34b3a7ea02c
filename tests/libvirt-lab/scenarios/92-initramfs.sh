# shellcheck shell=dash
# boot: --initramfs ryzen-second-gpu
# The same when the initramfs has done it all: no driver of the host's ever had the card, and
# what was done there holds when systemd has the machine.

dmesg >"$LAB/dmesg"
contains "the kernel's log is whole" "$LAB/dmesg" 'Command line:.* root=/dev/vda'
contains "VFIO has the card" "$LAB/dmesg" "vfio-pci $GPU: "
refute "no driver of the host's had it" grep -E "bochs|snd_hda_intel $GPU_SOUND" "$LAB/dmesg"
journalctl -b -o cat >"$LAB/journal.log"
contains "the unit finds all done" "$LAB/journal.log" 'done before; to do it again, first run: vfio-hook undo --boot win10'
contains "and waits for what could not come there" "$LAB/journal.log" '^server: -- server boot/begin: done in'
equal "with what is behind it" "$(cat /proc/sys/vm/stat_interval)" 77
check "undo --boot of that" vfio-hook undo --boot server </dev/null
equal "puts it back" "$(cat /proc/sys/vm/stat_interval)" 1
# shellcheck source=/dev/null
. /lab/scenarios/91-boot-unit.sh

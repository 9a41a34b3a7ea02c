# shellcheck shell=dash
# boot
# ryzen-second-gpu.ini at a real boot with the unit enabled: the card and the memory are there
# before libvirtd and the desktop; guests come and go.

boot=/run/vfio-hook/boot.win10.journal
unit=vfio-hook-boot.service
pages() { cat /sys/kernel/mm/hugepages/hugepages-2048kB/"$1"_hugepages; }
drivers() { echo "$(driver "$GPU") $(driver "$GPU_SOUND")"; }
at_home() { [ "$(drivers)" = "bochs-drm snd_hda_intel" ]; }
# When it was there, in microseconds since the machine was on.
since() { systemctl show -P ActiveEnterTimestampMonotonic "$1"; }

equal "the unit has done its work" "$(systemctl is-active $unit)" active
check "before libvirtd" test "$(since $unit)" -lt "$(since libvirtd.service)"
equal "the card is on vfio-pci" "$(drivers)" "vfio-pci vfio-pci"
equal "the memory is there" "$(pages nr)" 32
check "in a journal of its own" test -s $boot
cp $boot "$LAB/journal"
BACKING='<memoryBacking><hugepages/></memoryBacking>' guest win10 "$GPU" "$GPU_SOUND"
for n in 1 2; do
	virt_ok "virsh start $n" start win10
	check "the guest sees the card $n" until_true 90 says win10 p11111234
	equal "its memory is that of the boot $n" "$(pages nr) $(pages free)" "32 0"
	virt_ok "virsh destroy $n" destroy win10
	equal "the card stays on vfio-pci $n" "$(drivers)" "vfio-pci vfio-pci"
	equal "the memory stays, too $n" "$(pages nr) $(pages free)" "32 32"
	check "and the journal of the boot $n" cmp $boot "$LAB/journal"
done
check "undo --boot" vfio-hook undo --boot win10 </dev/null
check "the host's drivers have the card" until_true 60 at_home
equal "the memory is the host's" "$(pages nr)" 0
refute "no journal is left" test -e $boot

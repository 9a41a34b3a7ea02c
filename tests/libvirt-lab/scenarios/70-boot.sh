# shellcheck shell=dash
# [boot/begin] by the unit that is shipped: guests come and go, and what it took stays.

boot=/run/vfio-hook/boot.win10.journal
unit=vfio-hook-boot.service
config win10 <<-END
	[boot/begin]
	pci.detach = timeout=15s $NET1
	[prepare/begin]
	pci.detach = timeout=15s $NET1
END
guest win10 "$NET1"
systemctl daemon-reload
check "systemd likes the units" systemd-analyze verify --man=no $unit vfio-hook-orphans.service
after() { systemctl show -P After "$1" | grep -qw "$2"; }
check "the unit comes behind udev's first look at the hardware" after $unit systemd-udev-trigger.service

state "$LAB/before"
check "the unit" systemctl start $unit
equal "the card is taken" "$(driver "$NET1")" vfio-pci
check "in a journal of its own" test -s $boot
cp $boot "$LAB/journal"
check "the unit once more" systemctl restart $unit
check "does nothing again" cmp $boot "$LAB/journal"
check "the unit for orphans" systemctl start vfio-hook-orphans.service
equal "leaves it alone" "$(driver "$NET1")" vfio-pci
for n in 1 2; do
	virt_ok "virsh start $n" start win10
	check "the guest sees the card $n" until_true 90 says win10 p10D38086
	virt_ok "virsh destroy $n" destroy win10
	equal "the card stays on vfio-pci $n" "$(driver "$NET1")" vfio-pci
	check "and in the journal of the boot $n" cmp $boot "$LAB/journal"
done
check "undo --boot" vfio-hook undo --boot win10 </dev/null
check "the card is back on its driver" until_true 90 home_again
systemctl stop $unit
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the unit" "$ONEWAY_VFIO"

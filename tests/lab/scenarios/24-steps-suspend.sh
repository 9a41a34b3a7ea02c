# shellcheck shell=dash
# boot: --append no_console_suspend
# suspend.cycle, as far as the guest can sleep.

note "states: $(cat /sys/power/state), mem is $(cat /sys/power/mem_sleep)"
HUGE='' domain win10
config win10 <<END
[prepare/begin]
suspend.cycle = seconds=3
END
echo deep >/sys/power/mem_sleep
start=$(cat /sys/class/rtc/rtc0/since_epoch)
state "$LAB/before"
hook_ok "suspend.cycle: prepare" prepare begin
slept=$(($(cat /sys/class/rtc/rtc0/since_epoch) - start))
note "slept about $slept s"
check "suspend.cycle: the host slept" [ $slept -ge 3 ]
check "suspend.cycle: it is in the log" grep -q 'suspend to RAM for 3 s: done, one way' /var/log/vfio-hook/win10.log
equal "suspend.cycle: no alarm is left" "$(cat /sys/class/rtc/rtc0/wakealarm)" ''
hook_ok "suspend.cycle: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "suspend.cycle: the host is as before"

# For cards with the reset bug: the card is VFIO's while the host sleeps, before the guest and
# again when it is gone. What the kernel does to a card that wakes must not come back as a
# change of ours.
# By its clock it may have been a moment only: the alarm's event of the time before is not
# always over for this machine's firmware.
sleeps() { cat /sys/power/suspend_stats/success; }
cycles() { grep -c 'suspend to RAM for 3 s: done, one way' /var/log/vfio-hook/win10.log; }
HUGE='' domain win10 $NET1
config win10 <<END
[prepare/begin]
pci.detach = $NET1
suspend.cycle = seconds=3
[release/end]
suspend.cycle = seconds=3
undo =
END
rm /var/log/vfio-hook/win10.log
state "$LAB/before"
equal "it has slept once" "$(sleeps)" 1
hook_ok "on VFIO: prepare" prepare begin
equal "on VFIO: the host slept" "$(sleeps)" 2
equal "on VFIO: the card is the guest's" "$(driver $NET1) $(cycles)" "vfio-pci 1"
group=$(readlink /sys/bus/pci/devices/$NET1/iommu_group)
holder qemud -d $NET1 "/dev/vfio/${group##*/}"
check "on VFIO: a guest can open it" kill -0 "$HOLDER"
holders_end
hook_ok "in release: release" release end
equal "in release: the host slept" "$(sleeps)" 3
equal "in release: once more, before the card went back" "$(cycles)" 2
state "$LAB/after"
same "$LAB/before" "$LAB/after" "in release: the host is as before" "$ONEWAY_VFIO"
equal "in release: no alarm is left" "$(cat /sys/class/rtc/rtc0/wakealarm)" ''

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

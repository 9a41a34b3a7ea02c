# shellcheck shell=dash
# What systemd stops along with a unit comes back when the unit does, each behind what it
# needs. Of systemd itself none would.

# The manager of a user who was here before ends some seconds after the last session.
until_true 60 test ! -e /sys/fs/cgroup/user.slice/user-1000.slice

# service NAME LINES: a unit that runs until it is stopped.
service()
{
	printf '[Unit]\n%s\n[Service]\nExecStart=/bin/sleep infinity\n' "$2" >"/run/systemd/system/$1.service"
}
service seat ''
service greeter 'Requires=seat.service
After=seat.service'
service panel 'BindsTo=greeter.service
After=greeter.service'
service part 'PartOf=seat.service
After=seat.service'
service idler 'Requires=seat.service'
service wanter 'Wants=seat.service
After=seat.service'
systemctl daemon-reload
all='seat greeter panel part wanter'
# shellcheck disable=SC2086 # words
systemctl start $all
run() { for u; do systemctl -q is-active "$u" || return 1; done; }
none() { for u; do ! systemctl -q is-active "$u" || return 1; done; }
started() { systemctl show -P ActiveEnterTimestampMonotonic "$1"; }

systemctl stop seat
systemctl start seat
check "systemd by itself: what needs a unit goes with it and does not come back" none greeter panel part
# shellcheck disable=SC2086
systemctl start $all

HUGE='' domain win10
step "service.stop of what others need" 'none seat greeter panel part && run wanter' <<END
service.stop = seat
END
check "all of them run again" run seat greeter panel part
refute "what did not run does not" run idler
check "each behind what it needs" test "$(started seat)" -le "$(started greeter)" -a "$(started greeter)" -le "$(started panel)" \
	-a "$(started seat)" -le "$(started part)"

# A crash in between: the journal knows them all.
{ echo "[prepare/begin]"; echo "service.stop = seat"; } | config win10
state "$LAB/before"
hook_ok "prepare" prepare begin
check "undo" vfio-hook undo win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "undo: the host is as before" "$ONEWAY_VFIO"
rm /etc/libvirt/hooks/conf.d/win10.ini

# shellcheck disable=SC2086
systemctl stop $all
for u in $all idler; do rm "/run/systemd/system/$u.service"; done
systemctl daemon-reload

# A unit that may be started three times an hour, and was: systemd by itself starts it no
# more. It forgets that with the unit, which another one that runs does not let it.
service keeper 'After=burst.service'
printf '[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nExecStart=/bin/sleep infinity\n' \
	>/run/systemd/system/burst.service
systemctl daemon-reload
systemctl start keeper
use_up() { for _ in 1 2 3; do systemctl stop burst && systemctl start burst || return 1; done; }
check "a unit is started as often as it may be" use_up
systemctl stop burst
refute "systemd by itself: it is refused then" systemctl start burst
equal "for this reason" "$(systemctl show -P Result burst)" start-limit-hit
systemctl reset-failed burst
check "it is so again, and runs" use_up
step "service.stop of a unit that was started too often" 'none burst' <<END
service.stop = burst
END
check "it runs again" run burst
systemctl stop burst keeper

# What is waited for is on its way, and comes when the log tells that it is waited for.
LOG=/var/log/vfio-hook/win10.log
printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "until test -e /run/lab/go; do sleep 0.1; done"\n' \
	>/run/systemd/system/slow.service
systemctl daemon-reload
config win10 <<END
[prepare/begin]
wait.for = unit=slow timeout=60s
exec.run = /usr/bin/systemctl -q is-active slow.service
END
rm -f "$LAB/go"
: >$LOG
state "$LAB/before"
systemctl start --no-block slow
hook_bg prepare begin
check "wait.for unit=: it begins" until_true 30 grep -q 'wait.for = ' $LOG
equal "wait.for unit=: the unit is on its way" "$(systemctl is-active slow)" activating
: >"$LAB/go"
check "wait.for unit=: prepare goes on when it is there" hook_wait "$HOOKPID"
hook_ok "wait.for unit=: release" release end
systemctl stop slow
state "$LAB/after"
same "$LAB/before" "$LAB/after" "wait.for unit=: the host is as before" "$ONEWAY_VFIO"
refused "wait.for unit=: its timeout" 'slow is still not active after 1 s' <<END
wait.for = unit=slow timeout=1s
END
rm "$LAB/go" /run/systemd/system/slow.service /run/systemd/system/burst.service \
	/run/systemd/system/keeper.service /etc/libvirt/hooks/conf.d/win10.ini
systemctl daemon-reload

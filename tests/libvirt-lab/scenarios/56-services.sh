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

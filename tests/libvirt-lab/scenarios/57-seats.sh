# shellcheck shell=dash
# Two seats with a user each, as logind has them: the one that has the guest's card is
# left, the other one stays.

card=$(readlink -f /sys/class/drm/card0)
of_seat() { loginctl list-sessions --no-legend --no-pager | grep -c "user  *$1\$\|user  *$1 "; }
has_session() { [ "$(of_seat "$1")" = 1 ]; }
is_seat() { loginctl list-seats --no-legend --no-pager | grep -qx 'seat1'; }
no_seat() { ! is_seat; }

cat >/run/systemd/system/lab-seat1.service <<END
[Service]
User=user
PAMName=login
Environment=XDG_SESSION_TYPE=x11 XDG_SESSION_CLASS=user XDG_SEAT=seat1
ExecStart=/bin/sleep infinity
END
systemctl daemon-reload
HUGE='' domain win10
check "the card gets a seat of its own" loginctl attach seat1 "$card"
check "logind has it" until_true 30 is_seat
systemctl start user-session.service lab-seat1.service
check "a session on seat0" until_true 60 has_session seat0
check "a session on seat1" until_true 60 has_session seat1

# Units of the user's own manager, by his name and by the seat where he is.
of_user() { timeout 60 systemctl --user --machine=user@ "$@"; }
runs() { of_user -q is-active "$1"; }
pid_of() { of_user show -P MainPID "$1"; }
mkdir -p /etc/systemd/user
for u in receiver mixer; do printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/user/lab-$u.service; done
of_user daemon-reload
check "one of his services runs" of_user start lab-mixer
mixer=$(pid_of lab-mixer)
config win10 <<END
[domain]
timeout = 300s
[prepare/begin]
service.start = user=user timeout=90s lab-receiver
service.restart = seat=seat1 timeout=90s lab-mixer lab-none
END
hook_ok "service.start user=, service.restart seat=: prepare" prepare begin
check "service.start user=: it runs" runs lab-receiver
refute "service.restart seat=: another process" test "$mixer" = "$(pid_of lab-mixer)"
check "service.restart seat=: runs" runs lab-mixer
contains "service.restart seat=: what he does not have is passed over" /var/log/vfio-hook/win10.log 'no unit lab-none of user user: passed over'
hook_ok "service.start user=, service.restart seat=: release" release end
refute "service.start user=: it is stopped again" runs lab-receiver
check "service.restart seat=: it runs on" runs lab-mixer
config win10 <<END
[domain]
timeout = 300s
[prepare/begin]
service.start = seat=seat0 timeout=90s lab-receiver
END
hook_ok "service.start seat=: prepare" prepare begin
check "service.start seat=: it runs" runs lab-receiver
hook_ok "service.start seat=: release" release end
refute "service.start seat=: it is stopped again" runs lab-receiver
of_user stop lab-mixer
rm /etc/systemd/user/lab-receiver.service /etc/systemd/user/lab-mixer.service

refused "session.end seat=: a session that stays is named" 'session [0-9]+ of user' <<END
session.end = seat=seat1 timeout=1s
END
check "session.end seat=: and stays" has_session seat1
config win10 <<END
[prepare/begin]
session.end = seat=seat1 timeout=4s force=yes
END
state "$LAB/before"
hook_ok "session.end seat= force=yes: prepare" prepare begin
equal "session.end seat=: that seat is left, the other is not" "$(of_seat seat1) $(of_seat seat0)" "0 1"
hook_ok "session.end seat=: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "session.end seat=: the host is as before, but for the session" \
	"$ONEWAY_VFIO|^(session user seat1|unit lab-seat1|cgroup .*user[.-])|^cgroup .*lab-seat1"
systemctl stop user-session.service lab-seat1.service
loginctl flush-devices
check "the card is seat0's again" until_true 30 no_seat
loginctl terminate-user user
check "nothing of the user's is left" until_true 60 test ! -e /sys/fs/cgroup/user.slice/user-1000.slice
rm /run/systemd/system/lab-seat1.service /etc/libvirt/hooks/conf.d/win10.ini
systemctl daemon-reload

# shellcheck shell=dash
# shellcheck disable=SC2016 # tests are evaluated later
# service.* with the real tools of OpenRC and of runit, from Debian's packages: stop, start
# and restart with a whole prepare and release, and what is said when they cannot.

HUGE='' domain win10 $NET1
HUGE='' domain other

# What needs a service stops with it, and comes back with it, in its order. systemd is a
# stand-in here, see the libvirt lab.
for u in seat greeter panel part idler; do unit $u.service $u /dev/null; done
printf '%s\n' 'RequiredBy=greeter.service idler.service' 'ConsistsOf=part.service' >/run/standin/units/seat.service/properties
echo 'BoundBy=panel.service' >/run/standin/units/greeter.service/properties
systemctl start seat greeter panel part
: >/run/standin/calls
stopped() { for u in seat greeter panel part; do ! systemctl -q is-active $u || return 1; done; }
calls() { sed -n "s/.* $1 -- \(.*\).service/\1/p" /run/standin/calls | tr '\n' ' '; }
step "systemd: service.stop of what others need" stopped <<END
service.stop = seat
END
equal "systemd: what needs others stops before them" "$(calls stop)" "panel greeter part seat "
equal "systemd: and starts behind them" "$(calls start)" "seat part greeter panel "
config win10 <<END
[prepare/begin]
service.stop = seat
END
vfio-hook plan win10 prepare >"$LAB/plan" 2>&1 </etc/lab/win10.xml
contains "systemd: the plan tells what goes along" "$LAB/plan" 'panel.service is stopped with seat.service, which it needs'
# What conflicts with a service stops for it, with what needs that, and comes back.
unit bench.service bench /dev/null
echo 'Conflicts=shutdown.target seat.service' >/run/standin/units/bench.service/properties
: >/run/standin/calls
made_way() { systemctl -q is-active bench && stopped; }
step "systemd: service.start against what conflicts" made_way <<END
service.start = bench
END
equal "systemd: it comes back behind it" "$(calls start)" "bench seat part greeter panel "
rm -r /run/standin/units/bench.service
: >/run/standin/units/greeter.service/stop-fail
state "$LAB/refused.before"
refused "systemd: one of them fails to stop" 'greeter.service.*Job for greeter.service failed' <<END
service.stop = seat
END
state "$LAB/refused.after"
same "$LAB/refused.before" "$LAB/refused.after" "systemd: the host is as before that refusal" "$ONEWAY_VFIO"
rm /run/standin/units/greeter.service/stop-fail
holders_end

mv /run/systemd/system "$LAB/systemd.off"

# rc NAME [LINES]: a service of OpenRC that holds the card.
rc()
{
	printf '%s\n' '#!/sbin/openrc-run' "pidfile=/run/$1.pid" "${2:-}" >"/etc/init.d/$1"
	grep -q '^start()\|supervisor=' "/etc/init.d/$1" || cat >>"/etc/init.d/$1" <<-'END'
		start() { start-stop-daemon -S -b -m -p $pidfile -x /bin/hold -- /dev/dri/card0; }
		stop() { start-stop-daemon -K -p $pidfile; }
	END
	chmod 755 "/etc/init.d/$1"
}
is_rc() { [ -e "/run/openrc/started/$1" ] && [ ! -e "/run/openrc/stopping/$1" ]; }
calm() { ! ls /run/openrc/starting/* /run/openrc/stopping/* >/dev/null 2>&1; }

for d in daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive; do
	mkdir -p /run/openrc/$d
done
echo default >/run/openrc/softlevel
rc seatd
rc sddm 'depend() { need seatd; }'
rc panel 'depend() { need sddm; }'
rc widget 'depend() { use seatd; }'
rc sleeper 'depend() { need seatd; }'
rc idle
rc watched 'supervisor=supervise-daemon
command=/bin/hold
command_args=/dev/dri/card0'
rc broken 'start() { eerror "no such thing"; return 1; }'
rc wedged 'start() { return 0; }
stop() { eerror "it does not want to"; return 1; }'
rc slow 'start() { return 0; }
stop() { sleep 60; }'
for s in panel widget watched wedged slow; do
	rc-service $s start >"$LAB/rc" 2>&1 </dev/null || note "$s: $(cat "$LAB/rc")"
done
check "OpenRC: the services run, with what they need" eval 'is_rc seatd && is_rc sddm && is_rc panel && is_rc watched'

step "OpenRC: service.stop" '! is_rc panel && is_rc sddm' <<END
service.stop = panel
END
note "rc-service seatd needsme: $(rc-service seatd needsme)"
step "OpenRC: service.stop of what others need, who only uses it stays" \
	'! is_rc sddm && ! is_rc panel && ! is_rc seatd && is_rc widget' <<END
service.stop = seatd.service
END
# Two domains: the last one brings all of it back, whoever it is.
for first in win10 other; do
	state "$LAB/two.before"
	for d in win10 other; do
		config $d <<-END
		[prepare/begin]
		service.stop = timeout=60s seatd
		END
		hook_ok "OpenRC: two domains, $d: prepare" prepare begin $d
	done
	hook_ok "OpenRC: $first leaves first" release end $first
	refute "OpenRC: nothing comes back" eval 'is_rc seatd || is_rc sddm || is_rc panel'
	[ $first = win10 ] && last=other || last=win10
	hook_ok "OpenRC: $last leaves last" release end $last
	state "$LAB/two.after"
	same "$LAB/two.before" "$LAB/two.after" "OpenRC: two domains: the host is as before" "$ONEWAY_VFIO"
done
step "OpenRC: service.stop of a supervised daemon" '! is_rc watched && ! pidof supervise-daemon' <<END
service.stop = watched
END
step "OpenRC: service.stop of what does not run" '! is_rc idle' <<END
service.stop = idle
END
step "OpenRC: service.start" 'is_rc idle' <<END
service.start = idle
END
step "OpenRC: service.start of what runs" 'is_rc sddm' <<END
service.start = sddm
END
old=$(cat /run/sddm.pid)
step "OpenRC: service.restart" 'is_rc sddm && [ "$(cat /run/sddm.pid)" != $old ]' <<END
service.restart = sddm
END
# A daemon that crashed is no reason for release not to start it.
kill -9 "$(cat /run/idle.pid)" 2>/dev/null
state "$LAB/refused.before"
refused "OpenRC: a service that is not there" 'OpenRC has no service nothing: rc-service --list' <<END
service.stop = nothing
END
refused "OpenRC: a service of a user" 'services of users .user=, seat=. are systemd.s; this host has OpenRC' <<END
service.stop = user=user pipewire
END
refused "OpenRC: a service that fails to stop; what was stopped before is back" \
	'rc-service wedged stop failed \(status 1\): .*does not want to' <<END
service.stop = panel
service.stop = wedged
END
refused "OpenRC: a service that fails to start" 'rc-service broken start failed \(status 1\): .*no such thing' <<END
service.start = broken
END
refused "OpenRC: a service that takes too long to stop" 'rc-service slow stop did not end within [0-9]+ s: give the step a longer timeout=' <<END
service.stop = timeout=2s slow
END
check "OpenRC: nothing is on its way any more" until_true 10 calm
state "$LAB/refused.after"
same "$LAB/refused.before" "$LAB/refused.after" "OpenRC: the host is as before those refusals" "$ONEWAY_VFIO"

config win10 <<END
[prepare/begin]
service.stop = sddm
END
hook_ok "OpenRC, shutting down: prepare" prepare begin
: >/run/openrc/rc.stopping
hook_ok "OpenRC, shutting down: release" release end
refute "OpenRC, shutting down: nothing is started" is_rc sddm
contains "OpenRC, shutting down: the log tells" /var/log/vfio-hook/win10.log 'sddm is not started: the system is shutting down'
rm /run/openrc/rc.stopping

for s in panel widget sddm seatd watched idle; do rc-service -q $s stop >/dev/null 2>&1 </dev/null; done
rm -rf /run/openrc /etc/init.d/*

# sv_dir NAME COMMAND...: a service of runit.
sv_dir()
{
	local name=$1
	shift
	mkdir -p "/etc/service/$name"
	printf '#!/bin/sh\nexec %s\n' "$*" >"/etc/service/$name/run"
	chmod 755 "/etc/service/$name/run"
}
is_sv() { sv status "/etc/service/$1" | grep -q '^run:'; }

mkdir -p /run/runit
sv_dir sddm hold /dev/dri/card0
sv_dir idle hold /dev/dri/card0
: >/etc/service/idle/down
sv_dir wedged hold -i /dev/dri/card0
sv_dir broken false
: >/etc/service/broken/down
printf '#!/bin/sh\nexit 1\n' >/etc/service/broken/check
chmod 755 /etc/service/broken/check
setsid runsvdir /etc/service >"$LAB/runsvdir" 2>&1 </dev/null &
runsvdir=$!
check "runit: the services run" until_true 20 eval 'is_sv sddm && is_sv wedged && sv status /etc/service/idle /etc/service/broken'

step "runit: service.stop" '! is_sv sddm' <<END
service.stop = sddm.service
END
step "runit: service.stop of what does not run" '! is_sv idle' <<END
service.stop = idle
END
step "runit: service.start" 'is_sv idle' <<END
service.start = idle
END
step "runit: service.start of what runs" 'is_sv sddm' <<END
service.start = sddm
END
old=$(cat /etc/service/sddm/supervise/pid)
step "runit: service.restart" 'is_sv sddm && [ "$(cat /etc/service/sddm/supervise/pid)" != $old ]' <<END
service.restart = sddm
END
state "$LAB/refused.before"
refused "runit: a service that is not there" 'runit does not supervise a service nothing: see sv status nothing' <<END
service.stop = nothing
END
refused "runit: a service of a user" 'services of users .user=, seat=. are systemd.s; this host has runit' <<END
service.stop = user=user pipewire
END
refused "runit: a service that does not end" 'sv stop wedged failed \(status 1\): .*wedged: .*got TERM' <<END
service.stop = sddm
service.stop = timeout=2s wedged
END
refused "runit: a service that does not come up" 'sv start broken failed \(status 1\): .*broken' <<END
service.start = timeout=2s broken
END
state "$LAB/refused.after"
# Its SIGTERM cannot be taken back, but what is wanted of it can.
sed -i 's/, got TERM$//' "$LAB/refused.before" "$LAB/refused.after"
same "$LAB/refused.before" "$LAB/refused.after" "runit: the host is as before those refusals" "$ONEWAY_VFIO"
refute "runit: what was refused is not wanted any more" eval "sv status /etc/service/* | grep -q ', want'"
# One that is to run once, and was not to be started again when it ends.
sv once wedged
check "runit: a service that is to run once" eval "sv status wedged | grep -q ', want down'"
refused "runit: such a one that does not end" 'sv stop wedged failed' <<END
service.stop = timeout=2s wedged
END
check "runit: it is to run once, still" eval "sv status wedged | grep -q '^run: .*, want down'"

config win10 <<END
[prepare/begin]
service.stop = sddm
END
hook_ok "runit, shutting down: prepare" prepare begin
: >/run/runit.stopit
chmod 100 /run/runit.stopit
hook_ok "runit, shutting down: release" release end
refute "runit, shutting down: nothing is started" is_sv sddm
contains "runit, shutting down: the log tells" /var/log/vfio-hook/win10.log 'sddm is not started: the system is shutting down'
rm /run/runit.stopit

kill -HUP $runsvdir
wait $runsvdir
kill -9 "$(pidof hold)" 2>/dev/null
rm -rf /run/runit /etc/service/*
mv "$LAB/systemd.off" /run/systemd/system
rm -f /etc/libvirt/hooks/conf.d/other.ini

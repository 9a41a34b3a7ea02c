# shellcheck shell=dash
# vfio-hook typed by way of sudo in a terminal of the desktop that it ends: it goes on, puts
# all back, and the log has its report.

config gpu <<-END
	[prepare/begin]
	service.stop     = timeout=15s display-manager.service
	session.end      = seat=seat0 timeout=2s force=yes
	vtconsole.unbind =
	kmod.unload      = timeout=20s bochs
	pci.detach       = timeout=15s
END
guest gpu "$GPU" "$GPU_SOUND"

# The terminal: a process in the user's session, with the other end of a pty.
cat >"$LAB/terminal" <<-'END'
	#!/bin/bash
	echo $$ >"/sys/fs/cgroup$1/cgroup.procs"
	shift
	cd /home/user && exec setpriv --reuid=user --regid=user --init-groups \
		script -qefc "sudo $*" typescript </dev/null >/dev/null 2>&1
END
chmod 755 "$LAB/terminal"
TYPESCRIPT=/home/user/typescript

# Of the session; and libvirtd, which ends when nobody has called it for two minutes.
USER_SESSION='^(session|unit user-session|cgroup (/cgroup.subtree_control|.*user[.-])|(unit|cgroup) .*libvirtd)'
scope()
{
	local id
	id=$(loginctl list-sessions --no-legend --no-pager | awk '$3 == "user" && $4 == "seat0" { print $1 }')
	echo "/user.slice/user-1000.slice/session-$id.scope"
}
scope_there() { [ -e "/sys/fs/cgroup$(scope)/cgroup.procs" ]; }
in_scope() { [ -n "$(ls -d /sys/fs/cgroup/system.slice/vfio-hook-*.scope 2>/dev/null)" ]; }
has_card() { find "/proc/$(systemctl show -P MainPID display-manager.service)/fd" -lname /dev/dri/card0 | grep -q .; }
no_scope() { ! in_scope; }
logged() { grep -q -e "$1" /var/log/vfio-hook/gpu.log; }
typed() { "$LAB/terminal" "$(scope)" "$@" & }
desktop()
{
	systemctl start display-manager.service
	systemctl start user-session.service
	check "$1: the user has a session on seat0" until_true 90 scope_there
}
desktop_is_back()
{
	check "$1: the display manager has the card" until_true 90 has_card
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before, but for the session" \
		"$ONEWAY_VFIO|$USER_SESSION"
}

desktop test
state "$LAB/before"
typed vfio-hook test gpu 4
terminal=$!
check "test: it has taken the card" until_true 90 on_vfio "$GPU"
check "test: it is in a scope of its own" in_scope
refute "test: the session has ended" session_there
wait $terminal
check "test: the terminal was killed with the session" test $? -gt 128
refute "test: sudo, too" pgrep -x sudo
contains "test: it said before what it would end" $TYPESCRIPT 'ends the desktop of this host'
check "test: its report is in the log" until_true 90 logged 'released; all is as it was'
check "test: its scope is gone" until_true 30 no_scope
refute "test: no journal is left" test -e "/run/vfio-hook/$(uuid_of gpu).journal"
desktop_is_back test

rm -f /var/log/vfio-hook/gpu.log
desktop run
state "$LAB/before"
typed vfio-hook run gpu prepare
terminal=$!
check "run: prepare is done" until_true 90 logged '-- gpu prepare/begin: done'
equal "run: the card is on vfio-pci" "$(driver "$GPU")" vfio-pci
refute "run: the session has ended" session_there
wait $terminal
check "run: the terminal was killed with the session" test $? -gt 128
refute "run: sudo, too" pgrep -x sudo
check "run: its scope is gone" until_true 30 no_scope
check "run: release, from no session" vfio-hook run gpu release </dev/null
refute "run: no journal is left" test -e "/run/vfio-hook/$(uuid_of gpu).journal"
desktop_is_back run

# In a session that goes on: the exit status, and Ctrl-C.
config win10 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
guest win10 "$NET1"
systemctl start user-session.service
check "Ctrl-C: there is a session" until_true 90 scope_there
state "$LAB/before"
typed vfio-hook test win10 600
terminal=$!
check "Ctrl-C: test has taken the card" until_true 90 on_vfio "$NET1"
check "Ctrl-C: it is in a scope of its own" in_scope
front=$(pgrep -o -x vfio-hook) # the older of two
check "Ctrl-C: one waits in the session" grep -q 'session-.*scope' "/proc/$front/cgroup"
kill -INT "$front"
wait $terminal
equal "Ctrl-C: exit status" "$?" 0
contains "Ctrl-C: the report is on the terminal" $TYPESCRIPT 'win10: released; all is as it was'
state "$LAB/after"
same "$LAB/before" "$LAB/after" "Ctrl-C: the host is as before" "$ONEWAY_VFIO|$USER_SESSION"
typed vfio-hook run nobody prepare
wait $!
equal "a refusal has its own exit status" $? 2

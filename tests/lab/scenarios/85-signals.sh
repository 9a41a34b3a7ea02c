# shellcheck shell=dash
# Who is told to stop undoes what it did; who cannot is put right by others.

log=/var/log/vfio-hook/win10.log
mkdir -p /var/log/vfio-hook
journal=/run/vfio-hook/$(uuid_of win10).journal
HUGE='' domain win10 $NET1
HUGE='' domain other $NET1
HUGE='' domain third
config third <<END
[prepare/begin]
governor.set = performance
END
waiting()
{
	config win10 <<-END
	[prepare/begin]
	governor.set = performance
	pci.detach   =
	$*
	END
}
at() { grep -qF -e "$1 ..." $log; }
waits() { until_true 20 at "$1"; }
quick() { uptime_ms >"$LAB/since"; }
took() { local s; read -r s <"$LAB/since"; [ $(($(uptime_ms) - s)) -lt "$1" ]; }

# Each of these steps would wait for a minute.
unit slow.service slowd /dev/null
for sig in TERM INT; do
	for line in "wait.for = path=/nowhere timeout=60s" "wait.sleep = 60" \
		"exec.run = timeout=60s /bin/sleep 60" "service.stop = timeout=60s slow.service"; do
		[ $sig = TERM ] || case $line in wait.sleep* | exec*) continue ;; esac
		systemctl start slow.service
		echo 60 >/run/standin/units/slow.service/stop-delay
		waiting "$line"
		: >$log
		state "$LAB/before"
		hook_bg prepare begin
		pid=$HOOKPID
		check "${line%% *}, SIG$sig: it waits" waits "$line"
		hook_ok "${line%% *}, SIG$sig: it holds up no other domain: prepare" prepare begin third
		hook_ok "${line%% *}, SIG$sig: it holds up no other domain: release" release end third
		quick
		kill -$sig "$pid" # and only then the unit may get on: it must not be first
		rm /run/standin/units/slow.service/stop-delay
		hook_wait "$pid"
		equal "${line%% *}, SIG$sig: exit 1" "$RC" 1
		check "${line%% *}, SIG$sig: at once" took 6000
		contains "${line%% *}, SIG$sig: says so" "$ERR" 'interrupted'
		equal "${line%% *}, SIG$sig: its pipes are free" "$HOOK_HUNG" ""
		check "${line%% *}, SIG$sig: the service runs" systemctl -q is-active slow.service
		state "$LAB/after"
		same "$LAB/before" "$LAB/after" "${line%% *}, SIG$sig: it undid itself" "$ONEWAY_VFIO"
	done
done
refute "no program is left" sh -c "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' ' | grep -q '/bin/slee[p] 60'"

# Nobody reads what it says any more: a signal of that kind ends nothing half-way.
# deaf OP SUB: with a stderr whose reader is gone.
deaf()
{
	mkfifo "$LAB/deaf"
	cat "$LAB/deaf" >/dev/null &
	reader=$!
	exec 7>"$LAB/deaf"
	kill $reader
	wait $reader 2>/dev/null
	(cd / && exec env -i LC_ALL=C PATH=$HOOK_PATH /etc/libvirt/hooks/qemu win10 "$1" "$2" - </etc/lab/win10.xml 2>&7)
	RC=$?
	exec 7>&-
	rm "$LAB/deaf"
}
waiting "exec.run = /bin/false"
state "$LAB/before"
deaf prepare begin
equal "stderr without a reader: prepare fails in good order" "$RC" 1
state "$LAB/after"
same "$LAB/before" "$LAB/after" "stderr without a reader: it undid itself" "$ONEWAY_VFIO"
waiting
hook_ok "prepare" prepare begin
printf '[prepare/begin]\n[release/end]\nexec.run = /bin/false\n' >/etc/libvirt/hooks/conf.d/win10.ini
deaf release end
equal "stderr without a reader: a release that fails says so" "$RC" 1
state "$LAB/after"
same "$LAB/before" "$LAB/after" "stderr without a reader: it put back all the same" "$ONEWAY_VFIO"

# A release is not to be interrupted.
config win10 <<END
[prepare/begin]
governor.set = performance
pci.detach   =
[release/end]
exec.run = /bin/sleep 2
END
state "$LAB/before"
hook_ok "prepare" prepare begin
hook_bg release end
until_true 10 at "exec.run = /bin/sleep 2"
kill "$HOOKPID"
hook_wait "$HOOKPID"
equal "SIGTERM does not end a release" "$RC" 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# daemon DOMAIN OP SUB: a process that calls the hook as the daemon does. Sets DAEMON.
daemon()
{
	local xml=/etc/lab/$1.xml
	rm -f "$LAB/daemon.rc"
	setsid sh -c "cd /; env -i LC_ALL=C PATH=$HOOK_PATH /etc/libvirt/hooks/qemu '$1' $2 $3 - <$xml 2>$LAB/daemon.err; echo \$? >$LAB/daemon.rc; while :; do sleep 1; done" </dev/null >/dev/null 2>&1 &
	DAEMON=$!
}
hook_of() { grep -l "^PPid:	$1\$" /proc/[0-9]*/status 2>/dev/null | tr -dc '0-9\n' | head -n 1; }
prepared() { test -s "$LAB/daemon.rc"; }

# A disk that hangs under the log: who writes it is stopped.
waiting "wait.for = path=/run/go timeout=60s"
: >$log
rm -f /run/go
state "$LAB/before"
hook_bg prepare begin
check "a prepare waits" waits "wait.for = path=/run/go timeout=60s"
writer=$(hook_of "$HOOKPID")
check "a child writes its log" kill -STOP "$writer"
: >/run/go
hook_wait "$HOOKPID"
equal "a log that hangs: prepare goes on" "$RC" 0
equal "a log that hangs: its pipes are free" "$HOOK_HUNG" ""
refute "a log that hangs: it has not the end yet" grep -q 'prepare/begin: done in' $log
kill -CONT "$writer"
check "the disk is back: the log has all" until_true 10 grep -q 'prepare/begin: done in' $log
hook_ok "release" release end
rm /run/go
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# The daemon dies while prepare waits.
waiting "wait.for = path=/nowhere timeout=60s"
: >$log
daemon win10 prepare begin
check "a daemon's prepare waits" waits "wait.for = path=/nowhere timeout=60s"
pid=$(hook_of $DAEMON)
kill -9 $DAEMON
gone() { ! kill -0 "$1" 2>/dev/null; }
check "the daemon dies: prepare ends" until_true 10 gone "$pid"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "it undid itself" "$ONEWAY_VFIO"
check "the log says why" grep -q 'daemon is gone' $log
refute "no journal is left" test -e "$journal"

# The same with a wrapper between them, which lives on: the pipe tells it.
: >$log
deaf prepare begin
equal "nobody reads its stderr any more: exit 1" "$RC" 1
check "nobody reads its stderr any more: the log says why" grep -q 'daemon is gone' $log
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nobody reads its stderr any more: it undid itself" "$ONEWAY_VFIO"

# Daemon and hook die together; the next domain gets the device all the same.
config other <<END
[prepare/begin]
governor.set = performance
pci.detach   =
END
# crash DESC [LINES]: in the middle of a prepare with these lines.
crash()
{
	: >$log
	waiting "${2:+$2
}wait.for = path=/nowhere timeout=60s"
	daemon win10 prepare begin
	check "$1: a prepare is on its way" waits "wait.for = path=/nowhere timeout=60s"
	kill -9 "$(hook_of $DAEMON)" $DAEMON
	equal "$1: the device was taken" "$(driver $NET1)" vfio-pci
	check "$1: the journal is there" test -s "$journal"
}
crash "another domain"
hook_ok "another domain wants the device: prepare" prepare begin other
refute "the dead one's journal is gone" test -e "$journal"
equal "the new one has the device" "$(driver $NET1)" vfio-pci
hook_ok "another domain: release" release end other
state "$LAB/after"
same "$LAB/before" "$LAB/after" "all is as before the dead one" "$ONEWAY_VFIO"

# Somebody is at work on the dead one's undo: a start waits for that as long as it has time.
cat >"$LAB/undo" <<'END'
#!/bin/sh
: >/run/lab/undo.on
until [ -e /run/lab/undo.go ]; do usleep 50000; done
END
chmod 755 "$LAB/undo"
other()
{
	config other <<-END
	[domain]
	timeout = $1
	[prepare/begin]
	governor.set = performance
	pci.detach   =
	END
}
begun() { grep -q "== other prepare/begin" /var/log/vfio-hook/other.log; }
busy='domain win10: vfio-hook \(pid'
crash "an undo that takes long" "exec.run = /bin/true
exec.undo = timeout=80s $LAB/undo"
vfio-hook undo win10 >"$LAB/undo.out" 2>&1 </dev/null &
undo=$!
check "an undo by hand is at work" until_true 20 test -e "$LAB/undo.on"
other 3s
hook_refused "a start that has no time for it names it" \
	"$busy $undo\\) is at work on it and holds $journal; it was waited for for [0-9]+ s" prepare begin other
kill -STOP $undo
hook_refused "and tells what to do about one that is stopped" "$busy $undo, stopped: kill -CONT $undo\\)" prepare begin other
kill -CONT $undo
other 90s
: >/var/log/vfio-hook/other.log
hook_bg prepare begin other
check "another start begins" until_true 20 begun
kill "$HOOKPID"
hook_wait "$HOOKPID"
equal "SIGTERM ends that wait" "$RC" 1
contains "and it says so" "$ERR" interrupted
hook_bg prepare begin other
refute "one with more time waits on" until_true 23 gone "$HOOKPID"
: >"$LAB/undo.go"
hook_wait "$HOOKPID"
check "and gets the device" test "$RC" -eq 0 -a "$(driver $NET1)" = vfio-pci
wait $undo
equal "the undo succeeded" "$?" 0
hook_ok "its release" release end other
rm -f "$LAB/undo.on" "$LAB/undo.go"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "all is as before the dead one" "$ONEWAY_VFIO"

crash "--orphans"
check "undo --orphans" vfio-hook undo --orphans
state "$LAB/after"
same "$LAB/before" "$LAB/after" "--orphans: the host is as before" "$ONEWAY_VFIO"

crash "the same domain"
waiting
hook_ok "the same domain starts again" prepare begin
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the same domain: the host is as before" "$ONEWAY_VFIO"

crash "undo DOMAIN"
check "undo DOMAIN" vfio-hook undo win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "undo DOMAIN: the host is as before" "$ONEWAY_VFIO"

# One that lives is not taken for an orphan; a reconnect makes a new daemon the owner.
waiting
rm -f "$LAB/daemon.rc"
daemon win10 prepare begin
check "prepare by a daemon" until_true 20 prepared
equal "it got through" "$(cat "$LAB/daemon.rc")" 0
vfio-hook undo --orphans
equal "a live owner's device stays" "$(driver $NET1)" vfio-pci
hook_refused "and is refused to another domain, by name" "$NET1 belongs to domain win10 now" prepare begin other
kill -9 $DAEMON
wait $DAEMON 2>/dev/null
hook_ok "reconnect by the daemon that came after" reconnect begin
vfio-hook undo --orphans
equal "the new daemon is its owner" "$(driver $NET1)" vfio-pci
hook_refused "still refused to another domain" "$NET1 belongs to domain win10 now" prepare begin other
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# A QEMU that runs on without any daemon is an owner.
waiting
daemon win10 prepare begin
check "prepare by a daemon" until_true 20 prepared
kill -9 $DAEMON
wait $DAEMON 2>/dev/null
cp /bin/busybox /tmp/busybox-qemu
/tmp/busybox-qemu sh -c 'while :; do sleep 1; done' qemu -uuid "$(uuid_of win10)" </dev/null >/dev/null 2>&1 &
qemu=$!
vfio-hook undo --orphans
equal "while its QEMU lives it is no orphan" "$(driver $NET1)" vfio-pci
kill $qemu
wait $qemu 2>/dev/null
rm /tmp/busybox-qemu
vfio-hook undo --orphans
state "$LAB/after"
same "$LAB/before" "$LAB/after" "when that is gone it is" "$ONEWAY_VFIO"
rm -f /etc/libvirt/hooks/conf.d/other.ini

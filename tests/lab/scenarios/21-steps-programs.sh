# shellcheck shell=dash
# shellcheck disable=SC2016 # tests are evaluated later
# Programs and what is waited for: what exec.run gives a program, exec.undo, timeouts.

HUGE='' domain win10
NOTES=/run/lab/notes
mkdir -p $NOTES /run/user/1000
chmod 1777 $NOTES
LOG=/var/log/vfio-hook/win10.log

# Its own environment, a line each, and what else a program has from its parent.
cat >/usr/bin/lab-note <<'END'
#!/bin/sh
{
	tr '\0' '\n' </proc/$$/environ | sort
	echo "id $(id -u):$(id -g) $(id -G)"
	echo "cwd $(readlink /proc/$$/cwd)"
	echo "stdin $(readlink /proc/$$/fd/0)"
	shift
	for a; do echo "argument $a"; done
} >"/run/lab/notes/$(id -un).$NOTE"
END
chmod 755 /usr/bin/lab-note

# wanted USER PHASE HOME MORE: what the program of that user is to note in that phase.
wanted()
{
	{
		[ -z "$4" ] || printf '%s\n' DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus XDG_RUNTIME_DIR=/run/user/1000
		printf '%s\n' "HOME=$3" LC_ALL=C "LOGNAME=$1" "NOTE=$2" "PATH=$HOOK_PATH" "TWO=a b" "USER=$1" \
			VFIO_HOOK_DOMAIN=win10 "VFIO_HOOK_PHASE=$5" "VFIO_HOOK_UUID=$(uuid_of win10)"
	} | sort
	echo "id $(id -u "$1"):$(id -g "$1") $(id -G "$1")"
	printf '%s\n' 'cwd /' 'stdin /dev/null' 'argument one' 'argument  two $HOME'
}

# noted DESC USER PHASE HOME MORE
noted()
{
	local desc=$1
	shift
	wanted "$@" >"$LAB/wanted"
	check "$desc" diff "$LAB/wanted" "$NOTES/$1.$2"
}

step "exec.run" 'noted "exec.run: environment, user, folder, stdin" root up /root "" prepare/begin' <<'END'
exec.run  = env="NOTE=up 'TWO=a b'" /usr/bin/lab-note - one ' two $HOME'
exec.undo = env="NOTE=down 'TWO=a b'" /usr/bin/lab-note - one ' two $HOME'
END
noted "exec.undo: the same" root down /root "" release/end
step "exec.run user=" 'noted "exec.run user=: as of a login of theirs" user up /home/user yes prepare/begin' <<'END'
exec.run  = user=user env="NOTE=up 'TWO=a b'" /usr/bin/lab-note - one ' two $HOME'
exec.undo = user=user env="NOTE=down 'TWO=a b'" /usr/bin/lab-note - one ' two $HOME'
END
noted "exec.undo user=: the same" user down /home/user yes release/end

step "exec.run with exec.undo" 'test -e /run/exec-ran' <<END
exec.run  = /bin/touch /run/exec-ran
exec.undo = /bin/rm /run/exec-ran
END
refute "exec.undo ran" test -e /run/exec-ran

# untouched DESC REGEX <<LINES: refused, and the host as before.
untouched()
{
	state "$LAB/before"
	refused "$1" "$2"
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$ONEWAY_VFIO"
}

# A name of its own, to find it by. The undo above it is run, the one below it as well:
# what a program that was killed had done by then is not known.
cp /bin/busybox /usr/bin/busybox-sleeper
sleeps() { stat -c %N /proc/[0-9]*/exe 2>/dev/null | grep -q busybox-sleeper; }
asleep() { ! sleeps; }
/usr/bin/busybox-sleeper sleep 600 &
check "a program is found" until_true 5 sleeps
kill $!
wait $!
untouched "exec.run timeout=" 'busybox-sleeper .*(1 s|killed)' <<END
exec.run  = /bin/touch /run/first
exec.undo = /bin/rm /run/first
exec.run  = timeout=1s /usr/bin/busybox-sleeper sleep 600
exec.undo = /bin/touch /run/second
END
check "exec.run timeout=: the program is gone" until_true 5 asleep
refute "exec.run timeout=: the exec.undo before it ran" test -e /run/first
check "exec.run timeout=: and its own" test -e /run/second
rm -f /run/second
untouched "exec.run of a program that fails" 'false.* 1' <<END
exec.run  = /bin/false
END

# What is waited for comes when the log tells that it is waited for.
begun() { grep -q "^[^ ]* [A-Z]* *$1" $LOG; }
LATE=/run/lab/late
config win10 <<END
[prepare/begin]
wait.for = path=$LATE timeout=60s
exec.run = /bin/test -e $LATE
END
: >$LOG
hook_bg prepare begin
check "wait.for path=: it begins" until_true 20 begun wait.for
: >$LATE
check "wait.for path=: prepare goes on when the file is there" hook_wait "$HOOKPID"
hook_ok "wait.for path=: release" release end
rm $LATE
untouched "wait.for path=: its timeout" "$LATE is still not there after 1 s" <<END
wait.for = path=$LATE timeout=1s
END
unit slow.service slowd /dev/null
config win10 <<END
[prepare/begin]
wait.for = unit=slow.service timeout=60s
exec.run = /usr/bin/systemctl -q is-active slow.service
END
: >$LOG
hook_bg prepare begin
check "wait.for unit=: it begins" until_true 20 begun wait.for
systemctl start slow.service
check "wait.for unit=: prepare goes on when the unit runs" hook_wait "$HOOKPID"
hook_ok "wait.for unit=: release" release end
systemctl stop slow.service
untouched "wait.for unit=: its timeout" "slow is still not active after 1 s" <<END
wait.for = unit=slow timeout=1s
END
step "wait.sleep" '[ $HOOK_MS -ge 1500 ]' <<END
wait.sleep = 1.5
END

# modprobe runs what modprobe.d says in place of a load, and that may hang.
echo 'install dummy /usr/bin/busybox-sleeper sleep 600' >/etc/modprobe.d/lab.conf
untouched "kmod.load timeout=" "modprobe dummy was not done after .* and was ended" <<END
kmod.load = timeout=1s dummy
END
check "kmod.load timeout=: what modprobe ran is gone" until_true 5 asleep
rm /etc/modprobe.d/lab.conf /usr/bin/busybox-sleeper /usr/bin/lab-note
rm -r $NOTES /run/user/1000

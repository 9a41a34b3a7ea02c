# shellcheck shell=dash
# A device has one owner: among domains that want it at the same instant, beside those that
# only want it gone, and when one of them was cut off at any call before it had it.

for d in a b; do
	HUGE='' domain $d $NET1
	config $d <<-END
	[prepare/begin]
	governor.set = performance
	pci.detach   = $NET1
	END
done
override() { cat /sys/bus/pci/devices/$NET1/driver_override; }
has_it() { [ "$(driver $NET1)" = vfio-pci ] && [ "$(override)" = vfio-pci ]; }
at_home() { [ "$(driver $NET1)" = e1000e ]; }
named() { grep -qF "$NET1 belongs to domain $1 now" "$ERR"; }
journal_of() { echo "/run/vfio-hook/$(uuid_of "$1").journal"; }

state "$LAB/before"
hook_ok "alone: prepare" prepare begin a
state "$LAB/taken"
hook_ok "alone: release" release end a

# One gets it, and has it until its own release, whatever the other one does meanwhile.
rounds=12 n=0 bad='' won_a=0
while [ $n -lt $rounds ] && [ -z "$bad" ]; do
	n=$((n + 1))
	hook_bg prepare begin a
	first=$HOOKPID
	hook_bg prepare begin b
	second=$HOOKPID
	hook_wait "$first"
	rc_a=$RC err_a=$ERR
	hook_wait "$second"
	if [ "$rc_a" -eq 0 ]; then
		winner=a loser=b rc=$RC
		won_a=$((won_a + 1))
	else
		winner=b loser=a rc=$rc_a
		[ "$RC" -eq 0 ] || { fail "round $n: one of the two gets it" "$err_a" "$ERR"; bad=1; break; }
		ERR=$err_a
	fi
	if [ "$rc" -ne 1 ] || ! named $winner; then fail "round $n: $loser is refused, and $winner named" "$ERR"; bad=1; fi
	has_it || { fail "round $n: it is with $winner"; bad=1; }
	[ $n -gt 2 ] || {
		state "$LAB/after"
		same "$LAB/taken" "$LAB/after" "round $n: the loser has changed nothing"
	}
	hook release end $loser || { fail "round $n: the loser's release" "$ERR"; bad=1; }
	has_it || { fail "round $n: the loser's release leaves it with $winner"; bad=1; }
	hook release end $winner || { fail "round $n: the release of $winner" "$ERR"; bad=1; }
	at_home || { fail "round $n: it is back"; bad=1; }
done
check "two at once, $n times ($won_a times a): one gets it" test -z "$bad"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "two at once: the host is as before" "$ONEWAY_VFIO"

# One that comes while another is on its way back waits for nobody, and takes nothing.
n=0 bad=''
while [ $n -lt 6 ] && [ -z "$bad" ]; do
	n=$((n + 1))
	hook prepare begin a || { fail "round $n: prepare" "$ERR"; bad=1; }
	hook_bg release end a
	first=$HOOKPID
	hook prepare begin b
	rc=$RC err=$ERR
	hook_wait "$first" || { fail "round $n: the release beside it" "$ERR"; bad=1; }
	ERR=$err
	if [ "$rc" -eq 0 ]; then
		has_it || { fail "round $n: b has got it"; bad=1; }
	else
		named a || { fail "round $n: b is refused, and a named" "$ERR"; bad=1; }
		at_home || { fail "round $n: it is back"; bad=1; }
	fi
	hook release end b || { fail "round $n: release" "$ERR"; bad=1; }
	at_home || { fail "round $n: it is back in the end"; bad=1; }
done
check "a start beside a release, $n times" test -z "$bad"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "beside a release: the host is as before" "$ONEWAY_VFIO"

# Whatever a third one wants to do with it.
HUGE='' domain c
third()
{
	local desc=$1
	config c
	hook_ok "$desc: a has it" prepare begin a
	hook_refused "$desc: refused on the way up" "$NET1 belongs to domain a now" prepare begin c
	hook_ok "$desc: its release" release end c
	check "$desc: a has it still" has_it
	hook_ok "$desc: a gives it back" release end a
}
third pci.remove <<END
[prepare/begin]
pci.remove = $NET1
END
third pci.reset <<END
[prepare/begin]
pci.reset = $NET1
END
third pci.power <<END
[prepare/begin]
pci.power = control=on $NET1
END
config c <<END
[prepare/begin]
pci.remove = $NET1
END
config a <<END
[prepare/begin]
pci.rescan = $NET2
END
hook_ok "pci.rescan: c takes it off the bus" prepare begin c
hook_refused "pci.rescan: a does not bring it back" "$NET1 belongs to domain c now" prepare begin a
refute "pci.rescan: it is off" test -e /sys/bus/pci/devices/$NET1
hook_ok "pci.rescan: the loser's release" release end a
hook_ok "pci.rescan: c brings it back" release end c
check "pci.rescan: it is back" at_home
config a <<END
[prepare/begin]
governor.set = performance
pci.detach   = $NET1
END
third_down()
{
	local desc=$1
	config c
	hook_ok "$desc: c begins" prepare begin c
	hook_ok "$desc: a has it" prepare begin a
	hook_refused "$desc: refused on the way down" "$NET1 belongs to domain a now" release end c
	check "$desc: a has it still" has_it
	refute "$desc: no journal of c is left" test -e "$(journal_of c)"
	hook_ok "$desc: a gives it back" release end a
}
for step in pci.reattach pci.remove pci.reset; do
	third_down "$step" <<-END
	[prepare/begin]
	exec.run = /bin/true
	[release/end]
	$step = $NET1
	END
done
config c <<END
[prepare/begin]
-pci.detach = $NET1
END
hook_ok "-pci.detach: a has it" prepare begin a
hook_ok "-pci.detach: c goes without" prepare begin c
hook_ok "-pci.detach: its release" release end c
check "-pci.detach: a has it still" has_it
hook_ok "-pci.detach: a gives it back" release end a
# What libvirt is about to take, without a step of ours.
HUGE='' domain c $NET1
config c <<END
[prepare/begin]
exec.run = /bin/true
END
hook_ok "for libvirt to take: c" prepare begin c
hook_refused "for libvirt to take: refused to others" "$NET1 belongs to domain c now" prepare begin a
hook_ok "for libvirt to take: the loser's release" release end a
bind_to $NET1 vfio-pci
vfio-hook undo a </dev/null >"$LAB/said" 2>&1
check "for libvirt to take: nobody else gives it back" has_it
# Its guest is there, and has not opened it yet.
mkdir -p $LAB/bin
cp /bin/busybox $LAB/bin/busybox-qemu
mkfifo "$LAB/guest"
$LAB/bin/busybox-qemu sh -c 'read x' qemu -uuid "$(uuid_of c)" <>"$LAB/guest" >/dev/null 2>&1 &
guest=$!
hook_refused "for libvirt to take: refused when its guest is up" "$NET1 belongs to domain c now" prepare begin a
hook_ok "for libvirt to take: the loser's release" release end a
check "for libvirt to take: the guest has it still" has_it
kill $guest
wait $guest
rm "$LAB/guest"
home $NET1
hook_ok "for libvirt to take: release" release end c
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a third one: the host is as before" "$ONEWAY_VFIO|^pci $NET1 (net|power/control) "

# Killed at each call up to the first of its own changes to the device, alone or with its
# daemon: the other one gets it now, or when the first is put back, and keeps it.
state "$LAB/before"
HOOK_WRAP="inject -o $LAB/calls" hook_ok "counted" prepare begin b
hook_ok "counted: release" release end b
calls=$(grep -n "driver_override" "$LAB/calls" | head -n 1 | cut -d : -f 1)
check "its first change is one of them" test "${calls:-0}" -gt 4
refused=0 n=0 bad=''
wrong() { fail "killed at call $n: $1" "$ERR"; bad=1; }
killed()
{
	n=$((n + 1))
	HOOK_WRAP="inject -n $n" hook prepare begin b
	[ "$RC" -eq 137 ] || wrong "it was not"
	if hook prepare begin a; then
		has_it || wrong "a has not got it"
	else
		named b || wrong "b is not named"
		refused=$((refused + 1))
		hook release end a || wrong "release of a"
	fi
	hook release end b || wrong "release of b"
	[ ! -e "$(journal_of b)" ] || wrong "the journal of b is left"
	if [ ! -e "$(journal_of a)" ]; then
		at_home || wrong "it is not back"
		hook prepare begin a || wrong "a is still refused"
	fi
	has_it || wrong "it was taken from a"
	hook release end a || wrong "the last release"
	at_home || wrong "it is not back in the end"
}
while [ $n -lt "$calls" ] && [ -z "$bad" ]; do killed; done
check "killed at each of $n calls before it has the device" test -z "$bad"
note "$refused times the other one had to wait for its release"
check "it is its own before its first change" test $refused -gt 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "killed: the host is as before" "$ONEWAY_VFIO"

# A daemon that dies with its hook: nobody has to wait for it.
orphaned()
{
	n=$((n + 1))
	# This shell is the daemon: it stays until the hook has ended, and is gone then.
	setsid sh -c "cd /; inject -n $n env -i LC_ALL=C PATH=$HOOK_PATH /etc/libvirt/hooks/qemu b prepare begin - </etc/lab/b.xml; :" >/dev/null 2>&1
	hook prepare begin a || wrong "a does not get it from the dead"
	has_it || wrong "a has not got it"
	vfio-hook undo --orphans </dev/null >"$LAB/said" 2>&1 || { ERR=$LAB/said; wrong "--orphans"; }
	has_it || wrong "--orphans took it from a"
	hook release end a || wrong "release"
	at_home || wrong "it is not back"
	# A file without its first line is no journal yet, and nothing to undo.
	[ ! -s "$(journal_of b)" ] || wrong "the journal of b is left"
}
n=0
while [ $n -lt "$calls" ] && [ -z "$bad" ]; do orphaned; done
check "dead with its daemon at each of $n calls" test -z "$bad"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "dead with its daemon: the host is as before" "$ONEWAY_VFIO"
rm -f /etc/libvirt/hooks/conf.d/[abc].ini

# shellcheck shell=dash
# The command for people: exit statuses, JSON, test, run and undo by hand.

HUGE='' domain win10 $NET1
HUGE='' domain plain
config win10 <<END
[prepare/begin]
governor.set = performance
pci.detach   =
END
group=$(readlink /sys/bus/pci/devices/$NET1/iommu_group)
group=${group##*/}

# status WANTED ARGUMENTS…: the exit status, and never a signal.
status()
{
	local want=$1 rc
	shift
	vfio-hook "$@" </dev/null >"$LAB/out" 2>"$LAB/err"
	rc=$?
	equal "vfio-hook $*: exit $want" $rc "$want" || { sed 's/^/#   /' "$LAB/err" | head -n 5; false; }
}

# Who asks and gets no answer is told; what was done to the host is done all the same.
unread()
{
	local rc
	vfio-hook "$@" </dev/null >&- 2>"$LAB/err"
	rc=$?
	equal "vfio-hook $* >&-: exit 1" $rc 1
	contains "vfio-hook $* >&-: says so" "$LAB/err" 'cannot write to standard output'
	vfio-hook "$@" </dev/null >/dev/full 2>"$LAB/err"
	rc=$?
	equal "vfio-hook $* >/dev/full: exit 1" $rc 1
}
for c in "--help" "devices --json" "status" "plan win10" "check win10" "steps"; do
	# shellcheck disable=SC2086
	unread $c
done
vfio-hook undo win10 </dev/null >&- 2>/dev/null
equal "vfio-hook undo win10 >&-: exit 0" $? 0

# An ordinary user.
as_user()
{
	local want=$1 rc
	shift
	start-stop-daemon -S -c 65534:65534 -x "$(command -v vfio-hook)" -- "$@" \
		</dev/null >"$LAB/out" 2>"$LAB/err"
	rc=$?
	equal "a user's vfio-hook $*: exit $want" $rc "$want"
}
for c in "run win10 prepare" "test win10" "undo win10" "undo --orphans" boot; do
	# shellcheck disable=SC2086
	as_user 2 $c
	contains "a user's vfio-hook $c: says who may" "$LAB/err" 'only root may do this'
done
as_user 0 devices
mkdir -m 700 "$LAB/scripts"
as_user 2 import "$LAB/scripts"
contains "a user's import: says why" "$LAB/err" 'cannot read .*Permission denied'

state "$LAB/before"
status 0 --version
status 0 --help
status 2
status 2 no-such-command
status 2 --no-such-option
status 2 plan
status 2 plan win10 no-such-phase
status 2 plan no-such-domain
status 2 plan ../etc/passwd
status 2 run win10
status 2 run win10 prepare/end
status 2 undo
status 2 undo --orphans win10
status 2 test win10 x
status 0 steps
status 0 steps pci.detach
status 2 steps no.such
status 0 check win10
status 0 plan win10
status 0 plan win10 prepare
status 0 plan win10 release
status 0 undo win10
contains "nothing to put back" "$LAB/out" 'nothing to put back'
status 0 undo --orphans
echo "[prepare" >/etc/libvirt/hooks/conf.d/plain.ini
status 2 check plain
contains "with the line" "$LAB/err" 'plain.ini:1'
status 2 plan plain
status 2 run plain prepare
rm /etc/libvirt/hooks/conf.d/plain.ini
state "$LAB/after"
same "$LAB/before" "$LAB/after" "none of these changed anything"

# As far as a shell can tell: brackets in pairs, and nothing behind the end.
json()
{
	vfio-hook --json "$@" </dev/null >"$LAB/json" 2>/dev/null
	tr -d '\n' <"$LAB/json" | sed 's/\\\\//g; s/\\"//g; s/"[^"]*"/S/g' >"$LAB/json.shape"
	grep -qE '^ *[[{].*[]}] *$' "$LAB/json.shape" || return 1
	[ "$(tr -cd '[{' <"$LAB/json.shape" | wc -c)" = "$(tr -cd ']}' <"$LAB/json.shape" | wc -c)" ] &&
		! grep -qE ',[ ]*[]}]|S[ ]*S' "$LAB/json.shape"
}
check "plan --json" json plan win10
check "check --json" json check win10

# A holder makes a problem of it: exit 1 everywhere.
config plain <<END
[prepare/begin]
service.stop = no-such-unit.service
END
status 1 check plain
status 1 plan plain
status 1 run plain prepare
status 1 test plain 1
state "$LAB/after"
same "$LAB/before" "$LAB/after" "problems change nothing"
rm /etc/libvirt/hooks/conf.d/plain.ini

status 0 test win10 1
contains "test tells the end" "$LAB/out" 'all is as it was'
state "$LAB/after"
same "$LAB/before" "$LAB/after" "test: the host is as before" "$ONEWAY_VFIO"

# An end that is wanted early is an orderly one.
vfio-hook test win10 60 </dev/null >"$LAB/out" 2>&1 &
pid=$!
on_vfio() { [ "$(driver $NET1)" = vfio-pci ] && grep -q 'prepared' "$LAB/out"; }
check "test is under way" until_true 20 on_vfio
status 0 undo --orphans
equal "a test is no orphan" "$(driver $NET1)" vfio-pci
kill -INT $pid
wait $pid
equal "test, interrupted: exit 0" $? 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "test, interrupted: the host is as before" "$ONEWAY_VFIO"

# By hand, and while a guest has the device.
status 0 run win10 prepare
equal "run prepare: the device moved" "$(driver $NET1)" vfio-pci
status 0 undo --orphans
equal "a prepare by hand is no orphan" "$(driver $NET1)" vfio-pci
holder qemud "/dev/vfio/$group"
for c in "undo win10" "run win10 release" "run win10 prepare" "test win10 1"; do
	# shellcheck disable=SC2086
	status 1 $c
	contains "$c: names the guest" "$LAB/err" "qemud \\(pid $HOLDER, root, /dev/vfio/$group\\)"
done
equal "it keeps the device" "$(driver $NET1)" vfio-pci
kill "$HOLDER"
free() { ! kill -0 "$HOLDER" 2>/dev/null; }
until_true 5 free
status 0 run win10 release
state "$LAB/after"
same "$LAB/before" "$LAB/after" "run: the host is as before" "$ONEWAY_VFIO"
status 0 run win10 prepare
status 0 undo win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "undo: the host is as before" "$ONEWAY_VFIO"

# The kill switches: no way up, but every way down.
for f in /etc/libvirt/hooks/disable /run/vfio-hook/disable; do
	hook_ok "$f: prepare before it is there" prepare begin
	touch $f
	hook_ok "$f: release puts back all the same" release end
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$f: the host is as before" "$ONEWAY_VFIO"
	hook_ok "$f: prepare does nothing" prepare begin
	equal "$f: the device stays" "$(driver $NET1)" e1000e
	rm $f
done

# XML and config disagree: the start goes on, and the log tells.
HUGE='' domain win10
sed -i "s|</devices>|<hostdev mode='subsystem' type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev></devices>|" \
	/etc/lab/win10.xml
config win10 <<END
[prepare/begin]
pci.detach = $NET1
END
state "$LAB/before"
hook_ok "a device that the XML has not: prepare" prepare begin
check "the log tells that the guest does not get it" \
	grep -q "WARNING check: $NET1 .* is taken from the host, but the domain does not get it" /var/log/vfio-hook/win10.log
hook_ok "a device that the XML has not: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a device that the XML has not: the host is as before" "$ONEWAY_VFIO"
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/out" 2>&1
contains "a USB hostdev is libvirt's, and plan says so" "$LAB/out" "1 <hostdev> of other kinds .*left alone"

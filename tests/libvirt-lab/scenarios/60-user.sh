# shellcheck shell=dash
# A guest of an ordinary user's own libvirtd: that calls the same hook, as this user, for
# each operation, and the hook does nothing and never fails.

config mine <<-END
	[prepare/begin]
	pci.detach = timeout=15s $NET1
END
cat >"$LAB/mine.xml" <<-END
	<domain type='qemu'><name>mine</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
	<os><type arch='x86_64' machine='q35'>hvm</type></os>
	<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
	<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>
END
chmod 644 "$LAB/mine.xml"

# Who called what, the exit status, and all that was printed.
cp "$HOOK" /lab/hook
cat >"$HOOK.new" <<-'END'
	#!/bin/bash
	said=$( (exec -a "$0" /lab/hook "$@") 2>&1)
	status=$?
	echo "$1 $2 $3 uid=$EUID exit=$status said=$said" >>/run/lab/mine.calls
	exit $status
END
chmod 755 "$HOOK.new"
mv "$HOOK.new" "$HOOK"
: >"$LAB/mine.calls"
chmod 666 "$LAB/mine.calls"

no_user() { [ ! -e /sys/fs/cgroup/user.slice/user-1000.slice ]; }
state "$LAB/before"
mine() { timeout 90 runuser -l user -c "virsh -q -c qemu:///session $*" >"$LAB/virsh" 2>&1 </dev/null; }
if mine create "$LAB/mine.xml"; then ok "a user's guest starts"; else fail "a user's guest starts" "$LAB/virsh"; fi
equal "the card stays" "$(driver "$NET1")" e1000e
if mine destroy mine; then ok "and ends"; else fail "and ends" "$LAB/virsh"; fi
for n in prepare/begin start/begin started/begin stopped/end release/end; do
	echo "mine ${n%/*} ${n#*/} uid=$(id -u user) exit=0 said="
done >"$LAB/wanted"
check "each call was the user's, exited 0 and said nothing" diff "$LAB/wanted" "$LAB/mine.calls"
refute "nothing was logged" test -e /var/log/vfio-hook/mine.log
refute "nothing is in /run" ls /run/vfio-hook/*mine*
pkill -u user # his libvirtd would stay for two minutes
loginctl terminate-user user
check "nothing of the user's is left" until_true 60 no_user
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" '^(unit|cgroup) .*(polkit|libvirtd)[.]service'

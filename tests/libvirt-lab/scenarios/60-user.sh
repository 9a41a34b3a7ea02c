# shellcheck shell=dash
# long
# A guest of an ordinary user's own libvirtd calls the same hook: nothing happens.

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
state "$LAB/before"
mine() { timeout 90 runuser -l user -c "virsh -q -c qemu:///session $*" >"$LAB/virsh" 2>&1 </dev/null; }
if mine create "$LAB/mine.xml"; then ok "a user's guest starts"; else fail "a user's guest starts" "$LAB/virsh"; fi
equal "the card stays" "$(driver "$NET1")" e1000e
if mine destroy mine; then ok "and ends"; else fail "and ends" "$LAB/virsh"; fi
refute "nothing was logged" test -e /var/log/vfio-hook/mine.log
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" '^(cgroup|session|unit polkit)'

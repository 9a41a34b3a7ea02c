# shellcheck shell=dash
# A guest that runs is moved to another host: a second libvirtd here, with a host name, a
# /run (and so journals), an /etc/libvirt and a /var/lib/libvirt/qemu of its own.

two=$LAB/two
URI="qemu+unix:///system?socket=$two/run/libvirt-sock"
config win10 <<-END
	[prepare/begin]
	exec.run  = touch /run/win10-is-here
	exec.undo = rm /run/win10-is-here
END
mkdir -p /etc/libvirt/hooks/qemu.d/win10/migrate/begin
printf '#!/bin/sh\necho "<domain>not for libvirt</domain>"\nwc -c >/lab/migrate.xml\n' \
	>/etc/libvirt/hooks/qemu.d/win10/migrate/begin/10-note
chmod 755 /etc/libvirt/hooks/qemu.d/win10/migrate/begin/10-note
guest win10

cp "$HOOK" /lab/hook
cat >"$HOOK.new" <<-'END'
	#!/bin/bash
	echo "$HOSTNAME $2 $3" >>/lab/calls
	exec -a "$0" /lab/hook "$@" >>/lab/stdout
END
chmod 755 "$HOOK.new"
mv "$HOOK.new" "$HOOK"
rm -f /lab/calls /lab/stdout /lab/migrate.xml

mkdir -p "$two/etc" "$two/lib" "$two/run"
cp -a /etc/libvirt/. "$two/etc/"
rm -rf "$two/etc/qemu"
cat >"$two/etc/libvirtd.conf" <<-END
	host_uuid = "$(uuid_of two)"
	auth_unix_rw = "none"
	auth_unix_ro = "none"
END
cat >"$two/etc/qemu.conf" <<-END
	stdio_handler = "file"
	security_driver = "none"
	namespaces = []
	cgroup_controllers = []
	user = "root"
	group = "root"
	dynamic_ownership = 0
END
cat >"$two/host" <<-'END'
	#!/bin/bash
	# In namespaces of its own.
	hostname two
	mount --bind /run/lab/two /mnt
	mount --bind /mnt/etc /etc/libvirt
	mount --bind /mnt/lib /var/lib/libvirt/qemu
	mount -t tmpfs log /var/log/libvirt
	mount -t tmpfs run /run
	mkdir -p /run/lock /run/libvirt
	mount --bind /mnt/run /run/libvirt
	exec libvirtd
END
chmod 755 "$two/host"

two_virsh() { timeout 120 virsh -q -c "$URI" "$@" >"$LAB/virsh" 2>&1 </dev/null; }
two_is() { [ "$(timeout 120 virsh -q -c "$URI" domstate win10 2>&1 | head -n 1)" = "$1" ]; }
on_two() { nsenter --target $second --mount "$@"; }
state "$LAB/before"
unshare --mount --uts --propagation private "$two/host" >"$two/log" 2>&1 &
second=$!
check "the second libvirtd runs" until_true 60 two_virsh list

virt_ok "virsh start" start win10
check "the guest is up" until_true 90 says win10 U
check "the first host is prepared" test -e /run/win10-is-here
refute "the second is not" on_two test -e /run/win10-is-here
virt_ok "virsh migrate" migrate --live --unsafe win10 "$URI" tcp://127.0.0.1
equal "it runs on the second host" "$(timeout 120 virsh -q -c "$URI" domstate win10 </dev/null)" running
equal "and no more on the first" "$(state_of win10)" "shut off"
refute "the first host is put back" test -e /run/win10-is-here
check "the second is prepared" on_two test -e /run/win10-is-here
equal "what the second libvirtd called" "$(sed -n 's/^two //p' /lab/calls | tr '\n' ' ')" \
	"migrate begin prepare begin start begin started begin "
equal "what the first one called" "$(sed -n 's/^lab //p' /lab/calls | tr '\n' ' ')" \
	"prepare begin start begin started begin stopped end release end "
check "the tree's script had the XML" test "$(cat /lab/migrate.xml)" -gt 500
refute "libvirt has not seen another XML" grep -q 'tainted: hook-script' "$two/log"
if two_virsh destroy win10; then ok "virsh destroy on the second host"; else fail "virsh destroy on the second host" "$LAB/virsh"; fi
refute "the second host is put back" on_two test -e /run/win10-is-here
equal "nothing on stdout" "$(wc -c </lab/stdout)" 0
kill $second
wait $second
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"

# shellcheck shell=dash
# Starts that do not come to be: refused by us, refused by libvirt after our prepare,
# refused since another guest has the device.

config win10 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
config win11 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
guest win10 "$NET1"
guest win11 "$NET1"
state "$LAB/before"
watch_calls

echo 'governor.set performance' >>/etc/libvirt/hooks/conf.d/win10.ini
virt_refused "a mistake in the file is shown by virsh" 'conf.d/win10.ini:3: ' start win10
equal "the hook's text is one line" "$(sed -n '/exit status/,$p' "$LAB/virsh" | grep -c .)" 1
check "stopped and release were called" until_true 90 called win10 "prepare stopped release"
sed -i '$d' /etc/libvirt/hooks/conf.d/win10.ini
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing was touched"

config gpu <<-END
	[prepare/begin]
	vtconsole.unbind =
	pci.detach = timeout=3s
END
guest gpu "$GPU" "$GPU_SOUND"
systemctl start display-manager.service
state "$LAB/before.held"
virt_refused "a card in use: virsh names holder and cure" \
	"exit status 1: .*hold \(pid [0-9]+.*/dev/dri/card0.*display-manager.service" start gpu
equal "that text is one line" "$(sed -n '/exit status/,$p' "$LAB/virsh" | grep -c .)" 1
note "$(grep . "$LAB/virsh" | tail -n 1)"
check "the display manager runs on" systemctl -q is-active display-manager.service
state "$LAB/after"
same "$LAB/before.held" "$LAB/after" "the host is as before that refusal" "$ONEWAY_VFIO"
systemctl stop display-manager.service

# A script of a tree refuses, beside a config: what it says is what virsh shows.
guest win10 "$NET1"
mkdir -p /etc/libvirt/hooks/qemu.d/win10/prepare/begin /etc/libvirt/hooks/qemu.d/win10/release/end
printf '#!/bin/sh\necho never seen\necho "no card today" >&2\nexit 3\n' >"/etc/libvirt/hooks/qemu.d/win10/prepare/begin/10 say no"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$1 $2" >>%s\n' "$LAB/scripts" >/etc/libvirt/hooks/qemu.d/win10/release/end/clean
chmod 755 /etc/libvirt/hooks/qemu.d/win10/*/*/*
rm -f "$LAB/scripts"
virt_refused "a script that refuses: virsh shows what it said" 'no card today' start win10
contains "and which script it was" "$LAB/virsh" '10 say no.*(status|exit).* 3'
note "$(grep . "$LAB/virsh" | tail -n 1)"
check "its release script ran, since prepare's was begun" until_true 90 grep -qx 'win10 release' "$LAB/scripts"
check "no journal is left of that refusal" until_true 90 no_journal win10
# Beside a broken config its scripts have begun nothing.
rm -f "$LAB/scripts" "$LAB/calls"
echo 'governor.set performance' >>/etc/libvirt/hooks/conf.d/win10.ini
virt_refused "a broken config beside a tree" 'conf.d/win10.ini:3: ' start win10
check "libvirt called release" until_true 90 called win10 "prepare stopped release"
check "no script ran" test ! -e "$LAB/scripts"
sed -i '$d' /etc/libvirt/hooks/conf.d/win10.ini
rm -rf /etc/libvirt/hooks/qemu.d
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the script's refusal" "$ONEWAY_VFIO"

# libvirt finds out only when QEMU is about to start that the disk is not there.
rm -f "$IMAGES/win10.img" "$LAB/calls"
XML='' guest win10 "$NET1"
rm -f "$IMAGES/win10.img"
virt_refused "a start that libvirt refuses" 'win10.img' start win10
note "$(calls win10)"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before libvirt's refusal" "$ONEWAY_VFIO"
rm -f "$LAB/calls"
guest win10 "$NET1"
# QEMU itself refuses this one, after prepare.
sed -i 's|</devices>|</devices><qemu:commandline xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0"><qemu:arg value="-no-such-option"/></qemu:commandline>|' "$LAB/xml"/win10.xml
virt define "$LAB/xml"/win10.xml
virt_refused "a start that QEMU refuses" 'no-such-option' start win10
equal "what libvirt called then" "$(calls win10)" "prepare start stopped release"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before QEMU's refusal" "$ONEWAY_VFIO"

guest win10 "$NET1"
virt_ok "the first guest starts" start win10
virt_refused "the second guest wants the same card" 'win10' start win11
note "$(grep . "$LAB/virsh" | tail -n 1)"
check "the first guest runs on" is win10 running
equal "the card is still on vfio-pci" "$(driver "$NET1")" vfio-pci
virt destroy win10
virt_ok "now the second one starts" start win11
virt destroy win11
equal "nothing on stdout" "$(wc -c <"$LAB/stdout")" 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before both guests" "$ONEWAY_VFIO"

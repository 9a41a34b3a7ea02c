# shellcheck shell=dash
# Kinds of devices and guests: managed='no', both functions of a card, two guests at once,
# a guest without devices that is saved and goes on, a script tree beside the file.

config win10 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
config win11 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
state "$LAB/before"

for n in 1 2; do
	MANAGED=no guest win10 "$NET1"
	virt_ok "managed='no': virsh start ($n)" start win10
	equal "managed='no': on vfio-pci ($n)" "$(driver "$NET1")" vfio-pci
	virt_ok "managed='no': virsh destroy ($n)" destroy win10
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "managed='no': the host is as before ($n)" "$ONEWAY_VFIO"
done

config gpu <<-END
	[prepare/begin]
	vtconsole.unbind =
	kmod.unload = timeout=20s bochs
	pci.detach = timeout=15s
END
guest gpu "$GPU" "$GPU_SOUND"
virt_ok "both functions: virsh start" start gpu
equal "both functions are on vfio-pci" "$(driver "$GPU") $(driver "$GPU_SOUND")" "vfio-pci vfio-pci"
check "both functions: the guest sees the card" until_true 90 says gpu p11111234
check "both functions: the guest sees the sound" until_true 90 says gpu p26688086
virt_ok "both functions: virsh destroy" destroy gpu
check "both functions: udev is done" udevadm settle --timeout=30
state "$LAB/after"
same "$LAB/before" "$LAB/after" "both functions: the host is as before" "$ONEWAY_VFIO"

guest win10 "$NET1"
guest win11 "$NET2"
virsh -q start win10 >"$LAB/virsh.1" 2>&1 </dev/null &
one=$!
virsh -q start win11 >"$LAB/virsh.2" 2>&1 </dev/null &
two=$!
if wait $one; then ok "two at once: the first starts"; else fail "two at once: the first starts" "$LAB/virsh.1"; fi
if wait $two; then ok "two at once: the second starts"; else fail "two at once: the second starts" "$LAB/virsh.2"; fi
equal "two at once: on vfio-pci" "$(driver "$NET1") $(driver "$NET2")" "vfio-pci vfio-pci"
virsh -q destroy win10 >"$LAB/virsh.1" 2>&1 </dev/null &
virt destroy win11
wait $!
state "$LAB/after"
same "$LAB/before" "$LAB/after" "two at once: the host is as before" "$ONEWAY_VFIO"

config win10 <<-END
	[prepare/begin]
	hugepages.allocate = memory=16M
END
mkdir -p /etc/libvirt/hooks/qemu.d/win10/prepare/begin /etc/libvirt/hooks/qemu.d/win10/release/end
for f in prepare/begin release/end; do
	# shellcheck disable=SC2016 # the script expands it
	printf '#!/bin/sh\necho "script %s $1 $2"\necho "$1 $2 $3 $4 $(wc -c)" >>/run/lab/scripts\n' $f >/etc/libvirt/hooks/qemu.d/win10/$f/10-note
	chmod 755 /etc/libvirt/hooks/qemu.d/win10/$f/10-note
done
rm -f "$LAB/scripts"
guest win10
watch_calls
virt_ok "saved: virsh start" start win10
equal "saved: pages are there" "$(cat /proc/sys/vm/nr_hugepages)" 8
virt_ok "saved: virsh managedsave" managedsave win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "saved: the host is as before"
virt_ok "saved: virsh start goes on" start win10
check "saved: it runs" is win10 running
equal "saved: what libvirt called" "$(calls win10)" \
	"prepare start started stopped release restore prepare start started"
equal "saved: pages are there again" "$(cat /proc/sys/vm/nr_hugepages)" 8
virt_ok "saved: virsh destroy" destroy win10
equal "the tree's scripts ran, with the XML" "$(awk '{ print $2, ($5 > 500) }' "$LAB/scripts" | tr '\n' ' ')" \
	"prepare 1 release 1 prepare 1 release 1 "
equal "nothing on stdout, of the scripts neither" "$(wc -c <"$LAB/stdout")" 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "saved: the host is as before the end"

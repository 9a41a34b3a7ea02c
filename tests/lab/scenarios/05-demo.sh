# shellcheck shell=dash
# What tests/demo.sh shows: lines that begin with "| ".

show() { sed 's/^/| /'; }
say() { echo "| "; echo "| --- $*"; }

domain win10 $GPU_ALL
config win10 <<END
[devices]
gpu = 01:00.*

[prepare/begin]
hugepages.allocate =
governor.set       = performance
service.stop       = display-manager.service
session.end        = seat=seat0
vtconsole.unbind   =
framebuffer.unbind =
kmod.unload        = $(grep -oE '^bochs[a-z_]*' /proc/modules)
pci.detach         = gpu
END
systemctl start display-manager.service
state "$LAB/before"

say "/etc/libvirt/hooks/conf.d/win10.ini"
show </etc/libvirt/hooks/conf.d/win10.ini
say "vfio-hook plan win10"
vfio-hook plan win10 </etc/lab/win10.xml 2>&1 | show
say "a program holds the card's sound: libvirt calls: qemu win10 prepare begin -"
holder musicd /dev/snd/controlC0
hook_refused "a start that cannot succeed is refused by name" "musicd" prepare begin
show <"$ERR"
say "the program is gone: the same call again"
kill -9 "$HOLDER"
until_true 5 test ! -e "/proc/$HOLDER"
hook_ok "prepare" prepare begin
for f in $GPU_ALL; do
	echo "$f is on $(driver "$f")"
done | show
equal "the GPU is on vfio-pci" "$(driver $GPU)" vfio-pci
say "the guest ends: qemu win10 release end shutdown"
hook_ok "stopped" stopped end
hook_ok "release" release end win10 shutdown
for f in $GPU_ALL; do
	echo "$f is on $(driver "$f")"
done | show
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
say "host state before prepare against after release: $(wc -l <"$LAB/before") items, $(
	grep -vE "$ONEWAY_VFIO" "$LAB/after" | diff - "$LAB/same.a" | grep -c '^[<>]') differ (left out: vfio modules, which stay loaded)"
holders_end

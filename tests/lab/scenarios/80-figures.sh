# shellcheck shell=dash
# Peak memory of a full prepare.

MIB=64 domain win10 $GPU_ALL
config win10 <<END
[prepare/begin]
hugepages.allocate =
governor.set       = performance
service.stop       = display-manager.service
vtconsole.unbind   =
framebuffer.unbind =
kmod.unload        = $(grep -oE '^bochs[a-z_]*' /proc/modules)
pci.detach         =
exec.run           = /lab/bin/hwm
END
mkdir -p /lab/bin
printf '#!/bin/sh\nsed -n "s/^VmHWM:[^0-9]*//p" /proc/$PPID/status >%s/hwm\n' "$LAB" >/lab/bin/hwm
chmod 755 /lab/bin/hwm
systemctl start display-manager.service
HOOK_WRAP="time -v -o $LAB/time" hook_ok "prepare under time(1)" prepare begin
# Busybox takes the KiB that the kernel gives for pages.
kib=$(($(sed -n 's/.*Maximum resident set size (kbytes): //p' "$LAB/time") / 4))
so_far=$(sed 's/ kB//' "$LAB/hwm")
note "peak memory of prepare: $kib KiB"
check "not less than at its last step" test "$so_far" -gt 0 -a "$kib" -ge "$so_far"
check "at most 3 MiB" test "$kib" -le 3072
hook_ok "release" release end

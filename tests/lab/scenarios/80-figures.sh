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
END
systemctl start display-manager.service
HOOK_WRAP="time -v -o $LAB/time" hook_ok "prepare under time(1)" prepare begin
kib=$(sed -n 's/.*Maximum resident set size (kbytes): //p' "$LAB/time")
note "peak memory of prepare: $kib KiB"
check "at most 8 MiB" test "${kib:-99999}" -le 8192
hook_ok "release" release end

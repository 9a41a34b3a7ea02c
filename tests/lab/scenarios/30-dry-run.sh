# shellcheck shell=dash
# A dry run changes nothing and is honest.

domain win10 $GPU_ALL
config win10 <<END
[devices]
gpu = 01:00.*
[prepare/begin]
hugepages.allocate =
governor.set       = performance
service.stop       = display-manager.service
vtconsole.unbind   =
framebuffer.unbind =
kmod.unload        = $(grep -oE '^bochs[a-z_]*' /proc/modules)
pci.detach         = gpu
END
systemctl start display-manager.service
state "$LAB/before"

cd /
/etc/libvirt/hooks/qemu --dry-run win10 prepare begin - </etc/lab/win10.xml >"$LAB/out" 2>"$LAB/err"
equal "--dry-run exits 0 when the start would work" $? 0
contains "it prints the driver change" "$LAB/out" "driver $GPU_SOUND +snd_hda_intel → vfio-pci"
contains "it prints the module" "$LAB/out" 'module bochs[a-z_]* +loaded → none'
contains "it prints the governor found" "$LAB/out" 'governor policy0 +[a-z]+ → performance'
contains "it prints the pages" "$LAB/out" 'hugepages.* 0 → 32'
state "$LAB/after"
same "$LAB/before" "$LAB/after" "--dry-run changes nothing"
refute "--dry-run leaves no journal" test -e "/run/vfio-hook/$(uuid_of win10).journal"

vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
equal "plan exits 0" $? 0
check "plan and --dry-run say the same" cmp "$LAB/out" "$LAB/plan"
vfio-hook plan --json win10 </etc/lab/win10.xml >"$LAB/json"
contains "plan --json has the change" "$LAB/json" '"target": "driver 0000:01:00.1", "now": "snd_hda_intel", "then": "vfio-pci"'
vfio-hook check win10 </etc/lab/win10.xml >"$LAB/out"
equal "check exits 0" $? 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "plan and check change nothing"

# What it says will work does.
hook_ok "the same prepare for real" prepare begin
hook_ok "and back" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# What it says will fail does.
systemctl start display-manager.service
holder musicd /dev/snd/controlC0
state "$LAB/before"
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/out" 2>"$LAB/err"
equal "plan exits 1 when the start would fail" $? 1
contains "it names the holder" "$LAB/out" 'musicd \(pid '"$HOLDER"
hook_refused "the real one is refused with the same name" 'musicd \(pid '"$HOLDER" prepare begin
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing was touched"
check "the display manager still runs" systemctl is-active display-manager.service
hook_ok "release behind the refusal" release end win10 failed
holders_end

# dry-run = yes
sed -i '1i [domain]\ndry-run = yes' /etc/libvirt/hooks/conf.d/win10.ini
systemctl start display-manager.service
state "$LAB/before"
hook_refused "dry-run = yes: the guest is not started" 'dry run: nothing changed, guest not started' prepare begin
check "dry-run = yes: the plan is in the log" grep -q "dry run: driver $GPU_SOUND" /var/log/vfio-hook/win10.log
hook_ok "dry-run = yes: release" release end win10 failed
state "$LAB/after"
same "$LAB/before" "$LAB/after" "dry-run = yes changes nothing"

# shellcheck shell=dash
# The single-GPU shape of the guides as a whole: display manager, session, consoles,
# framebuffer, module chain, every function of the card, hugepages, governor.

single_gpu_config()
{
	config win10 <<-END
		[domain]
		timeout = 60s

		[devices]
		gpu = 01:00.*

		[prepare/begin]
		hugepages.allocate =
		governor.set       = performance
		-service.stop      = nvidia-persistenced.service
		service.stop       = display-manager.service
		session.end        = seat=seat0 timeout=5s
		vtconsole.unbind   =
		framebuffer.unbind =
		kmod.unload        = timeout=10s $CHAIN
		pci.detach         = timeout=10s gpu
	END
}

# The GPU's driver and the helpers that only it uses, as the guides unload nvidia's.
CHAIN=$(grep -oE '^(bochs|bochs_drm|drm_vram_helper|drm_ttm_helper|ttm) ' /proc/modules | tr -d '\n')
MIB=64 HUGE=2048 domain win10 $GPU_ALL
single_gpu_config
systemctl start display-manager.service

state "$LAB/before"
check "display manager runs" systemctl is-active display-manager.service
hook_ok "prepare" prepare begin
for f in $GPU_ALL; do
	equal "$f is on vfio-pci" "$(driver $f)" vfio-pci
done
for m in $CHAIN; do
	refute "module $m is unloaded" test -e "/sys/module/$m/initstate"
done
refute "display manager is stopped" systemctl is-active display-manager.service
equal "governor is performance everywhere" \
	"$(cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | sort -u)" performance
equal "32 hugepages of 2 MiB" "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)" 32
check "a journal is kept" test -s "/run/vfio-hook/$(uuid_of win10).journal"
check "the log tells of prepare" grep -q 'pci.detach' /var/log/vfio-hook/win10.log
hook_ok "start" start begin
hook_ok "started" started begin
hook_ok "stopped" stopped end
equal "nothing moves at stopped" "$(driver $GPU)" vfio-pci
hook_ok "release" release end win10 shutdown
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
refute "no journal is left" test -e "/run/vfio-hook/$(uuid_of win10).journal"

state "$LAB/before"
n=1
while [ $n -le 10 ]; do
	if ! { hook prepare begin && hook start begin && hook started begin &&
		hook stopped end && hook release end win10 shutdown; }; then
		fail "cycle $n" "$ERR"
		break
	fi
	n=$((n + 1))
done
equal "ten cycles went through" $n 11
state "$LAB/after"
same "$LAB/before" "$LAB/after" "ten cycles leave no drift"

# shellcheck shell=dash
# Each example of conf.d on this guest's devices in place of its own: prepare, release,
# the host as before.

bochs=$(grep -oE '^bochs[a-z_]*' /proc/modules)
for example in /lab/conf.d/*.ini; do
	name=$(basename "$example" .ini)
	# Addresses and names of this machine; sizes that it has.
	sed -e 's/ id=[0-9a-f:]*//' \
		-e 's/^\(gpu *= *\)[0-9a-f:]*00\.\*/\1'"01:00.*/" \
		-e 's/^\(nvme *= *\)[0-9a-f:.]*/\1'"$NVME/" \
		-e 's/^\(nic[0-9]* *= *\)[0-9a-f:.]*/\1'"$NET1/" \
		-e 's/nvidia_uvm nvidia_drm nvidia_modeset nvidia/& '"$bochs/" \
		-e 's/cpus=4-15/cpus=1-3/; s/size=1G/size=2M/; s/timeout=[0-9]*s/timeout=5s/; s/memory=12G/memory=16M/' \
		-e 's/enp59s0f1/eth0/' "$example" | config win10
	case $name in
	*nvme*) devices="$GPU_ALL $NVME" ;;
	*gpu*) devices=$GPU_ALL ;;
	*) devices=$NET1 ;;
	esac
	# shellcheck disable=SC2086
	MIB=16 domain win10 $devices
	# The desktop is the host's where the example leaves it alone.
	case $name in
	single-gpu*) systemctl start display-manager.service ;;
	esac
	state "$LAB/host"
	check "$name: at boot" vfio-hook boot
	state "$LAB/before"
	vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
	equal "$name: the plan is fine" $? 0
	hook_ok "$name: prepare" prepare begin
	hook_ok "$name: release" release end win10 shutdown
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$name: the host is as before" "$ONEWAY_VFIO"
	if [ -e /run/vfio-hook/boot.win10.journal ]; then
		check "$name: gives back what was taken at boot" vfio-hook undo --boot win10
		state "$LAB/after"
	fi
	same "$LAB/host" "$LAB/after" "$name: the host is as before its boot" "$ONEWAY_VFIO"
	holders_end
done

# shellcheck shell=dash
# cpuset.isolate in [started/begin]: the group that libvirt made for the guest becomes a
# partition, on a kernel that can do that; on another one the host gets masks.

CGROUP=/sys/fs/cgroup
group() { cat "$CGROUP/$1" 2>/dev/null; }
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/status"; }

config win10 <<-END
	[started/begin]
	cpuset.isolate =
END
BACKING="<cputune><vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='1'/></cputune>" guest win10
guest win11
virt_ok "another guest: virsh start" start win11
MASKS='^cgroup /(init.scope|system.slice|user.slice)/cpuset.cpus '
state "$LAB/before"
for n in 1 2; do
	virt_ok "$n: virsh start" start win10
	scope=$(sed -n 's/^0::\///p' "/proc/$(cat /run/libvirt/qemu/win10.pid)/cgroup" | sed 's/\.scope.*/.scope/')
	equal "$n: the guest has its CPU" "$(allowed "$(cat /run/libvirt/qemu/win10.pid)")" 1
	equal "$n: the host keeps off it" "$(allowed 1)" 0
	if [ -e "$CGROUP/$scope/cpuset.cpus.exclusive" ]; then
		equal "$n: the guest's own group is a partition" "$(group "$scope/cpuset.cpus.partition")" root
		equal "$n: the slice is none" "$(group machine.slice/cpuset.cpus.partition)" member
		equal "$n: the other guest keeps off it, too" "$(allowed "$(cat /run/libvirt/qemu/win11.pid)")" 0
		equal "$n: and no mask is set" "$(group system.slice/cpuset.cpus)" ""
		left='^$'
	else
		contains "$n: an older kernel: the log says why it is none" /var/log/vfio-hook/win10.log 'this kernel makes none of the guest.s group'
		equal "$n: masks instead" "$(group system.slice/cpuset.cpus) $(systemctl show -p AllowedCPUs --value system.slice)" "0 0"
		left=$MASKS
	fi
	virt_ok "$n: virsh destroy" destroy win10
	equal "$n: the host has all CPUs again" "$(allowed 1)" 0-1
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$n: the host is as before" "$ONEWAY_VFIO|$left"
done
virt destroy win11

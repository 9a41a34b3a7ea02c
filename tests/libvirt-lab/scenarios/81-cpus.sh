# shellcheck shell=dash
# cpuset.isolate under a real systemd and a guest that is pinned: by a partition of
# machine.slice, and by masks when another guest runs there.

config win10 <<-END
	[prepare/begin]
	cpuset.isolate =
END
BACKING="<cputune><vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='1'/></cputune>" guest win10
guest win11
cg=/sys/fs/cgroup

# The CPUs that the threads of a process may use, each list once; of one thread.
cpus_of() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/"$1"/task/*/status | sort -u | tr '\n' ' '; }
cpus_of_vcpu()
{
	local t
	for t in /proc/"$1"/task/*; do
		case $(cat "$t/comm") in CPU\ 0/*) sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$t/status" ;; esac
	done
}
qemu_of() { cat "/run/libvirt/qemu/$1.pid"; }
masks() { systemctl show -p Id,AllowedCPUs machine.slice system.slice user.slice init.scope | tr '\n' ' '; }

# As on a host that has had no guest yet: there is no slice, and no group has the controller.
systemctl stop machine.slice
refute "there is no machine.slice" test -e $cg/machine.slice
refute "no group has the controller" test -e $cg/system.slice/cpuset.cpus
SLICE='^cgroup /machine.slice( *$|/cgroup.subtree_control)'
state "$LAB/before"
before=$(masks)
for n in 1 2; do
	virt_ok "partition $n: virsh start" start win10
	equal "partition $n: it is one" "$(cat $cg/machine.slice/cpuset.cpus.partition) $(cat $cg/machine.slice/cpuset.cpus)" "root 1"
	equal "partition $n: the rest has the others" "$(cat $cg/cpuset.cpus.effective) $(cat $cg/system.slice/cpuset.cpus.effective)" "0 0"
	equal "partition $n: systemd knows of it" "$(systemctl show -P AllowedCPUs machine.slice)" 1
	equal "partition $n: the guest's CPU" "$(cpus_of_vcpu "$(qemu_of win10)")" 1
	equal "partition $n: all of QEMU" "$(cpus_of "$(qemu_of win10)")" "1 "
	equal "partition $n: of the host, pid 1" "$(cpus_of 1)" "0 "
	virt_ok "partition $n: virsh destroy" destroy win10
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "partition $n: the host is as before" "$SLICE"
	equal "partition $n: systemd has no mask of ours" "$(masks)" "$before"
done

# A mask that the kernel will not clear is left at all CPUs.
MASKS='^cgroup /(system.slice|user.slice|init.scope)/cpuset.cpus|^cgroup /(cgroup.subtree_control|init.scope)'
virt_ok "masks: another guest runs" start win11
state "$LAB/before"
for n in 1 2; do
	virt_ok "masks $n: virsh start" start win10
	for u in system.slice user.slice init.scope; do
		equal "masks $n: $u" "$(cat $cg/$u/cpuset.cpus.effective)" 0
	done
	equal "masks $n: the guest's CPU" "$(cpus_of_vcpu "$(qemu_of win10)")" 1
	equal "masks $n: of the host, pid 1" "$(cpus_of 1)" "0 "
	equal "masks $n: the other guest keeps all" "$(cpus_of "$(qemu_of win11)")" "0-1 "
	virt_ok "masks $n: virsh destroy" destroy win10
	for u in system.slice user.slice init.scope; do
		equal "masks $n: $u has all again" "$(cat $cg/$u/cpuset.cpus.effective)" 0-1
	done
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "masks $n: the host is as before" "$MASKS"
	equal "masks $n: systemd has none of ours" "$(masks)" "$before"
done
virt destroy win11
note "$(grep -E '^cgroup .*cpuset.cpus [0-9]' "$LAB/after")"

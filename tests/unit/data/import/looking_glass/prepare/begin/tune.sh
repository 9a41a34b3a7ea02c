#!/bin/bash
sync
echo 3 > /proc/sys/vm/drop_caches
sync
echo 1 > /proc/sys/vm/compact_memory
echo 8192 | tee /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
for c in {4..11}; do
	echo performance > /sys/devices/system/cpu/cpu$c/cpufreq/scaling_governor
done
echo -1 > /proc/sys/kernel/sched_rt_runtime_us
modprobe kvmfr static_size_mb=64
loginctl terminate-user anna

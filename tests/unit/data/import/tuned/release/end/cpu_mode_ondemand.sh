#!/bin/bash
source "/etc/libvirt/hooks/kvm.conf"
for file in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo "ondemand" > $file; done

#!/bin/sh
for slice in system.slice user.slice init.scope; do
	systemctl set-property --runtime -- "$slice" AllowedCPUs=0-11
done
cpupower frequency-set -g ondemand
sysctl vm.nr_hugepages=0

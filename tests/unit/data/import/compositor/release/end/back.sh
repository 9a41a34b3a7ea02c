#!/usr/bin/env bash
GPU=0000:03:00.0
AUDIO=0000:03:00.1
for dev in $GPU $AUDIO; do
	echo "$dev" > /sys/bus/pci/drivers/vfio-pci/unbind
	echo "" > /sys/bus/pci/devices/$dev/driver_override
	echo 1 > /sys/bus/pci/devices/$dev/remove
done
sleep 1
echo 1 > /sys/bus/pci/rescan
systemctl restart getty@tty1.service

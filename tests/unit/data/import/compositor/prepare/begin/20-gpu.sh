#!/usr/bin/env bash
GPU=0000:03:00.0
AUDIO=0000:03:00.1
for dev in "$GPU" "$AUDIO"; do
	if [ -e "/sys/bus/pci/devices/$dev/driver" ]; then
		echo "$dev" > "/sys/bus/pci/devices/$dev/driver/unbind"
	fi
	echo vfio-pci > "/sys/bus/pci/devices/$dev/driver_override"
	echo "$dev" > /sys/bus/pci/drivers_probe
done

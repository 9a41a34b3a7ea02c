#!/bin/sh
PREREQS=""
case $1 in
prereqs) echo "$PREREQS"; exit 0 ;;
esac
for dev in 0000:09:00.0 0000:09:00.1; do
	echo "vfio-pci" > "/sys/bus/pci/devices/$dev/driver_override"
	echo "$dev" > /sys/bus/pci/drivers/vfio-pci/bind
done
modprobe -i vfio-pci

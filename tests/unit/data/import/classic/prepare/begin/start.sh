#!/bin/bash
set -x

# everything of GNOME
systemctl stop gdm.service
killall gdm-x-session

echo 0 > /sys/class/vtconsole/vtcon0/bind
echo 0 > /sys/class/vtconsole/vtcon1/bind

echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind

# calibrate
sleep 2

virsh nodedev-detach pci_0000_0c_00_0
virsh nodedev-detach pci_0000_0c_00_1

modprobe vfio-pci

#!/bin/bash
# what nobody can know
GPU=$(lspci -D | grep VGA | cut -d' ' -f1)
virsh nodedev-detach "pci_${GPU//[:.]/_}"
eval "$SOMETHING"
virsh net-start default
python3 - <<PY > /tmp/x
print("hello; there")
PY
if [ "$MODE" = gaming ]; then
	systemctl stop docker
fi
scream-server &
echo 1 > /sys/bus/usb/drivers/usb/unbind
service-tool "a b" 'it'"'"'s' \
	--flag
ps aux | grep '[s]team' | awk '{print $2}' | xargs kill
grep -c x /proc/cpuinfo > /sys/module/foo/parameters/cpus
systemctl restart libvirtd

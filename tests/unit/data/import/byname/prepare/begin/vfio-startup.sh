#!/bin/bash
# consoles by name, state below /tmp, display manager by its unit
exec >> /var/log/libvirt/custom_hooks.log 2>&1
STAMP=$(date +"%F %R:%S :")
DISPMGR="null"
echo "$STAMP startup begins"

function stop_desktop {
    if [[ -x /run/systemd/system ]] && echo "$STAMP systemd"; then
        DISPMGR="$(grep 'ExecStart=' /etc/systemd/system/display-manager.service | awk -F'/' '{print $(NF-0)}')"
        echo "$STAMP display manager $DISPMGR"
        if systemctl is-active --quiet "$DISPMGR.service"; then
            grep -qsF "$DISPMGR" "/tmp/vfio-store-display-manager" || echo "$DISPMGR" >/tmp/vfio-store-display-manager
            systemctl stop "$DISPMGR.service"
            systemctl isolate multi-user.target
        fi
        while systemctl is-active --quiet "$DISPMGR.service"; do
            sleep "1"
        done
        return
    fi
    if [[ -x /usr/bin/rc-service ]]; then
        rc-service xdm stop
    fi
}

function stop_kde {
    if systemctl is-active --quiet "display-manager.service"; then
        grep -qsF "display-manager" "/tmp/vfio-store-display-manager"  || echo "display-manager" >/tmp/vfio-store-display-manager
        systemctl stop "display-manager.service"
    fi
    while systemctl is-active --quiet "display-manager.service"; do
            sleep 2
    done
    return
}

if pgrep -l "plasma" | grep "plasmashell"; then
    echo "$STAMP KDE"
    stop_kde
    else
        echo "$STAMP not KDE"
        stop_desktop
fi

if test -e "/tmp/vfio-bound-consoles"; then
    rm -f /tmp/vfio-bound-consoles
fi
for (( i = 0; i < 16; i++))
do
  if test -x /sys/class/vtconsole/vtcon"${i}"; then
      if [ "$(grep -c "frame buffer" /sys/class/vtconsole/vtcon"${i}"/name)" = 1 ]; then
	       echo 0 > /sys/class/vtconsole/vtcon"${i}"/bind
           echo "$STAMP console ${i}"
           echo "$i" >> /tmp/vfio-bound-consoles
      fi
  fi
done

sleep "1"

if lspci -nn | grep -e VGA | grep -s NVIDIA ; then
    echo "$STAMP an NVIDIA card"
    grep -qsF "true" "/tmp/vfio-is-nvidia" || echo "true" >/tmp/vfio-is-nvidia
    echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind

    modprobe -r nvidia_uvm
    modprobe -r nvidia_drm
    modprobe -r nvidia_modeset
    modprobe -r nvidia
    modprobe -r i2c_nvidia_gpu
    modprobe -r drm_kms_helper
    modprobe -r drm
fi

if lspci -nn | grep -e VGA | grep -s AMD ; then
    echo "$STAMP an AMD card"
    grep -qsF "true" "/tmp/vfio-is-amd" || echo "true" >/tmp/vfio-is-amd
    echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind
    modprobe -r drm_kms_helper
    modprobe -r amdgpu
    modprobe -r radeon
    modprobe -r drm
fi

modprobe vfio
modprobe vfio_pci
modprobe vfio_iommu_type1

echo "$STAMP startup ends"

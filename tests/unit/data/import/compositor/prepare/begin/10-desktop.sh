#!/usr/bin/env bash
set -euo pipefail
LOG=/var/log/vm.log
log() { printf '%s %s\n' "$(date)" "$*" >> "$LOG"; }
log "stopping the compositor"
pkill -9 Hyprland || true
pkill -u anna -x waybar || :
while pgrep -x Hyprland >/dev/null; do sleep 0.5; done
sudo -u anna XDG_RUNTIME_DIR=/run/user/1000 systemctl --user stop pipewire.socket pipewire.service wireplumber
su - anna -c "systemctl --user stop sunshine"
log "done"
fuser -k /dev/nvidia* 2>/dev/null
ps aux | grep '[s]team' | awk '{print $2}' | wc -l
tries=0
while [ $tries -lt 5 ] && lsmod | grep -q amdgpu; do
	modprobe -r amdgpu && break
	sleep 1
	tries=$((tries + 1))
done

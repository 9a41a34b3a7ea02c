#!/bin/bash
# prepare: what the language offers
declare -A unused
readonly BASE=/sys/bus/pci/devices
export CARD="0000:41:00"
FUNCTIONS=(0 1)
KIND=${KIND:-performance}
count=0
trap 'echo failed' ERR
take() {
	local address="$1"
	[[ $address == 0000:41:* ]] || return 1
	echo "vfio-pci" | sudo tee "$BASE/${address}/driver_override" >/dev/null
	((count++))
}
for f in "${FUNCTIONS[@]}"; do take "$CARD.$f"; done
take 0000:99:00.0
if (( count == 2 )); then
	for cpu in $(seq 0 3); do
		printf '%s\n' "$KIND" > "/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_governor"
	done
fi
case "${CARD%%:*}" in
0000) sudo -n systemctl stop nvidia-persistenced || true ;;
*) systemctl stop never ;;
esac
until ! lsmod | grep -q '^nvidia '; do sleep 1; done
bash -c "modprobe -r nvidia_drm"
timeout 10 bash -c 'while pgrep -x Xorg; do sleep 1; done'
{ date; echo done; } >> /var/log/hook.log 2>&1
cat > /tmp/state <<END
$CARD
END
[ -z "$CARD" ] && systemctl stop never
exit 0
systemctl stop never

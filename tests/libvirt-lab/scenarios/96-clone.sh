# shellcheck shell=dash
# A newcomer's way from a clone of the repository: what README's lines under "Install" made
# (clone.sh ran them), then those under "A first config", with a config by `init`, to a guest
# that has the card.

conf=/etc/libvirt/hooks/conf.d/gpu.ini
said=$LAB/said

check "what the clone installs is there" test -s /lab/clone.tar.gz
mv "$HOOK" "$LAB/hook.lab"
mv /usr/sbin/vfio-hook "$LAB/command.lab"
guest gpu "$GPU" "$GPU_SOUND"
systemctl start display-manager.service
state "$LAB/before"
tar -C / --keep-directory-symlink -xf /lab/clone.tar.gz
equal "the hook is a link" "$(readlink "$HOOK")" /usr/sbin/vfio-hook
contains "README's last line is for the daemon" /lab/clone.later 'systemctl reload libvirtd'
check "it works" sh -e /lab/clone.later

check "init" vfio-hook init --write gpu
for words in "devices --gpu" "check gpu" "plan gpu" "test gpu 1" "status gpu"; do
	# shellcheck disable=SC2086 # words
	if timeout 120 vfio-hook $words >"$said" 2>&1 </dev/null; then
		ok "vfio-hook $words"
	else
		fail "vfio-hook $words" "$said"
	fi
done
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the test" "$ONEWAY_VFIO"
virt_ok "virsh start" start gpu
equal "the card is on vfio-pci" "$(driver "$GPU") $(driver "$GPU_SOUND")" "vfio-pci vfio-pci"
check "the guest sees the card" until_true 90 says gpu p11111234
virt_ok "virsh destroy" destroy gpu
check "the display manager is back" systemctl -q is-active display-manager.service
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the guest" "$ONEWAY_VFIO"

tar -tf /lab/clone.tar.gz | grep -v '/$' | sed 's|^\.||' | while read -r file; do rm -f "$file"; done
rm -f "$conf"
mv "$LAB/hook.lab" "$HOOK"
mv "$LAB/command.lab" /usr/sbin/vfio-hook
systemctl daemon-reload

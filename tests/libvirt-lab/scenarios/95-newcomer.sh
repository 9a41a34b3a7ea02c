# shellcheck shell=dash
# A newcomer's way, by README alone: a shell helper is there already, the package is
# installed beside it, `init` makes a config for the only card, which a display manager
# draws on; check, plan and test; then the guest. Upgraded while the guest runs, removed
# afterwards, and the shell helper is back.

conf=/etc/libvirt/hooks/conf.d/gpu.ini
said=$LAB/said

# tells DESC STATUS COMMAND...: at a prompt, so to say.
tells()
{
	local desc=$1 want=$2 rc=0
	shift 2
	timeout 120 "$@" >"$said" 2>&1 </dev/null || rc=$?
	equal "$desc: exit status" $rc "$want" || fail "$desc" "$said"
}

docs='--path-include=/usr/share/*' # the lab's Debian leaves them out
version() { dpkg-query -W -f '${Version}' vfio-hook; }
a_version() { basename "$1" .deb | sed 's/.*_//'; }

check "two packages are there" test -e /lab/vfio-hook_*+1.deb
# shellcheck disable=SC2012 # no odd names
next=$(ls /lab/vfio-hook_*+1.deb)
first=${next%+1.deb}.deb
mv "$HOOK" "$LAB/hook.lab"
mv /usr/sbin/vfio-hook "$LAB/command.lab"
printf '#!/bin/sh\n# the helper that was here\n' >"$HOOK"
chmod 755 "$HOOK"
guest gpu "$GPU" "$GPU_SOUND"
systemctl start display-manager.service
state "$LAB/before"

tells "install" 0 dpkg "$docs" -i "$first"
equal "the package is installed" "$(version)" "$(a_version "$first")"
contains "the helper is set aside" "$HOOK.before-vfio-hook" 'helper that was here'
equal "the hook is a link" "$(readlink "$HOOK")" /usr/sbin/vfio-hook
tells "devices" 0 vfio-hook devices --gpu
contains "devices: the card with who has it open" "$said" 'hold \(pid [0-9]+'
tells "check without a config" 0 vfio-hook check
tells "init" 0 vfio-hook init --write gpu
contains "init says what to do next" "$said" 'vfio-hook check gpu'
sed 's/^/# /' "$conf"
contains "init stops the display manager" "$conf" '^service.stop *= display-manager.service'
contains "init takes the whole card" "$conf" '^pci.detach .*gpu'
tells "check" 0 vfio-hook check gpu
refute "check has no problem with what init wrote" grep -q '^  problem' "$said"
sed 's/^/# /' "$said"
tells "plan" 0 vfio-hook plan gpu
contains "plan shows the driver's change" "$said" "driver $GPU +bochs[-a-z]* .* vfio-pci"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing was changed so far" "$ONEWAY_VFIO"
tells "test" 0 vfio-hook test gpu 1
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the test" "$ONEWAY_VFIO"
tells "status" 0 vfio-hook status gpu

virt_ok "virsh start" start gpu
equal "the card is on vfio-pci" "$(driver "$GPU") $(driver "$GPU_SOUND")" "vfio-pci vfio-pci"
check "the guest sees the card" until_true 90 says gpu p11111234
tells "status of the running guest" 0 vfio-hook status gpu
contains "status: prepared" "$said" 'prepared'

tells "upgrade while the guest runs" 0 dpkg "$docs" -i "$next"
equal "the next version is installed" "$(version)" "$(a_version "$next")"
check "the guest runs on" is gpu running
tells "remove while the guest runs" 1 dpkg "$docs" -r vfio-hook
contains "removal is refused, with the cure" "$said" 'guests still have devices of this host: stop them first'
check "the program is still there" test -x /usr/sbin/vfio-hook

virt_ok "virsh destroy" destroy gpu
check "the display manager is back" systemctl -q is-active display-manager.service
check "the picture is back" until_true 30 test -e /dev/dri/card0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the guest" "$ONEWAY_VFIO"

tells "remove" 0 dpkg "$docs" -r vfio-hook
contains "the helper is back" "$HOOK" 'helper that was here'
check "the config stays" test -s "$conf"
check "libvirtd runs on" virt list
tells "purge" 0 dpkg "$docs" -P vfio-hook
check "the config stays even then" test -s "$conf"
mv "$LAB/hook.lab" "$HOOK"
mv "$LAB/command.lab" /usr/sbin/vfio-hook
systemctl daemon-reload

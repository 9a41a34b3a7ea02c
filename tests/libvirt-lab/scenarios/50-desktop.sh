# shellcheck shell=dash
# A display manager and a logind session that have the card open make room for the guest.

config gpu <<-END
	[prepare/begin]
	service.stop     = timeout=15s display-manager.service
	session.end      = seat=seat0 timeout=4s force=yes
	vtconsole.unbind =
	kmod.unload      = timeout=20s bochs
	pci.detach       = timeout=15s
END
guest gpu "$GPU" "$GPU_SOUND"
has_card() { find "/proc/$(systemctl show -P MainPID display-manager.service)/fd" -lname /dev/dri/card0 | grep -q .; }
systemctl start display-manager.service
systemctl start user-session.service
check "the user has a session on seat0" until_true 90 session_there
state "$LAB/before"
virt_ok "virsh start" start gpu
equal "the card is on vfio-pci" "$(driver "$GPU")" vfio-pci
refute "the session has ended" session_there
refute "the display manager is stopped" systemctl -q is-active display-manager.service
check "the guest sees the card" until_true 90 says gpu p11111234
virt_ok "virsh destroy" destroy gpu
check "the display manager is back" systemctl -q is-active display-manager.service
check "it has the card" until_true 30 has_card
check "udev is done" udevadm settle --timeout=30
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before, but for the session" \
	"$ONEWAY_VFIO|^(session|unit user-session|cgroup (/cgroup.subtree_control|.*user[.-]))"

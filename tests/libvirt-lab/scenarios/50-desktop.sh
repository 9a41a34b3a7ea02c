# shellcheck shell=dash
# A display manager, a logind session and the user's PipeWire, which have the card open, make
# room for the guest: single-gpu-nvidia.ini with this machine's card.

# The session here is not the display manager's, so it has to be told to go. Whatever asks a
# user's systemd takes seconds here.
sed -e '/^hugepages/d; s/^\(gpu *= *\).*/\1'"${GPU%.0}.*/" -e 's/^session.end .*/& force=yes/' \
	-e 's/nvidia_uvm nvidia_drm nvidia_modeset nvidia/bochs/; s/timeout=15s force/timeout=4s force/' \
	-e 's/^timeout = 120s/timeout = 300s/; s/seat=seat0 pipewire/timeout=120s &/' \
	/lab/conf.d/single-gpu-nvidia.ini | config gpu
guest gpu "$GPU" "$GPU_SOUND"

has_card() { find "/proc/$(systemctl show -P MainPID display-manager.service)/fd" -lname /dev/dri/card0 | grep -q .; }
of_user() { timeout 60 systemctl --user --machine=user@ "$@"; }
has_sound() { find /proc/[0-9]*/fd -lname "$SOUND" 2>/dev/null | grep -q .; }
no_user() { [ ! -e /sys/fs/cgroup/user.slice/user-1000.slice ]; }

SOUND=/dev/snd/$(cd "/sys/bus/pci/devices/$GPU_SOUND/sound/"card*/ && echo controlC*)
mkdir -p /etc/systemd/user
printf '[Socket]\nListenStream=%%t/lab\n' >/etc/systemd/user/pipewire.socket
printf '[Unit]\nRequires=pipewire.socket\n[Service]\nExecStart=/usr/bin/hold %s\n' "$SOUND" >/etc/systemd/user/pipewire.service
gpasswd -a user audio >/dev/null
systemctl start display-manager.service
systemctl start user-session.service
check "the user has a session on seat0" until_true 90 session_there
check "his PipeWire runs" until_true 60 of_user start pipewire.service
check "with the card's sound" until_true 30 has_sound
state "$LAB/before"
virt_ok "virsh start" start gpu
equal "the card is on vfio-pci" "$(driver "$GPU") $(driver "$GPU_SOUND")" "vfio-pci vfio-pci"
refute "the session has ended" session_there
refute "PipeWire is stopped" has_sound
contains "before the session ended" /var/log/vfio-hook/gpu.log 'user:user:pipewire.socket: active → inactive'
contains "what the user does not have is passed over" /var/log/vfio-hook/gpu.log 'no unit pulseaudio.socket of user user.*passed over'
refute "the display manager is stopped" systemctl -q is-active display-manager.service
check "the guest sees the card" until_true 90 says gpu p11111234
check "nothing of the user's is left" until_true 60 no_user
virt_ok "virsh destroy" destroy gpu
check "the display manager is back" systemctl -q is-active display-manager.service
check "it has the card" until_true 30 has_card
contains "PipeWire comes with the next login" /var/log/vfio-hook/gpu.log 'pipewire.service is not started: its user is not logged in'
check "udev is done" udevadm settle --timeout=30
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before, but for the session" \
	"$ONEWAY_VFIO|^(session|unit user-session|cgroup (/cgroup.subtree_control|.*user[.-]|.*/session-))"
gpasswd -d user audio >/dev/null
rm /etc/systemd/user/pipewire.socket /etc/systemd/user/pipewire.service

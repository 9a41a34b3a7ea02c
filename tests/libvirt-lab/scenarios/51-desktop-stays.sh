# shellcheck shell=dash
# optimus-manager.ini and hybrid-desktop.ini with a program that keeps the card open, under
# the real systemd and logind: the start is refused with its name, and the desktop is what
# it was, as is which card the next one would use.

MODE=$LAB/mode
main_pid() { systemctl show -P MainPID display-manager.service; }
desktop() { systemctl -q is-active display-manager.service; }
example() { sed -e "s/^\(gpu *= *\).*/\1${GPU%.0}.*/" -e '/^hugepages/d' -e "$2" "/lab/conf.d/$1.ini" | config gpu; }
guest gpu "$GPU" "$GPU_SOUND"

# A program outside of the desktop: no login ends it, and nothing of the example does.
systemd-run --quiet --unit=lab-painter /usr/bin/hold /dev/dri/card0
systemctl start display-manager.service
check "somebody else paints on the card, too" until_true 30 systemctl -q is-active lab-painter

# The compositor would close the card, so its stand-in is left out: the other one does not.
systemctl stop display-manager.service
example hybrid-desktop 's/timeout=10s/timeout=2s/'
udevadm settle --timeout=30
udevadm monitor --kernel --subsystem-match=drm >"$LAB/told" &
monitor=$!
check "the kernel's events are listened to" until_true 20 grep -q '^KERNEL' "$LAB/told"
state "$LAB/before"
virt_refused "hybrid: virsh names who stays" "$GPU was told to be removed, and is still held by hold \(pid [0-9]+" start gpu
contains "hybrid: and what to stop" "$LAB/virsh" 'lab-painter.service'
udevadm settle --timeout=30
state "$LAB/after"
same "$LAB/before" "$LAB/after" "hybrid: the host is as before" "$ONEWAY_VFIO"
check "hybrid: the program runs on" systemctl -q is-active lab-painter
told() { sed -n "s/^KERNEL\[.*\] \([a-z]*\) .*card0 .*/\1/p" "$LAB/told" | tr '\n' ' '; }
told_both() { [ "$(told)" = "remove add " ]; }
check "hybrid: compositors were told that it goes, and that it is there" until_true 20 told_both
kill $monitor
systemctl stop lab-painter

# The desktop ends for it, and comes back: on the card that it had.
cat >/usr/local/sbin/optimus-manager <<END
#!/bin/sh
echo "\$2" >>$MODE
END
chmod 755 /usr/local/sbin/optimus-manager
systemctl start display-manager.service
systemctl start user-session.service
check "optimus: somebody is logged in" until_true 90 session_there
systemd-run --quiet --unit=lab-painter /usr/bin/hold /dev/dri/card0
check "optimus: and somebody else paints" until_true 30 systemctl -q is-active lab-painter
before=$(main_pid)
example optimus-manager 's|/usr/bin/optimus|/usr/local/sbin/optimus|; s/nvidia_uvm.*nvidia$/bochs/; s/timeout=30s/timeout=3s/; s/timeout=15s/timeout=3s/'
state "$LAB/before"
virt_refused "optimus: the login stays, so virsh names it" 'session.end .*session [0-9a-z]+ of user .*add force=yes' start gpu
check "optimus: the desktop is back" until_true 30 desktop
refute "optimus: as another one, it was stopped for this" test "$before" = "$(main_pid)"
refute "optimus: no switch was made" test -e "$MODE"
check "optimus: he is still logged in" session_there
state "$LAB/after"
# His own systemd may still be on its way when the session is there.
OF_USER='^cgroup (/cgroup.subtree_control|.*user[.-]|.*/session-)'
same "$LAB/before" "$LAB/after" "optimus: the host is as before" "$ONEWAY_VFIO|$OF_USER"

sed -i 's/^session.end *= seat=seat0 timeout=3s/& force=yes/' /etc/libvirt/hooks/conf.d/gpu.ini
virt_refused "optimus: the program stays, so virsh names it" 'kmod.unload .*bochs.* hold \(pid [0-9]+' start gpu
contains "optimus: and what to stop" "$LAB/virsh" 'lab-painter.service'
equal "optimus: the switch was made, and made back" "$(tr '\n' ' ' <"$MODE")" "integrated hybrid "
check "optimus: the desktop is back once more" until_true 30 desktop
state "$LAB/after"
same "$LAB/before" "$LAB/after" "optimus: the host is as before, but for the session" \
	"$ONEWAY_VFIO|^(session|unit user-session)|$OF_USER"
systemctl stop lab-painter display-manager.service
loginctl terminate-user user 2>/dev/null
check "nothing of the user's is left" until_true 60 test ! -e /sys/fs/cgroup/user.slice/user-1000.slice
rm -f /usr/local/sbin/optimus-manager "$MODE"

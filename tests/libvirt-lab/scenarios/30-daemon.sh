# shellcheck shell=dash
# The daemon goes away: restarted while the guest runs, killed in the middle of prepare;
# a guest that is started with the daemon.

config win10 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
guest win10 "$NET1"
state "$LAB/before"
watch_calls
virt_ok "virsh start" start win10
systemctl restart libvirtd
check "the guest outlives a restart of libvirtd" until_true 90 is win10 running
check "reconnect was called" until_true 90 called win10 "prepare start started reconnect"
check "the guest runs on" is win10 running
virt_ok "virsh destroy" destroy win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before, the daemon restarted in between" "$ONEWAY_VFIO"

# The guest ends while nobody is there to call us: libvirt does so when it is back.
virt_ok "virsh start once more" start win10
systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd
check "QEMU outlives the daemon" pgrep -f 'guest=win10,'
equal "the card is on vfio-pci without the daemon" "$(driver "$NET1")" vfio-pci
pkill -KILL -f 'guest=win10,'
systemctl start libvirtd.socket libvirtd
check "the card comes home with the daemon" until_true 90 home_again
check "no journal is left of a guest that died without the daemon" until_true 90 no_journal win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before, the guest gone while the daemon was" "$ONEWAY_VFIO"

cat >>/etc/libvirt/hooks/conf.d/win10.ini <<-END
	wait.sleep = 30
END
virsh -q start win10 >"$LAB/virsh" 2>&1 </dev/null &
client=$!
check "prepare has taken the card" until_true 90 on_vfio "$NET1"
systemctl kill --signal=KILL --kill-who=main libvirtd
wait $client
check "prepare undoes itself when the daemon dies" until_true 90 home_again
check "libvirtd is back" until_true 90 virt list
check "the guest is off" is win10 "shut off"
check "no journal is left" until_true 90 no_journal win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before, the daemon killed in prepare" "$ONEWAY_VFIO"
sed -i '/sleep/d' /etc/libvirt/hooks/conf.d/win10.ini
virt_ok "the guest starts afterwards" start win10
virt destroy win10

virt autostart win10
systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd
rm -f /run/libvirt/qemu/autostarted
systemctl start libvirtd.socket libvirtd
check "autostart: the guest runs" until_true 90 is win10 running
equal "autostart: the card is on vfio-pci" "$(driver "$NET1")" vfio-pci
virt destroy win10
equal "nothing on stdout" "$(wc -c <"$LAB/stdout")" 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the autostart" "$ONEWAY_VFIO"

# That a daemon has found the hook can be known once it has called it.
older() { vfio-hook check 2>&1 | grep -q 'libvirtd (pid .*) has run since before the hook was put there'; }
systemctl restart libvirtd
check "libvirtd is there again" until_true 90 virt list
refute "a daemon that was not there before the hook is fine" older
touch -h "$HOOK"
check "it may not have looked since" older
virt_ok "the guest starts with it" start win10
refute "it has looked, as it called the hook" older
virt_ok "the guest ends" destroy win10
refute "it has, also afterwards" older

# shellcheck shell=dash
# The life of a guest that owns a network card: start, what it sees, and its ends.

config win10 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
guest win10 "$NET1"

state "$LAB/before"
virt_ok "virsh start" start win10
equal "the card is on vfio-pci" "$(driver "$NET1")" vfio-pci
check "the guest sees the card" until_true 90 says win10 p10D38086
virt_ok "virsh destroy" destroy win10
equal "the guest is off" "$(state_of win10)" "shut off"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before destroy" "$ONEWAY_VFIO"

watch_calls
virt_ok "virsh start again" start win10
check "the guest is up" until_true 90 says win10 U
virt_ok "virsh reset" reset win10
check "the guest booted twice" until_true 90 booted win10 2
check "it runs on" is win10 running
virt_ok "virsh reboot" reboot win10
check "the guest booted three times" until_true 90 booted win10 3
check "the guest is still there" is win10 running
equal "nobody called the hook for that" "$(calls win10)" "prepare start started"
equal "the card is still on vfio-pci" "$(driver "$NET1")" vfio-pci
virt_ok "virsh shutdown" shutdown win10
check "the guest powers off" until_true 90 is win10 "shut off"
check "release was called" until_true 90 called win10 "prepare start started stopped release"
equal "nothing on stdout" "$(wc -c <"$LAB/stdout")" 0
check "the card is back on its driver" until_true 90 home_again
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before shutdown" "$ONEWAY_VFIO"
refute "no journal is left" test -e "/run/vfio-hook/$(uuid_of win10).journal"

# shellcheck shell=dash
# boot
# The machine boots, and libvirtd starts a domain that was there before, with its card.

# What the rest of the boot brings, and libvirtd itself.
BOOT='^(unit |session |cgroup |node directory .* /dev/hugepages/libvirt)'

check "libvirtd has started the guest" until_true 180 is win10 running
equal "its card is on vfio-pci" "$(driver "$NET1")" vfio-pci
check "the guest sees the card" until_true 90 says win10 p10D38086
equal "the hook was called for its start" \
	"$(journalctl -b -o cat | sed -n 's/^win10: -- win10 \(.*\): done in .*/\1/p' | tr '\n' ' ')" \
	"prepare/begin start/begin started/begin "
equal "before, the card was the host's" "$(grep "^pci $NET1 driver " "$LAB/before")" "pci $NET1 driver e1000e"
virt_ok "virsh destroy" destroy win10
check "the card is back on its driver" until_true 90 home_again
check "no journal is left" no_journal win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the guest" "$ONEWAY_VFIO|$BOOT"

# shellcheck shell=dash
# virsh save and virsh restore of a guest on hugepages, with a tree of scripts: libvirt
# reads what the hook prints on restore as the guest's new XML, so that must be nothing.

config win10 <<-END
	[prepare/begin]
	hugepages.allocate =
END
for f in prepare/begin restore/begin release/end; do
	mkdir -p /etc/libvirt/hooks/qemu.d/win10/$f
	# shellcheck disable=SC2016 # the script expands it
	printf '#!/bin/sh\necho "<domain>of the script $1 $2</domain>"\necho "$1 $2 $3 $4 $(wc -c)" >>/run/lab/scripts\n' \
		>/etc/libvirt/hooks/qemu.d/win10/$f/10-note
	chmod 755 /etc/libvirt/hooks/qemu.d/win10/$f/10-note
done
rm -f "$LAB/scripts"
BACKING='<memoryBacking><hugepages/></memoryBacking>' guest win10
guestlog=/var/log/libvirt/qemu/win10.log
pages() { cat /sys/kernel/mm/hugepages/hugepages-2048kB/"$1"_hugepages; }
dumpxml() { timeout 120 virsh -q dumpxml "$@" win10 </dev/null; }
# What differs between two lives of one guest: its id, and labels and ports with the id in.
live() { dumpxml | sed "s/<domain type='qemu' id='[0-9]*'/<domain type='qemu'/"; }
state "$LAB/before"
watch_calls

virt_ok "virsh start" start win10
equal "its pages are there" "$(pages nr)" 32
check "the guest is up" until_true 90 says win10 U
equal "it runs on them" "$(pages free)" 0
live >"$LAB/live.1"
dumpxml --inactive >"$LAB/inactive.1"
virt_ok "virsh save" save win10 "$LAB/win10.save"
equal "the guest is off" "$(state_of win10)" "shut off"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before while it is saved"

virt_ok "virsh restore" restore "$LAB/win10.save"
check "the guest goes on" is win10 running
equal "its pages are there again" "$(pages nr) $(pages free)" "32 0"
live >"$LAB/live.2"
dumpxml --inactive >"$LAB/inactive.2"
check "its live XML is the same" diff "$LAB/live.1" "$LAB/live.2"
check "its stored XML is the same" diff "$LAB/inactive.1" "$LAB/inactive.2"
equal "what libvirt called" "$(calls win10)" "prepare start started stopped release restore prepare start started"
equal "the tree's scripts ran, with the XML" "$(awk '{ print $2, $3, ($5 > 500) }' "$LAB/scripts" | tr '\n' ' ')" \
	"prepare begin 1 release end 1 restore begin 1 prepare begin 1 "
equal "nothing on stdout, of the scripts neither" "$(wc -c <"$LAB/stdout")" 0
refute "libvirt has not seen another XML" grep -q 'tainted: hook-script' $guestlog
virt_ok "virsh destroy" destroy win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the guest's second life"

# So that the look at the daemon's log can fail: a hook that hands the XML on.
# shellcheck disable=SC2016 # the script expands it
printf '#!/bin/sh\n[ "$2" != restore ] || cat\n' >"$HOOK.new"
chmod 755 "$HOOK.new"
mv "$HOOK.new" "$HOOK"
echo 32 >/proc/sys/vm/nr_hugepages
virt_ok "restored with a hook that prints" restore "$LAB/win10.save"
check "libvirt tells of such a hook" grep -q 'tainted: hook-script' $guestlog
virt_ok "and the guest's end" destroy win10
echo 0 >/proc/sys/vm/nr_hugepages
cp /lab/hook "$HOOK"
rm -f "$LAB/win10.save"

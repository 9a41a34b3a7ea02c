# shellcheck shell=dash
# Two starts at once, whose prepares overlap: each waits for what the other has made
# before. If the hook let them run one after the other, both would give up.

for n in 10 11; do
	config win$n <<-END
		[prepare/begin]
		pci.detach = timeout=15s
		shm.create = lab-win$n
		wait.for   = timeout=30s path=/dev/shm/lab-win$((21 - n))
	END
done
guest win10 "$NET1"
guest win11 "$NET2"
state "$LAB/before"
watch_calls

virsh -q start win10 >"$LAB/virsh.1" 2>&1 </dev/null &
client=$!
virt_ok "the second start" start win11
if wait $client; then ok "the first start"; else fail "the first start" "$LAB/virsh.1"; fi
check "the first guest runs" is win10 running
check "the second guest runs" is win11 running
equal "their cards" "$(driver "$NET1") $(driver "$NET2")" "vfio-pci vfio-pci"
check "the first guest sees its card" until_true 90 says win10 p10D38086
check "the second guest sees its card" until_true 90 says win11 p10D38086

virsh -q destroy win10 >"$LAB/virsh.1" 2>&1 </dev/null &
client=$!
virt_ok "the second end" destroy win11
if wait $client; then ok "the first end"; else fail "the first end" "$LAB/virsh.1"; fi
for n in win10 win11; do
	equal "what libvirt called for $n" "$(calls $n)" "prepare start started stopped release"
done
equal "nothing on stdout" "$(wc -c <"$LAB/stdout")" 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

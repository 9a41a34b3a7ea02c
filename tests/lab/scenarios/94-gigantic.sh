# shellcheck shell=dash
# boot: --memory 8192
# Pages of 1 GiB, made while the kernel runs, on the nodes that the XML names.

nr() { cat "/sys/devices/system/node/node$1/hugepages/hugepages-$2kB/nr_hugepages"; }
guest()
{
	cat >/etc/lab/win10.xml <<-END
	<domain type='qemu'>
	  <name>win10</name>
	  <uuid>$(uuid_of win10)</uuid>
	  <memoryBacking><hugepages><page size='1' unit='GiB' nodeset='0'/><page size='2048'/></hugepages></memoryBacking>
	  <numatune><memnode cellid='0' mode='strict' nodeset='1'/><memnode cellid='1' nodeset='0'/></numatune>
	  <cpu><numa><cell id='0' memory='$1' unit='GiB'/><cell id='1' memory='64' unit='MiB'/></numa></cpu>
	</domain>
	END
}
config win10 <<-END
[prepare/begin]
hugepages.allocate = timeout=60s
END
state "$LAB/before"

guest 1
hook_ok "1 GiB on node 1, 64 MiB in small ones on node 0: prepare" prepare begin
equal "each size has its pages on its node" \
	"$(nr 0 1048576) $(nr 1 1048576), $(nr 0 2048) $(nr 1 2048)" "0 1, 32 0"
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"

# More than there are stretches for: refused with numbers, and all goes back.
guest 3
hook_refused "more than can be had" \
	'cell 0: got [0-2] of 3 pages of 1 GiB on node 1 \([0-2]\.0 of 3\.0 GiB\): no free stretch' prepare begin
state "$LAB/after"
same "$LAB/before" "$LAB/after" "more than can be had: the host is as before"

config win10 <<-END
[prepare/begin]
hugepages.allocate = timeout=60s partial=yes
END
hook_ok "partial=yes: prepare" prepare begin
check "partial=yes: some of them" test "$(nr 1 1048576)" -ge 1 -a "$(nr 1 1048576)" -lt 3
equal "partial=yes: the small ones" "$(nr 0 2048)" 32
hook_ok "partial=yes: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "partial=yes: the host is as before"

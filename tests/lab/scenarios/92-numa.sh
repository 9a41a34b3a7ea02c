# shellcheck shell=dash
# Huge pages where the XML wants them: guest NUMA cells, nodes of the host, memory devices.

nr() { cat "/sys/devices/system/node/node$1/hugepages/hugepages-2048kB/nr_hugepages"; }
# guest PARTS: a domain of 64 MiB with these parts of XML.
guest()
{
	cat >/etc/lab/win10.xml <<-END
	<domain type='qemu'>
	  <name>win10</name>
	  <uuid>$(uuid_of win10)</uuid>
	  $1
	  <vcpu>2</vcpu>
	  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
	</domain>
	END
	cp /etc/lab/win10.xml /etc/libvirt/qemu/win10.xml
}
# there DESC PAGES0 PAGES1: prepare puts so many on each node, release takes them away.
there()
{
	hook_ok "$1: prepare" prepare begin
	equal "$1: pages on node 0 and node 1" "$(nr 0) $(nr 1)" "$2 $3"
	hook_ok "$1: release" release end
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before"
}
finds() { vfio-hook check win10 >"$LAB/check.win10" 2>&1; contains "$1" "$LAB/check.win10" "$2"; }

CELLS="<cpu><numa><cell id='0' cpus='0' memory='32' unit='MiB'/>
  <cell id='1' cpus='1' memory='16' unit='MiB'/></numa></cpu>"
HUGE="<memoryBacking><hugepages/></memoryBacking>"
# cells cross-wise on the host's nodes
CROSS="<numatune><memnode cellid='0' mode='strict' nodeset='1'/>
  <memnode cellid='1' mode='strict' nodeset='0'/></numatune>"
config win10 <<-END
[prepare/begin]
hugepages.allocate =
END
state "$LAB/before"

guest "$HUGE $CROSS $CELLS"
vfio-hook plan win10 >"$LAB/plan" 2>&1
equal "the plan is fine" $? 0
contains "the plan names the cell, its pages and its node" "$LAB/plan" \
	'cell 0: 16 pages of 2 MiB on node 1'
contains "and each pool" "$LAB/plan" 'hugepages-2048kB/node0.*0.*8'
there "a node for each cell" 8 16
contains "the log names them, too" /var/log/vfio-hook/win10.log 'cell 1: 8 pages of 2 MiB on node 0'

# What QEMU does with them: memory bound to the node, taken before the guest runs.
hook_ok "the pages are of use: prepare" prepare begin
check "cell 0 has its memory on node 1" holder cell0 -N 1 -H 16
first=$HOLDER
check "cell 1 has its memory on node 0" holder cell1 -N 0 -H 8
equal "no page is left" "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)" 0
kill -9 "$first" "$HOLDER"
free() { [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)" = 24 ]; }
check "the guest is gone" until_true 10 free
hook_ok "the pages are of use: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the pages are of use: the host is as before"

guest "<memoryBacking><hugepages><page size='2048' nodeset='1'/>
  <page size='4' nodeset='0'/></hugepages></memoryBacking> $CROSS $CELLS"
there "a cell of ordinary pages gets none" 8 0

guest "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking> $CROSS $CELLS
  <devices><memory model='dimm'><source><nodemask>0</nodemask></source>
  <target><size unit='MiB'>6</size><node>0</node></target></memory>
  <memory model='virtio-mem'><target><size unit='MiB'>64</size><node>1</node>
  <requested unit='MiB'>4</requested></target></memory></devices>"
there "memory devices" 13 16

guest "$HUGE <memory unit='MiB'>64</memory>
  <numatune><memory mode='strict' nodeset='0-1'/></numatune>"
there "bound to two nodes: evenly" 16 16
guest "$HUGE <memory unit='MiB'>64</memory>
  <numatune><memory mode='preferred' nodeset='1'/></numatune>"
there "preferred" 0 32
guest "$HUGE <memory unit='MiB'>64</memory>"
there "anywhere: evenly" 16 16

# Pages that lie there count, each for one cell only.
echo 5 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
guest "$HUGE <numatune><memnode cellid='0' nodeset='1'/></numatune> $CELLS"
hook_ok "free pages: prepare" prepare begin
equal "free pages: as many as the cells need" "$(cat /proc/sys/vm/nr_hugepages)" 24
check "free pages: those of cell 0 on its node" test "$(nr 1)" -ge 16
finds "the order of the cells is warned of only where it matters" 'win10: '
refute "which it does not here" grep 'is filled before' "$LAB/check.win10"
hook_ok "free pages: release" release end
equal "free pages: the 5 stay where they were" "$(nr 0) $(nr 1)" "0 5"
echo 0 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages

# Refused before anything is changed.
guest "$HUGE <numatune><memnode cellid='1' nodeset='0,7'/></numatune> $CELLS"
hook_refused "a node that there is not" 'no NUMA node 7' prepare begin
finds "and check says so" 'puts the memory of cell 1 on NUMA node 7, which this host does not have'
guest "$HUGE <numatune><memnode cellid='0' nodeset='1'/></numatune>
  <cpu><numa><cell id='0' memory='480' unit='MiB'/><cell id='1' memory='16' unit='MiB'/></numa></cpu>"
hook_refused "more than a node has" \
	'cell 0: 480 MiB more are needed \(240 x 2 MiB\) on node 1, but it can spare [0-9]+ MiB only' prepare begin
equal "nothing was taken for the other cell" "$(nr 0) $(nr 1)" "0 0"

# Without a step that allocates them.
guest "$HUGE $CROSS $CELLS"
config win10 <<-END
[prepare/begin]
wait.sleep = 0
END
finds "pages that nobody allocates" \
	'the XML asks for 16 huge pages of 2 MiB on node 1 for cell 0, 0 are free, and no step'
state "$LAB/after"
same "$LAB/before" "$LAB/after" "in the end the host is as before"

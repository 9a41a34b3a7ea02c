# shellcheck shell=dash
# Huge pages: little memory, nodes, pages in use, several guests, pages of 1G.

POOL=/sys/kernel/mm/hugepages/hugepages-2048kB
nr() { cat $POOL/nr_hugepages; }
node() { cat "/sys/devices/system/node/node$1/hugepages/hugepages-2048kB/nr_hugepages"; }
allocate()
{
	config "${2:-win10}" <<-END
	[prepare/begin]
	hugepages.allocate = $1
	END
}
back()
{
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before"
}
MIB=64 domain win10
MIB=32 domain other
state "$LAB/before"

# What the XML asks for.
allocate ""
hook_ok "the XML's: prepare" prepare begin
equal "64 MiB are 32 pages" "$(nr)" 32
hook_ok "a second prepare" prepare begin
equal "adds none" "$(nr)" 32

# Another guest adds its own, and takes no more away.
allocate "" other
hook_ok "another guest" prepare begin other
equal "adds its own" "$(nr)" 48
hook_ok "the first leaves" release end
equal "the other's stay" "$(nr)" 16

# Pages of the administrator's are nobody's to give back.
echo 20 >$POOL/nr_hugepages
hook_ok "the other leaves" release end other
equal "pages that came from elsewhere stay" "$(nr)" 4
hook_ok "4 free pages count" prepare begin
equal "28 are added" "$(nr)" 32
hook_ok "release" release end
equal "and go" "$(nr)" 4
echo 0 >$POOL/nr_hugepages
back "several guests"

# In use when they are given back: they go when the guest lets go of them.
hook_ok "prepare" prepare begin
holder guestd -H 32
hook_ok "release while the guest's memory is mapped" release end
equal "they are surplus now" "$(cat $POOL/surplus_hugepages)" 32
kill -9 "$HOLDER"
none() { [ "$(nr)" = 0 ]; }
check "and vanish with the guest" until_true 10 none
back "pages in use"

# A pool in use does not serve a second guest.
hook_ok "prepare" prepare begin
holder guestd -H 32
hook_ok "another guest beside it" prepare begin other
equal "has pages of its own" "$(cat $POOL/free_hugepages)" 16
kill -9 "$HOLDER"
hook_ok "release" release end
hook_ok "release of the other" release end other
back "a guest beside another"

# One node only.
allocate "pages=10 node=1"
hook_ok "node=1: prepare" prepare begin
equal "node=1: there" "$(node 1)" 10
equal "node=1: and nowhere else" "$(node 0)" 0
hook_ok "node=1: release" release end
allocate "pages=10 node=7"
hook_refused "no such node" 'no NUMA node 7' prepare begin
allocate "memory=480M node=1"
hook_refused "more than a node has" '480 MiB more are needed \(240 x 2 MiB\).*can spare [0-9]+ MiB' prepare begin
back "nodes"

# Too little memory: refused with numbers, at once.
allocate "memory=900M"
hook_refused "too much" 'hugepages: 900 MiB more are needed \(450 x 2 MiB\), but the host can spare [0-9]+ MiB only \([0-9]+ MiB available, 256 MiB of it kept back\)' prepare begin
equal "nothing was taken" "$(nr)" 0
back "memory"

# Time is up before it begins.
allocate "pages=10 timeout=0"
hook_refused "no time" 'got 0 of 10 pages .*: there was no time for more: raise timeout=' prepare begin
equal "no time: nothing was taken" "$(nr)" 0
back "no time"

# Fewer are enough, if that is said: what the host can spare, and all of it goes back.
allocate "memory=900M partial=yes"
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
equal "partial=yes: the plan is fine" $? 0
hook_ok "partial=yes: prepare" prepare begin
check "partial=yes: some, and not all" test "$(nr)" -gt 50 -a "$(nr)" -lt 450
available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
check "partial=yes: the host keeps memory for itself ($available kB)" test "$available" -gt 100000
hook_ok "partial=yes: release" release end
back "partial=yes"

# 1G: not at run time on this machine, said before anything else is touched.
allocate "size=1G pages=1"
hook_refused "1G pages" '1 GiB' prepare begin
check "at once" test "$HOOK_MS" -lt 10000
allocate "size=512M pages=1"
hook_refused "a size that there is not" '512 MiB.*it has: hugepages-1048576kB, hugepages-2048kB' prepare begin
back "other sizes"

# Given back before the end, of one node, and then the rest.
config win10 <<-END
[prepare/begin]
hugepages.allocate = pages=3 node=0
hugepages.allocate = pages=5 node=1
[stopped/end]
hugepages.free = node=1
END
hook_ok "hugepages.free: prepare" prepare begin
equal "hugepages.free: all are there" "$(node 0) $(node 1)" "3 5"
hook_ok "hugepages.free node=: stopped" stopped end
equal "hugepages.free node=: that node's are gone" "$(node 0) $(node 1)" "3 0"
hook_ok "hugepages.free node=: release" release end
back "hugepages.free node="
config win10 <<-END
[prepare/begin]
hugepages.allocate = pages=8 size=2M
[stopped/end]
hugepages.free =
END
echo 4 >$POOL/nr_hugepages
hook_ok "hugepages.free beside the administrator's: prepare" prepare begin
equal "hugepages.free beside the administrator's: all are there" "$(nr)" 8
hook_ok "hugepages.free: stopped" stopped end
equal "hugepages.free: ours are gone, the administrator's stay" "$(nr)" 4
hook_ok "hugepages.free: release" release end
equal "hugepages.free: and still do" "$(nr)" 4
echo 0 >$POOL/nr_hugepages
back "hugepages.free"

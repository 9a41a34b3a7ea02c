# shellcheck shell=dash
# boot: --memory 1536
# Huge pages on a host whose free memory is in pieces: every eighth page of it is taken.

POOL=/sys/kernel/mm/hugepages/hugepages-2048kB
UNEVICTABLE=/proc/sys/vm/compact_unevictable_allowed
mem_free() { sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
LOG=/var/log/vfio-hook/win10.log

MIB=400 domain win10
config win10 <<-END
[prepare/begin]
hugepages.allocate = timeout=60s
END
state "$LAB/before"
read -r allowed <$UNEVICTABLE
echo 3 >/proc/sys/vm/drop_caches

# Locked pages that compaction may not move: there are free pages, and none is huge.
echo 0 >$UNEVICTABLE
hold -p "$LAB/fragments" -F $(($(mem_free) / 1024 - 80)) &
HOLDER=$!
echo $HOLDER >>"$LAB/holders"
check "memory is fragmented" until_true 60 test -s "$LAB/fragments"
note "free: $(mem_free) kB"
hook_refused "nothing to be had" \
	'got [0-9]+ of 200 pages of 2 MiB \([0-9]+ of 400 MiB\): memory is fragmented or in use' prepare begin
equal "all of it went back" "$(cat $POOL/nr_hugepages)" 0
contains "compaction was tried" $LOG 'pages came: compacting memory'

# The page cache is thrown away where the line says so, as the last resort, and nowhere else.
dropped() { sed -n 's/^drop_pagecache //p' /proc/vmstat; }
before=$(dropped)
hook_refused "without drop-caches=" 'memory is fragmented or in use' prepare begin
equal "the page cache stays" "$(dropped)" "$before"
config win10 <<-END
[prepare/begin]
hugepages.allocate = timeout=60s drop-caches=yes
END
hook_refused "drop-caches=yes" 'memory is fragmented or in use' prepare begin
equal "the page cache was dropped, once" "$(dropped)" $((before + 1))
contains "which is told" $LOG 'dropped the page cache'
config win10 <<-END
[prepare/begin]
hugepages.allocate = timeout=60s
END

# A kernel that has tried to compact in vain leaves it for a while: the first write is
# short then, although there is nothing any more that cannot be moved.
for _ in 1 2 3 4 5 6 7; do
	echo 250 >$POOL/nr_hugepages
	echo 0 >$POOL/nr_hugepages
done
echo 1 >$UNEVICTABLE
: >$LOG
hook_ok "pages that can be moved: prepare" prepare begin
equal "all are there" "$(cat $POOL/nr_hugepages)" 200
contains "by compaction" $LOG 'hugepages: [0-9]+ of [0-9]+ pages came: compacting memory'
hook_ok "pages that can be moved: release" release end
kill -9 $HOLDER
echo "$allowed" >$UNEVICTABLE
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"

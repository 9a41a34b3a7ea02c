# shellcheck shell=dash
# What nobody plans for: a full /run, logs that cannot be written, a folder that is not
# ours, the longest of names, XML without end, ten thousand files, two starts of one domain.

log=/var/log/vfio-hook/win10.log
journal=/run/vfio-hook/$(uuid_of win10).journal
pages() { cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages; }
pages_before=$(pages)
full_config()
{
	HUGE='' VCPUPIN='2 3' EMULATORPIN=2-3 domain win10 $NET1
	config win10 <<-END
	[prepare/begin]
	hugepages.allocate = pages=4 size=2M
	governor.set = performance
	service.stop = display-manager.service
	irq.move =
	exec.run = /bin/true
	exec.undo = /bin/true
	pci.detach =
	END
	systemctl start display-manager.service
}
unit display-manager.service Xorg /dev/dri/card0
full_config
hook_ok "once, for the modules: prepare" prepare begin
hook_ok "release" release end
state "$LAB/before"

# unchanged DESC: the host is as before.
unchanged()
{
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$ONEWAY_VFIO"
}

# A small file system, and what fills it to so many free kB.
mkdir -p /run/vfio-hook
mount -t tmpfs -o size=128k,mode=700 tmpfs /run/vfio-hook
fill()
{
	rm -f /run/vfio-hook/filler
	dd if=/dev/zero of=/run/vfio-hook/filler bs=1k count=$((128 - $1)) 2>/dev/null
	note "free: $(df -k /run/vfio-hook | awk 'NR == 2 { print $4 }') kB"
}
fill 0
hook_refused "/run is full: refused" "journal .*: No space left on device|cannot (open|write) .*: No space left on device" prepare begin
unchanged "/run is full"
for room in 8 16 24 36; do
	fill $room
	hook prepare begin
	if [ "$RC" -eq 0 ]; then
		note "$room kB are enough"
		dd if=/dev/zero of=/run/vfio-hook/filler2 bs=1k count=128 2>/dev/null
		hook_ok "$room kB: full at release" release end
	else
		equal "$room kB: one line" "$(wc -l <"$ERR")" 1
		contains "$room kB: it says why" "$ERR" "No space left on device"
		hook_ok "$room kB: release" release end failed
	fi
	rm -f /run/vfio-hook/filler2
	unchanged "$room kB"
	refute "$room kB: no journal is left" test -s "$journal"
done
rm -f /run/vfio-hook/filler
hook_ok "prepare" prepare begin
dd if=/dev/zero of=/run/vfio-hook/filler bs=1k count=256 2>/dev/null
hook_ok "full since prepare: release" release end
refute "full since prepare: it said nothing" test -s "$ERR"
unchanged "full since prepare"
refute "full since prepare: no journal is left" test -e "$journal"

# So much that what is struck needs more than the rest of a page.
rm -f /run/vfio-hook/filler
{
	echo "[prepare/begin]"
	for i in $(seq 200); do echo "shm.create = a-file-in-shared-memory-$i"; done
} | config win10
hook_ok "200 files: prepare" prepare begin
equal "200 files: they are there" "$(find /dev/shm -name "a-file*" | wc -l)" 200
dd if=/dev/zero of=/run/vfio-hook/filler bs=1k count=256 2>/dev/null
hook_ok "200 files, full since prepare: release" release end
refute "200 files: it said nothing" test -s "$ERR"
unchanged "200 files"
refute "200 files: no journal is left" test -e "$journal"
full_config
check "that file system goes" until_true 5 umount /run/vfio-hook

# Logs that cannot be written keep nothing from being done.
mkdir -p /var/log/vfio-hook
mount -t tmpfs -o ro tmpfs /var/log/vfio-hook
hook_ok "logs cannot be written: prepare" prepare begin
equal "it was done" "$(driver $NET1)" vfio-pci
hook_ok "logs cannot be written: release" release end
unchanged "logs cannot be written"
umount /var/log/vfio-hook
mount -t tmpfs -o size=4k tmpfs /var/log/vfio-hook
dd if=/dev/zero of=/var/log/vfio-hook/filler bs=4k count=1 2>/dev/null
hook_ok "no room for logs: prepare" prepare begin
hook_ok "no room for logs: release" release end
unchanged "no room for logs"
umount /var/log/vfio-hook

# Somebody else's folder is believed nothing.
mkdir -p /run/vfio-hook
hook_ok "prepare" prepare begin
chown user /run/vfio-hook
hook release end
equal "another's folder: release fails" "$RC" 1
contains "and says why" "$ERR" "/run/vfio-hook is not a directory of root's own"
equal "nothing was done" "$(driver $NET1)" vfio-pci
chown root /run/vfio-hook
hook_ok "root's again: release" release end
unchanged "another's folder"
rm -rf /run/vfio-hook
mkdir -m 700 /run/vfio-hook
chown user /run/vfio-hook
hook_refused "another's folder: prepare" "/run/vfio-hook is not a directory of root's own" prepare begin
unchanged "another's folder, prepare"
rm -rf /run/vfio-hook

# The longest name that a config can have: 251 bytes.
name=$(awk 'BEGIN { for (i = 0; i < 125; i++) printf "é"; printf "x" }')
domain "$name" $NET1
config "$name" <<END
[prepare/begin]
governor.set = performance
pci.detach =
END
HUGE='' domain "$name" $NET1
state "$LAB/before2"
hook_ok "a name of 251 bytes: prepare" prepare begin "$name"
equal "it has the device" "$(driver $NET1)" vfio-pci
check "status knows it" eval 'vfio-hook status | grep -q ééé'
hook_refused "who wants its device is told" "$NET1 belongs to domain éé" prepare begin win10
hook_ok "a name of 251 bytes: release" release end "$name"
state "$LAB/after"
same "$LAB/before2" "$LAB/after" "a name of 251 bytes: the host is as before" "$ONEWAY_VFIO"
rm -f "/etc/libvirt/hooks/conf.d/$name.ini" "/etc/lab/$name.xml"
long=${name}xxxx
cp /etc/lab/win10.xml "/etc/lab/big.xml"
hook_ok "a name of 255 bytes has no config: prepare" prepare begin "$long"
hook_ok "a name of 255 bytes: release" release end "$long"

# XML of nearly 16 MiB, of more, and without a UUID.
xml=/etc/lab/win10.xml
cp $xml "$LAB/xml"
pad() { { echo "<!--"; dd if=/dev/zero bs=1M count="$1" 2>/dev/null | tr '\000' x; echo "-->"; sed 1q "$LAB/xml"; sed 1d "$LAB/xml"; } >$xml; }
pad 15
hook_ok "XML of 15 MiB: prepare" prepare begin
hook_ok "XML of 15 MiB: release" release end
unchanged "XML of 15 MiB"
pad 17
hook_refused "XML of 17 MiB" "more than 16 MiB|XML" prepare begin
cp "$LAB/xml" $xml
hook_ok "prepare" prepare begin
pad 17
hook_ok "XML of 17 MiB: release by the name" release end
unchanged "XML of 17 MiB"
sed /uuid/d "$LAB/xml" >$xml
hook_refused "XML without a UUID" "the domain XML has no <uuid>" prepare begin
unchanged "XML without a UUID"
cp "$LAB/xml" $xml

# Ten thousand open files of the caller.
cat >"$LAB/many" <<'END'
#!/bin/sh
ulimit -n 20000
i=10
while [ $i -lt 10000 ]; do eval "exec $i</dev/null"; i=$((i + 1)); done
exec "$@"
END
chmod 755 "$LAB/many"
HOOK_WRAP="$LAB/many" hook_ok "10000 open files: prepare" prepare begin
HOOK_WRAP="$LAB/many" hook_ok "10000 open files: release" release end
unchanged "10000 open files"

# Two starts of one domain at once: the second goes on from the first.
hook_bg prepare begin
one=$HOOKPID
hook_bg prepare begin
two=$HOOKPID
hook_wait "$one"
first=$RC
hook_wait "$two"
equal "two starts of one domain" "$first $RC" "0 0"
equal "its pages are there once" "$(pages)" $((pages_before + 4))
hook_ok "one release" release end
unchanged "two starts of one domain"

# The clock jumps, back and forth.
hook_ok "prepare" prepare begin
now=$(date +%s)
date -s "@$((now - 86400 * 400))" >/dev/null
vfio-hook undo --orphans
equal "the clock jumps back: it is no orphan" "$(driver $NET1)" vfio-pci
hook_ok "the clock jumps back: release" release end
unchanged "the clock jumps back"
hook_ok "prepare" prepare begin
date -s "@$((now + 86400 * 400))" >/dev/null
hook_ok "the clock jumps forth: release" release end
unchanged "the clock jumps forth"
date -s "@$now" >/dev/null

# A pid that is somebody else's by now is no owner.
hook_ok "prepare" prepare begin
sed -i 's/^owner	.*/owner	1	1	./' "$journal"
sed -n 's/^owner	/# owner /p' "$journal"
check "a pid of another process is no owner" vfio-hook undo --orphans
unchanged "a pid of another process"

# The lock of the host is removed while it is in use.
hook_ok "prepare" prepare begin
rm -f /run/vfio-hook/lock
hook_ok "the lock is gone: release" release end
unchanged "the lock is gone"
holders_end
refute "nothing crashed" grep -qE 'signal (6|11)' $log

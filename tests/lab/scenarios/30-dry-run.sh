# shellcheck shell=dash
# A dry run changes nothing and is honest.

domain win10 $GPU_ALL
config win10 <<END
[devices]
gpu = 01:00.*
[prepare/begin]
hugepages.allocate =
governor.set       = performance
service.stop       = display-manager.service
vtconsole.unbind   =
framebuffer.unbind =
kmod.unload        = $(grep -oE '^bochs[a-z_]*' /proc/modules)
pci.detach         = gpu
END
systemctl start display-manager.service
state "$LAB/before"

cd /
/etc/libvirt/hooks/qemu --dry-run win10 prepare begin - </etc/lab/win10.xml >"$LAB/out" 2>"$LAB/err"
equal "--dry-run exits 0 when the start would work" $? 0
contains "it prints the driver change" "$LAB/out" "driver $GPU_SOUND +snd_hda_intel → vfio-pci"
contains "it prints the module" "$LAB/out" 'module bochs[a-z_]* +loaded → none'
contains "it prints the governor found" "$LAB/out" 'governor policy0 +[a-z]+ → performance'
contains "it prints the pages" "$LAB/out" 'hugepages.* 0 → 32'
state "$LAB/after"
same "$LAB/before" "$LAB/after" "--dry-run changes nothing"
refute "--dry-run leaves no journal" test -e "/run/vfio-hook/$(uuid_of win10).journal"

vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
equal "plan exits 0" $? 0
check "plan and --dry-run say the same" cmp "$LAB/out" "$LAB/plan"
vfio-hook plan --json win10 </etc/lab/win10.xml >"$LAB/json"
contains "plan --json has the change" "$LAB/json" '"target": "driver 0000:01:00.1", "now": "snd_hda_intel", "then": "vfio-pci"'
vfio-hook check win10 </etc/lab/win10.xml >"$LAB/out"
equal "check exits 0" $? 0
state "$LAB/after"
same "$LAB/before" "$LAB/after" "plan and check change nothing"

# What it says will work does.
rm -f /var/log/vfio-hook/win10.log
hook_ok "the same prepare for real" prepare begin
# Each change of the plan is in the log of the real run, in the same words. Which nodes the
# pages came from only the log tells, as the plan says.
contains "the plan says that the nodes of the pages are open" "$LAB/plan" 'the log tells how many of each'
sed '/^ *< /,$d; /→/!d; /hugepages-[^ ]*\/all/d; s/^ *//; s/   */ /' "$LAB/plan" >"$LAB/changes"
sed 's/^[^ ]* INFO [^ ]*: //; s/: / /' /var/log/vfio-hook/win10.log >"$LAB/words"
check "the plan has changes" test "$(wc -l <"$LAB/changes")" -gt 5
grep -vxF -f "$LAB/words" "$LAB/changes" >"$LAB/unsaid"
equal "each of them is in the log, in the same words" "$(cat "$LAB/unsaid")" ""
hook_ok "and back" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# What it says will fail does.
systemctl start display-manager.service
holder musicd /dev/snd/controlC0
state "$LAB/before"
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/out" 2>"$LAB/err"
equal "plan exits 1 when the start would fail" $? 1
contains "it names the holder" "$LAB/out" 'musicd \(pid '"$HOLDER"
hook_refused "the real one is refused with the same name" 'musicd \(pid '"$HOLDER" prepare begin
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing was touched"
check "the display manager still runs" systemctl is-active display-manager.service
hook_ok "release behind the refusal" release end win10 failed
holders_end

# dry-run = yes
sed -i '1i [domain]\ndry-run = yes' /etc/libvirt/hooks/conf.d/win10.ini
systemctl start display-manager.service
state "$LAB/before"
hook_refused "dry-run = yes: the guest is not started" 'dry run: nothing changed, guest not started' prepare begin
check "dry-run = yes: the plan is in the log" grep -q "dry run: driver $GPU_SOUND" /var/log/vfio-hook/win10.log
hook_ok "dry-run = yes: release" release end win10 failed
state "$LAB/after"
same "$LAB/before" "$LAB/after" "dry-run = yes changes nothing"

# All that is wrong, and each of the three tells the same of it, worst first: what is in use,
# what would never do, what is short just now; warnings come behind. The file has it otherwise.
config win10 <<END
[prepare/begin]
hugepages.allocate = memory=64G
-service.stop      = not-always-there.service
sysfs.write        = /sys/nowhere/at_all 1
service.stop       = no-such-unit.service
kmod.load          = no_such_module
pci.detach         = 01:00.0
exec.run           = /no/such/program
kmod.unload        = drm
END
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/out" 2>"$LAB/err"
equal "plan with several problems exits 1" $? 1
/etc/libvirt/hooks/qemu --dry-run win10 prepare begin - </etc/lab/win10.xml >"$LAB/out2" 2>"$LAB/err2"
equal "--dry-run with several problems exits 1" $? 1
vfio-hook check win10 </etc/lab/win10.xml >"$LAB/out3" 2>"$LAB/err3"
equal "check with several problems exits 1" $? 1
vfio-hook plan --json win10 </etc/lab/win10.xml >"$LAB/json" 2>"$LAB/err4"
equal "plan --json with several problems exits 1" $? 1
: >/var/log/vfio-hook/win10.log
hook_refused "the real one is refused for the worst" 'pci.detach \(win10.ini:7\): .* is held by Xorg .*and more' prepare begin

# Each line as "STEP: TEXT". What is free changes from one look to the next.
problems() { sed -n "s/$1/$2/p" | sed 's/[0-9]* MiB/some MiB/g'; }
listed() { sed -n '/problems, worst first$/,$p' | problems '^ *\([a-z]*\.[a-z-]*\) (win10.ini:[0-9]*): ' '\1: '; }
listed <"$LAB/out" >"$LAB/of-plan"
listed <"$LAB/out2" >"$LAB/of-dry-run"
problems '^ *problem  [^ ]*\.ini:[0-9]*: ' '' <"$LAB/out3" >"$LAB/of-check"
problems '^[^ ]* ERROR ' '' </var/log/vfio-hook/win10.log | head -n "$(wc -l <"$LAB/of-plan")" >"$LAB/of-log"
problems '.*"kind": "problem", "step": "\([^"]*\)", .*"text": "\([^"]*\)".*' '\1: \2' <"$LAB/json" >"$LAB/of-json"
same "$LAB/of-plan" "$LAB/of-dry-run" "plan and --dry-run list the same problems in the same order"
same "$LAB/of-plan" "$LAB/of-check" "so does check"
same "$LAB/of-plan" "$LAB/of-log" "so does the log of the real one"
same "$LAB/of-plan" "$LAB/of-json" "so does plan --json"
equal "worst first" "$(sed 's/: .*//' "$LAB/of-plan" | uniq | tr '\n' ' ')" \
	"pci.detach kmod.unload sysfs.write service.stop kmod.load pci.detach exec.run hugepages.allocate "
equal "each stands at its step, too" "$(grep -c '^ *PROBLEM: ' "$LAB/out")" "$(wc -l <"$LAB/of-plan")"
# before FILE PROBLEM WARNING: lines of the first stand before all of the second, and there are both.
before() { awk -v p="$2" -v w="$3" '$0 ~ w { behind = 1 } $0 ~ p { n++; late += behind } END { exit !(behind && n > 6 && !late) }' "$1"; }
check "check has problems before warnings" before "$LAB/out3" '^ *problem  ' '^ *warning  '
check "so has the log" before /var/log/vfio-hook/win10.log ' ERROR [a-z]*[.]' ' WARNING service.stop: there is no unit not-always-there'
check "so has plan --json" before "$LAB/json" '"kind": "problem"' '"kind": "warning"'
hook_ok "release behind the refusal" release end win10 failed

# shellcheck shell=dash
# The lab proves itself: what the other scenarios take for granted.

group() { local l; l=$(readlink "/sys/bus/pci/devices/$1/iommu_group") && echo "${l##*/}"; }

# --- devices
for d in $GPU_ALL $NVME $NET1 $NET2; do
	check "$d has an IOMMU group" test -e "/sys/bus/pci/devices/$d/iommu_group"
done
equal "the GPU's sound is in its group" "$(group $GPU_SOUND)" "$(group $GPU)"
equal "the GPU's USB is in its group" "$(group $GPU_USB)" "$(group $GPU)"
refute "the network cards have groups of their own" test "$(group $NET1)" = "$(group $NET2)"
equal "the GPU is a VGA controller" "$(cat /sys/bus/pci/devices/$GPU/class)" 0x030000
case $(driver $GPU) in bochs | bochs-drm) ok "bochs drives the GPU" ;; *) fail "bochs drives the GPU ($(driver $GPU))" ;; esac
equal "snd_hda_intel drives its sound" "$(driver $GPU_SOUND)" snd_hda_intel
equal "xhci_hcd drives its USB" "$(driver $GPU_USB)" xhci_hcd
equal "nvme drives the disk" "$(driver $NVME)" nvme
equal "e1000e drives the first card" "$(driver $NET1)" e1000e
equal "e1000e drives the second card" "$(driver $NET2)" e1000e
equal "the cards are twins" "$(cat /sys/bus/pci/devices/$NET1/device)" "$(cat /sys/bus/pci/devices/$NET2/device)"
check "the GPU has a DRM node" test -c /dev/dri/card0
check "the sound card has a control node" test -c /dev/snd/controlC0
check "the disk has a node" test -b /dev/nvme0n1

# --- console
fbcon() { grep -l 'frame buffer' /sys/class/vtconsole/*/name; }
check "the frame buffer console is there" fbcon
equal "the frame buffer console is bound" "$(cat "$(dirname "$(fbcon)")/bind")" 1
check "there is a frame buffer" grep -q . /proc/fb
if [ -d /sys/firmware/efi ]; then
	check "UEFI: a fixed dummy console is there" grep -q '(S) dummy device' /sys/class/vtconsole/vtcon0/name
	note "UEFI boot: $(cat /proc/fb)"
fi

# --- processors
set -- /sys/devices/system/cpu/cpufreq/policy*
check "there are two cpufreq policies ($#)" test $# -ge 2
check "driven by acpi-cpufreq" grep -qx acpi-cpufreq "$1/scaling_driver"
was=$(cat "$1/scaling_governor")
note "${1##*/}: governor $was of $(cat "$1/scaling_available_governors"), cpus $(cat "$1/affected_cpus")"
equal "the governor is schedutil" "$was" schedutil
for g in performance powersave schedutil; do
	echo $g >"$1/scaling_governor"
	equal "the governor can be $g" "$(cat "$1/scaling_governor")" $g
done
refute "an unknown governor is refused" sh -c "echo nonsense >$1/scaling_governor"
modprobe -q -r cpufreq_powersave

# --- memory
for n in 0 1; do
	f=/sys/devices/system/node/node$n/hugepages/hugepages-2048kB/nr_hugepages
	echo 8 >$f
	equal "node $n gives hugepages" "$(cat $f)" 8
	echo 0 >$f
	equal "node $n takes them back" "$(cat $f)" 0
done

# --- vfio by hand; and whether state sees all and sees nothing that is not
check "the vfio modules load" modprobe vfio-pci
check "with the one that only a softdep names" test -d /sys/module/vfio_iommu_type1
state /run/lab/a
state /run/lab/b
same /run/lab/a /run/lab/b "state is the same when nothing happened"
check "a network card goes to vfio-pci" bind_to $NET1 vfio-pci
check "its vfio group is there" test -c "/dev/vfio/$(group $NET1)"
state /run/lab/b
refute "state sees it" cmp -s /run/lab/a /run/lab/b
contains "state names the driver" /run/lab/b "^pci $NET1 driver vfio-pci\$"
contains "state names the override" /run/lab/b "^pci $NET1 driver_override vfio-pci\$"
home $NET1
until_true 5 test -e /sys/bus/pci/devices/$NET1/net
state /run/lab/b
same /run/lab/a /run/lab/b "and is as before when the card is home again" "^pci $NET1 power/control "
equal "but for power/control, which vfio-pci leaves at on" "$(cat /sys/bus/pci/devices/$NET1/power/control)" on

sees()
{
	local desc=$1
	state /run/lab/b
	if cmp -s /run/lab/a /run/lab/b; then fail "state sees $desc"; else ok "state sees $desc"; fi
}
echo auto >/sys/bus/pci/devices/$NET2/power/control
sees "power/control"
p=$(sed -n "s|^pci $NET2 power/control ||p" /run/lab/a)
echo "$p" >/sys/bus/pci/devices/$NET2/power/control
echo performance >"$1/scaling_governor"
sees "a governor"
echo schedutil >"$1/scaling_governor"
echo 1 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
sees "a hugepage"
echo 0 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
modprobe dummy
sees "a module"
rmmod dummy
: >/dev/shm/something
sees "a file in /dev/shm"
rm /dev/shm/something

# --- stand-ins and holders
check "the stand-in display manager starts" systemctl start display-manager.service
equal "it is active" "$(systemctl is-active display-manager)" active
pid=$(systemctl show -P MainPID display-manager.service)
contains "its process is in its cgroup" "/proc/$pid/cgroup" '^0::/system.slice/display-manager.service$'
equal "and called Xorg" "$(cat "/proc/$pid/comm")" Xorg
check "it holds the GPU" sh -c "ls -l /proc/$pid/fd | grep -q /dev/dri/card0"
sees "the unit"
check "it stops" systemctl stop display-manager.service
refute "its process is gone" test -d "/proc/$pid/fd/0"
equal "ActiveState and SubState" "$(systemctl show -p ActiveState,SubState display-manager | tr '\n' ' ')" "ActiveState=inactive SubState=dead "
refute "an unknown unit is not active" systemctl -q is-active nonsense.service
session c1 user /dev/dri/card0
equal "the stand-in session is there" "$(loginctl list-sessions --no-legend | awk '{ print $1, $3, $4 }')" "c1 user seat0"
check "it ends" loginctl terminate-session c1
refute "its process is gone" sh -c "grep -q . /proc/$HOLDER/cmdline"
equal "no session is left" "$(loginctl list-sessions --no-legend)" ""
holder pipewire /dev/snd/controlC0
equal "a holder has its name" "$(cat "/proc/$HOLDER/comm")" pipewire
check "and its file" sh -c "ls -l /proc/$HOLDER/fd | grep -q /dev/snd/controlC0"
kill "$HOLDER"
holder compositor -u /dev/dri/card0
holds() { ls -l "/proc/$HOLDER/fd" | grep -q /dev/dri/card0; }
lacks() { ! holds; }
check "a compositor holds the GPU" holds
echo remove >/sys/class/drm/card0/uevent
check "until it is told that the card is removed" until_true 5 lacks
echo add >/sys/class/drm/card0/uevent
check "and again when it is added" until_true 5 holds
kill "$HOLDER"

# --- the hook is called as libvirt calls it
domain win10 $GPU_ALL $NET1
contains "the XML names the GPU" /etc/lab/win10.xml "bus='0x01' slot='0x00' function='0x2'"
if [ -e /lab/placeholder ]; then
	note "no hook: a placeholder is called"
	cat >/etc/libvirt/hooks/qemu <<-'END'
		#!/bin/sh
		echo "$0 $*"; echo "parent $PPID"; pwd; env | sort; cat | grep -c hostdev; ls -l /proc/self/fd/0; echo oops >&2; exit 3
	END
	# shellcheck disable=SC2016
	me=$(exec sh -c 'echo $PPID')
	hook prepare begin
	equal "its exit status is passed on" "$RC" 3
	equal "its stderr is kept" "$(cat "$ERR")" oops
	contains "its arguments" "$OUT" '^/etc/libvirt/hooks/qemu win10 prepare begin -$'
	contains "its environment" "$OUT" '^LC_ALL=C$'
	contains "its stdin" "$OUT" '^8$'
	contains "its parent is this shell" "$OUT" "^parent $me\$"
	HOOK_WRAP="strace -D -f -o /run/lab/trace -e trace=chdir,execve" hook prepare begin
	equal "under strace its exit status is the same" "$RC" 3
	contains "and its parent" "$OUT" "^parent $me\$"
	check "and strace saw it" grep -q execve /run/lab/trace
	equal "nothing keeps its pipes" "$HOOK_HUNG" ""
	printf '#!/bin/sh\nsleep 5 &\nexit 0\n' >/etc/libvirt/hooks/qemu
	hook prepare begin
	equal "a child that keeps its pipes is seen" "$HOOK_HUNG" 1
else
	hook_ok "without a config the hook does nothing" prepare begin
fi
rm -f /run/lab/a /run/lab/b
state /run/lab/b
same /run/lab/state.boot /run/lab/b "the host is as it was at boot" "$ONEWAY_VFIO|^pci $NET1 power/control |^cgroup /user.slice/"

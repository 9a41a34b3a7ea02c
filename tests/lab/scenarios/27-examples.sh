# shellcheck shell=dash
# boot: --timeout 600 --qemu '-device pci-testdev,bus=gpu,addr=00.3'
# modules: kvm
# Each example of conf.d, and what its comments say to write instead, on this guest's devices
# in place of its own: prepare, release, the host as before. The card has a fourth function,
# which no driver wants, as many a host has none for a card's USB-C port.

card=$(cd /sys/bus/pci/devices && echo 0000:01:00.*)
equal "the card's functions" "$card" "$GPU_ALL 0000:01:00.3"

# What the desktop's process has open; a unit's words are in this file, a line each.
UNIT=/run/standin/units/display-manager.service
cp $UNIT/exec "$LAB/exec"
desktop_uses() { printf '%s\n' "$@" >$UNIT/exec; }

# Stands in for the program that says which card the next desktop uses.
cat >/usr/bin/optimus-manager <<END
#!/bin/sh
echo \$2 >$LAB/mode
case \$2 in
integrated) printf 'Xorg\n/dev/null\n' ;;
*) printf 'Xorg\n/dev/dri/card0\n' ;;
esac >$UNIT/exec
END
chmod 755 /usr/bin/optimus-manager
# Proves that a card of nvidia's does not stay awake while nobody has it open.
printf '#!/bin/sh\necho Disabled\n' >/usr/bin/nvidia-smi
chmod 755 /usr/bin/nvidia-smi

# Somebody sits at the screen and hears PipeWire through the card; the display manager takes
# the session down with it. His services live on without a login.
SOUND=/dev/snd/$(cd /sys/bus/pci/devices/$GPU_SOUND/sound/card*/ && echo controlC*)
units_of_user=/run/standin/user
user_unit() { UNIT_DIR=user unit "$@"; }
sits_there()
{
	mkdir -p /run/user/1000/systemd
	user_unit pipewire.socket socket /dev/null
	user_unit pipewire.service pipewire "$SOUND"
	user_unit wireplumber.service wireplumber "$SOUND"
	echo RequiredBy=pipewire.service >$units_of_user/pipewire.socket/properties
	echo BoundBy=wireplumber.service >$units_of_user/pipewire.service/properties
	systemctl --user start pipewire.socket pipewire.service wireplumber.service
	[ "$name" != single-gpu-programs ] || programs
	session 7 user /dev/dri/card0
	(
		until_true 120 desktop inactive
		loginctl terminate-session 7
	) &
	ends_session=$!
}
# What no systemd runs and no login ends: a sound server of his, a stream, something else.
programs()
{
	cp /bin/hold $LAB/bin/pulseaudio
	su user -s /bin/sh -c "exec $LAB/bin/pulseaudio /dev/null" &
	check "$name: a sound server of his" until_true 10 pidof pulseaudio
	holder sunshine /dev/dri/card0
	holder painter /dev/dri/card0
}
none_of() { for p; do ! pidof "$p" >/dev/null || return 1; done; }
has_sound() { grep -q '^active' $units_of_user/pipewire.service/ActiveState && ls -l /proc/[0-9]*/fd | grep -q " -> $SOUND\$"; }

desktop() { [ "$(systemctl is-active display-manager.service)" = "$1" ]; }

of() { cat "/sys/devices/system/cpu/cpufreq/$1/scaling_governor"; }
pages() { cat /sys/devices/system/node/node*/hugepages/hugepages-2048kB/nr_hugepages | awk '{ n += $1 } END { print n }'; }
governors() { for p in $1; do of "policy$p"; done | sort -u; }
all=$(find /sys/devices/system/cpu/cpufreq -name 'policy*' | sed 's/.*policy//')
home_net() { readlink "/sys/class/net/$1/device" | grep -q "$NET1\$"; }

# promised EXAMPLE: what it is there for, while the guest runs.
promised()
{
	grep -q '^hugepages.allocate' "$example" && equal "$1: the guest's memory, once" "$(pages)" 8
	grep -qE '^-?governor.set *= performance' "$example" &&
		equal "$1: full speed" "$(governors "$all")" performance
	grep -q '^kmod.unload' "$example" && refute "$1: the card's module is gone" grep -q "^$bochs " /proc/modules
	grep -q '^-sleep.inhibit' "$example" &&
		check "$1: the host stays awake" grep -q '^WHO=vfio-hook' /run/systemd/inhibit/vfio-hook-inhibit-*
	case $1 in
	single-gpu*)
		check "$1: the desktop has made room" desktop inactive
		refute "$1: PipeWire as well" has_sound
		refute "$1: the session is closed" test -e /run/systemd/sessions/7
		check "$1: nor does any program use the card" none_of pulseaudio sunshine painter
		refute "$1: no console is on the card" grep -q 'frame buffer' /sys/class/vtconsole/*/name
		;;
	dual-gpu-offers)
		equal "$1: the host keeps off the guest's CPUs" "$(cat /sys/fs/cgroup/system.slice/cpuset.cpus.effective)" 0-1
		equal "$1: its interrupts, too" "$(cat /proc/irq/*/rtc0/../smp_affinity_list)" 0-1
		equal "$1: the memory is of one node" \
			"$(cat /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages)" 8
		equal "$1: the shared memory" "$(stat -c '%a %U %G' /dev/shm/looking-glass)" "660 user kvm"
		equal "$1: the keyboard" "$(stat -c '%a %U %G' /dev/lab-kbd)" "660 root kvm"
		;;
	esac
	case $1 in
	dual-gpu*)
		check "$1: nobody was logged out" desktop active
		equal "$1: the guest's CPUs run at full speed" "$(governors "$guests")" performance
		equal "$1: the others as before" "$(of policy0)" "$governor"
		equal "$1: fewer interruptions, no merging" "$(cat /proc/sys/vm/stat_interval /sys/kernel/mm/ksm/run | tr '\n' ' ')" "120 0 "
		refute "$1: the host has no such disk" test -e /dev/nvme0
		;;
	hybrid*)
		check "$1: nobody was logged out" kill -0 "$xorg"
		;;
	optimus-hybrid)
		check "$1: the desktop runs" desktop active
		refute "$1: as another one" test "$xorg" = "$(systemctl show -P MainPID display-manager.service)"
		;;
	optimus-prime)
		equal "$1: nobody was logged out" "$(systemctl show -P MainPID display-manager.service)" "$xorg"
		;;
	optimus-*)
		equal "$1: the desktop has the other card" "$(cat "$LAB/mode")" integrated
		check "$1: and runs" desktop active
		;;
	looking-glass*)
		check "$1: nobody was logged out" desktop active
		equal "$1: the card is kept awake" "$(cat /sys/bus/pci/devices/$GPU/power/control)" on
		equal "$1: and its power on" "$(cat /sys/bus/pci/devices/$GPU/d3cold_allowed)" 0
		grep -q '^-service.start' "$example" &&
			equal "$1: the receiver of its sound runs" "$(cat $units_of_user/scream.service/ActiveState)" active
		;;
	cpu-isolation*)
		equal "$1: the host keeps off the guest's CPUs" "$(cat /sys/fs/cgroup/system.slice/cpuset.cpus.effective)" 0-1
		equal "$1: its interrupts, too" "$(cat /proc/irq/*/rtc0/../smp_affinity_list)" 0-1
		equal "$1: $pinned" "$(cat /sys/fs/cgroup/machine.slice/cpuset.cpus.partition)" "$partition"
		equal "$1: which run at full speed" "$(governors "$guests")" performance
		equal "$1: the others as before" "$(of policy0)" "$governor"
		equal "$1: fewer interruptions" "$(cat /proc/sys/vm/stat_interval /proc/sys/kernel/watchdog | tr '\n' ' ')" "120 0 "
		;;
	headless-host)
		equal "$1: the memory is of one node" \
			"$(cat /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages)" 8
		refute "$1: the host has no such disk" test -e /dev/nvme0
		;;
	ryzen-unload)
		equal "$1: the guest may read any register" "$(cat /sys/module/kvm/parameters/ignore_msrs)" Y
		;;
	server-nic*)
		refute "$1: the host has no such port" home_net eth0
		;;
	esac
	case $1 in
	looking-glass-laptop)
		equal "$1: the shared memory" "$(stat -c '%a %U %G' /dev/shm/looking-glass)" "660 root kvm"
		;;
	looking-glass-kvmfr)
		equal "$1: the module has its size" "$(cat /sys/module/kvmfr/parameters/static_size_mb)" 32
		equal "$1: its node is the user's" "$(stat -c '%a %U %G' /dev/kvmfr0)" "660 user kvm"
		;;
	esac
}

# variant NAME EXAMPLE SED...: as the example says in a comment that one may write it.
variant()
{
	local name=$1 example=/lab/conf.d/$2.ini
	shift 2
	sed "$@" "$example" >"$LAB/variants/$name.ini"
	refute "$name is not its example" cmp -s "$example" "$LAB/variants/$name.ini"
}
mkdir -p "$LAB/variants"
bochs=$(grep -oE '^bochs[a-z_]*' /proc/modules)
governor=$(of policy0)
offered() { echo "s/^;  *\\(-*\\($1\\) \\)/\\1/; s/USER/user/"; }
# For this lab's smaller picture.
variant looking-glass-kvmfr looking-glass-laptop \
	-e '/^shm.create/d; s/^;  *\(kmod.load.*kvmfr\)/\1/; s/^;  *\(file.own.*kvmfr\)/\1/' \
	-e 's/owner=USER/owner=user/; s/static_size_mb=64/static_size_mb=32/'
variant optimus-hybrid optimus-manager -e '/^exec/d'
variant optimus-prime optimus-manager -e '/^exec/d; /^service.*display-manager/d; /^session.end/d; /^.release.end/,$d'
variant optimus-stays optimus-manager -e '/^.release.end/,$d'
variant hybrid-stop hybrid-desktop -e 's/^;  *\(process.stop\)/\1/; s/steam/game/'
# Lines that are there in comments.
variant cpu-isolation-masks cpu-isolation -e '/^;/d'
variant looking-glass-sound looking-glass-laptop -e "$(offered service.start)"
variant dual-gpu-offers dual-gpu-nvme -e "$(offered 'cpuset.isolate\|irq.move\|shm.create\|file.own')" \
	-e 's/^hugepages.allocate *=/& node=0/'
variant dual-gpu-release dual-gpu-nvme -e "$(offered drm.release)" -e '/^-service.stop/d; /^kmod.unload/d'
variant single-gpu-programs single-gpu-nvidia -e "$(offered 'process.stop\|holders.kill')"
variant single-gpu-unload single-gpu-amd -e "$(offered kmod.unload)" -e "s/ amdgpu$/ $bochs/"
modprobe kvm
variant ryzen-unload ryzen-second-gpu -e "$(offered sysfs.write)" -e '/^pci.detach/,$b; s/^;  *\(kmod.unload.*\)/\1/' -e '/^kmod.unload/{h;d}' \
	-e '/^.boot.begin/G'
variant server-nic-whole server-nic -e 's/^pci.detach *=/& group=whole/'
variant dual-gpu-while-loaded dual-gpu-nvme -e '/^kmod.unload/d; s/^\(pci.detach.*\) gpu/\1 while-loaded=yes gpu/'
# Of the guest's CPUs; two of them may share one.
guests=$(for n in 2 3; do grep -lw $n /sys/devices/system/cpu/cpufreq/policy*/related_cpus; done | sed 's/.*policy//; s/\/.*//' | sort -u)
for example in /lab/conf.d/*.ini "$LAB"/variants/*.ini; do
	name=$(basename "$example" .ini)
	gpu="01:00.*" functions=$card
	# A card of nvidia's, and another that needs the module.
	if [ "$name" = dual-gpu-while-loaded ]; then
		gpu=$NET1 functions=$NET1
		rmmod e1000e
		modprobe nvidia
	fi
	# Addresses and names of this machine; sizes that it has.
	sed -e 's/ id=[0-9a-f:]*//' \
		-e 's/^\(gpu *= *\)[0-9a-f:]*00\.\*/\1'"$gpu/" \
		-e 's/^\(vf *= *\)[0-9a-f:.]*/\1'"$NET1/" \
		-e 's/^\(nvme *= *\)[0-9a-f:.]*/\1'"$NVME/" \
		-e 's/^\(nic[0-9]* *= *\)[0-9a-f:.]*/\1'"$NET1/" \
		-e 's/nvidia_uvm nvidia_drm nvidia_modeset nvidia/& '"$bochs/" \
		-e 's/cpus=4-15/cpus=2-3/; s/size=1G/size=2M/; s/timeout=[0-9]*s/timeout=5s/; s/memory=12G/memory=16M/' \
		-e 's/enp59s0f1/eth0/' "$example" | config win10
	# Its card is this machine's only one.
	case $name in
	ryzen*) sed -i '1i [domain]\nheadless = yes' /etc/libvirt/hooks/conf.d/win10.ini ;;
	esac
	# QEMU's own threads beside the guest's, or on the host's CPUs as the example has it.
	emulator=2-3 pinned="in a partition" partition=root
	[ "$name" != cpu-isolation-masks ] || emulator=0-1 pinned="by masks" partition=member
	devices=
	grep -q '^gpu' "$example" && devices=$functions
	grep -q '^nvme' "$example" && devices="$devices $NVME"
	grep -qE '^(nic|vf)' "$example" && devices="$devices $NET1"
	# shellcheck disable=SC2086
	MIB=16 VCPUPIN='2 3' EMULATORPIN=$emulator domain win10 $devices
	# As the example's comment says.
	[ "$name" != headless-host ] ||
		sed -i "s|</memoryBacking>|&<numatune><memory mode='strict' nodeset='0'/></numatune>|" /etc/lab/win10.xml
	# The desktop is the host's where the example leaves it alone.
	case $name in
	optimus-hybrid) desktop_uses Xorg -n /dev/dri/card0 ;;
	optimus-prime) desktop_uses Xorg /dev/null ;;
	hybrid* | dual-gpu-release) desktop_uses kwin_wayland -u /dev/dri/card0 ;;
	dual*) desktop_uses Xorg /dev/null ;;
	optimus*) desktop_uses Xorg /dev/dri/card0 ;;
	looking*) desktop_uses Xorg /dev/null ;;
	esac
	case $name in
	single-gpu* | dual* | hybrid* | optimus* | looking*) systemctl start display-manager.service ;;
	server-nic*)
		unit lldpd.service lldpd /dev/null
		systemctl start lldpd.service
		;;
	esac
	case $name in
	single-gpu*) sits_there ;;
	hybrid-stop)
		holder game /dev/dri/card0
		game=$HOLDER
		;;
	looking-glass-sound)
		mkdir -p /run/user/1000/systemd
		user_unit scream.service scream /dev/null
		session 7 user /dev/null
		;;
	dual-gpu-offers)
		mknod /dev/lab-kbd c 13 64
		mkdir -p /dev/input/by-id
		ln -s /dev/lab-kbd /dev/input/by-id/usb-NAME-event-kbd
		;;
	esac
	xorg=$(systemctl show -P MainPID display-manager.service)
	lldpd=$(systemctl show -P MainPID lldpd.service)
	oneway=$ONEWAY_VFIO
	case $name in
	single-gpu*) oneway="$oneway|^(session|cgroup .*session-)" ;;
	# Older kernels clear no mask of a group with processes.
	cpu-isolation-masks | dual-gpu-offers) oneway="$oneway|^cgroup /(init.scope|system.slice|user.slice)/cpuset.cpus " ;;
	looking*)
		[ "$name" != looking-glass-sound ] || oneway="$oneway|^cgroup .*/user@1000.service"
		# As udev's rules or TLP have it: the card sleeps when nothing uses it.
		echo auto >/sys/bus/pci/devices/$GPU/power/control
		echo 1 >/sys/bus/pci/devices/$GPU/d3cold_allowed
		;;
	esac
	state "$LAB/host"
	check "$name: at boot" vfio-hook boot
	if [ "${name%%-*}" = ryzen ]; then
		for d in $devices; do equal "$name: $d is taken at boot" "$(driver "$d")" vfio-pci; done
		equal "$name: the memory, too" "$(pages)" 8
	fi
	state "$LAB/before"
	vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
	equal "$name: the plan is fine" $? 0
	hook_ok "$name: prepare" prepare begin
	for d in $devices; do equal "$name: $d is the guest's" "$(driver "$d")" vfio-pci; done
	promised "$name"
	hook_ok "$name: release" release end win10 shutdown
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$name: the host is as before" "$oneway"
	case $name in
	single-gpu*)
		check "$name: his sound plays again" has_sound
		wait $ends_session
		;;
	optimus-manager | optimus-stays) equal "$name: the desktop may have the card again" "$(cat "$LAB/mode")" hybrid ;;
	hybrid-stop) refute "$name: the game has ended" kill -0 "$game" ;;
	server-nic*)
		check "$name: the port is there when the release is done" home_net eth0
		check "$name: a service that would not see it runs" systemctl -q is-active lldpd.service
		refute "$name: as another process" test "$lldpd" = "$(systemctl show -P MainPID lldpd.service)"
		;;
	esac
	if [ -e /run/vfio-hook/boot.win10.journal ]; then
		check "$name: gives back what was taken at boot" vfio-hook undo --boot win10
		state "$LAB/after"
	fi
	same "$LAB/host" "$LAB/after" "$name: the host is as before its boot" "$oneway"
	case $name in
	looking*)
		contains "$name: the card may sleep again" "$LAB/after" "^pci $GPU power/control auto\$"
		contains "$name: and lose its power" "$LAB/after" "^pci $GPU d3cold_allowed 1\$"
		echo on >/sys/bus/pci/devices/$GPU/power/control
		;;
	esac
	holders_end
	rm -rf /run/user/1000
	if [ "$name" = dual-gpu-while-loaded ]; then
		rmmod nvidia
		modprobe e1000e
	fi
	cp "$LAB/exec" $UNIT/exec
done

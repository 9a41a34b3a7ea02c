# shellcheck shell=dash
# What a scenario of the libvirt lab may use: all of the other lab's lib.sh (its stand-ins
# for systemd and libvirt left aside), and
#
#   guest NAME [ADDRESS...]    defines a domain that has these devices. DISK=stay|poweroff,
#                              MIB=64, MANAGED=yes, XML= (more, within <devices>)
#   virt COMMAND...            virsh, two minutes at most; its output in $LAB/virsh
#   virt_ok DESC COMMAND..., virt_refused DESC REGEX COMMAND...
#   state_of NAME              running, shut off, ...
#   watch_calls                from now on each call of the hook is noted in $LAB/calls,
#                              what it says on stdout in $LAB/stdout
#   calls NAME                 the operations so far; called NAME 'prepare start ...'

# shellcheck source=tests/lab/lib.sh
. /lab/host.sh

# systemd's own: the slice of a modprobe@.service, which goes some time after it, and the
# groups of mounts, which have no processes and come when systemd next looks at their slice.
ONEWAY_VFIO="$ONEWAY_VFIO|^cgroup /system.slice/(system-modprobe.slice|[^/ ]*\.mount$)"
HOOK=/etc/libvirt/hooks/qemu
IMAGES=/var/lib/libvirt/images

usleep() { sleep "$(awk -v us="$1" 'BEGIN { print us / 1000000 }')"; }

# With the time, as a start that takes long is seen here only.
ok()
{
	local up
	read -r up _ </proc/uptime
	echo "ok $LAB_NAME - $*"
	echo "#   at $up s"
}

# In place of the stand-ins' state: services, and sessions on a seat.
state_units()
{
	systemctl list-units --type=service --state=active,activating,failed --plain --no-legend --no-pager |
		awk '$1 !~ /^(user@|user-runtime-dir@|systemd-|modprobe@|virtlog)/ { print "unit " $1 " " $3 }'
	loginctl list-sessions --no-legend --no-pager | awk '$4 != "" { print "session " $3 " " $4 }'
}

virt()
{
	timeout 120 virsh -q "$@" >$LAB/virsh 2>&1 </dev/null
}

virt_ok()
{
	local desc=$1
	shift
	if virt "$@"; then
		ok "$desc"
	else
		fail "$desc" $LAB/virsh
	fi
}

virt_refused()
{
	local desc=$1 regex=$2
	shift 2
	if virt "$@"; then
		fail "$desc: is refused" $LAB/virsh
	else
		contains "$desc" $LAB/virsh "$regex"
	fi
}

state_of() { timeout 120 virsh -q domstate "$1" 2>&1 | head -n 1; }
is() { [ "$(state_of "$1")" = "$2" ]; }

# says NAME REGEX: the nested guest has written such a line.
says() { grep -qE -e "$2" "$IMAGES/$1.out" 2>/dev/null; }

guest()
{
	local name=$1 a
	shift
	mkdir -p $LAB/xml
	cp "$IMAGES/${DISK:-stay}.img" "$IMAGES/$name.img"
	rm -f "$IMAGES/$name.out"
	{
		echo "<domain type='qemu'><name>$name</name><uuid>$(uuid_of "$name")</uuid>"
		echo "<memory unit='MiB'>${MIB:-64}</memory>${BACKING:-}<vcpu>1</vcpu>"
		echo "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
		echo "<features><acpi/></features>"
		echo "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>"
		echo "<devices><emulator>${EMULATOR:-/usr/bin/qemu-system-x86_64}</emulator>"
		echo "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
		echo "<source file='$IMAGES/$name.img'/><target dev='vda' bus='virtio'/></disk>"
		echo "<controller type='usb' model='none'/><memballoon model='none'/>"
		echo "<serial type='file'><source path='$IMAGES/$name.out'/></serial>"
		for a; do
			echo "<hostdev mode='subsystem' type='pci' managed='${MANAGED:-yes}'><driver name='vfio'/><source>"
			echo "$a" | sed "s|\(.*\):\(.*\):\(.*\)\.\(.*\)|<address domain='0x\1' bus='0x\2' slot='0x\3' function='0x\4'/>|"
			echo "</source><rom bar='off'/></hostdev>"
		done
		echo "${XML:-}</devices></domain>"
	} >"$LAB/xml/$name.xml"
	timeout 120 virsh -q define "$LAB/xml/$name.xml" >$LAB/define 2>&1 </dev/null || fail "define $name" $LAB/define
}

watch_calls()
{
	rm -f $LAB/calls $LAB/stdout
	[ -e /lab/hook ] || cp $HOOK /lab/hook
	cat >$HOOK.new <<-'END'
		#!/bin/bash
		echo "$*" >>/run/lab/calls
		exec -a "$0" /lab/hook "$@" >>/run/lab/stdout
	END
	chmod 755 $HOOK.new
	mv $HOOK.new $HOOK
}

called() { [ "$(calls "$1")" = "$2" ]; }
booted() { [ "$(grep -c U "$IMAGES/$1.out")" -ge "$2" ]; }
on_vfio() { [ "$(driver "$1")" = vfio-pci ]; }
home_again() { [ "$(driver "$NET1")" = e1000e ] && [ -e "/sys/bus/pci/devices/$NET1/net" ]; }
no_journal() { [ ! -e "/run/vfio-hook/$(uuid_of "$1").journal" ]; }
session_there() { loginctl list-sessions --no-legend --no-pager | grep -q 'user  *seat0'; }

calls() { sed "s/^$1 //; t; d" $LAB/calls | sed 's/ .*//' | tr '\n' ' ' | sed 's/ $//'; }

clean_up()
{
	local d
	for d in $(virsh -q list --name 2>/dev/null); do virt destroy "$d"; done
	for d in $(virsh -q list --all --name 2>/dev/null); do virt undefine --managed-save "$d"; done
	holders_end 2>/dev/null
	systemctl stop display-manager.service user-session.service 2>/dev/null
	[ ! -e /lab/hook ] || mv /lab/hook $HOOK
	rm -rf /etc/libvirt/hooks/conf.d/* /etc/libvirt/hooks/qemu.d/* $IMAGES/*.out
}

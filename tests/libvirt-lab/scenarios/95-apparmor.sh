# shellcheck shell=dash
# boot: --timeout 1500 --append apparmor=1
# AppArmor confines libvirtd, as it does on Debian and Ubuntu: the hook as a plain file
# runs inside the daemon's profile, behind a link to /usr/sbin it is not confined.

label() { cat "/proc/$1/attr/current"; }
prepare_pid() { pgrep -f "^$HOOK gpu prepare" | head -n 1; }
has_sound() { readlink /proc/"$1"/fd/* | grep -q /dev/snd/controlC0; }
in_prepare() { [ -n "$(prepare_pid)" ]; }

# What the hook and its children were denied so far, one a line.
denied()
{
	dmesg | sed -n '/apparmor="DENIED"/{/comm="\(qemu\|vfio-hook\)"/{s/.*\(operation=.*\)/\1/; s/ pid=[0-9]*//; p}}'
}

go=/run/lab/go
whole_config()
{
	config gpu <<-END
		[prepare/begin]
		hugepages.allocate = memory=16M
		service.stop       = timeout=15s display-manager.service
		vtconsole.unbind   =
		kmod.unload        = timeout=20s bochs
		pci.detach         = timeout=15s
		wait.for           = timeout=90s path=$go
	END
}

# whole_cycle DESC LABEL: a start and a stop of the guest that gets the card, the hook
# under that label.
whole_cycle()
{
	local client
	whole_config
	guest gpu "$GPU" "$GPU_SOUND"
	rm -f $go
	systemctl start display-manager.service
	state "$LAB/before"
	virsh -q start gpu >"$LAB/virsh" 2>&1 </dev/null &
	client=$!
	check "$1: prepare is called" until_true 90 in_prepare
	equal "$1: its label" "$(label "$(prepare_pid)")" "$2"
	: >$go
	if wait $client; then ok "$1: the guest starts"; else fail "$1: the guest starts" "$LAB/virsh"; fi
	equal "$1: the card is on vfio-pci" "$(driver "$GPU") $(driver "$GPU_SOUND")" "vfio-pci vfio-pci"
	equal "$1: pages are there" "$(cat /proc/sys/vm/nr_hugepages)" 8
	refute "$1: the display manager is stopped" systemctl -q is-active display-manager.service
	check "$1: the guest sees the card" until_true 120 says gpu p11111234
	virt_ok "$1: virsh destroy" destroy gpu
	check "$1: the display manager is back" systemctl -q is-active display-manager.service
	check "$1: it has the card" until_true 30 test -e /dev/dri/card0
	check "$1: the console is back" until_true 30 grep -q bochs /proc/fb
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$ONEWAY_VFIO"
}

# refused_cycle DESC REGEX <<LINES: a start with these lines is refused, with REGEX in the
# error.
refused_cycle()
{
	{ echo "[prepare/begin]"; cat; } | config gpu
	state "$LAB/before"
	virt_refused "$1" "$2" start gpu
	note "$(grep . "$LAB/virsh" | tail -n 1)"
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$ONEWAY_VFIO"
}

sysctl -qw kernel.printk_ratelimit=0
equal "libvirtd is confined" "$(label "$(systemctl show -P MainPID libvirtd)")" "libvirtd (enforce)"

whole_cycle "plain file" "libvirtd (enforce)"
vfio-hook check gpu >"$LAB/check.out" 2>&1
contains "check tells that the hook is confined" "$LAB/check.out" "AppArmor confines libvirtd, and the hook with it"
contains "and how it is not" "$LAB/check.out" "ln -sf /usr/sbin/vfio-hook $HOOK"
refused_cycle "plain file: who holds the card is named" \
	"hold \(pid [0-9]+.*/dev/dri/card0.*display-manager.service" <<-END
	vtconsole.unbind =
	kmod.unload      = timeout=3s bochs
	pci.detach       = timeout=3s
END
equal "plain file: the profile denied the hook nothing" "$(denied)" ""

# What the hook does itself, without a program, and programs where the profile lets them be.
note=/etc/libvirt/hooks/lab-note
# shellcheck disable=SC2016 # the script expands it
printf '#!/bin/sh\ncat /proc/$$/attr/current >>/run/lab/labels\n' >$note
chmod 755 $note
cp /usr/bin/hold /usr/bin/miner
config tune <<-END
	[prepare/begin]
	exec.run     = $note
	exec.run     = user=user /usr/bin/true
	process.stop = miner
	irq.move     = to=0
	sysctl.write = vm.swappiness 10
	sysfs.write  = /sys/kernel/mm/ksm/run 1
	shm.create   = owner=user group=kvm mode=0660 size=1M lab
	kmod.load    = dummy
END
guest tune
state "$LAB/before"
/usr/bin/miner /dev/null >/dev/null 2>&1 &
rm -f "$LAB/labels"
virt_ok "tuning: virsh start" start tune
equal "tuning: took effect" "$(cat /proc/sys/vm/swappiness /sys/kernel/mm/ksm/run | tr '\n' ' ')" "10 1 "
refute "tuning: a program is ended" pgrep -x miner
equal "tuning: a script runs inside the profile, too" "$(cat "$LAB/labels")" "libvirtd (enforce)"
virt_ok "tuning: virsh destroy" destroy tune
state "$LAB/after"
same "$LAB/before" "$LAB/after" "tuning: the host is as before" "$ONEWAY_VFIO"
equal "tuning: the profile denied the hook nothing" "$(denied)" ""

cp /usr/bin/true /usr/local/bin/tune-host
echo 'exec.run = /usr/local/bin/tune-host' >>/etc/libvirt/hooks/conf.d/tune.ini
virt_refused "a program in /usr/local may not be run" "/usr/local/bin/tune-host may not be run.*AppArmor" start tune
denied >"$LAB/denied"
contains "that is what the profile denied" "$LAB/denied" 'operation="exec".*name="/usr/local/bin/tune-host"'
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before that refusal" "$ONEWAY_VFIO"

# Debian has such a profile for Xorg.
cp /usr/bin/hold /usr/bin/desktop
echo 'profile desktop /usr/bin/desktop flags=(attach_disconnected) { file, signal, ptrace, }' >/run/lab/profile
check "a profile for a desktop" apparmor_parser -r /run/lab/profile
systemctl stop display-manager.service
systemd-run -q --unit=lab-desktop.service /usr/bin/desktop /dev/snd/controlC0
desktop=$(systemctl show -P MainPID lab-desktop.service)
check "it has the sound card" until_true 30 has_sound "$desktop"
equal "it is confined" "$(label "$desktop")" "desktop (enforce)"
refused_cycle "plain file: a confined holder is not seen, which is told" \
	"snd_hda_intel is in use, by whom is not known, as .*desktop \(pid [0-9]+\).*AppArmor" <<-END
	kmod.unload = timeout=3s snd_hda_intel
END
denied | grep -v tune-host >"$LAB/denied"
contains "what hides it is the profile" "$LAB/denied" 'operation="ptrace".*peer="desktop"'
refute "which denies nothing else" grep -v 'operation="ptrace".*peer="desktop"' "$LAB/denied"

# As `meson install` makes it, where the hook was a copy of the program.
check "the installation makes a link of it" sh /lab/install-hook /etc/libvirt/hooks /usr/sbin/vfio-hook link
equal "to the program" "$(readlink "$HOOK")" /usr/sbin/vfio-hook
refute "a copy of it is no other's hook, to be kept" test -e "$HOOK.before-vfio-hook"
dmesg -C
refused_cycle "link: a confined holder is named" \
	"desktop \(pid [0-9]+.*/dev/snd/controlC0.*lab-desktop.service" <<-END
	kmod.unload = timeout=3s snd_hda_intel
END
systemctl stop lab-desktop.service
whole_cycle "link" unconfined
equal "link: nothing was denied" "$(denied)" ""
vfio-hook check gpu >"$LAB/check.out" 2>&1
refute "check has nothing to say on AppArmor" grep AppArmor "$LAB/check.out"

cp /usr/sbin/vfio-hook /usr/local/sbin/vfio-hook
ln -sf /usr/local/sbin/vfio-hook "$HOOK"
virt_refused "a link to /usr/local: libvirtd may not run the hook" "exit status 126" start gpu
vfio-hook check gpu >"$LAB/check.out" 2>&1
contains "check knows" "$LAB/check.out" "does not let it run /usr/local/sbin/vfio-hook"

rm -f "$HOOK" $note /usr/local/sbin/vfio-hook /usr/local/bin/tune-host \
	/usr/bin/desktop /usr/bin/miner
cp /usr/sbin/vfio-hook "$HOOK"
apparmor_parser -R /run/lab/profile

# shellcheck shell=dash
# Bad input: a clear error that names the file and line or the thing; nothing touched.

HUGE='' domain win10 $NET1
systemctl start display-manager.service
state "$LAB/before"

# bad DESC REGEX <<config: a line that stops the display manager stands before it.
bad()
{
	{ printf '[prepare/begin]\nservice.stop = display-manager.service\n'; cat; } | config win10
	hook_refused "$1" "$2" prepare begin
	[ "$(wc -l <"$ERR")" -eq 1 ] || fail "$1: one line" "$ERR"
}

bad "an unknown step" 'win10.ini:3:.*gpu\.steal' <<END
gpu.steal = 01:00.0
END
bad "an unknown option" 'win10.ini:3:.*colour' <<END
pci.detach = colour=red $NET1
END
bad "an unknown phase" 'win10.ini:3:.*prepare/middle.*prepare/begin' <<END
[prepare/middle]
END
bad "an unknown address" '7f:1f.7' <<END
pci.detach = 7f:1f.7
END
bad "no address at all" 'rubbish' <<END
pci.detach = rubbish
END
bad "two devices of one id" '8086:10d3' <<END
pci.detach = 8086:10d3
END
bad "an unknown module" 'no_such_module_here' <<END
kmod.load = no_such_module_here
END
bad "an unknown program" '/no/such/program' <<END
exec.run = /no/such/program
END
bad "an unknown governor" 'turbo' <<END
governor.set = turbo
END
bad "an unknown unit" 'no-such-unit' <<END
service.stop = no-such-unit.service
END
bad "an unclosed quote" 'win10.ini:3:.*quote' <<END
exec.run = /bin/echo "abc
END
bad "a bad duration" 'win10.ini:3:.*fortnight' <<END
pci.detach = timeout=fortnight $NET1
END
bad "a step without =" 'win10.ini:3:' <<END
vtconsole.unbind
END
bad "a step where it is not legal" 'win10.ini:4:.*pci.reattach|win10.ini:3:.*pci.reattach' <<END
pci.reattach = $NET1
END
head -c 5000 /dev/zero | tr '\0' a >"$LAB/long"
bad "an over-long line" 'win10.ini:' <<END
exec.run = /bin/echo $(cat "$LAB/long")
END
head -c 3000 /dev/urandom >/etc/libvirt/hooks/conf.d/win10.ini
hook_refused "noise" 'win10.ini' prepare begin
bad "another device than the one meant" '8086:10d3' <<END
pci.detach = card
[devices]
card = 00:03.0 id=10de:1234
END
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
END
chmod 666 /etc/libvirt/hooks/conf.d/win10.ini
hook_refused "a config that others can write" 'chmod' prepare begin
chmod 644 /etc/libvirt/hooks/conf.d/win10.ini
chmod 777 /etc/libvirt/hooks/conf.d
hook_refused "a folder that others can write" 'chmod' prepare begin
chmod 755 /etc/libvirt/hooks/conf.d
printf '#!/bin/sh\n' >/run/others-program
chmod 777 /run/others-program
bad "a program that others can write" '/run/others-program' <<END
exec.run = /run/others-program
END
mkdir -p /home/user
chown 1000 /home/user
ln -s /etc /home/user/folder
bad "a file that is reached over a user's link" 'file.own.*leads over a symlink to /etc/passwd' <<END
file.own = mode=0666 /home/user/folder/passwd
END
rm -r /home/user

config win10 <<END
[prepare/begin]
service.stop = display-manager.service
END
cp /etc/lab/win10.xml "$LAB/keep.xml"
head -c 200 "$LAB/keep.xml" >/etc/lab/win10.xml
hook_refused "a torn XML" 'XML' prepare begin
: >/etc/lab/win10.xml
hook_refused "an empty XML" 'XML' prepare begin
cp "$LAB/keep.xml" /etc/lab/win10.xml

# What a path made of ".." or "." would reach: qemu.d/../prepare/begin.
hooks=/etc/libvirt/hooks
mkdir -p $hooks/prepare $hooks/qemu.d/prepare $hooks/qemu.d/win10
for f in $hooks/prepare/begin $hooks/qemu.d/prepare/begin; do
	printf '#!/bin/sh\n: >/run/out-of-the-tree\n' >$f
	chmod 755 $f
done
printf '[prepare/begin]\ngovernor.set = performance\n' >$hooks/conf.d/...ini
cp $hooks/conf.d/...ini $hooks/conf.d/..ini
cp $hooks/conf.d/...ini $hooks/evil.ini
for name in .. . ../evil qemu.d/win10/..; do
	mkdir -p "$(dirname "/etc/lab/$name.xml")"
	cp /etc/lab/win10.xml "/etc/lab/$name.xml"
	hook_ok "no domain is called '$name'" prepare begin "$name"
	refute "no script ran for '$name'" test -e /run/out-of-the-tree
	refute "no config was read for '$name'" grep -q performance /sys/devices/system/cpu/cpufreq/policy0/scaling_governor
done
rm -r $hooks/prepare $hooks/qemu.d $hooks/conf.d/...ini $hooks/conf.d/..ini $hooks/evil.ini
rm -f /etc/lab/...xml /etc/lab/..xml /etc/evil.xml
# shellcheck disable=SC2016 # as they are
for name in -x 'a b' '$(id)' '$(reboot)' 'a;b' "a'b" 'größe' --help; do
	HUGE='' domain "$name"
	config "$name" <<-END
	[prepare/begin]
	governor.set = performance
	exec.run = /bin/touch "$LAB/ran"
	END
	rm -f "$LAB/ran"
	hook_ok "a domain called '$name': prepare" prepare begin "$name"
	check "'$name': it is at work" grep -q performance /sys/devices/system/cpu/cpufreq/policy0/scaling_governor
	check "'$name': its program ran" test -e "$LAB/ran"
	hook_ok "'$name': release" release end "$name"
	refute "'$name': it is back" grep -q performance /sys/devices/system/cpu/cpufreq/policy0/scaling_governor
	check "'$name': its log" test -s "/var/log/vfio-hook/$name.log"
done

check "the display manager never stopped" systemctl is-active display-manager.service
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing was touched"
holders_end

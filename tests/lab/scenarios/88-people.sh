# shellcheck shell=dash
# The commands for people, on a real kernel.

GPU_ONLY="$GPU $GPU_SOUND $GPU_USB"
MIB=64 HUGE=2048 domain win10 $GPU_ONLY
rm -f /etc/libvirt/hooks/conf.d/*.ini

# people DESC STATUS WORD...: runs vfio-hook without a terminal.
people()
{
	local desc=$1 wanted=$2 rc=0
	shift 2
	vfio-hook "$@" </dev/null >"$LAB/people" 2>"$LAB/people.err" || rc=$?
	cat "$LAB/people.err" >>"$LAB/people"
	equal "$desc" $rc "$wanted" || fail "$desc: its words" "$LAB/people"
}

# devices
holder soundd /dev/snd/controlC0
people "devices" 0 devices
contains "it has the card with its driver" "$LAB/people" "^  $GPU  display .*bochs"
contains "it says who holds the sound" "$LAB/people" "held by soundd \(pid $HOLDER"
contains "it says what goes together" "$LAB/people" "^group [0-9]+: these [0-9]+ go to a guest together"
people "devices --gpu" 0 devices --gpu
refute "--gpu leaves the network out" grep -q "$NET1" "$LAB/people"
people "devices --json" 0 devices --json
contains "it has the sizes" "$LAB/people" "\"address\": \"$GPU\".*\"bar\": 0, \"size\": [0-9]{7,}"
holders_end

systemctl start display-manager.service
state "$LAB/before"

# init, and what it wrote
people "init" 0 init win10
contains "it takes the whole card" "$LAB/people" "^gpu = 0000:01:00\.\* id=1234:1111"
contains "it stops the display manager" "$LAB/people" '^service.stop = display-manager.service'
contains "it knows of the huge pages" "$LAB/people" '^hugepages.allocate ='
people "init --write" 0 init --write win10
people "init never writes over a file" 1 init --write win10
people "check passes on it" 0 check win10
contains "check: nothing in the way" "$LAB/people" '^win10: (fine|a start would work)'

# What the XML could say better
HUGE=2048 MIB=64 domain win10 $GPU
sed -i "s|<devices>|<cpu mode='host-passthrough'><topology sockets='1' cores='1' threads='2'/></cpu>\n  &|" \
	/etc/libvirt/qemu/win10.xml
people "check of a card without its other functions" 0 check win10
contains "it has the lines for the sound" "$LAB/people" "slot='0x00' function='0x1'/></source>"
contains "and for the USB controller" "$LAB/people" "slot='0x00' function='0x2'/></source>"
if grep -q '^flags.* topoext' /proc/cpuinfo; then
	contains "a CPU of AMD: topoext" "$LAB/people" "<feature policy='require' name='topoext'/>"
else
	refute "no CPU of AMD: nothing of topoext" grep -q topoext "$LAB/people"
fi
MIB=64 HUGE=2048 domain win10 $GPU_ONLY

# status through the life of a domain
people "status of an idle domain" 0 status
contains "it is idle" "$LAB/people" '^win10 +idle +0 +0'
hook_ok "prepare with the config of init" prepare begin
people "status of a prepared domain" 0 status win10
contains "it is prepared" "$LAB/people" '^win10: prepared$'
contains "it has the driver then and now" "$LAB/people" "driver $GPU +bochs[a-z-]* +vfio-pci"
contains "it has the times" "$LAB/people" 'prepare done in [0-9.]+ m?s'
people "devices knows the owner" 0 devices --gpu
contains "it is win10" "$LAB/people" 'taken by domain win10'
hook_ok "release" release end win10 shutdown
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
people "status behind release" 0 status
contains "it is idle again" "$LAB/people" '^win10 +idle .*release done in'

# A machine that was reset: the log is what is left of it.
sed -i '/ -- win10 release/,$d' /var/log/vfio-hook/win10.log
echo '2026-01-01T00:00:00.000+0000 INFO kmod.unload = timeout=30s nvidia ...' >>/var/log/vfio-hook/win10.log
people "status after a reset" 1 status win10
contains "it says where" "$LAB/people" '^win10: interrupted in release at kmod.unload nvidia$'

# The installation
chmod 700 /etc/libvirt/hooks/qemu
mkdir -p /etc/libvirt/hooks/qemu.d
: >/etc/libvirt/hooks/qemu.d/old-script && chmod 755 /etc/libvirt/hooks/qemu.d/old-script
people "check with a bad mode" 0 check win10
contains "it tells the cure" "$LAB/people" 'chmod 755 /etc/libvirt/hooks/qemu$'
contains "it finds what libvirt runs itself" "$LAB/people" 'libvirt itself runs /etc/libvirt/hooks/qemu.d/old-script'
chmod 755 /etc/libvirt/hooks/qemu
rm /etc/libvirt/hooks/qemu.d/old-script
config win10 <<END
[prepare/begin]
governor.set = performance
END
MANAGED=no domain win10 $NET1
people "check with a device that nobody detaches" 1 check win10
contains "it has the line to add" "$LAB/people" "pci.detach = $NET1"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing of this changed the host" "$ONEWAY_VFIO"

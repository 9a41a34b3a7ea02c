# shellcheck shell=dash
# What --json prints on a real machine in the states that a domain goes through. boot.sh holds
# it against the schemas.

MIB=64 HUGE='' domain win10 $GPU_ALL
rm -f /etc/libvirt/hooks/conf.d/*.ini

# answer NAME STATUS WORD...: kept as NAME, in one piece.
answer()
{
	local name=$1 wanted=$2 rc=0
	shift 2
	vfio-hook --json "$@" </dev/null >"$LAB/answer" 2>"$LAB/answer.err" || rc=$?
	equal "$name: exit status" $rc "$wanted" || fail "$name: its words" "$LAB/answer.err"
	keep "$name" "$LAB/answer"
}

state "$LAB/before"
answer status.nothing 0 status
answer plan.no-config 0 plan win10
answer check.no-config 0 check win10
# Pages that nobody gets: a start would fail, config or none.
MIB=64 HUGE=2048 domain win10 $GPU_ALL
answer check.no-pages 1 check win10
contains "check: what would get them" "$LAB/answer" 'hugepages.allocate ='
holder soundd /dev/snd/controlC0
answer devices.held 0 devices
answer devices.gpu 0 devices --gpu

# Only scripts: who may write them, and what they call, is all that is known.
tree=/etc/libvirt/hooks/qemu.d/win10/started/begin
mkdir -p "$tree"
printf '#!/bin/sh\nvirsh list\n' >"$tree/list.sh"
chmod 755 "$tree/list.sh"
MIB=64 HUGE='' domain win10 $GPU_ALL
answer check.scripts 0 check win10
contains "check: of scripts alone" "$LAB/answer" 'started/begin/list.sh calls virsh'
chmod 757 "$tree/list.sh"
answer check.anybodys-script 1 check win10
contains "check: anybody may write it" "$LAB/answer" 'list.sh runs as root, but'
rm -r /etc/libvirt/hooks/qemu.d/win10
MIB=64 HUGE=2048 domain win10 $GPU_ALL

# Every phase is looked at, behind those before it.
config win10 <<END
[prepare/begin]
vtconsole.unbind =
pci.detach = timeout=5s
[started/begin]
exec.run = /no/such/program
[release/end]
exec.run = /no/such/program
END
answer check.phases 1 check win10
contains "check: started" "$LAB/answer" 'win10.ini:5.*exec.run: .*/no/such/program'
contains "check: release" "$LAB/answer" 'win10.ini:7.*exec.run: .*/no/such/program'

config win10 <<END
[prepare/begin]
hugepages.allocate =
-governor.set = performance
kmod.unload = timeout=20s snd_hda_intel
pci.detach = timeout=5s
[started/begin]
irq.move = to=0-1
[boot/begin]
kmod.load = nosuch
END
answer plan.problem 1 plan win10
answer check.problem 1 check
holders_end
config win10 <<END
[prepare/begin]
hugepages.allocate =
-governor.set = performance
vtconsole.unbind =
pci.detach = timeout=5s
[started/begin]
irq.move = to=0-1
END
answer plan.idle 0 plan win10
answer plan.started 0 plan win10 started
answer plan.release 0 plan win10 release
answer check.idle 0 check win10
answer status.idle 0 status

hook_ok "prepare" prepare begin
answer status.prepared 0 status
answer plan.prepared 0 plan win10 release
answer devices.prepared 0 devices
hook_ok "release" release end
answer status.released 0 status win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

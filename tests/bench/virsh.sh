#!/bin/sh
# virsh start without a hook, with ours, with a shell helper and scripts, against the kernel's
# own time for the same writes: ratios of one boot, whose time is counted in instructions.
# Fails where ours adds more than the kernel takes and a tenth. Takes eight minutes; the
# measuring is the scenario 95-bench of the libvirt lab.
exec "$(dirname "$0")/../libvirt-lab/boot.sh" bench "$@"

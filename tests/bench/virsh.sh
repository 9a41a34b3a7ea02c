#!/bin/sh
# Figures, as ratios of one boot: virsh start without a hook, with ours, with a shell helper
# and scripts, against the kernel's own time for the same writes. Takes minutes; the
# measuring is the scenario 95-bench of the libvirt lab.
exec "$(dirname "$0")/../libvirt-lab/boot.sh" bench "$@"

#!/bin/sh
# Figures, as ratios of one boot: a call of the hook that takes a card, against the kernel's own
# time for the same writes. The measuring is the lab's scenario 95-latency.
exec "$(dirname "$0")/../lab/boot.sh" latency "$@"

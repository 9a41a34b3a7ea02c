#!/bin/sh
# A call of the hook that takes a card, against the kernel's own time for the same writes: a
# ratio of one boot, whose time is counted in instructions. The measuring is the lab's scenario
# 95-latency, which is among the tests; README has the figure.
exec "$(dirname "$0")/../lab/boot.sh" latency "$@"

# shellcheck shell=dash
# The config is that of the initramfs.
# shellcheck source=/dev/null
. /lab/scenarios/91-boot-unit.boot

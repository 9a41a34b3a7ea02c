#!/bin/bash
GUEST="$1"
if [[ "$2/$3" == "prepare/begin" ]]; then
	systemctl start libvirt-nosleep@"$GUEST"
	/usr/local/bin/lights off
elif [[ "$2" == "release" && "$3" == "end" ]]; then
	systemctl stop libvirt-nosleep@"$GUEST"
	/usr/local/bin/lights on
fi
case "$2" in
started) ddcutil --display 1 setvcp 60 0x0f ;;
stopped) ddcutil --display 1 setvcp 60 0x11 ;;
esac

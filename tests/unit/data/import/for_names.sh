#!/bin/bash
# Another habit: one hook for all domains, which asks for each by its name.
OBJECT="$1"
OPERATION="$2"

if [[ $OBJECT == "gaming" ]]; then
	case "$OPERATION" in
	"prepare")
		systemctl start nosleep@"$OBJECT" 2>&1 | tee -a /var/log/libvirt/hooks.log
		systemctl stop sddm
		;;
	"release")
		systemctl start sddm
		systemctl stop nosleep@"$OBJECT" 2>&1 | tee -a /var/log/libvirt/hooks.log
		;;
	esac
elif [[ $OBJECT == "server" && $OPERATION == "prepare" ]]; then
	systemctl stop docker
fi
command=$2
if [ "$command" = "started" ]; then
	systemctl set-property --runtime -- system.slice AllowedCPUs=0,6
fi

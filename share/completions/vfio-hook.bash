# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vfio-hook(8). What can be asked of the program is asked of it.
# shellcheck shell=bash

_vfio_hook_domains()
{
	local f
	for f in /etc/libvirt/qemu/*.xml /etc/libvirt/hooks/conf.d/*.ini; do
		[ -e "$f" ] || continue
		f=${f##*/}
		printf '%s\n' "${f%.*}"
	done
}

_vfio_hook_devices()
{
	local f
	for f in /sys/bus/pci/devices/*; do
		[ -e "$f" ] || continue
		printf '%s\n' "${f##*/}"
	done
}

# All ways to write what is typed: as sysfs does, without the domain, and whole cards.
_vfio_hook_addresses()
{
	local all
	all=$(_vfio_hook_devices)
	all+=$'\n'$(printf '%s\n' "$all" | sed 's/\.[0-7]$//' | uniq -d | sed 's/$/.*/')
	printf '%s\n' "$all"
	sed -n 's/^0000://p' <<<"$all"
}

_vfio_hook_commands()
{
	vfio-hook --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p'
}

_vfio_hook()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' words='' word position=0 begun='' i
	local options='-h --help --hooks-dir --root -v --verbose --version'

	local phases=$'prepare\nstart\nstarted\nstopped\nrelease\nboot'

	COMPREPLY=()
	case $prev in
	--root | --hooks-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-o | --output | --conf)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--phase)
		mapfile -t COMPREPLY < <(compgen -W "$phases" -- "$cur")
		return
		;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--root | --hooks-dir | -o | --output | --conf | --phase) i=$((i + 1)) ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else position=$((position + 1)); fi
			;;
		esac
	done
	if [[ $cur == -* ]]; then
		case $command in
		plan) options+=' -j --json --diff' ;;
		devices) options+=' -j --json --gpu' ;;
		check | status | steps) options+=' -j --json' ;;
		init) options+=' --write -o --output' ;;
		import) options+=' --conf --phase' ;;
		boot) options+=' --early' ;;
		undo) options+=' --boot --forget --orphans' ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	case $command:$position in
	:*) words=$(_vfio_hook_commands) ;;
	import:1 | check:0 | init:0 | plan:0 | run:0 | status:0 | test:0 | undo:0) words=$(_vfio_hook_domains) ;;
	plan:1 | run:1) words=$phases ;;
	steps:0) words=$(vfio-hook steps 2>/dev/null | sed 's/ .*//') ;;
	devices:*)
		if [ -n "$cur" ]; then words=$(_vfio_hook_addresses); else words=$(_vfio_hook_devices); fi
		# To the shell a colon ends a word: it puts in only what comes behind the last.
		cur=${COMP_LINE:0:COMP_POINT}
		cur=${cur##*[[:space:]]}
		if [[ $COMP_WORDBREAKS == *:* ]]; then begun=${cur%"${cur##*:}"}; fi
		;;
	import:0)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	esac
	# Not compgen -W, which would run what stands in the name of a domain.
	while read -r word; do
		if [[ -n $word && $word == "$cur"* ]]; then
			COMPREPLY+=("$(printf %q "${word#"$begun"}")")
		fi
	done <<<"$words"
}
complete -F _vfio_hook vfio-hook

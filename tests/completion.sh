#!/bin/bash
# shellcheck disable=SC1091,SC2317
# completion.sh FOLDER: bash's completion, with the vfio-hook in FOLDER.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
PATH=$(cd "$1" && pwd):$PATH

. "$top/share/completions/vfio-hook.bash"
failed=0

# shellcheck disable=SC2016 # a name, never to be run
_vfio_hook_domains() { printf '%s\n' win10 'win 11' '$(touch /tmp/no)'; }

# expect WANTED WORD...: what is offered for the last WORD.
expect()
{
	local wanted=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_vfio_hook
	[ "${COMPREPLY[*]-}" = "$wanted" ] && return
	echo "not ok - $*: '${COMPREPLY[*]-}', wanted '$wanted'"
	failed=1
}

expect 'status steps' vfio-hook st
expect 'win10 win\ 11' vfio-hook --json status win
expect '\$\(touch\ /tmp/no\)' vfio-hook check '$'
expect release vfio-hook plan win10 r
expect 'pci.rescan pci.reset pci.resize-bar' vfio-hook steps pci.res
expect --gpu vfio-hook devices --g
expect --diff vfio-hook plan --d
expect '' vfio-hook steps --g
for command in $(_vfio_hook_commands); do
	for file in vfio-hook.bash _vfio-hook vfio-hook.fish; do
		case $command in devices) continue ;; esac # takes only options
		grep -qw -e "$command" "$top/share/completions/$file" ||
			{ echo "not ok - $file knows nothing of $command"; failed=1; }
	done
done
exit $failed

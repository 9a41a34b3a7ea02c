#!/bin/bash
# shellcheck disable=SC1091,SC2016,SC2317
# completion.sh FOLDER: the shells' completions, with the vfio-hook in FOLDER.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
PATH=$(cd "$1" && pwd):$PATH

. "$top/share/completions/vfio-hook.bash"
failed=0

sysfs=$(for f in /sys/bus/pci/devices/*; do [ ! -e "$f" ] || basename "$f"; done)
bash_devices=$(_vfio_hook_devices)
_vfio_hook_devices() { printf '%s\n' 0000:0a:00.0 0000:0a:00.1 0000:0b:00.0; }
_vfio_hook_domains() { printf '%s\n' win10 'win 11' '$(touch /tmp/no)'; }

# expect WANTED WORD...: what is offered for the last WORD.
expect()
{
	local wanted=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
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
expect '0000:0a:00.0 0000:0a:00.1 0000:0b:00.0' vfio-hook devices ''
expect '0000:0a:00.0 0000:0a:00.1 0000:0b:00.0 0000:0a:00.\*' vfio-hook --json devices 0b:00.0 00
expect '0a:00.0 0a:00.1 0a:00.\*' vfio-hook devices 0a

# expect_split WANTED TYPED: the same for an address, which the shell splits.
expect_split()
{
	read -ra COMP_WORDS <<<"vfio-hook devices 0b : 00.0 ${2//:/ : }"
	COMP_LINE="vfio-hook devices 0b:00.0 $2" COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_vfio_hook
	[ "${COMPREPLY[*]-}" = "$1" ] && return
	echo "not ok - devices $2: '${COMPREPLY[*]-}', wanted '$1'"
	failed=1
}
expect_split '0a:00.0 0a:00.1 0b:00.0 0a:00.\*' 0000:
expect_split '0a:00.0 0a:00.1 0a:00.\*' 0000:0a
expect_split '00.0 00.1 00.\*' 0a:
expect_split '00.\*' '0a:00.*'
expect_split '00.0' 0b:00.0
expect_split '00.0' 0000:0b:00
COMP_WORDBREAKS=' ' expect_split '0000:0b:00.0' 0000:0b
expect --diff vfio-hook plan --d
expect '' vfio-hook steps --g
expect --json vfio-hook steps --j
expect 'win10 win\ 11' vfio-hook import "$top/share" win
expect '--conf' vfio-hook import --c
expect 'start started' vfio-hook import --phase sta
expect '-h --help --hooks-dir --root -v --verbose --version' vfio-hook run -
for command in $(_vfio_hook_commands); do
	for file in vfio-hook.bash _vfio-hook vfio-hook.fish; do
		grep -qw -e "$command" "$top/share/completions/$file" ||
			{ echo "not ok - $file knows nothing of $command"; failed=1; }
	done
done

# Every option that a shell offers for a command is one of its, and none is missing.
takes()
{
	! vfio-hook --root "$empty" "$1" "$2" x x x </dev/null 2>&1 | grep -q "has no option"
}
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
own='--json --diff --gpu --write --output --conf --phase --boot --early --forget --orphans'

# options SHELL COMMAND OFFERED: the options offered for the command, blanks around each.
options()
{
	local option
	for option in $own; do
		if takes "$2" "$option"; then
			[[ $3 == *" $option "* ]] || { echo "not ok - $1: $2 is not offered $option"; failed=1; }
		else
			[[ $3 != *" $option "* ]] || { echo "not ok - $1: $2 is offered $option"; failed=1; }
		fi
	done
	for option in -h -v; do
		[[ $3 == *" $option "* ]] || { echo "not ok - $1: $2 is not offered $option"; failed=1; }
	done
}

for command in $(_vfio_hook_commands); do
	COMP_WORDS=(vfio-hook "$command" -) COMP_CWORD=2
	_vfio_hook
	options bash "$command" " ${COMPREPLY[*]-} "
done

# The manual has an entry for each command, with its options in the line or the text below;
# those that many have are in the list of options.
entry() { sed -n "/^\.It Cm $1\( \|\$\)/,/^\.It Cm /p" "$manual" | sed '2,${/^\.It Cm /d}'; }
manual=$top/man/vfio-hook.8
for command in $(_vfio_hook_commands); do
	[ -n "$(entry "$command")" ] || { echo "not ok - the manual knows nothing of $command"; failed=1; }
	for option in $own; do
		if takes "$command" "$option"; then wanted=yes; else wanted=no; fi
		case $option in
		--json) sed -n '/^\.Sh JSON/,/^print one object/p' "$manual" | grep -qE "^\.Cm (.* )?$command( |$)" ;;
		*) entry "$command" | grep -qE "Fl ${option#-}( |$)" ;;
		esac && got=yes || got=no
		[ "$got" = "$wanted" ] ||
			{ echo "not ok - $option of $command: in the manual: $got, of the command: $wanted"; failed=1; }
	done
done
while read -r command; do
	_vfio_hook_commands | grep -qx "$command" ||
		{ echo "not ok - the manual has a command $command"; failed=1; }
done < <(sed -n '/^\.Sh COMMANDS/,/^\.Sh OPTIONS/s/^\.It Cm \([a-z]*\).*/\1/p' "$manual")
for option in root hooks-dir json verbose help version; do
	sed -n '/^\.Sh OPTIONS/,/^\.Sh JSON/p' "$manual" | grep -qE "^\.It Fl (. , )?-$option( |\$)" ||
		{ echo "not ok - the manual has no option --$option"; failed=1; }
	vfio-hook --help | grep -q -e "^  --$option " || { echo "not ok - --help has no --$option"; failed=1; }
done

# same WHAT GOT WANTED
same()
{
	[ "$2" = "$3" ] && return
	echo "not ok - $1: '$2', wanted '$3'"
	failed=1
}

# summaries SEPARATOR: each command and what --help says of it, sorted.
summaries()
{
	vfio-hook --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*  \([^ ].*\)$/\1'"$1"'\2/p' | sort
}
contains_whole='undo|puts back what the journal holds'
summaries '|' | grep -qxF "$contains_whole" || { echo "not ok - --help cuts: $contains_whole"; failed=1; }

same "bash: the devices of the host" "$bash_devices" "$sysfs"

# What fish offers for a line; in an empty home.
fish_for()
{
	HOME=$empty XDG_CONFIG_HOME=$empty fish --no-config -c '
		source $argv[1]
		function __vfio_hook_devices; printf "%s\n" 0000:0a:00.0 0000:0a:00.1 0000:0b:00.0; end
		function __vfio_hook_domains; printf "%s\n" win10 linux; end
		complete -C $argv[2]' "$top/share/completions/vfio-hook.fish" "$1" 2>&1 |
		cut -f1 | sort | tr '\n' ' '
}

if command -v fish >/dev/null; then
	same "fish: commands" "$(fish_for 'vfio-hook st')" 'status steps '
	same "fish: domains" "$(fish_for 'vfio-hook status ')" 'linux win10 '
	same "fish: phases" "$(fish_for 'vfio-hook plan win10 re')" 'release '
	same "fish: steps" "$(fish_for 'vfio-hook steps pci.res')" 'pci.rescan pci.reset pci.resize-bar '
	same "fish: devices" "$(fish_for 'vfio-hook devices ')" '0000:0a:00.0 0000:0a:00.1 0000:0b:00.0 '
	same "fish: devices that begin so" "$(fish_for 'vfio-hook devices 0000:0a')" \
		'0000:0a:00.* 0000:0a:00.0 0000:0a:00.1 '
	same "fish: short addresses" "$(fish_for 'vfio-hook devices 0a:0')" '0a:00.* 0a:00.0 0a:00.1 '
	same "fish: one short address" "$(fish_for 'vfio-hook devices 0b:')" '0b:00.0 '
	same "fish: devices behind others" "$(fish_for 'vfio-hook devices 0a:00.0 0000:0b')" '0000:0b:00.0 '
	same "fish: the devices of the host" "$(HOME=$empty XDG_CONFIG_HOME=$empty fish --no-config -c '
		source $argv[1]; __vfio_hook_devices' "$top/share/completions/vfio-hook.fish")" "$sysfs"
	same "fish: the domain of import" "$(fish_for "vfio-hook import $top/share ")" 'linux win10 '
	same "fish: options" "$(fish_for 'vfio-hook undo --o')" '--orphans '
	for command in $(_vfio_hook_commands); do
		options fish "$command" " $(fish_for "vfio-hook $command -")"
	done
	same "fish: summaries" "$(HOME=$empty XDG_CONFIG_HOME=$empty fish --no-config -c '
		source $argv[1]; complete -C "vfio-hook "' "$top/share/completions/vfio-hook.fish")" \
		"$(summaries "$(printf '\t')")"
fi

# What zsh's function finds for the words of a line, the last of which is being typed:
# the helpers that it hands them to print them.
zsh_for()
{
	zsh -f -c '
		file=$1
		shift
		typed=("$@")
		_describe() { print -l -- ${(P)4} }
		_arguments() { state=argument line=($typed); [[ -z $SHOW ]] || print -l -- $@ }
		words=(vfio-hook $typed)
		compdef() { }
		_files() { print -l files }
		CURRENT=$(($# - 1))
		eval "$(sed "\$d" $file)"
		_vfio_hook_domains() { print -l win10 linux }
		_vfio_hook_devices() { print -l card nic }
		_vfio_hook' zsh "$top/share/completions/_vfio-hook" "$@" 2>&1 |
		sed 's/:.*//' | sort | tr '\n' ' '
}

if command -v zsh >/dev/null; then
	same "zsh: domains" "$(zsh_for status '')" 'linux win10 '
	same "zsh: phases" "$(zsh_for plan win10 '')" 'boot prepare release start started stopped '
	same "zsh: steps" "$(zsh_for steps pci.res | tr ' ' '\n' | grep '^pci.res' | tr '\n' ' ')" \
		'pci.rescan pci.reset pci.resize-bar '
	for command in $(_vfio_hook_commands); do
		# Of '(-j --json)--json[output …]' the option itself.
		options zsh "$command" " $(SHOW=1 zsh_for "$command" '' | tr ' ' '\n' |
			sed 's/^([^)]*)//; s/\[.*//; s/^.*)-/-/' | tr '\n' ' ')"
	done
	same "zsh: summaries" "$(zsh -f -c '
		_describe() { print -l -- ${(P)4} }
		eval "$(sed "\$d" $1)"
		_vfio_hook_commands' zsh "$top/share/completions/_vfio-hook" | sort)" "$(summaries :)"
	same "zsh: the domain of import" "$(zsh_for import "$top/share" '')" 'linux win10 '
	same "zsh: devices" "$(zsh_for devices '')" 'card nic '
	same "zsh: devices behind others" "$(zsh_for devices 0a:00.0 '')" 'card nic '
	same "zsh: the devices of the host" "$(zsh -f -c '
		_describe() { print -rl -- ${(P)4} }
		eval "$(sed "\$d" $1)"
		_vfio_hook_devices' zsh "$top/share/completions/_vfio-hook" | sed '/^$/d')" "${sysfs//:/\\:}"
	# What begins as what is typed is picked by _describe.
	same "zsh: short addresses" "$(zsh -f -c '
		_describe() { print -rl -- ${(P)4} }
		eval "$(sed "\$d" $1)"
		_vfio_hook_pci() { print -rl 0000:0a:00.0 0000:0a:00.1 0001:0b:00.0 }
		PREFIX=0
		_vfio_hook_devices' zsh "$top/share/completions/_vfio-hook" | tr '\n' ' ')" \
		'0000\:0a\:00.0 0000\:0a\:00.1 0001\:0b\:00.0 0000\:0a\:00.* 0a\:00.0 0a\:00.1 0a\:00.* '
	same "zsh: folders" "$(zsh_for import '')" 'files '
	same "zsh: commands" "$(zsh -f -c '
		_describe() { print -l -- ${(P)4} }
		eval "$(sed "\$d" $1)"
		_vfio_hook_commands' zsh "$top/share/completions/_vfio-hook" | sed 's/:.*//' | sort | tr '\n' ' ')" \
		"$(_vfio_hook_commands | sort | tr '\n' ' ')"
fi
exit $failed

#!/bin/bash
# figures.sh BUILD [LOG...]: README's table of figures against the executable in BUILD and the
# logs of lab boots (80-figures, 90-kill, 91-errno, 95-latency; SeaBIOS, the default kernel).
# figures.sh --row NAME: the figure in the row that begins so, for other tests.
# Exit status 1 when README tells something better, or another count, than is measured.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
bad=0

# row NAME: the first number in the second column.
row()
{
	local cell
	cell=$(sed -n "s/^| $1[^|]*| *\([0-9.]*\)[ |].*/\1/p" "$top/README.md")
	[ -n "$cell" ] || { echo "figures.sh: README has no row '$1'" >&2; exit 2; }
	echo "$cell"
}

# at_most NAME FIGURE
at_most()
{
	local told
	told=$(row "$1")
	awk -v told="$told" -v figure="$2" 'BEGIN { exit !(figure <= told) }' && return
	echo "README says $told: $1; it is $2"
	bad=1
}

# megabytes BYTES: as README rounds them.
megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f", bytes / 1000000 }'; }

# near NAME COUNT: what a try more or less does not change.
near()
{
	local told
	told=$(row "$1")
	[ $((told * 98 / 100)) -gt "$2" ] || [ $((told * 102 / 100)) -lt "$2" ] || return 0
	echo "README says $told: $1; it is $2"
	bad=1
}

size()
{
	local file
	file=$(mktemp)
	strip -o "$file" "$1"
	stat -c %s "$file"
	rm -f "$file"
}

# Of a crash: each call of prepare, of release, and of prepare with its children left alone.
counts()
{
	local part prepare release
	while read -r part prepare release; do
		near "SIGKILL: $part" $((2 * prepare + release))
		near "EIO: $part" $((prepare + release))
		near "EBUSY, ENOSPC, ENODEV: $part" $((prepare + release))
	done < <(sed -n 's/^# \([a-z]*\): prepare makes \([0-9]*\) calls that count, release \([0-9]*\)$/\1 \2 \3/p' "$1")
}

if [ "$1" = --row ]; then
	row "$2"
	exit
fi
at_most "executable, stripped" "$(megabytes "$(size "$1/qemu")")"
shift
# tells SCENARIO LINE: a log that has run the one has the other.
tells()
{
	! grep -q "^ok $1 - " "$text" || grep -q "$2" "$text" && return
	echo "the log of $1 does not tell its figures"
	bad=1
}

text=$(mktemp)
trap 'rm -f "$text"' EXIT
for log; do
	tr -d '\r' <"$log" >"$text"
	tells 80-figures '^# peak memory of prepare: '
	tells 95-latency '^# prepare / the kernel for the same writes '
	tells 90-kill '^# tuning: prepare makes '
	tells 91-errno '^# tuning: prepare makes '
	counts "$text"
	while read -r ratio; do
		at_most "prepare of a card of three functions" "$ratio"
	done < <(sed -n 's/^# prepare \/ the kernel for the same writes \([0-9.]*\)$/\1/p' "$text")
	while read -r kib; do
		at_most "peak memory of a full prepare" "$(megabytes $((kib * 1024)))"
	done < <(sed -n 's/^# peak memory of prepare: \([0-9]*\) KiB$/\1/p' "$text")
done
exit $bad

# shellcheck shell=dash
# Runs QEMU and judges what a guest says on its serial port; sourced by the boot.sh of both
# labs, after they have set timeout (seconds) and keep (a file or empty). Makes the folder
# $work, which goes at the end.

work=$(mktemp -d "${TMPDIR:-/tmp}/lab-boot.XXXXXX")
pid=
finish()
{
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	fi
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# After a suspend to RAM QEMU does not always leave when the guest powers off.
end_when_done()
{
	while kill -0 "$1" 2>/dev/null && ! grep -q '^# lab: done' "$work/log" 2>/dev/null; do
		sleep 2
	done
	sleep 15
	pkill -TERM -P "$1" || :
}

# run_qemu WHAT ARGUMENT...: shows the serial output and, last, a line that sums it up.
run_qemu()
{
	local what=$1 reader start rc=0 good bad problem=
	shift
	mkfifo "$work/serial"
	sed -u 's/\r$//; s/\x1b\[[0-9;=?]*[A-Za-z]//g' <"$work/serial" | tee "$work/log" &
	reader=$!
	start=$(date +%s)
	# shellcheck disable=SC2154 # its user's
	timeout -k 5 "$timeout" qemu-system-x86_64 "$@" -serial stdio >"$work/serial" </dev/null &
	pid=$!
	end_when_done "$pid" >/dev/null 2>&1 &
	wait "$pid" || rc=$?
	pid=
	wait "$reader" || :
	# shellcheck disable=SC2154 # its user's
	[ -z "$keep" ] || cp "$work/log" "$keep"

	good=$(grep -c '^ok ' "$work/log" || :)
	bad=$(grep -c '^not ok ' "$work/log" || :)
	[ "$bad" -eq 0 ] || problem="$bad not ok"
	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		problem="$problem${problem:+, }timeout after $timeout s"
	elif [ "$rc" -ne 0 ]; then
		problem="$problem${problem:+, }QEMU left with $rc"
	fi
	if grep -q 'Kernel panic' "$work/log"; then
		problem="$problem${problem:+, }the kernel panicked"
	fi
	grep -q '^# lab: done' "$work/log" || problem="$problem${problem:+, }the scenarios did not end"
	[ "$good" -gt 0 ] || [ -n "$problem" ] || problem="no test ran"
	echo "# boot.sh: $what, $good ok, ${problem:-no problem}, $(($(date +%s) - start)) s"
	[ -z "$problem" ]
}

# shellcheck shell=dash
# Runs QEMU and judges what a guest says on its serial port; sourced by the boot.sh of both
# labs, after they have set timeout (seconds) and keep (a file or empty). Makes the folder
# $work, which goes at the end, and takes $lab_tests, the folder of all tests, from them.

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

# Files that scenarios have kept (keep, in the lab's lib.sh) become files again.
kept()
{
	mkdir "$work/kept"
	awk -v folder="$work/kept" 'match($0, /^#:[a-z0-9.-]+: /) {
		print substr($0, RLENGTH + 1) >(folder "/" substr($0, 3, RLENGTH - 4))
	}' "$work/log"
}

# Of these, what --json printed on the real machine is as the schemas say.
judge_json()
{
	local file
	set --
	for file in "$work/kept"/check.* "$work/kept"/devices.* "$work/kept"/plan.* "$work/kept"/status.*; do
		[ ! -s "$file" ] || set -- "$@" "$file"
	done
	[ $# -gt 0 ] || return 0
	# shellcheck disable=SC2154 # its user's
	if ! python3 -c 'import jsonschema' 2>/dev/null; then
		echo "# json: not held against the schemas, there is no python3-jsonschema"
	elif "$lab_tests/json/validate.py" "$lab_tests/../share/json" "$@" >"$work/json"; then
		echo "ok json - $(cat "$work/json")"
	else
		sed 's/^/# /' "$work/json"
		echo "not ok json - what --json prints is as the schemas say"
	fi
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

	kept
	judge_json | tee -a "$work/log"

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

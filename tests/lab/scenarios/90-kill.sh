# shellcheck shell=dash
# boot: --timeout 2400
# SIGKILL at each call of prepare and of release that changes something, then recovery.

# shellcheck source=/dev/null
. /lab/faults.sh

# In turn by release, by the command, and by the next start.
recover()
{
	case $((N % 3)) in
	0) hook release end || wrong "release: $(cat "$ERR")" ;;
	1) vfio-hook undo win10 </dev/null >"$LAB/said" 2>&1 || wrong "undo: $(cat "$LAB/said")" ;;
	2)
		hook prepare begin || wrong "the next prepare: $(cat "$ERR")"
		hook release end || wrong "its release: $(cat "$ERR")" ;;
	esac
	journal_left
}

# try OP SUB [OPTION]: kills it at call N.
try()
{
	HOOK_WRAP="inject -o $LAB/calls -n $N ${3:-}" hook "$1" "$2"
	[ "$RC" -eq 137 ] || note "$1 was over before call $N (exit $RC)"
	[ -z "$HOOK_HUNG" ] || wrong "something kept the pipes"
	recover
	as_before
	settle_try "$1 killed at"
}

in_prepare() { try prepare begin; }

in_release()
{
	hook prepare begin || wrong "prepare: $(cat "$ERR")"
	try release end
}

# Its children go on: they end what they are at and see that nobody waits for it.
parent_in_prepare() { try prepare begin -p; }

for FAULTS in $(faults_parts); do
	faults_begin
	each_call "$PREPARE_CALLS" in_prepare
	class "prepare killed"
	each_call "$RELEASE_CALLS" in_release
	class "release killed"
	FAULTS_DEFAULT=20 each_call "$PREPARE_CALLS" parent_in_prepare
	class "prepare killed, its children not"
done

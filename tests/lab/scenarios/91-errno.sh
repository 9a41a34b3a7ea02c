# shellcheck shell=dash
# boot: --timeout 2400
# Each call of prepare and of release that changes something fails once.
#
# On the kernel command line: faults-errno=EIO,ENOSPC,EBUSY,ENODEV.

# shellcheck source=/dev/null
. /lab/faults.sh

in_prepare()
{
	HOOK_WRAP="inject -o $LAB/calls -n $N -e $ERRNO" hook prepare begin
	cp "$ERR" "$LAB/said"
	[ -z "$HOOK_HUNG" ] || wrong "something kept the pipes"
	[ ! -s "$OUT" ] || wrong "something on stdout"
	case $RC in
	0)
		hook release end || wrong "release: $(cat "$ERR")" ;;
	1)
		[ "$(wc -l <"$ERR")" -eq 1 ] || wrong "not one line of error" ;;
	*)
		wrong "exit $RC" ;;
	esac
	[ "$RC" -ne 1 ] || as_before
	[ -n "$WRONG" ] || [ "$RC" -eq 0 ] || { hook release end failed || wrong "release: $(cat "$ERR")"; }
	[ "$RC" -ne 0 ] || as_before
	journal_left
	settle_try "prepare with $ERRNO at"
}

in_release()
{
	hook prepare begin || wrong "prepare: $(cat "$ERR")"
	HOOK_WRAP="inject -o $LAB/calls -n $N -e $ERRNO" hook release end
	cp "$ERR" "$LAB/said"
	case $((RC * 2 + N % 2)) in
	0 | 1) ;;
	2) hook release end || wrong "release again: $(cat "$ERR")" ;;
	3) vfio-hook undo win10 </dev/null >"$LAB/said2" 2>&1 || wrong "undo: $(cat "$LAB/said2")" ;;
	*) wrong "exit $RC" ;;
	esac
	as_before
	journal_left
	settle_try "release with $ERRNO at"
}

for FAULTS in $(faults_parts); do
	faults_begin
	errnos=$(kernel_word faults-errno)
	for ERRNO in $(echo "${errnos:-EIO,EBUSY,ENOSPC,ENODEV}" | tr , ' '); do
		FAULTS_DEFAULT=23 each_call "$PREPARE_CALLS" in_prepare
		class "$ERRNO in prepare"
		FAULTS_DEFAULT=23 each_call "$RELEASE_CALLS" in_release
		class "$ERRNO in release"
	done
done

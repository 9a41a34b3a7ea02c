#!/bin/bash
# Builds vfio-hook and runs all its tests: unit tests (gcc, clang, sanitizers,
# valgrind), lint, installation, the lab's scenarios on real kernels in QEMU, and a
# real libvirtd there that starts guests.
# Ends with "N passed, N failed"; exit status 1 when one failed.
#
#   --quick          unit tests and one boot of the lab only
#   --lab            the executable and the labs only
#   --all-kernels    the labs on every kernel, firmware and libvirt that the project supports
#   --all-faults     a crash and an error at each call that changes something, and 200 phases of
#                    several domains (an hour), where otherwise a sample is tried
set -u
cd "$(dirname "$0")/.." || exit 2
top=$PWD
build=build
passed=0 failed=0 quick='' lab='' all='' kernels=trixie faults=''

for arg; do
	case $arg in
	--quick) quick=1 ;;
	--lab) lab=1 ;;
	--all-faults) faults=1 ;;
	--all-kernels) all=1 kernels='bullseye trixie sid' ;;
	*) echo "run.sh: unknown option $arg" >&2; exit 2 ;;
	esac
done

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

pass() { passed=$((passed + 1)); echo "ok   $1"; }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }

# t DESC COMMAND...: one test; its output is shown when it fails.
t()
{
	local desc=$1
	shift
	if "$@" >"$logs/out" 2>&1; then
		pass "$desc"
	else
		fail "$desc"
		tail -n 60 "$logs/out" | sed 's/^/     /'
	fi
}

# Sets up FOLDER with the given Meson options, unless it is, and builds it.
build()
{
	local folder=$1
	shift
	[ -f "$folder/build.ninja" ] || meson setup --fatal-meson-warnings "$folder" "$@" || return 1
	meson compile -C "$folder"
}

# Unit tests of FOLDER, each program counted by itself.
unit()
{
	local folder=$1 what=$2 name result begin=$SECONDS
	shift 2
	meson test -C "$folder" --no-rebuild --print-errorlogs "$@" >"$logs/unit" 2>&1
	while read -r name result; do
		if [ "$result" = OK ]; then pass "$what: $name"; else fail "$what: $name"; fi
	done < <(sed -nE '/^Summary of Failures/q; s#^ *[0-9]+/[0-9]+ ([^ ]+ / )?([a-z_-]+) +([A-Z]+) .*#\2 \3#p' "$logs/unit")
	grep -qE '^Ok: +[1-9]' "$logs/unit" || { fail "$what: unit tests ran"; cat "$logs/unit"; }
	echo "     $what: unit tests, $((SECONDS - begin)) s"
	grep -qE '^(Fail|Timeout): +[1-9]' "$logs/unit" && sed 's/^/     /' "$logs/unit"
	return 0
}

lint()
{
	t "clang-format" clang-format --dry-run -Werror hook/*.[ch] plugins/*.c tests/unit/*.[ch]
	t "shellcheck" shellcheck tests/*.sh tests/lab/*.sh tests/lab/guest/* tests/lab/scenarios/*.sh \
		tests/libvirt-lab/*.sh tests/libvirt-lab/guest/{init,loader,run} tests/libvirt-lab/scenarios/*.sh \
		share/initramfs-tools/hooks/* share/initramfs-tools/scripts/*/* share/install-hook .ci/run
	t "man pages" mandoc -T lint -W warning man/*.[58]
	# It does not know cleanup attributes: leaks are for ASan and valgrind.
	t "cppcheck" cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
		--suppress=normalCheckLevelMaxBranches --suppress=memleak --suppress=resourceLeak \
		--suppress=autoVariables --suppress=internalAstError -D_GNU_SOURCE -DHOOKS_DIR='""' -DVERSION='""' \
		-Ihook hook plugins
}

tidy()
{
	run-clang-tidy -quiet -p build-clang "$top/(hook|plugins)/" 2>/dev/null >"$logs/tidy"
	! grep -E 'warning:|error:' "$logs/tidy"
}

installed()
{
	local root=$logs/root
	rm -rf "$root"
	DESTDIR=$root meson install -C $build >/dev/null || return 1
	[ "$(readlink "$root/etc/libvirt/hooks/qemu")" = /usr/sbin/vfio-hook ] || return 1
	[ -d "$root/etc/libvirt/hooks/conf.d" ] || return 1
	[ -z "$(ls "$root/etc/libvirt/hooks/conf.d")" ] || return 1
	[ "$(stat -c %a "$root/usr/sbin/vfio-hook")" = 755 ] || return 1
	ls "$root"/usr/share/doc/vfio-hook/examples/*.ini >/dev/null || return 1
	ls "$root"/usr/share/man/man8/vfio-hook.8* "$root"/usr/share/man/man5/vfio-hook.conf.5* >/dev/null || return 1
	readelf -lW "$root/usr/sbin/vfio-hook" >"$logs/elf"
	! grep -q INTERP "$logs/elf" && grep -q GNU_RELRO "$logs/elf" &&
		grep -qE 'GNU_STACK.* RW ' "$logs/elf" || return 1
	[ "$(stat -c %s "$root/usr/sbin/vfio-hook")" -le 2500000 ] || return 1
	keeps_hooks $build "$root" && [ "$(readlink "$root/etc/libvirt/hooks/qemu")" = /usr/sbin/vfio-hook ]
}

# keeps_hooks FOLDER ROOT: what is installed there over others' hooks, a file and a link, leaves
# them beside it, and is no other's when it is installed once more.
keeps_hooks()
{
	local hook=$2/etc/libvirt/hooks/qemu old
	rm -f "$hook"
	echo helper >"$hook"
	for _ in 1 2; do DESTDIR=$2 meson install -C "$1" --no-rebuild >/dev/null || return 1; done
	grep -qx helper "$hook.before-vfio-hook" || return 1
	ln -sf /opt/script "$hook"
	for _ in 1 2; do DESTDIR=$2 meson install -C "$1" --no-rebuild >/dev/null || return 1; done
	[ "$(readlink "$hook.before-vfio-hook")" = /opt/script ] || return 1
	old=$(echo "$hook".before-vfio-hook.*)
	grep -qx helper "$old"
}

# For those whose hook must be a file, and for a prefix that libvirtd may run nothing from.
installed_as_file()
{
	local folder=$logs/build-file root=$logs/root-file option hook=etc/libvirt/hooks/qemu
	meson setup "$folder" -Dtests=disabled >/dev/null || return 1
	for option in -Dhook=file '-Dhook=auto --prefix=/usr/local'; do
		rm -rf "$root"
		# shellcheck disable=SC2086 # options
		meson configure "$folder" $option || return 1
		meson compile -C "$folder" >/dev/null && DESTDIR=$root meson install -C "$folder" >/dev/null || return 1
		cmp "$root/$hook" "$root"/usr/*bin/vfio-hook || cmp "$root/$hook" "$root"/usr/local/sbin/vfio-hook || return 1
		[ ! -L "$root/$hook" ] && [ "$(stat -c %a "$root/$hook")" = 755 ] || return 1
		keeps_hooks "$folder" "$root" || return 1
	done
}

# boot DESC COMMAND...: queues one virtual machine whose lines "ok" and "not ok" count.
boots=0
boot()
{
	boots=$((boots + 1))
	printf '%s\n' "$1" >"$logs/boot.$boots.what"
	shift
	printf '%q ' "$@" >"$logs/boot.$boots.command"
}

# Runs what is queued, two at a time: each uses one processor.
run_boots()
{
	local n
	# shellcheck disable=SC2016 # LOGS is for the inner shell
	seq $boots | LOGS=$logs xargs -r -P 2 -n 1 bash -c \
		'bash "$LOGS/boot.$0.command" >"$LOGS/boot.$0.log" 2>&1; echo $? $SECONDS >"$LOGS/boot.$0.status"'
	for n in $(seq $boots); do
		# shellcheck disable=SC2046 # status and seconds
		count_boot "$(cat "$logs/boot.$n.what")" "$logs/boot.$n.log" $(cat "$logs/boot.$n.status")
	done
}

# logs_of WHAT...: of those among them that were queued.
logs_of()
{
	local n what
	for n in $(seq $boots); do
		for what; do
			[ "$(cat "$logs/boot.$n.what")" != "$what" ] || echo "$logs/boot.$n.log"
		done
	done
}

count_boot()
{
	local what=$1 log=$2 status=$3 took=$4 kind rest good=0 bad=0
	while read -r kind rest; do
		if [ "$kind" = ok ]; then
			passed=$((passed + 1)) good=$((good + 1))
		else
			bad=$((bad + 1))
			fail "$what: ${rest#ok }"
		fi
	done < <(tr -d '\r' <"$log" | grep -E '^(not )?ok ')
	echo "     $what: $good ok, $took s$(tr -d '\r' <"$log" | sed -n 's/^# \(faults: .*\|peak .*\)/, \1/p' | tr -d '\n')"
	[ "$bad" -eq 0 ] || tr -d '\r' <"$log" | grep -E -A 70 '^not ok'
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		fail "$what: status $status"
		tail -n 40 "$log"
	fi
}

tests/setup.sh || { echo "0 passed, 1 failed"; exit 1; }

t "build: gcc, static" build $build
if [ -z "$lab" ]; then
	unit $build "gcc"
	t "installation" installed
	t "installation: the hook as a file" installed_as_file
fi
if [ -z "$quick$lab" ]; then
	t "build: clang" env CC=clang bash -c "$(declare -f build); build build-clang"
	t "build: shared libraries" build build-shared -Dstatic=false
	t "build: sanitizers" build build-dev --native-file build-dev.ini
	unit build-dev "ASan, UBSan"
	# Of the shared build: valgrind cannot see into a static C library's malloc.
	valgrind='valgrind -q --error-exitcode=99 --leak-check=full --trace-children=no'
	CK_TIMEOUT_MULTIPLIER=20 unit build-shared "valgrind" --wrap="$valgrind" --timeout-multiplier=10 --no-suite shell --no-suite native
	FAULTS_EVERY=41 CK_TIMEOUT_MULTIPLIER=20 unit build-shared "valgrind, a sample" --wrap="$valgrind" --timeout-multiplier=10 faults
	lint
	t "clang-tidy" tidy
	t "figures" tests/bench/run.sh
fi
# The longest first, so that both processors have work to the end.
boot "lab: bookworm" tests/lab/boot.sh
[ -n "$quick" ] || boot "libvirt lab" tests/libvirt-lab/boot.sh
# Where kernels and firmware differ: the whole cycle and each step. All else is the hook's own.
on_kernels='single-gpu steps steps-more steps-programs steps-pci steps-cpu explicit-release failures trees hugepages'
# shellcheck disable=SC2086 # names
[ -n "$quick$all" ] || boot "lab: bookworm, UEFI" tests/lab/boot.sh --uefi $on_kernels
[ -z "$all" ] || boot "lab: bookworm, UEFI" tests/lab/boot.sh --uefi
for kernel in $kernels; do
	# shellcheck disable=SC2086
	[ -n "$quick" ] || boot "lab: $kernel" tests/lab/boot.sh --suite "$kernel" $on_kernels
	# shellcheck disable=SC2086
	[ -z "$all" ] || boot "lab: $kernel, UEFI" tests/lab/boot.sh --uefi --suite "$kernel" $on_kernels
	[ -z "$all" ] || boot "lab: $kernel, suspend" tests/lab/boot.sh --suite "$kernel" steps-suspend
done
if [ -z "$quick" ]; then
	for scenario in tests/lab/scenarios/*.sh; do
		grep -q '^# boot:' "$scenario" || continue
		if grep -q '^# bench' "$scenario"; then continue; fi
		if [ -n "$faults" ] && grep -q '/lab/faults.sh' "$scenario"; then continue; fi
		boot "lab: $(basename "$scenario" .sh)" tests/lab/boot.sh "$scenario"
	done
fi
[ -z "$all" ] || boot "lab: examples, UEFI" tests/lab/boot.sh --uefi 27-examples
[ -n "$quick" ] || boot "lab: an initramfs of initramfs-tools" tests/lab/initramfs.sh
[ -n "$quick" ] || boot "libvirt lab: AppArmor" tests/libvirt-lab/boot.sh apparmor
if [ -n "$all" ]; then
	boot "libvirt lab: trixie" tests/libvirt-lab/boot.sh --suite trixie
	boot "libvirt lab: autostart at boot" tests/libvirt-lab/boot.sh autostart
	boot "libvirt lab: the unit at boot" tests/libvirt-lab/boot.sh boot-unit
	boot "libvirt lab: an initramfs of initramfs-tools" tests/libvirt-lab/boot.sh initramfs
	boot "libvirt lab: a newcomer in an empty Debian" env LAB_FRESH=bookworm tests/libvirt-lab/boot.sh clone
fi
if [ -n "$faults" ]; then
	boot "lab: every crash" tests/lab/boot.sh --append faults=1 90-kill
	boot "lab: every crash, UEFI" tests/lab/boot.sh --uefi --append faults=1 90-kill
	boot "lab: 200 phases of domains" tests/lab/boot.sh --timeout 2400 --append walk=200 83-domains
	for error in EIO EBUSY ENOSPC ENODEV; do
		boot "lab: every $error" tests/lab/boot.sh --append "faults=1 faults-errno=$error" 91-errno
		boot "lab: every $error, UEFI" tests/lab/boot.sh --uefi --append "faults=1 faults-of=devices faults-errno=$error" 91-errno
	done
fi
run_boots
# shellcheck disable=SC2046 # files without blanks
t "README's figures" tests/figures.sh $build $(logs_of 'lab: bookworm' 'lab: 90-kill' 'lab: 91-errno' 'lab: 95-latency' 'lab: every crash' 'lab: every EIO')

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]

# shellcheck shell=dash
# Domains that start and stop in any order share one host: a device has one owner, and
# tuning goes back with its last user. The order comes from a seed.
#
# On the kernel command line: seed=N for another order; walk=N for N phases in each walk.

kernel_word() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }
SEED=$(kernel_word seed)
WALK=$(kernel_word walk)
: "${SEED:=20240611}"
note "seed $SEED"
rnd() { SEED=$(((SEED * 1103515245 + 12345) % 2147483648)); R=$((SEED / 65536 % $1)); }

gov() { cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | sort -u | tr '\n' ' '; }
pages() { cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages; }

unit shared.service sharedd /dev/null
systemctl start shared.service
first=$(gov)
state "$LAB/before"

# Two at once, for the same things: both get them, one gets the device.
for d in a b; do
	HUGE='' domain $d
	config $d <<-END
	[prepare/begin]
	governor.set = performance
	service.stop = shared.service
	hugepages.allocate = pages=8 size=2M
	END
	sed -i "s|</memory>|</memory><memoryBacking><hugepages/></memoryBacking>|" /etc/lab/$d.xml
done
hook_bg prepare begin a
one=$HOOKPID
hook_bg prepare begin b
two=$HOOKPID
hook_wait "$one"
check "two at once: the first" test "$RC" -eq 0
hook_wait "$two"
check "two at once: the second" test "$RC" -eq 0
equal "the pages add up" "$(pages)" 16
equal "the governor is set" "$(gov)" "performance "
hook_bg release end a
one=$HOOKPID
hook_wait "$one"
equal "one leaves: its pages go" "$(pages)" 8
equal "the governor stays" "$(gov)" "performance "
refute "the unit stays stopped" systemctl -q is-active shared.service
hook_bg release end b
hook_wait "$HOOKPID"
equal "the last one leaves: the governor is the first one's" "$(gov)" "$first"
check "the unit runs" systemctl -q is-active shared.service
state "$LAB/after"
same "$LAB/before" "$LAB/after" "two: the host is as before"

# walk COUNT PHASES: domains d0 … in random order, some of them at the same time.
# up_N=1 while dN is prepared; dev_D is who has device D.
devices()
{
	case $1 in
	0 | 4) echo "$NET1" ;;
	1 | 5) echo "$NET2" ;;
	2 | 6) echo "$NVME" ;;
	*) echo "$GPU $GPU_SOUND $GPU_USB" ;;
	esac
}
define()
{
	local i=0
	while [ $i -lt "$1" ]; do
		# shellcheck disable=SC2046
		domain "d$i" $(devices $i)
		config "d$i" <<-END
		[domain]
		headless = yes
		[prepare/begin]
		hugepages.allocate = pages=$((i + 1)) size=2M
		governor.set = $([ $((i % 3)) = 2 ] && echo ondemand || echo performance)
		$([ $((i % 2)) = 1 ] || echo "service.stop = shared.service")
		pci.detach =
		END
		# One that says itself how it goes back.
		[ $i -ne 5 ] || printf '\n[release/end]\npci.reattach =\nundo =\n' >>"/etc/libvirt/hooks/conf.d/d$i.ini"
		eval "up_$i="
		i=$((i + 1))
	done
	owner0='' owner1='' owner2='' owner3=''
}
# One phase of domain I, in the background; what must come of it is in WANT.
begin()
{
	eval "up=\$up_$1 owner=\$owner$(($1 % 4))"
	if [ -n "$up" ]; then
		WANT=0
		eval "up_$1= owner$(($1 % 4))="
		hook_bg release end "d$1"
	elif [ -n "$owner" ]; then
		WANT="d$owner"
		hook_bg prepare begin "d$1"
	else
		WANT=0
		eval "up_$1=1 owner$(($1 % 4))=$1"
		hook_bg prepare begin "d$1"
	fi
}
finish()
{
	hook_wait "$1"
	case $2 in
	0) [ "$RC" -eq 0 ] || { fail "phase $n: d$3" "$ERR"; bad=1; } ;;
	*)
		if [ "$RC" -ne 1 ] || ! grep -q "belongs to domain $2 now" "$ERR"; then
			fail "phase $n: d$3 is refused, and $2 named" "$ERR"
			bad=1
		fi ;;
	esac
	[ -z "$HOOK_HUNG" ] || { fail "phase $n: d$3 keeps the pipes"; bad=1; }
}
refused_by()
{
	[ "$2" -eq 1 ] && grep -q "belongs to domain $1 now" "$3"
}
# Phases of domains I and J, which want the same device, at the same time. One that leaves
# may be gone in time for the other; of two that come one gets it.
contest()
{
	local up_a up_b owner rc_a err_a rc_b err_b
	eval "up_a=\$up_$1 up_b=\$up_$2 owner=\$owner$(($1 % 4))"
	hook_bg "$(phase_for "$up_a")" "$(sub_for "$up_a")" "d$1"
	one=$HOOKPID
	hook_bg "$(phase_for "$up_b")" "$(sub_for "$up_b")" "d$2"
	two=$HOOKPID
	hook_wait "$one"
	rc_a=$RC err_a=$ERR
	hook_wait "$two"
	rc_b=$RC err_b=$ERR
	contests=$((contests + 1))
	eval "up_$1= up_$2= owner$(($1 % 4))="
	if [ -n "$up_a$up_b" ]; then
		# The one that leaves first.
		[ -n "$up_a" ] || set -- "$2" "$1" "$rc_b" "$rc_a" "$err_b" "$err_a"
		[ $# -gt 2 ] || set -- "$1" "$2" "$rc_a" "$rc_b" "$err_a" "$err_b"
		[ "$3" -eq 0 ] || { fail "phase $n: d$1 leaves beside d$2" "$5"; bad=1; }
		if [ "$4" -eq 0 ]; then
			take "$2"
		else
			refused_by "d$1" "$4" "$6" || { fail "phase $n: d$2 is refused, and d$1 named" "$6"; bad=1; }
		fi
	elif [ -n "$owner" ]; then
		eval "owner$(($1 % 4))=$owner"
		refused_by "d$owner" "$rc_a" "$err_a" || { fail "phase $n: d$1 is refused, and d$owner named" "$err_a"; bad=1; }
		refused_by "d$owner" "$rc_b" "$err_b" || { fail "phase $n: d$2 is refused, and d$owner named" "$err_b"; bad=1; }
	elif [ "$rc_a" -eq 0 ]; then
		take "$1"
		refused_by "d$1" "$rc_b" "$err_b" || { fail "phase $n: d$2 is refused, and d$1 named" "$err_b"; bad=1; }
	else
		[ "$rc_b" -eq 0 ] && take "$2"
		refused_by "d$2" "$rc_a" "$err_a" || { fail "phase $n: one of d$1 and d$2 gets it" "$err_a" "$err_b"; bad=1; }
	fi
}
take() { eval "up_$1=1 owner$(($1 % 4))=$1"; }
phase_for() { if [ -n "$1" ]; then echo release; else echo prepare; fi; }
sub_for() { if [ -n "$1" ]; then echo end; else echo begin; fi; }
# Whoever has a device has it on vfio-pci; what nobody has is at home.
whose()
{
	local i=0 a
	while [ $i -lt 4 ] && [ $i -lt "$1" ]; do
		eval "owner=\$owner$i"
		for a in $(devices $i); do
			case "$owner $(driver "$a")" in
			[0-9]*' vfio-pci') ;;
			' vfio-pci' | [0-9]* | ' -') fail "phase $n: $a is on $(driver "$a"), its owner is d$owner"; bad=1 ;;
			esac
		done
		i=$((i + 1))
	done
}
judge()
{
	local i=0 sum=0 users='' stopped=''
	while [ $i -lt "$1" ]; do
		eval "up=\$up_$i"
		if [ -n "$up" ]; then
			sum=$((sum + i + 1)) users=1
			[ $((i % 2)) = 1 ] || stopped=1
		fi
		i=$((i + 1))
	done
	whose "$1"
	[ "$(pages)" -eq $sum ] || { fail "phase $n: $(pages) pages, not $sum"; bad=1; }
	[ -n "$users" ] || [ "$(gov)" = "$first" ] || { fail "phase $n: nobody is left, and the governor is $(gov)"; bad=1; }
	if [ -n "$stopped" ]; then
		! systemctl -q is-active shared.service || { fail "phase $n: the unit runs"; bad=1; }
	else
		systemctl -q is-active shared.service || { fail "phase $n: the unit does not run"; bad=1; }
	fi
}
walk()
{
	local i j phases=${WALK:-$2}
	bad='' n=0 contests=0 turns=0
	define "$1"
	while [ $n -lt "$phases" ] && [ -z "$bad" ]; do
		n=$((n + 1))
		rnd "$1"
		i=$R
		rnd "$1"
		j=$R
		rnd 2
		# Two at once, every fourth time for the same device; none is started twice.
		turns=$((turns + 1))
		if [ "$1" -eq 8 ] && [ $((turns % 4)) -eq 2 ]; then
			j=$(((i + 4) % 8)) R=1
		fi
		if [ "$R" = 1 ] && [ "$i" -ne "$j" ] && [ $((i % 4)) -eq $((j % 4)) ]; then
			n=$((n + 1))
			contest "$i" "$j"
		else
			begin "$i"
			one=$HOOKPID want=$WANT
			if [ "$R" = 1 ] && [ "$i" -ne "$j" ]; then
				n=$((n + 1))
				begin "$j"
				finish "$HOOKPID" "$WANT" "$j"
			fi
			finish "$one" "$want" "$i"
		fi
		judge "$1"
	done
	i=0
	while [ $i -lt "$1" ]; do
		eval "up=\$up_$i"
		[ -z "$up" ] || { hook_bg release end "d$i"; finish "$HOOKPID" 0 "$i"; }
		i=$((i + 1))
	done
	note "$1 domains: $n phases, $contests times two for the same device"
	check "$1 domains, phases in any order" test -z "$bad" -a "$n" -ge "$phases"
	state "$LAB/after"
	# Without udev's names the kernel gives eth0 to the card that comes back first.
	same "$LAB/before" "$LAB/after" "$1 domains: the host is as before" "$ONEWAY_VFIO|^pci [^ ]* net "
}
modprobe -q cpufreq_ondemand
state "$LAB/before"
walk 2 20
walk 8 40
check "two wanted the same device at once" test "$contests" -gt 0
refute "no journal is left" sh -c 'ls /run/vfio-hook/*.journal'
rm -f /etc/libvirt/hooks/conf.d/d?.ini /etc/libvirt/hooks/conf.d/[ab].ini

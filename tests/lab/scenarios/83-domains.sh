# shellcheck shell=dash
# Domains that start and stop in any order share one host: a device has one owner, and
# tuning goes back with its last user. The order comes from a seed.
#
# On the kernel command line: seed=N for another order; walk=N for N phases in each walk,
# however long they take, where otherwise some seconds are enough.

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
		[prepare/begin]
		hugepages.allocate = pages=$((i + 1)) size=2M
		governor.set = $([ $((i % 3)) = 2 ] && echo ondemand || echo performance)
		$([ $((i % 2)) = 1 ] || echo "service.stop = shared.service")
		pci.detach =
		END
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
	local i j end
	bad='' n=0
	end=$(($(uptime_ms) + 40000))
	define "$1"
	while [ $n -lt "${WALK:-$2}" ] && [ -z "$bad" ] && { [ -n "$WALK" ] || [ "$(uptime_ms)" -lt $end ]; }; do
		n=$((n + 1))
		rnd "$1"
		i=$R
		begin "$i"
		one=$HOOKPID want=$WANT
		rnd "$1"
		j=$R
		rnd 2
		# Two at once, if they do not want the same device.
		if [ "$R" = 1 ] && [ $((i % 4)) -ne $((j % 4)) ]; then
			n=$((n + 1))
			begin "$j"
			finish "$HOOKPID" "$WANT" "$j"
		fi
		finish "$one" "$want" "$i"
		judge "$1"
	done
	i=0
	while [ $i -lt "$1" ]; do
		eval "up=\$up_$i"
		[ -z "$up" ] || { hook_bg release end "d$i"; finish "$HOOKPID" 0 "$i"; }
		i=$((i + 1))
	done
	note "$1 domains: $n phases"
	check "$1 domains, phases in any order" test -z "$bad" -a "$n" -ge "${WALK:-2}"
	state "$LAB/after"
	# Without udev's names the kernel gives eth0 to the card that comes back first.
	same "$LAB/before" "$LAB/after" "$1 domains: the host is as before" "$ONEWAY_VFIO|^pci [^ ]* net "
}
modprobe -q cpufreq_ondemand
state "$LAB/before"
walk 2 40
walk 8 160
refute "no journal is left" sh -c 'ls /run/vfio-hook/*.journal'
rm -f /etc/libvirt/hooks/conf.d/d?.ini /etc/libvirt/hooks/conf.d/[ab].ini

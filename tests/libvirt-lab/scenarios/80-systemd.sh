# shellcheck shell=dash
# The steps that speak to systemd, by a real one, three guests in a row: units of the system's
# and of a user's, a user's programs, what keeps the host awake. systemd refuses more than two
# starts of a unit here, unless its count is reset before.

units=/etc/systemd/system
for n in one two three; do
	printf '[Unit]\nStartLimitIntervalSec=1d\nStartLimitBurst=2\n[Service]\nExecStart=/bin/sleep infinity\n' \
		>$units/lab-$n.service
done
mkdir -p /etc/systemd/user
cp $units/lab-one.service /etc/systemd/user/lab-user.service
cp /bin/sleep /usr/local/bin/lab-poller
echo content >"$LAB/owned"
chmod 600 "$LAB/owned"

config win10 <<-END
	[prepare/begin]
	sleep.inhibit   =
	file.own        = owner=user group=kvm mode=0640 $LAB/owned
	service.start   = lab-two.service
	service.restart = lab-three.service
	service.stop    = lab-one.service
	service.stop    = user=user lab-user.service
	process.stop    = user=user lab-poller
END
guest win10

of_user() { timeout 60 systemctl --user --machine=user@ "$@"; }
active() { systemctl -q is-active "$1"; }
user_active() { of_user -q is-active lab-user.service; }
inhibited() { systemd-inhibit --list --no-pager --no-legend | grep -q '^vfio-hook .*sleep:idle:handle-lid-switch'; }
no_user() { [ ! -e /sys/fs/cgroup/user.slice/user-1000.slice ]; }
polls() { pgrep -u "$1" -x lab-poller; }
pollers() { pgrep -u "$1" -x -c lab-poller; }

# systemctl --machine=user@ speaks to a user's manager by way of a service and a session.
BRIDGE='^cgroup .*(/session-|/run-u)'

systemctl daemon-reload
loginctl enable-linger user
check "a user's manager runs" until_true 60 of_user start lab-user.service
check "units run" systemctl start lab-one.service lab-three.service
lab-poller 3600 &
spared=$!
watch_calls

for round in 1 2 3; do
	runuser -u user -- lab-poller 3600 &
	poller=$!
	check "$round: a user's program runs" until_true 30 polls user
	three=$(systemctl show -P MainPID lab-three.service)
	state "$LAB/before"
	virt_ok "$round: virsh start returns" start win10
	check "$round: the host is kept awake" inhibited
	equal "$round: the file's owner and mode" "$(stat -c '%U %G %a' "$LAB/owned")" "user kvm 640"
	refute "$round: service.stop" active lab-one.service
	refute "$round: service.stop user=" user_active
	check "$round: service.start" active lab-two.service
	check "$round: service.restart: it runs" active lab-three.service
	refute "$round: service.restart: as another process" test "$three" = "$(systemctl show -P MainPID lab-three.service)"
	equal "$round: process.stop user=" "$(pollers user) $(pollers root)" "0 1"
	wait $poller
	virt_ok "$round: virsh destroy" destroy win10
	refute "$round: the host may sleep again" inhibited
	equal "$round: the file's owner and mode are back" "$(stat -c '%U %G %a' "$LAB/owned")" "root root 600"
	check "$round: the user's unit runs again" user_active
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$round: the host is as before" "$BRIDGE"
done
equal "nothing on stdout" "$(wc -c <"$LAB/stdout")" 0

# Nobody is logged in: then there is no manager that could be asked.
check "the user's manager ends" loginctl disable-linger user
check "it has ended" until_true 60 no_user
state "$LAB/before"
virt_ok "virsh start without the user" start win10
virt_ok "virsh destroy without the user" destroy win10
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before, without the user"

kill $spared
systemctl stop 'lab-*.service'
rm -f $units/lab-one.service $units/lab-two.service $units/lab-three.service \
	/etc/systemd/user/lab-user.service /usr/local/bin/lab-poller
systemctl daemon-reload

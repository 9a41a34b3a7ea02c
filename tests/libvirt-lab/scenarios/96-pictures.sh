# shellcheck shell=dash
# The pictures of README: what plan shows on a terminal, and what virsh shows of a start that
# is refused. tests/pictures.sh makes them from this scenario's output; here it is looked
# whether they still show what is said.

# shown NAME: what there is, as lines of the picture NAME; the journal lets no escapes through.
shown()
{
	sed "s/pid [0-9]*/pid 812/g; s/\r$//; s/\x1b/\\\\e/g; s/^/# picture $1: /" "$LAB/shown"
}

# letters: without colours, marks and blanks, as lines are broken in a picture.
letters()
{
	sed 's/\x1b\[[0-9;]*m//g; s/pid [0-9]*/pid 812/g' | tr -d ' \r\n'
}

# still NAME COMMAND-LINE: the picture is of what is in $LAB/shown.
still()
{
	sed -n 's/^<text[^>]*>//p' "/lab/pictures/$1.svg" |
		sed 's/<[^>]*>//g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | letters >"$LAB/picture"
	{ echo "\$ $2"; cat "$LAB/shown"; } | letters >"$LAB/wanted"
	if cmp -s "$LAB/picture" "$LAB/wanted"; then
		ok "share/doc/$1.svg shows what is said"
	else
		fail "share/doc/$1.svg shows what is said: make it anew by tests/pictures.sh" "$LAB/shown"
	fi
	shown "$1"
}

config win10 <<-END
	[prepare/begin]
	service.stop       = display-manager.service
	vtconsole.unbind   =
	framebuffer.unbind =
	pci.detach         = timeout=15s
END
guest win10 "$GPU" "$GPU_SOUND"
modprobe vfio-pci # as it is after the first guest
systemctl start display-manager.service

TERM=xterm script -qec 'vfio-hook plan win10' /dev/null </dev/null >"$LAB/shown" 2>&1
equal "plan exits 0" $? 0
still plan "vfio-hook plan win10"

mkdir -p "$LAB/bin"
cp /usr/bin/hold "$LAB/bin/pipewire"
systemd-run -q --unit=pipewire.service "$LAB/bin/pipewire" /dev/snd/controlC0
plays() { find "/proc/$(systemctl show -P MainPID pipewire.service)/fd" -lname "*controlC0" | grep -q .; }
check "a sound server has the card's sound" until_true 30 plays
state "$LAB/before"
if timeout 120 virsh start win10 >"$LAB/shown" 2>&1 </dev/null; then
	fail "the start is refused" "$LAB/shown"
else
	grep . "$LAB/shown" >"$LAB/shown.new"
	mv "$LAB/shown.new" "$LAB/shown"
fi
contains "it is by the hook, with its one line" "$LAB/shown" 'exit status 1: .*pipewire \(pid'
still refused "virsh start win10"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing was touched" "$ONEWAY_VFIO"
systemctl stop pipewire.service

# shellcheck shell=dash
# Whose scripts root runs: with scripts.run = FOLDER only root's own, of a domain's tree all
# but those that everybody can write, and on the way down whatever there is.

log=/var/log/vfio-hook/win10.log
tree=/etc/libvirt/hooks/qemu.d/win10
begin=$tree/prepare/begin
folder=/opt/scripts
conf=/etc/libvirt/hooks/conf.d/win10.ini
rm -f $conf
HUGE='' domain win10
mkdir -p $begin $tree/release/end $folder
chmod 755 /opt $folder
script()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod 755 "$1"
}
# strict DESC REGEX: prepare is refused for it, check says so, too, and no script ran.
strict()
{
	rm -f /run/ran
	hook_refused "scripts.run: $1" "scripts.run \(win10.ini:2\): $2" prepare begin
	refute "scripts.run: $1: none ran" test -e /run/ran
	vfio-hook check win10 </etc/lab/win10.xml >"$LAB/check.out" 2>&1
	equal "scripts.run: $1: check fails" $? 1
	contains "scripts.run: $1: check says the same" "$LAB/check.out" "problem .*win10.ini:2: scripts.run: $2"
	hook_ok "scripts.run: $1: release" release end win10 failed
}
# loose DESC REGEX: scripts of the tree run, with a warning in the log and of check.
loose()
{
	rm -f /run/ran
	: >$log
	hook_ok "tree: $1: prepare" prepare begin
	contains "tree: $1: it ran" /run/ran '^up'
	contains "tree: $1: the log warns" $log "WARNING.*$2"
	vfio-hook check win10 </etc/lab/win10.xml >"$LAB/check.out" 2>&1
	equal "tree: $1: check finds no problem" $? 0
	contains "tree: $1: and warns, too" "$LAB/check.out" "warning .*$2"
	hook_ok "tree: $1: release" release end win10 shutdown
}
# never DESC REGEX: a tree that is refused.
never()
{
	rm -f /run/ran
	hook_refused "tree: $1" "$2" prepare begin
	refute "tree: $1: it did not run" test -e /run/ran
	hook_ok "tree: $1: release" release end win10 failed
}
state "$LAB/before"

# The folder of a line, which must be root's alone, and so must the way to it.
printf '[prepare/begin]\nscripts.run = %s\n' $folder | config win10
script $folder/a 'echo up >>/run/ran'
rm -f /run/ran
hook_ok "scripts.run: all root's own: prepare" prepare begin
equal "scripts.run: it ran" "$(cat /run/ran)" up
hook_ok "scripts.run: release" release end
chgrp user $folder/a
chmod 775 $folder/a
strict "a script that its group can write" \
	"$folder/a runs as root, but the file $folder/a is writable by its group \(mode 0775\), who could make root act: chmod g-w $folder/a"
chgrp root $folder/a
rm -f /run/ran
hook_ok "scripts.run: that group root can write it is fine" prepare begin
check "scripts.run: it ran" test -e /run/ran
hook_ok "scripts.run: release" release end
chmod 755 $folder/a
chown user $folder/a
strict "a script of a user's" \
	"$folder/a runs as root, but the file $folder/a belongs to user \(uid 1000\), who could make root act: chown root:root $folder/a"
chown root $folder/a
chgrp user $folder
chmod 2775 $folder
strict "a folder that its group can write" "$folder runs as root, but the folder $folder is writable by its group \(mode 2775\).*: chmod g-w $folder"
chmod 755 $folder
chgrp root $folder
chmod 777 /opt
strict "a folder above that everybody can write" "$folder runs as root, but the folder /opt is writable by everybody \(mode 0777\).*: chmod go-w /opt"
chmod 755 /opt
chmod 757 $folder/a
strict "a script that everybody can write" "$folder/a runs as root, but the file $folder/a is writable by everybody"
chmod 755 $folder/a
mkdir /opt/theirs
chown user /opt/theirs
mv $folder/a /opt/theirs/
ln -s /opt/theirs/a $folder/a
strict "a link into a user's folder" "$folder/a runs as root, but the folder /opt/theirs belongs to user \(uid 1000\).*: chown root:root /opt/theirs"

# The same folder on the way down keeps nothing from being put back.
chmod 777 /opt/theirs
script /opt/theirs/a 'echo down >>/run/ran'
printf '[prepare/begin]\ngovernor.set = performance\n[release/end]\nundo =\nscripts.run = %s\n' $folder | config win10
rm -f /run/ran
hook_ok "scripts.run in release: prepare" prepare begin
: >$log
hook_ok "scripts.run in release, of everybody's" release end win10 shutdown
contains "scripts.run in release: it ran" /run/ran '^down'
contains "scripts.run in release: and is warned of" $log "WARNING.*the folder /opt/theirs is writable by everybody"
rm -rf /opt/theirs $folder/a
rm -f $conf

# The tree of a domain, as people have it.
script $begin/a 'echo up >>/run/ran'
script $tree/release/end/a 'echo down >>/run/ran'
chgrp user $begin/a
chmod 775 $begin/a
loose "a script that its group can write" "$begin/a is writable by its group \(mode 0775\).*: chmod g-w $begin/a"
chmod 755 $begin/a
chown user $begin/a
loose "a script of a user's" "$begin/a belongs to user \(uid 1000\).*: chown root:root $begin/a"
chown root $begin/a
chown user $begin
loose "a folder of a user's" "the folder $begin belongs to user"
chown root $begin
chmod 777 $tree
never "a folder above that everybody can write" "the folder $tree is writable by everybody \(mode 0777\).*: chmod go-w $tree"
chmod 755 $tree
chmod 777 $begin
never "the folder of the scripts, that everybody can write" "the folder $begin is writable by everybody .*: chmod go-w $begin"
chmod 1777 $begin
never "one with the sticky bit, where everybody can put another one" "the folder $begin is writable by everybody"
chmod 755 $begin

# Opened to all while the guest runs: coming down it is told, and run.
rm -f /run/ran
hook_ok "tree: prepare" prepare begin
chmod 777 $tree/release/end/a
: >$log
hook_ok "tree: coming down with a script of everybody's" release end win10 shutdown
equal "tree: it ran" "$(tail -n 1 /run/ran)" down
contains "tree: and is warned of" $log "WARNING.*$tree/release/end/a runs as root, but the file $tree/release/end/a is writable by everybody"

rm -rf $tree $folder /run/ran
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"

# shellcheck shell=dash
# Modules as distributions ship them: plain, gzip, xz, zstd.

HUGE='' domain win10
config win10 <<END
[prepare/begin]
kmod.load = loop
END
dir=/lib/modules/$(uname -r)
was=$(find "$dir" -name 'loop.ko*')
mv "$was" "$LAB/loop.was"
for form in loop.ko loop.ko.gz loop.ko.xz loop.ko.zst; do
	# Debian's depmod does not see gzip; what counts is the file's content.
	case $form in *.gz) name=loop.ko ;; *) name=$form ;; esac
	cp /lab/modules/loop.ko "$dir/$name"
	/sbin/depmod
	cp "/lab/modules/$form" "$dir/$name"
	hook_ok "$form: prepare" prepare begin
	check "$form: loaded" test -e /sys/module/loop/initstate
	hook_ok "$form: release" release end
	refute "$form: unloaded" test -e /sys/module/loop/initstate
	rm "$dir/$name"
done
mv "$LAB/loop.was" "$was"
/sbin/depmod

#!/bin/sh
# guest.sh SUITE OUT: make the initramfs OUT of the lab's guest.
#
# The big part (busybox, kmod, strace, OpenRC, runit, kernel modules) is kept in the cache and
# made again only when it would differ; the small part (the hook, init, the
# stand-ins, lib.sh and the scenarios) is a second archive behind it.
#
# HOOK=FILE          the executable under test (default build/qemu); when it is
#                    missing, a placeholder that does nothing is installed
# LAB_MODULES=NAMES  more kernel modules; a scenario names its own in a line
#                    '# modules: NAME...'
# LAB_FILES=DIR      its content is laid over the guest's root
# LAB_CACHE=DIR      default build-lab
set -eu

lab=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$lab/../.." && pwd)
cache=${LAB_CACHE:-$top/build-lab}
hook=${HOOK:-$top/build/qemu}
suite=${1:?usage: guest.sh SUITE OUT}
out=${2:?usage: guest.sh SUITE OUT}

[ -d "$cache" ] || { mkdir -p "$cache" && echo '*' >"$cache/.gitignore"; }
cache=$(cd "$cache" && pwd)
kernel=$cache/kernel/$suite
LAB_CACHE=$cache "$lab/kernel.sh" "$suite"
version=$(cat "$kernel/version")

modules="bochs bochs-drm vgem
vfio-pci vfio_iommu_type1 pci-stub
snd-hda-intel snd-hda-codec-generic snd-hda-codec-hdmi snd-dummy
xhci-pci usbhid hid-generic usb-storage
e1000e nvme
acpi-cpufreq cpufreq_ondemand cpufreq_conservative cpufreq_powersave cpufreq_userspace
loop dummy i2c-dev null_blk
${LAB_MODULES:-}
$(sed -n 's/^# modules: *//p' "$lab"/scenarios/*.sh 2>/dev/null || :)"
# shellcheck disable=SC2086 # one word each
modules=$(printf '%s\n' $modules | sort -u)

work=$(mktemp -d "${TMPDIR:-/tmp}/lab-guest.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | sort -z | cpio -o -0 -H newc -R 0:0 --quiet)
}

# A dynamic program with its libraries and loader.
program()
{
	mkdir -p "$base/$(dirname "$2")"
	cp -L "$1" "$base/$2"
	ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
	while read -r f; do
		[ -e "$base$f" ] && continue
		mkdir -p "$base$(dirname "$f")"
		cp -L "$f" "$base$f"
	done
}

# plain MODULE: its content.
plain()
{
	f=$(find "$to" -name "$1.ko*")
	case $f in
	*.xz) xz -dc "$f" ;;
	*.zst) zstd -dcq "$f" ;;
	*.gz) gzip -dc "$f" ;;
	*) cat "$f" ;;
	esac
}

# standin NAME MODULE SED...: the kernel's MODULE as NAME.ko, with names just as long in
# place of its own, and without the signature, which would not be right any more.
standin()
{
	name=$1 model=$2
	shift 2
	plain "$model" | LC_ALL=C sed -e 's/~Module signature appended~//' "$@" >"$to/extra/$name.ko"
}

# Modules that users have and no lab. None is to be loaded for the devices of its model.
make_standins()
{
	mkdir -p "$to/extra"
	# drives the network cards
	standin nvidia e1000e -e 's/alias=pci:/alias=lab:/g; s/e1000e/nvidia/g'
	# makes /dev/kvmfr0; a size is its parameter
	standin kvmfr null_blk -e 's/hw_queue_depth/static_size_mb/g; s/nullb/kvmfr/g' \
		-e 's/null_blk\x00/kvmfr\x00\x00\x00\x00/g'
	# a variant of vfio-pci
	standin vfio-lab vfio-pci -e 's/alias=vfio_pci:/alias=lab_lab_:/g' \
		-e 's/vfio-pci\x00/vfio-lab\x00/g; s/vfio_pci\x00/vfio_lab\x00/g'
}

# The loop module in every form that distributions ship modules in.
make_compressed()
{
	mkdir -p "$base/lab/modules"
	plain loop >"$base/lab/modules/loop.ko"
	gzip -k "$base/lab/modules/loop.ko"
	xz -k --check=crc32 "$base/lab/modules/loop.ko"
	zstd -kq "$base/lab/modules/loop.ko"
}

make_base()
{
	base=$work/base
	mkdir -p "$base/bin" "$base/sbin" "$base/usr/bin" "$base/usr/sbin"
	cp -L "$(command -v busybox)" "$base/bin/busybox"
	"$base/bin/busybox" --list | while read -r a; do
		case $a in
		busybox | modprobe | insmod | rmmod | lsmod | depmod | modinfo | init | linuxrc) ;;
		*) ln -s busybox "$base/bin/$a" ;;
		esac
	done
	program "$(command -v kmod || echo /bin/kmod)" /bin/kmod
	for a in modprobe insmod rmmod lsmod depmod modinfo; do
		ln -s /bin/kmod "$base/sbin/$a"
	done
	if s=$(command -v strace); then
		program "$s" /usr/bin/strace
	fi
	for a in hold inject lap; do
		cc -O2 -Wall -Wextra -static -o "$base/bin/$a" "$lab/$a.c"
	done

	from=$kernel/tree/lib/modules/$version
	to=$base/lib/modules/$version
	mkdir -p "$to"
	cp "$from/modules.order" "$from/modules.builtin" "$from/modules.builtin.modinfo" "$to/"
	for m in $modules; do
		modprobe -d "$kernel/tree" -S "$version" -C /dev/null --ignore-install --show-depends "$m" 2>/dev/null ||
			case $m in bochs | bochs-drm) ;; *) echo "guest.sh: $suite has no module $m" >&2 ;; esac
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u |
	while read -r f; do
		f=${f##*"/lib/modules/$version/"}
		mkdir -p "$to/$(dirname "$f")"
		cp "$from/$f" "$to/$f"
	done
	make_standins
	depmod -b "$base" "$version"
	make_compressed
	LAB_CACHE=$cache "$lab/services.sh" "$base"
	pack "$base"
}

key=$( { cat "$lab/guest.sh" "$lab/services.sh" "$lab/hold.c" "$lab/inject.c" "$lab/lap.c"; echo "$version $modules"
         stat -L -c '%n %s %Y' "$(command -v busybox)" "$(command -v kmod || echo /bin/kmod)" "$kernel/tree/lib/modules/$version/modules.dep"
       } | sha256sum | cut -c1-16)
big=$cache/guest/$suite-$key.cpio
mkdir -p "$cache/guest"
exec 9>"$cache/guest/lock"
flock 9
if ! [ -s "$big" ]; then
	find "$cache/guest" -name '*.cpio' -mmin +600 -delete
	make_base >"$work/big.cpio"
	mv "$work/big.cpio" "$big.$$"
	mv "$big.$$" "$big"
fi
exec 9>&-

small=$work/small
mkdir -p "$small/etc/libvirt/hooks/conf.d" "$small/etc/libvirt/hooks/qemu.d" "$small/etc/libvirt/qemu" \
	"$small/usr/sbin" "$small/usr/bin" "$small/etc/modprobe.d" "$small/etc/lab" "$small/lab/scenarios" \
	"$small/var/log" "$small/root" "$small/proc" "$small/sys" "$small/dev" "$small/run" "$small/tmp" \
	"$small/home/user"
if [ -f "$hook" ]; then
	install -m 755 "$hook" "$small/etc/libvirt/hooks/qemu"
else
	echo "guest.sh: $hook is not there: a placeholder is used" >&2
	printf '#!/bin/sh\n# placeholder of the lab\nexit 0\n' >"$small/etc/libvirt/hooks/qemu"
	chmod 755 "$small/etc/libvirt/hooks/qemu"
	: >"$small/lab/placeholder"
fi
ln "$small/etc/libvirt/hooks/qemu" "$small/usr/sbin/vfio-hook"
install -m 755 "$lab/guest/init" "$small/init"
for f in "$lab"/guest/*; do
	case $f in */init) ;; *) install -m 755 "$f" "$small/usr/bin/" ;; esac
done
install -m 644 "$lab/lib.sh" "$lab/faults.sh" "$small/lab/"
for f in "$lab"/scenarios/*; do
	[ -e "$f" ] && cp -r "$f" "$small/lab/scenarios/"
done
cp -r "$top/conf.d" "$top/share/initramfs-tools" "$small/lab/"
cat >"$small/etc/passwd" <<-END
	root:x:0:0:root:/root:/bin/sh
	libvirt-qemu:x:64055:64055:Libvirt Qemu:/var/lib/libvirt:/bin/false
	user:x:1000:1000:User:/home/user:/bin/sh
	nobody:x:65534:65534:nobody:/nonexistent:/bin/false
END
cat >"$small/etc/group" <<-END
	root:x:0:
	tty:x:5:
	audio:x:29:user
	video:x:44:user
	kvm:x:104:
	render:x:105:user
	user:x:1000:
	libvirt-qemu:x:64055:
	nogroup:x:65534:
END
echo 6c61620000000000000000000000001a >"$small/etc/machine-id"
[ -z "${LAB_FILES:-}" ] || cp -a "$LAB_FILES/." "$small/"

mkdir -p "$(dirname "$out")"
pack "$small" >"$work/small.cpio"
cat "$big" "$work/small.cpio" >"$out"

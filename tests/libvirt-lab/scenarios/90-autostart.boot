# shellcheck shell=dash
# Before systemd begins, in a chroot on the disk: a domain that is to start with libvirtd,
# and a unit that looks at the host before that.
# shellcheck source=tests/libvirt-lab/lib.sh
. /lab/lib.sh

config win10 <<-END
	[prepare/begin]
	pci.detach = timeout=15s
END
# guest() would define it: there is no libvirtd yet, so the file goes where that looks.
timeout() { cp "$5" /etc/libvirt/qemu/; }
guest win10 "$NET1"
mkdir -p /etc/libvirt/qemu/autostart
ln -s /etc/libvirt/qemu/win10.xml /etc/libvirt/qemu/autostart/

cat >/etc/systemd/system/lab-before.service <<-END
	[Unit]
	Wants=systemd-udev-settle.service
	After=systemd-udev-settle.service systemd-logind.service
	Before=libvirtd.service
	[Service]
	Type=oneshot
	ExecStart=/bin/sh -c '. /lab/lib.sh; mkdir -p \$LAB; state \$LAB/before'
END
ln -s ../lab-before.service /etc/systemd/system/multi-user.target.wants/

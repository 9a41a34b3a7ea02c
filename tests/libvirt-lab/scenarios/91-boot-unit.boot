# shellcheck shell=dash
# Before systemd begins, in a chroot on the disk: the unit is enabled, and the config is there.
ln -s ../vfio-hook-boot.service /etc/systemd/system/multi-user.target.wants/
[ -e /etc/libvirt/hooks/conf.d/win10.ini ] || sed -e '1i [domain]\nheadless = yes' \
	-e 's/^\(gpu *= *\).*/\101:00.*/' -e 's/memory=12G/memory=64M/' \
	/lab/conf.d/ryzen-second-gpu.ini >/etc/libvirt/hooks/conf.d/win10.ini

#!/bin/bash
# Builds vfio-hook and shows its main job on a real kernel in QEMU: the plan, prepare
# and release of a sample domain with an emulated GPU, and that the host is as before.
set -eu
cd "$(dirname "$0")/.."

tests/setup.sh
[ -f build/build.ninja ] || meson setup build >/dev/null
meson compile -C build >/dev/null
echo "Built build/qemu ($(stat -c %s build/qemu) bytes, $(file -b build/qemu | grep -oE 'static-pie linked|statically linked|dynamically linked'))."
echo "Booting a kernel with an IOMMU, a GPU, NICs and an NVMe in QEMU (about 15 s) ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
tests/lab/boot.sh --keep "$log" demo >/dev/null 2>&1 || status=$?
tr -d '\r' <"$log" | sed -n 's/^| \{0,1\}//p'
if [ $status -ne 0 ]; then
	echo "The demo failed:"
	tr -d '\r' <"$log" | grep -E -A 20 '^not ok' || tail -n 20 "$log"
fi
exit $status

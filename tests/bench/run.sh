#!/bin/bash
# Figures of the hook's call for a domain without any config: its time against an empty static
# program and against the shell helper, as ratios of one run, which are told only, as a busy
# machine gives others; its system calls and the executable's size, which may not be worse
# than README says. Peak memory is in the lab's scenario 80-figures.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/hooks"
cp build/qemu "$dir/hooks/qemu"
strip "$dir/hooks/qemu"
echo 'int main(void) { return 0; }' >"$dir/empty.c"
gcc -O2 -static -o "$dir/empty" "$dir/empty.c"
cat >"$dir/hooks/helper" <<'END'
#!/bin/bash
# What a shell helper does for a domain without scripts.
path="$(dirname "$0")/qemu.d/$1/$2/$3"
set -e
if [ -f "$path" ] && [ -s "$path" ] && [ -x "$path" ]; then
	eval \""$path"\" "$@"
elif [ -d "$path" ]; then
	while read -r file; do
		[ -z "$file" ] || eval \""$file"\" "$@"
	done <<<"$(find -L "$path" -maxdepth 1 -type f -executable -print)"
fi
END
chmod 755 "$dir/hooks/helper"
hyperfine -N --warmup 100 --runs 1000 --export-csv "$dir/csv" \
	"$dir/empty" "$dir/hooks/qemu other prepare begin -" \
	"$dir/hooks/helper other prepare begin -" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
awk -F, -v told="$(tests/figures.sh --row "call for a domain without config")" '
	NR > 1 { m[NR] = $7 }
	END {
		printf "call without config / empty static program: %.2f (README: %s)\n", m[3] / m[2], told
		printf "shell helper / empty static program:         %.2f\n", m[4] / m[2]
	}' "$dir/csv"
# calls PROGRAM...: the system calls of it and its children.
calls()
{
	strace -qq -f -e signal=none -o "$dir/strace" "$@"
	wc -l <"$dir/strace"
}
more=$(($(calls "$dir/hooks/qemu" other prepare begin -) - $(calls "$dir/empty")))
told=$(tests/figures.sh --row "system calls of it beyond")
echo "system calls of it beyond the empty program's: $more (README: $told)"
[ "$more" -le "$told" ]
tests/figures.sh build

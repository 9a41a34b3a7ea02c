#!/bin/sh
# pictures.sh [--check] CHECK_PICTURES: makes the pictures in share/doc from what the command
# prints on a terminal; --check: are those that are there still what it prints?
# CHECK_PICTURES is the unit test of that name in the build folder. Exits with 77, skipped,
# where there is no script(1) or no root.
set -eu
export LC_ALL=C
top=$(cd "$(dirname "$0")/.." && pwd)
check=
[ "$1" != --check ] || { check=1; shift; }
program=$1
command -v script >/dev/null && [ "$(id -u)" = 0 ] || exit 77
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Text with a terminal's colours on stdin; each run of one colour becomes a tspan.
svg()
{
	awk '
	BEGIN {
		class["0"] = ""; class["1"] = "head"; class["2"] = "dim"; class["32"] = "good"
		class["33"] = "warn"; class["1;31"] = "bad"
	}
	function escaped(s) {
		gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s)
		return s
	}
	function columns(s) { gsub(/[\200-\277]/, "", s); return length(s) }
	function piece(s) {
		if (s == "") return ""
		if (now == "") return escaped(s)
		return "<tspan class=\"" now "\">" escaped(s) "</tspan>"
	}
	{
		rest = $0; text = ""; plain = ""
		while (match(rest, /\033\[[0-9;]*m/)) {
			before = substr(rest, 1, RSTART - 1)
			text = text piece(before); plain = plain before
			code = substr(rest, RSTART + 2, RLENGTH - 3)
			if (!(code in class)) { print "unknown colour " code >"/dev/stderr"; exit 1 }
			now = class[code]
			rest = substr(rest, RSTART + RLENGTH)
		}
		line[NR] = text piece(rest); plain = plain rest
		if (columns(plain) > widest) widest = columns(plain)
	}
	END {
		w = widest * 8.4 + 32; h = NR * 19 + 28
		printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">\n", w, h
		print "<style>text{font:14px monospace;fill:#d8d8d8;white-space:pre}.head{font-weight:bold;fill:#fff}"
		print ".dim{fill:#8a8a8a}.good{fill:#7c3}.warn{fill:#db3}.bad{font-weight:bold;fill:#f66}</style>"
		print "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#1c1c1c\"/>"
		for (i = 1; i <= NR; i++)
			printf "<text x=\"16\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", i * 19 + 12, line[i]
		print "</svg>"
	}'
}

# Long lines go on below their text.
wrap()
{
	awk '{
		while (length($0) > 112 && match(substr($0, 12, 100), / [^ ]*$/)) {
			print substr($0, 1, RSTART + 10)
			$0 = "           " substr($0, RSTART + 12)
		}
		print
	}'
}

# picture NAME WORDS: the answer to `vfio-hook WORDS`, below the line that was typed.
picture()
{
	{
		printf '$ vfio-hook %s\n' "$2"
		script -qec "env TERM=xterm PICTURE=$1 '$program' >'$tmp/log' 2>&1" /dev/null </dev/null
	} | tr -d '\r' | sed 's|/[^ ]*/faketree-[A-Za-z0-9]*||g' | wrap | svg >"$tmp/$1.svg"
	grep -q "DEVICE\|problem" "$tmp/$1.svg" || { cat "$tmp/log"; echo "$1: no picture"; exit 1; }
	if [ -z "$check" ]; then
		cp "$tmp/$1.svg" "$top/share/doc/$1.svg"
	elif ! cmp -s "$tmp/$1.svg" "$top/share/doc/$1.svg"; then
		diff -u "$top/share/doc/$1.svg" "$tmp/$1.svg" || :
		echo "share/doc/$1.svg is not what the command prints: tests/pictures.sh $program"
		exit 1
	fi
}

picture plan "plan win10"
picture refused "check win10"

#!/bin/sh
# pictures.sh LOG: makes the pictures in share/doc from what plan and virsh showed in a real
# machine: LOG is what `tests/libvirt-lab/boot.sh --keep LOG 96-pictures` wrote. That scenario
# looks, too, whether the pictures are still what is said.
set -eu
export LC_ALL=C
top=$(cd "$(dirname "$0")/.." && pwd)
log=$1
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

# picture NAME LINE: what the log has of it, below the line that was typed.
picture()
{
	{
		printf '$ %s\n' "$2"
		tr -d '\r' <"$log" | sed -n "s/^# picture $1: //p" | sed 's/\\e/\x1b/g'
	} | wrap | svg >"$tmp/$1.svg"
	[ "$(grep -c '^<text' "$tmp/$1.svg")" -gt 2 ] || { echo "$log has no picture $1" >&2; exit 1; }
	cp "$tmp/$1.svg" "$top/share/doc/$1.svg"
}

picture plan "vfio-hook plan win10"
picture refused "virsh start win10"

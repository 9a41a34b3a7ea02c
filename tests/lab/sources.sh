# shellcheck shell=dash
# The machine's own package sources, turned to another suite; sourced by what fetches packages.

# shellcheck source=/dev/null
machine=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")

# sources SUITE FOLDER: writes FOLDER/lab.sources and FOLDER/lab.list: the machine's
# sources, with SUITE (and its -security) where its own stand. Other archives, -updates
# and -backports are left out.
sources()
{
	local suite=$1 folder=$2 base=${1%-backports} f
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] || continue
		awk -v own="$machine" -v new="$suite" -v base="$base" '
		BEGIN { RS = ""; FS = "\n" }
		{
			text = ""; keep = 0
			for (i = 1; i <= NF; i++) {
				line = $i
				if (line ~ /^[ \t]*#/)
					continue
				if (tolower(line) ~ /^suites:/) {
					n = split(line, w, /[ \t]+/); line = "Suites:"
					for (j = 2; j <= n; j++) {
						if (w[j] == own) {
							line = line " " new
							if (base != new)
								line = line " " base
							keep = 1
						} else if (w[j] == own "-security" && base != "sid") {
							line = line " " base "-security"; keep = 1
						}
					}
				}
				text = text line "\n"
			}
			if (keep)
				print text
		}' "$f" >>"$folder/lab.sources"
	done
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$f" ] || continue
		awk -v own="$machine" -v new="$suite" -v base="$base" '
		$1 == "deb" {
			for (i = 2; i <= NF; i++) {
				if ($i == own) { $i = new; print; break }
				if ($i == own "-security" && base != "sid") {
					$i = base "-security"; print; break
				}
			}
		}' "$f" >>"$folder/lab.list"
	done
}

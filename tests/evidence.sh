#!/bin/bash
# evidence.sh MAILWITNESS - what is written of each finding of each golden, and of one of each kind in the captures
# of tests/states, opens in tshark without a word, has the frames that the report names, a comment on each, and no
# password
#
# usage: evidence.sh [--sanitized] MAILWITNESS
# --sanitized: a build with a sanitizer writes one of each kind of each golden; what tshark reads in it is the same in
# every build.
set -u
cd "$(dirname "$0")/.." || exit 1
sanitized=
[ "${1-}" != --sanitized ] || { sanitized=1; shift; }
[ $# -eq 1 ] || { sed -n '6s/^# \?//p' tests/evidence.sh >&2; exit 64; }
program=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
bad=0 checked=0

complain() {
	echo "evidence: $*"
	bad=$((bad + 1))
}

check() {	# case's name, finding
	local written=$out/secrets/$1/$2.pcapng wanted frames comments

	timeout 60 "$program" evidence -w "$written" "$out/case" "$2" 2> "$out/error" ||
		{ complain "$1, finding $2: $(cat "$out/error")"; return; }
	timeout 60 "$program" explain "$out/case" "$2" > "$out/secrets/$1/$2.txt" ||
		complain "$1, finding $2: explain fails"
	checked=$((checked + 1))
	[ -z "$sanitized" ] || return
	wanted=$(sqlite3 "$out/case" "SELECT count(*) FROM evidence WHERE finding = $2")
	timeout 60 tshark -n -r "$written" -T fields -e frame.number -e frame.comment > "$out/read" 2> "$out/error"
	grep -v '^Running as user' "$out/error" && complain "$1, finding $2: tshark complains"
	frames=$(wc -l < "$out/read")
	comments=$(grep -c "finding $2, " "$out/read")
	[ "$wanted" -gt 0 ] || complain "$1, finding $2 has no evidence"
	[ "$frames" = "$wanted" ] || complain "$1, finding $2: $frames frames, the case has $wanted"
	[ "$comments" = "$wanted" ] || complain "$1, finding $2: $comments comments on $wanted frames"
}

each="SELECT min(id) FROM finding GROUP BY kind"
findings=${sanitized:+$each}
findings=${findings:-SELECT id FROM finding}
for dir in tests/golden/*/; do
	name=$(basename "$dir")
	[ -e "$dir/args" ] || continue
	rm -f "$out/case"
	mkdir -p "$out/secrets/$name"
	read -ra args < "$dir/args"
	timeout 120 "$program" replay -q -w "$out/case" "${args[@]}" "$dir"/capture.* > /dev/null 2>&1
	found=$(sqlite3 "$out/case" "$findings") || complain "$name: no case came of it"
	for finding in $found; do
		check "$name" "$finding"
	done
done
for capture in tests/states/*.pcap; do
	name=${capture##*/}
	rm -f "$out/case"
	mkdir -p "$out/secrets/$name"
	timeout 120 "$program" replay -q -w "$out/case" "$capture" > /dev/null 2>&1
	found=$(sqlite3 "$out/case" "$each") || complain "$name: no case came of it"
	for finding in $found; do
		check "$name" "$finding"
	done
done
tests/golden_secrets "$out/secrets" || complain "a secret is in the evidence"
# A file that changed since must not pass as what was judged.
cp tests/golden/plain-imap-login/capture.pcap "$out/capture.pcap"
rm -f "$out/case"
timeout 60 "$program" replay -q -w "$out/case" "$out/capture.pcap" > /dev/null
printf 'x' | dd of="$out/capture.pcap" bs=1 seek=200 conv=notrunc 2> /dev/null
timeout 60 "$program" evidence -w "$out/changed.pcapng" "$out/case" 1 2> /dev/null
[ $? = 65 ] || complain "a changed capture does not give 65"
[ ! -e "$out/changed.pcapng" ] || complain "evidence of a changed capture stays"
echo "evidence: $checked findings, $bad wrong"
[ "$bad" = 0 ] && [ "$checked" -gt 20 ]

#!/bin/bash
# golden.sh - every capture of tests/golden gives the report that was agreed on
#
# usage: golden.sh [--write|--sanitized] PROGRAM
#
# A case is a directory tests/golden/NAME with
#   capture.*     the capture; where `script` is beside it, tests/mkpcap makes the same bytes of that
#   args          options for `mailwitness replay`, before the capture
#   more          where it is there: words behind it, those that are files of the case among them; NAME.script
#                 makes NAME.pcap
#   exit          its exit status, written by hand
#   README        what it is, and below it what must be found, written by hand (golden_report reads it)
#   tlsrpt        where it is there: what `mailwitness export --format tlsrpt` makes of the case
#   expect.json   the report with one worker and with four, byte for byte but for versions and line
#                 ends; --write makes it anew
# Nothing that comes out may hold the lab's password, in any form that golden_secrets knows.
# --sanitized: a build with a sanitizer, which makes the report with four workers, and nothing else: what is written
# of a case is what states_replay has it write, and what others read in it is the same in every build.
set -u
cd "$(dirname "$0")/.." || exit 1

write= sanitized=
[ "${1-}" != --write ] || { write=1; shift; }
[ "${1-}" != --sanitized ] || { sanitized=1; shift; }
[ $# -eq 1 ] || { sed -n '2,4s/^# \?//p' tests/golden.sh >&2; exit 64; }
program=$1
all=$(mktemp -d)
trap 'rm -rf "$all"' EXIT
reports=()	# README and report of each case
passed=0
failed=0

run() {		# file of its output, then arguments of mailwitness
	local to=$1
	shift
	timeout 120 "$program" "$@" > "$out/$to" 2>> "$out/stderr"
}

# With the ASN database that came with the program and a CA of the lab, whatever the system has.
replay() {	# file of its output, then arguments
	local to=$1
	shift
	run "$to" replay --asn-db classify/asn.mmdb --ca-file tests/golden/tls12-trusted/ca.pem "$@"
}

# Which libndpi, catalogue and ASN database there were is not what a case is about. Line ends are put in
# so that people can read differences; every other byte stays.
comparable() {
	sed -E 's/("(mailwitness|ndpi|catalogue|asn)":)"[^"]*"/\1"*"/g; s/([[{,])"/\1\n"/g; s/\},\{/},\n{/g'
}

try_tlsrpt() {	# directory with the SMTP TLS reports of the case: they are those, and RFC 8460's
	mkdir "$out/tlsrpt"
	run tlsrpt.out export --format tlsrpt --contact tls@lab.example -o "$out/tlsrpt" "$out/case"
	[ -z "$write" ] || { rm -f "$1"/*; cp "$out"/tlsrpt/* "$1"; }
	diff -ru "$1" "$out/tlsrpt" || { echo "the SMTP TLS reports are not those in $1"; return 1; }
	python3 -c 'import json, jsonschema, sys
schema, *reports = [json.load(open(path)) for path in sys.argv[1:]]
for report in reports:
    jsonschema.validate(report, schema)' tests/tlsrpt.schema.json "$out"/tlsrpt/*
}

read_case() {	# directory: what there is to know of it in capture, args, more, wanted; false if anything is missing
	capture=$(echo "$1"/capture.*) more=()
	[ -e "$1/args" ] && [ -e "$1/exit" ] && [ -e "$1/README" ] && [ -e "$capture" ] || return 1
	read -ra args < "$1/args"
	[ ! -e "$1/more" ] || read -ra more < "$1/more"
	for i in "${!more[@]}"; do
		[ ! -e "$1/${more[i]}" ] || more[i]=$1/${more[i]}
	done
	wanted=$(cat "$1/exit")
}

scripts_agree() {	# directory
	local script made agree=0
	for script in "$1"/script "$1"/*.script; do
		[ -e "$script" ] || continue
		made=$capture
		[ "$script" = "$1/script" ] || made=${script%.script}.pcap
		tests/mkpcap "$script" | cmp -s - "$made" || { echo "tests/mkpcap makes another capture of $script"; agree=1; }
	done
	return $agree
}

try_others() {	# case, its directory: what is written of it besides the first report
	local wrong=0

	scripts_agree "$2" || wrong=1
	replay four.json --json --workers 4 "${args[@]}" "$capture" "${more[@]}"
	replay text "${args[@]}" "$capture" "${more[@]}"
	run again.json report --json "$out/case"
	cmp -s "$out/one.json" "$out/four.json" ||
		{ echo "$1: one worker and four do not agree"; wrong=1; }
	cmp -s "$out/one.json" "$out/again.json" ||
		{ echo "$1: the case file gives another report"; wrong=1; }
	if [ -d "$2/tlsrpt" ]; then
		try_tlsrpt "$2/tlsrpt" || wrong=1
	else				# for its secrets alone
		run tlsrpt.out export --format tlsrpt --contact tls@lab.example -o "$out" "$out/case"
	fi
	reports+=("$2/README" "$out/one.json")
	return $wrong
}

try() {		# case: prints what is wrong, false if anything is
	local dir=tests/golden/$1 wrong=0 workers=${sanitized:+4} capture args more wanted status i

	read_case "$dir" || { echo "$1: capture.*, args, exit or README is missing"; return 1; }
	out=$all/$1
	mkdir "$out"
	replay one.json --json --workers "${workers:-1}" -w "$out/case" "${args[@]}" "$capture" "${more[@]}"
	status=$?
	[ $status = "$wanted" ] || { echo "$1: exit status $status, not $wanted"; wrong=1; }
	comparable < "$out/one.json" > "$out/report.json"
	[ -z "$write" ] || cp "$out/report.json" "$dir/expect.json"
	diff -u "$dir/expect.json" "$out/report.json" > "$out/difference" 2>&1 ||
		{ echo "$1: the report is not expect.json"; head -20 "$out/difference"; wrong=1; }
	[ -n "$sanitized" ] || try_others "$1" "$dir" || wrong=1
	[ $wrong = 0 ] || cat "$out/stderr"
	return $wrong
}

for dir in tests/golden/*/; do
	name=$(basename "$dir")
	[ "$name" != parts ] || continue	# what scripts include
	if try "$name"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
if [ -z "$sanitized" ]; then
	tests/golden_report "${reports[@]}" || failed=$((failed + 1))
	tests/golden_secrets "$all" || failed=$((failed + 1))
fi
echo "golden: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]

#!/usr/bin/env bash
# check.sh OUT [NAME...] - runs every test that is built in OUT, or those: units, fuzz targets, goldens, comparison
# with tshark
#
# As many at a time as there are processors. Prints one line and the time for each, what failed in full, and at the
# end "N passed, N failed", and behind that in words what could not be run here.
set -u
out=$1
shift
only=("$@")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
touch "$dir/passed" "$dir/failed" "$dir/not-run"

said() { # FILE NAME WORD: what became of it, and with its output in one piece
	echo "$2" >>"$dir/$1"
	flock "$dir" sh -c 'echo "$0"; [ ! -e "$1" ] || cat "$1"' "$3" "${4-/nowhere}"
}

attempt() { # NAME COMMAND...
	local name=$1 status begun=$SECONDS log=$dir/log.$1 took TIMEFORMAT=%U+%S; shift
	{ time timeout 600 "$@" >"$log" 2>&1; } 2>"$log.time"
	status=$?
	took="$((SECONDS - begun)) s, of a processor $(cat "$log.time")"
	if [ $status = 0 ]; then
		said passed "$name" "ok    $name, $took"
	elif [ $status = 77 ] && grep -q '^not run: ' "$log"; then
		said not-run "$name $(grep '^not run: ' "$log")" "----  $name $(grep '^not run: ' "$log")"
	else
		said failed "$name" "FAIL  $name (status $status), $took" "$log"
	fi
}

try() { # NAME COMMAND...
	[ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $1 "* ]] || return
	[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n
	attempt "$@" &
}

is_program() {
	case $1 in *.o | *.d) return 1 ;; esac
	[ -x "$1" ] && [ -f "$1" ]
}

export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=8 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
sanitized=
[ "$out" = build ] || sanitized=--sanitized

# The long ones first. What compares with other programs' reading, or asks many cases one by one, takes its time:
# once, with the plain build. So does what needs the sandbox: a build with a sanitizer has none.
if [ -z "$sanitized" ]; then
	for t in property differential credentials vary dane export html browser docs.sh run.sh; do
		try "$t" "tests/$t" "$out/mailwitness"
	done
fi
try golden tests/golden.sh $sanitized "$out/mailwitness"
try watch tests/watch.sh "$out/mailwitness"
try keep tests/keep.sh "$out/mailwitness"
if [ -z "$sanitized" ]; then
	for t in log process sandbox kills; do
		try $t "tests/$t.sh" "$out/mailwitness"
	done
fi
try serve tests/serve "$out/mailwitness"
# For races: the pipeline, which is the same for all captures, what serves, and the units that begin threads, which
# are all that the Makefile builds for that.
if [ "$out" != build-thread ]; then
	try evidence tests/evidence.sh $sanitized "$out/mailwitness"
	try states tests/states_replay "$out/mailwitness"
	try cli tests/cli.sh "$out/mailwitness"
fi
for t in "$out"/tests/test_*; do
	is_program "$t" && try "${t##*/}" "$t"
done
for t in "$out"/tests/fuzz_*; do
	is_program "$t" || continue
	shopt -s nullglob
	corpus=(tests/corpus/"${t##*/fuzz_}"/*)
	shopt -u nullglob
	# Without inputs to begin with, noise would hardly get past the first bytes.
	[ ${#corpus[@]} -gt 0 ] || said failed "${t##*/}" "FAIL  ${t##*/} has no tests/corpus/${t##*/fuzz_}"
	try "${t##*/}" "$t" "${corpus[@]}"
done
wait
passed=$(wc -l <"$dir/passed") failed=$(wc -l <"$dir/failed")
echo "$passed passed, $failed failed$(sed 's/^/, /' "$dir/not-run" | tr -d '\n')"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

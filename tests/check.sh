#!/usr/bin/env bash
# check.sh OUT - runs every test that is built in OUT: units, fuzz targets, goldens, comparison with tshark
#
# Prints one line and the time for each, what failed in full, and at the end "N passed, N failed", and behind that in words what
# could not be run here.
set -u
out=$1
passed=0 failed=0 not_run=
log=$(mktemp)
trap 'rm -f "$log"' EXIT

try() { # NAME COMMAND...
	local name=$1 status begun=$SECONDS; shift
	timeout 600 "$@" >"$log" 2>&1
	status=$?
	if [ $status = 0 ]; then
		echo "ok    $name, $((SECONDS - begun)) s"
		passed=$((passed + 1))
	elif [ $status = 77 ] && grep -q '^not run: ' "$log"; then
		echo "----  $name $(grep '^not run: ' "$log")"
		not_run="$not_run, $name $(grep '^not run: ' "$log")"
	else
		echo "FAIL  $name (status $status)"
		cat "$log"
		failed=$((failed + 1))
	fi
}

export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for t in "$out"/tests/test_*; do
	[ -x "$t" ] && [ -f "$t" ] && case $t in *.o | *.d) ;; *) try "${t##*/}" "$t" ;; esac
done
for t in "$out"/tests/fuzz_*; do
	[ -x "$t" ] && [ -f "$t" ] || continue
	case $t in *.o | *.d) continue ;; esac
	shopt -s nullglob
	corpus=(tests/corpus/"${t##*/fuzz_}"/*)
	shopt -u nullglob
	# Without inputs to begin with, noise would hardly get past the first bytes.
	[ ${#corpus[@]} -gt 0 ] || { echo "FAIL  ${t##*/} has no tests/corpus/${t##*/fuzz_}"; failed=$((failed + 1)); }
	try "${t##*/}" "$t" "${corpus[@]}"
done
try cli tests/cli.sh "$out/mailwitness"
try golden tests/golden.sh "$out/mailwitness"
try states tests/states_replay "$out/mailwitness"
try evidence tests/evidence.sh "$out/mailwitness"
try watch tests/watch.sh "$out/mailwitness"
# The comparison reads the same files with tshark, which takes its time: once, with the plain build.
[ "$out" = build ] && try dane tests/dane "$out/mailwitness"
[ "$out" = build ] && try differential tests/differential "$out/mailwitness"
[ "$out" = build ] && try credentials tests/credentials "$out/mailwitness"
[ "$out" = build ] && try vary tests/vary "$out/mailwitness"
[ "$out" = build ] && try property tests/property "$out/mailwitness"
echo "$passed passed, $failed failed$not_run"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

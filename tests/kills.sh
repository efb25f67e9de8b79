#!/usr/bin/env bash
# kills.sh PROGRAM [COUNT] - a watch under load is killed at random moments, and taken up again in the same case
#
# After each kill the case must be whole; have every datagram that was sent before the time up to which the run says
# that it stored all; and that time must be no longer before the kill than ticks and storing take.
set -u
program=$1 count=${2:-12}
. tests/live/namespaces.sh
limit=3000000000	# ns; on an idle machine 1.3 s, but tests run beside this one

run_in $here stamps $talk stamps 192.168.178.1 "$dir/stamps"
run_in $here logins sh -c "while :; do $talk login 5.9.112.40 0.2; done"
case=$dir/killed.case

# What the last run lacks of what it says it has, the time between that and the kill, and how much that is.
look() { # KILLED_NS
	python3 - "$case" "$dir/stamps" "$1" <<'END'
import sqlite3, sys
case = sqlite3.connect(sys.argv[1])
begun, until = case.execute("SELECT from_ns, until_ns FROM run ORDER BY id DESC LIMIT 1").fetchone()
source = case.execute("SELECT max(id) >> 40 FROM flow").fetchone()[0]
have = set(case.execute("SELECT orig_port, resp_port FROM flow WHERE id >> 40 = ?", (source,)))
sent = [line.split() for line in open(sys.argv[2])]
sent = [(int(s[0]), int(s[1])) for s in sent if len(s) == 3 and begun + 1e7 < int(s[2]) < until - 1e6]
print(sum(ports not in have for ports in sent), int(sys.argv[3]) - max(begun, until), len(sent))
END
}

longest=0 all=0
for ((kill = 1; kill <= count; kill++)); do
	run_in $here watch "$program" watch --asn-db classify/asn.mmdb -i eth0 -w "$case"
	sleep "$((RANDOM % 3)).$((RANDOM % 1000))"
	now=$(date +%s%N)
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	[ -s "$case" ] || continue	# before it was made
	check "kill $kill: the case is whole" is ok "$(sqlite3 "$case" 'PRAGMA integrity_check')"
	[ "$(sqlite3 "$case" 'SELECT count(*) FROM run' 2>/dev/null || echo 0)" != 0 ] || continue
	read -r missing age sent < <(look "$now")
	check "kill $kill: nothing that was stored is missing" is 0 "$missing"
	check "kill $kill: what is missing is of the last seconds: $age ns" test "$age" -lt $limit
	[ "$age" -gt $longest ] && longest=$age
	all=$((all + sent))
done
runs=$(sqlite3 "$case" 'SELECT count(*) FROM run')
check "runs were killed" test "$runs" -gt 1
check "while they stored" test $all -gt 100
check "every gap is a loss" is $((runs - 1)) "$(sqlite3 "$case" "SELECT count(*) FROM loss WHERE reason = 'not-watched'")"
"$program" judge --asn-db classify/asn.mmdb "$case" >"$dir/report"
check "and a line of the report" is $((runs - 1)) "$(grep -c '^Not watched: ' "$dir/report")"
check "which has what came between them" grep -q cleartext-credential "$dir/report"

echo "kills: $passed passed, $failed failed; $runs runs, $all datagrams, at most $((longest / 1000000)) ms lost"
[ $failed = 0 ] && [ $passed -gt 0 ]

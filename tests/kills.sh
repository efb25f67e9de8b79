#!/usr/bin/env bash
# kills.sh PROGRAM [COUNT] - a watch under load is killed at random moments, and taken up again in the same case
#
# After each kill the case must be whole; have every datagram that was sent before the time up to which the run says
# that it stored all; and lack none that was sent a second or more before the kill.
set -u
program=$1 count=${2:-12}
. tests/live/namespaces.sh
limit=1000000000	# ns

run_in $here stamps $talk stamps 192.168.178.1 "$dir/stamps"
run_in $here logins sh -c "while :; do $talk login 5.9.112.40 0.2; done"
case=$dir/killed.case

# What the last run lacks of what it says it has, the age of the oldest that it lacks, and how many were sent.
look() { # KILLED_NS
	python3 - "$case" "$dir/stamps" "$1" <<'END'
import sqlite3, sys
case, killed = sqlite3.connect(sys.argv[1]), int(sys.argv[3])
begun, until = case.execute("SELECT from_ns, until_ns FROM run ORDER BY id DESC LIMIT 1").fetchone()
have = set(case.execute("SELECT orig_port, resp_port FROM flow"))
lines = [line.split() for line in open(sys.argv[2]) if line.endswith("\n")]
sent = [(int(ns), (int(port), int(to)) in have) for port, to, ns in lines if begun + 1e7 < int(ns) < killed]
lacks = [ns for ns, had in sent if not had]
print(sum(ns < until - 1e6 for ns in lacks), killed - min(lacks, default=killed), len(sent))
END
}

ages=() all=0
for ((kill = 1; kill <= count; kill++)); do
	run_in $here watch "$program" watch --asn-db classify/asn.mmdb -i eth0 -w "$case"
	sleep "$((RANDOM % 3)).$((RANDOM % 1000))"
	kill -9 "$pid"
	now=$(date +%s%N)
	wait "$pid" 2>/dev/null
	[ -s "$case" ] || continue	# before it was made
	check "kill $kill: the case is whole" is ok "$(sqlite3 "$case" 'PRAGMA integrity_check')"
	[ "$(sqlite3 "$case" 'SELECT count(*) FROM run' 2>/dev/null || echo 0)" != 0 ] || continue
	read -r missing age sent < <(look "$now")
	check "kill $kill: nothing that was stored is missing" is 0 "$missing"
	check "kill $kill: what is missing is of the last second: $age ns" test "$age" -lt $limit
	ages+=("$age")
	all=$((all + sent))
done
runs=$(sqlite3 "$case" 'SELECT count(*) FROM run')
check "runs were killed" test "$runs" -gt 1
check "while they stored" test $all -gt 100
check "every gap is a loss" is $((runs - 1)) "$(sqlite3 "$case" "SELECT count(*) FROM loss WHERE reason = 'not-watched'")"
"$program" judge --asn-db classify/asn.mmdb "$case" >"$dir/report"
check "and a line of the report" is $((runs - 1)) "$(grep -c '^Not watched: ' "$dir/report")"
check "which has what came between them" grep -q cleartext-credential "$dir/report"

lost() { # PERCENT of the kills lost no more than this, in ms
	printf '%s\n' "${ages[@]}" | sort -n | awk -v part="$1" '{ a[NR] = $1 } END { print int(a[int((NR * part + 99) / 100)] / 1e6) }'
}
echo "kills: $passed passed, $failed failed; $runs runs, $all datagrams;" \
     "lost: median $(lost 50) ms, 95 % up to $(lost 95) ms, at most $(lost 100) ms"
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/usr/bin/env bash
# process.sh PROGRAM - which process a live flow is of, between two network namespaces without a way out
set -u
program=$1
. tests/live/namespaces.sh
command -v curl >/dev/null || cannot "needs curl"
mkdir "$dir/www"
echo hello >"$dir/www/a"
run_in $there www python3 -m http.server -d "$dir/www" 80
soon 10 ip netns exec $here curl -so /dev/null http://5.9.112.40/a

ask() { # CASE SQL
	sqlite3 "$dir/$1.case" "$2"
}
qualities() { # CASE SOURCE-PORT: of the flows from it, with the names
	ask "$1" "SELECT DISTINCT q.quality || ' ' || coalesce(p.name, '-') FROM flow AS f JOIN flow_process AS q ON q.flow = f.id
		AND q.originator LEFT JOIN process AS p ON p.number = q.program WHERE f.orig_port IN ($2) ORDER BY 1" | paste -sd,
}

# A copy of python with a name of its own, so that its path and its hash are nobody else's.
cp "$(readlink -f "$(python3 -c 'import sys; print(sys.executable)')")" "$dir/mailer"
echo '#' >>"$dir/mailer"

# A login that is held, by another user; and one that was there before.
chmod 755 "$dir"
run_in $here before setpriv --reuid 65534 --clear-groups "$dir/mailer" $talk login 5.9.112.40 60
soon 10 sh -c "ip netns exec $here ss -tnH | grep -q ':143'"
before=$(ip netns exec $here ss -tnH | sed -n 's/.*192\.168\.178\.20:\([0-9]*\) .*:143.*/\1/p')
watch named -w "$dir/named.case"
watching=$pid
run_in $here client setpriv --reuid 65534 --clear-groups "$dir/mailer" $talk login 5.9.112.40 3
client=$pid
wait $client
check "it ends with a leak" end $watching INT 1
sha=$(sha256sum <"$dir/mailer" | cut -d' ' -f1)
user=$(getent passwd 65534 | cut -d: -f1)
check "the report names program, process and quality" grep -qF "process: mailer (pid $client), exact: 1 flow" "$dir/named.out"
check "its executable and user" sh -c "tr -s ' \n' ' ' <$dir/named.out | grep -qF '$dir/mailer, user $user'"
check "its hash" sh -c "tr -s ' \n' ' ' <$dir/named.out | grep -qF 'sha256 $sha'"
"$program" report --json "$dir/named.case" >"$dir/named.json"
check "so does the JSON, of client and finding" is "mailer $dir/mailer 65534 $user $sha exact $client mailer exact" "$(python3 - "$dir/named.json" <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
of = lambda where: next(p for p in where["processes"] if p["name"] == "mailer" and p["quality"] == "exact")
c, f = of(report["clients"][0]), of(report["findings"][0])
print(c["name"], c["path"], c["uid"], c["user"], c["sha256"], c["quality"], c["pid"], f["name"], f["quality"])
END
)"
check "explain names it" sh -c "'$program' explain $dir/named.case 1 | grep -qF 'mailer (pid $client), exact'"
check "arguments are not kept" sh -c "! strings -a $dir/named.case | grep -q 'login 5.9.112.40'"
check "a connection that was there before is named, if late or exact" is 1 \
	"$(ask named "SELECT count(*) FROM socket_owner AS s JOIN process AS p ON p.number = s.process WHERE s.local_port = $before AND p.name = 'mailer'")"

# Short ones: many are caught, and none has a name that is not its own.
watch brief -w "$dir/brief.case"
watching=$pid
ip netns exec $here sh -c 'for i in $(seq 50); do curl -so /dev/null http://5.9.112.40/a; done'
for i in $(seq 20); do
	ip netns exec $here tests/live/process brief 5.9.112.40 80 4000$((i % 2))
	ip netns exec $here "$dir/mailer" tests/live/process brief 5.9.112.40 80 4000$((i % 2))
done
(exec ip netns exec $here "$dir/mailer" tests/live/process datagram 5.9.112.40 9 40100 2) &
ip netns exec $here tests/live/process datagram 5.9.112.40 9 40100 2 &
wait $!
sleep 1
check "short processes do not change the end" end $watching INT 2
caught=$(ask brief "SELECT count(*) FROM flow_process AS q JOIN process AS p ON p.number = q.program WHERE quality = 'exact' AND p.name = 'curl'")
echo "process: $caught of 50 short requests named"
check "some of the short requests are named" test "$caught" -ge 5
check "no flow of curl's has another's name" is 0 "$(ask brief "SELECT count(*) FROM flow AS f JOIN flow_process AS q ON q.flow = f.id
	JOIN process AS p ON p.number = q.program WHERE f.resp_port = 80 AND f.orig_port NOT IN (40000, 40001) AND p.name <> 'curl'")"
# The two programs take turns on each of the two ports: the first packet of each flow tells whose turn it was.
check "what took a port over from another never has the other's name" is 0 "$(ask brief "SELECT count(*) FROM
	(SELECT f.id, row_number() OVER (ORDER BY f.first_ns) % 2 AS turn FROM flow AS f WHERE f.orig_port IN (40000, 40001)) AS t
	JOIN flow_process AS q ON q.flow = t.id JOIN process AS p ON p.number = q.program
	WHERE (p.name = 'mailer') = (t.turn = 1)")"
check "all 40 of them are flows" is 40 "$(ask brief 'SELECT count(*) FROM flow WHERE orig_port IN (40000, 40001)')"
check "two on one UDP port are both named, as a guess" is 'port-only mailer,port-only python3' "$(qualities brief 40100)"

# Without the right to look into others.
cp "$program" "$dir/program"
chmod 755 "$dir/program"
run_in $here less capsh --drop=cap_sys_ptrace,cap_dac_read_search,cap_dac_override -- -c \
	"exec '$program' watch --asn-db classify/asn.mmdb -i eth0 -w '$dir/less.case'"
watching=$pid
soon 20 grep -qs "watching eth0" "$dir/less.err"
run_in $here client setpriv --reuid 65534 --clear-groups "$dir/mailer" $talk login 5.9.112.40 1
wait $pid
sleep 1
check "without the right it ends as always" end $watching INT 1
check "and says once what it lacks" is 1 "$(grep -c 'cannot be looked into' "$dir/less.err")"
check "nobody is named, but the user is" is 'none 65534' "$(ask less "SELECT DISTINCT quality || ' ' || uid FROM flow_process WHERE originator" | paste -sd,)"

watch off --no-processes -w "$dir/off.case"
watching=$pid
ip netns exec $here curl -so /dev/null http://5.9.112.40/a
sleep 0.5
check "it can be left out" end $watching INT 2
check "then nothing of processes is kept" is "0 0" "$(ask off 'SELECT (SELECT count(*) FROM process), (SELECT count(*) FROM socket_owner)' | tr '|' ' ')"

# Of a file system that does not answer: who opens the program to hash it waits for ever.
mkdir "$dir/dead"
tests/live/deadfs "$dir/dead" "$dir/mailer" &
dead=$!
started+=($dead)
if soon 10 test -x "$dir/dead/mailer"; then
	watch dead -w "$dir/dead.case"
	watching=$pid
	run_in $here stuck "$dir/dead/mailer" $talk login 5.9.112.40 1
	wait $pid
	soon 20 grep -q 'does not answer' "$dir/dead.err"
	check "that nobody is matched any more is said at once" is 1 "$(grep -c 'processes does not answer' "$dir/dead.err")"
	kill -INT $watching
	check "a dead file system does not keep it from its end" soon 8 sh -c "! kill -0 $watching"
	check "it says that it gave up" grep -q 'given up' "$dir/dead.err"
	check "and what it saw" grep -q cleartext-credential "$dir/dead.out"
	kill $dead
	umount "$dir/dead"
else
	echo "process: not run: a dead file system (no FUSE)"
fi

echo "process: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]

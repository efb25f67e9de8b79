#!/usr/bin/env bash
# log.sh PROGRAM - a case that is written for months: runs one after the other, limits, full disks, signals
set -u
program=$1
. tests/live/namespaces.sh

sql() { # CASE QUERY
	sqlite3 "$dir/$1.case" "$2"
}

# Killed and taken up again.
watch first -w "$dir/log.case"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
soon 5 grep -q cleartext-credential "$dir/first.out"
soon 5 sh -c "[ \$(sqlite3 $dir/log.case 'SELECT until_ns > from_ns FROM run') = 1 ]"
check "a case that is being written is refused" sh -c \
	"ip netns exec $here '$program' watch -i eth0 -w $dir/log.case 2>&1 | grep 'another run is writing it'"
refused() { # STATUS WORDS COMMAND...
	"${@:3}" >/dev/null 2>"$dir/refused"
	is "$1" $? && grep -q "$2" "$dir/refused"
}
check "nor judged by somebody else" refused 73 'another run is writing it' "$program" judge --provider gmx "$dir/log.case"
run_in $here stamps $talk stamps 192.168.178.1 /dev/null 0
sender=$pid
looked() { # STATUS COMMAND...
	timeout 20 "$program" "${@:2}" >"$dir/looked" 2>&1
	is "$1" $? || cat "$dir/looked"
}
for _ in 1 2 3; do
	check "meanwhile a report is to be had" looked 1 report "$dir/log.case"
	check "the page" looked 1 report --html - "$dir/log.case"
	check "a finding" looked 0 explain "$dir/log.case" 1
	check "its packets" looked 0 evidence -w "$dir/evidence" "$dir/log.case" 1
	check "what others read" looked 0 export --format eve -o /dev/null "$dir/log.case"
done
timeout 30 "$program" serve --listen 127.0.0.1:0 "$dir/log.case" 2>"$dir/serve.err" &
started+=($!)
soon 5 grep -q 'at http' "$dir/serve.err"
page() { # and again when the run has written more
	curl -sSf -m 5 "$(sed -n 's/.* at \(http.*\)/\1/p' "$dir/serve.err")" | grep -q '192\.168\.178\.20' && sleep 1
}
check "the case in a browser" page
check "and again" page
kill -9 $sender
check "and nothing of it keeps the run from storing" sh -c "! grep -E 'pauses|dropped' '$dir/first.err'"
kill -9 $watching
wait $watching
check "up to when it watched is stored" is 1 "$(sql log "SELECT until_ns - from_ns BETWEEN 1 AND 60e9 FROM run")"
sleep 1.5
watch second -w "$dir/log.case"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
ip netns exec $here $talk burst 192.168.178.1 3 >/dev/null
check "what the run before found is told" soon 5 grep -q cleartext-credential "$dir/second.out"
sleep 1.2
check "a case is taken up again" end $watching INT 1
check "by other sources" is "0 killed 1 complete" "$(sql log 'SELECT number, end FROM source ORDER BY 1' | tr '|\n' '  ' | sed 's/ $//')"
check "with both logins" is 2 "$(sql log 'SELECT count(*) FROM mail_session')"
check "and the time between as a loss" is "1 0 not-watched" \
	"$(sql log "SELECT frame >> 40, frame & 0xffffffffff, reason FROM loss WHERE flow = 0" | tr '|' ' ')"
gap='SELECT (SELECT from_ns FROM run WHERE id = 2) - until_ns BETWEEN 1.4e9 AND 60e9 FROM run WHERE id = 1'
check "as long as it was" is 1 "$(sql log "$gap")"
check "which the report says" grep -q '^Not watched: .* from 20.*Z to 20.*Z$' "$dir/second.out"
check "also of everyone" grep -q '^Not seen: not-watched (everyone)' "$dir/second.out"
check "and the JSON" sh -c "'$program' report --json $dir/log.case | grep -q '\"gaps\":\\[{\"from\":\"20'"
check "whole" is ok "$(sql log 'PRAGMA integrity_check')"
check "and then it can be judged" looked 1 judge --provider gmx "$dir/log.case"

check "a case of files is not written on" refused 73 'of another kind' sh -c \
	"'$program' replay -q --exit-zero -w $dir/files.case tests/golden/demo/capture.pcap >/dev/null &&
	ip netns exec $here '$program' watch -i eth0 -w $dir/files.case"
check "nor is a watched one by files" refused 73 'not written twice' "$program" replay -w "$dir/log.case" tests/golden/demo/capture.pcap

# Where nothing can be written.
mkdir "$dir/fixed"
check "a read-only disk is said at once" refused 73 'Read-only file system' ip netns exec $here unshare -m sh -c \
	"mount -t tmpfs -o ro none $dir/fixed && exec '$program' watch -i eth0 -w $dir/fixed/case"

# SIGHUP reads the policy again, and goes on with the old one where the new is no good.
run_in $there imap2 $talk imap 52.98.152.162
soon 10 sh -c "ip netns exec $there ss -ltn | grep -q 52.98.152.162:143"
printf 'providers: [ mailbox-org ]\n' >"$dir/policy.yaml"
watch hangup --policy "$dir/policy.yaml" -w "$dir/hangup.case"
watching=$pid
run_in $here client $talk login 52.98.152.162 60
client=$pid
third="third-party-mail (leak, [a-z]*): 192.168.178.20"
check "a session with somebody else is a finding" soon 5 grep -q "^[^ ]* $third" "$dir/hangup.out"
printf 'providers: [ mailbox-org\n' >"$dir/policy.yaml"
kill -HUP $watching
check "a broken policy is told" soon 3 grep -q 'policy.yaml.*; going on with what was read before' "$dir/hangup.err"
printf 'providers: [ microsoft ]\n' >"$dir/policy.yaml"
ip netns exec $here $talk burst 192.168.178.1 2000 >/dev/null &
kill -HUP $watching
check "a good one is read" soon 3 grep -q 'were read again' "$dir/hangup.err"
check "and judged by" soon 3 grep -q "withdrawn: $third" "$dir/hangup.out"
ip netns exec $here $talk login 5.9.112.40 0
wait $!
kill -9 $client
sleep 0.5
check "the last report too" end $watching INT 1
check "in which there is none" sh -c "! '$program' report --exit-zero $dir/hangup.case | grep third-party-mail"
check "no packet was lost" is "0 1" "$(sql hangup "SELECT (SELECT count(*) FROM loss WHERE flow = 0),
	packets = recorded_received FROM source_interface" | tr '|' ' ')"

# A disk that is full, and has room again.
mkdir "$dir/small"
on_small() { # NAME: watches with the case on a small disk that is then filled
	run_in $here "$1" unshare -m sh -c "mount -t tmpfs -o size=4m none $dir/small &&
		exec '$program' watch --asn-db classify/asn.mmdb -i eth0 -w $dir/small/case"
	watching=$pid
	soon 20 grep -qs "watching eth0" "$dir/$1.err" || cat "$dir/$1.err"
	sleep 1.2
	on_disk sh -c "cat /dev/zero >$dir/small/filler" 2>/dev/null
}
on_disk() { # COMMAND...: sees the small disk
	nsenter -m -t $watching "$@"
}
on_small full
ip netns exec $here $talk flows 192.168.178.1 2000
check "a full disk pauses storing" soon 10 grep -q 'storing pauses, watching goes on: database or disk is full' "$dir/full.err"
ip netns exec $here $talk login 5.9.112.40 0
check "what comes then is judged" soon 6 grep -q cleartext-credential "$dir/full.out"
sleep 3
check "and told once" is 1 "$(grep -c 'cleartext-credential (' "$dir/full.out")"
check "but not stored" is 0 "$(on_disk sqlite3 "$dir/small/case" 'SELECT count(*) FROM mail_session')"
on_disk rm "$dir/small/filler"
check "it goes on by itself" soon 5 grep -q 'storing goes on; nothing was lost' "$dir/full.err"
check "with all that waited" is "1 2000" "$(on_disk sqlite3 "$dir/small/case" \
	'SELECT (SELECT count(*) FROM mail_session), (SELECT count(*) FROM flow WHERE resp_port = 9)' | tr '|' ' ')"
check "and ends as always" end $watching INT 1
on_small filled
ip netns exec $here $talk flows 192.168.178.1 2000
soon 10 grep -q 'storing pauses' "$dir/filled.err"
ip netns exec $here $talk login 5.9.112.40 0
sleep 1.5
check "a run that ends on a full disk says what it cannot keep" end $watching INT 73
check "and why" grep -q 'lacks what came last: database or disk is full' "$dir/filled.err"
check "with a report of all" grep -q cleartext-credential "$dir/filled.out"

# A case that is kept below 16 MiB, of much more; a login at the beginning is what a finding rests on.
watch bytes --keep-bytes 16M -w "$dir/bytes.case"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
soon 5 grep -q cleartext-credential "$dir/bytes.out"
run_in $here stamps $talk stamps 192.168.178.1 /dev/null 0
sender=$pid largest=0
sized() {	# until enough was deleted; notes the largest size
	local size
	size=$(($(stat -c %s "$dir/bytes.case") + $(stat -c %s "$dir/bytes.case-wal" 2>/dev/null || echo 0)))
	[ $size -le $largest ] || largest=$size
	[ "$(sql bytes 'SELECT coalesce(sum(facts), 0) FROM deleted' 2>/dev/null || echo 0)" -gt 20000 ]
}
check "old facts go" soon 60 sized
kill -9 $sender
check "with its log the case stayed below: $largest bytes" test $largest -le $((16 << 20))
check "and ends as always" end $watching INT 1
check "what the finding rests on is there" is 1 "$(sql bytes 'SELECT count(*) FROM mail_session')"
check "the report says what went" grep -q '^Deleted: [0-9,]* facts from before 20' "$dir/bytes.out"
check "nothing else was lost" is 0 "$(sql bytes "SELECT count(*) FROM loss WHERE reason <> 'kernel'")"
check "and the case is whole" is ok "$(sql bytes 'PRAGMA integrity_check')"

echo "log: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/usr/bin/env bash
# keep.sh PROGRAM - evidence of what was watched live, with no capture file beside it: the packets that a case
# keeps, that no secret is among them, and that there are no more than were allowed
set -u
program=$1
. tests/live/namespaces.sh
command -v tshark >/dev/null || cannot "needs tshark"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lab \
	-keyout "$dir/key" -out "$dir/cert" 2>/dev/null
run_in $there 443 $talk tls "$dir/cert" "$dir/key"
run_in $there dns $talk dns 192.168.178.1 52.98.152.162
soon 10 sh -c "ip netns exec $there ss -lnut | grep -q ':443 ' && ip netns exec $there ss -lnu | grep -q ':53 '"

relay() { # asks for a vendor's mail host, and sends 300 kB there, with its name in the hello and without
	ip netns exec $here $talk ask 192.168.178.1 outlook.office365.com
	ip netns exec $here $talk send 52.98.152.162 300000 1 outlook.office365.com
	ip netns exec $here $talk send 52.98.152.162 30000 1
}

finding() { # CASE KIND: its number
	sqlite3 "$1" "SELECT min(id) FROM finding WHERE kind = '$2'"
}

# Evidence of a kind of finding in $dir/$2.pcapng; what it says of packets that are missing in $dir/$2.missing.
evidence() { # CASE KIND
	"$program" evidence -w "$dir/$2.pcapng" "$1" "$(finding "$1" "$2")" 2>"$dir/$2.missing"
}

# Each packet that the finding names is there, with its frame's number in its comment, or is told as missing; each
# that is there is one that tcpdump saw, with its length and its header; tshark has nothing to say of the file.
sound() { # CASE KIND
	local n
	n=$(finding "$1" "$2")
	tshark -n -r "$dir/$2.pcapng" -T fields -e frame.comment >"$dir/comments" 2>"$dir/words"
	grep -v '^Running as user' "$dir/words" && return 1
	sed -n "s/^finding $n, .*, frame \([0-9]*\).*/\1/p" "$dir/comments" >"$dir/there"
	is "$(wc -l <"$dir/comments")" "$(wc -l <"$dir/there")" || return 1
	grep -o 'frame [0-9]*' "$dir/$2.missing" | cut -d ' ' -f 2 >"$dir/missing"
	is "$(sqlite3 "$1" "SELECT frame & 0xffffffffff FROM evidence WHERE finding = $n ORDER BY 1")" \
		"$(sort -n "$dir/there" "$dir/missing")" || return 1
	for file in beside.pcap "$2.pcapng"; do
		tshark -n -r "$dir/$file" -T fields -e frame.len -e ip.src -e ip.id -e tcp.seq_raw \
			-e tcp.ack_raw -e tcp.flags -e udp.srcport 2>/dev/null | sort >"$dir/$file.heads"
	done
	is "" "$(comm -13 "$dir/beside.pcap.heads" "$dir/$2.pcapng.heads")"
}

run_in $here tcpdump tcpdump -i eth0 -Z root -s 0 -U --immediate-mode -w "$dir/beside.pcap"
tcpdump=$pid
soon 10 grep -q listening "$dir/tcpdump.err"
watch keep --provider mailbox-org --keep 1 -w "$dir/keep.case"
watching=$pid
ip netns exec $here $talk mail 5.9.112.40
relay
check "a relay is told" soon 5 grep -q 'cloud-relay (leak, suspected)' "$dir/keep.out"
check "and logins" soon 1 grep -q 'cleartext-credential (exposure, proven)' "$dir/keep.out"
all_there() {
	[ "$(sqlite3 "$dir/keep.case" "SELECT count(*) FROM finding_flow AS w JOIN finding AS f ON f.id = w.finding
		JOIN flow AS o ON o.id = w.flow WHERE f.kind = 'cloud-relay' AND o.end <> 'open'")" = 2 ]
}
check "both of its connections" soon 10 all_there
mkdir "$dir/killed"
cp "$dir"/keep.case* "$dir/killed"
check "no secret is in the case file or its log" tests/golden_secrets "$dir/killed"
check "a log is beside the case file" test -s "$dir/killed/keep.case-wal"
check "evidence of a case that is being watched" evidence "$dir/keep.case" cloud-relay
check "is whole" sound "$dir/keep.case" cloud-relay
for what in 'ClientHello for outlook.office365.com; first bytes sent up to outlook.office365.com' \
	'DNS answer: outlook.office365.com is 52.98.152.162'; do
	check "it shows: $what" grep -q "$what" "$dir/comments"
done
check "its hello is read" is outlook.office365.com \
	"$(tshark -n -r "$dir/cloud-relay.pcapng" -T fields -e tls.handshake.extensions_server_name 2>/dev/null | grep .)"
check "the host has its name" sh -c "strings '$dir/cloud-relay.pcapng' | grep -qx outlook.office365.com"
check "what is missing is told" grep -qx 'mailwitness: packet not kept: behind the first 16 KiB of its connection: frame [0-9]*, frame [0-9]*' \
	"$dir/cloud-relay.missing"
"$program" explain "$dir/keep.case" "$(finding "$dir/keep.case" cloud-relay)" >"$dir/explained"
check "explain tells it" grep -qE '^ +[0-9]+  last bytes sent up to outlook.office365.com; packet not kept: behind the first 16 KiB' "$dir/explained"
check "and names no file" sh -c "grep -qx 'packets of eth0' '$dir/explained' && ! grep -q frame.number '$dir/explained'"
for kind in cleartext-credential cleartext-mail; do
	check "evidence of $kind" evidence "$dir/keep.case" $kind
	check "is whole ($kind)" sound "$dir/keep.case" $kind
	check "says what it hides ($kind)" grep -q 'bytes in clear overwritten with' "$dir/comments"
done
check "a login keeps its verb" sh -c "strings '$dir/cleartext-credential.pcapng' | grep -q '\*\* LOGIN \*'"
mkdir "$dir/evidence"
mv "$dir"/*.pcapng "$dir/evidence"
check "no secret is in the evidence" tests/golden_secrets "$dir/evidence"

# More connections than the limit has room for.
ip netns exec $here $talk send 192.168.178.1 20000 100
sleep 2
kill -TERM $tcpdump
wait $tcpdump
check "it ends as always" end $watching INT 1
kept=$(sqlite3 "$dir/keep.case" 'SELECT sum(length(data)) FROM packet')
check "no more is kept than was allowed" test "$kept" -le 1048576
check "and most of that" test "$kept" -ge 800000
check "old connections went" test "$(sqlite3 "$dir/keep.case" 'SELECT dropped_flows FROM keep')" -gt 0
check "a connection has 16 KiB at most" test "$(sqlite3 "$dir/keep.case" 'SELECT max(n) FROM (SELECT sum(size) AS n FROM packet GROUP BY flow)')" -le 16384
for kind in cloud-relay cleartext-credential; do
	check "but not those of findings" evidence "$dir/keep.case" $kind
	check "which are whole ($kind)" sound "$dir/keep.case" $kind
done

# Nothing kept.
watch none --keep 0 -w "$dir/none.case"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
sleep 1
check "without packets it ends as always" end $watching INT 1
evidence "$dir/none.case" cleartext-credential
check "and has no evidence" is 66 $?
check "and says why" grep -q 'no packet was kept' "$dir/cleartext-credential.missing"
check "no file stays" test ! -e "$dir/cleartext-credential.pcapng"

echo "keep: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]

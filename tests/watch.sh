#!/usr/bin/env bash
# watch.sh PROGRAM - live watching, between two network namespaces without a way out
set -u
program=$1
. tests/live/namespaces.sh

same_events() { # NAME: what --eve wrote and what export writes of the case, by type, flow and what they are about
	"$program" export --format eve "$dir/$1.case" >"$dir/$1.exported"
	python3 - "$dir/$1.eve" "$dir/$1.exported" <<'P'
import json, sys
live, case = [sorted(json.dumps([e["event_type"], e.get("flow_id"), e.get("dns"), e.get("tls"), e.get("mailwitness", {}).get("kind")])
                     for e in map(json.loads, open(path)) if e["event_type"] != "stats") for path in sys.argv[1:]]
print(live, case)
sys.exit(live != case or len(case) < 4)
P
}

# A login in clear, told while its connection is held; every packet that tcpdump sees.
run_in $here tcpdump tcpdump -i eth0 -Z root -s 0 -U --immediate-mode -w "$dir/beside.pcap"
tcpdump=$pid
soon 10 grep -q listening "$dir/tcpdump.err"
watch login -w "$dir/login.case" --eve "$dir/login.eve"
watching=$pid
run_in $here client $talk login 5.9.112.40 60
client=$pid
soon 20 grep -q 'logged in' "$dir/client.out"
check "a login in clear is told within 5 seconds" soon 5 grep -q 'cleartext-credential (exposure, proven): 192.168.178.20' "$dir/login.out"
check "and the verdict" soon 1 grep -qE '^[0-9TZ:.-]+ 192\.168\.178\.20: leak: ' "$dir/login.out"
check "while the connection is held" kill -0 $client
check "and it is an event" soon 3 grep -q '"event_type":"alert".*"kind":"cleartext-credential"' "$dir/login.eve"
kill -USR1 $watching
check "SIGUSR1 tells the counts" soon 3 grep -qE 'eth0: [1-9][0-9]* packets captured, [0-9]+ packets received by filter, 0 packets dropped by kernel' "$dir/login.err"
check "nothing is told twice" is 1 "$(grep -c 'cleartext-credential (' "$dir/login.out")"
kill -9 $client
sleep 0.5
kill -TERM $tcpdump
wait $tcpdump
check "SIGINT ends it with the verdict's status" end $watching INT 1
check "and the report" grep -q '^Source: eth0, .* packets, complete' "$dir/login.out"
captured=$(sed -n 's/.*eth0: \([0-9]*\) packets captured.*/\1/p' "$dir/login.err" | tail -1)
check "as many packets as tcpdump has" is "$(tcpdump -r "$dir/beside.pcap" 2>/dev/null | wc -l)" "$captured"
check "its events are those of the case, each once" same_events login
check "nothing lost is no loss" is 0 "$(sqlite3 "$dir/login.case" "SELECT count(*) FROM loss WHERE reason IN ('kernel', 'interface', 'queue')")"
check "no password in the case" sh -c "! grep -q wachsam-5 $dir/login.case*"
"$program" replay --asn-db classify/asn.mmdb -w "$dir/replay.case" "$dir/beside.pcap" >/dev/null
findings="SELECT kind, strength, account, sentence FROM finding ORDER BY 1"
check "a replay finds the same" is "$(sqlite3 "$dir/replay.case" "$findings")" "$(sqlite3 "$dir/login.case" "$findings")"

# TLS, each connection held: to the declared provider, then up to a vendor's mail service.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lab \
	-keyout "$dir/key" -out "$dir/cert" 2>/dev/null
for port in 993 443; do	# which end with their input
	run_in $there $port openssl s_server -quiet -accept $port -cert "$dir/cert" -key "$dir/key" < <(exec sleep 90 2>/dev/null)
done
upload() { # ADDRESS NAME BYTES
	(head -c "$3" /dev/zero; exec sleep 60) 2>/dev/null | ip netns exec $here openssl s_client -quiet -connect "$1" -servername "$2" >"$dir/upload" 2>&1 &
}
soon 10 sh -c "ip netns exec $there ss -ltn | grep -q :443"
watch tls --provider mailbox-org -w "$dir/tls.case" --eve "$dir/tls.eve"
watching=$pid
upload 80.241.60.199:993 imap.mailbox.org 100
check "a session with the provider is clean" soon 5 grep -qE ' 192\.168\.178\.20: clean: no catalogued third party; sealed' "$dir/tls.out"
check "a handshake is an event while its connection is held" soon 8 grep -q '"event_type":"tls".*"sni":"imap.mailbox.org"' "$dir/tls.eve"
upload 52.98.152.162:443 outlook.office365.com 300000
sleep 3
check "an upload beside it is told as a destination" end $watching INT 2
check "of so many bytes" grep -qE '^  microsoft/mail +mail-service +30[0-9] kB ' "$dir/tls.out"

check "its events too are those of the case" same_events tls
check "events that cannot be written" sh -c "ip netns exec $here '$program' watch -i eth0 --eve '$dir/none/x' 2>&1 | grep 'none/x: No such file'"

# JSON lines, and a filter that leaves the login out.
watch json --json tcp port 143
watching=$pid
run_in $here client $talk login 5.9.112.40 0
check "JSON lines tell it" soon 5 grep -q '^{"timestamp":"[^"]*","event_type":"finding","kind":"cleartext-credential"' "$dir/json.out"
check "SIGTERM ends it as well" end $watching TERM 1
check "each line is JSON" python3 -c "import json; [json.loads(line) for line in open('$dir/json.out')]"
watch filter tcp port 993
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
sleep 1
check "a filter keeps packets out" end $watching INT 2
check "and they are not counted" grep -q 'eth0: 0 packets captured' "$dir/filter.err"

# Killed: what was stored is a case.
watch killed -w "$dir/killed.case"
watching=$pid
run_in $here client $talk login 5.9.112.40 60
client=$pid
soon 5 grep -q cleartext-credential "$dir/killed.out"
kill -9 $watching $client
wait $watching
check "after kill -9 the case is sound" is ok "$(sqlite3 "$dir/killed.case" 'PRAGMA integrity_check')"
"$program" judge --asn-db classify/asn.mmdb "$dir/killed.case" >"$dir/killed.report"
check "and has the leak" grep -q cleartext-credential "$dir/killed.report"
check "and says that it was killed" grep -q 'Source: eth0, .*killed' "$dir/killed.report"

# Findings are told to others as well, the last ones too.
printf 'notify:\n  - to: syslog://192.168.178.1:5514\n    classes: [exposure]\n' >"$dir/notify.yaml"
run_in $there syslog timeout 60 python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.168.178.1", 5514))
print(s.recv(4096), flush=True)'
soon 10 sh -c "ip netns exec $there ss -lun | grep -q :5514"
watch notify --policy "$dir/notify.yaml"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
check "what is told elsewhere is told in the end at the latest" end $watching INT 1
check "to syslog" soon 5 grep -q '>1 .* cleartext-credential \[mailwitness@32473 event="finding"' "$dir/syslog.out"

# Stopped while more comes than its buffer holds, and nothing else is wrong.
watch loss --buffer 1 --provider mailbox-org -w "$dir/loss.case"
watching=$pid
upload 80.241.60.199:993 imap.mailbox.org 100
soon 5 grep -q clean "$dir/loss.out"
kill -STOP $watching
sent=$(ip netns exec $here $talk burst 192.168.178.1 4000)
sleep 0.5
kill -CONT $watching
check "after a loss it is not clean any more" soon 5 grep -q ' 192\.168\.178\.20: cannot-say' "$dir/loss.out"
check "and cannot-say in the end" end $watching INT 2
lost=$(sqlite3 "$dir/loss.case" "SELECT coalesce(sum(packets), 0) FROM loss WHERE reason = 'kernel'")
check "the kernel's drops are a loss" test "$lost" -gt 0
packets=$(sqlite3 "$dir/loss.case" 'SELECT packets FROM source')
received=$(sqlite3 "$dir/loss.case" 'SELECT recorded_received FROM source_interface')
check "packets counted and packets lost are all there were" is "$received" "$((packets + lost))"
check "and no fewer than were sent" test "$received" -ge "$sent"
check "the report says so" grep -qE '^Not seen: kernel, [0-9,]+ packets' "$dir/loss.out"

# The interface goes away and comes back.
watch gone -w "$dir/gone.case"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
ip -n $here link del eth0
check "an interface that goes away is told" soon 5 grep -q 'eth0: the interface went away' "$dir/gone.err"
link_up
check "and that it is back" soon 5 grep -q 'eth0: the interface is back' "$dir/gone.err"
ip netns exec $here $talk login 5.9.112.40 0
sleep 0.5
check "it ends as always" end $watching INT 1
check "the interface is two sources then" is "vanished complete" \
	"$(sqlite3 "$dir/gone.case" 'SELECT end FROM source ORDER BY number' | paste -sd ' ')"
check "both with packets" is 2 "$(sqlite3 "$dir/gone.case" 'SELECT count(*) FROM source WHERE packets > 5')"
check "and a loss between" is 1 "$(sqlite3 "$dir/gone.case" "SELECT count(*) FROM loss WHERE reason = 'interface'")"

# Two interfaces, any interface.
watch two -i lo -w "$dir/two.case"
watching=$pid
ip netns exec $here $talk login 5.9.112.40 0
ip netns exec $here $talk burst 127.0.0.1 5 >/dev/null
sleep 0.5
check "two interfaces" end $watching INT 1
check "are two sources" is "eth0 1 lo 1" \
	"$(sqlite3 "$dir/two.case" 'SELECT path, packets > 4 FROM source ORDER BY number' | tr '|\n' '  ' | sed 's/ $//')"
run_in $here any "$program" -i any -p --asn-db classify/asn.mmdb
watching=$pid
soon 20 grep -qs "watching any" "$dir/any.err"
ip netns exec $here $talk login 5.9.112.40 0
sleep 0.5
check "any interface" end $watching INT 1

denied() {
	ip netns exec $here setpriv --bounding-set -all --inh-caps -all "$program" watch -i eth0 2>"$dir/denied.err"
	is 77 $?
}
check "without the privilege it ends with 77" denied
check "and says what to do" grep -q 'setcap cap_net_raw' "$dir/denied.err"
ip -n $here link set eth0 down
check "an interface that is down" sh -c "ip netns exec $here '$program' watch -i eth0 2>&1 | grep 'eth0: the interface is down'"

echo "watch: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]

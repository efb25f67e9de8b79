#!/usr/bin/env bash
# sandbox.sh PROGRAM - what the program may still do while it watches, and what a service manager hears of it
#
# Exits with 77 and says what it needs where it cannot run.
set -u
program=$(realpath "$1")
. tests/live/namespaces.sh
nobody=$(id -u nobody)
chmod 711 "$dir"
mkdir "$dir/cases"
chown nobody "$dir/cases"
demo=tests/golden/demo/capture.pcap

# The processes of a watch begun by `ip netns exec`, which becomes it: it, and its guard.
child_of() { # PID NAME
	for pid in $(cat "/proc/$1/task/$1/children"); do
		[ "$(cat "/proc/$pid/comm")" = "$2" ] && echo "$pid"
	done
}
field() { # PID NAME: of each thread, each value once
	sed -n "s/^$2:\t//p" /proc/"$1"/task/*/status | sort -u | tr '\t' ' '
}

talk=tests/live/talk
run_in $there imap $talk imap 5.9.112.40
soon 10 ip netns exec $there python3 -c 'import socket; socket.create_connection(("5.9.112.40", 143))' 2>/dev/null
run_in $here manager tests/live/manager "$dir/manager"
soon 10 test -S "$dir/manager"

NOTIFY_SOCKET=$dir/manager watch strict --sandbox strict -Z nobody -w "$dir/cases/case"
watching=$pid
guard=$(child_of $watching guard)
check "it is alive before any packet" soon 4 grep -q '^WATCHDOG=1 STATUS=0 packets captured' "$dir/manager.out"
check "it says what holds" grep -q 'sandbox: user nobody, no capability, Landlock, seccomp$' "$dir/strict.err"
check "there are workers" test "$(ls /proc/$watching/task | wc -l)" -ge 3
check "each thread is nobody's" is "$nobody $nobody $nobody $nobody" "$(field $watching Uid)"
check "and in nobody's groups" is "$(id -G nobody)" "$(field $watching Groups | sed 's/ $//')"
for set in CapEff CapPrm CapInh CapAmb; do
	check "each thread's $set is empty" is 0000000000000000 "$(field $watching $set)"
done
check "no thread can gain anything" is 1 "$(field $watching NoNewPrivs)"
check "each thread has the filter" is 2 "$(field $watching Seccomp)"
check "no core is dumped" grep -qE 'Max core file size +0 +0 ' /proc/$watching/limits
# Its /proc is root's then: nobody else looks into it, and a core that would be piped to a program is none.
check "nor looked into by nobody's others" is 0 "$(stat -c %u /proc/$watching/stat)"
looks=$(child_of $watching processes)
check "who looks into processes may look and no more" is "0000000000080004 1 2" \
	"$(field "$looks" CapPrm) $(field "$looks" NoNewPrivs) $(field "$looks" Seccomp)"
check "it is looked into by root alone" is 0 "$(stat -c %u /proc/"$looks"/stat)"
check "it holds three descriptors, /proc and three sockets" is 7 "$(ls /proc/"$looks"/fd | wc -l)"
check "the guard is nobody's" is "$nobody $nobody $nobody $nobody" "$(field "$guard" Uid)"
check "the guard has CAP_NET_RAW alone" is 0000000000002000 "$(field "$guard" CapPrm)"
check "the guard is shut in as well" is "1 2" "$(field "$guard" NoNewPrivs) $(field "$guard" Seccomp)"
check "the guard holds four descriptors" is 4 "$(ls /proc/"$guard"/fd | wc -l)"
ip netns exec $here $talk login 5.9.112.40 0
check "it tells a leak" soon 5 grep -q cleartext-credential "$dir/strict.out"
check "the case is nobody's" is nobody "$(stat -c %U "$dir/cases/case")"
ip -n $here link del eth0
soon 5 grep -q 'went away' "$dir/strict.err"
link_up
check "an interface is opened again" soon 5 grep -q 'the interface is back' "$dir/strict.err"
ip netns exec $here $talk login 5.9.112.40 0
check "the service manager heard that it is ready" soon 2 grep -q '^READY=1 ' "$dir/manager.out"
check "and hears that it is alive" soon 3 grep -qE '^WATCHDOG=1 STATUS=[1-9][0-9]* packets captured' "$dir/manager.out"
kill -HUP $watching
check "and of reading all again" soon 3 grep -q '^RELOADING=1 MONOTONIC_USEC=[0-9]' "$dir/manager.out"
check "which works from within" soon 5 grep -q 'were read again' "$dir/strict.err"
check "and is ready again" soon 3 grep -q '^READY=1 STATUS=read again' "$dir/manager.out"
kill -STOP $watching
sleep 1.2
before=$(wc -l <"$dir/manager.out")
sleep 1.5
check "one that does not live is not said to" is "$before" "$(wc -l <"$dir/manager.out")"
kill -CONT $watching
check "it ends as always" end $watching TERM 1
check "and has said so" soon 2 grep -q '^STOPPING=1' "$dir/manager.out"
check "nothing was refused" is 0 "$(grep -c refused "$dir/strict.err")"
check "the guard is gone" soon 2 test ! -d "/proc/$guard"
check "both interfaces' packets are in the case" is 2 \
	"$(sqlite3 "$dir/cases/case" 'SELECT count(*) FROM source WHERE packets > 5')"

watch off --sandbox off -w "$dir/off.case"
watching=$pid
check "off is off" is 0 "$(field $watching Seccomp)"
check "and has no guard" is '' "$(child_of $watching guard)"
end $watching TERM 2
watch user --sandbox off -Z nobody -w "$dir/cases/user"
watching=$pid
check "off with a user gives up root" is "$nobody $nobody $nobody $nobody" "$(field $watching Uid)"
end $watching TERM 2
watch own -w "$dir/own.case"
watching=$pid
check "where root's directory is written it stays root" is "0 0 0 0" "$(field $watching Uid)"
check "without a capability" is 0000000000000000 "$(field $watching CapPrm)"
guard=$(child_of $watching guard)
kill -9 $watching
wait $watching
check "the guard of one that is killed is gone" soon 2 test ! -d "/proc/$guard"

# As the service is started: no root, one capability and no way to another.
run_in $here service setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs --inh-caps=-all,+net_raw \
	--ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw "$program" watch --sandbox=strict \
	--asn-db classify/asn.mmdb -i eth0 -w "$dir/cases/service"
watching=$pid
soon 20 grep -qs "watching eth0" "$dir/service.err"
check "started with one capability no thread keeps it" is 0000000000000000 "$(field $watching CapPrm)"
check "but the guard does" is 0000000000002000 "$(field "$(child_of $watching guard)" CapPrm)"
ip -n $here link del eth0
soon 5 grep -q 'went away' "$dir/service.err"
link_up
check "and opens the interface again" soon 5 grep -q 'the interface is back' "$dir/service.err"
check "it ends as always too" end $watching TERM 2

refused() { # STATUS LINE ARGUMENT...
	"$program" replay -q --asn-db classify/asn.mmdb "${@:3}" $demo >"$dir/refused" 2>&1
	is "$1" $? && grep -q "$2" "$dir/refused"
}
check "strict does not stay root" refused 77 "root's files and directories" --sandbox strict -w "$dir/strict.case"
check "nor write what the user may not" refused 73 'cannot open case' -Z nobody -w "$dir/nobody.case"
check "an unknown user" refused 67 'no user nonsense' -Z nonsense
check "a replay is shut in" refused 1 leak --sandbox=strict -Z nobody --provider mailbox-org
check "no such mode" refused 64 'wants on, strict or off' --sandbox=perhaps
as_user() {
	setpriv --reuid nobody --clear-groups "$program" replay -q --asn-db classify/asn.mmdb --provider mailbox-org "$@" $demo
}
check "an ordinary user's is" is 1 "$(as_user --sandbox=strict >/dev/null 2>&1; echo $?)"
check "who becomes nobody else" is 77 "$(as_user -Z root >/dev/null 2>&1; echo $?)"

echo "sandbox: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]

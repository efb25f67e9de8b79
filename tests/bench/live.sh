#!/usr/bin/env bash
# live.sh MAILWITNESS LOAD SEND - what is watched, and what is dropped, of a load at full speed beside others (root)
#
# Two namespaces joined by veth; one end sends as fast as the kernel takes it, and the programs watch the other in turn,
# ROUNDS times (3). The sender and what the kernel does for each frame take a processor of their own. LOADS and PACKETS
# as in run.sh. mailwitness has to account for each packet: sent = captured + dropped by kernel and interface, and the
# case has these drops as losses. ndpiReader does not say what was dropped: it is what it did not count.
set -euo pipefail
mailwitness=$1 load=$2 send=$3
here=mw$$-here there=mw$$-there
dir=$(mktemp -d) keep=$(mktemp -d)
status=0
[ "$(id -u)" = 0 ] || { echo "bench: not run: live.sh needs root, for network namespaces"; exit 0; }
leave() {
	ip netns del $here 2>/dev/null
	ip netns del $there 2>/dev/null
	rm -rf "$dir" "$keep"
}
trap leave EXIT
. tests/bench/loads.sh
for ns in $here $there; do
	ip netns add $ns
	ip netns exec $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
# Nothing but what is sent may cross it, and frames may be longer than Ethernet's.
ip -n $here link add eth0 mtu 9000 type veth peer name eth0 netns $there mtu 9000
for ns in $here $there; do ip -n $ns link set eth0 up arp off; done

pids() { # PID: its and its children's
	echo "$1"
	for child in $(pgrep -P "$1"); do pids "$child"; done
}

# Of the last run: how many were counted; what was dropped by its own account.
count_tcpdump() { sed -n 's/ packets captured//p' "$dir/out"; }
count_ndpiReader() { sed -n 's/.* of \([0-9]*\) packets total/\1/p' "$dir/out"; }
count_mailwitness() { sed -n 's/.*: eth0: \([0-9]*\) packets captured.*/\1/p' "$dir/out" | tail -1; }
count_to_case() { count_mailwitness; }

account() { # SENT: of a run of mailwitness
	local captured kernel interface lost
	read -r captured kernel interface < <(sed -n 's/.*: eth0: \([0-9]*\) packets captured, [0-9]* packets received by filter, \([0-9]*\) packets dropped by kernel, \([0-9]*\) .*/\1 \2 \3/p' "$dir/out" | tail -1)
	[ $((captured + kernel + interface)) = "$1" ] ||
		{ echo "bench: $1 sent, but $captured captured + $kernel + $interface dropped"; status=1; }
	[ -s "$dir/case" ] || return 0
	lost=$(sqlite3 "$dir/case" "SELECT coalesce(sum(packets), 0) FROM loss WHERE reason IN ('kernel', 'interface')")
	[ "$lost" = $((kernel + interface)) ] || { echo "bench: $((kernel + interface)) dropped, but $lost lost by the case"; status=1; }
	[ "$(sqlite3 "$dir/case" 'SELECT sum(packets) FROM source')" = "$captured" ] || { echo "bench: the case has another count"; status=1; }
}

measure() { # NAME COMMAND...: appends "sent seconds counted kB" to NAME's list
	local name=$1 memory=0 pid sent seconds; shift
	rm -f "$dir"/case*
	ip netns exec $here "$@" >"$dir/out" 2>&1 &
	pid=$!
	sleep 2
	read -r sent _ seconds < <(ip netns exec $there "$send" eth0 "$dir/load.pcap" 0 0)
	sleep 3	# what is in its ring is read as well
	for p in $(pids $pid); do
		memory=$((memory + $(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$p/status 2>/dev/null || echo 0)))
	done
	kill -INT $pid
	wait $pid || true
	[[ $1 != "$mailwitness" ]] || account "$sent"
	echo "$sent $seconds $(count_$name) $memory" >>"$dir/$name"
}
column() { # NAME AWK-EXPRESSION of s(ent), t (seconds), c(ounted), m(emory): its median
	awk "{ s = \$1; t = \$2; c = \$3; m = \$4; print $2 }" "$dir/$1" | median
}

for load_name in ${LOADS:-mix scan}; do
	rm -f "$dir"/*
	read -r packets flows bytes < <(make_load "$load_name")
	for ((i = 0; i < ${ROUNDS:-3}; i++)); do
		measure mailwitness "$mailwitness" watch -q --asn-db classify/asn.mmdb -i eth0
		measure to_case "$mailwitness" watch -q --asn-db classify/asn.mmdb -i eth0 -w "$dir/case"
		measure tcpdump tcpdump -i eth0 -Z root -w /dev/null
		measure ndpiReader ndpiReader -i eth0
	done
	printf '\n%s, live: %s packets, %s flows, %s bytes a packet, %s rounds, medians\n' "$load_name" "$packets" \
		"$flows" "$bytes" "${ROUNDS:-3}"
	printf '%-14s %14s %17s %10s %10s\n' program "sent, kpkt/s" "counted, kpkt/s" "dropped %" "memory MB"
	for p in mailwitness to_case tcpdump ndpiReader; do
		printf '%-14s %14s %17s %10s %10s\n' "$p" "$(column $p 'int(s / t / 1000)')" "$(column $p 'int(c / t / 1000)')" \
			"$(column $p 'sprintf("%.1f", 100 * (s - c) / s)')" "$(column $p 'int(m / 1024)')"
	done
done
exit $status

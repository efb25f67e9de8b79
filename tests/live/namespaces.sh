# Two network namespaces without a way out, joined by veth, for the tests that watch: to be sourced, with the
# program in $program. Ends with 77 and says what it needs where it cannot run.
cannot() {
	echo "not run: $1"
	exit 77
}
[ "$(id -u)" = 0 ] || cannot "needs root, for network namespaces"
for tool in ip tcpdump python3 openssl sqlite3 setpriv; do
	command -v $tool >/dev/null || cannot "needs $tool"
done
here=mw$$-here there=mw$$-there
ip netns add $here 2>/dev/null || cannot "network namespaces cannot be made"
dir=$(mktemp -d)
passed=0 failed=0 started=()
leave() {
	for pid in "${started[@]}" $(ip netns pids $here; ip netns pids $there); do
		kill -9 -- "-$pid" "$pid" 2>/dev/null	# what timeout began is in its group
	done
	ip netns del $here 2>/dev/null
	ip netns del $there 2>/dev/null
	rm -rf "$dir"
}
trap leave EXIT

link_up() {
	ip -n $here link add eth0 type veth peer name eth0 netns $there &&
	ip -n $here addr add 192.168.178.20/24 dev eth0 &&
	ip -n $there addr add 192.168.178.1/24 dev eth0 &&
	ip -n $here link set eth0 up && ip -n $there link set eth0 up &&
	ip -n $here route add default via 192.168.178.1
}
ip netns add $there
for ns in $here $there; do
	ip netns exec $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n $ns link set lo up
done
# A mail server of one's own; mailbox.org's; Outlook's.
for address in 5.9.112.40 80.241.60.199 52.98.152.162; do
	ip -n $there addr add $address/32 dev lo
done
link_up || cannot "veth cannot be made"

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$dir/check" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -5 "$dir/check"
	fi
}

soon() { # SECONDS COMMAND...: whether it comes true in time
	local until=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@"; do
		[ "$(date +%s%N)" -lt $until ] || return 1
		sleep 0.1
	done
}

run_in() { # NS NAME COMMAND...: in the background; its pid in $pid
	ip netns exec "$1" "${@:3}" >"$dir/$2.out" 2>"$dir/$2.err" <&0 &
	pid=$!
	started+=($pid)
}

watch() { # NAME OPTIONS...: its pid in $pid, when it watches
	run_in $here "$1" "$program" watch --asn-db classify/asn.mmdb -i eth0 "${@:2}"
	soon 20 grep -qs "watching eth0" "$dir/$1.err" || cat "$dir/$1.err"
}

end() { # PID SIGNAL STATUS
	kill -"$2" "$1"
	wait "$1"
	local got=$?
	[ $got = "$3" ] || { echo "status $got, not $3"; return 1; }
}

is() { # WANTED GOT
	[ "$1" = "$2" ] || { echo "$2, not $1"; return 1; }
}

talk=tests/live/talk
run_in $there imap $talk imap 5.9.112.40
soon 10 ip netns exec $there python3 -c 'import socket; socket.create_connection(("5.9.112.40", 143))' 2>/dev/null

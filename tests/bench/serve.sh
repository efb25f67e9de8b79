#!/usr/bin/env bash
# serve.sh MAILWITNESS LOAD SEND - the dashboard of a case of FLOWS conversations (a million): how long its first page takes
# to make, how often a second it is sent, beside nginx with the same bytes; and what a watch of RATE packets a second
# (50000) loses while it is asked for, and while it is not (root)
set -euo pipefail
mailwitness=$(realpath "$1") load=$2 send=$3
here=mw$$-here there=mw$$-there
dir=$(mktemp -d) keep=$(mktemp -d) serving='' nginx=''
leave() {
	[ -z "$serving" ] || kill $serving
	[ -z "$nginx" ] || kill $nginx
	ip netns del $here 2>/dev/null
	ip netns del $there 2>/dev/null
	rm -rf "$dir" "$keep"
}
trap leave EXIT
for p in ab nginx curl sqlite3; do
	command -v $p >/dev/null || { echo "bench: not run: $p is missing (packages apache2-utils, nginx, curl, sqlite3)"; exit 0; }
done
. tests/bench/loads.sh
make_load mix >/dev/null
"$mailwitness" replay -q --exit-zero --asn-db classify/asn.mmdb -w "$dir/case" "$dir/load.pcap" >/dev/null
# As many conversations as are wanted: those that are there, over again.
columns=$(sqlite3 "$dir/case" "SELECT group_concat(iif(name = 'id', 'id + (1 << 41)', name)) FROM pragma_table_info('flow')")
while [ "$(sqlite3 "$dir/case" 'SELECT count(*) FROM flow')" -lt "${FLOWS:-1000000}" ]; do
	sqlite3 "$dir/case" "INSERT INTO flow SELECT ${columns//1 << 41/(SELECT max(id) FROM flow)} FROM flow"
done
flows=$(sqlite3 "$dir/case" 'SELECT count(*) FROM flow')

"$mailwitness" serve --listen 127.0.0.1:0 "$dir/case" 2>"$dir/said" &
serving=$!
until url=$(sed -n 's/.* at \(http:.*\)/\1/p' "$dir/said") && [ -n "$url" ]; do sleep 0.1; done
first=$(curl -s -o "$dir/page.html" -w '%{time_total}' "$url")
cat >"$dir/nginx.conf" <<C
worker_processes 4; daemon off; pid $dir/pid; error_log $dir/error; user root;
events { worker_connections 512; }
http { access_log off; keepalive_requests 1000000; types { text/html html; } server { listen 127.0.0.1:18999; root $dir; } }
C
nginx -c "$dir/nginx.conf" -e "$dir/error" &
nginx=$!
sleep 1
ask() { ab -q -k -c 16 -t "$1" -n 10000000 "$2" 2>/dev/null | sed -n 's/^Requests per second: *\([0-9]*\).*/\1/p; s/^Failed requests: *\([1-9].*\)/failed: \1/p'; }
printf '\ndashboard: %s conversations, first page %s bytes, made in %s s\n' "$flows" "$(stat -c %s "$dir/page.html")" "$first"
printf '%-14s %12s\n' mailwitness "$(ask 5 "$url") /s" nginx "$(ask 5 http://127.0.0.1:18999/page.html) /s"

[ "$(id -u)" = 0 ] || { echo "bench: the watch is not run: it needs root, for network namespaces"; exit 0; }
for ns in $here $there; do ip netns add $ns; done
ip -n $here link add eth0 mtu 9000 type veth peer name eth0 netns $there mtu 9000
for ns in $here $there; do ip -n $ns link set eth0 up arp off; done
watch() { # NAME: what is said at its end
	ip netns exec $here "$mailwitness" watch -q --asn-db classify/asn.mmdb -i eth0 >"$dir/out" 2>&1 &
	local pid=$!
	sleep 2
	ip netns exec $there "$send" eth0 "$dir/load.pcap" "${RATE:-50000}" 6 >/dev/null
	sleep 2
	kill -INT $pid
	wait $pid || true
	printf '%-14s %s\n' "$1" "$(sed -n 's/.*: eth0: //p' "$dir/out" | tail -1)"
}
watch 'not asked'
ask 10 "$url" >"$dir/asked" &
asking=$!
watch 'asked'
wait $asking
echo "meanwhile      $(cat "$dir/asked") /s"

#!/usr/bin/env bash
# run.sh MAILWITNESS LOAD - speed and memory on one large capture beside ndpiReader and tcpdump
#
# ROUNDS rounds (5), the programs in turn in each, ratios taken pair by pair in the same round: what the
# machine does meanwhile hits all of them. PACKETS sets the size (3000000). Never a test: it fails nothing.
set -euo pipefail
mailwitness=$1 load=$2
rounds=${ROUNDS:-5} packets=${PACKETS:-3000000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for p in ndpiReader tcpdump /usr/bin/time; do
	command -v "$p" >/dev/null || { echo "bench: $p is missing (packages libndpi-bin, tcpdump, time)" >&2; exit 69; }
done
mapfile -t samples < <(ls tests/golden/*/bench.pcap tests/golden/{demo,clean-starttls,clean-imaps,plain-imap-login,web-only}*/*.pcap 2>/dev/null | sort -u)
"$load" "$dir/load.pcap" "$packets" "${samples[@]}"
cat "$dir/load.pcap" >/dev/null
measure() { # NAME COMMAND...: appends "wall rss" to NAME's list
	local name=$1; shift
	/usr/bin/time -f '%e %M' -o "$dir/t" "$@" >/dev/null 2>&1 || true
	tail -1 "$dir/t" >>"$dir/$name"
}
for ((i = 0; i < rounds; i++)); do
	measure mailwitness "$mailwitness" replay --exit-zero --json "$dir/load.pcap"
	measure one_worker "$mailwitness" replay --exit-zero --json --workers 1 "$dir/load.pcap"
	measure ndpiReader ndpiReader -q -i "$dir/load.pcap"
	measure tcpdump tcpdump -q -r "$dir/load.pcap" -w /dev/null
done
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%s packets, %s MB, %s rounds, medians\n' "$packets" "$(($(stat -c %s "$dir/load.pcap") / 1000000))" "$rounds"
printf '%-14s %8s %10s %22s\n' program "wall s" "memory MB" "ndpiReader's time / its"
for p in mailwitness one_worker ndpiReader tcpdump; do
	wall=$(cut -d' ' -f1 "$dir/$p" | median)
	rss=$(cut -d' ' -f2 "$dir/$p" | median)
	ratio=$(paste -d' ' "$dir/ndpiReader" "$dir/$p" | awk '{ print $1 / $3 }' | median)
	printf '%-14s %8s %10s %22s\n' "$p" "$wall" "$((rss / 1024))" "$ratio"
done

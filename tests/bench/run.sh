#!/usr/bin/env bash
# run.sh MAILWITNESS LOAD - speed and memory on large captures beside ndpiReader and tcpdump
#
# ROUNDS rounds (5), the programs in turn in each, ratios taken pair by pair in the same round: what the
# machine does meanwhile hits all of them. LOADS says which loads (loads.sh), PACKETS how large. Never a test, as it
# takes minutes and a quiet machine; but it fails where the best round of a load in its full size is below its floor.
set -euo pipefail
mailwitness=$1 load=$2
rounds=${ROUNDS:-5}
declare -A floors=([mix]=3.0 [mail]=1.5)	# how many times as fast as ndpiReader at least
failed=0
dir=$(mktemp -d) keep=$(mktemp -d)
trap 'rm -rf "$dir" "$keep"' EXIT
. tests/bench/loads.sh
for p in ndpiReader tcpdump /usr/bin/time; do
	command -v "$p" >/dev/null || { echo "bench: $p is missing (packages libndpi-bin, tcpdump, time)" >&2; exit 69; }
done
measure() { # NAME COMMAND...: appends "wall rss" to NAME's list
	local name=$1; shift
	/usr/bin/time -f '%e %M' -o "$dir/t" "$@" >/dev/null 2>&1 || true
	tail -1 "$dir/t" >>"$dir/$name"
}
ratios() { # NAME: ndpiReader's time / its, of each round
	paste -d' ' "$dir/ndpiReader" "$dir/$1" | awk '{ printf "%.2f\n", $1 / ($3 > 0 ? $3 : 0.01) }'
}
for load_name in ${LOADS:-mix mail bulk scan}; do
	rm -f "$dir"/*
	read -r packets flows bytes < <(make_load "$load_name")
	cat "$dir/load.pcap" >/dev/null
	for ((i = 0; i < rounds; i++)); do
		measure mailwitness "$mailwitness" replay -q --exit-zero "$dir/load.pcap"
		measure one_worker "$mailwitness" replay -q --exit-zero --workers 1 "$dir/load.pcap"
		measure ndpiReader ndpiReader -q -i "$dir/load.pcap"
		measure tcpdump tcpdump -q -r "$dir/load.pcap" -w /dev/null
	done
	printf '\n%s: %s packets, %s flows, %s bytes a packet, %s MB, %s rounds, medians\n' "$load_name" "$packets" \
		"$flows" "$bytes" "$(($(stat -c %s "$dir/load.pcap") / 1000000))" "$rounds"
	printf '%-14s %8s %10s %24s\n' program "wall s" "memory MB" "ndpiReader's time / its"
	for p in mailwitness one_worker ndpiReader tcpdump; do
		wall=$(cut -d' ' -f1 "$dir/$p" | median)
		rss=$(cut -d' ' -f2 "$dir/$p" | median)
		ratio=$(ratios "$p" | median)
		printf '%-14s %8s %10s %24s\n' "$p" "$wall" "$((rss / 1024))" "$ratio"
	done
	best=$(ratios mailwitness | sort -n | tail -1)
	if [ -z "${PACKETS:-}" ] && awk -v best="$best" -v floor="${floors[$load_name]:-0}" 'BEGIN { exit !(best < floor) }'; then
		echo "bench: $load_name: at best $best times ndpiReader's speed, below ${floors[$load_name]}" >&2
		failed=1
	fi
done
exit "$failed"

#!/usr/bin/env bash
# run.sh MAILWITNESS LOAD - speed and memory on large captures beside ndpiReader and tcpdump
#
# ROUNDS rounds (5), the programs in turn in each, ratios taken pair by pair in the same round: what the
# machine does meanwhile hits all of them. LOADS says which loads, PACKETS how large. Never a test.
#
#          packets  flows   bytes a packet, packets a flow
#   mix    3.28 M   230 k   310, 14     an office: web, look-ups, calls, QUIC, mail, attempts without answer
#   mail   3.48 M   200 k   265, 17     by a mail server: short dialogues in clear and with STARTTLS
#   bulk   2.05 M   43 k    690, 48     a few mailboxes and web mail, large packets
#   scan   1 M      1 M     54, 1       SYNs that nobody answers
# Of other people's traffic mix, mail and scan have the shape, which was measured; what is in it is ours.
set -euo pipefail
mailwitness=$1 load=$2
rounds=${ROUNDS:-5}
declare -A sizes=([mix]=3280000 [mail]=3480000 [bulk]=2050000 [scan]=1000000)
dir=$(mktemp -d) keep=$(mktemp -d)
trap 'rm -rf "$dir" "$keep"' EXIT
for p in ndpiReader tcpdump /usr/bin/time; do
	command -v "$p" >/dev/null || { echo "bench: $p is missing (packages libndpi-bin, tcpdump, time)" >&2; exit 69; }
done
sample() { # NAME...
	for n in "$@"; do printf 'tests/golden/%s/capture.pcap\n' "$n"; done
}
for script in office mailserver scan; do
	tests/mkpcap "tests/bench/$script.script" "$keep/$script.pcap"
done
office=$keep/office.pcap server=$keep/mailserver.pcap scan=("$keep/scan.pcap")
mapfile -t mix < <(sample web-only web-only chromium-tcp chromium-quic chromium-tcp chromium-quic clean-resumed \
	clean-starttls clean-pop3s banner-spoof plain-smtp-auth wrap-vlan demo)
mix+=("$office" "$office" "$office" "$office")
mapfile -t mail < <(sample clean-starttls clean-pop3s clean-resumed plain-imap-login plain-pop3 plain-smtp-auth starttls-refused)
mail+=("$server" "$server" "$server" "$server")
mapfile -t bulk < <(sample cloud-only clean-webmail)
measure() { # NAME COMMAND...: appends "wall rss" to NAME's list
	local name=$1; shift
	/usr/bin/time -f '%e %M' -o "$dir/t" "$@" >/dev/null 2>&1 || true
	tail -1 "$dir/t" >>"$dir/$name"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for load_name in ${LOADS:-mix mail bulk scan}; do
	declare -n samples=$load_name
	rm -f "$dir"/*
	read -r packets flows bytes < <("$load" "$dir/load.pcap" "${PACKETS:-${sizes[$load_name]}}" "${samples[@]}")
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
		ratio=$(paste -d' ' "$dir/ndpiReader" "$dir/$p" | awk '{ printf "%.2f\n", $1 / ($3 > 0 ? $3 : 0.01) }' | median)
		printf '%-14s %8s %10s %24s\n' "$p" "$wall" "$((rss / 1024))" "$ratio"
	done
done

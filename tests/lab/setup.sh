# setup.sh - what every use of the lab begins and ends with: its parts, its working folder, and nothing left behind
#
# Sourced by record and run, with the lab's folder in $LAB.

LAB_PREFIX=mw$$
PASSWORD=$(cat "$LAB/password")
STARTED=()
for part in network servers scenes servers-states scenes-states scenes-main scenes-experiment; do
	. "$LAB/$part.sh"
done

# The servers that the scenes of these names want; `real`: at the addresses of those that they stand for.
lab_up() {	# NAMES [real]
	names=$1
	WORK=$(mktemp -d "${TMPDIR:-/tmp}"/mailwitness-lab.XXXXXX)
	chmod 755 "$WORK"
	trap lab_down EXIT
	trap 'exit 130' INT TERM
	HOSTS=$WORK/hosts
	awk -v real="${2-}" '!/^#/ { if (real) { $2 = $4; $3 = $5 } print }' "$LAB/hosts" > "$HOSTS"
	cp "$HOSTS" "$WORK/addresses"
	network_up && servers_up || return
	! is_state "${names%%[[:space:]]*}" || state_servers_up || return
	! is_main "${names%%[[:space:]]*}" || main_servers_up
}

lab_down() {
	trap - EXIT
	servers_down
	network_down
	if [ -n "${LAB_KEEP-}" ]; then
		echo "lab: kept $WORK" >&2
	else
		rm -rf "$WORK"
	fi
}

capture() {	# NS INTERFACE FILE [FILTER]: tcpdump, when it listens; its pid in $tcpdump
	local tries=50 ns=$LAB_PREFIX-$1 interface=$2 file=$3
	shift 3
	ip netns exec "$ns" tcpdump -i "$interface" -Z root -s 0 -B 16384 \
		--immediate-mode -U -w "$file" "$@" 2> "$file.log" &
	tcpdump=$!
	STARTED+=($tcpdump)
	until grep -qs listening "$file.log"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

capture_ends() {	# PID...
	sleep 0.5
	kill -TERM "$@"		# a background job of a script ignores SIGINT
	wait "$@"
}

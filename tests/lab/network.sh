# network.sh - namespaces without a way out: "inet" is router, resolver and all servers; pc1, pc2: clients
#
# Sourced by setup.sh. The clients' segment is br0 in inet (192.168.178.0/24, 2001:db8:178::/64).

LAB_NS="$LAB_PREFIX-inet $LAB_PREFIX-pc1 $LAB_PREFIX-pc2"

in_ns() {
	local ns=$LAB_PREFIX-$1
	shift
	ip netns exec "$ns" "$@"
}

host_rows() {
	grep -v '^#' "${HOSTS-$LAB/hosts}"
}

address_of() {	# key [6]
	host_rows | awk -v key="$1" -v column="$((${2-4} / 2))" '$1 == key { print $column }'
}

network_up() {
	local ns pc last inet="ip -n $LAB_PREFIX-inet"

	for ns in $LAB_NS; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		mkdir -p "/etc/netns/$ns"
		echo "nameserver 192.168.178.1" > "/etc/netns/$ns/resolv.conf"
	done
	$inet link add br0 type bridge
	$inet link set br0 address 02:00:5e:10:00:01 up
	$inet addr add 192.168.178.1/24 dev br0
	$inet addr add 2001:db8:178::1/64 dev br0 nodad
	in_ns inet sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	host_rows | while read -r _ v4 v6 _; do
		$inet addr add "$v4/32" dev lo
		$inet addr add "$v6/128" dev lo
	done
	last=20
	for pc in pc1 pc2; do
		ns=$LAB_PREFIX-$pc
		$inet link add "to-$pc" type veth peer name eth0 netns "$ns"
		$inet link set "to-$pc" master br0 gso_max_segs 1 up
		# One segment a packet, as on a real wire: nothing here cuts them later.
		ip -n "$ns" link set eth0 address "02:00:5e:10:00:$last" gso_max_segs 1 up
		ip -n "$ns" addr add "192.168.178.$last/24" dev eth0
		ip -n "$ns" addr add "2001:db8:178::$last/64" dev eth0 nodad
		ip -n "$ns" route add default via 192.168.178.1
		ip -n "$ns" -6 route add default via 2001:db8:178::1
		last=$((last + 1))
	done
	$inet link set br0 gso_max_segs 1
}

network_down() {
	local ns

	for ns in $LAB_NS; do
		ip netns del "$ns" 2>/dev/null
		rm -rf "/etc/netns/$ns"
	done
}

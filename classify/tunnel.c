#include "classify/tunnel.h"

#include "classify/dns_header.h"
#include "classify/watch_dns.h"

#include <netinet/in.h>

/* Registered at IANA, but for WireGuard's (its quick start) and WARP's. */
enum { PORT_IKE = 500, PORT_OPENVPN = 1194, PORT_L2TP = 1701, PORT_WARP = 2408, PORT_TEREDO = 3544,
       PORT_NAT_T = 4500, PORT_WIREGUARD = 51820 };

/* A question with EDNS and a cookie takes some 60 bytes and what its name is longer than usual; tunnels fill
 * names up to the 255 bytes of RFC 1035. */
#define DNS_QUERY_MAX 160u
#define DNS_NAME_MAX 128u	/* longer than look-ups in block lists and telemetry need */
#define DNS_HEADER 12u

#define ECHO_MAX 136u	/* 8 bytes of header, and twice the 56 or 32 that ping programs fill in, rounded up */

static bool is_port(uint16_t port)
{
	return port == PORT_IKE || port == PORT_OPENVPN || port == PORT_L2TP || port == PORT_WARP ||
	       port == PORT_TEREDO || port == PORT_NAT_T || port == PORT_WIREGUARD;
}

/* Message types 1 to 4 and three zeroes; the first three have one length each, the last is padded to 16
 * (WireGuard white paper, section 5.4). */
static bool is_wireguard(struct bytes in)
{
	size_t len = bytes_left(&in);

	switch (bytes_u32(&in)) {
	case 0x01000000:
		return len == 148;
	case 0x02000000:
		return len == 92;
	case 0x03000000:
		return len == 64;
	case 0x04000000:
		return len >= 32 && len % 16 == 0;
	default:
		return false;
	}
}

bool tunnel_datagram(struct bytes datagram, uint16_t src_port, uint16_t dst_port)
{
	return is_port(src_port) || is_port(dst_port) || is_wireguard(datagram);
}

bool tunnel_dns(struct bytes message, uint32_t wire_len, bool server_local)
{
	char name[FACT_NAME_SIZE];
	struct bytes in = message;

	if (!server_local)
		return wire_len > DNS_QUERY_MAX || !dns_recognise(message);
	bytes_skip(&in, DNS_HEADER);
	return dns_recognise(message) && dns_name(name, &in) && strlen(name) > DNS_NAME_MAX;
}

bool tunnel_dns_stream(struct bytes in, bool server_local)
{
	while (bytes_left(&in) > 2) {
		uint16_t len = bytes_u16(&in);
		size_t left = bytes_left(&in);

		/* A short one comes again when it is whole. */
		if (len > left && len <= DNS_QUERY_MAX)
			return false;
		if (tunnel_dns(bytes_sub(&in, len < left ? len : left), len, server_local))
			return true;
	}
	return false;
}

bool tunnel_packet(const struct packet *p)
{
	struct bytes message = bytes_of(p->payload, p->payload_len);
	uint8_t type = bytes_u8(&message);

	switch (p->key.proto) {
	case IPPROTO_ESP:
	case IPPROTO_AH:
	case IPPROTO_GRE:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return true;
	case IPPROTO_ICMP:
		return !message.bad && p->payload_wire_len > ECHO_MAX && (type == 8 || type == 0);
	case IPPROTO_ICMPV6:
		return !message.bad && p->payload_wire_len > ECHO_MAX && (type == 128 || type == 129);
	default:
		return false;
	}
}

/* RFC 1928: version, how many methods, the methods; a request or a login may follow without waiting. */
static enum watch_match socks5(struct bytes in)
{
	uint8_t methods = bytes_u8(&in);

	if (in.bad)
		return WATCH_MAYBE;
	if (methods == 0)
		return WATCH_NO;
	bytes_skip(&in, methods);
	if (in.bad)
		return WATCH_MAYBE;
	if (bytes_left(&in) == 0)
		return WATCH_YES;

	uint8_t next = bytes_u8(&in);

	return next == 5 || next == 1 ? WATCH_YES : WATCH_NO;
}

/* SOCKS 4 and 4a: version, command, port, address, and a user's name that ends with a zero. */
static enum watch_match socks4(struct bytes in)
{
	uint8_t command = bytes_u8(&in);
	size_t n;

	if (!in.bad && command != 1 && command != 2)
		return WATCH_NO;
	bytes_skip(&in, 2 + 4);
	return !in.bad && bytes_until(&in, '\0', &n) ? WATCH_YES : WATCH_MAYBE;
}

/* A length and a client's hard reset, version 2 or 3, alone in its packet. */
static enum watch_match openvpn(struct bytes first)
{
	struct bytes in = first;
	uint16_t len = bytes_u16(&in);
	bool whole = len >= 14 && bytes_left(&in) == len;
	uint8_t opcode = bytes_u8(&in) >> 3;

	if (in.bad)
		return WATCH_MAYBE;
	return whole && (opcode == 7 || opcode == 10) && dns_tcp_recognise(first) == WATCH_NO ? WATCH_YES
											      : WATCH_NO;
}

static enum watch_match recognise(const struct watch *self, struct bytes first)
{
	struct bytes in = first;
	uint8_t version = bytes_u8(&in);

	(void)self;
	if (in.bad)
		return WATCH_MAYBE;
	return version == 5 ? socks5(in) : version == 4 ? socks4(in) : version == 0 ? openvpn(first) : WATCH_NO;
}

static enum watch_answer feed(const struct watch *self, void *state, enum fact_side from,
			      struct bytes in, uint64_t frame, size_t *used_out, struct watch_facts *facts)
{
	(void)self;
	(void)state;
	(void)from;
	(void)frame;
	facts->opaque = true;
	*used_out = bytes_left(&in);
	return WATCH_DONE;
}

static enum watch_answer gap(void *state, enum fact_side from, struct watch_facts *facts)
{
	(void)state;
	(void)from;
	(void)facts;
	return WATCH_DONE;
}

const struct watch watch_tunnel = {
	.name = "tunnel",
	.size = 1,
	.recognise = recognise,
	.feed = feed,
	.gap = gap,
};

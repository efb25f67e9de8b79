#include "capture/packet_layers.h"

#include <netinet/in.h>

enum { IPPROTO_IPV4_OLD = 94, IPPROTO_ETHERIP = 97, IPPROTO_HIP = 139, IPPROTO_SHIM6 = 140,
       IPPROTO_ETHERNET_ = 143, IPPROTO_MPLS_ = 137 };

static void take_ipv4(struct bytes *in, uint8_t addr[16])
{
	uint8_t ipv4[4];

	bytes_copy(in, ipv4, sizeof(ipv4));
	host_of_ipv4(ipv4, addr);
}

static enum packet_kind fragment(struct layers *l, struct packet_fragment fragment,
				 const struct bytes *in)
{
	struct packet_fragment *f = l->fragment;

	*f = fragment;
	memcpy(f->src, l->src.addr, sizeof(f->src));
	memcpy(f->dst, l->dst.addr, sizeof(f->dst));
	f->len = (uint32_t)bytes_left(in);
	f->wire_len = (uint32_t)(bytes_left(in) + l->missing);
	f->data = in->data + in->pos;
	return PACKET_FRAGMENT;
}

enum packet_kind layer_ipv4(struct layers *l, struct bytes *in)
{
	struct bytes header = bytes_sub(in, 20);

	if (header.bad)
		return layer_short(l);

	uint8_t version_length = bytes_u8(&header);
	size_t length = (version_length & 15u) * 4;

	bytes_skip(&header, 1); /* type of service */

	uint16_t total = bytes_u16(&header);
	uint16_t id = bytes_u16(&header);
	uint16_t offset = bytes_u16(&header);

	bytes_skip(&header, 1); /* time to live */

	uint8_t proto = bytes_u8(&header);

	bytes_skip(&header, 2); /* checksum: offload leaves it wrong */
	if (version_length >> 4 != 4 || length < 20 || (total != 0 && total < length))
		return PACKET_BAD;
	take_ipv4(&header, l->src.addr);
	take_ipv4(&header, l->dst.addr);
	if (length > 20)
		bytes_skip(in, length - 20);
	if (in->bad)
		return layer_short(l);
	if (total != 0)
		layer_claim(l, in, total - length);
	if (offset & 0x3fff)
		return fragment(l, (struct packet_fragment){
			.ip_id = id, .offset = (offset & 0x1fffu) * 8, .proto = proto,
			.more = offset & 0x2000,
		}, in);
	return layer_ip_payload(l, proto, in);
}

/* The payload length that a jumbogram has in its hop-by-hop options (RFC 2675), or 0. */
static uint32_t jumbo_length(struct bytes in)
{
	bytes_skip(&in, 1);

	struct bytes options = bytes_sub(&in, bytes_u8(&in) * 8u + 6);

	while (bytes_left(&options) > 0) {
		uint8_t type = bytes_u8(&options);

		if (type == 0)
			continue;

		struct bytes value = bytes_sub(&options, bytes_u8(&options));

		if (type == 0xc2)
			return bytes_u32(&value);
	}
	return 0;
}

enum packet_kind layer_ipv6(struct layers *l, struct bytes *in)
{
	struct bytes header = bytes_sub(in, 40);

	if (header.bad)
		return layer_short(l);

	uint32_t version = bytes_u32(&header) >> 28;
	uint32_t length = bytes_u16(&header);
	uint8_t next = bytes_u8(&header);

	bytes_skip(&header, 1); /* hop limit */
	if (version != 6)
		return PACKET_BAD;
	bytes_copy(&header, l->src.addr, sizeof(l->src.addr));
	bytes_copy(&header, l->dst.addr, sizeof(l->dst.addr));
	if (length == 0 && next == IPPROTO_HOPOPTS)
		length = jumbo_length(*in);
	if (length != 0 || next == IPPROTO_NONE)
		layer_claim(l, in, length);
	return layer_ip_payload(l, next, in);
}

enum packet_kind layer_ip(struct layers *l, struct bytes *in)
{
	struct bytes ahead = *in;
	uint8_t version = bytes_u8(&ahead) >> 4;

	if (ahead.bad)
		return layer_short(l);
	return version == 4 ? layer_ipv4(l, in) : version == 6 ? layer_ipv6(l, in) : PACKET_BAD;
}

/* Steps over an extension header to the one it names. False when it is cut. */
static bool extension(struct bytes *in, uint8_t *proto_inout)
{
	uint8_t next = bytes_u8(in);
	size_t length = bytes_u8(in);

	/* RFC 4302 counts in four bytes and two less, all others in eight and one less. */
	bytes_skip(in, *proto_inout == IPPROTO_AH ? length * 4 + 6 : length * 8 + 6);
	*proto_inout = next;
	return !in->bad;
}

/* RFC 8200 section 4.5. True when it is the whole datagram all the same (RFC 6946). */
static bool fragment_header(struct layers *l, struct bytes *in, uint8_t *proto_inout,
			    enum packet_kind *kind_out)
{
	uint8_t next = bytes_u8(in);

	bytes_skip(in, 1);

	uint16_t offset = bytes_u16(in);
	uint32_t id = bytes_u32(in);

	if (in->bad) {
		*kind_out = layer_short(l);
		return false;
	}
	*proto_inout = next;
	if ((offset & 0xfff9) == 0)
		return true;
	*kind_out = fragment(l, (struct packet_fragment){
		.ip_id = id, .offset = offset & 0xfff8u, .proto = next, .ipv6 = true,
		.more = offset & 1,
	}, in);
	return false;
}

static enum packet_kind in_tunnel(struct layers *l, struct bytes *in,
				  enum packet_kind (*inside)(struct layers *, struct bytes *))
{
	return layer_enter_tunnel(l) ? inside(l, in) : PACKET_BAD;
}

static enum packet_kind final_header(struct layers *l, uint8_t proto, struct bytes *in)
{
	switch (proto) {
	case IPPROTO_TCP:
		return layer_tcp(l, in);
	case IPPROTO_UDP:
		return layer_udp(l, in);
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
		return layer_ports(l, proto, in);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return layer_icmp(l, proto, in);
	case IPPROTO_IPIP:
	case IPPROTO_IPV4_OLD:
		return in_tunnel(l, in, layer_ipv4);
	case IPPROTO_IPV6:
		return in_tunnel(l, in, layer_ipv6);
	case IPPROTO_MPLS_:
		return in_tunnel(l, in, layer_mpls);
	case IPPROTO_ETHERNET_:
		return in_tunnel(l, in, layer_ethernet);
	case IPPROTO_ETHERIP:
		return layer_etherip(l, in);
	case IPPROTO_GRE:
		return layer_gre(l, in);
	default:
		return layer_other(l, proto, in);
	}
}

enum packet_kind layer_ip_payload(struct layers *l, uint8_t proto, struct bytes *in)
{
	enum packet_kind kind;

	if (proto == IPPROTO_TCP)
		return layer_tcp(l, in);
	for (unsigned headers = 0; headers <= PACKET_DEPTH; headers++) {
		switch (proto) {
		case IPPROTO_FRAGMENT:
			if (!fragment_header(l, in, &proto, &kind))
				return kind;
			break;
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_MH:
		case IPPROTO_HIP:
		case IPPROTO_SHIM6:
		case IPPROTO_AH:
			if (!extension(in, &proto))
				return layer_short(l);
			break;
		default:
			return final_header(l, proto, in);
		}
	}
	l->too_deep = true;
	return PACKET_BAD;
}

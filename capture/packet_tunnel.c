#include "capture/packet_layers.h"

#include <netinet/in.h>

enum { PORT_TEREDO = 3544, PORT_VXLAN = 4789, PORT_VXLAN_GPE = 4790,
       PORT_GENEVE = 6081, PORT_VXLAN_LINUX = 8472 };

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACK = 0x0080,		/* version 1 only */
	GRE_VERSION = 0x0007,
};

bool layer_enter_tunnel(struct layers *l)
{
	if (l->packet->tunnels >= PACKET_DEPTH) {
		l->too_deep = true;
		return false;
	}
	l->packet->tunnels++;
	/* The MAC addresses of the outer frame are those of the tunnel's ends. */
	l->packet->has_mac = false;
	memset(l->packet->mac_src, 0, sizeof(l->packet->mac_src));
	memset(l->packet->mac_dst, 0, sizeof(l->packet->mac_dst));
	return true;
}

/* RFC 3378: a version and zeroes, then a frame. */
enum packet_kind layer_etherip(struct layers *l, struct bytes *in)
{
	bytes_skip(in, 2);
	return layer_enter_tunnel(l) ? layer_ethernet(l, in) : PACKET_BAD;
}

/* Cisco's mirrored frames: ERSPAN type I has no header, II eight bytes, III twelve or twenty
 * (draft-foschiano-erspan). */
static enum packet_kind erspan(struct layers *l, uint16_t type, bool sequence, struct bytes *in)
{
	if (type == ETHERTYPE_ERSPAN3) {
		bytes_skip(in, 10);
		if (bytes_u16(in) & 1)
			bytes_skip(in, 8);
	} else if (sequence) {
		bytes_skip(in, 8);
	}
	return layer_ethernet(l, in);
}

static bool gre_carries(uint16_t type)
{
	switch (type) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
	case ETHERTYPE_TEB:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
	case ETHERTYPE_PPP:
	case ETHERTYPE_ERSPAN:
	case ETHERTYPE_ERSPAN3:
	case ETHERTYPE_CTAG:
	case ETHERTYPE_STAG:
		return true;
	default:
		return false;
	}
}

/* RFC 2784 and 2890; version 1 is RFC 2637's for PPTP, whose key begins with the payload's length. */
enum packet_kind layer_gre(struct layers *l, struct bytes *in)
{
	struct bytes outer = *in;
	uint16_t flags = bytes_u16(in);
	uint16_t type = bytes_u16(in);
	bool pptp = (flags & GRE_VERSION) == 1;

	if (flags & GRE_CHECKSUM)
		bytes_skip(in, 4);

	uint16_t pptp_length = pptp ? bytes_u16(in) : 0;

	if (pptp)
		bytes_skip(in, 2);
	else if (flags & GRE_KEY)
		bytes_skip(in, 4);
	if (flags & GRE_SEQUENCE)
		bytes_skip(in, 4);
	if (pptp && flags & GRE_ACK)
		bytes_skip(in, 4);
	if (in->bad)
		return layer_short(l);
	if (!gre_carries(type) || flags & GRE_ROUTING || (flags & GRE_VERSION) > 1 ||
	    (pptp && pptp_length == 0))
		return layer_other(l, IPPROTO_GRE, &outer);
	if (!layer_enter_tunnel(l))
		return PACKET_BAD;
	if (pptp)
		layer_claim(l, in, pptp_length);
	if (type == ETHERTYPE_ERSPAN || type == ETHERTYPE_ERSPAN3)
		return erspan(l, type, flags & GRE_SEQUENCE, in);
	return layer_ethertype(l, type, in);
}

/* RFC 7348, and the group policy bits that share its header. */
static bool vxlan(struct bytes *in)
{
	uint8_t flags = bytes_u8(in);
	uint8_t policy = bytes_u8(in);
	uint16_t group = bytes_u16(in);
	uint32_t network_and_zero = bytes_u32(in);

	return !in->bad && (flags & ~0x80) == 0x08 && (policy & ~0x48) == 0 &&
	       (flags & 0x80 || (policy == 0 && group == 0)) && (network_and_zero & 0xff) == 0;
}

/* draft-ietf-nvo3-vxlan-gpe. Not every sender sets its P bit; without it and a next protocol the
 * header is RFC 7348's. */
static bool vxlan_gpe(struct bytes *in, uint16_t *type_out)
{
	uint8_t flags = bytes_u8(in);
	uint16_t zero = bytes_u16(in);
	uint8_t next = bytes_u8(in);
	uint32_t network_and_zero = bytes_u32(in);

	if (flags & 0x04 || next != 0)
		*type_out = layer_next_protocol(next);
	return !in->bad && (flags & ~0x04) == 0x08 && zero == 0 && (network_and_zero & 0xff) == 0 &&
	       *type_out != ETHERTYPE_NONE;
}

/* RFC 8926. */
static bool geneve(struct bytes *in, uint16_t *type_out)
{
	uint8_t version_length = bytes_u8(in);
	uint8_t flags = bytes_u8(in);

	*type_out = bytes_u16(in);

	uint32_t network_and_zero = bytes_u32(in);

	bytes_skip(in, (version_length & 0x3fu) * 4);
	return !in->bad && version_length >> 6 == 0 && (flags & 0x3f) == 0 &&
	       (network_and_zero & 0xff) == 0 &&
	       (*type_out == ETHERTYPE_TEB || *type_out == ETHERTYPE_IPV4 ||
		*type_out == ETHERTYPE_IPV6 || *type_out == ETHERTYPE_MPLS);
}

/* RFC 4380 section 5.1.1: authentication and origin may stand before the IPv6 packet. */
static bool teredo(const struct layers *l, struct bytes *in)
{
	struct bytes ahead = *in;

	if (bytes_u16(&ahead) == 1) {
		size_t client = bytes_u8(&ahead);
		size_t value = bytes_u8(&ahead);

		bytes_skip(&ahead, client + value + 8 + 1); /* nonce, confirmation */
		*in = ahead;
	} else {
		ahead = *in;
	}
	if (bytes_u16(&ahead) == 0) {
		bytes_skip(&ahead, 2 + 4);
		*in = ahead;
	} else {
		ahead = *in;
	}

	size_t here = bytes_left(&ahead) + l->missing;
	uint8_t version = bytes_u8(&ahead) >> 4;

	bytes_skip(&ahead, 3);

	uint16_t length = bytes_u16(&ahead);

	return !ahead.bad && version == 6 && length + 40u <= here;
}

static bool is_tunnel(uint16_t port)
{
	return port == PORT_VXLAN || port == PORT_VXLAN_GPE || port == PORT_VXLAN_LINUX ||
	       port == PORT_GENEVE || port == PORT_TEREDO;
}

uint16_t layer_tunnel_port(uint16_t src_port, uint16_t dst_port)
{
	return is_tunnel(dst_port) ? dst_port : is_tunnel(src_port) ? src_port : 0;
}

static bool tunnel_header(const struct layers *l, uint16_t port, struct bytes *in,
			  uint16_t *type_out)
{
	*type_out = ETHERTYPE_TEB;
	switch (port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan(in);
	case PORT_VXLAN_GPE:
		return vxlan_gpe(in, type_out);
	case PORT_GENEVE:
		return geneve(in, type_out);
	default:
		*type_out = ETHERTYPE_IPV6;
		return teredo(l, in);
	}
}

bool layer_udp_tunnel(struct layers *l, uint16_t port, struct bytes in,
		      enum packet_kind *kind_out)
{
	struct packet saved_packet = *l->packet;
	struct layers saved = *l;
	uint16_t type;

	if (!tunnel_header(l, port, &in, &type))
		return false;
	*kind_out = layer_enter_tunnel(l) ? layer_ethertype(l, type, &in) : PACKET_BAD;
	if (*kind_out != PACKET_BAD || l->too_deep)
		return true;
	*l->packet = saved_packet;
	*l = saved;
	return false;
}

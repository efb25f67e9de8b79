/* What stands between an EtherType and IP: MPLS labels, MACsec, PPPoE, PPP. */
#include "capture/packet_layers.h"

static uint16_t u16_at(struct bytes in, size_t offset)
{
	bytes_skip(&in, offset);
	return bytes_u16(&in);
}

/* Whether an IP header's own numbers hold, for a first byte that may as well be a MAC address's. */
static bool looks_like_ip(const struct layers *l, struct bytes in)
{
	size_t here = bytes_left(&in) + l->missing;
	uint8_t first = bytes_u8(&in);

	if (first >> 4 == 4) {
		uint16_t total = u16_at(in, 1);

		return (first & 15) >= 5 && total >= (first & 15) * 4 && total <= here;
	}
	return first >> 4 == 6 && (size_t)u16_at(in, 3) + 40 <= here;
}

/* Whether an EtherType `offset` bytes ahead, perhaps behind VLAN tags, is IP's and such a header
 * follows. */
static bool type_of_ip(const struct layers *l, struct bytes in, size_t offset)
{
	uint16_t type;

	bytes_skip(&in, offset);
	type = bytes_u16(&in);
	for (unsigned tags = 0; tags < 2 && (type == ETHERTYPE_CTAG || type == ETHERTYPE_STAG); tags++) {
		bytes_skip(&in, 2);
		type = bytes_u16(&in);
	}
	return u16_at(in, 0) >> 12 == (type == ETHERTYPE_IPV4 ? 4 : type == ETHERTYPE_IPV6 ? 6 : 16) &&
	       looks_like_ip(l, in);
}

/* Whether an EtherType that one may expect stands `offset` bytes ahead. */
static bool type_of_ethernet(struct bytes in, size_t offset)
{
	uint16_t type = u16_at(in, offset);
	uint16_t next = u16_at(in, offset + 2);

	switch (type) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
	case ETHERTYPE_CTAG:
	case ETHERTYPE_STAG:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_PPPOE_SESSION:
	case 0x0806:				/* ARP */
	case 0x8863:				/* PPPoE discovery */
	case 0x88cc:				/* LLDP */
	case 0x88e5:				/* MACsec */
	case 0x9000:				/* loopback test */
		return true;
	default:
		return type <= 1500 && (next == 0x4242 || next == 0xaaaa || next == 0xfefe);
	}
}

/* The payload behind the last label; nothing says what it is. RFC 4928: a first nibble of 4 or 6 is
 * IP, 1 an associated channel, 0 the control word of a pseudowire. An Ethernet pseudowire without
 * control word begins with any nibble, so what is surest is asked first. */
static enum packet_kind below_labels(struct layers *l, struct bytes *in)
{
	struct bytes ahead = *in;
	uint8_t nibble = bytes_u8(&ahead) >> 4;

	if (ahead.bad)
		return layer_short(l);
	if (type_of_ip(l, *in, 12))
		return layer_ethernet(l, in);
	if (looks_like_ip(l, *in))
		return layer_ip(l, in);
	if (nibble == 0 && (type_of_ip(l, *in, 4 + 12) || !type_of_ethernet(*in, 12)) &&
	    type_of_ethernet(*in, 4 + 12)) {
		bytes_skip(in, 4);
		return layer_ethernet(l, in);
	}
	if (type_of_ethernet(*in, 12))
		return layer_ethernet(l, in);
	if (nibble == 4 || nibble == 6)
		return layer_ip(l, in);
	/* Too little was captured to see a control word, an Ethernet header and its first bytes. */
	return bytes_left(in) < 4 + 16 && l->missing > 0 ? PACKET_CUT : PACKET_NOT_IP;
}

enum packet_kind layer_mpls(struct layers *l, struct bytes *in)
{
	for (;;) {
		uint32_t label = bytes_u32(in);

		if (in->bad)
			return layer_short(l);
		if (label & 0x100) /* bottom of the stack */
			return below_labels(l, in);
		if (!layer_nest(l))
			return PACKET_BAD;
	}
}

/* IEEE 802.1AE: readable only where it authenticates and does not encrypt. */
enum packet_kind layer_macsec(struct layers *l, struct bytes *in)
{
	uint8_t tag = bytes_u8(in);

	bytes_skip(in, 5); /* short length, packet number */
	if (tag & 0x20)
		bytes_skip(in, 8); /* channel identifier */
	if (in->bad)
		return layer_short(l);
	if (tag & 0x0c)
		return PACKET_OPAQUE;

	uint16_t type = bytes_u16(in);

	return in->bad ? layer_short(l) : layer_ethertype(l, type, in);
}

/* RFC 2516 section 4. */
enum packet_kind layer_pppoe(struct layers *l, struct bytes *in)
{
	uint8_t version_type = bytes_u8(in);
	uint8_t code = bytes_u8(in);

	bytes_skip(in, 2); /* session */

	uint16_t length = bytes_u16(in);

	if (in->bad)
		return layer_short(l);
	if (version_type != 0x11)
		return PACKET_BAD;
	if (code != 0)
		return PACKET_NOT_IP;
	layer_claim(l, in, length);
	return layer_ppp(l, in);
}

/* RFC 1661, with RFC 1662's address and control bytes or without, and with compressed protocol
 * numbers: an odd first byte is all of it. */
enum packet_kind layer_ppp(struct layers *l, struct bytes *in)
{
	struct bytes ahead = *in;

	if (bytes_u16(&ahead) == 0xff03)
		bytes_skip(in, 2);
	if (ahead.bad)
		return layer_short(l);

	uint16_t proto = bytes_u8(in);

	if ((proto & 1) == 0)
		proto = (uint16_t)(proto << 8 | bytes_u8(in));
	if (in->bad)
		return layer_short(l);
	switch (proto) {
	case 0x0021:
		return layer_ipv4(l, in);
	case 0x0057:
		return layer_ipv6(l, in);
	case 0x0281:
	case 0x0283:
		return layer_ethertype(l, ETHERTYPE_MPLS, in);
	case 0x002d: case 0x002f:	/* TCP with its headers compressed */
	case 0x003d:			/* a part of a multilink bundle */
	case 0x0053: case 0x0055:	/* encrypted */
	case 0x00fb: case 0x00fd:	/* compressed; MPPE's encryption as well */
		return PACKET_OPAQUE;
	default:
		return PACKET_NOT_IP;
	}
}

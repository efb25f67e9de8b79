#include "capture/packet_layers.h"

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_DLT_RAW = 12,		/* DLT_RAW's own number, which some tools write */
	LINK_DLT_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51,
	LINK_RAW = 101,
	LINK_C_HDLC = 104,
	LINK_80211 = 105,
	LINK_LOOP = 108,
	LINK_ENC = 109,
	LINK_SLL = 113,
	LINK_PFLOG = 117,
	LINK_80211_PRISM = 119,
	LINK_80211_RADIOTAP = 127,
	LINK_80211_AVS = 163,
	LINK_PPP_PPPD = 166,
	LINK_PPI = 192,
	LINK_PPP_WITH_DIR = 204,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_NFLOG = 239,
	LINK_PKTAP = 258,
	LINK_SLL2 = 276,
};

/* n bytes that say nothing we need, then an EtherType. */
static enum packet_kind skip_to_ethertype(struct layers *l, struct bytes *in, size_t n)
{
	bytes_skip(in, n);

	uint16_t type = bytes_u16(in);

	return in->bad ? layer_short(l) : layer_ethertype(l, type, in);
}

static enum packet_kind ppp_or_cisco_hdlc(struct layers *l, struct bytes *in)
{
	struct bytes ahead = *in;
	uint16_t first = bytes_u16(&ahead);

	/* Cisco's HDLC: an address (unicast or broadcast) and a zero. */
	if (first == 0x0f00 || first == 0x8f00)
		return skip_to_ethertype(l, in, 2);
	return layer_ppp(l, in);
}

/* n bytes that say nothing we need, then IP. */
static enum packet_kind skip_to_ip(struct layers *l, struct bytes *in, size_t n)
{
	bytes_skip(in, n);
	return layer_ip(l, in);
}

/* n bytes that say nothing we need, then PPP. */
static enum packet_kind skip_to_ppp(struct layers *l, struct bytes *in, size_t n)
{
	bytes_skip(in, n);
	return layer_ppp(l, in);
}

enum packet_kind layer_link(struct layers *l, struct bytes *in, uint32_t link_type)
{
	if (!layer_nest(l))
		return PACKET_BAD;
	switch (link_type) {
	case LINK_ETHERNET:
		return layer_ethernet(l, in);
	case LINK_NULL:
	case LINK_LOOP:
		return layer_loopback(l, in);
	case LINK_DLT_RAW:
	case LINK_DLT_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		return layer_ip(l, in);
	case LINK_ENC:
		return skip_to_ip(l, in, 12);
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return ppp_or_cisco_hdlc(l, in);
	case LINK_PPP_WITH_DIR:
		return skip_to_ppp(l, in, 1);
	case LINK_PPP_PPPD:
		return skip_to_ppp(l, in, 2);
	case LINK_PPP_ETHER:
		return layer_pppoe(l, in);
	case LINK_C_HDLC:
		return skip_to_ethertype(l, in, 2);
	case LINK_80211:
		return layer_80211(l, in, false);
	case LINK_80211_PRISM:
	case LINK_80211_AVS:
		return layer_prism(l, in);
	case LINK_80211_RADIOTAP:
		return layer_radiotap(l, in);
	case LINK_PPI:
		return layer_ppi(l, in);
	case LINK_SLL:
		return layer_sll(l, in);
	case LINK_SLL2:
		return layer_sll2(l, in);
	case LINK_PFLOG:
		return layer_pflog(l, in);
	case LINK_NFLOG:
		return layer_nflog(l, in);
	case LINK_PKTAP:
		return layer_pktap(l, in);
	default:
		return PACKET_UNKNOWN_LINK;
	}
}

enum packet_kind layer_llc(struct layers *l, struct bytes *in)
{
	uint16_t saps = bytes_u16(in);
	uint8_t control = bytes_u8(in);

	if (in->bad)
		return layer_short(l);
	if (saps == 0x0606 && control == 3)
		return layer_ipv4(l, in);
	if (saps != 0xaaaa || control != 3)
		return PACKET_NOT_IP;

	uint32_t organisation = bytes_u24(in);
	uint16_t type = bytes_u16(in);

	if (in->bad)
		return layer_short(l);
	/* RFC 1042's SNAP and 802.1H's bridge tunnel carry EtherTypes; a vendor's number its own. */
	if (organisation != 0 && organisation != 0x0000f8)
		return PACKET_NOT_IP;
	return layer_ethertype(l, type, in);
}

enum packet_kind layer_ethernet(struct layers *l, struct bytes *in)
{
	struct packet *p = l->packet;
	struct bytes header = bytes_sub(in, 14);

	if (header.bad)
		return layer_short(l);
	bytes_copy(&header, p->mac_dst, sizeof(p->mac_dst));
	bytes_copy(&header, p->mac_src, sizeof(p->mac_src));
	p->has_mac = true;
	return layer_ethertype(l, bytes_u16(&header), in);
}

static enum packet_kind vlan(struct layers *l, struct bytes *in)
{
	uint16_t id = bytes_u16(in) & 0x0fff;
	uint16_t type = bytes_u16(in);

	if (in->bad)
		return layer_short(l);
	/* 0 is a priority without a VLAN. */
	if (id != 0)
		l->packet->vlan = id;
	return layer_ethertype(l, type, in);
}

/* 802.1ah: a service tag, then the customer's whole frame. */
static enum packet_kind provider_backbone(struct layers *l, struct bytes *in)
{
	bytes_skip(in, 4);
	return layer_ethernet(l, in);
}

/* RFC 8300: a header with its length in four bytes, then what its last byte says. */
static enum packet_kind service_header(struct layers *l, struct bytes *in)
{
	size_t length = (bytes_u16(in) & 0x3fu) * 4;

	bytes_skip(in, 1);

	uint8_t next = bytes_u8(in);

	if (length < 8)
		return in->bad ? layer_short(l) : PACKET_BAD;
	bytes_skip(in, length - 4);
	return in->bad ? layer_short(l) : layer_ethertype(l, layer_next_protocol(next), in);
}

uint16_t layer_next_protocol(uint8_t next)
{
	static const uint16_t types[] = {
		[1] = ETHERTYPE_IPV4, [2] = ETHERTYPE_IPV6, [3] = ETHERTYPE_TEB,
		[4] = ETHERTYPE_NSH, [5] = ETHERTYPE_MPLS,
	};

	return next > 0 && next < sizeof(types) / sizeof(types[0]) ? types[next] : ETHERTYPE_NONE;
}

enum packet_kind layer_ethertype(struct layers *l, uint16_t type, struct bytes *in)
{
	if (type == ETHERTYPE_IPV4)
		return layer_ipv4(l, in);
	if (type == ETHERTYPE_IPV6)
		return layer_ipv6(l, in);
	if (!layer_nest(l))
		return PACKET_BAD;
	if (type <= 1500) {
		layer_claim(l, in, type);
		return layer_llc(l, in);
	}
	switch (type) {
	case ETHERTYPE_CTAG:
	case ETHERTYPE_STAG:
	case 0x9100: case 0x9200: case 0x9300:	/* QinQ before it was standardised */
		return vlan(l, in);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return layer_mpls(l, in);
	case ETHERTYPE_PPPOE_SESSION:
		return layer_pppoe(l, in);
	case ETHERTYPE_TEB:
		return layer_ethernet(l, in);
	case ETHERTYPE_PPP:
		return layer_ppp(l, in);
	case 0x8870:				/* LLC in a jumbo frame */
		return layer_llc(l, in);
	case 0x88e5:
		return layer_macsec(l, in);
	case 0x88e7:
		return provider_backbone(l, in);
	case 0x8909:				/* Cisco's metadata */
		return skip_to_ethertype(l, in, 6);
	case 0x8926:				/* Cisco's VN-Tag */
		return skip_to_ethertype(l, in, 4);
	case ETHERTYPE_NSH:
		return service_header(l, in);
	default:
		return PACKET_NOT_IP;
	}
}

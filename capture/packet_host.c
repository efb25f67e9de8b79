/* Link layers that no wire has: the capturing host makes them up. */
#include "capture/packet_layers.h"

/* linux/if_arp.h */
enum {
	ARPHRD_80211 = 801,
	ARPHRD_80211_PRISM = 802,
	ARPHRD_80211_RADIOTAP = 803,
	ARPHRD_NETLINK_ = 824,
};

enum { ETH_P_802_2_ = 4 };	/* linux/if_ether.h */

static enum packet_kind cooked(struct layers *l, uint16_t hardware, uint16_t proto, struct bytes *in)
{
	if (in->bad)
		return layer_short(l);
	switch (hardware) {
	case ARPHRD_NETLINK_:
		return PACKET_NOT_IP;
	case ARPHRD_80211:
		return layer_80211(l, in, false);
	case ARPHRD_80211_PRISM:
		return layer_prism(l, in);
	case ARPHRD_80211_RADIOTAP:
		return layer_radiotap(l, in);
	default:
		break;
	}
	if (proto == ETH_P_802_2_)
		return layer_llc(l, in);
	return proto <= 1535 ? PACKET_NOT_IP : layer_ethertype(l, proto, in);
}

enum packet_kind layer_sll(struct layers *l, struct bytes *in)
{
	bytes_skip(in, 2); /* which way */

	uint16_t hardware = bytes_u16(in);

	bytes_skip(in, 2 + 8); /* sender's address: the receiver's is not known */
	return cooked(l, hardware, bytes_u16(in), in);
}

enum packet_kind layer_sll2(struct layers *l, struct bytes *in)
{
	uint16_t proto = bytes_u16(in);

	bytes_skip(in, 2 + 4); /* reserved, interface */

	uint16_t hardware = bytes_u16(in);

	bytes_skip(in, 1 + 1 + 8);
	return cooked(l, hardware, proto, in);
}

/* The address family of the host that captured, in its byte order or, by OpenBSD, in the network's.
 * Only AF_INET is the same everywhere; some drivers write an EtherType instead. */
enum packet_kind layer_loopback(struct layers *l, struct bytes *in)
{
	struct bytes swapped = *in;
	uint32_t family = bytes_u32(in);

	if (in->bad)
		return layer_short(l);
	if (family > 0xffff)
		family = bytes_u32_le(&swapped);
	switch (family) {
	case 2:
		return layer_ipv4(l, in);
	case 10:	/* Linux */
	case 23:	/* Windows */
	case 24:	/* NetBSD, OpenBSD */
	case 28:	/* FreeBSD */
	case 30:	/* Darwin */
		return layer_ipv6(l, in);
	default:
		return family > 1535 && family <= 0xffff ?
		       layer_ethertype(l, (uint16_t)family, in) : PACKET_NOT_IP;
	}
}

static uint16_t u16_of(struct bytes *in, bool big)
{
	return big ? bytes_u16(in) : bytes_u16_le(in);
}

/* Records of length and type in the byte order of the host, until the one that is the packet. */
static enum packet_kind nflog_payload(struct layers *l, struct bytes *in, bool big)
{
	while (bytes_left(in) > 0) {
		uint16_t length = u16_of(in, big);
		uint16_t type = u16_of(in, big) & 0x7fff;

		if (in->bad)
			return layer_short(l);
		if (length < 4)
			return PACKET_BAD;
		length = (uint16_t)(length - 4);
		if (type == 9) {
			layer_claim(l, in, length);
			return layer_ip(l, in);
		}
		bytes_skip(in, (size_t)(length + 3) & ~(size_t)3);
		if (in->bad)
			return layer_short(l);
	}
	return l->missing > 0 ? PACKET_CUT : PACKET_NOT_IP;
}

enum packet_kind layer_nflog(struct layers *l, struct bytes *in)
{
	uint8_t family = bytes_u8(in);

	bytes_skip(in, 1 + 2); /* version, group */

	struct bytes first = *in;
	uint16_t length = bytes_u16_le(&first);

	if (first.bad)
		return layer_short(l);
	if (family != 2 && family != 10)
		return PACKET_NOT_IP;
	/* No record but the packet itself is 256 bytes long, and that one is not the first. */
	return nflog_payload(l, in, length >= 256);
}

/* OpenBSD's and pfSense's firewall log: its header says its own length, without padding. */
enum packet_kind layer_pflog(struct layers *l, struct bytes *in)
{
	struct bytes start = *in;
	uint8_t length = bytes_u8(in);
	uint8_t family = bytes_u8(in);

	bytes_skip(&start, (size_t)(length + 3) & ~(size_t)3);
	if (in->bad || start.bad)
		return layer_short(l);
	if (length < 4)
		return PACKET_BAD;
	return family == 2 || family == 24 || family == 28 || family == 30 ?
	       layer_ip(l, &start) : PACKET_NOT_IP;
}

/* Apple's: what stands in it in Darwin's bsd/net/pktap.h. The fields are little-endian. */
enum packet_kind layer_pktap(struct layers *l, struct bytes *in)
{
	struct bytes start = *in;
	uint32_t length = bytes_u32_le(in);
	uint32_t record = bytes_u32_le(in);
	uint32_t link_type = bytes_u32_le(in);

	bytes_skip(in, 24 + 4 + 4 + 4 + 4); /* name, flags, family, lengths before and after */

	uint32_t pid = bytes_u32_le(in);

	bytes_skip(&start, length);
	if (in->bad || start.bad)
		return layer_short(l);
	if (length < 56)
		return PACKET_BAD;
	if (record != 1)
		return PACKET_NOT_IP;
	/* -1 is no process; what the file's own option says is taken first. */
	if (l->packet->pid == 0 && pid <= INT32_MAX)
		l->packet->pid = pid;
	return layer_link(l, &start, link_type);
}

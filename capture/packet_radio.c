/* IEEE 802.11 data frames, and the headers that capturing tools put before them. */
#include "capture/packet_layers.h"

enum {
	WIFI_TO_DS = 0x01,
	WIFI_FROM_DS = 0x02,
	WIFI_PROTECTED = 0x40,
	WIFI_ORDER = 0x80,
};

/* Three addresses; what they mean depends on the way through the access point. */
static void addresses(struct layers *l, uint8_t flags, struct bytes *in)
{
	struct packet *p = l->packet;
	struct bytes one = bytes_sub(in, 6), two = bytes_sub(in, 6), three = bytes_sub(in, 6);

	bytes_skip(in, 2); /* sequence control */

	struct bytes four = flags & WIFI_TO_DS && flags & WIFI_FROM_DS ? bytes_sub(in, 6) : three;

	if (in->bad)
		return;
	bytes_copy(flags & WIFI_TO_DS ? &three : &one, p->mac_dst, sizeof(p->mac_dst));
	if (flags & WIFI_FROM_DS)
		bytes_copy(&four, p->mac_src, sizeof(p->mac_src));
	else
		bytes_copy(&two, p->mac_src, sizeof(p->mac_src));
	p->has_mac = true;
}

/* An aggregate: each part with addresses, a length and LLC. Only one packet can be given for a frame,
 * so an aggregate of several says that it could not be read. */
static enum packet_kind aggregate(struct layers *l, struct bytes *in)
{
	bytes_skip(in, 12);

	uint16_t length = bytes_u16(in);

	if (in->bad)
		return layer_short(l);
	/* Behind the only part at most padding and the check sum of the frame can follow. */
	if (bytes_left(in) + l->missing > (size_t)length + 3 + 4)
		return PACKET_BAD;
	layer_claim(l, in, length);
	return layer_llc(l, in);
}

enum packet_kind layer_80211(struct layers *l, struct bytes *in, bool padded)
{
	struct bytes start = *in;
	uint8_t type = bytes_u8(in);
	uint8_t flags = bytes_u8(in);
	uint16_t qos = 0;

	if (in->bad)
		return layer_short(l);
	/* Version 0, type data, not one of the subtypes that carry none. */
	if ((type & 0x0f) != 0x08 || type & 0x40)
		return PACKET_NOT_IP;
	bytes_skip(in, 2); /* duration */

	struct bytes sequence = *in;

	addresses(l, flags, in);
	bytes_skip(&sequence, 18);

	uint8_t fragment = bytes_u8(&sequence) & 15;

	if (type & 0x80) {
		qos = bytes_u16_le(in);
		if (flags & WIFI_ORDER)
			bytes_skip(in, 4);
	}
	if (padded)
		bytes_skip(in, (4 - (in->pos - start.pos) % 4) % 4);
	if (in->bad)
		return layer_short(l);
	if (flags & WIFI_PROTECTED)
		return PACKET_OPAQUE;
	/* Frames split on the air are not put together. */
	if (fragment != 0)
		return PACKET_BAD;
	return qos & 0x80 ? aggregate(l, in) : layer_llc(l, in);
}

enum { RADIOTAP_TSFT = 1, RADIOTAP_FLAGS = 2, RADIOTAP_MORE = 1u << 31 };
enum { RADIOTAP_PADDED = 0x20, RADIOTAP_BAD_FCS = 0x40 };

/* The one field that matters. Fields stand in the order of their bits, aligned to their size. */
static uint8_t radiotap_flags(struct bytes header, size_t start)
{
	uint32_t present = bytes_u32_le(&header), more = present;

	while (more & RADIOTAP_MORE)
		more = bytes_u32_le(&header);
	if ((present & RADIOTAP_FLAGS) == 0)
		return 0;
	if (present & RADIOTAP_TSFT)
		bytes_skip(&header, (8 - (header.pos - start) % 8) % 8 + 8);
	return bytes_u8(&header);
}

enum packet_kind layer_radiotap(struct layers *l, struct bytes *in)
{
	struct bytes whole = *in, header;

	bytes_skip(in, 2); /* version, padding */

	uint16_t length = bytes_u16_le(in);

	header = bytes_sub(&whole, length);
	if (in->bad || header.bad)
		return layer_short(l);
	if (length < 8)
		return PACKET_BAD;

	size_t start = header.pos;

	bytes_skip(&header, 4);

	uint8_t flags = radiotap_flags(header, start);

	if (flags & RADIOTAP_BAD_FCS)
		return PACKET_BAD;
	return layer_80211(l, &whole, flags & RADIOTAP_PADDED);
}

enum packet_kind layer_ppi(struct layers *l, struct bytes *in)
{
	struct bytes whole = *in;

	bytes_skip(in, 2); /* version, flags */

	uint16_t length = bytes_u16_le(in);
	uint32_t link_type = bytes_u32_le(in);

	bytes_skip(&whole, length);
	if (in->bad || whole.bad)
		return layer_short(l);
	return length < 8 ? PACKET_BAD : layer_link(l, &whole, link_type);
}

/* Prism's own header, in the byte order of the host, or AVS's, told apart by its magic number. */
enum packet_kind layer_prism(struct layers *l, struct bytes *in)
{
	struct bytes whole = *in, swapped;
	uint32_t magic = bytes_u32(in);

	swapped = *in;

	uint32_t length = bytes_u32(in);

	if (magic >> 12 != 0x80211 && length > 0xffff)
		length = bytes_u32_le(&swapped);
	bytes_skip(&whole, length);
	if (in->bad || whole.bad)
		return layer_short(l);
	return length < 8 ? PACKET_BAD : layer_80211(l, &whole, false);
}

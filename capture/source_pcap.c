/* The classic format: a file header, then packets, each behind its own header. What tcpdump reads
 * is read here: microseconds and nanoseconds, both byte orders, the longer packet header of a patched
 * libpcap, and the old versions that had the two lengths the other way round. */
#include "capture/source_reader.h"

#define MAGIC_MICROSECONDS 0xa1b2c3d4
#define MAGIC_NANOSECONDS 0xa1b23c4d
#define MAGIC_PATCHED 0xa1b2cd34

#define FILE_HEADER 24
#define PACKET_HEADER 16
#define PATCHED_PACKET_HEADER 24	/* interface, protocol and packet type behind the lengths */

static bool known(uint32_t magic)
{
	return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS || magic == MAGIC_PATCHED;
}

bool source_pcap_magic(const uint8_t magic[4])
{
	struct bytes big = bytes_of(magic, 4), little = big;

	return known(bytes_u32(&big)) || known(bytes_u32_le(&little));
}

static bool next(struct source *s, struct frame *frame_out)
{
	if (!source_want(s, s->header_len)) {
		if (source_left(s) == 0)
			return source_over(s);
		return source_cut(s, source_offset(s), "a packet header", s->header_len,
				  source_left(s));
	}

	struct bytes b = bytes_of(source_here(s), s->header_len);
	uint32_t seconds = source_u32(s, &b);
	uint32_t subseconds = source_u32(s, &b);
	uint32_t caplen = source_u32(s, &b);
	uint32_t wire_len = source_u32(s, &b);

	/* Version 2.3 has them this way and that; a packet is never captured longer than it was. */
	if (s->lengths == LENGTHS_SWAPPED || (s->lengths == LENGTHS_EITHER && caplen > wire_len)) {
		uint32_t other = caplen;

		caplen = wire_len;
		wire_len = other;
	}
	if (caplen > SOURCE_CAPLEN_MAX)
		return source_damaged(s, source_offset(s),
				      "a packet claims %u captured bytes, more than %d", caplen,
				      SOURCE_CAPLEN_MAX);
	if (!source_want(s, s->header_len + caplen))
		return source_cut(s, source_offset(s), "a packet", s->header_len + caplen,
				  source_left(s));
	*frame_out = (struct frame){
		.time_ns = (int64_t)seconds * 1000000000 + (int64_t)subseconds * s->subsecond_ns,
		.data = source_here(s) + s->header_len,
		.caplen = caplen,
		.wire_len = wire_len,
		.link_type = s->interfaces[0].link_type,
	};
	s->pos += s->header_len + caplen;
	return true;
}

/* The upper bits say whether packets end in a checksum, and how long it is. */
static uint16_t link_type_of(uint32_t field)
{
	uint32_t type = field & 0x03ffffff;

	return type < SOURCE_LINK_TYPE_NONE ? (uint16_t)type : SOURCE_LINK_TYPE_NONE;
}

/* Before 2.3 the wire length came first; DG/UX wrote its own version that way (pcap-savefile(5)). */
static bool take_version(struct source *s, unsigned major, unsigned minor)
{
	if (major == 543 && minor == 0)
		s->lengths = LENGTHS_SWAPPED;
	else if (major != 2 || minor > 4)
		return source_damaged(s, source_offset(s) + 4,
				      "pcap version %u.%u, where 2.0 to 2.4 are known", major, minor);
	else
		s->lengths = minor < 3 ? LENGTHS_SWAPPED
			     : minor == 3 ? LENGTHS_EITHER : LENGTHS_STRAIGHT;
	return true;
}

bool source_pcap_begin(struct source *s)
{
	if (!source_want(s, FILE_HEADER))
		return source_cut(s, 0, "the file header", FILE_HEADER, source_left(s));

	struct bytes b = bytes_of(source_here(s), FILE_HEADER);

	s->big_endian = b.data[0] == 0xa1;

	uint32_t magic = source_u32(s, &b);
	unsigned major = source_u16(s, &b);
	unsigned minor = source_u16(s, &b);

	bytes_skip(&b, 8);		/* time zone and accuracy: always 0 */

	uint32_t snaplen = source_u32(s, &b);
	uint16_t link_type = link_type_of(source_u32(s, &b));

	s->end.format = magic == MAGIC_NANOSECONDS ? "pcap-ns" : "pcap";
	s->subsecond_ns = magic == MAGIC_NANOSECONDS ? 1 : 1000;
	s->header_len = magic == MAGIC_PATCHED ? PATCHED_PACKET_HEADER : PACKET_HEADER;
	if (!take_version(s, major, minor))
		return false;
	source_add_interface(s, link_type, snaplen);
	s->pos += FILE_HEADER;
	s->read = next;
	return true;
}

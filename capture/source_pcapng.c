/* pcapng (draft-ietf-opsawg-pcapng): blocks, each with its length at both ends, in sections that
 * have their own byte order and interfaces. */
#include "capture/source_pcapng.h"

#include "capture/base.h"

#include <stdlib.h>

#define BLOCK_SECTION 0x0a0d0d0a	/* the same in both byte orders */
#define BLOCK_INTERFACE 1
#define BLOCK_NAMES 4
#define BLOCK_STATISTICS 5
#define BLOCK_JOURNAL 9			/* systemd's */
#define BLOCK_SECRETS 10
#define BLOCK_CUSTOM 0x0bad
#define BLOCK_CUSTOM_NO_COPY 0x40000bad
#define BLOCK_APPLE_PROCESS 0x80000001	/* written by macOS's tcpdump */

#define BYTE_ORDER_MARK 0x1a2b3c4d
#define BLOCK_MIN 12			/* type and both lengths */

#define IF_NAME 2
#define IF_TSRESOL 9
#define IF_TSOFFSET 14
#define ISB_IFRECV 4
#define ISB_IFDROP 5
#define ISB_OSDROP 7

bool source_pcapng_magic(const uint8_t magic[4])
{
	struct bytes b = bytes_of(magic, 4);

	return bytes_u32(&b) == BLOCK_SECTION;
}

static struct source_clock clock_of(uint8_t resolution)
{
	unsigned power = resolution & 0x7f;
	struct source_clock clock = { .mul = 1000000000, .div = 1 };

	if (resolution & 0x80) {
		clock.shift = power;
		return clock;
	}
	for (; power > 0 && clock.mul > 1; power--)
		clock.mul /= 10;
	for (; power > 0 && clock.div < UINT64_MAX / 10; power--)
		clock.div *= 10;
	if (power > 0)		/* 2^64 ticks are less than a nanosecond */
		clock.mul = 0;
	return clock;
}

static enum block take_section(struct source *s, struct bytes b)
{
	uint64_t at = source_offset(s);

	bytes_skip(&b, 4);		/* the mark: next_block has looked at it */

	unsigned major = source_u16(s, &b);
	unsigned minor = source_u16(s, &b);

	bytes_skip(&b, 8);		/* the section's length: often unknown, never needed */
	if (b.bad) {
		source_damaged(s, at, "a section header is too short");
		return BLOCK_FAILED;
	}
	if (major != 1) {
		source_damaged(s, at, "pcapng version %u.%u, where 1 is known", major, minor);
		return BLOCK_FAILED;
	}
	s->first_interface = s->end.interface_count;
	s->process_count = 0;
	return BLOCK_PASSED;
}

static enum block take_interface(struct source *s, struct bytes b)
{
	uint16_t code, link_type = source_u16(s, &b);
	struct bytes value;

	bytes_skip(&b, 2);

	uint32_t snaplen = source_u32(s, &b);

	if (b.bad) {
		source_damaged(s, source_offset(s), "an interface description is too short");
		return BLOCK_FAILED;
	}

	struct source_interface *interface = source_add_interface(s, link_type, snaplen);

	if (interface == NULL) {
		source_damaged(s, source_offset(s), "more than %d interfaces", SOURCE_INTERFACES);
		return BLOCK_FAILED;
	}

	struct source_clock *clock = &s->ports[s->end.interface_count - 1].clock;

	while (source_next_option(s, &b, &code, &value)) {
		if (code == IF_NAME) {
			size_t room = sizeof(interface->name) - 1;

			bytes_copy(&value, interface->name, value.len < room ? value.len : room);
		} else if (code == IF_TSRESOL && value.len == 1) {
			int64_t offset_s = clock->offset_s;

			*clock = clock_of(bytes_u8(&value));
			clock->offset_s = offset_s;
		} else if (code == IF_TSOFFSET && value.len == 8) {
			clock->offset_s = (int64_t)source_u64(s, &value);
		}
	}
	return BLOCK_PASSED;
}

static enum block take_statistics(struct source *s, struct bytes b)
{
	uint16_t code;
	struct bytes value;
	unsigned i;
	uint32_t number = source_u32(s, &b);
	uint64_t drops = 0;

	bytes_skip(&b, 8);		/* their time */
	if (b.bad) {
		source_damaged(s, source_offset(s), "interface statistics are too short");
		return BLOCK_FAILED;
	}
	if (!source_find_interface(s, number, &i))
		return BLOCK_FAILED;
	while (source_next_option(s, &b, &code, &value)) {
		if (value.len != 8)
			continue;
		if (code == ISB_IFRECV)
			s->interfaces[i].recorded_received = source_u64(s, &value);
		else if (code == ISB_IFDROP || code == ISB_OSDROP)
			drops = source_add_drops(drops, source_u64(s, &value));
		else
			continue;
		s->interfaces[i].recorded = true;
	}
	/* Statistics count from the start, so later ones hold the earlier ones. */
	if (drops > s->ports[i].drops)
		s->ports[i].drops = drops;
	return BLOCK_PASSED;
}

static enum block take_process(struct source *s, struct bytes b)
{
	uint32_t pid = source_u32(s, &b);

	if (s->processes == NULL)
		s->processes = base_alloc_array(SOURCE_PROCESSES, sizeof(*s->processes));
	if (!b.bad && s->process_count < SOURCE_PROCESSES)
		s->processes[s->process_count++] = pid;
	return BLOCK_PASSED;
}

static enum block take_block(struct source *s, uint32_t type, struct bytes body,
			     struct frame *frame_out)
{
	switch (type) {
	case BLOCK_SECTION:
		return take_section(s, body);
	case BLOCK_INTERFACE:
		return take_interface(s, body);
	case BLOCK_STATISTICS:
		return take_statistics(s, body);
	case BLOCK_APPLE_PROCESS:
		return take_process(s, body);
	case BLOCK_SIMPLE_PACKET:
		return source_simple_packet(s, body, frame_out);
	default:
		return source_packet(s, type, body, frame_out);
	}
}

static bool is_read(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION:
	case BLOCK_INTERFACE:
	case BLOCK_STATISTICS:
	case BLOCK_APPLE_PROCESS:
	case BLOCK_SIMPLE_PACKET:
	case BLOCK_PACKET:
	case BLOCK_ENHANCED_PACKET:
		return true;
	default:
		return false;
	}
}

/* Wireshark shows these among the packets and numbers them; so must we, or every later frame that a
 * finding names would be another in Wireshark. Those from 0x204 on are Sysdig's events. */
static bool is_numbered(uint32_t type)
{
	switch (type) {
	case BLOCK_JOURNAL:
	case BLOCK_CUSTOM:
	case BLOCK_CUSTOM_NO_COPY:
	case 0x204:
	case 0x208:
	case 0x216:
	case 0x217:
	case 0x221:
	case 0x222:
		return true;
	default:
		return false;
	}
}

static bool check_trailer(struct source *s, uint64_t at, uint32_t total, const uint8_t *trailer)
{
	struct bytes b = bytes_of(trailer, 4);
	uint32_t again = source_u32(s, &b);

	return again == total ||
	       source_damaged(s, at, "a block gives its length as %u first and as %u last", total,
			      again);
}

/* Passes a block of any length, of which nothing is needed but that it ends as it should. */
static enum block pass_block(struct source *s, uint32_t type, uint32_t total, uint64_t size)
{
	uint64_t at = source_offset(s), left = size - 4;

	if (type == BLOCK_SECRETS)
		s->end.secrets_blocks++;
	else if (type != BLOCK_NAMES)
		s->end.unknown_blocks++;
	s->other_records += is_numbered(type);
	while (left > 0 && source_want(s, 1)) {
		size_t n = left < source_left(s) ? (size_t)left : source_left(s);

		s->pos += n;
		left -= n;
	}
	if (left > 0 || !source_want(s, 4)) {
		source_cut(s, at, "a block", size, size - 4 - left + source_left(s));
		return BLOCK_FAILED;
	}
	if (!check_trailer(s, at, total, source_here(s)))
		return BLOCK_FAILED;
	s->pos += 4;
	return BLOCK_PASSED;
}

/* A section header says in its byte-order mark how to read its own length. */
static bool take_byte_order(struct source *s)
{
	struct bytes b = bytes_of(source_here(s) + 8, 4), other = b;

	if (bytes_u32(&b) == BYTE_ORDER_MARK)
		s->big_endian = true;
	else if (bytes_u32_le(&other) == BYTE_ORDER_MARK)
		s->big_endian = false;
	else
		return source_damaged(s, source_offset(s), "a section header without byte-order mark");
	return true;
}

static enum block next_block(struct source *s, struct frame *frame_out)
{
	if (!source_want(s, BLOCK_MIN)) {
		if (source_left(s) == 0)
			source_over(s);
		else
			source_cut(s, source_offset(s), "a block", BLOCK_MIN, source_left(s));
		return BLOCK_FAILED;
	}

	struct bytes b = bytes_of(source_here(s), BLOCK_MIN);
	uint32_t type = source_u32(s, &b);

	if (type == BLOCK_SECTION && !take_byte_order(s))
		return BLOCK_FAILED;

	uint32_t total = source_u32(s, &b);
	uint64_t size = ((uint64_t)total + 3) & ~(uint64_t)3;

	if (total < BLOCK_MIN) {
		source_damaged(s, source_offset(s), "a block claims a length of %u bytes", total);
		return BLOCK_FAILED;
	}
	if (!is_read(type))
		return pass_block(s, type, total, size);
	if (size > SLAB_SIZE) {
		source_damaged(s, source_offset(s), "a block of type %u claims %u bytes, more than %u",
			       type, total, SLAB_SIZE);
		return BLOCK_FAILED;
	}
	if (!source_want(s, (size_t)size)) {
		source_cut(s, source_offset(s), "a block", size, source_left(s));
		return BLOCK_FAILED;
	}
	if (!check_trailer(s, source_offset(s), total, source_here(s) + size - 4))
		return BLOCK_FAILED;

	struct bytes body = bytes_of(source_here(s) + 8, (size_t)size - BLOCK_MIN);
	enum block result = take_block(s, type, body, frame_out);

	if (result != BLOCK_FAILED)
		s->pos += (size_t)size;
	return result;
}

static bool next(struct source *s, struct frame *frame_out)
{
	enum block result;

	do {
		result = next_block(s, frame_out);
	} while (result == BLOCK_PASSED);
	return result == BLOCK_FRAME;
}

bool source_pcapng_begin(struct source *s)
{
	if (!source_want(s, BLOCK_MIN))
		return source_cut(s, 0, "the section header", BLOCK_MIN, source_left(s));
	if (!take_byte_order(s)) {
		s->end.how = SOURCE_NOT_A_CAPTURE;
		return false;
	}
	s->end.format = "pcapng";
	s->read = next;
	return true;
}

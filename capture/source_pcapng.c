/* pcapng (draft-ietf-opsawg-pcapng): blocks, each with its length at both ends, in sections that
 * have their own byte order and interfaces. */
#include "capture/source_reader.h"

#include "capture/base.h"

#include <stdlib.h>

#define BLOCK_SECTION 0x0a0d0d0a	/* the same in both byte orders */
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 2			/* obsolete */
#define BLOCK_SIMPLE_PACKET 3
#define BLOCK_NAMES 4
#define BLOCK_STATISTICS 5
#define BLOCK_ENHANCED_PACKET 6
#define BLOCK_JOURNAL 9			/* systemd's */
#define BLOCK_SECRETS 10
#define BLOCK_CUSTOM 0x0bad
#define BLOCK_CUSTOM_NO_COPY 0x40000bad
#define BLOCK_APPLE_PROCESS 0x80000001	/* written by macOS's tcpdump */

#define BYTE_ORDER_MARK 0x1a2b3c4d
#define BLOCK_MIN 12			/* type and both lengths */

#define OPTION_END 0
#define OPTION_COMMENT 1
#define IF_NAME 2
#define IF_TSRESOL 9
#define IF_TSOFFSET 14
#define EPB_DROPCOUNT 4
#define EPB_PROCESS 8
#define EPB_APPLE_PROCESS 0x8001	/* the number of its process block in the section */
#define ISB_IFRECV 4
#define ISB_IFDROP 5
#define ISB_OSDROP 7
#define DROPS_UNKNOWN UINT64_MAX

/* Times beyond the years 1823 to 2116 are no times; kept short of int64_t's ends so that intervals
 * may be added to them. */
#define TIME_MAX (INT64_MAX / 2)

enum block { BLOCK_FRAME, BLOCK_PASSED, BLOCK_FAILED };

bool source_pcapng_magic(const uint8_t magic[4])
{
	struct bytes b = bytes_of(magic, 4);

	return bytes_u32(&b) == BLOCK_SECTION;
}

/* The next option of a block. False after the last one, and where they are not well-formed: what
 * they would say is lost then, not the packet. */
static bool next_option(const struct source *s, struct bytes *b, uint16_t *code_out,
			struct bytes *value_out)
{
	*code_out = source_u16(s, b);

	uint16_t len = source_u16(s, b);

	*value_out = bytes_sub(b, len);
	bytes_skip(b, -(size_t)len % 4 <= bytes_left(b) ? -(size_t)len % 4 : bytes_left(b));
	return !value_out->bad && *code_out != OPTION_END;
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

static int64_t time_of(const struct source_clock *clock, uint64_t ticks)
{
	unsigned __int128 ns = (unsigned __int128)ticks * clock->mul >> clock->shift;

	if (clock->div != 1)
		ns /= clock->div;

	__int128 t = (__int128)ns + (__int128)clock->offset_s * BASE_NS_PER_S;

	if (t > TIME_MAX)
		return TIME_MAX;
	return t < -TIME_MAX ? -TIME_MAX : (int64_t)t;
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

	while (next_option(s, &b, &code, &value)) {
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

/* Looks an interface of the section up; false, and damage, when it was not described. */
static bool find_interface(struct source *s, uint32_t number, unsigned *index_out)
{
	unsigned described = s->end.interface_count - s->first_interface;

	*index_out = s->first_interface + number;
	return number < described ||
	       source_damaged(s, source_offset(s), "interface %u is used, %u are described", number,
			      described);
}

static uint64_t add_drops(uint64_t sum, uint64_t drops)
{
	if (drops == DROPS_UNKNOWN)
		return sum;
	return sum > UINT64_MAX - drops ? UINT64_MAX : sum + drops;
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
	if (!find_interface(s, number, &i))
		return BLOCK_FAILED;
	while (next_option(s, &b, &code, &value)) {
		if (value.len != 8)
			continue;
		if (code == ISB_IFRECV)
			s->interfaces[i].recorded_received = source_u64(s, &value);
		else if (code == ISB_IFDROP || code == ISB_OSDROP)
			drops = add_drops(drops, source_u64(s, &value));
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

static bool is_letter_or_digit(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The number that stands here behind "=" or ":"; 0 when none does. */
static uint32_t pid_value(struct bytes b)
{
	uint64_t pid = 0;
	bool sign = false;

	while (bytes_left(&b) > 0) {
		uint8_t c = bytes_u8(&b);

		if (c >= '0' && c <= '9' && sign && pid <= UINT32_MAX)
			pid = pid * 10 + (uint64_t)(c - '0');
		else if ((c == '=' || c == ':') && !sign)
			sign = true;
		else if (c != ' ' || pid > 0)
			break;
	}
	return pid <= UINT32_MAX ? (uint32_t)pid : 0;
}

/* The process id in a packet's comment: "PID=4711 TID=815" is etl2pcapng's, "PID: 4711" ptcpdump's,
 * "pid=4711" rustnet's. "ParentPID" is another's. */
static uint32_t pid_in_comment(struct bytes b)
{
	uint8_t before = ' ';

	for (; bytes_left(&b) > 3; before = bytes_u8(&b)) {
		if (is_letter_or_digit(before) || !bytes_begins(&b, "PID"))
			continue;

		struct bytes value = b;

		bytes_skip(&value, 3);

		uint32_t pid = pid_value(value);

		if (pid != 0)
			return pid;
	}
	return 0;
}

static void take_packet_options(struct source *s, struct bytes b, struct frame *frame)
{
	struct source_port *port = &s->ports[frame->interface];
	uint16_t code;
	struct bytes value;
	uint32_t commented = 0, number;

	while (next_option(s, &b, &code, &value)) {
		if (code == OPTION_COMMENT) {
			s->end.comments++;
			if (commented == 0)
				commented = pid_in_comment(value);
		} else if (code == EPB_PROCESS && value.len == 8) {
			frame->pid = source_u32(s, &value);
		} else if (code == EPB_APPLE_PROCESS && value.len == 4) {
			number = source_u32(s, &value);
			if (number < s->process_count)
				frame->pid = s->processes[number];
		} else if (code == EPB_DROPCOUNT && value.len == 8) {
			port->packet_drops = add_drops(port->packet_drops, source_u64(s, &value));
			s->interfaces[frame->interface].recorded = true;
		}
	}
	if (frame->pid == 0)
		frame->pid = commented;
}

static enum block take_data(struct source *s, struct bytes *b, uint32_t caplen, struct frame *frame)
{
	if (caplen > SOURCE_CAPLEN_MAX) {
		source_damaged(s, source_offset(s), "a packet claims %u captured bytes, more than %d",
			       caplen, SOURCE_CAPLEN_MAX);
		return BLOCK_FAILED;
	}

	size_t room = bytes_left(b);

	frame->data = bytes_take(b, caplen);
	if (frame->data == NULL) {
		source_damaged(s, source_offset(s), "a packet of %u bytes in a block with room for %zu",
			       caplen, room);
		return BLOCK_FAILED;
	}
	frame->caplen = caplen;
	frame->link_type = s->interfaces[frame->interface].link_type;
	return BLOCK_FRAME;
}

static enum block take_packet(struct source *s, uint32_t type, struct bytes b, struct frame *frame)
{
	uint16_t drops = 0;
	uint32_t number;
	unsigned i;

	if (type == BLOCK_ENHANCED_PACKET) {
		number = source_u32(s, &b);
	} else {
		number = source_u16(s, &b);
		drops = source_u16(s, &b);
	}

	uint64_t ticks = (uint64_t)source_u32(s, &b) << 32;

	ticks |= source_u32(s, &b);

	uint32_t caplen = source_u32(s, &b);
	uint32_t wire_len = source_u32(s, &b);

	if (b.bad) {
		source_damaged(s, source_offset(s), "a packet block is too short");
		return BLOCK_FAILED;
	}
	if (!find_interface(s, number, &i))
		return BLOCK_FAILED;
	*frame = (struct frame){
		.time_ns = time_of(&s->ports[i].clock, ticks),
		.wire_len = wire_len,
		.interface = (uint16_t)i,
	};
	if (take_data(s, &b, caplen, frame) != BLOCK_FRAME)
		return BLOCK_FAILED;
	if (drops > 0 && drops != UINT16_MAX) {
		s->ports[i].packet_drops = add_drops(s->ports[i].packet_drops, drops);
		s->interfaces[i].recorded = true;
	}
	bytes_skip(&b, -caplen % 4);
	take_packet_options(s, b, frame);
	s->last_ns = frame->time_ns;
	return BLOCK_FRAME;
}

/* It has no time: the last packet's is nearest. */
static enum block take_simple_packet(struct source *s, struct bytes b, struct frame *frame)
{
	uint32_t wire_len = source_u32(s, &b);
	unsigned i;

	if (b.bad) {
		source_damaged(s, source_offset(s), "a packet block is too short");
		return BLOCK_FAILED;
	}
	if (!find_interface(s, 0, &i))
		return BLOCK_FAILED;

	uint32_t snaplen = s->interfaces[i].snaplen;

	*frame = (struct frame){
		.time_ns = s->last_ns,
		.wire_len = wire_len,
		.interface = (uint16_t)i,
	};
	return take_data(s, &b, snaplen > 0 && snaplen < wire_len ? snaplen : wire_len, frame);
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
		return take_simple_packet(s, body, frame_out);
	default:
		return take_packet(s, type, body, frame_out);
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

/* The packets of a pcapng, with what their options and comments say. */
#include "capture/source_pcapng.h"

#include "capture/base.h"

#define OPTION_END 0
#define OPTION_COMMENT 1
#define EPB_DROPCOUNT 4
#define EPB_PROCESS 8
#define EPB_APPLE_PROCESS 0x8001	/* the number of its process block in the section */
#define DROPS_UNKNOWN UINT64_MAX

/* Times beyond the years 1823 to 2116 are no times; kept short of int64_t's ends so that intervals
 * may be added to them. */
#define TIME_MAX (INT64_MAX / 2)

bool source_next_option(const struct source *s, struct bytes *b, uint16_t *code_out,
			struct bytes *value_out)
{
	*code_out = source_u16(s, b);

	uint16_t len = source_u16(s, b);

	*value_out = bytes_sub(b, len);
	bytes_skip(b, -(size_t)len % 4 <= bytes_left(b) ? -(size_t)len % 4 : bytes_left(b));
	return !value_out->bad && *code_out != OPTION_END;
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

bool source_find_interface(struct source *s, uint32_t number, unsigned *index_out)
{
	unsigned described = s->end.interface_count - s->first_interface;

	*index_out = s->first_interface + number;
	return number < described ||
	       source_damaged(s, source_offset(s), "interface %u is used, %u are described", number,
			      described);
}

uint64_t source_add_drops(uint64_t sum, uint64_t drops)
{
	if (drops == DROPS_UNKNOWN)
		return sum;
	return sum > UINT64_MAX - drops ? UINT64_MAX : sum + drops;
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

	while (source_next_option(s, &b, &code, &value)) {
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
			port->packet_drops = source_add_drops(port->packet_drops, source_u64(s, &value));
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

enum block source_packet(struct source *s, uint32_t type, struct bytes b, struct frame *frame)
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
	if (!source_find_interface(s, number, &i))
		return BLOCK_FAILED;
	*frame = (struct frame){
		.time_ns = time_of(&s->ports[i].clock, ticks),
		.wire_len = wire_len,
		.interface = (uint16_t)i,
	};
	if (take_data(s, &b, caplen, frame) != BLOCK_FRAME)
		return BLOCK_FAILED;
	if (drops > 0 && drops != UINT16_MAX) {
		s->ports[i].packet_drops = source_add_drops(s->ports[i].packet_drops, drops);
		s->interfaces[i].recorded = true;
	}
	bytes_skip(&b, -caplen % 4);
	take_packet_options(s, b, frame);
	s->last_ns = frame->time_ns;
	return BLOCK_FRAME;
}

enum block source_simple_packet(struct source *s, struct bytes b, struct frame *frame)
{
	uint32_t wire_len = source_u32(s, &b);
	unsigned i;

	if (b.bad) {
		source_damaged(s, source_offset(s), "a packet block is too short");
		return BLOCK_FAILED;
	}
	if (!source_find_interface(s, 0, &i))
		return BLOCK_FAILED;

	uint32_t snaplen = s->interfaces[i].snaplen;

	*frame = (struct frame){
		.time_ns = s->last_ns,
		.wire_len = wire_len,
		.interface = (uint16_t)i,
	};
	return take_data(s, &b, snaplen > 0 && snaplen < wire_len ? snaplen : wire_len, frame);
}

/* source_reader.h - what the readers of file formats share; private to source*.c
 *
 * A reader asks for the next n bytes to stand together in the slab (source_want), reads its record
 * there, and moves on (source_skip). What is wrong with the file it says through source_damaged or
 * source_cut, once, and gives no more frames. */
#ifndef CAPTURE_SOURCE_READER_H
#define CAPTURE_SOURCE_READER_H

#include "capture/bytes.h"
#include "capture/source.h"
#include "capture/source_filter.h"
#include "capture/source_input.h"

#define SOURCE_PROCESSES 4096	/* process blocks of one section that are kept */

/* No number that a file could give and a decoder know. */
#define SOURCE_LINK_TYPE_NONE 0xffff

/* The clock of an interface: time = (ticks * mul >> shift) / div + offset. */
struct source_clock {
	uint64_t mul, div;
	unsigned shift;
	int64_t offset_s;
};

/* What is kept about an interface besides what its users see. */
struct source_port {
	struct source_clock clock;
	const struct bpf_program *program;
	uint64_t packet_drops;		/* drops recorded with packets, between one and the next */
	uint64_t drops;			/* drops recorded in statistics; they count from the start */
};

struct source {
	struct source_end end;
	struct source_input *input;
	struct slab_pool *pool;
	struct source_filter *filter;	/* or NULL */
	unsigned number;
	bool over;			/* no more frames; the end is filled in */

	struct slab *slab;		/* NULL before the first byte and after the last */
	size_t pos, len;		/* what is read and not yet used is data[pos..len) */
	uint64_t base;			/* where data[0] is in the uncompressed stream */

	struct source_interface *interfaces;
	struct source_port *ports;	/* one to an interface */

	bool (*read)(struct source *s, struct frame *frame_out);
	bool big_endian;

	/* pcap */
	size_t header_len;		/* of a packet */
	uint32_t subsecond_ns;
	enum { LENGTHS_STRAIGHT, LENGTHS_SWAPPED, LENGTHS_EITHER } lengths;

	/* pcapng, of the section being read */
	unsigned first_interface;
	uint32_t *processes;		/* ids, by the number of their block; NULL before the first */
	unsigned process_count;
	int64_t last_ns;		/* for packets without a time */

	uint64_t other_records;		/* of the file: no packets, but numbered like packets */
};

/* Whether n bytes stand together at source_here. n is at most SLAB_SIZE. */
bool source_want(struct source *s, size_t n);

static inline const uint8_t *source_here(const struct source *s)
{
	return s->slab->data + s->pos;
}

static inline size_t source_left(const struct source *s)
{
	return s->len - s->pos;
}

/* Where source_here is in the uncompressed stream. */
static inline uint64_t source_offset(const struct source *s)
{
	return s->base + s->pos;
}

static inline uint16_t source_u16(const struct source *s, struct bytes *b)
{
	return s->big_endian ? bytes_u16(b) : bytes_u16_le(b);
}

static inline uint32_t source_u32(const struct source *s, struct bytes *b)
{
	return s->big_endian ? bytes_u32(b) : bytes_u32_le(b);
}

static inline uint64_t source_u64(const struct source *s, struct bytes *b)
{
	return s->big_endian ? bytes_u64(b) : bytes_u64_le(b);
}

/* Both return false, for a reader to return. */
bool source_damaged(struct source *s, uint64_t at_byte, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The file ends inside of `what`, which begins at at_byte and wants `wanted` bytes. */
bool source_cut(struct source *s, uint64_t at_byte, const char *what, uint64_t wanted,
		uint64_t left);
/* The file ends where it may; says so unless reading failed there. */
bool source_over(struct source *s);

/* A new interface with a clock of microseconds, or NULL when there are too many. */
struct source_interface *source_add_interface(struct source *s, uint16_t link_type,
					      uint32_t snaplen);

/* Begin reading where the magic number stands. False when it is not this format after all or its
 * header is damaged: then the end says so. */
bool source_pcap_begin(struct source *s);
bool source_pcapng_begin(struct source *s);

/* Whether four bytes are this format's magic. */
bool source_pcap_magic(const uint8_t magic[4]);
bool source_pcapng_magic(const uint8_t magic[4]);

#endif

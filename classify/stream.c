#include "classify/stream.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

/* No window reaches further (RFC 7323 section 2.3); what claims to lie beyond it is forged or stale. */
#define WINDOW_MAX (1 << 30)

/* Bytes from watch_next on, with a hole in them wherever stream.holes has one. */
struct stream_buffer {
	uint32_t head;		/* where watch_next is in data */
	uint32_t size;
	uint64_t frame;		/* that brought what the taker left; 0 is none */
	uint8_t data[];
};

/* Distance from b to a on the circle of sequence numbers. */
static int32_t ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static uint32_t later(uint32_t a, uint32_t b)
{
	return ahead(a, b) > 0 ? a : b;
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
	return ahead(a, b) < 0 ? a : b;
}

static uint32_t watch_end(const struct stream *s)
{
	return s->watch_start + STREAM_WATCHED;
}

/* Up to where all bytes are there, as far as anybody listens. */
static uint32_t ready_end(const struct stream *s)
{
	return earlier(s->hole_count > 0 ? s->holes[0].from : s->next, watch_end(s));
}

/* It may hold passwords. */
static void free_buffer(struct stream_buffer *b)
{
	if (b != NULL)
		explicit_bzero(b->data, b->size);
	free(b);
}

static void drop_buffer(struct stream *s)
{
	free_buffer(s->buffer);
	s->buffer = NULL;
}

static void begin(struct stream *s, uint32_t seq, bool from_syn)
{
	drop_buffer(s);
	*s = (struct stream){
		.started = true, .from_syn = from_syn, .stopped = s->stopped,
		.next = seq, .watch_next = seq, .watch_start = seq,
		.acked = s->acked, .has_acked = s->has_acked,
	};
}

void stream_syn(struct stream *s, uint32_t seq)
{
	if (s->started && s->watch_start == seq + 1) {
		s->from_syn = true;
		return;
	}
	/* A peer may answer a repeated SYN with another number (SYN cookies); the acknowledged one is
	 * right, and once data was seen it is too late to begin again. */
	if (s->started && (s->next != s->watch_start || (s->has_acked && s->acked == s->next)))
		return;
	begin(s, seq + 1, true);
}

static void give_up_first_hole(struct stream *s)
{
	struct stream_hole hole = s->holes[0];

	s->missing += hole.to - hole.from;
	s->hole_count--;
	memmove(s->holes, s->holes + 1, s->hole_count * sizeof(s->holes[0]));
	if (!s->stopped && ahead(hole.from, watch_end(s)) < 0) {
		s->gap = true;
		stream_stop(s);
	}
}

/* Holes are in order; this one comes behind all others. */
static void add_hole(struct stream *s, uint32_t from, uint32_t to)
{
	if (s->hole_count > 0 && s->holes[s->hole_count - 1].to == from) {
		s->holes[s->hole_count - 1].to = to;
		return;
	}
	if (s->hole_count == STREAM_HOLES)
		give_up_first_hole(s);
	s->holes[s->hole_count++] = (struct stream_hole){ from, to };
}

/* Keeps bytes at seq, which is not before watch_next, as far as they will be handed on. */
static void keep(struct stream *s, uint32_t seq, const uint8_t *data, uint32_t len)
{
	uint32_t end = earlier(seq + len, watch_end(s));
	struct stream_buffer *b = s->buffer;

	if (s->stopped || ahead(end, seq) <= 0)
		return;

	uint32_t need = end - s->watch_next;

	if (b != NULL && b->head + need > b->size) {
		memmove(b->data, b->data + b->head, b->size - b->head);
		b->head = 0;
	}
	if (b == NULL || need > b->size) {
		uint32_t size = need < STREAM_WATCHED / 2 ? need * 2 : STREAM_WATCHED;

		b = base_realloc(b, sizeof(*b) + size);
		if (s->buffer == NULL) {
			b->head = 0;
			b->frame = 0;
		}
		b->size = size;
		s->buffer = b;
	}
	memcpy(b->data + b->head + (seq - s->watch_next), data, end - seq);
}

/* Fills the part of hole i that the segment covers. True when the hole is gone. */
static bool fill_hole(struct stream *s, unsigned i, uint32_t seq, const uint8_t *data, uint32_t len)
{
	struct stream_hole hole = s->holes[i];
	uint32_t from = later(hole.from, seq), to = earlier(hole.to, seq + len);

	if (ahead(to, from) <= 0)
		return false;
	s->seen += to - from;
	keep(s, from, data + (from - seq), to - from);
	if (from == hole.from && to == hole.to) {
		s->hole_count--;
		memmove(s->holes + i, s->holes + i + 1, (s->hole_count - i) * sizeof(hole));
		return true;
	}
	if (from == hole.from) {
		s->holes[i].from = to;
	} else if (to == hole.to) {
		s->holes[i].to = from;
	} else {
		unsigned second = i + 1;

		s->holes[i].to = from;
		if (s->hole_count == STREAM_HOLES) {
			give_up_first_hole(s);
			second--;
		}
		memmove(s->holes + second + 1, s->holes + second,
			(s->hole_count - second) * sizeof(hole));
		s->holes[second] = (struct stream_hole){ to, hole.to };
		s->hole_count++;
	}
	return false;
}

/* What the segment adds to holes and behind the newest byte. */
static void add_bytes(struct stream *s, uint32_t seq, const uint8_t *data, uint32_t len)
{
	uint32_t end = seq + len, from;

	for (unsigned i = 0; i < s->hole_count && ahead(end, s->holes[i].from) > 0;)
		i += fill_hole(s, i, seq, data, len) ? 0 : 1;
	if (len == 0 || ahead(end, s->next) <= 0)
		return;
	if (ahead(seq, s->next) > 0) {
		add_hole(s, s->next, seq);
		s->next = seq;
	}
	from = s->next;
	s->seen += end - from;
	keep(s, from, data + (from - seq), end - from);
	s->next = end;
}

/* Offers [watch_next, watch_next + len) and takes note of how much of it was used. */
static void offer(struct stream *s, const uint8_t *data, uint32_t len, uint64_t frame,
		  stream_take *take, void *context)
{
	/* The taker may stop the stream while it still reads from the buffer. */
	struct stream_buffer *held = s->buffer;
	bool last = s->watch_next + len == watch_end(s);
	uint32_t used;

	s->buffer = NULL;
	used = (uint32_t)take(context, bytes_of(data, len), frame);
	if (used > len)
		used = len;
	s->watch_next += used;
	if (s->stopped || last) {
		free_buffer(held);
		stream_stop(s);
		return;
	}
	s->buffer = held;
	if (held != NULL)
		held->head += used;
	else
		keep(s, s->watch_next, data + used, len - used);
	if (s->watch_next == s->next)
		drop_buffer(s);
	else if (s->buffer != NULL)
		s->buffer->frame = frame;
}

static void offer_buffer(struct stream *s, uint64_t frame, stream_take *take, void *context)
{
	if (s->buffer != NULL && ready_end(s) != s->watch_next)
		offer(s, s->buffer->data + s->buffer->head, ready_end(s) - s->watch_next, frame, take,
		      context);
}

/* Bytes of a segment that stand before the stream's first: nobody reads them, and they are no repetition
 * of any that were seen. A keep-alive has one such byte at most (RFC 9293 section 3.8.4). */
static uint32_t before_start(const struct stream *s, uint32_t seq, uint32_t wire_len)
{
	int32_t n = ahead(s->watch_start, seq);

	if (n <= 1 || s->next - s->watch_start > WINDOW_MAX)
		return 0;
	return (uint32_t)n < wire_len ? (uint32_t)n : wire_len;
}

void stream_add(struct stream *s, uint32_t seq, const uint8_t *data, uint32_t len, uint32_t wire_len,
		uint64_t frame, stream_take *take, void *context)
{
	uint32_t wire_end = seq + wire_len, was_ready;

	if (wire_len == 0)
		return;
	if (!s->started)
		begin(s, seq, false);
	if (seq == s->next && len == wire_len && s->hole_count == 0 && s->buffer == NULL &&
	    (s->stopped || ahead(watch_end(s), wire_end) >= 0)) {
		s->next = wire_end;
		s->seen += len;
		if (!s->stopped)
			offer(s, data, len, frame, take, context);
		return;
	}
	if (ahead(seq, s->next) > WINDOW_MAX || ahead(seq, s->next) < -WINDOW_MAX) {
		s->missing += wire_len;
		return;
	}
	s->missing += before_start(s, seq, wire_len);
	was_ready = ready_end(s);
	add_bytes(s, seq, data, len < wire_len ? len : wire_len);
	if (ahead(wire_end, s->next) > 0) {
		add_hole(s, s->next, wire_end);
		s->next = wire_end;
	}
	while (s->hole_count > 0 && s->next - s->holes[0].to >= STREAM_AHEAD)
		give_up_first_hole(s);
	if (!s->stopped && ready_end(s) != was_ready)
		offer_buffer(s, frame, take, context);
}

void stream_again(struct stream *s, uint64_t frame, stream_take *take, void *context)
{
	offer_buffer(s, s->buffer != NULL && s->buffer->frame != 0 ? s->buffer->frame : frame, take, context);
}

void stream_acked(struct stream *s, uint32_t ack)
{
	if (!s->started)
		begin(s, ack, false);
	/* Of several SYN-ACKs the one that is acknowledged counts. */
	if (s->from_syn && !s->has_acked && s->next == s->watch_start &&
	    (ahead(ack, s->next) < 0 || ahead(ack, s->next) > (int32_t)STREAM_AHEAD))
		begin(s, ack, true);
	if (ahead(ack, s->next) > WINDOW_MAX)
		return;
	if (!s->has_acked || ahead(ack, s->acked) > 0)
		s->acked = ack;
	s->has_acked = true;
}

void stream_fin(struct stream *s, uint32_t seq)
{
	if (!s->started)
		begin(s, seq, false);
	if (ahead(seq, s->next) > WINDOW_MAX)
		return;
	s->finished = true;
	if (ahead(seq, s->next) > 0) {
		add_hole(s, s->next, seq);
		s->next = seq;
	}
}

void stream_stop(struct stream *s)
{
	s->stopped = true;
	drop_buffer(s);
}

/* Bytes behind the newest one that the other side got. The FIN takes a number, too. */
static uint32_t acked_unseen(const struct stream *s)
{
	int32_t n = s->has_acked ? ahead(s->acked, s->next) : 0;

	n -= s->finished;
	return n > 0 ? (uint32_t)n : 0;
}

void stream_over(struct stream *s)
{
	uint32_t unseen = acked_unseen(s);

	if (unseen > 0) {
		add_hole(s, s->next, s->next + unseen);
		s->next += unseen;
	}
	while (s->hole_count > 0)
		give_up_first_hole(s);
	stream_stop(s);
}

size_t stream_memory(const struct stream *s)
{
	return s->buffer == NULL ? 0 : sizeof(*s->buffer) + s->buffer->size;
}

uint64_t stream_missing(const struct stream *s)
{
	uint64_t n = s->missing + acked_unseen(s);

	for (unsigned i = 0; i < s->hole_count; i++)
		n += s->holes[i].to - s->holes[i].from;
	return n;
}

/* stream.h - one direction of a TCP connection: its first bytes in order, its gaps counted
 *
 * The first STREAM_WATCHED bytes are handed on in order whatever order, overlap or repetition they
 * came in; after that, or once stream_stop was called, only sequence numbers are followed, so that
 * bytes missing anywhere in the connection are known. Of overlapping segments the first bytes to come
 * win (as Linux and Wireshark have it). Sequence numbers wrap.
 *
 * Thread: its flow's. Memory: at most STREAM_WATCHED bytes, and nothing once it is stopped.
 * Errors: none; a gap that is not filled within STREAM_AHEAD bytes or STREAM_HOLES holes is final:
 * what is behind it is not handed on, and the watcher hears of it. */
#ifndef CLASSIFY_STREAM_H
#define CLASSIFY_STREAM_H

#include "capture/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define STREAM_WATCHED 65536u	/* bytes of a direction that are put in order */
#define STREAM_AHEAD (256u << 10)	/* a hole this far behind the newest byte is given up as lost */
#define STREAM_HOLES 16		/* holes followed at a time; more, and the oldest is given up */

struct stream_hole {
	uint32_t from, to;	/* sequence numbers, [from, to) */
};

struct stream {
	bool started;		/* a sequence number is known */
	bool from_syn;		/* ... from a SYN: nothing before it was missed */
	bool stopped;		/* nobody listens any more, or STREAM_WATCHED bytes were handed on */
	bool gap;		/* bytes the watcher should have got are lost for good: stopped as well. Whoever
				 * called stream_add or stream_over looks here and tells the watcher once */
	bool finished;		/* a FIN was seen */
	uint8_t hole_count;
	uint32_t next;		/* sequence number after the highest byte seen */
	uint32_t watch_next;	/* sequence number of the first byte the taker is not done with */
	uint32_t watch_start;	/* of the first byte */
	uint32_t acked;		/* highest acknowledgement from the other side */
	bool has_acked;
	uint64_t seen;		/* bytes of the stream seen, each counted once */
	uint64_t missing;	/* bytes given up as lost so far */
	struct stream_buffer *buffer;	/* out-of-order or unconsumed bytes; NULL most of the time */
	struct stream_hole holes[STREAM_HOLES];
};

/* Hands on bytes in order. Returns how many of them it is done with; the rest comes again with what
 * follows. `frame` is the frame whose arrival made them complete. */
typedef size_t stream_take(void *context, struct bytes in_order, uint64_t frame);

/* The SYN's sequence number: data begins behind it. */
void stream_syn(struct stream *s, uint32_t seq);

/* A segment of `wire_len` bytes of which `len` were captured. Without a SYN the first segment that
 * carries bytes begins the stream. The taker may call stream_stop. */
void stream_add(struct stream *s, uint32_t seq, const uint8_t *data, uint32_t len, uint32_t wire_len,
		uint64_t frame, stream_take *take, void *context);

/* Hands on again what the taker left, for a new one (another watcher took over), as of the frame that brought
 * it; `frame` is now's, where nobody was offered it before. */
void stream_again(struct stream *s, uint64_t frame, stream_take *take, void *context);

/* The other side says it got everything before ack. Begins a stream that nothing was seen of: what is
 * acknowledged later is then known to be missing. Not for segments with RST, whose numbers may be
 * anything. */
void stream_acked(struct stream *s, uint32_t ack);

/* The FIN's own sequence number: that of its segment plus its bytes. */
void stream_fin(struct stream *s, uint32_t seq);

/* Nobody listens any more: frees what is kept. Counting goes on. */
void stream_stop(struct stream *s);

/* The flow is over, what did not come will not: holes become missing, and a gap if anybody listened. */
void stream_over(struct stream *s);

/* What it has taken from malloc. */
size_t stream_memory(const struct stream *s);

/* Bytes that were not seen, when the flow is over: holes and what was acknowledged but never came. */
uint64_t stream_missing(const struct stream *s);

#endif

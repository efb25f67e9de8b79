/* capture_part.h - from frames to batches; private to capture*.c
 *
 * Thread: the capture thread. */
#ifndef CAPTURE_CAPTURE_PART_H
#define CAPTURE_CAPTURE_PART_H

#include "capture/capture.h"
#include "capture/fragment.h"

struct capture {
	const struct capture_sink *sink;
	struct queue *const *workers;
	unsigned worker_count;
	struct fragment_table *fragments;
	struct loss fragment_rest;
	unsigned fragment_losses;
	struct batch **open;		/* one for each worker; NULL when nothing is in it */
	int64_t every_ns;		/* one tick for each of these */
	int64_t tick_ns;		/* the last that was sent */
	uint64_t packets;
	uint64_t bytes;			/* read of files, as they lie on disk */
};

/* Where frames come from: one source. */
struct capture_place {
	uint8_t vantage;		/* struct flow_key's */
	struct loss undecodable, cut;	/* those that were given and not read, in sums */
};

/* Borrows all. A tick for each every_ns of packet time. */
void capture_begin(struct capture *c, const struct capture_sink *sink, struct queue *const *workers,
		   unsigned worker_count, int64_t every_ns);
/* What is left of fragments is told, what is in batches goes out, and BATCH_END behind it. */
void capture_finish(struct capture *c);

/* Decodes a frame and puts what is in it into its worker's batch, which then holds `slab`. */
void capture_take(struct capture *c, const struct frame *f, struct slab *slab, struct capture_place *place);

/* Every worker hears what time it is, at the same place in the order of packets, if a tick is due. */
void capture_tick(struct capture *c, int64_t now_ns);

/* The next tick may be before the last. */
void capture_tick_anew(struct capture *c);

/* Workers get what they have. To be called when a source moved on to another slab: batches hold the old
 * one, which the source may be waiting for. */
void capture_flush(struct capture *c);

/* Nothing is said of a loss of no packets. */
void capture_tell(struct capture *c, const struct loss *loss);
void capture_tell_unread(struct capture *c, const struct capture_place *place);

#endif

/* batch.h - what goes from the capture thread to a worker, and the queue it goes through
 *
 * Thread: a batch belongs to whoever took it; queues lock. Memory: a batch holds one reference on
 * each slab its packets point into, until batch_free. */
#ifndef CAPTURE_BATCH_H
#define CAPTURE_BATCH_H

#include "capture/packet.h"
#include "capture/slab.h"

#include <stdbool.h>

#define BATCH_PACKETS 512
#define BATCH_SLABS 16

enum batch_kind {
	BATCH_PACKETS_ONLY,
	BATCH_END,		/* the last one: nothing comes after it */
};

/* Packets and ticks in capture order. A tick is a packet with frame 0: packet time has reached
 * time_ns, let go what timed out. Ticks stand at the same place between the packets of a shard
 * however many workers there are. */
struct batch {
	enum batch_kind kind;
	unsigned packet_count;
	unsigned slab_count;
	struct packet packets[BATCH_PACKETS];
	struct slab *slabs[BATCH_SLABS];
};

struct batch *batch_new(enum batch_kind kind);
/* Drops the slabs. */
void batch_free(struct batch **batch);

struct queue;

/* A queue of pointers, first in first out, for one giver and one taker or more of each. queue_put
 * waits while `length` pointers are in it; queue_take waits while it is empty. */
struct queue *queue_new(unsigned length);
void queue_free(struct queue **q);
void queue_put(struct queue *q, void *item);
void *queue_take(struct queue *q);
/* Whether a quarter of it is full or more: the taker does not keep up. */
bool queue_is_behind(struct queue *q);
bool queue_is_empty(struct queue *q);

#endif

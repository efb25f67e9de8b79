/* worker.h - a classifier thread: packets in, facts out
 *
 * Thread: worker_main is the body; worker_step is all it does with one packet, so tests and fuzzers
 * need no thread. Nothing in a worker needs two flows; each of its shards has its own table, limits and
 * time-outs by the packet clock, so what is said does not depend on the number of workers. */
#ifndef CLASSIFY_WORKER_H
#define CLASSIFY_WORKER_H

#include "capture/batch.h"
#include "classify/fact.h"

/* Names that the flows of one shard may tell in a minute of packet time: half a million in all. A flood of
 * DNS answers would else fill the case file; what is left out is a loss that touches everyone. */
#ifndef WORKER_SHARD_NAMES
#define WORKER_SHARD_NAMES 8192
#endif
#define WORKER_NAMES_NS (60 * 1000000000LL)
#ifndef WORKER_SHARD_FLOWS
#define WORKER_SHARD_FLOWS 16384	/* flows of one shard at a time: 1 M, and 400 MB, in all */
#endif
/* What reading the flows of one shard may take: 2 GB in all. So many TLS flows have room that are read as
 * they come (some 1.6 kB each); a flow whose bytes come out of order takes up to 128 kB. */
#ifndef WORKER_SHARD_BYTES
#define WORKER_SHARD_BYTES (32u << 20)
#endif

struct worker;
struct certificate_store;

/* Worker `index` of `count`; max_flows a shard, 0 is WORKER_SHARD_FLOWS. Borrows the queues. */
struct worker *worker_new(unsigned index, unsigned count, struct queue *in, struct queue *out,
			  size_t max_flows);
void worker_free(struct worker **w);

/* Whom servers' certificates are trusted by, borrowed; without it they are not judged. Before the first
 * packet. */
void worker_trust(struct worker *w, struct certificate_store *store);

/* At each tick flows that had a packet since are described as they are so far (FLOW_OPEN), and the facts go out
 * in a batch, which may have none: whoever takes them hears that time goes on. A new flow is described at the next
 * tick, one that is known half a second after the last time, with what was read in it if that is another.
 * Before the first packet. */
void worker_live(struct worker *w);

/* Packets are kept as evidence (keep.h). Before the first. */
void worker_keep(struct worker *w);

/* Takes one packet or tick; facts gather in a batch that goes out when it is full. */
void worker_step(struct worker *w, const struct packet *p);

/* Describes every flow that is left, says FACT_END and sends what has gathered. */
void worker_finish(struct worker *w);

/* Takes batches until the last, finishes, and frees the worker: it has the time while the writer stores. */
void *worker_main(void *worker);

#endif

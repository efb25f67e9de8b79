/* worker_part.h - what the files of a worker share; private to worker*.c */
#ifndef CLASSIFY_WORKER_PART_H
#define CLASSIFY_WORKER_PART_H

#include "classify/certificate.h"
#include "classify/flow_table.h"
#include "classify/reader.h"
#include "classify/worker.h"

#define WORKER_SHOWN 512	/* certificates of a shard whose names need not be said again */

/* The names one shard told in this minute, and those that were too many, in all. */
struct worker_names {
	int64_t minute;
	uint32_t told;
	uint64_t left_out, first_frame, last_frame;
	int64_t first_ns;
};

/* A client was shown a server's certificate. */
struct worker_shown {
	uint8_t client[16], server[16], sha256[32];
};

struct worker {
	struct queue *in, *out;
	unsigned index, count;
	bool live, keep;
	bool behind;			/* what is said is not stored as fast: packets are not kept now */
	int64_t said_ns;		/* live: flows without a packet since then were described */
	struct flow_hash hash;
	struct flow_ids *ids;
	struct flow_table *shards[FLOW_SHARDS];		/* NULL where another worker owns it */
	struct fact_batch *facts;
	struct reader reader;
	struct worker_names names[FLOW_SHARDS];
	struct certificate_judge *judge;
	struct worker_shown shown[FLOW_SHARDS][WORKER_SHOWN];
	unsigned shard;			/* of the packet that is being read */
};

/* Room for one more fact of this kind, not zeroed. */
struct fact *worker_say(struct worker *w, enum fact_kind kind);
/* What has gathered goes out, be it nothing; until_ns as in struct fact_batch. */
void worker_send(struct worker *w, int64_t until_ns);

/* For struct reader: context is the worker. */
void worker_say_name(void *context, const struct fact *fact);
void worker_say_names_left_out(struct worker *w, const struct worker_names *n);

/* For keep_packet: context is the worker. */
void worker_say_packet(void *context, const struct fact_packet *piece);

void worker_say_sample(struct worker *w, struct flow *f, int64_t now_ns);
/* A flow and what was read of it; in *said what was said of the flow itself. */
void worker_say_flow(struct worker *w, const struct flow *f, enum flow_end end, bool over, struct fact_flow *said);
/* What was read in it; and all of that in a number, which is another when any of it is. */
void worker_say_read(struct worker *w, const struct flow *f, const struct fact_flow *said);
uint64_t worker_read_sum(const struct watch_facts *facts, uint64_t salt);
/* What of a flow that is over was not seen. */
void worker_say_losses(struct worker *w, const struct fact_flow *f, enum flow_end end);

#endif

/* reader.h - how a flow's payload is read: chooses the watcher by content and feeds it
 *
 * Thread: the worker's. Errors: none. */
#ifndef CLASSIFY_READER_H
#define CLASSIFY_READER_H

#include "classify/dpi.h"
#include "classify/flow.h"
#include "classify/watch_dns.h"

#define READER_UNDECIDED_MAX 1024	/* bytes of one side after which "maybe" means no */

/* What all flows of a worker share. */
struct reader {
	struct dpi *dpi;
	dns_say *say;		/* takes the facts that are not their flow's: names */
	void *say_context;
};

/* Reads the payload of a packet that flow_count has counted. */
void reader_packet(const struct reader *r, struct flow *f, const struct packet *p);

/* The flow is over: last words, labels; frees all that reading took. After this only
 * flow_describe, f->facts, and reader_free. */
void reader_end(const struct reader *r, struct flow *f);

/* A flow that goes on, as it would be described if it ended now. Borrows from the flow: only flow_describe and
 * flow.facts, which is NULL or &facts. */
struct reader_view {
	struct flow flow;
	struct watch_facts facts;
	struct stream streams[2];
};
void reader_so_far(const struct reader *r, const struct flow *f, struct reader_view *view);

/* For reader.c: sets what follows from all that was read. over: nothing can come any more that would complete a
 * handshake. */
void reader_conclude(const struct reader *r, struct flow *f, bool over);
/* For reader.c: the responder is the client (flow_flips). */
void reader_turn_round(struct flow *f);

/* Bytes that reading it has taken from malloc. */
size_t reader_memory(const struct flow *f);

/* Frees streams and facts too. */
void reader_free(struct flow *f);

#endif

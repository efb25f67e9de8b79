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

/* Bytes that reading it has taken from malloc. */
size_t reader_memory(const struct flow *f);

/* Frees streams and facts too. */
void reader_free(struct flow *f);

#endif

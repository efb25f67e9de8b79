/* keep.h - the packets of a flow that are kept as evidence, and what of them may be
 *
 * A live case has no capture file beside it. So the first FACT_KEPT_OF_FLOW bytes of frames are kept of each flow
 * that carries mail or may (mail protocols, TLS, QUIC), of DNS, and of HTTP that discloses a mail address; whose
 * the far end is, workers do not know. Frames wait in their flow until the reader knows what it is.
 * What leaves here has all in clear overwritten that mask.h does not know as harmless: by what is known of the
 * dialogue up to that frame, and where bytes of it were not read in order, all but command words.
 *
 * Where they come faster than they can be stored, no packet is lost for the sake of keeping others: they are not kept.
 *
 * Thread: the worker's. Memory: at most FACT_KEPT_OF_FLOW of a flow while it waits, wiped before it is freed.
 * Errors: none. */
#ifndef CLASSIFY_KEEP_H
#define CLASSIFY_KEEP_H

#include "classify/flow.h"

/* The piece is borrowed until it returns. */
typedef void keep_say(void *context, const struct fact_packet *piece);

/* To be called of each packet, after reader_packet. */
void keep_packet(struct flow *f, const struct packet *p, keep_say *say, void *context);

/* In its place, where the packets cannot be stored as fast as they come: this one and what follows are not kept. */
void keep_no_more(struct flow *f);

/* What waits. */
size_t keep_memory(const struct flow *f);

/* The flow is over: what still waits is of no use. */
void keep_free(struct flow *f);

#endif

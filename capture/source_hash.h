/* source_hash.h - SHA-256 of a file's bytes, beside the reading
 *
 * Hashing takes some seven times as long as finding the packets in the same bytes, so whole slabs
 * are hashed by a thread of their own, which holds each slab until it is done with it. A file of one
 * slab is hashed at once, without a thread.
 *
 * Thread: all calls from one thread. */
#ifndef CAPTURE_SOURCE_HASH_H
#define CAPTURE_SOURCE_HASH_H

#include "capture/slab.h"

#define SOURCE_HASH_QUEUE 4	/* slabs that wait to be hashed */

struct source_hash;

struct source_hash *source_hash_new(void);
void source_hash_free(struct source_hash **h);

/* Adds n bytes of a slab from `at` on, which nobody may change any more. They are hashed once the
 * next slab comes or it ends, so that a pipe's small reads cost nothing; the slab is held until then. */
void source_hash_slab(struct source_hash *h, struct slab *slab, size_t at, size_t n);

/* Adds bytes, and is done with them when it returns. */
void source_hash_bytes(struct source_hash *h, const void *data, size_t n);

/* Ends it: 64 lower-case hex digits and a zero. */
void source_hash_hex(struct source_hash *h, char hex_out[65]);

#endif

/* slab.h - reference-counted pieces of memory that packet bytes stand in
 *
 * A source reads a chunk of a file into a slab; packets point into it; it goes back to its pool when
 * the last batch that points into it is done. So no packet is copied between file and classifier.
 *
 * Thread: any; the count is atomic, the pool locks.
 * Memory: a pool makes at most `slabs` slabs; slab_take waits when all are out, which is the one
 * place where reading a file is held back. */
#ifndef CAPTURE_SLAB_H
#define CAPTURE_SLAB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_SIZE (1u << 20)

struct slab_pool;

struct slab {
	struct slab_pool *pool;		/* NULL: made by slab_wrap */
	struct slab *next;		/* the pool's */
	uint8_t *data;
	size_t capacity;
	atomic_uint references;
};

struct slab_pool *slab_pool_new(unsigned slabs);
/* All slabs must have come back. */
void slab_pool_free(struct slab_pool **pool);

/* A slab of SLAB_SIZE bytes with one reference; waits until one is free. */
struct slab *slab_take(struct slab_pool *pool);

/* A slab with one reference around malloc'ed memory that it then owns. */
struct slab *slab_wrap(uint8_t *data, size_t len);

void slab_hold(struct slab *slab);
/* Gives up one reference and sets *slab to NULL. */
void slab_drop(struct slab **slab);

#endif

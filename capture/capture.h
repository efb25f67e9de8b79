/* capture.h - the capture thread: sources in time order -> decoded packets in batches -> queues
 *
 * Thread: capture_run is the body of the capture thread.
 * Time: packet time; a tick goes to every queue each TICK_NS of it, before the packet that passed it.
 * Errors: none; what could not be read is a loss or a source's end. */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "capture/batch.h"
#include "capture/loss.h"
#include "capture/source.h"

#define CAPTURE_TICK_NS 1000000000LL
/* Files open at the same time. More than this many that overlap in time are read in order of their
 * first packets. */
#define CAPTURE_OPEN 64
/* Slabs to make a pool of: an open file holds one and may take a second before it lets go of the
 * first; the rest is what workers may hold while the capture thread reads on. */
#define CAPTURE_SLABS (2 * CAPTURE_OPEN + 24)

/* What the capture thread tells besides packets. Called from the capture thread. */
struct capture_sink {
	void *context;
	void (*lost)(void *context, const struct loss *loss);
	/* Once per source, when it is through. */
	void (*ended)(void *context, unsigned number, const struct source_end *end);
	/* Now and then; bytes read so far, for a progress line. */
	void (*progress)(void *context, uint64_t packets, uint64_t bytes);
};

struct capture_settings {
	const char *const *paths;	/* files, "-" for standard input */
	unsigned path_count;
	const uint8_t *vantages;	/* of each path, the number of its vantage point; NULL: one of all */
	const char *filter;		/* or NULL */
	struct slab_pool *pool;		/* of CAPTURE_SLABS; outlives the workers */
	struct queue *const *workers;	/* shard s goes to workers[s % worker_count] */
	unsigned worker_count;
	struct capture_sink sink;
};

/* Reads everything and puts BATCH_END into every queue. */
void capture_run(const struct capture_settings *settings);

#endif

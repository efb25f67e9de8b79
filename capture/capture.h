/* capture.h - the capture thread: sources in time order -> decoded packets in batches -> queues
 *
 * Thread: capture_run or capture_live_run is the body of the capture thread.
 * Time: packet time; a tick goes to every queue each CAPTURE_TICK_NS of it, before the packet that passed it; live each
 * CAPTURE_LIVE_TICK_NS, of which those at multiples of the other are the same.
 * Errors: none; what could not be read is a loss or a source's end. */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "capture/batch.h"
#include "capture/loss.h"
#include "capture/source.h"
#include "capture/source_live.h"

#define CAPTURE_TICK_NS 1000000000LL
/* What is to be stored goes out at a tick: a crash costs one of them, the time that packets stand in the kernel's ring,
 * and what storing takes. All of that has to be less than a second on a busy machine with a slow disk. */
#define CAPTURE_LIVE_TICK_NS (CAPTURE_TICK_NS / 4)
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
	/* Once per source, when it is through; of an interface every second how far it is. */
	void (*ended)(void *context, unsigned number, const struct source_end *end);
	/* Now and then, of files: packets so far, and bytes of the files as they lie on disk. */
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

/* Interfaces: frames that wait at the same time come in the order of their times. A link that is idle ticks
 * by the clock. */
struct capture_live_settings {
	struct source_live *const *sources;	/* open; source_live_begin was not called */
	unsigned source_count;		/* up to CAPTURE_OPEN */
	unsigned first_number;		/* of the first source */
	struct slab_pool *pool;
	struct queue *const *workers;
	unsigned worker_count;
	struct capture_sink sink;
	/* A descriptor and what to do when it can be read; false ends the run. Called from this thread, within
	 * a tenth of a second. */
	int control;
	bool (*controlled)(void *context);
	void *control_context;
};

/* Runs until it is told to end, reads what is in the rings, and puts BATCH_END into every queue. Every second
 * it tells what was lost and how far each source is. An interface that goes away is told as vanished, with a
 * LOSS_INTERFACE of unknown size, and is tried again every second. */
void capture_live_run(const struct capture_live_settings *settings);

#endif

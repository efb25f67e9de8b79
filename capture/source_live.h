/* source_live.h - frames from a network interface (the only user of libpcap's live side)
 *
 * source_live_open opens the interface, which needs the privilege; then frames come as from a file
 * (source.h), but only as long as some are waiting. The kernel writes into a ring of its own (TPACKET_V3)
 * and each packet is copied once, from there into a slab: a slab that somebody holds would keep the
 * kernel from its ring.
 *
 * What is lost is counted where it is lost. Nobody here throws a packet away: when the workers are behind,
 * reading waits, the ring fills, and the kernel drops and counts.
 *
 * Thread: one source belongs to one thread.
 * Memory: the ring; a slab of the pool from the first frame on, while it moves to the next one two.
 * Errors: an interface that goes away is gone until it can be opened again. */
#ifndef CAPTURE_SOURCE_LIVE_H
#define CAPTURE_SOURCE_LIVE_H

#include "capture/source.h"

#include <stdio.h>

#define SOURCE_LIVE_BUFFER_MIB 64	/* of the ring, if not told */
#define SOURCE_LIVE_BUFFER_MIB_MAX 2047	/* libpcap takes the bytes as an int */
/* How long the kernel keeps a block of its ring that is not full. The shorter, the more of it is empty. */
#define SOURCE_LIVE_WAIT_MS 50

enum source_live_open {
	SOURCE_LIVE_OPEN,
	SOURCE_LIVE_DENIED,		/* this user may not capture */
	SOURCE_LIVE_MISSING,		/* no such interface */
	SOURCE_LIVE_UNAVAILABLE,	/* it is down, or cannot be captured from */
	SOURCE_LIVE_BAD_FILTER,		/* the filter does not fit its link type */
};

struct source_live_settings {
	const char *filter;		/* or NULL; packets that it refuses do not leave the kernel */
	unsigned buffer_mib;		/* of the ring, 1 to SOURCE_LIVE_BUFFER_MIB_MAX */
	bool promiscuous;		/* where the interface can: `any` cannot */
};

/* Since source_live_open, over all times that the interface came back. */
struct source_live_counts {
	uint64_t captured;		/* frames that source_live_next gave */
	uint64_t received;		/* packets that came to the ring, and did or did not find room in it */
	uint64_t kernel, interface;	/* dropped for want of room in the ring; by the network card */
};

struct source_live;

/* "any" is all interfaces. Borrows settings->filter. Unless *how_out is SOURCE_LIVE_OPEN: NULL, with a line in
 * error. */
struct source_live *source_live_open(const char *interface, const struct source_live_settings *settings,
				     enum source_live_open *how_out, char *error, size_t size);
void source_live_close(struct source_live **s);

/* Before the first frame. `number` is part of every frame id. */
void source_live_begin(struct source_live *s, unsigned number, struct slab_pool *pool);

/* After the last frame: lets go of the pool. What the kernel has is still counted until it is closed. */
void source_live_rest(struct source_live *s);

/* The next frame that is waiting; false when none is now. The ring of an interface that is gone may still give
 * some, within SOURCE_LIVE_WAIT_MS. As with source_next its
 * bytes stand in *slab_out, borrowed until the next call. */
bool source_live_next(struct source_live *s, struct frame *frame_out, struct slab **slab_out);

/* What comes from here on is neither given nor counted; what waits still is. */
void source_live_stop(struct source_live *s);
/* What waits will not be read: it counts as dropped by the kernel. */
void source_live_skip(struct source_live *s);

/* A descriptor that can be read when frames are waiting; -1 while the interface is gone. */
int source_live_fd(const struct source_live *s);
bool source_live_is_gone(const struct source_live *s);

/* Tries to open again what is gone, as source `number` from then on. */
bool source_live_again(struct source_live *s, unsigned number);

/* Tells of what was dropped since this was last asked, as LOSS_KERNEL and LOSS_INTERFACE. */
void source_live_losses(struct source_live *s, void (*lost)(void *context, const struct loss *loss), void *context);

/* As source_live_losses last saw it; `now`: as the kernel has it now. */
struct source_live_counts source_live_counts(struct source_live *s, bool now);
const char *source_live_name(const struct source_live *s);

/* The source as it is now, `how` as given; borrowed until the next call. */
const struct source_end *source_live_end(struct source_live *s, enum source_how how);

/* The interfaces, one a line as tcpdump -D has them. */
bool source_live_list(FILE *out, char *error, size_t size);

#endif

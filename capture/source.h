/* source.h - where frames come from: capture files; source_live.h has interfaces
 *
 * source_open opens the file and looks at its first bytes. Then source_next gives one frame after the
 * other until it says false. What went wrong is in source_end, never lost: a damaged file ends early,
 * keeps what was read, and says where.
 *
 * Thread: one source belongs to one thread.
 * Memory: from its first frame to its end a source holds one slab of its pool, while it moves on to
 * the next slab two; and what libarchive needs to unpack. A pool must have two slabs more than there
 * are sources being read. Up to SOURCE_HASH_QUEUE slabs are held a little longer to be hashed.
 * Errors: source_open never fails; what cannot be read ends at once with its reason. */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "capture/loss.h"
#include "capture/packet.h"
#include "capture/slab.h"

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_CAPLEN_MAX 262144	/* of one packet, as tcpdump and Wireshark have it; more is damage */
#define SOURCE_INTERFACES 1024	/* interfaces of one file; more is called damage */

enum source_how {
	SOURCE_COMPLETE,	/* read to its end */
	SOURCE_TRUNCATED,	/* stops in the middle of a record */
	SOURCE_DAMAGED,		/* something impossible stands in it */
	SOURCE_EMPTY,		/* no byte at all */
	SOURCE_NOT_A_CAPTURE,	/* no format that is known */
	SOURCE_UNREADABLE,	/* cannot be opened or read: sysexits' EX_NOINPUT */
	SOURCE_RUNNING,		/* an interface that is being watched, or was when the program died */
	SOURCE_KILLED,		/* ... and the next run found it so */
	SOURCE_VANISHED,	/* an interface that went away; it is another source when it comes back */
};
/* "complete", "truncated", ... as stored and printed. */
const char *source_how_name(enum source_how how);

/* One interface of a source, with what the capturing tool recorded about it. */
struct source_interface {
	uint16_t link_type;
	uint32_t snaplen;		/* 0 is none */
	uint64_t packets;		/* read here */
	uint64_t recorded_received;	/* interface statistics; 0 when not given */
	uint64_t recorded_dropped;	/* by interface and operating system together */
	bool recorded;			/* whether there were statistics */
	char name[64];			/* if_name, if given */
};

/* How a source ended and what it was; valid until source_close. */
struct source_end {
	const char *path;		/* as the user gave it */
	enum source_how how;
	uint64_t at_byte;		/* where the damage is, in the uncompressed stream */
	char why[160];			/* one clause: what was expected, what stands there; "" when complete */
	uint64_t size;			/* bytes of the file as it lies on disk */
	char sha256[65];		/* of these bytes, lower-case hex; "" when it could not be read whole */
	const char *format;		/* "pcap", "pcap-ns", "pcapng"; "" when unknown */
	const char *compression;	/* "gzip", "zstd", ...; "" is none */
	uint64_t packets;
	uint64_t last_frame;		/* number of the last packet; more than `packets` where Wireshark
					 * gives numbers to records that are none */
	int64_t first_ns, last_ns;	/* smallest and largest packet time; 0 without packets */
	unsigned interface_count;
	const struct source_interface *interfaces;
	uint64_t secrets_blocks;	/* decryption secrets, skipped unread */
	uint64_t unknown_blocks;	/* block types that are not known, skipped */
	uint64_t comments;		/* packet comments seen */
	uint64_t unfiltered;		/* packets given although the filter does not fit their link type */
};

struct source;

/* `number` is the source's place in the run, from 0: it is part of every frame id. "-" is standard
 * input. `filter` is a pcap filter expression or NULL; it is compiled for each link type. */
struct source *source_open(const char *path, unsigned number, struct slab_pool *pool,
			   const char *filter);
void source_close(struct source **s);

/* Whether the expression compiles for Ethernet; else false with one line in error. */
bool source_filter_valid(const char *expression, char *error, size_t size);

/* The next frame, in file order. False at the end. The frame's bytes stand in *slab_out, borrowed
 * until the next call: hold it to keep them. Frames that the filter refuses are counted in numbers
 * and not given; where the filter does not compile for a link type its frames are given, and counted
 * as unfiltered: a filter must not make mail vanish that it does not understand. */
bool source_next(struct source *s, struct frame *frame_out, struct slab **slab_out);

/* How much was read by now of the file as it lies on disk. */
uint64_t source_bytes(const struct source *s);

/* To be asked after source_next said false, which has then read the rest of the file for its hash. */
const struct source_end *source_end(struct source *s);

#endif

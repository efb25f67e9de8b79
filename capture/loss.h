/* loss.h - what was not seen, by reason
 *
 * Every reason a packet or a byte may be missing has a name here; no name means it cannot be lost
 * silently. Losses are stored as facts and turn a client's `clean` into `cannot-say`. */
#ifndef CAPTURE_LOSS_H
#define CAPTURE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

enum loss_reason {
	LOSS_KERNEL,		/* dropped by the kernel's ring */
	LOSS_INTERFACE,		/* dropped by the network card or its driver */
	LOSS_RECORDED_BY_TOOL,	/* drops that the capturing tool wrote into the file (interface statistics) */
	LOSS_QUEUE,		/* our own queues were full (live) */
	LOSS_EVICTED,		/* a flow described early because a table was full */
	LOSS_SNAPLEN,		/* packets cut by the snap length */
	LOSS_FRAGMENT,		/* datagrams whose fragments did not all come */
	LOSS_GAP,		/* bytes missing inside a TCP stream */
	LOSS_ONE_DIRECTION,	/* a connection of which only one side was captured */
	LOSS_UNDECODABLE,	/* frames whose headers could not be read */
	LOSS_HALF_READ,		/* the rest of a file that could not be read */
	LOSS_NOT_WATCHED,	/* the time between two runs of a case */
	LOSS_NOT_STORED,	/* facts that found no room while the disk was full */
	LOSS_DELETED,		/* facts, to keep a case within its size, beside others of the same time */
	LOSS_REASONS
};

/* "kernel", "recorded-by-tool", ... as stored and printed. */
const char *loss_reason_name(enum loss_reason reason);

/* A loss that the capture room saw: not tied to a flow. Addresses are those of the IP header where
 * one was read (fragments), else zero. */
struct loss {
	enum loss_reason reason;
	uint64_t frame;		/* first frame it concerns; of a half-read file the last one read */
	uint64_t last_frame;
	int64_t time_ns;	/* 0 when unknown */
	uint64_t packets;	/* 0 when unknown */
	uint64_t bytes;		/* 0 when unknown */
	bool has_hosts;
	uint8_t src[16], dst[16];
};

#endif

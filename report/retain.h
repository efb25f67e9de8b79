/* retain.h - a case that is written for months: old facts go, so that it keeps within days or bytes
 *
 * Facts go in steps of some hundred, each a transaction of its own, oldest first. Days: all that is older, but
 * for names that may still be asked for, and a day at most. Bytes (of
 * the file and its log, and a hard limit of the file besides, beyond which storing pauses as on a full disk): first
 * what no finding rests on, then names that may still be asked for, then what findings rest on. Before which time
 * facts went stands in the case (table deleted), before the first is gone.
 *
 * Thread: the store's, outside transactions. Errors: what could not be deleted is tried again. */
#ifndef REPORT_RETAIN_H
#define REPORT_RETAIN_H

#include "report/store.h"

#define RETAIN_BYTES_MIN (16 << 20)	/* one transaction of facts may fill six in the log */

struct retain_limits {
	unsigned days;		/* 0: any age */
	uint64_t bytes;		/* 0: any size; else RETAIN_BYTES_MIN or more */
};

struct retain;

/* from_ns: what time it is now, by which days are counted from here on: a clock that is set must not delete. */
struct retain *retain_new(const struct retain_limits *limits, int64_t from_ns);
void retain_free(struct retain **r);

/* Facts up to until_ns were judged: findings know what rests on them. */
void retain_judged(struct retain *r, int64_t until_ns);

/* There was no room for judging: more is to be left free. */
void retain_more(struct retain *r);

/* In the midst of it: what is judged now is neither what was nor what will be. */
bool retain_is_busy(const struct retain *r);

/* To be called every second; takes a fifth of one, and most of it when the case is all but full. True when facts that were judged are gone. */
bool retain_step(struct retain *r, struct store *store);

#endif

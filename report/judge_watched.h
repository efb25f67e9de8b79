/* judge_watched.h - how long a client was watched, from the times of its flows
 *
 * From the first flow to the last, but of each silence no more than a limit: a clock may jump, and a
 * capture may pause. Flows may come in any order.
 *
 * Memory: up to 16 KiB for a client that falls silent again and again; freed by watched_free. */
#ifndef REPORT_JUDGE_WATCHED_H
#define REPORT_JUDGE_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: not watched yet. */
struct watched {
	struct watched_span { int64_t first_ns, last_ns; } *spans;	/* in order of time, silences between */
	unsigned count, size;
	bool closed;				/* there were spans before these: */
	int64_t closed_ns, closed_until_ns;	/* watched in them, and to when */
};

void watched_free(struct watched *w);

/* A flow was seen from first_ns to last_ns. gap_ns is the limit, the same in all calls. */
void watched_add(struct watched *w, int64_t gap_ns, int64_t first_ns, int64_t last_ns);
int64_t watched_ns(const struct watched *w, int64_t gap_ns);

#endif

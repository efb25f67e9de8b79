/* judge_due.h - which flows of a case that grows are to be judged, and what those counted for that still change
 *
 * Due is a flow of which a fact was stored since the case was last judged, and one so fresh that what names it may have
 * been stored behind it: DNS answers that another worker read, and its process. What a flow counted for in the sums is
 * remembered until nothing can come of it any more, so that it can be taken back before it is counted again.
 *
 * Memory: 16 bytes for each flow that was stored since, up to a bound; some 200 bytes for each that may still change.
 * Thread: the store's. Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_DUE_H
#define REPORT_JUDGE_DUE_H

#include "report/judge_coverage.h"
#include "report/judge_ledger.h"

/* What was written of a flow. */
struct counted {
	int64_t flow, last_ns;
	int64_t judged_ns;		/* all workers had told of what was before, when this was written */
	int64_t rest_ns;		/* as in struct judge_flow */
	bool contact;			/* it has a row there, and in these of the classes */
	uint16_t classes;		/* contact_class_name, a bit each */
	struct ledger_flow sums;	/* its losses are its own */
	struct coverage_flow seen;
};

struct due;

/* Knows of no flow yet. */
struct due *due_new(void);
void due_free(struct due **d);

/* What a stored fact says of its flow. */
struct due_flow {
	int64_t flow;
	bool row, over;			/* it is its row; and says that no more will come than was told with it */
	bool near_low, near_high;	/* its client's end is that of the lower address, of the higher; neither: not said */
};
void due_stored(struct due *d, const struct due_flow *flow);

/* Whether it is not known any more what is due, or who is a client: too much was stored, or something of a flow that
 * nothing more was to come of, or one was told the one way round and then the other. */
bool due_is_lost(struct due *d);

/* Writes temp.due. */
bool due_write(struct due *d, struct store *st);

/* Gives what was remembered of flows that are due to `take`, and forgets it. */
bool due_take_back(struct due *d, bool (*take)(void *context, const struct counted *counted), void *context);

/* What is written now of a flow, in the order of flows. Copied, unless nothing can come of it any more. False where what
 * was taken back of it was another host's. */
bool due_count(struct due *d, const struct counted *counted);

/* All that were due have been counted. */
void due_done(struct due *d, int64_t judged_ns);

#endif

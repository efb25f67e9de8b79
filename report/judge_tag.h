/* judge_tag.h - whose each flow is: which end is its client, and what the other end is tagged as
 *
 * Writes client, client_address, client_coverage, contact, contact_class, traffic, client_state, client_loss (of flows),
 * endpoint and owner. Of a case that grows it remembers who is a client, what is tagged as what, and what flows that may
 * still change counted for, so that only those that are due are tagged again.
 *
 * Memory: some 100 bytes for each host and each different far end; freed by tagger_free. Thread: the store's. */
#ifndef REPORT_JUDGE_TAG_H
#define REPORT_JUDGE_TAG_H

#include "report/judge_part.h"

struct tagger;

/* grows: it will be asked again. empty: nothing was stored so far. Borrows part, and what that has. NULL when the store
 * cannot; store_error says why. */
struct tagger *tagger_new(const struct judge_part *part, bool grows, bool empty);
void tagger_free(struct tagger **t);

/* A fact was stored since it was made. */
void tagger_stored(struct tagger *t, const struct fact *fact);

/* Whether it still knows what is due, and who is a client: else all is to be tagged, by a new tagger. */
bool tagger_goes_on(struct tagger *t);

/* That no flow of the case has a process id of the capturing tool's. */
bool tagger_knows_no_pids(const struct tagger *t);

/* While it grows, before anything else of a judgement: writes temp.due, and says in part what is to be judged. */
bool tagger_begin(struct tagger *t, struct judge_part *part_out);

enum tag_end {
	TAG_DONE,
	TAG_ANEW,		/* who is which client is another now: all is to be tagged, by a new tagger */
	TAG_FAILED,		/* store_error says why */
};

/* All flows, or those that are due (struct judge_part); before that once all. until_ns: all workers had told of what was
 * before. */
enum tag_end tagger_run(struct tagger *t, int64_t until_ns);

#endif

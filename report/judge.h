/* judge.h - from facts to findings and verdicts
 *
 * Tags endpoints with their owners (through the owner_book), runs report/rules/NAME.sql, derives the
 * verdict of each client and writes all of it into the case: endpoint, owner, client, destination,
 * finding, evidence, verdict. What it wrote before is replaced, so a case can be judged again.
 *
 * Thread: the store's. Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_H
#define REPORT_JUDGE_H

#include "report/policy.h"
#include "report/store.h"

bool judge(struct store *st, const struct policy *policy, const struct owner_book *book);

/* Of a case that facts are stored in meanwhile. Who is a client is noted while they come, and what judging takes does not
 * grow with the flows that were judged before: of those only sums and what rules ask for are read again. */
struct judgement;

/* Borrows all; nothing is judged yet. grows: it will be judged more than once. */
struct judgement *judgement_new(struct store *st, const struct policy *policy, const struct owner_book *book, bool grows);
void judgement_free(struct judgement **j);

/* As judge, of what was stored since it was last called; at first, and after false, of all. */
bool judgement_renew(struct judgement *j);

/* Facts were deleted, or what was judged was rolled back: the next time all is judged. */
void judgement_forget(struct judgement *j);

/* The exit status that DESIGN gives a judged case: 1 leak; 65 half-read input; 66 no input; 2 cannot-say;
 * 0 clean. */
int judge_exit_status(struct store *st);

#endif

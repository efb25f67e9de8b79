/* judge_coverage.h - how much was seen of each client: table client_coverage
 *
 * Counted by who sent it, of every flow with something in it, whichever end is its client and whosever the
 * other: so that the ledger can be held against it (judge_balance).
 *
 * Memory: 40 bytes a client; freed by coverage_free. */
#ifndef REPORT_JUDGE_COVERAGE_H
#define REPORT_JUDGE_COVERAGE_H

#include "report/judge_flow.h"

struct coverage;

/* For the clients 1 to count. */
struct coverage *coverage_new(unsigned count);
void coverage_free(struct coverage **c);

/* clients: of the originator and of the responder; 0: it is none. */
void coverage_add(struct coverage *c, const struct judge_flow *flow, const unsigned clients[2]);
/* After the last. */
bool coverage_write(const struct coverage *c, struct store *st);

#endif

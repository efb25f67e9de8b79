/* judge_coverage.h - how much was seen of each client: table client_coverage
 *
 * Counted by who sent it, of every flow with something in it, whichever end is its client and whosever the
 * other: so that the ledger can be held against it (judge_balance).
 *
 * Memory: 40 bytes a client; freed by coverage_free. */
#ifndef REPORT_JUDGE_COVERAGE_H
#define REPORT_JUDGE_COVERAGE_H

#include "report/judge_flow.h"

/* A flow as it is counted; each of originator and responder. */
struct coverage_flow {
	unsigned clients[2];		/* 0: it is none */
	int64_t packets[2], bytes[2], payload[2];
	bool asked;			/* the responder: its port 53 */
};

struct coverage_flow coverage_of(const struct judge_flow *flow, const unsigned clients[2]);

struct coverage;

struct coverage *coverage_new(void);
void coverage_free(struct coverage **c);

/* Before flows of theirs come: there are clients 1 to count, no fewer than before. */
void coverage_clients(struct coverage *c, unsigned count);

void coverage_add(struct coverage *c, const struct coverage_flow *flow);
/* One that was added, as it was then. */
void coverage_take_back(struct coverage *c, const struct coverage_flow *flow);
/* After the last: writes the table. */
bool coverage_write(const struct coverage *c, struct store *st);

#endif

#include "report/judge_coverage.h"

#include "capture/base.h"

#include <stdlib.h>

#define PORT_DNS 53

enum { PACKETS, BYTES, PAYLOAD_UP, PAYLOAD_DOWN, ASKED, SUMS };

struct coverage {
	int64_t (*sums)[SUMS];		/* by client - 1 */
	unsigned count;
};

struct coverage *coverage_new(unsigned count)
{
	struct coverage *c = base_alloc(sizeof(*c));

	c->sums = base_alloc_array(count, sizeof(*c->sums));
	c->count = count;
	return c;
}

void coverage_free(struct coverage **c)
{
	if (*c == NULL)
		return;
	free((*c)->sums);
	free(*c);
	*c = NULL;
}

void coverage_add(struct coverage *c, const struct judge_flow *flow, const unsigned clients[2])
{
	/* What a client sends to itself is one packet, sent and got. */
	bool itself = clients[0] == clients[1];

	for (unsigned end = 0; end < 2; end++) {
		int64_t *sums;

		if (clients[end] == 0)
			continue;
		sums = c->sums[clients[end] - 1];
		sums[PACKETS] += flow->packets[end] + (itself ? 0 : flow->packets[!end]);
		sums[BYTES] += flow->bytes[end] + (itself ? 0 : flow->bytes[!end]);
		sums[PAYLOAD_UP] += flow->payload[end];
		sums[PAYLOAD_DOWN] += flow->payload[!end];
		sums[ASKED] += end == 1 && flow->resp_port == PORT_DNS;
	}
}

bool coverage_write(const struct coverage *c, struct store *st)
{
	sqlite3_stmt *insert = store_prepare(st, "INSERT INTO client_coverage VALUES (?,?,?,?,?,?)");
	bool ok = insert != NULL;

	for (unsigned i = 0; ok && i < c->count; i++) {
		sqlite3_bind_int64(insert, 1, i + 1);
		for (int k = 0; k < SUMS; k++)
			sqlite3_bind_int64(insert, k + 2, c->sums[i][k]);
		ok = store_do(st, insert);
	}
	sqlite3_finalize(insert);
	return ok;
}

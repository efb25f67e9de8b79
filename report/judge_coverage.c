#include "report/judge_coverage.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

#define PORT_DNS 53

enum { PACKETS, BYTES, PAYLOAD_UP, PAYLOAD_DOWN, ASKED, SUMS };

struct coverage {
	int64_t (*sums)[SUMS];		/* by client - 1 */
	unsigned count;
};

struct coverage *coverage_new(void)
{
	return base_alloc(sizeof(struct coverage));
}

void coverage_free(struct coverage **c)
{
	if (*c == NULL)
		return;
	free((*c)->sums);
	free(*c);
	*c = NULL;
}

void coverage_clients(struct coverage *c, unsigned count)
{
	c->sums = base_realloc(c->sums, count * sizeof(*c->sums));
	memset(c->sums + c->count, 0, (count - c->count) * sizeof(*c->sums));
	c->count = count;
}

struct coverage_flow coverage_of(const struct judge_flow *flow, const unsigned clients[2])
{
	struct coverage_flow f = { .asked = flow->resp_port == PORT_DNS };

	for (unsigned end = 0; end < 2; end++) {
		f.clients[end] = clients[end];
		f.packets[end] = flow->packets[end];
		f.bytes[end] = flow->bytes[end];
		f.payload[end] = flow->payload[end];
	}
	return f;
}

static void add(struct coverage *c, const struct coverage_flow *flow, int sign)
{
	/* What a client sends to itself is one packet, sent and got. */
	bool itself = flow->clients[0] == flow->clients[1];

	for (unsigned end = 0; end < 2; end++) {
		int64_t *sums;

		if (flow->clients[end] == 0)
			continue;
		sums = c->sums[flow->clients[end] - 1];
		sums[PACKETS] += sign * (flow->packets[end] + (itself ? 0 : flow->packets[!end]));
		sums[BYTES] += sign * (flow->bytes[end] + (itself ? 0 : flow->bytes[!end]));
		sums[PAYLOAD_UP] += sign * flow->payload[end];
		sums[PAYLOAD_DOWN] += sign * flow->payload[!end];
		sums[ASKED] += end == 1 && flow->asked ? sign : 0;
	}
}

void coverage_add(struct coverage *c, const struct coverage_flow *flow)
{
	add(c, flow, 1);
}

void coverage_take_back(struct coverage *c, const struct coverage_flow *flow)
{
	add(c, flow, -1);
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

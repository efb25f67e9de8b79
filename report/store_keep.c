/* How much is kept of a live case's packets: a limit, and who goes first. */
#include "report/store_sql.h"

#include "capture/base.h"

#include <stdlib.h>

#define KEEP_FREE "8"	/* part of the limit that is free after flows were dropped: not every batch pays for it */

/* Flows by the time of their first packet. Flagged are those of a finding, and those that a finding names a
 * packet of, as of the DNS answer before it. */
static const char by_age_sql[] =
	"WITH flagged AS (SELECT flow FROM finding_flow UNION SELECT p.flow FROM evidence AS e"
	" CROSS JOIN packet AS p ON p.frame = e.frame)"
	" SELECT flow, sum(size) FROM packet GROUP BY flow ORDER BY flow IN (SELECT flow FROM flagged), min(time_ns), flow";

struct kept_flow {
	int64_t flow;
	uint64_t bytes;
};

static bool run_with(struct store *st, sqlite3_stmt *q, uint64_t value)
{
	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)value);
	return store_do(st, q);
}

bool store_keep(struct store *st, uint64_t limit)
{
	return run_with(st, store_kept(st, "INSERT INTO keep VALUES (1, ?1, 0, 0, 0)"
		" ON CONFLICT (id) DO UPDATE SET limit_bytes = excluded.limit_bytes"), limit);
}

/* From the first to go on, as many as have so many bytes, and how many those are. NULL: store_error. */
static struct kept_flow *flows_by_age(struct store *st, uint64_t bytes, size_t *count_out)
{
	sqlite3_stmt *q = store_prepare(st, by_age_sql);
	struct kept_flow *flows = base_alloc(sizeof(*flows));
	size_t size = 1;
	int rc = SQLITE_ERROR;

	*count_out = 0;
	for (uint64_t found = 0; q != NULL && (rc = store_step(st, q)) == SQLITE_ROW && found < bytes;) {
		if (*count_out == size) {
			size *= 2;
			flows = base_realloc(flows, size * sizeof(*flows));
		}
		flows[*count_out] = (struct kept_flow){ sqlite3_column_int64(q, 0), (uint64_t)sqlite3_column_int64(q, 1) };
		found += flows[(*count_out)++].bytes;
	}
	sqlite3_finalize(q);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		free(flows);
		return NULL;
	}
	return flows;
}

static bool drop(struct store *st, const struct kept_flow *flow)
{
	return run_with(st, store_kept(st, "DELETE FROM packet WHERE flow = ?1"), (uint64_t)flow->flow) &&
	       run_with(st, store_kept(st, "UPDATE keep SET bytes = bytes - ?1, dropped_flows = dropped_flows + 1,"
			" dropped_bytes = dropped_bytes + ?1"), flow->bytes);
}

static bool drop_bytes(struct store *st, uint64_t bytes)
{
	size_t count;
	struct kept_flow *flows = flows_by_age(st, bytes, &count);
	bool ok = flows != NULL;

	for (size_t i = 0; ok && i < count; i++)
		ok = drop(st, &flows[i]);
	free(flows);
	return ok;
}

static bool add_and_drop(struct store *st, uint64_t added)
{
	int64_t over;

	if (!run_with(st, store_kept(st, "UPDATE keep SET bytes = bytes + ?1"), added))
		return false;
	over = store_number(st, "SELECT iif(bytes > limit_bytes, bytes - limit_bytes + limit_bytes / " KEEP_FREE
		", 0) FROM keep", 0);
	return over == 0 || drop_bytes(st, (uint64_t)over);
}

bool store_keep_within(struct store *st, uint64_t added)
{
	if (added == 0)
		return true;
	if (store_begin(st) && add_and_drop(st, added) && store_commit(st))
		return true;
	store_rollback(st);
	return false;
}

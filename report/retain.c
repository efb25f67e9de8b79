/* Over 400 lines, as both limits go by the same passes over the same tables. */
#include "report/retain.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "report/store_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RETAIN_ROWS 1024	/* in one transaction */
#define RETAIN_PAGES "1024"	/* given back to the file system at once */
#define RETAIN_LOG_PART 64	/* of the bytes there may be, what the log takes before it goes into the file */
#define RETAIN_TIME_NS (BASE_NS_PER_S / 5)	/* of each second */
#define RETAIN_HUNGER_MAX 4
#define RETAIN_HURRY 4		/* times as long when the file is all but full, and storing is to pause */
#define RETAIN_PART 64		/* of the time from what is gone to now, what goes in one pass for bytes... */
#define RETAIN_PART_IDLE 8	/* ... and after passes that found nothing */
#define RETAIN_PASSES 256	/* for days: so many in that time, and no more than one a second */
#define DAY_NS (86400 * BASE_NS_PER_S)

/* How much a pass may take. */
enum harshness {
	SPARE_NAMES,		/* what no finding rests on, and no name that a flow may yet ask for */
	SPARE_FLAGGED,		/* what no finding rests on */
	SPARE_KNOWN,		/* what no finding rests on so far: it was not judged yet */
	SPARE_NOTHING,
};

/* A table of facts in the order of frames, which within a source is that of time: where it is looked at, whether
 * a row is old (?3: before then; ?4: names are spared), and what goes with it. */
static const struct fact_table {
	const char *rows;		/* id, place, time it begins, whether it is old: behind (?1, ?2) */
	const char *gone[11];		/* ?1, ?2: id, place */
} tables[] = {
	{ "SELECT id, 0, first_ns, last_ns < ?3 FROM flow WHERE id > ?1 AND ?2 = ?2 AND ?4 = ?4 ORDER BY id",
	  { "DELETE FROM handshake WHERE flow = ?1 AND ?2 = 0", "DELETE FROM mail_session WHERE flow = ?1 AND ?2 = 0",
	    "DELETE FROM certificate WHERE flow = ?1 AND ?2 = 0", "DELETE FROM login WHERE flow = ?1 AND ?2 = 0",
	    "DELETE FROM disclosure WHERE flow = ?1 AND ?2 = 0", "DELETE FROM flow_sample WHERE flow = ?1 AND ?2 = 0",
	    "UPDATE keep SET bytes = bytes - coalesce((SELECT sum(size) FROM packet WHERE flow = ?1), 0) WHERE ?2 = 0",
	    "DELETE FROM packet WHERE flow = ?1 AND ?2 = 0",
	    "DELETE FROM loss WHERE frame = ?1 AND flow = ?1 AND ?2 = 0", "DELETE FROM flow WHERE id = ?1 AND ?2 = 0" } },
	{ "SELECT id, place, from_ns, iif(?4, min(max(from_ns, until_ns), from_ns + 86400000000000), from_ns) < ?3"
	  " FROM name WHERE (id, place) > (?1, ?2) ORDER BY id, place",
	  { "DELETE FROM name WHERE id = ?1 AND place = ?2" } },
	{ "SELECT id, place, time_ns, time_ns + iif(?4, 86400000000000, 0) < ?3 FROM mail_dns"
	  " WHERE (id, place) > (?1, ?2) ORDER BY id, place",
	  { "DELETE FROM mail_dns WHERE id = ?1 AND place = ?2" } },
	{ "SELECT frame, place, time_ns, time_ns > 0 FROM loss WHERE flow = 0 AND (frame, place) > (?1, ?2)"
	  " AND ?4 = ?4 AND ?3 = ?3 ORDER BY frame, place",
	  { "DELETE FROM loss WHERE frame = ?1 AND flow = 0 AND place = ?2 AND time_ns > 0" } },
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct fact_place {
	int64_t id, place;
};

struct retain {
	struct retain_limits limits;
	int64_t from_ns, clock_ns;	/* the time and the clock when it was made */
	int64_t judged_ns;
	bool judged;
	int64_t log_max, room_for_log;	/* the largest write-ahead log that was seen, and what is left for it */
	/* The pass, where before_ns is not 0. */
	int64_t before_ns;
	enum harshness harshness;
	bool for_bytes;			/* until enough is gone */
	int64_t reached_ns;		/* ... and what was before is, as far as this harshness goes */
	unsigned part;
	unsigned hunger;		/* eighths of the file that more is to be left free */
	bool found;			/* something in this pass */
	unsigned table;
	struct fact_place at;
	int64_t *spared;		/* frames, in order */
	size_t spared_count, spared_size;
	/* Of earlier passes. */
	int64_t days_ns;		/* the last one for days was of what was before */
	bool gone;			/* since retain_step last said so */
};

/* The time, by a clock that nobody sets. */
static int64_t now_ns(const struct retain *r)
{
	return r->from_ns + (base_clock_ns(CLOCK_MONOTONIC) - r->clock_ns);
}

struct retain *retain_new(const struct retain_limits *limits, int64_t from_ns)
{
	struct retain *r = base_alloc(sizeof(*r));

	r->limits = *limits;
	r->from_ns = r->judged_ns = from_ns;
	r->clock_ns = base_clock_ns(CLOCK_MONOTONIC);
	return r;
}

void retain_free(struct retain **r)
{
	if (*r == NULL)
		return;
	free((*r)->spared);
	free(*r);
	*r = NULL;
}

void retain_judged(struct retain *r, int64_t until_ns)
{
	r->judged = true;
	r->judged_ns = until_ns;
}

void retain_more(struct retain *r)
{
	r->hunger += r->hunger < RETAIN_HUNGER_MAX;
}

bool retain_is_busy(const struct retain *r)
{
	return r->before_ns != 0;
}

/* What findings rest on: their flows and frames. A finding that rests on absence, timing or amounts rests on all of
 * its client's mail besides. */
static const char flagged_sql[] =
	"WITH mail AS (SELECT flow, name_frame FROM contact WHERE client IN (SELECT client FROM finding WHERE class = 'leak')"
	"  AND (transport IS NOT NULL OR flow IN (SELECT flow FROM contact_class WHERE class IN ('web-mail', 'vendor'))))"
	" SELECT flow FROM finding_flow UNION SELECT frame FROM evidence"
	" UNION SELECT name_frame FROM contact WHERE flow IN (SELECT flow FROM finding_flow)"
	" UNION SELECT flow FROM mail UNION SELECT name_frame FROM mail"
	" UNION SELECT name_frame FROM contact WHERE last_ns >= ?1 AND ?2 ORDER BY 1";
/* Names that flows which stay were judged by. */
static const char named_sql[] = "SELECT DISTINCT name_frame FROM contact WHERE last_ns >= ?1 AND ?2 ORDER BY 1";

static bool spares_names(const struct retain *r)
{
	return !r->for_bytes || r->harshness == SPARE_NAMES;
}

static bool read_spared(struct retain *r, struct store *st)
{
	bool flagged = r->for_bytes && r->harshness < SPARE_NOTHING;
	sqlite3_stmt *q = store_kept(st, flagged ? flagged_sql : named_sql);
	int rc = SQLITE_ERROR;

	r->spared_count = 0;
	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, r->before_ns);
	sqlite3_bind_int(q, 2, spares_names(r));
	while ((rc = store_step(st, q)) == SQLITE_ROW) {
		if (r->spared_count == r->spared_size) {
			r->spared_size = r->spared_size > 0 ? r->spared_size * 2 : 256;
			r->spared = base_realloc(r->spared, r->spared_size * sizeof(*r->spared));
		}
		r->spared[r->spared_count++] = sqlite3_column_int64(q, 0);
	}
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool is_spared(const struct retain *r, int64_t id)
{
	return r->spared_count > 0 &&
	       bsearch(&id, r->spared, r->spared_count, sizeof(id), by_number) != NULL;
}

static bool begin_pass(struct retain *r, struct store *st, int64_t before_ns, const char *why)
{
	sqlite3_stmt *q = store_kept(st,
		"INSERT INTO deleted VALUES (?1, ?2, 0, ?3) ON CONFLICT DO UPDATE SET"
		" before_ns = max(before_ns, excluded.before_ns), log_bytes = excluded.log_bytes");

	if (q == NULL)
		return false;
	sqlite3_bind_text(q, 1, why, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, before_ns);
	sqlite3_bind_int64(q, 3, r->log_max);
	if (!store_do(st, q))
		return false;
	r->before_ns = before_ns;
	r->found = false;
	r->table = 0;
	r->at = (struct fact_place){ -1, -1 };
	return true;
}

/* The next rows of the table that is at hand, those of which are old; false where it has no more. */
static bool read_rows(struct retain *r, struct store *st, struct fact_place old[RETAIN_ROWS], unsigned *count_out)
{
	sqlite3_stmt *q = store_kept(st, tables[r->table].rows);
	unsigned seen = 0;
	int rc = SQLITE_ERROR;

	*count_out = 0;
	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, r->at.id);
	sqlite3_bind_int64(q, 2, r->at.place);
	sqlite3_bind_int64(q, 3, r->before_ns);
	sqlite3_bind_int(q, 4, spares_names(r));
	while (seen < RETAIN_ROWS && (rc = store_step(st, q)) == SQLITE_ROW) {
		r->at = (struct fact_place){ sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1) };
		seen++;
		if (sqlite3_column_int64(q, 2) >= r->before_ns) {
			/* The rest of its source is younger. */
			r->at = (struct fact_place){ (r->at.id | (int64_t)(frame_id(1, 0) - 1)), INT64_MAX };
			break;
		}
		if (sqlite3_column_int(q, 3) != 0 && !is_spared(r, r->at.id))
			old[(*count_out)++] = r->at;
	}
	sqlite3_reset(q);
	return rc == SQLITE_ROW;
}

static bool delete_rows(struct retain *r, struct store *st, const struct fact_place *old, unsigned count)
{
	bool ok = store_begin(st);

	for (unsigned k = 0; ok && tables[r->table].gone[k] != NULL; k++) {
		sqlite3_stmt *q = store_kept(st, tables[r->table].gone[k]);

		ok = q != NULL;
		for (unsigned i = 0; ok && i < count; i++) {
			sqlite3_bind_int64(q, 1, old[i].id);
			sqlite3_bind_int64(q, 2, old[i].place);
			ok = store_do(st, q);
		}
	}
	if (ok) {
		sqlite3_stmt *q = store_kept(st, "UPDATE deleted SET facts = facts + ?1 WHERE why = ?2");

		ok = q != NULL && sqlite3_bind_int64(q, 1, count) == SQLITE_OK &&
		     sqlite3_bind_text(q, 2, r->for_bytes ? "bytes" : "days", -1, SQLITE_STATIC) == SQLITE_OK &&
		     store_do(st, q) && store_commit(st);
	}
	if (!ok)
		store_rollback(st);
	return ok;
}

/* Who held sockets; sources without facts that were through by then, but the last, whose number is not given again. */
static const char rest_sql[] =
	"DELETE FROM socket_owner WHERE (local_addr, local_port, remote_addr, remote_port, proto, from_ns, place) IN"
	" (SELECT local_addr, local_port, remote_addr, remote_port, proto, from_ns, place FROM socket_owner"
	"  WHERE until_ns < (SELECT max(before_ns) FROM deleted) LIMIT 4096);"
	"DELETE FROM source WHERE end <> 'running' AND last_ns < (SELECT max(before_ns) FROM deleted)"
	" AND number < coalesce((SELECT min(id) >> 40 FROM flow), 0) AND number < (SELECT max(number) FROM source);"
	"DELETE FROM source_interface WHERE source NOT IN (SELECT number FROM source)";

static bool is_due_for_days(struct retain *r, int64_t *before_out)
{
	int64_t keep = r->limits.days * DAY_NS, every = keep / RETAIN_PASSES;

	*before_out = now_ns(r) - keep;
	return r->limits.days > 0 && *before_out - r->days_ns >= every;
}

/* Bytes in use, and what may be: file and log are to stay below the limit, and a judgement fills the log with all
 * that it writes anew. */
static int64_t bytes_used(struct store *st)
{
	return store_number(st, "SELECT (SELECT page_count FROM pragma_page_count)"
			    " - (SELECT freelist_count FROM pragma_freelist_count)", 0)
	       * store_number(st, "PRAGMA page_size", 0);
}

static int64_t file_limit(const struct retain *r)
{
	return (int64_t)r->limits.bytes - r->room_for_log;
}

/* What is free stays in the file for facts to come, as long as that is little or the file need not be smaller. */
static void give_back(const struct retain *r, struct store *st)
{
	int64_t pages = store_number(st, "PRAGMA page_count", 0), spare = store_number(st, "PRAGMA freelist_count", 0);

	if (spare > pages / 8 || (spare > 0 && r->limits.bytes > 0 &&
				  pages * store_number(st, "PRAGMA page_size", 0) > file_limit(r)))
		store_exec(st, "PRAGMA incremental_vacuum(" RETAIN_PAGES ")");
	store_exec(st, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* One table's next rows; false when the pass is through or cannot go on now. */
static bool go_on(struct retain *r, struct store *st)
{
	struct fact_place old[RETAIN_ROWS];
	unsigned count;
	bool more = read_rows(r, st, old, &count);

	if (count > 0) {
		if (!delete_rows(r, st, old, count))
			return false;
		r->gone = r->found = true;
		give_back(r, st);
	}
	if (more)
		return true;
	r->at = (struct fact_place){ -1, -1 };
	if (++r->table < TABLES)
		return true;
	store_exec(st, rest_sql);
	r->before_ns = 0;
	return false;
}

/* How large a log judging and storing need is learnt from what they needed. */
static void mind_log(struct retain *r, struct store *st)
{
	int64_t limit = (int64_t)r->limits.bytes, log = store_log_bytes(st), room;
	int64_t page = store_number(st, "PRAGMA page_size", 0);
	char sql[96];

	if (log > r->log_max)
		r->log_max = log;
	if (log > limit / RETAIN_LOG_PART)
		store_exec(st, "PRAGMA wal_checkpoint(TRUNCATE)");
	if (!r->judged && log < limit / 4)
		r->log_max = store_number(st, "SELECT coalesce(max(log_bytes), 0) FROM deleted", 0);
	room = r->judged || r->log_max > 0 ? r->log_max / 2 * 3 + limit / 16 : limit / 2;
	if (room < limit / 4)
		room = limit / 4;
	if (room > limit * 3 / 4)
		room = limit * 3 / 4;
	if (room == r->room_for_log)
		return;
	r->room_for_log = room;
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld; PRAGMA wal_autocheckpoint = %lld",
		 (long long)(file_limit(r) / page), (long long)(limit / page / RETAIN_LOG_PART));
	store_exec(st, sql);
}

/* How far less harsh passes came, or the beginning. */
static void go_back(struct retain *r, struct store *st)
{
	r->reached_ns = store_number(st, r->harshness == SPARE_NAMES
		? "SELECT coalesce((SELECT before_ns FROM deleted WHERE why = 'bytes'), (SELECT min(from_ns) FROM run))"
		: "SELECT coalesce(min(first_ns), 0) FROM flow", 0);
}

/* A part of the time that is left goes; when all of it is gone and that was not enough, more than before. */
static bool next_for_bytes(struct retain *r, struct store *st)
{
	int64_t used = bytes_used(st), limit = file_limit(r);
	int64_t reach = r->harshness >= SPARE_KNOWN ? now_ns(r) : r->judged_ns;

	if (used < limit / 8 * ((r->for_bytes ? 6 : 7) - r->hunger)) {
		r->for_bytes = false;
		return false;
	}
	if (!r->for_bytes) {
		r->harshness = SPARE_NAMES;
		go_back(r, st);
	} else if (reach - r->reached_ns < BASE_NS_PER_S) {
		if (r->harshness == SPARE_NOTHING)
			return false;
		r->harshness++;
		go_back(r, st);
	}
	r->for_bytes = true;
	reach = r->harshness >= SPARE_KNOWN ? now_ns(r) : r->judged_ns;
	r->part = r->found || r->part == 0 ? RETAIN_PART : r->part > RETAIN_PART_IDLE ? r->part / 2 : r->part;
	r->reached_ns += (reach - r->reached_ns) / r->part + BASE_NS_PER_S / 2;
	if (r->reached_ns > reach)
		r->reached_ns = reach;
	return begin_pass(r, st, r->reached_ns, "bytes") && read_spared(r, st);
}

static bool next_for_days(struct retain *r, struct store *st)
{
	int64_t before;

	if (r->for_bytes || !is_due_for_days(r, &before))
		return false;
	r->days_ns = before;
	return store_number(st, "SELECT count(*) FROM (SELECT 1 FROM flow UNION ALL SELECT 1 FROM name LIMIT 1)", 0) > 0 &&
	       begin_pass(r, st, before, "days") && read_spared(r, st);
}

bool retain_step(struct retain *r, struct store *st)
{
	int64_t until = base_clock_ns(CLOCK_MONOTONIC) + RETAIN_TIME_NS;
	bool gone;

	if (r->limits.bytes > 0) {
		mind_log(r, st);
		give_back(r, st);
		if (bytes_used(st) > file_limit(r) / 16 * (15 - 2 * r->hunger))
			until += (RETAIN_HURRY - 1) * RETAIN_TIME_NS;
	}
	if (r->before_ns != 0 && !read_spared(r, st))
		return false;
	while (base_clock_ns(CLOCK_MONOTONIC) < until) {
		if (r->before_ns == 0 && !next_for_days(r, st) && (r->limits.bytes == 0 || !next_for_bytes(r, st)))
			break;
		while (base_clock_ns(CLOCK_MONOTONIC) < until && go_on(r, st))
			;
		if (r->before_ns != 0)
			break;
	}
	gone = r->gone;
	r->gone = false;
	return gone;
}

#include "report/store_sql.h"

#include "capture/base.h"
#include "report/sql.h"
#include "report/store_fact.h"
#include "report/store_function.h"
#include "report/store_lock.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STORE_VERSION 1
#define STORE_APPLICATION 0x6d776974	/* as in schema.sql */
#define STORE_CACHE "-65536"		/* KiB: what SQLite may keep in memory */
/* Of a temporary case: with SQLite's 4096 filling it takes a sixth longer, and so does reading it. */
#define STORE_PAGE "32768"
#define STORE_LISTENERS 2
#define STORE_BUSY_MS 5000		/* how long to wait for another program's lock */

/* What turns version i into version i + 1. */
static const char *const migrations[STORE_VERSION] = { sql_schema };

/* A fact and where it goes. Kept apart from the fact, which is large, for the sake of sorting. */
struct order {
	uint64_t id;
	enum fact_kind kind;
	unsigned place;		/* among those that were given at once */
	const struct fact *fact;
};

struct store {
	sqlite3 *db;
	char error[512];
	struct order *order;		/* of a batch; grows to the largest one */
	unsigned order_size;
	bool lasting;			/* it has a path */
	int lock;			/* a descriptor that keeps other runs from the case; -1: none */
	bool gathering;			/* one transaction for all */
	struct store_insert inserts[FACT_END];	/* by enum fact_kind */
	struct { const char *sql; sqlite3_stmt *q; } *kept;
	unsigned kept_count;
	struct listener { void (*added)(void *context, const struct fact *fact); void *context; } listeners[STORE_LISTENERS];
	unsigned listener_count;
};

bool store_fail(struct store *st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(st->error, sizeof(st->error), fmt, ap);
	va_end(ap);
	return false;
}

const char *store_error(const struct store *st)
{
	return st->error;
}

static bool fail_sql(struct store *st, const char *sql)
{
	return store_fail(st, "%s (in: %.120s)", sqlite3_errmsg(st->db), sql != NULL ? sql : "?");
}

sqlite3_stmt *store_prepare(struct store *st, const char *sql)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(st->db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_sql(st, sql);
	return q;
}

sqlite3_stmt *store_kept(struct store *st, const char *sql)
{
	sqlite3_stmt *q;

	for (unsigned i = 0; i < st->kept_count; i++) {
		if (st->kept[i].sql == sql)
			return st->kept[i].q;
	}
	q = store_prepare(st, sql);
	if (q != NULL) {
		st->kept = base_realloc(st->kept, (st->kept_count + 1) * sizeof(*st->kept));
		st->kept[st->kept_count].sql = sql;
		st->kept[st->kept_count++].q = q;
	}
	return q;
}

int store_step(struct store *st, sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail_sql(st, sqlite3_sql(q));
	return rc;
}

bool store_do(struct store *st, sqlite3_stmt *q)
{
	bool ok = store_step(st, q) == SQLITE_DONE;

	sqlite3_reset(q);
	return ok;
}

/* INSERT INTO table VALUES (?,?) with so many rows. OR FAIL: what failed is rolled back as a whole, so that SQLite
 * need not keep a journal to undo one statement. */
static sqlite3_stmt *prepare_pairs(struct store *st, const char *table, unsigned rows)
{
	sqlite3_str *sql = sqlite3_str_new(st->db);
	sqlite3_stmt *q;
	char *text;

	sqlite3_str_appendf(sql, "INSERT OR FAIL INTO %s VALUES (?,?)", table);
	for (unsigned i = 1; i < rows; i++)
		sqlite3_str_appendall(sql, ",(?,?)");
	text = sqlite3_str_finish(sql);
	q = store_prepare(st, text);
	sqlite3_free(text);
	return q;
}

bool store_insert_pairs(struct store *st, const char *table, const void *rows, size_t count,
			void (*bind)(sqlite3_stmt *q, int at, const void *rows, size_t row))
{
	static const unsigned at_once[] = { 64, 1 };
	size_t row = 0;
	bool ok = true;

	for (unsigned i = 0; ok && row < count && i < sizeof(at_once) / sizeof(at_once[0]); i++) {
		sqlite3_stmt *q = prepare_pairs(st, table, at_once[i]);

		ok = q != NULL;
		while (ok && count - row >= at_once[i]) {
			for (unsigned k = 0; k < at_once[i]; k++)
				bind(q, (int)(2 * k + 1), rows, row++);
			ok = store_do(st, q);
		}
		sqlite3_finalize(q);
	}
	return ok;
}

bool store_exec(struct store *st, const char *sql)
{
	while (*sql != '\0') {
		sqlite3_stmt *q = NULL;
		int rc;

		if (sqlite3_prepare_v2(st->db, sql, -1, &q, &sql) != SQLITE_OK)
			return fail_sql(st, sql);
		if (q == NULL)		/* white space or a comment */
			continue;
		while ((rc = store_step(st, q)) == SQLITE_ROW)
			;
		sqlite3_finalize(q);
		if (rc != SQLITE_DONE)
			return false;
	}
	return true;
}

int64_t store_number(struct store *st, const char *sql, int64_t otherwise)
{
	sqlite3_stmt *q = store_prepare(st, sql);
	int64_t value = otherwise;

	if (q != NULL && store_step(st, q) == SQLITE_ROW)
		value = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return value;
}

bool store_begin(struct store *st)
{
	return st->gathering || store_exec(st, "BEGIN IMMEDIATE");
}

bool store_commit(struct store *st)
{
	return st->gathering || store_exec(st, "COMMIT");
}

bool store_lasts(const struct store *st)
{
	return st->lasting;
}

bool store_gather(struct store *st)
{
	return st->gathering = store_exec(st, "BEGIN IMMEDIATE");
}

bool store_gathers(const struct store *st)
{
	return st->gathering;
}

int64_t store_log_bytes(struct store *st)
{
	struct stat file;

	return st->lasting && stat(sqlite3_filename_wal(sqlite3_db_filename(st->db, "main")), &file) == 0 ? file.st_size : 0;
}

bool store_gathered(struct store *st)
{
	if (!st->gathering)
		return true;
	st->gathering = false;
	if (store_commit(st))
		return true;
	store_rollback(st);
	return false;
}

void store_rollback(struct store *st)
{
	st->gathering = false;
	/* Not by store_exec: the first error is the one to tell. */
	if (!sqlite3_get_autocommit(st->db))
		sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
}

static bool migrate(struct store *st, bool create)
{
	int64_t version = store_number(st, "PRAGMA user_version", -1);
	int64_t tables = store_number(st, "SELECT count(*) FROM sqlite_schema", -1);
	char pragma[48];

	if (version < 0 || tables < 0)
		return false;
	if (tables == 0 ? !create : store_number(st, "PRAGMA application_id", 0) != STORE_APPLICATION)
		return store_fail(st, "this is not a mailwitness case");
	if (version > STORE_VERSION)
		return store_fail(st, "this case is of version %lld; this program knows up to %d",
				  (long long)version, STORE_VERSION);
	if (version == STORE_VERSION)
		return true;
	if (!store_begin(st))
		return false;
	for (; version < STORE_VERSION; version++) {
		if (!store_exec(st, migrations[version])) {
			store_rollback(st);
			return false;
		}
	}
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", STORE_VERSION);
	if (!store_exec(st, pragma) || !store_commit(st)) {
		store_rollback(st);
		return false;
	}
	return true;
}

static bool prepare_all(struct store *st)
{
	for (unsigned i = 0; i < FACT_END; i++) {
		st->inserts[i].q = store_prepare(st, store_fact_sql[i]);
		if (st->inserts[i].q == NULL)
			return false;
	}
	return true;
}

static bool set_up(struct store *st, const char *path, int flags)
{
	/* A case without a path ends with the process: nothing is synchronised for it. */
	const char *pragmas = path[0] == '\0'
		? "PRAGMA page_size = " STORE_PAGE "; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
		  " PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = " STORE_CACHE
		: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = " STORE_CACHE;

	/* SQLite counts its memory under one lock of the process, which nobody asks for. Refused, and as well
	 * so, once another store was opened. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_open_v2(path, &st->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return store_fail(st, "%s", st->db != NULL ? sqlite3_errmsg(st->db) : "out of memory");
	sqlite3_extended_result_codes(st->db, 1);
	sqlite3_busy_timeout(st->db, STORE_BUSY_MS);
	if (!store_functions(st->db))
		return fail_sql(st, "functions");
	if ((flags & SQLITE_OPEN_READONLY) != 0)
		return migrate(st, false);
	return store_exec(st, pragmas) && migrate(st, (flags & SQLITE_OPEN_CREATE) != 0) && prepare_all(st);
}

static struct store *open_with(const char *path, int flags, char *error, size_t error_size)
{
	struct store *st = base_alloc(sizeof(*st));

	st->lasting = path != NULL;
	st->lock = -1;
	if ((path != NULL && (flags & SQLITE_OPEN_CREATE) != 0 &&
	     !store_lock(path, &st->lock, st->error, sizeof(st->error))) ||
	    !set_up(st, path != NULL ? path : "", flags)) {
		snprintf(error, error_size, "cannot open case %s: %s", path != NULL ? path : "", st->error);
		store_close(&st);
	}
	return st;
}

struct store *store_create(const char *path, char *error, size_t error_size)
{
	return open_with(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error, error_size);
}

struct store *store_open(const char *path, char *error, size_t error_size)
{
	return open_with(path, SQLITE_OPEN_READWRITE, error, error_size);
}

struct store *store_view(const char *path, char *error, size_t error_size)
{
	return open_with(path, SQLITE_OPEN_READONLY, error, error_size);
}

void store_close(struct store **st)
{
	if (*st == NULL)
		return;
	for (unsigned i = 0; i < FACT_END; i++)
		sqlite3_finalize((*st)->inserts[i].q);
	for (unsigned i = 0; i < (*st)->kept_count; i++)
		sqlite3_finalize((*st)->kept[i].q);
	free((*st)->kept);
	sqlite3_close((*st)->db);
	store_unlock(&(*st)->lock);
	free((*st)->order);
	free(*st);
	*st = NULL;
}

/* Table by table, each in the order of its key: B-trees are quickest filled that way. Facts with the
 * same id keep their order, as the later replaces the earlier. */
static int by_table_and_id(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static bool add_one(struct store *st, const struct fact *fact)
{
	if (fact->kind == FACT_END)
		return true;
	for (unsigned i = 0; i < st->listener_count; i++)
		st->listeners[i].added(st->listeners[i].context, fact);
	store_fact_bind(&st->inserts[fact->kind], fact);
	return store_do(st, st->inserts[fact->kind].q);
}

void store_listen(struct store *st, void (*added)(void *context, const struct fact *fact), void *context)
{
	assert(st->listener_count < STORE_LISTENERS);
	st->listeners[st->listener_count++] = (struct listener){ added, context };
}

void store_listen_no_more(struct store *st, const void *context)
{
	for (unsigned i = 0; i < st->listener_count; i++) {
		if (st->listeners[i].context == context)
			st->listeners[i] = st->listeners[--st->listener_count];
	}
}

bool store_add_these(struct store *st, const struct fact *const *facts, unsigned count)
{
	bool ok;

	if (count > st->order_size) {
		st->order = base_realloc(st->order, count * sizeof(*st->order));
		st->order_size = count;
	}
	for (unsigned i = 0; i < count; i++)
		st->order[i] = (struct order){ fact_id(facts[i]), facts[i]->kind, i, facts[i] };
	if (count > 1)
		qsort(st->order, count, sizeof(*st->order), by_table_and_id);
	ok = store_begin(st);
	for (unsigned i = 0; ok && i < count; i++)
		ok = add_one(st, st->order[i].fact);
	if (ok && store_commit(st))
		return true;
	store_rollback(st);
	return false;
}

/* store_sql.h - SQLite behind the store, for the files of this room that judge and print
 *
 * Everything that asks the case goes through here, so that a failure is recorded in store_error. */
#ifndef REPORT_STORE_SQL_H
#define REPORT_STORE_SQL_H

#include "report/store.h"

#include <sqlite3.h>

/* NULL and store_error when it cannot be prepared. The caller finalizes. */
sqlite3_stmt *store_prepare(struct store *st, const char *sql);

/* The same for a statement that is asked for again and again: the store keeps it and finalizes it. It is
 * known by the address of `sql`, which must stay. The caller resets. */
sqlite3_stmt *store_kept(struct store *st, const char *sql);

/* Where the source of a flow or frame was recorded, in SQL. Whether two of them were at the same vantage
 * point: the question whether there are several is asked once for a statement. */
#define VANTAGE_OF(id) "coalesce((SELECT vantage FROM source WHERE number = " id " >> 40), '')"
#define SAME_VANTAGE(id, vantage) \
	"((SELECT count(DISTINCT vantage) FROM source) < 2 OR " VANTAGE_OF(id) " = " vantage ")"

/* One step: SQLITE_ROW, SQLITE_DONE, or anything else with store_error set. */
int store_step(struct store *st, sqlite3_stmt *q);

/* Steps a statement that gives no rows, and resets it. */
bool store_do(struct store *st, sqlite3_stmt *q);

/* Inserts rows of two columns, many by one statement, as SQLite takes twice as long for one at a time.
 * bind: the row of that number, its columns from parameter `at` on. */
bool store_insert_pairs(struct store *st, const char *table, const void *rows, size_t count,
			void (*bind)(sqlite3_stmt *q, int at, const void *rows, size_t row));

/* Runs one or more statements, separated by semicolons. */
bool store_exec(struct store *st, const char *sql);

/* The first column of the first row as a number; `otherwise` when there is no row or it failed. */
int64_t store_number(struct store *st, const char *sql, int64_t otherwise);

/* Sets store_error to a formatted line; always false. */
bool store_fail(struct store *st, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool store_begin(struct store *st);
bool store_commit(struct store *st);
void store_rollback(struct store *st);

#endif

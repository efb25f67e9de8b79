/* record.h - what the exports write: rows of the queries in records/FORMAT-NAME.sql
 *
 * A column is called FIELD or FIELD:KIND, one that begins with _ is not written. The first that is written is
 * the record's time in nanoseconds, by which the rows come. What a kind means is the format's business.
 *
 * Thread: the store's. Errors: false, store_error says why. */
#ifndef REPORT_RECORD_H
#define REPORT_RECORD_H

#include "report/sql.h"
#include "report/store_sql.h"

#define RECORD_COLUMNS 48
#define RECORD_FIELD_SIZE 64
#define RECORD_KIND_SIZE 24

struct record_column {
	char field[RECORD_FIELD_SIZE];
	char kind[RECORD_KIND_SIZE];	/* "" where none is said */
	int index;		/* in the query */
};

struct record {
	sqlite3_stmt *q;
	struct record_column columns[RECORD_COLUMNS];
	unsigned count;
	bool there;		/* a row is */
};

/* The part of a query's name behind the format; NULL where it is another format's. */
const char *record_name(const struct sql_query *query, const char *format);

/* Before its first row; its parameters may be bound. The caller closes in any case. */
bool record_prepare(struct store *st, const char *select, struct record *r);
/* With the first row, if there is one. */
bool record_open(struct store *st, const char *select, struct record *r);
bool record_next(struct store *st, struct record *r);
int64_t record_time(const struct record *r);
void record_close(struct record *r);

#endif

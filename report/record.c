#include "report/record.h"

#include <assert.h>
#include <string.h>

const char *record_name(const struct sql_query *query, const char *format)
{
	size_t n = strlen(format);

	return strncmp(query->name, format, n) == 0 && query->name[n] == '-' ? query->name + n + 1 : NULL;
}

/* All is copied: what SQLite tells of a query goes when the schema changes and it is prepared anew. */
static void read_columns(struct record *r)
{
	int count = sqlite3_column_count(r->q);

	for (int i = 0; i < count; i++) {
		const char *name = sqlite3_column_name(r->q, i), *colon = strchr(name, ':');
		size_t n = colon != NULL ? (size_t)(colon - name) : strlen(name);
		struct record_column *c = &r->columns[r->count];

		if (name[0] == '_')
			continue;
		assert(r->count < RECORD_COLUMNS && n < RECORD_FIELD_SIZE);
		memcpy(c->field, name, n);
		c->field[n] = '\0';
		assert(colon == NULL || strlen(colon + 1) < sizeof(c->kind));
		strcpy(c->kind, colon != NULL ? colon + 1 : "");
		c->index = i;
		r->count++;
	}
}

bool record_next(struct store *st, struct record *r)
{
	int rc = store_step(st, r->q);

	r->there = rc == SQLITE_ROW;
	return r->there || rc == SQLITE_DONE;
}

bool record_prepare(struct store *st, const char *select, struct record *r)
{
	*r = (struct record){ .q = store_prepare(st, select) };
	if (r->q == NULL)
		return false;
	read_columns(r);
	return true;
}

bool record_open(struct store *st, const char *select, struct record *r)
{
	return record_prepare(st, select, r) && record_next(st, r);
}

int64_t record_time(const struct record *r)
{
	return sqlite3_column_int64(r->q, r->columns[0].index);
}

void record_close(struct record *r)
{
	sqlite3_finalize(r->q);
	r->q = NULL;
}

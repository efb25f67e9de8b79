/* Suricata's EVE: a JSON object a line, all kinds of records in the order of time. A field a.b is member b of the
 * object a, a[].b of the one object in the array a. What Suricata has no word for stands in the object mailwitness. */
#include "report/emit.h"

#include "capture/base.h"
#include "report/emit_words.h"
#include "report/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define RECORDS_MAX 16

/* Which objects are open: the field of the last member that was written. */
struct nest {
	struct emit_json_writer w;
	char open[RECORD_FIELD_SIZE];	/* "a.b." while b of a is */
};

static void close_to(struct nest *n, size_t keep)
{
	size_t len = strlen(n->open);

	while (len > keep) {
		bool array = len >= 3 && memcmp(n->open + len - 3, "[].", 3) == 0;

		emit_json_close(&n->w, '}');
		if (array)
			emit_json_close(&n->w, ']');
		for (len--; len > 0 && n->open[len - 1] != '.'; len--)
			;
		n->open[len] = '\0';
	}
}

/* Opens the objects that the field is in, closes the others; the member's own name. */
static const char *enter(struct nest *n, const char *field)
{
	size_t keep = 0;
	const char *at;

	for (size_t i = 0; n->open[i] != '\0' && n->open[i] == field[i]; i++)
		if (field[i] == '.')
			keep = i + 1;
	close_to(n, keep);
	for (at = field + keep; strchr(at, '.') != NULL; at = strchr(at, '.') + 1) {
		size_t len = strcspn(at, ".");
		char name[RECORD_FIELD_SIZE];
		bool array = len > 2 && memcmp(at + len - 2, "[]", 2) == 0;

		snprintf(name, sizeof(name), "%.*s", (int)(array ? len - 2 : len), at);
		if (array)
			emit_json_open(&n->w, name, '[');
		emit_json_open(&n->w, array ? NULL : name, '{');
	}
	memcpy(n->open, field, (size_t)(at - field));
	n->open[at - field] = '\0';
	return at;
}

/* Microseconds, and no colon in the offset. */
static void write_time(struct nest *n, const char *key, int64_t ns)
{
	int64_t us = ns / 1000, second = us / 1000000, rest = us % 1000000;
	time_t t;
	struct tm tm;
	char day[24], text[48];

	if (rest < 0) {
		rest += 1000000;
		second--;
	}
	t = (time_t)second;
	gmtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06d+0000", day, (int)rest);
	emit_json_string(&n->w, key, text);
}

static void write_list(struct nest *n, const char *key, const char *text)
{
	emit_json_open(&n->w, key, '[');
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		char one[256];

		snprintf(one, sizeof(one), "%.*s", (int)len, text);
		emit_json_string(&n->w, NULL, one);
		text += len + (text[len] == ',');
	}
	emit_json_close(&n->w, ']');
}

static void write_member(struct nest *n, const struct record *r, const struct record_column *c)
{
	const char *key;

	if (sqlite3_column_type(r->q, c->index) == SQLITE_NULL)
		return;
	key = enter(n, c->field);
	if (strcmp(c->kind, "time") == 0) {
		write_time(n, key, sqlite3_column_int64(r->q, c->index));
	} else if (strcmp(c->kind, "bool") == 0) {
		emit_json_bool(&n->w, key, sqlite3_column_int(r->q, c->index) != 0);
	} else if (strcmp(c->kind, "list") == 0) {
		write_list(n, key, (const char *)sqlite3_column_text(r->q, c->index));
	} else if (strcmp(c->kind, "numbers") == 0) {
		emit_json_open(&n->w, key, '[');
		emit_json_number(&n->w, NULL, sqlite3_column_int64(r->q, c->index));
		emit_json_close(&n->w, ']');
	} else if (sqlite3_column_type(r->q, c->index) == SQLITE_INTEGER) {
		emit_json_number(&n->w, key, sqlite3_column_int64(r->q, c->index));
	} else {
		emit_json_string(&n->w, key, (const char *)sqlite3_column_text(r->q, c->index));
	}
}

void emit_eve_event(const struct record *r, FILE *out)
{
	struct nest n = { .w = { .out = out } };

	emit_json_open(&n.w, NULL, '{');
	for (unsigned i = 0; i < r->count; i++)
		write_member(&n, r, &r->columns[i]);
	close_to(&n, 0);
	emit_json_close(&n.w, '}');
	putc_unlocked('\n', out);
}

/* The one whose row is the earliest; of several the first. */
static struct record *earliest(struct record *records, unsigned count)
{
	struct record *best = NULL;

	for (unsigned i = 0; i < count; i++)
		if (records[i].there && (best == NULL || record_time(&records[i]) < record_time(best)))
			best = &records[i];
	return best;
}

bool emit_eve(struct store *st, FILE *out)
{
	struct record records[RECORDS_MAX], *r;
	unsigned count = 0;
	bool ok = true;

	for (const struct sql_query *query = sql_records; ok && query->name != NULL; query++)
		if (record_name(query, "eve") != NULL && count < RECORDS_MAX)
			ok = record_open(st, query->select, &records[count++]);
	while (ok && (r = earliest(records, count)) != NULL) {
		emit_eve_event(r, out);
		ok = record_next(st, r);
	}
	for (unsigned i = 0; i < count; i++)
		record_close(&records[i]);
	return ok && (!ferror(out) || store_fail(st, "cannot write: %s", strerror(errno)));
}

/* Zeek's logs, one for each query zeek-NAME.sql: tab-separated values with Zeek's header lines, or JSON. A column's
 * kind is Zeek's type. */
#include "report/emit.h"

#include "capture/base.h"
#include "report/emit_words.h"
#include "report/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define UNSET "-"
#define EMPTY "(empty)"

static bool kind_is(const struct record_column *c, const char *kind)
{
	return strcmp(c->kind, kind) == 0;
}

static bool is_set(const struct record_column *c)
{
	return strncmp(c->kind, "set[", 4) == 0 || strncmp(c->kind, "vector[", 7) == 0;
}

/* As Zeek's writer has it: what would be read as an end, as no value or as no text is \xNN. Text of the wire may be
 * longer than a part. */
static void write_text(FILE *out, const char *text, bool in_set)
{
	char part[512];

	if (strcmp(text, UNSET) == 0 || strcmp(text, EMPTY) == 0) {
		fprintf(out, "\\x%02x%s", (unsigned char)text[0], text + 1);
		return;
	}
	while (*text != '\0') {
		size_t len = strcspn(text, in_set ? "\\," : "\\");

		if (len >= sizeof(part))
			for (len = sizeof(part) - 1; len > sizeof(part) - 4 && (text[len] & 0xc0) == 0x80; len--)
				;
		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		emit_clean(out, part);
		text += len;
		if (len == 0)
			fputs(*text++ == ',' ? "\\x2c" : "\\\\", out);
	}
}

/* Seconds with six digits. */
static void write_seconds(FILE *out, int64_t ns)
{
	int64_t us = ns / 1000;

	fprintf(out, "%s%lld.%06lld", us < 0 ? "-" : "", (long long)(us < 0 ? -us : us) / 1000000,
		(long long)(us < 0 ? -us : us) % 1000000);
}

static void write_value(FILE *out, sqlite3_stmt *q, const struct record_column *c)
{
	int at = c->index;

	if (sqlite3_column_type(q, at) == SQLITE_NULL)
		fputs(UNSET, out);
	else if (kind_is(c, "time") || strstr(c->kind, "interval") != NULL)
		write_seconds(out, sqlite3_column_int64(q, at));
	else if (kind_is(c, "bool"))
		fputs(sqlite3_column_int(q, at) != 0 ? "T" : "F", out);
	else if (sqlite3_column_type(q, at) == SQLITE_FLOAT)
		fprintf(out, "%f", sqlite3_column_double(q, at));
	else if (sqlite3_column_bytes(q, at) == 0)
		fputs(EMPTY, out);
	else
		write_text(out, (const char *)sqlite3_column_text(q, at), is_set(c));
}

static void write_line(const struct record *r, FILE *out)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (i > 0)
			putc_unlocked('\t', out);
		write_value(out, r->q, &r->columns[i]);
	}
	putc_unlocked('\n', out);
}

/* JSON has no seconds and no true for these; numbers and strings are the JSON writer's. */
static void write_json_value(struct emit_json_writer *w, const char *key, sqlite3_stmt *q, const struct record_column *c)
{
	int at = c->index;

	if (kind_is(c, "time") || strstr(c->kind, "interval") != NULL) {
		emit_json_key(w, key);
		write_seconds(w->out, sqlite3_column_int64(q, at));
	} else if (kind_is(c, "bool")) {
		emit_json_bool(w, key, sqlite3_column_int(q, at) != 0);
	} else if (sqlite3_column_type(q, at) == SQLITE_FLOAT) {
		emit_json_key(w, key);
		fprintf(w->out, "%f", sqlite3_column_double(q, at));
	} else if (sqlite3_column_type(q, at) == SQLITE_INTEGER) {
		emit_json_number(w, key, sqlite3_column_int64(q, at));
	} else {
		emit_json_string(w, key, (const char *)sqlite3_column_text(q, at));
	}
}

static void write_object(const struct record *r, FILE *out)
{
	struct emit_json_writer w = { .out = out };

	emit_json_open(&w, NULL, '{');
	for (unsigned i = 0; i < r->count; i++) {
		const struct record_column *c = &r->columns[i];

		if (sqlite3_column_type(r->q, c->index) == SQLITE_NULL)
			continue;
		if (is_set(c)) {
			emit_json_open(&w, c->field, '[');
			write_json_value(&w, NULL, r->q, c);
			emit_json_close(&w, ']');
		} else {
			write_json_value(&w, c->field, r->q, c);
		}
	}
	emit_json_close(&w, '}');
	putc_unlocked('\n', out);
}

/* When the log was begun and ended is when the case was: the same case gives the same bytes. */
static void write_moment(struct store *st, const char *word, const char *sql, FILE *out)
{
	time_t t = (time_t)(store_number(st, sql, 0) / BASE_NS_PER_S);
	struct tm tm;
	char text[24];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d-%H-%M-%S", &tm);
	fprintf(out, "#%s\t%s\n", word, text);
}

static void write_header(struct store *st, const char *log, const struct record *r, FILE *out)
{
	fprintf(out, "#separator \\x09\n#set_separator\t,\n#empty_field\t" EMPTY "\n#unset_field\t" UNSET
		"\n#path\t%s\n", log);
	write_moment(st, "open", "SELECT min(first_ns) FROM source WHERE packets > 0", out);
	fputs("#fields", out);
	for (unsigned i = 0; i < r->count; i++)
		fprintf(out, "\t%s", r->columns[i].field);
	fputs("\n#types", out);
	for (unsigned i = 0; i < r->count; i++)
		fprintf(out, "\t%s", r->columns[i].kind);
	putc_unlocked('\n', out);
}

bool emit_zeek(struct store *st, const struct sql_query *query, bool json, FILE *out)
{
	struct record r;
	bool ok = record_open(st, query->select, &r);

	if (ok && !json)
		write_header(st, record_name(query, "zeek"), &r, out);
	while (ok && r.there) {
		if (json)
			write_object(&r, out);
		else
			write_line(&r, out);
		ok = record_next(st, &r);
	}
	if (ok && !json)
		write_moment(st, "close", "SELECT max(last_ns) FROM source", out);
	record_close(&r);
	return ok && (!ferror(out) || store_fail(st, "cannot write: %s", strerror(errno)));
}

/* CSV (RFC 4180), one table of the case: addresses, MACs and hashes readable, times as everywhere. What a spreadsheet
 * would take for a formula has an apostrophe before it, what drives a terminal is \xNN. */
#include "report/emit.h"

#include "capture/packet.h"
#include "report/emit_words.h"
#include "report/store_sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void write_quoted(FILE *out, const char *text)
{
	char *part = NULL;
	const char *quote;

	putc_unlocked('"', out);
	if (strchr("=+-@\t\r", text[0]) != NULL && text[0] != '\0')
		putc_unlocked('\'', out);
	while ((quote = strchr(text, '"')) != NULL) {
		part = sqlite3_mprintf("%.*s", (int)(quote - text), text);
		emit_clean(out, part != NULL ? part : "");
		sqlite3_free(part);
		fputs("\"\"", out);
		text = quote + 1;
	}
	emit_clean(out, text);
	putc_unlocked('"', out);
}

static void write_blob(FILE *out, const uint8_t *bytes, int size)
{
	char text[HOST_TEXT_SIZE];

	if (size == 16) {
		host_text(bytes, text);
		fputs(text, out);
		return;
	}
	for (int i = 0; i < size; i++)
		fprintf(out, "%s%02x", size == 6 && i > 0 ? ":" : "", bytes[i]);
}

static void write_cell(FILE *out, sqlite3_stmt *q, int at, bool time)
{
	char text[EMIT_TIME_SIZE];

	switch (sqlite3_column_type(q, at)) {
	case SQLITE_NULL:
		break;
	case SQLITE_BLOB:
		write_blob(out, sqlite3_column_blob(q, at), sqlite3_column_bytes(q, at));
		break;
	case SQLITE_TEXT:
		write_quoted(out, (const char *)sqlite3_column_text(q, at));
		break;
	default:
		emit_time(sqlite3_column_int64(q, at), text);
		fputs(time ? text : (const char *)sqlite3_column_text(q, at), out);
	}
}

/* A column that ends in _ns is a time, and written without that; but what lies between two is not. */
static bool is_time(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && strcmp(name + n - 3, "_ns") == 0 && strcmp(name, "watched_ns") != 0;
}

static bool write_table(struct store *st, sqlite3_stmt *q, FILE *out)
{
	int count = sqlite3_column_count(q), rc;

	for (int i = 0; i < count; i++) {
		const char *name = sqlite3_column_name(q, i);
		int cut = is_time(name) ? 3 : 0;

		fprintf(out, "%s%.*s", i > 0 ? "," : "", (int)strlen(name) - cut, name);
	}
	fputs("\r\n", out);
	while ((rc = store_step(st, q)) == SQLITE_ROW) {
		for (int i = 0; i < count; i++) {
			if (i > 0)
				putc_unlocked(',', out);
			write_cell(out, q, i, is_time(sqlite3_column_name(q, i)));
		}
		fputs("\r\n", out);
	}
	return rc == SQLITE_DONE;
}

bool emit_csv(struct store *st, const char *table, FILE *out)
{
	char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
	sqlite3_stmt *q = sql != NULL ? store_prepare(st, sql) : NULL;
	bool ok = q != NULL && write_table(st, q, out);

	sqlite3_finalize(q);
	sqlite3_free(sql);
	return ok && (!ferror(out) || store_fail(st, "cannot write: %s", strerror(errno)));
}

#include "report/export_part.h"

#include "capture/base.h"
#include "report/emit.h"
#include "report/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

int export_file(const struct exporting *x, export_writer *write, const void *part, const char *path)
{
	bool named = path != NULL && strcmp(path, "-") != 0;
	FILE *out = named ? fopen(path, "w") : stdout;

	if (out == NULL)
		return export_fail(x, EX_CANTCREAT, "%s: %s", path, strerror(errno));

	bool ok = write(x, part, out);
	int status = ok ? EX_OK : export_fail(x, ferror(out) ? EX_IOERR : EX_SOFTWARE, "%s", store_error(x->st));

	if ((named ? fclose(out) : fflush(out)) != 0 && ok)
		status = export_fail(x, EX_IOERR, "%s: %s", named ? path : "standard output", strerror(errno));
	return status;
}

/* Formats of many files: each is one part of the case. */
struct part {
	const char *name;
	const void *what;
};

struct parts {
	struct part *of;
	unsigned count;
};

static void add_part(struct parts *parts, const char *name, const void *what)
{
	parts->of = base_realloc(parts->of, (parts->count + 1) * sizeof(parts->of[0]));
	parts->of[parts->count++] = (struct part){ .name = name, .what = what };
}

static int no_such_part(const struct exporting *x, const struct parts *parts)
{
	size_t n;

	snprintf(x->error, x->error_size, "--table %s is none of:", x->settings->table);
	for (unsigned i = 0; i < parts->count; i++) {
		n = strlen(x->error);
		snprintf(x->error + n, x->error_size - n, " %s", parts->of[i].name);
	}
	return EX_USAGE;
}

/* One that is asked for to a file, or all to a directory. */
static int write_parts(const struct exporting *x, const struct parts *parts, export_writer *write, const char *suffix)
{
	const struct export_settings *s = x->settings;
	char path[4096];
	int status = EX_OK;

	for (unsigned i = 0; s->table != NULL && i < parts->count; i++)
		if (strcmp(parts->of[i].name, s->table) == 0)
			return export_file(x, write, parts->of[i].what, s->to);
	if (s->table != NULL)
		return no_such_part(x, parts);
	if (s->to == NULL || strcmp(s->to, "-") == 0)
		return export_fail(x, EX_USAGE, "%s is many files: give a directory with -o, or one of them with --table",
				   s->format);
	if (mkdir(s->to, 0777) != 0 && errno != EEXIST)
		return export_fail(x, EX_CANTCREAT, "%s: %s", s->to, strerror(errno));
	for (unsigned i = 0; i < parts->count && status == EX_OK; i++) {
		if (snprintf(path, sizeof(path), "%s/%s%s", s->to, parts->of[i].name, suffix) >= (int)sizeof(path))
			return export_fail(x, EX_CANTCREAT, "%s: %s", s->to, strerror(ENAMETOOLONG));
		status = export_file(x, write, parts->of[i].what, path);
	}
	return status;
}

static bool write_log(const struct exporting *x, const void *part, FILE *out)
{
	return emit_zeek(x->st, part, x->settings->json, out);
}

static int zeek_write(const struct exporting *x)
{
	struct parts parts = { 0 };
	int status;

	for (const struct sql_query *query = sql_records; query->name != NULL; query++)
		if (record_name(query, "zeek") != NULL)
			add_part(&parts, record_name(query, "zeek"), query);
	status = write_parts(x, &parts, write_log, ".log");
	free(parts.of);
	return status;
}

static bool write_table(const struct exporting *x, const void *part, FILE *out)
{
	return emit_csv(x->st, part, out);
}

static int csv_write(const struct exporting *x)
{
	sqlite3_stmt *q = store_prepare(x->st, "SELECT name FROM sqlite_schema WHERE type = 'table'"
					" AND name NOT GLOB 'sqlite_*' ORDER BY name");
	struct parts parts = { 0 };
	int rc = SQLITE_ERROR, status;

	while (q != NULL && (rc = store_step(x->st, q)) == SQLITE_ROW) {
		char *name = base_strdup((const char *)sqlite3_column_text(q, 0));

		add_part(&parts, name, name);
	}
	sqlite3_finalize(q);
	status = rc == SQLITE_DONE ? write_parts(x, &parts, write_table, ".csv") :
				     export_fail(x, EX_SOFTWARE, "%s", store_error(x->st));
	for (unsigned i = 0; i < parts.count; i++)
		free((char *)parts.of[i].name);
	free(parts.of);
	return status;
}

static bool write_events(const struct exporting *x, const void *part, FILE *out)
{
	(void)part;
	return emit_eve(x->st, out);
}

static int eve_write(const struct exporting *x)
{
	return export_file(x, write_events, NULL, x->settings->to);
}

static const struct format {
	const char *name;
	bool (*check)(const struct export_settings *settings, char *error, size_t error_size);	/* or NULL */
	int (*write)(const struct exporting *x);
} formats[] = {
	{ "csv", NULL, csv_write },
	{ "eve", NULL, eve_write },
	{ "tlsrpt", export_tlsrpt_check, export_tlsrpt },
	{ "zeek", NULL, zeek_write },
};

static const struct format *format_of(const char *name)
{
	for (unsigned i = 0; name != NULL && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

bool export_check(const struct export_settings *settings, char *error, size_t error_size)
{
	const struct format *format = format_of(settings->format);
	size_t n;

	if (format != NULL)
		return format->check == NULL || format->check(settings, error, error_size);
	snprintf(error, error_size, "--format wants one of:");
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		n = strlen(error);
		snprintf(error + n, error_size - n, " %s", formats[i].name);
	}
	return false;
}

int export_case(struct store *st, const struct export_settings *settings, char *error, size_t error_size)
{
	struct exporting x = { .st = st, .settings = settings, .error = error, .error_size = error_size };

	return format_of(settings->format)->write(&x);
}

#include "report/emit.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "report/emit_words.h"
#include "report/store_sql.h"

#include <errno.h>
#include <string.h>

#define FRAMES_SHOWN 8		/* of one finding and source; the JSON has all */
#define NOT_JUDGED_SHOWN 8
#define DESTINATIONS_SHOWN 40	/* of one client; the JSON has all */
#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN 40

struct text_report {
	struct store *st;
	const struct emit_settings *settings;
	FILE *out;
	unsigned columns;
	bool all_traffic;	/* the scope */
};

static const char *text_at(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text != NULL ? text : "";
}

typedef void each_row(struct text_report *r, sqlite3_stmt *q);

static bool each(struct text_report *r, const char *sql, int64_t id, each_row *show)
{
	sqlite3_stmt *q = store_kept(r->st, sql);
	int rc = SQLITE_ERROR;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, id);
		while ((rc = store_step(r->st, q)) == SQLITE_ROW)
			show(r, q);
	}
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

static void spaces(struct text_report *r, unsigned count)
{
	fprintf(r->out, "%*s", (int)count, "");
}

static void wrap(struct text_report *r, unsigned at, unsigned indent, const char *text)
{
	emit_wrap(r->out, text, at, indent, r->columns);
}

/* Cut where it does not fit, filled up where it does. */
static void cell(struct text_report *r, const char *text, unsigned width)
{
	char part[256];
	unsigned columns = emit_clean(NULL, text);
	size_t n = strlen(text);

	base_copy(part, sizeof(part), text);
	if (n >= sizeof(part))
		n = sizeof(part) - 1;
	while (n > 0 && (columns = emit_clean(NULL, part)) > width)
		part[--n] = '\0';
	emit_clean(r->out, part);
	if (columns < width)
		spaces(r, width - columns);
}

static void coloured(struct text_report *r, const char *verdict)
{
	const char *on = strcmp(verdict, "leak") == 0 ? "\033[1;31m" :
			 strcmp(verdict, "clean") == 0 ? "\033[1;32m" : "\033[1;33m";

	fprintf(r->out, "%s%s%s", r->settings->color ? on : "", verdict, r->settings->color ? "\033[0m" : "");
}

static void because(struct text_report *r, sqlite3_stmt *q)
{
	fputs("  - ", r->out);
	wrap(r, 4, 4, text_at(q, 0));
}

static void transport(struct text_report *r, sqlite3_stmt *q)
{
	if (sqlite3_column_type(q, 0) == SQLITE_NULL)
		return;
	fputs("  transport: ", r->out);
	wrap(r, 13, 4, text_at(q, 0));
}

static void coverage(struct text_report *r, sqlite3_stmt *q)
{
	fputs("  coverage: ", r->out);
	wrap(r, 12, 4, text_at(q, 0));
}

static void provider(struct text_report *r, sqlite3_stmt *q)
{
	fputs("  mail provider: ", r->out);
	emit_clean(r->out, text_at(q, 0));
	fprintf(r->out, " (%s)\n", text_at(q, 1));
}

static void destination(struct text_report *r, sqlite3_stmt *q)
{
	fputs("  ", r->out);
	cell(r, text_at(q, 0), 24);
	fprintf(r->out, " %-13s", text_at(q, 1));
	fprintf(r->out, "%11lld %11lld %6lld %s", (long long)sqlite3_column_int64(q, 2),
		(long long)sqlite3_column_int64(q, 3), (long long)sqlite3_column_int64(q, 4), text_at(q, 5));
	putc_unlocked('\n', r->out);
}

static bool destinations(struct text_report *r, int64_t client)
{
	sqlite3_stmt *q = store_kept(r->st,
		"SELECT iif(service <> '', service, owner), role, bytes_up, bytes_down, flows, named_by"
		" FROM destination WHERE client = ?1"
		" ORDER BY bytes_up DESC, owner, service, role, named_by, strength");
	int rc = SQLITE_ERROR;
	unsigned count = 0;

	if (q != NULL)
		sqlite3_bind_int64(q, 1, client);
	while (q != NULL && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		if (count++ == 0)
			fprintf(r->out, "  %-24s %-13s%11s %11s %6s %s\n", "destination", "role", "bytes up",
				"bytes down", "flows", "named");
		if (count <= DESTINATIONS_SHOWN)
			destination(r, q);
	}
	if (count > DESTINATIONS_SHOWN)
		fprintf(r->out, "  and %u more that were sent less\n", count - DESTINATIONS_SHOWN);
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

/* "file: frames 12, 15" and how to see them, for each source. */
static bool frames(struct text_report *r, int64_t finding)
{
	sqlite3_stmt *q = store_kept(r->st,
		"SELECT e.frame, coalesce(s.path, '') FROM evidence AS e"
		" LEFT JOIN source AS s ON s.number = e.frame >> 40 WHERE e.finding = ?1 ORDER BY e.frame");
	int rc = SQLITE_ERROR;
	int64_t source = -1;
	unsigned count = 0;

	if (q != NULL)
		sqlite3_bind_int64(q, 1, finding);
	while (q != NULL && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		int64_t frame = sqlite3_column_int64(q, 0);

		if (frame >> FRAME_BITS != source) {
			fprintf(r->out, "%s    check in ", source >= 0 ? "}\n" : "");
			source = frame >> FRAME_BITS;
			count = 0;
			emit_clean(r->out, text_at(q, 1));
			fputs(": frame.number in {", r->out);
		}
		if (count++ < FRAMES_SHOWN)
			fprintf(r->out, "%s%lld", count > 1 ? ", " : "",
				(long long)(frame & ((1LL << FRAME_BITS) - 1)));
	}
	if (source >= 0)
		fputs("}\n", r->out);
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

static bool findings(struct text_report *r)
{
	sqlite3_stmt *q = store_prepare(r->st,
		"SELECT id, kind, class, strength, sentence, refuted_by FROM finding ORDER BY id");
	int rc = SQLITE_ERROR;
	bool ok = q != NULL, first = true;

	while (ok && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(q, 0);

		fprintf(r->out, "%s  %lld %s (%s, %s)\n", first ? "Findings\n" : "", (long long)id, text_at(q, 1),
			text_at(q, 2), text_at(q, 3));
		first = false;
		spaces(r, 4);
		wrap(r, 4, 4, text_at(q, 4));
		fputs("    refuted by: ", r->out);
		wrap(r, 16, 4, text_at(q, 5));
		ok = frames(r, id);
	}
	if (!first)
		putc_unlocked('\n', r->out);
	sqlite3_finalize(q);
	return ok && rc == SQLITE_DONE;
}

static void account(struct text_report *r, sqlite3_stmt *q)
{
	char line[256];

	fputs("  account ", r->out);
	unsigned at = emit_clean(r->out, text_at(q, 0)) + (unsigned)strlen(text_at(q, 1)) + 14;

	fputs(": ", r->out);
	coloured(r, text_at(q, 1));
	fputs(": ", r->out);
	snprintf(line, sizeof(line), "%s; %s.%s", emit_third_party_words(text_at(q, 2), r->all_traffic),
		 emit_path_words(text_at(q, 3)), sqlite3_column_int(q, 4) ? "" :
		 " What was found names no account: it concerns all of them.");
	wrap(r, at, 4, line);
}

/* One sentence, then why, then where it sent what. */
static bool client(struct text_report *r, sqlite3_stmt *q)
{
	int64_t id = sqlite3_column_int64(q, 0);
	char line[160];
	unsigned at = (unsigned)(strlen(text_at(q, 1)) + strlen(text_at(q, 3)) + 4);

	fputs(text_at(q, 1), r->out);
	if (text_at(q, 6)[0] != '\0') {
		fputs(" at ", r->out);
		at += emit_clean(r->out, text_at(q, 6)) + 4;
	}
	if (!r->settings->numeric && text_at(q, 2)[0] != '\0') {
		fputs(" (", r->out);
		at += emit_clean(r->out, text_at(q, 2)) + 3;
		putc_unlocked(')', r->out);
	}
	fputs(": ", r->out);
	coloured(r, text_at(q, 3));
	fputs(": ", r->out);
	snprintf(line, sizeof(line), "%s; %s.", emit_third_party_words(text_at(q, 4), r->all_traffic),
		 emit_path_words(text_at(q, 5)));
	wrap(r, at, 2, line);
	if (r->settings->quiet)
		return true;
	bool ok = each(r, "SELECT sentence FROM because WHERE client = ?1 ORDER BY place", id, because) &&
		  each(r, "SELECT account, verdict, third_party, path, named FROM account_words WHERE client = ?1 AND 1 <"
		       " (SELECT count(*) FROM account_verdict WHERE client = ?1) ORDER BY account", id, account) &&
		  each(r, "SELECT words FROM coverage_words WHERE client = ?1", id, coverage) &&
		  each(r, "SELECT group_concat(sessions || ' ' || words, ', ') FROM (SELECT s.sessions, w.words"
		       " FROM client_state AS s JOIN state_word AS w ON w.state = s.state WHERE s.client = ?1"
		       " ORDER BY w.place)", id, transport) &&
		  each(r, "SELECT owner, how FROM client_provider WHERE client = ?1 ORDER BY owner", id,
		       provider) &&
		  destinations(r, id);

	putc_unlocked('\n', r->out);
	return ok;
}

static bool clients(struct text_report *r)
{
	int64_t all_traffic = store_number(r->st, "SELECT coalesce((SELECT scope = '" RUN_ALL_TRAFFIC "'"
					   " FROM run ORDER BY id LIMIT 1), 0)", -1);
	sqlite3_stmt *q = store_prepare(r->st,
		"SELECT id, host(address), name, verdict, third_party, path,"
		" iif((SELECT count(DISTINCT vantage) FROM source) > 1, vantage, '') FROM client WHERE judged ORDER BY id");
	int rc = SQLITE_ERROR;
	bool ok = q != NULL && all_traffic >= 0;

	r->all_traffic = all_traffic != 0;
	while (ok && (rc = store_step(r->st, q)) == SQLITE_ROW)
		ok = client(r, q);
	sqlite3_finalize(q);
	return ok && rc == SQLITE_DONE;
}

static void whole(struct text_report *r, sqlite3_stmt *q)
{
	coloured(r, "cannot-say");
	fputs(": ", r->out);
	wrap(r, 12, 2, text_at(q, 0));
}

static void loss(struct text_report *r, sqlite3_stmt *q)
{
	fputs("Not seen: ", r->out);
	fputs(text_at(q, 0), r->out);
	if (sqlite3_column_int64(q, 1) > 0)
		fprintf(r->out, ", %lld packets", (long long)sqlite3_column_int64(q, 1));
	if (sqlite3_column_int64(q, 2) > 0)
		fprintf(r->out, ", %lld bytes", (long long)sqlite3_column_int64(q, 2));
	fprintf(r->out, " (%s)\n", text_at(q, 3));
}

static void source(struct text_report *r, sqlite3_stmt *q)
{
	char from[EMIT_TIME_SIZE], to[EMIT_TIME_SIZE];

	emit_time(sqlite3_column_int64(q, 3), from);
	emit_time(sqlite3_column_int64(q, 4), to);
	fputs("Source: ", r->out);
	emit_clean(r->out, text_at(q, 0));
	if (text_at(q, 8)[0] != '\0') {
		fputs(" at ", r->out);
		emit_clean(r->out, text_at(q, 8));
	}
	fprintf(r->out, ", %lld packets, %s", (long long)sqlite3_column_int64(q, 2), text_at(q, 5));
	if (text_at(q, 6)[0] != '\0') {
		fprintf(r->out, " at byte %lld: ", (long long)sqlite3_column_int64(q, 7));
		emit_clean(r->out, text_at(q, 6));
	}
	putc_unlocked('\n', r->out);
	if (from[0] != '\0')
		fprintf(r->out, "  from %s to %s\n", from, to);
	if (text_at(q, 1)[0] != '\0')
		fprintf(r->out, "  sha256 %s\n", text_at(q, 1));
}

static void text_line(struct text_report *r, sqlite3_stmt *q)
{
	wrap(r, 0, 2, text_at(q, 0));
}

static bool not_judged(struct text_report *r)
{
	sqlite3_stmt *q = store_prepare(r->st, "SELECT host(address) FROM client WHERE NOT judged ORDER BY address");
	int rc = SQLITE_ERROR;
	unsigned count = 0;
	char line[64 + NOT_JUDGED_SHOWN * (HOST_TEXT_SIZE + 2)] = "Not judged, no mail contact:";

	while (q != NULL && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		size_t n = strlen(line);

		if (count++ < NOT_JUDGED_SHOWN)
			snprintf(line + n, sizeof(line) - n, "%s %s", count == 1 ? "" : ",", text_at(q, 0));
	}
	if (count > NOT_JUDGED_SHOWN)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " and %u more", count - NOT_JUDGED_SHOWN);
	if (count > 0)
		wrap(r, 0, 2, line);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

bool emit_text(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct text_report r = { .st = st, .settings = settings, .out = out, .columns = settings->columns };
	bool ok;

	if (r.columns == 0)
		r.columns = COLUMNS_DEFAULT;
	if (r.columns < COLUMNS_MIN)
		r.columns = COLUMNS_MIN;
	ok = each(&r, "SELECT sentence FROM because WHERE client = 0 AND ?1 = 0 ORDER BY place", 0, whole) &&
	     clients(&r);
	if (ok && !settings->quiet)
		ok = findings(&r) &&
		     each(&r, "SELECT l.reason, l.packets, l.bytes, coalesce((SELECT host(address) FROM client AS c"
			  " WHERE c.id = l.client), 'everyone') FROM client_loss AS l WHERE ?1 = 0"
			  " ORDER BY l.client, l.reason", 0, loss) &&
		     each(&r, "SELECT words FROM watch_gap WHERE ?1 = 0 ORDER BY run", 0, text_line) &&
		     not_judged(&r) &&
		     each(&r, "SELECT words FROM command_words WHERE ?1 = 0 ORDER BY run", 0, text_line) &&
		     each(&r, "SELECT path, sha256, packets, first_ns, last_ns, end, why, at_byte, vantage FROM source"
			  " WHERE ?1 = 0 ORDER BY number", 0, source) &&
		     each(&r, "SELECT DISTINCT attribution FROM run WHERE attribution <> '' AND ?1 = 0 ORDER BY 1",
			  0, text_line);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

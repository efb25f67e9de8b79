#include "report/news.h"

#include "report/emit_words.h"
#include "report/store_sql.h"

#include <errno.h>
#include <string.h>

struct news {
	struct store *st;
	const struct news_settings *settings;
	FILE *out;
};

static const char told_sql[] =
	"CREATE TEMP TABLE IF NOT EXISTS told_verdict (client TEXT PRIMARY KEY, third_party TEXT, path TEXT);"
	"CREATE TEMP TABLE IF NOT EXISTS told_finding (key TEXT PRIMARY KEY, last_ns INTEGER, kind TEXT, class TEXT,"
	" strength TEXT, client TEXT, owner TEXT, account TEXT, sentence TEXT)";

enum verdict_column { V_TIME, V_CLIENT, V_VERDICT, V_THIRD_PARTY, V_PATH, V_ALL_TRAFFIC };
static const char verdicts_sql[] =
	"SELECT c.last_ns, host(c.address), c.verdict, c.third_party, c.path,"
	" (SELECT scope = '" RUN_ALL_TRAFFIC "' FROM run ORDER BY id LIMIT 1) FROM client AS c"
	" WHERE c.judged AND NOT EXISTS (SELECT 1 FROM temp.told_verdict AS t WHERE t.client = host(c.address)"
	"  AND t.third_party = c.third_party AND t.path = c.path) ORDER BY c.id";

enum finding_column { F_TIME, F_KIND, F_CLASS, F_STRENGTH, F_CLIENT, F_OWNER, F_ACCOUNT, F_SENTENCE };
#define FINDING "f.last_ns, f.kind, f.class, f.strength, (SELECT host(address) FROM client WHERE id = f.client)," \
	" f.owner, f.account, f.sentence FROM finding AS f"
static const char new_sql[] =
	"SELECT " FINDING " WHERE NOT EXISTS (SELECT 1 FROM temp.told_finding AS t WHERE t.key = f.key"
	" AND t.strength = f.strength) ORDER BY f.id";
static const char withdrawn_sql[] =
	"SELECT last_ns, kind, class, strength, client, owner, account, sentence FROM temp.told_finding"
	" WHERE key NOT IN (SELECT key FROM finding) ORDER BY key";

static const char remember_sql[] =
	"INSERT OR REPLACE INTO temp.told_verdict SELECT host(address), third_party, path FROM client WHERE judged;"
	"DELETE FROM temp.told_finding; INSERT INTO temp.told_finding SELECT f.key, " FINDING;

static const char *text(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

static const char *colour_of(const struct news *n, const char *verdict)
{
	if (!n->settings->color)
		return "";
	return strcmp(verdict, "leak") == 0 ? "\033[1;31m" : strcmp(verdict, "clean") == 0 ? "\033[1;32m" : "\033[1;33m";
}

static struct emit_json_writer begin_json(struct news *n, const char *event, int64_t ns)
{
	struct emit_json_writer w = { .out = n->out };

	emit_json_open(&w, NULL, '{');
	emit_json_time(&w, "timestamp", ns);
	emit_json_string(&w, "event_type", event);
	return w;
}

static void end_json(struct emit_json_writer *w)
{
	emit_json_close(w, '}');
	fputc('\n', w->out);
}

static void begin_line(struct news *n, int64_t ns)
{
	char time[EMIT_TIME_SIZE];

	emit_time(ns, time);
	fprintf(n->out, "%s ", time[0] != '\0' ? time : "-");
}

static void verdict(struct news *n, sqlite3_stmt *q)
{
	if (n->settings->json) {
		struct emit_json_writer w = begin_json(n, "verdict", sqlite3_column_int64(q, V_TIME));

		emit_json_string(&w, "client", text(q, V_CLIENT));
		emit_json_string(&w, "verdict", text(q, V_VERDICT));
		emit_json_string(&w, "third_party", text(q, V_THIRD_PARTY));
		emit_json_string(&w, "path", text(q, V_PATH));
		end_json(&w);
		return;
	}
	begin_line(n, sqlite3_column_int64(q, V_TIME));
	fprintf(n->out, "%s: %s%s%s: %s; %s.\n", text(q, V_CLIENT), colour_of(n, text(q, V_VERDICT)),
		text(q, V_VERDICT), n->settings->color ? "\033[0m" : "",
		emit_third_party_words(text(q, V_THIRD_PARTY), sqlite3_column_int(q, V_ALL_TRAFFIC) != 0),
		emit_path_words(text(q, V_PATH)));
}

static void finding(struct news *n, sqlite3_stmt *q, bool withdrawn)
{
	if (n->settings->json) {
		struct emit_json_writer w = begin_json(n, withdrawn ? "finding_withdrawn" : "finding",
						       sqlite3_column_int64(q, F_TIME));

		emit_json_string(&w, "kind", text(q, F_KIND));
		emit_json_string(&w, "class", text(q, F_CLASS));
		emit_json_string(&w, "strength", text(q, F_STRENGTH));
		emit_json_string(&w, "client", text(q, F_CLIENT));
		emit_json_string(&w, "owner", text(q, F_OWNER));
		emit_json_string(&w, "account", text(q, F_ACCOUNT));
		emit_json_string(&w, "sentence", text(q, F_SENTENCE));
		end_json(&w);
		return;
	}
	begin_line(n, sqlite3_column_int64(q, F_TIME));
	fprintf(n->out, "%s%s (%s, %s): ", withdrawn ? "withdrawn: " : "", text(q, F_KIND), text(q, F_CLASS),
		text(q, F_STRENGTH));
	emit_clean(n->out, text(q, F_SENTENCE));
	fputc('\n', n->out);
}

static void new_finding(struct news *n, sqlite3_stmt *q)
{
	finding(n, q, false);
}

static void withdrawn_finding(struct news *n, sqlite3_stmt *q)
{
	finding(n, q, true);
}

static bool each(struct news *n, const char *sql, void (*show)(struct news *n, sqlite3_stmt *q))
{
	sqlite3_stmt *q = store_kept(n->st, sql);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(n->st, q)) == SQLITE_ROW)
		show(n, q);
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

bool news_tell(struct store *st, const struct news_settings *settings, FILE *out)
{
	struct news n = { .st = st, .settings = settings, .out = out };
	bool ok = store_exec(st, told_sql) && each(&n, verdicts_sql, verdict) &&
		  (settings->quiet || (each(&n, new_sql, new_finding) && each(&n, withdrawn_sql, withdrawn_finding))) &&
		  store_exec(st, remember_sql);

	if (ok && (fflush(out) != 0 || ferror(out)))
		return store_fail(st, "cannot write: %s", strerror(errno));
	return ok;
}

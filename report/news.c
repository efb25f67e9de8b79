#include "report/news.h"

#include "capture/base.h"
#include "report/emit_text.h"
#include "report/emit_words.h"
#include "report/store_sql.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* The columns of both queries: what it is known by, whatever is another when it is told again, and what is told. */
enum column { KEY, STATE, TIME, TOLD };
enum verdict_column { V_CLIENT = TOLD, V_VERDICT, V_THIRD_PARTY, V_PATH, V_ALL_TRAFFIC };
static const char verdicts_sql[] =
	"SELECT host(c.address), c.third_party || ' ' || c.path, c.last_ns, host(c.address), c.verdict, c.third_party,"
	" c.path, (SELECT scope = '" RUN_ALL_TRAFFIC "' FROM run ORDER BY id LIMIT 1) FROM client AS c"
	" WHERE c.judged ORDER BY c.id";

enum finding_column { F_KIND = TOLD, F_CLASS, F_STRENGTH, F_CLIENT, F_OWNER, F_ACCOUNT, F_SENTENCE, F_ID, F_FIRST, COLUMNS };
static const char findings_sql[] =
	"SELECT f.key, f.strength, f.last_ns, f.kind, f.class, f.strength,"
	" (SELECT host(address) FROM client WHERE id = f.client), f.owner, f.account, f.sentence, f.id, f.first_ns"
	" FROM finding AS f ORDER BY f.id";

/* A verdict or a finding as it was told last. */
struct told {
	char *texts[COLUMNS];		/* NULL where there is none */
	int64_t time_ns;
	unsigned round;			/* of news_tell that last had it */
};

struct news {
	struct news_settings settings;
	void *verdicts, *findings;	/* trees of struct told, by key (tsearch(3)) */
	unsigned round;
	FILE *out;
	struct lines l;			/* to it */
	struct store *st;
	bool ok;			/* all that it was asked for came */
	int64_t deleted_ns;		/* older facts were deleted */
};

struct gone {
	unsigned round;			/* the last */
	struct told *first;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct told *)a)->texts[KEY], ((const struct told *)b)->texts[KEY]);
}

static void told_free(void *node)
{
	struct told *t = node;

	for (int i = 0; i < COLUMNS; i++)
		free(t->texts[i]);
	free(t);
}

struct news *news_new(const struct news_settings *settings)
{
	struct news *n = base_alloc(sizeof(*n));

	n->settings = *settings;
	n->l = emit_text_lines(&(struct emit_settings){ .color = settings->color, .columns = settings->columns },
			       LINES_ENDLESS, NULL);
	return n;
}

void news_free(struct news **n)
{
	if (*n == NULL)
		return;
	tdestroy((*n)->verdicts, told_free);
	tdestroy((*n)->findings, told_free);
	lines_free(&(*n)->l);
	free(*n);
	*n = NULL;
}

static const char *text(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

static void remember(struct news *n, struct told *t, sqlite3_stmt *q)
{
	for (int i = 0; i < sqlite3_column_count(q) && i < COLUMNS; i++) {
		free(t->texts[i]);
		t->texts[i] = text(q, i) != NULL ? base_strdup(text(q, i)) : NULL;
	}
	t->time_ns = sqlite3_column_int64(q, TIME);
	t->round = n->round;
}

/* The row, if it is new or another than it was when it was told; else NULL. */
static const struct told *news_of(struct news *n, void **tree, sqlite3_stmt *q)
{
	struct told *fresh = base_alloc(sizeof(*fresh)), *t;
	bool changed;

	fresh->texts[KEY] = base_strdup(text(q, KEY));
	t = *(struct told **)tsearch(fresh, tree, by_key);
	changed = t == fresh || strcmp(t->texts[STATE], text(q, STATE)) != 0;
	if (t != fresh)
		told_free(fresh);
	remember(n, t, q);
	return changed ? t : NULL;
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

	emit_time(ns - ns % BASE_NS_PER_S, time);
	if (time[0] != '\0')
		memcpy(strchr(time, '.'), "Z", 2);
	lines_indent(&n->l, 0, 2);
	lines_printf(&n->l, "%s ", time[0] != '\0' ? time : "-");
}

static void verdict(struct news *n, const struct told *t)
{
	if (n->settings.json) {
		struct emit_json_writer w = begin_json(n, "verdict", t->time_ns);

		emit_json_string(&w, "client", t->texts[V_CLIENT]);
		emit_json_string(&w, "verdict", t->texts[V_VERDICT]);
		emit_json_string(&w, "third_party", t->texts[V_THIRD_PARTY]);
		emit_json_string(&w, "path", t->texts[V_PATH]);
		end_json(&w);
		return;
	}
	begin_line(n, t->time_ns);
	lines_printf(&n->l, "%s: ", t->texts[V_CLIENT]);
	lines_look(&n->l, lines_look_of(t->texts[V_VERDICT]), t->texts[V_VERDICT]);
	lines_printf(&n->l, ": %s; %s.",
		     emit_third_party_words(t->texts[V_THIRD_PARTY], strcmp(t->texts[V_ALL_TRAFFIC], "1") == 0),
		     emit_path_words(t->texts[V_PATH]));
	lines_end(&n->l);
}

static void finding(struct news *n, const struct told *t, bool withdrawn)
{
	if (n->settings.json) {
		struct emit_json_writer w = begin_json(n, withdrawn ? "finding_withdrawn" : "finding", t->time_ns);

		emit_json_string(&w, "kind", t->texts[F_KIND]);
		emit_json_string(&w, "class", t->texts[F_CLASS]);
		emit_json_string(&w, "strength", t->texts[F_STRENGTH]);
		emit_json_string(&w, "client", t->texts[F_CLIENT]);
		emit_json_string(&w, "owner", t->texts[F_OWNER]);
		emit_json_string(&w, "account", t->texts[F_ACCOUNT]);
		emit_json_string(&w, "sentence", t->texts[F_SENTENCE]);
		end_json(&w);
		return;
	}
	begin_line(n, t->time_ns);
	lines_printf(&n->l, "%s%s (%s, %s): ", withdrawn ? "withdrawn: " : "", t->texts[F_KIND], t->texts[F_CLASS],
		     t->texts[F_STRENGTH]);
	lines_text(&n->l, t->texts[F_SENTENCE]);
	lines_end(&n->l);
}

static void tell_finding(struct news *n, const struct told *t, bool withdrawn)
{
	notify_tell(n->settings.notify, &(struct notify_news){
		.event = withdrawn ? "finding_withdrawn" : "finding", .key = t->texts[KEY], .kind = t->texts[F_KIND],
		.class = t->texts[F_CLASS], .strength = t->texts[F_STRENGTH], .client = t->texts[F_CLIENT],
		.owner = t->texts[F_OWNER], .account = t->texts[F_ACCOUNT], .sentence = t->texts[F_SENTENCE],
		.time_ns = t->time_ns });
	if (!n->settings.quiet)
		finding(n, t, withdrawn);
}

static void new_finding(struct news *n, const struct told *t)
{
	tell_finding(n, t, false);
	if (n->settings.eve != NULL)
		n->ok = eve_alert(n->settings.eve, n->st, strtoll(t->texts[F_ID], NULL, 10)) && n->ok;
}

/* What went with its oldest facts was not refuted. */
static void withdrawn_finding(struct news *n, const struct told *t)
{
	if (strtoll(t->texts[F_FIRST], NULL, 10) >= n->deleted_ns)
		tell_finding(n, t, true);
}

/* All of it was deleted from the case: there is nothing to say. */
static void gone_client(struct news *n, const struct told *t)
{
	(void)n;
	(void)t;
}

static bool each(struct news *n, struct store *st, const char *sql, void **tree,
		 void (*show)(struct news *n, const struct told *t))
{
	sqlite3_stmt *q = store_kept(st, sql);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(st, q)) == SQLITE_ROW) {
		const struct told *t = news_of(n, tree, q);

		if (t != NULL)
			show(n, t);
	}
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

/* The first of what the case no longer has. */
static void find_gone(const void *node, VISIT visit, void *found)
{
	struct told *t = *(struct told *const *)node;
	struct gone *g = found;

	if ((visit == postorder || visit == leaf) && t->round != g->round && g->first == NULL)
		g->first = t;
}

static void forget_gone(struct news *n, void **tree, void (*show)(struct news *n, const struct told *t))
{
	struct gone g = { .round = n->round };

	for (;;) {
		g.first = NULL;
		twalk_r(*tree, find_gone, &g);
		if (g.first == NULL)
			return;
		show(n, g.first);
		tdelete(g.first, tree, by_key);
		told_free(g.first);
	}
}

bool news_tell(struct news *n, struct store *st, FILE *out)
{
	n->out = n->l.out = out;
	n->st = st;
	n->ok = true;
	n->round++;
	n->deleted_ns = store_number(st, "SELECT max(before_ns) FROM deleted", 0);
	if (!each(n, st, verdicts_sql, &n->verdicts, verdict) || !each(n, st, findings_sql, &n->findings, new_finding) || !n->ok)
		return false;
	forget_gone(n, &n->verdicts, gone_client);
	forget_gone(n, &n->findings, withdrawn_finding);
	if (fflush(out) != 0 || ferror(out))
		return store_fail(st, "cannot write: %s", strerror(errno));
	return true;
}

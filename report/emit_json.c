#include "report/emit.h"

#include "capture/packet.h"
#include "report/emit_process.h"
#include "report/emit_words.h"
#include "report/view.h"

#include <errno.h>
#include <string.h>

struct json_report {
	struct store *st;
	const struct emit_settings *settings;
	struct emit_json_writer w;
};

static const char *text_at(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

typedef void each_row(struct json_report *r, sqlite3_stmt *q);

/* Writes the array `key` with what `each` writes for each row. */
static bool rows(struct json_report *r, const char *key, struct view v, each_row *each)
{
	emit_json_open(&r->w, key, '[');
	while (view_row(&v))
		each(r, v.q);
	emit_json_close(&r->w, ']');
	return view_end(&v);
}

/* ?1 is bound to id; sql is a literal. */
static bool array(struct json_report *r, const char *key, const char *sql, int64_t id, each_row *each)
{
	return rows(r, key, view_ask(r->st, sql, id), each);
}

static void a_string(struct json_report *r, sqlite3_stmt *q)
{
	emit_json_string(&r->w, NULL, text_at(q, 0));
}

static void a_number(struct json_report *r, sqlite3_stmt *q)
{
	emit_json_number(&r->w, NULL, sqlite3_column_int64(q, 0));
}

/* All columns under their own names; names that end in _ns are times and lose that ending. */
static void columns(struct json_report *r, sqlite3_stmt *q)
{
	for (int i = 0; i < sqlite3_column_count(q); i++) {
		const char *name = sqlite3_column_name(q, i);
		size_t n = strlen(name);
		char key[64];

		if (n > 3 && n < sizeof(key) && strcmp(name + n - 3, "_ns") == 0) {
			snprintf(key, sizeof(key), "%.*s", (int)(n - 3), name);
			emit_json_time(&r->w, key, sqlite3_column_int64(q, i));
		} else if (sqlite3_column_type(q, i) == SQLITE_INTEGER) {
			emit_json_number(&r->w, name, sqlite3_column_int64(q, i));
		} else {
			emit_json_string(&r->w, name, text_at(q, i));
		}
	}
}

static void an_object(struct json_report *r, sqlite3_stmt *q)
{
	emit_json_open(&r->w, NULL, '{');
	columns(r, q);
	emit_json_close(&r->w, '}');
}

#define SOURCE(more) \
	"SELECT path, " more "sha256, size, format, nullif(compression, '') AS compression, packets," \
	" first_ns, last_ns, end, iif(end IN ('complete', 'running', 'killed', 'vanished'), NULL, at_byte) AS at_byte," \
	" nullif(why, '') AS why FROM source ORDER BY number"

static bool sources(struct json_report *r)
{
	int64_t vantages = store_number(r->st, "SELECT count(DISTINCT vantage) FROM source", -1);

	return vantages >= 0 && array(r, "sources", vantages > 1 ? SOURCE("vantage, ") : SOURCE(""), 0, an_object);
}

/* The columns of a row into the object that is open. */
static bool members(struct json_report *r, const char *sql, int64_t id)
{
	struct view v = view_ask(r->st, sql, id);

	while (view_row(&v))
		columns(r, v.q);
	return view_end(&v);
}

static bool object(struct json_report *r, const char *key, const char *sql, int64_t id)
{
	bool ok;

	emit_json_open(&r->w, key, '{');
	ok = members(r, sql, id);
	emit_json_close(&r->w, '}');
	return ok;
}

static bool coverage(struct json_report *r, int64_t id)
{
	bool ok;

	emit_json_open(&r->w, "coverage", '{');
	ok = members(r, "SELECT c.first_ns, c.last_ns, c.watched_ns / 1000000 AS watched_ms, v.packets, v.bytes,"
		" v.payload_up, v.payload_down FROM client AS c JOIN client_coverage AS v ON v.client = c.id"
		" WHERE c.id = ?1", id) &&
	     array(r, "lost", "SELECT reason, packets, bytes, iif(client = 0, 'everyone', 'client') AS of"
		" FROM client_loss WHERE client IN (0, ?1) ORDER BY client, reason", id, an_object);
	emit_json_close(&r->w, '}');
	return ok;
}

static bool accounts(struct json_report *r, int64_t client)
{
	struct view v = view_ask(r->st, "SELECT account, verdict, third_party, path FROM account_verdict"
				 " WHERE client = ?1 ORDER BY account", client);
	bool ok = true;

	emit_json_open(&r->w, "accounts", '[');
	while (ok && view_row(&v)) {
		struct view ids = view_ask(r->st, "SELECT finding FROM account_finding WHERE client = ?1 AND account = ?2"
					   " ORDER BY finding", client);

		emit_json_open(&r->w, NULL, '{');
		columns(r, v.q);
		if (ids.q != NULL)
			sqlite3_bind_value(ids.q, 2, sqlite3_column_value(v.q, 0));
		ok = rows(r, "findings", ids, a_number);
		emit_json_close(&r->w, '}');
	}
	emit_json_close(&r->w, ']');
	return view_end(&v) && ok;
}

static bool client_lists(struct json_report *r, int64_t id)
{
	return coverage(r, id) &&
	       object(r, "accounted",
		"SELECT sent, to_provider, to_others, others, to_unnamed, to_local, to_clients FROM balance"
		" WHERE client = ?1", id) &&
	       rows(r, "because", view_reasons(r->st, id), a_string) &&
	       object(r, "transport",
		"SELECT sealed, sealed_not_judged, sealed_bad_certificate, opportunistic, postcard, unknown"
		" FROM client_transport WHERE client = ?1", id) &&
	       array(r, "providers",
		"SELECT owner, how FROM client_provider WHERE client = ?1 ORDER BY owner", id, an_object) &&
	       array(r, "destinations",
		"SELECT owner, nullif(service, '') AS service, role, bytes_up, bytes_down, flows, named_by, strength"
		" FROM destination WHERE client = ?1"
		" ORDER BY bytes_up DESC, owner, service, role, named_by, strength", id, an_object) &&
	       array(r, "findings", "SELECT id FROM finding WHERE client = ?1 ORDER BY id", id, a_number) &&
	       accounts(r, id);
}

/* "" stands for what is not there. */
static void optional(struct json_report *r, const char *key, const char *text)
{
	emit_json_string(&r->w, key, text[0] != '\0' ? text : NULL);
}

static bool client(struct json_report *r, const struct view_client *c)
{
	bool ok;

	emit_json_open(&r->w, NULL, '{');
	emit_json_string(&r->w, "address", c->address);
	ok = array(r, "addresses",
		"SELECT host(a.address) FROM client_address AS a JOIN client AS c ON c.id = a.client"
		" WHERE a.client = ?1 ORDER BY a.address <> c.address, a.address", c->id, a_string);
	if (c->vantage[0] != '\0')
		emit_json_string(&r->w, "vantage", c->vantage);
	optional(r, "mac", c->mac);
	optional(r, "name", r->settings->numeric ? "" : c->name);
	ok = ok && emit_process_json(r->st, EMIT_OF_CLIENT, c->id, &r->w);
	emit_json_string(&r->w, "verdict", c->verdict);
	emit_json_string(&r->w, "third_party", c->third_party);
	emit_json_string(&r->w, "path", c->path);
	ok = ok && client_lists(r, c->id);
	emit_json_close(&r->w, '}');
	return ok;
}

static bool clients(struct json_report *r)
{
	struct view v = view_clients(r->st);
	struct view_client c;
	bool ok = true;

	emit_json_open(&r->w, "clients", '[');
	while (ok && view_client(&v, &c))
		ok = client(r, &c);
	emit_json_close(&r->w, ']');
	return view_end(&v) && ok;
}

/* The evidence of a finding: frames by source. */
static bool evidence(struct json_report *r, int64_t finding)
{
	struct view v = view_frames(r->st, finding);
	struct view_frame frame;
	int64_t source = -1;

	emit_json_open(&r->w, "evidence", '[');
	while (view_frame(&v, &frame)) {
		if (frame.source != source) {
			if (source >= 0) {
				emit_json_close(&r->w, ']');
				emit_json_close(&r->w, '}');
			}
			source = frame.source;
			emit_json_open(&r->w, NULL, '{');
			emit_json_number(&r->w, "source", source);
			emit_json_open(&r->w, "frames", '[');
		}
		emit_json_number(&r->w, NULL, frame.number);
	}
	if (source >= 0) {
		emit_json_close(&r->w, ']');
		emit_json_close(&r->w, '}');
	}
	emit_json_close(&r->w, ']');
	return view_end(&v);
}

static bool finding(struct json_report *r, const struct view_finding *f)
{
	bool ok;

	emit_json_open(&r->w, NULL, '{');
	emit_json_number(&r->w, "id", f->id);
	emit_json_string(&r->w, "kind", f->kind);
	emit_json_string(&r->w, "class", f->class);
	emit_json_string(&r->w, "strength", f->strength);
	emit_json_string(&r->w, "client", f->address);
	if (f->vantage[0] != '\0')
		emit_json_string(&r->w, "vantage", f->vantage);
	optional(r, "account", f->account);
	emit_json_string(&r->w, "owner", f->owner);
	emit_json_time(&r->w, "first", f->first_ns);
	emit_json_time(&r->w, "last", f->last_ns);
	ok = array(r, "flows", "SELECT w.community_id FROM finding_flow AS f JOIN flow AS w ON w.id = f.flow"
		" WHERE f.finding = ?1 ORDER BY f.flow", f->id, a_string) &&
	     emit_process_json(r->st, EMIT_OF_FINDING, f->id, &r->w) && evidence(r, f->id) &&
	     members(r, "SELECT frames AS evidence_cut FROM evidence_cut WHERE finding = ?1", f->id);
	if (f->mechanism[0] != '\0') {
		emit_json_string(&r->w, "mechanism", f->mechanism);
		emit_json_number(&r->w, "secret_len", f->secret_len);
		emit_json_bool(&r->w, "password_redacted", true);
	}
	emit_json_string(&r->w, "sentence", f->sentence);
	emit_json_string(&r->w, "refuted_by", f->refuted_by);
	emit_json_close(&r->w, '}');
	return ok;
}

static bool findings(struct json_report *r)
{
	struct view v = view_findings(r->st, 0);
	struct view_finding f;
	bool ok = true;

	emit_json_open(&r->w, "findings", '[');
	while (ok && view_finding(&v, &f))
		ok = finding(r, &f);
	emit_json_close(&r->w, ']');
	return view_end(&v) && ok;
}

/* Of the run as a whole; the first row of run is the one that made the case. */
static bool whole(struct json_report *r)
{
	struct view v = view_wholes(r->st);
	struct view_whole w;
	int64_t gaps = store_number(r->st, "SELECT count(*) FROM watch_gap", -1);
	int64_t deleted = store_number(r->st, "SELECT count(*) FROM deleted_words", -1);
	bool ok = gaps >= 0 && deleted >= 0;

	while (view_whole(&v, &w)) {
		emit_json_string(&r->w, "mailwitness", w.version);
		emit_json_string(&r->w, "verdict", w.verdict);
		emit_json_string(&r->w, "scope", w.scope);
		emit_json_open(&r->w, "watched", '{');
		emit_json_time(&r->w, "from", w.from_ns);
		emit_json_time(&r->w, "to", w.to_ns);
		if (gaps > 0)
			ok = array(r, "gaps", "SELECT from_ns, to_ns FROM watch_gap ORDER BY run", 0, an_object);
		if (ok && deleted > 0)
			ok = array(r, "deleted", "SELECT why, before_ns, facts FROM deleted_words ORDER BY why", 0, an_object);
		emit_json_close(&r->w, '}');
	}
	return view_end(&v) && ok && rows(r, "because", view_reasons(r->st, 0), a_string);
}

/* Only where a command's traffic was watched. */
static bool command(struct json_report *r)
{
	struct view v = view_ask(r->st, "SELECT name, status, signal, left_running FROM command ORDER BY run LIMIT 1", 0);

	while (view_row(&v)) {
		emit_json_open(&r->w, "command", '{');
		columns(r, v.q);
		emit_json_close(&r->w, '}');
	}
	return view_end(&v);
}

bool emit_json(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct json_report r = { .st = st, .settings = settings, .w = { .out = out } };
	bool ok;

	emit_json_open(&r.w, NULL, '{');
	ok = whole(&r) &&
	     object(&r, "versions",
		"SELECT ndpi_version AS ndpi, catalogue_version AS catalogue, asn_database AS asn, filter"
		" FROM run ORDER BY id LIMIT 1", 0) &&
	     command(&r) &&
	     rows(&r, "attribution", view_attributions(st), a_string) &&
	     sources(&r) &&
	     array(&r, "loss",
		"SELECT l.reason, l.packets, l.bytes, (SELECT host(address) FROM client AS c WHERE c.id = l.client)"
		" AS client FROM client_loss AS l ORDER BY l.client, l.reason", 0, an_object) &&
	     clients(&r) && findings(&r) &&
	     rows(&r, "not_judged", view_not_judged(st), a_string);
	emit_json_close(&r.w, '}');
	putc_unlocked('\n', out);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

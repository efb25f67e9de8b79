#include "report/emit.h"

#include "capture/packet.h"
#include "report/emit_words.h"
#include "report/store_sql.h"

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

/* Writes the array `key` with what `each` writes for each row of a query that is bound; NULL failed already. */
static bool rows(struct json_report *r, const char *key, sqlite3_stmt *q, each_row *each)
{
	int rc = SQLITE_ERROR;

	emit_json_open(&r->w, key, '[');
	while (q != NULL && (rc = store_step(r->st, q)) == SQLITE_ROW)
		each(r, q);
	emit_json_close(&r->w, ']');
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

/* ?1 is bound to id; sql is a literal. */
static bool array(struct json_report *r, const char *key, const char *sql, int64_t id, each_row *each)
{
	sqlite3_stmt *q = store_kept(r->st, sql);

	if (q != NULL)
		sqlite3_bind_int64(q, 1, id);
	return rows(r, key, q, each);
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
	" nullif(why, '') AS why FROM source WHERE ?1 = 0 ORDER BY number"

static bool sources(struct json_report *r)
{
	int64_t vantages = store_number(r->st, "SELECT count(DISTINCT vantage) FROM source", -1);

	return vantages >= 0 && array(r, "sources", vantages > 1 ? SOURCE("vantage, ") : SOURCE(""), 0, an_object);
}

/* The columns of a row into the object that is open. */
static bool members(struct json_report *r, const char *sql, int64_t id)
{
	sqlite3_stmt *q = store_kept(r->st, sql);
	int rc = SQLITE_ERROR;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, id);
		while ((rc = store_step(r->st, q)) == SQLITE_ROW)
			columns(r, q);
	}
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

static bool object(struct json_report *r, const char *key, const char *sql, int64_t id)
{
	bool ok;

	emit_json_open(&r->w, key, '{');
	ok = members(r, sql, id);
	emit_json_close(&r->w, '}');
	return ok;
}

#define MAC(column) \
	"iif(" column " IS NULL, NULL, lower(substr(hex(" column "), 1, 2) || ':' || substr(hex(" column "), 3, 2)" \
	" || ':' || substr(hex(" column "), 5, 2) || ':' || substr(hex(" column "), 7, 2) || ':' ||" \
	" substr(hex(" column "), 9, 2) || ':' || substr(hex(" column "), 11, 2)))"

/* Only where there are several. */
#define VANTAGE(of) "iif((SELECT count(DISTINCT vantage) FROM source) > 1, " of ".vantage, NULL)"

static const char client_sql[] =
	"SELECT id, host(address), " MAC("mac") ", nullif(name, ''), verdict, third_party, path, " VANTAGE("client")
	" FROM client"
	" WHERE judged AND id > ?1 ORDER BY id";

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
	sqlite3_stmt *q = store_kept(r->st, "SELECT account, verdict, third_party, path FROM account_verdict"
				     " WHERE client = ?1 ORDER BY account");
	sqlite3_stmt *ids = store_kept(r->st, "SELECT finding FROM account_finding WHERE client = ?1 AND account = ?2"
				       " ORDER BY finding");
	int rc = SQLITE_ERROR;
	bool ok = q != NULL && ids != NULL;

	emit_json_open(&r->w, "accounts", '[');
	if (ok)
		sqlite3_bind_int64(q, 1, client);
	while (ok && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		emit_json_open(&r->w, NULL, '{');
		columns(r, q);
		sqlite3_bind_int64(ids, 1, client);
		sqlite3_bind_value(ids, 2, sqlite3_column_value(q, 0));
		ok = rows(r, "findings", ids, a_number);
		emit_json_close(&r->w, '}');
	}
	emit_json_close(&r->w, ']');
	sqlite3_reset(q);
	return ok && rc == SQLITE_DONE;
}

static bool client_lists(struct json_report *r, int64_t id)
{
	return coverage(r, id) &&
	       object(r, "accounted",
		"SELECT sent, to_provider, to_others, others, to_unnamed, to_local, to_clients FROM balance"
		" WHERE client = ?1", id) &&
	       array(r, "because", "SELECT sentence FROM because WHERE client = ?1 ORDER BY place", id, a_string) &&
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

static bool clients(struct json_report *r)
{
	sqlite3_stmt *q = store_prepare(r->st, client_sql);
	int rc = SQLITE_ERROR;
	bool ok = q != NULL;

	emit_json_open(&r->w, "clients", '[');
	if (ok)
		sqlite3_bind_int64(q, 1, 0);
	while (ok && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(q, 0);

		emit_json_open(&r->w, NULL, '{');
		emit_json_string(&r->w, "address", text_at(q, 1));
		ok = array(r, "addresses",
			"SELECT host(a.address) FROM client_address AS a JOIN client AS c ON c.id = a.client"
			" WHERE a.client = ?1 ORDER BY a.address <> c.address, a.address", id, a_string);
		if (text_at(q, 7) != NULL)
			emit_json_string(&r->w, "vantage", text_at(q, 7));
		emit_json_string(&r->w, "mac", text_at(q, 2));
		emit_json_string(&r->w, "name", r->settings->numeric ? NULL : text_at(q, 3));
		emit_json_string(&r->w, "process", NULL);
		emit_json_string(&r->w, "verdict", text_at(q, 4));
		emit_json_string(&r->w, "third_party", text_at(q, 5));
		emit_json_string(&r->w, "path", text_at(q, 6));
		ok = ok && client_lists(r, id);
		emit_json_close(&r->w, '}');
	}
	emit_json_close(&r->w, ']');
	sqlite3_finalize(q);
	return ok && rc == SQLITE_DONE;
}

/* The evidence of a finding: frames by source. */
static bool evidence(struct json_report *r, int64_t finding)
{
	sqlite3_stmt *q = store_kept(r->st, "SELECT frame FROM evidence WHERE finding = ?1 ORDER BY frame");
	int rc = SQLITE_ERROR;
	int64_t source = -1;

	emit_json_open(&r->w, "evidence", '[');
	if (q != NULL)
		sqlite3_bind_int64(q, 1, finding);
	while (q != NULL && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		int64_t frame = sqlite3_column_int64(q, 0);

		if (frame >> FRAME_BITS != source) {
			if (source >= 0) {
				emit_json_close(&r->w, ']');
				emit_json_close(&r->w, '}');
			}
			source = frame >> FRAME_BITS;
			emit_json_open(&r->w, NULL, '{');
			emit_json_number(&r->w, "source", source);
			emit_json_open(&r->w, "frames", '[');
		}
		emit_json_number(&r->w, NULL, frame & ((1LL << FRAME_BITS) - 1));
	}
	if (source >= 0) {
		emit_json_close(&r->w, ']');
		emit_json_close(&r->w, '}');
	}
	emit_json_close(&r->w, ']');
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

enum { F_ID, F_KIND, F_CLASS, F_STRENGTH, F_CLIENT, F_ACCOUNT, F_OWNER, F_FIRST, F_LAST, F_MECHANISM,
       F_SECRET_LEN, F_SENTENCE, F_REFUTED_BY, F_VANTAGE };

static const char finding_sql[] =
	"SELECT f.id, f.kind, f.class, f.strength, host(c.address), f.account, f.owner, f.first_ns, f.last_ns,"
	" f.mechanism, f.secret_len, f.sentence, f.refuted_by, " VANTAGE("c") " FROM finding AS f JOIN client AS c"
	" ON c.id = f.client ORDER BY f.id";

static bool finding(struct json_report *r, sqlite3_stmt *q)
{
	int64_t id = sqlite3_column_int64(q, F_ID);
	bool ok;

	emit_json_open(&r->w, NULL, '{');
	emit_json_number(&r->w, "id", id);
	emit_json_string(&r->w, "kind", text_at(q, F_KIND));
	emit_json_string(&r->w, "class", text_at(q, F_CLASS));
	emit_json_string(&r->w, "strength", text_at(q, F_STRENGTH));
	emit_json_string(&r->w, "client", text_at(q, F_CLIENT));
	if (text_at(q, F_VANTAGE) != NULL)
		emit_json_string(&r->w, "vantage", text_at(q, F_VANTAGE));
	emit_json_string(&r->w, "account", text_at(q, F_ACCOUNT));
	emit_json_string(&r->w, "owner", text_at(q, F_OWNER));
	emit_json_time(&r->w, "first", sqlite3_column_int64(q, F_FIRST));
	emit_json_time(&r->w, "last", sqlite3_column_int64(q, F_LAST));
	ok = array(r, "flows", "SELECT w.community_id FROM finding_flow AS f JOIN flow AS w ON w.id = f.flow"
		" WHERE f.finding = ?1 ORDER BY f.flow", id, a_string) &&
	     evidence(r, id) && members(r, "SELECT frames AS evidence_cut FROM evidence_cut WHERE finding = ?1", id);
	if (text_at(q, F_MECHANISM) != NULL) {
		emit_json_string(&r->w, "mechanism", text_at(q, F_MECHANISM));
		emit_json_number(&r->w, "secret_len", sqlite3_column_int64(q, F_SECRET_LEN));
		emit_json_bool(&r->w, "password_redacted", true);
	}
	emit_json_string(&r->w, "sentence", text_at(q, F_SENTENCE));
	emit_json_string(&r->w, "refuted_by", text_at(q, F_REFUTED_BY));
	emit_json_close(&r->w, '}');
	return ok;
}

static bool findings(struct json_report *r)
{
	sqlite3_stmt *q = store_prepare(r->st, finding_sql);
	int rc = SQLITE_ERROR;

	emit_json_open(&r->w, "findings", '[');
	while (q != NULL && (rc = store_step(r->st, q)) == SQLITE_ROW) {
		if (!finding(r, q))
			break;
	}
	emit_json_close(&r->w, ']');
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* Of the run as a whole; the first row of run is the one that made the case. */
static bool whole(struct json_report *r)
{
	sqlite3_stmt *q = store_prepare(r->st,
		"SELECT coalesce((SELECT version FROM run ORDER BY id LIMIT 1), ''),"
		" coalesce((SELECT verdict FROM verdict), 'cannot-say'),"
		" coalesce((SELECT scope FROM run ORDER BY id LIMIT 1), ''),"
		" (SELECT min(first_ns) FROM source WHERE packets > 0),"
		" (SELECT max(last_ns) FROM source WHERE packets > 0)");
	int64_t gaps = store_number(r->st, "SELECT count(*) FROM watch_gap", -1);
	bool ok = q != NULL && store_step(r->st, q) == SQLITE_ROW;

	if (ok) {
		emit_json_string(&r->w, "mailwitness", text_at(q, 0));
		emit_json_string(&r->w, "verdict", text_at(q, 1));
		emit_json_string(&r->w, "scope", text_at(q, 2));
		emit_json_open(&r->w, "watched", '{');
		emit_json_time(&r->w, "from", sqlite3_column_int64(q, 3));
		emit_json_time(&r->w, "to", sqlite3_column_int64(q, 4));
		ok = gaps >= 0;
		if (gaps > 0)
			ok = array(r, "gaps", "SELECT from_ns, to_ns FROM watch_gap WHERE ?1 = 0 ORDER BY run", 0, an_object);
		emit_json_close(&r->w, '}');
	}
	sqlite3_finalize(q);
	return ok && array(r, "because", "SELECT sentence FROM because WHERE client = 0 AND ?1 = 0 ORDER BY place",
			   0, a_string);
}

bool emit_json(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct json_report r = { .st = st, .settings = settings, .w = { .out = out } };
	bool ok;

	emit_json_open(&r.w, NULL, '{');
	ok = whole(&r) &&
	     object(&r, "versions",
		"SELECT ndpi_version AS ndpi, catalogue_version AS catalogue, asn_database AS asn, filter"
		" FROM run WHERE ?1 = 0 ORDER BY id LIMIT 1", 0) &&
	     (store_number(st, "SELECT count(*) FROM command", 0) == 0 ||
	      object(&r, "command", "SELECT name, status, signal, left_running FROM command WHERE ?1 = 0"
		     " ORDER BY run LIMIT 1", 0)) &&
	     array(&r, "attribution",
		"SELECT DISTINCT attribution FROM run WHERE attribution <> '' AND ?1 = 0 ORDER BY 1", 0, a_string) &&
	     sources(&r) &&
	     array(&r, "loss",
		"SELECT l.reason, l.packets, l.bytes, (SELECT host(address) FROM client AS c WHERE c.id = l.client)"
		" AS client FROM client_loss AS l WHERE ?1 = 0 ORDER BY l.client, l.reason", 0, an_object) &&
	     clients(&r) && findings(&r) &&
	     array(&r, "not_judged",
		"SELECT host(address) FROM client WHERE NOT judged AND ?1 = 0 ORDER BY address", 0, a_string);
	emit_json_close(&r.w, '}');
	putc_unlocked('\n', out);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

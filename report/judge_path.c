#include "report/judge_part.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

/* What exposure rules ask for, in the order in which one needs the other. */
static const char clear_sql[] =
	/* Nobody asks for names of servers where all went under TLS. */
	"INSERT INTO address_name SELECT d.far, d.resp_port, min(e.name) FROM ("
	"  SELECT DISTINCT c.far, c.resp_port, c.endpoint FROM mail_session AS m CROSS JOIN contact AS c"
	"  WHERE c.flow = m.flow AND c.originated"
	"  AND EXISTS (SELECT 1 FROM mail_session WHERE transport NOT IN ('implicit-tls', 'starttls-used'))) AS d"
	" JOIN endpoint AS e ON e.id = d.endpoint AND e.name <> ''"
	" GROUP BY d.far, d.resp_port HAVING min(e.name) = max(e.name);"
	"INSERT INTO clear_session SELECT * FROM session_to_look_at;"
	"CREATE UNIQUE INDEX IF NOT EXISTS clear_by_flow ON clear_session (flow);"
	"CREATE INDEX IF NOT EXISTS clear_by_time ON clear_session (peer, first_ns) WHERE went_on;"
	"CREATE INDEX IF NOT EXISTS clear_by_login ON clear_session"
	" (login, flow, client, first_ns, last_ns, secret_len, credential_frame) WHERE login > 0;"
	"CREATE INDEX IF NOT EXISTS clear_let_in ON clear_session (client) WHERE let_in;"
	"INSERT INTO only_server SELECT client, far FROM sole_server;"
	"INSERT INTO clear_peer SELECT client, server, port, peer FROM clear_session WHERE went_on GROUP BY peer";

/* How often STARTTLS was offered so far, by number. */
struct offers {
	int64_t *counts;
	size_t size;
};

static int64_t *offers_of(struct offers *o, int64_t number)
{
	size_t need = (size_t)number + 1;

	if (need > o->size) {
		o->counts = base_realloc(o->counts, need * 2 * sizeof(*o->counts));
		memset(o->counts + o->size, 0, (need * 2 - o->size) * sizeof(*o->counts));
		o->size = need * 2;
	}
	return &o->counts[number];
}

enum offer_column { OFFER_FLOW, OFFER_OFFERED, OFFER_PEER, OFFER_SAME_PEER };

static bool write_offer(const struct judge_part *part, sqlite3_stmt *insert, sqlite3_stmt *q, struct offers *o)
{
	bool ok = true;

	if (sqlite3_column_int(q, OFFER_OFFERED) != 0) {
		++*offers_of(o, sqlite3_column_int64(q, OFFER_PEER));
		++*offers_of(o, sqlite3_column_int64(q, OFFER_SAME_PEER));
	} else {
		sqlite3_bind_int64(insert, 1, sqlite3_column_int64(q, OFFER_FLOW));
		sqlite3_bind_int64(insert, 2, *offers_of(o, sqlite3_column_int64(q, OFFER_PEER)));
		sqlite3_bind_int64(insert, 3, *offers_of(o, sqlite3_column_int64(q, OFFER_SAME_PEER)));
		ok = store_do(part->st, insert);
	}
	return ok;
}

static bool write_offers(const struct judge_part *part)
{
	sqlite3_stmt *q = store_prepare(part->st, "SELECT flow, offered, peer, same_peer FROM offer_of_session");
	sqlite3_stmt *insert = store_prepare(part->st, "INSERT INTO starttls_offer VALUES (?,?,?)");
	struct offers o = { 0 };
	int rc = SQLITE_ERROR;

	while (q != NULL && insert != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		if (!write_offer(part, insert, q, &o))
			break;
	}
	sqlite3_finalize(q);
	sqlite3_finalize(insert);
	free(o.counts);
	return rc == SQLITE_DONE;
}

/* What the transport line counts. The table stays, for who judges the case again when it has grown (judge.c). */
static const char state_sql[] =
	"CREATE TEMP TABLE IF NOT EXISTS refined (client INTEGER, before TEXT, flow INTEGER, after TEXT,"
	" PRIMARY KEY (client, before, flow)) WITHOUT ROWID;"
	"DELETE FROM refined;"
	"INSERT INTO refined SELECT client, before, flow, after FROM state_to_refine WHERE after <> before;"
	"UPDATE contact SET state = r.after FROM refined AS r WHERE contact.flow = r.flow;"
	"UPDATE client_state SET sessions = sessions - (SELECT count(*) FROM refined AS r"
	"  WHERE r.client = client_state.client AND r.before = client_state.state)"
	" WHERE client IN (SELECT client FROM refined);"
	"DELETE FROM client_state WHERE sessions = 0;"
	"INSERT INTO client_state SELECT client, after, count(*), 0 FROM refined GROUP BY client, after";

bool judge_path(const struct judge_part *part)
{
	return store_exec(part->st, clear_sql) && write_offers(part) && store_exec(part->st, state_sql);
}

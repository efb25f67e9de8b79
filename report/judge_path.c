#include "report/judge_part.h"

/* What exposure rules and the transport line ask for, in the order in which one needs the other. */
static const char *const steps[] = {
	/* Nobody asks for names of servers where all went under TLS. */
	"INSERT INTO address_name SELECT d.far, d.resp_port, min(e.name) FROM ("
	"  SELECT DISTINCT c.far, c.resp_port, c.endpoint FROM mail_session AS m CROSS JOIN contact AS c"
	"  WHERE c.flow = m.flow AND c.originated"
	"  AND EXISTS (SELECT 1 FROM mail_session WHERE transport NOT IN ('implicit-tls', 'starttls-used'))) AS d"
	" JOIN endpoint AS e ON e.id = d.endpoint AND e.name <> ''"
	" GROUP BY d.far, d.resp_port HAVING min(e.name) = max(e.name)",
	"INSERT INTO clear_session SELECT * FROM session_to_look_at",
	"CREATE UNIQUE INDEX IF NOT EXISTS clear_by_flow ON clear_session (flow)",
	"CREATE INDEX IF NOT EXISTS clear_by_time ON clear_session (peer, first_ns) WHERE went_on",
	"CREATE INDEX IF NOT EXISTS clear_by_login ON clear_session (login) WHERE login > 0",
	"INSERT INTO clear_peer SELECT client, server, port, peer FROM clear_session WHERE went_on GROUP BY peer",
	"INSERT INTO starttls_offer SELECT * FROM offer_of_session",
	"CREATE TEMP TABLE refined (client INTEGER, before TEXT, flow INTEGER, after TEXT,"
	" PRIMARY KEY (client, before, flow)) WITHOUT ROWID",
	"INSERT INTO refined SELECT client, before, flow, after FROM state_to_refine WHERE after <> before",
	"UPDATE contact SET state = r.after FROM refined AS r WHERE contact.flow = r.flow",
	"UPDATE client_state SET sessions = sessions - (SELECT count(*) FROM refined AS r"
	"  WHERE r.client = client_state.client AND r.before = client_state.state)"
	" WHERE client IN (SELECT client FROM refined)",
	"DELETE FROM client_state WHERE sessions = 0",
	"INSERT INTO client_state SELECT client, after, count(*), 0 FROM refined GROUP BY client, after",
	"DROP TABLE refined",
};

bool judge_path(const struct judge_part *part)
{
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!store_exec(part->st, steps[i]))
			return false;
	}
	return true;
}

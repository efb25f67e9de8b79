#include "report/judge_part.h"

/* Who asks a resolver on its own host, which has no other address there. */
#define LOOPBACK_4 "x'00000000000000000000ffff7f000001'"
#define LOOPBACK_6 "x'00000000000000000000000000000001'"
#define IS_LOOPBACK(address) \
	"(" address " = " LOOPBACK_6 " OR substr(" address ", 1, 13) = x'00000000000000000000ffff7f')"

/* The answers that led `asker` to the far end before the flow, the latest first. */
#define TOLD(what, limit) \
	"(SELECT " what " FROM name AS n WHERE n.kind = 'dns' AND n.asked_by = t.asker AND n.address = t.far" \
	" AND n.from_ns <= t.first_ns AND " SAME_VANTAGE("n.id", "t.vantage") " ORDER BY n.from_ns DESC, n.id DESC, n.place DESC LIMIT " limit ")"

/* The mail contacts of which somebody asks for the name. */
#define WANTED \
	" WITH asked AS (SELECT flow FROM contact_class WHERE class = 'certificate'" \
	"  UNION SELECT flow FROM contact_class WHERE class = 'old-tls'" \
	"  UNION SELECT c.flow FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM tlsa_answer)" \
	"    OR EXISTS (SELECT 1 FROM sts_policy)) CROSS JOIN contact AS c WHERE c.transport IS NOT NULL)," \
	" wanted AS (SELECT c.flow FROM asked AS a CROSS JOIN contact AS c ON c.flow = a.flow AND c.transport IS NOT NULL)"

/* Other names that were valid then make it unsure; of many answers the latest few decide. */
static const char name_sql[] =
	"INSERT INTO server_name" WANTED
	" SELECT s.flow, s.sni, '', 1 FROM wanted AS w CROSS JOIN seen AS s"
	" WHERE s.flow = w.flow AND s.originated AND s.sni <> '';"
	"INSERT INTO server_name" WANTED ","
	" nameless AS MATERIALIZED (SELECT c.flow, c.client, c.far, c.first_ns, v.vantage"
	"  FROM wanted AS w CROSS JOIN contact AS c CROSS JOIN client AS v"
	"  WHERE c.flow = w.flow AND v.id = c.client AND c.originated"
	"  AND c.flow NOT IN (SELECT flow FROM server_name)),"
	" asking AS (SELECT n.*, a.address AS asker FROM nameless AS n CROSS JOIN client_address AS a"
	"   ON a.client = n.client"
	"  UNION ALL SELECT *, " LOOPBACK_4 " FROM nameless UNION ALL SELECT *, " LOOPBACK_6 " FROM nameless),"
	" told AS (SELECT t.*, " TOLD("from_ns", "1") " AS from_ns FROM asking AS t),"
	" latest AS (SELECT flow, far, first_ns, vantage, asker, max(from_ns) FROM told WHERE from_ns IS NOT NULL GROUP BY flow),"
	" named AS (SELECT t.*, " TOLD("name", "1") " AS name, " TOLD("canonical", "1") " AS canonical FROM latest AS t)"
	" SELECT flow, name, canonical, NOT EXISTS"
	"  (SELECT 1 FROM " TOLD("name AS other, until_ns", "16") " WHERE other <> t.name AND until_ns >= t.first_ns)"
	" FROM named AS t";

static const char tlsa_sql[] =
	"INSERT OR IGNORE INTO tlsa_answer SELECT name, resolver = asked_by OR " IS_LOOPBACK("resolver") ","
	" time_ns, id FROM mail_dns WHERE type = 'TLSA' AND answered AND authentic"
	" AND rcode IN ('NOERROR', 'NXDOMAIN');"
	"INSERT INTO tlsa_asked SELECT d.name, iif(" IS_LOOPBACK("d.asked_by") ", 0, a.client) AS who,"
	" min(d.time_ns) FROM mail_dns AS d LEFT JOIN client_address AS a ON a.address = d.asked_by"
	" AND " SAME_VANTAGE("d.id", "a.vantage")
	" WHERE d.type = 'TLSA' AND d.name IN (SELECT name FROM tlsa_answer) GROUP BY 1, 2 HAVING who IS NOT NULL";

#define ANSWER(on_host) \
	"(SELECT a.id FROM tlsa_answer AS a WHERE a.name = q.question AND a.on_host = " on_host \
	" AND a.time_ns BETWEEN q.first_ns - (SELECT value FROM threshold WHERE name = 'tlsa-age-ns')" \
	" AND q.first_ns ORDER BY a.time_ns DESC, a.id DESC LIMIT 1)"
#define RECORDS \
	"FROM mail_dns AS r WHERE r.id = a.answer AND r.type = 'TLSA' AND r.name = a.question AND r.rdata <> ''"
#define MATCHES(place, usage) \
	"EXISTS (SELECT 1 FROM certificate AS c WHERE c.flow = a.flow AND c.place " place " AND EXISTS (SELECT 1 " \
	RECORDS " AND tlsa_usage(r.rdata) = " usage " AND tlsa_matches(r.rdata, r.digest, c.sha256, c.sha512," \
	" c.spki_sha256, c.spki_sha512)))"

/* RFC 7672 sections 3.1.1, 3.1.2, 3.2.3: DANE-EE is about the server's own certificate and nothing else of
 * it; DANE-TA about one above it, and it must have the name of the host or of the recipient's domain. */
static const char covered_sql[] =
	"SELECT 1 FROM certificate AS c WHERE c.flow = a.flow AND c.place = 0 AND (c.covers_sni = 1 OR c.names_cut"
	" OR c.name_count = 0 OR EXISTS (SELECT 1 FROM name AS n WHERE n.id = c.frame AND n.kind = 'certificate'"
	"  AND (covers(n.name, a.server) OR covers(n.name, a.canonical) OR covers(n.name,"
	"   (SELECT recipient_domain FROM mail_session AS m WHERE m.flow = a.flow)))))";

/* `host` is what the question was about. RFC 7672 section 2.2.2: an alias' records, else the name's own. */
static bool write_dane(struct store *st, const char *host)
{
	char *sql = sqlite3_mprintf(
		"INSERT OR IGNORE INTO dane"
		" WITH asked AS (SELECT n.flow, c.first_ns, n.name AS server, n.canonical, n.sure,"
		"  '_' || c.resp_port || '._tcp.' || n.%s AS question"
		"  FROM server_name AS n CROSS JOIN contact AS c ON c.flow = n.flow"
		"  WHERE n.%s <> '' AND NOT c.loopback AND EXISTS (SELECT 1 FROM tlsa_answer)),"
		" told AS (SELECT q.*, " ANSWER("1") " AS here, " ANSWER("0") " AS there FROM asked AS q),"
		" answered AS (SELECT *, here IS NOT NULL AS on_host, coalesce(here, there) AS answer FROM told),"
		" counted AS (SELECT a.*, (SELECT count(tlsa_matches(r.rdata, r.digest, NULL, NULL, NULL, NULL)) "
		RECORDS ") AS usable FROM answered AS a WHERE EXISTS (SELECT 1 " RECORDS "))"
		" SELECT a.flow, a.server, a.sure, a.question, a.answer, a.on_host, a.usable, CASE"
		"  WHEN NOT EXISTS (SELECT 1 FROM certificate AS c WHERE c.flow = a.flow AND c.place = 0) THEN 'not-seen'"
		"  WHEN a.usable = 0 THEN 'unusable'"
		"  WHEN " MATCHES("= 0", "3") " THEN 'ee-match'"
		"  WHEN " MATCHES("> 0", "2") " THEN iif(EXISTS (%s), 'ta-match', 'name-differs')"
		"  ELSE 'differs' END FROM counted AS a", host, host, covered_sql);
	bool ok = sql != NULL && store_exec(st, sql);

	sqlite3_free(sql);
	return ok;
}

static bool write_policies(const struct judge_part *part)
{
	const struct policy_sts *sts;
	unsigned count = policy_sts(part->policy, &sts);
	sqlite3_stmt *insert = store_prepare(part->st,
		"INSERT OR IGNORE INTO sts_policy VALUES (lower(rtrim(?, '.')), ?, 0, 0)");
	sqlite3_stmt *insert_mx = store_prepare(part->st,
		"INSERT OR IGNORE INTO sts_mx VALUES (lower(rtrim(?, '.')), lower(rtrim(?, '.')))");
	bool ok = insert != NULL && insert_mx != NULL;

	for (unsigned i = 0; ok && i < count; i++) {
		sqlite3_bind_text(insert, 1, sts[i].domain, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 2, sts[i].mode, -1, SQLITE_STATIC);
		ok = store_do(part->st, insert);
		sqlite3_bind_text(insert_mx, 1, sts[i].domain, -1, SQLITE_STATIC);
		for (unsigned k = 0; ok && k < sts[i].mx_count; k++) {
			sqlite3_bind_text(insert_mx, 2, sts[i].mx[k], -1, SQLITE_STATIC);
			ok = store_do(part->st, insert_mx);
		}
	}
	sqlite3_finalize(insert);
	sqlite3_finalize(insert_mx);
	return ok;
}

/* RFC 8461 section 3.1: of the TXT records those that begin so count, and must be one. */
static const char sts_sql[] =
	"INSERT OR IGNORE INTO sts_policy SELECT substr(name, length('_mta-sts.') + 1), 'not-seen', min(time_ns), id"
	" FROM (SELECT id, name, time_ns FROM mail_dns WHERE type = 'TXT' AND answered AND name GLOB '_mta-sts.*'"
	"  AND replace(rdata, '\" \"', '') GLOB '\"v=STSv1;*' GROUP BY id, name HAVING count(*) = 1) GROUP BY name;"
	"INSERT OR IGNORE INTO mx_answer SELECT lower(rtrim(substr(rdata, instr(rdata, ' ') + 1), '.')), name, time_ns"
	" FROM mail_dns WHERE type = 'MX' AND answered AND rdata <> ''";

/* A delivery is for the domain of its first recipient, else for the one whose MX led to the server last. */
static const char delivery_sql[] =
	"INSERT INTO sts_delivery"
	" WITH alone AS MATERIALIZED (SELECT target FROM mx_answer GROUP BY target HAVING min(domain) = max(domain)),"
	" sent AS (SELECT c.flow, c.first_ns, c.last_ns, n.name AS server, n.sure,"
	"  lower(rtrim(nullif(m.recipient_domain, ''), '.')) AS recipient"
	"  FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM sts_policy)) CROSS JOIN contact AS c"
	"  LEFT JOIN server_name AS n ON n.flow = c.flow LEFT JOIN mail_session AS m ON m.flow = c.flow"
	"  WHERE c.transport IS NOT NULL AND c.resp_port = 25 AND c.originated AND NOT c.loopback),"
	" meant AS (SELECT *, coalesce(recipient, (SELECT x.domain FROM mx_answer AS x WHERE x.target = server"
	"  AND x.time_ns <= s.first_ns ORDER BY x.time_ns DESC, x.domain LIMIT 1)) AS domain FROM sent AS s)"
	" SELECT s.flow, p.domain, p.mode, p.frame, coalesce(s.server, ''),"
	"  coalesce(s.sure, 1) AND (s.recipient IS NOT NULL OR s.server IN (SELECT target FROM alone)),"
	"  CASE WHEN EXISTS (SELECT 1 FROM mx_answer AS x WHERE x.domain = p.domain AND x.target = s.server) THEN 1"
	"   WHEN EXISTS (SELECT 1 FROM mx_answer AS x WHERE x.domain = p.domain) THEN 0 END,"
	"  EXISTS (SELECT 1 FROM sts_mx AS x WHERE x.domain = p.domain AND covers(x.pattern, s.server))"
	" FROM meant AS s CROSS JOIN sts_policy AS p ON p.domain = s.domain AND p.first_ns <= s.last_ns";

bool judge_server(const struct judge_part *part)
{
	return store_exec(part->st, tlsa_sql) && write_policies(part) && store_exec(part->st, sts_sql) &&
	       store_exec(part->st, name_sql) && write_dane(part->st, "canonical") && write_dane(part->st, "name") &&
	       store_exec(part->st, delivery_sql);
}

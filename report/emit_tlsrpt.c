/* RFC 8460 section 4: what the deliveries of a case say to the owner of a recipient domain.
 *
 * Who reads such a report takes a success for "was encrypted and is who the policy says", and changes his
 * policy to enforce when he sees no failures. So a session is
 * - a success when its handshake was completed and all that its policy asks for was seen to hold. Without a
 *   policy (or with TLSA records of which none is usable, RFC 7672 section 2.2) the handshake is all that is
 *   asked for. With one, the certificate has to be seen: under TLS 1.3 and in resumed sessions it is not.
 * - a failure when it was seen to have no TLS or a certificate that breaks the policy.
 * - in neither count else: certificate not seen, the list of an MTA-STS policy not known, or something of
 *   the session missing. The format has no third count; struct tlsrpt_left_out has how many these are.
 *
 * A session counts for one policy: that of TLSA records of its MX host, else MTA-STS's, else none (RFC 8461
 * section 2: MTA-STS does not override DANE). Which records and policies those are judge found out (dane,
 * sts_policy); the policy domain of records is the MX host (RFC 8460 section 1.1). A certificate that fits
 * no record is a validation-failure: tlsa-invalid is of the records themselves.
 *
 * Whose a session is: of RCPT TO's domain where that was readable, unless it went to a relay: to a host at
 * home, or to none that the client's own look-up named as MX of that domain. Else of the one domain whose
 * MX the client looked up and found there. A session with a readable login is submission, not delivery. */
#include "report/emit.h"

#include "capture/siphash.h"
#include "report/emit_words.h"
#include "report/store_sql.h"

#include <errno.h>
#include <string.h>

/* A host name with nothing in it that a file name or a policy-domain must not have: A-labels, lower case. */
#define IS_HOST(column) \
	"(" column " GLOB '*[a-z]*' AND " column " NOT GLOB '*[^a-z0-9._-]*' AND " column " NOT GLOB '*..*'" \
	" AND " column " NOT GLOB '.*' AND length(" column ") <= 253)"

static const char deliveries_sql[] =
	"DROP TABLE IF EXISTS temp.tlsrpt_mx;"
	"CREATE TEMP TABLE tlsrpt_mx AS"
	" SELECT a.client, lower(d.name) AS domain,"
	"  lower(rtrim(substr(d.rdata, instr(d.rdata, ' ') + 1), '.')) AS host, min(d.time_ns) AS first_ns"
	" FROM mail_dns AS d JOIN client_address AS a ON a.address = d.asked_by AND " SAME_VANTAGE("d.id", "a.vantage")
	" WHERE d.type = 'MX' AND d.answered AND d.rdata LIKE '% _%' GROUP BY 1, 2, 3;"
	"CREATE INDEX temp.tlsrpt_mx_domain ON tlsrpt_mx (client, domain);"
	"CREATE INDEX temp.tlsrpt_mx_host ON tlsrpt_mx (client, host);"

	"DROP TABLE IF EXISTS temp.tlsrpt_name;"
	"CREATE TEMP TABLE tlsrpt_name AS"
	" SELECT a.client, n.address, n.name AS host, min(n.from_ns) AS first_ns"
	" FROM name AS n JOIN client_address AS a ON a.address = n.asked_by AND " SAME_VANTAGE("n.id", "a.vantage")
	" WHERE n.kind = 'dns' AND n.name IN (SELECT host FROM tlsrpt_mx) GROUP BY 1, 2, 3;"
	"CREATE INDEX temp.tlsrpt_name_address ON tlsrpt_name (client, address);"

	"DROP TABLE IF EXISTS temp.tlsrpt_delivery;"
	"CREATE TEMP TABLE tlsrpt_delivery AS"
	" SELECT c.flow, c.client, c.far, c.first_ns, coalesce(h.sni, '') AS sni,"
	"  rtrim(lower(coalesce(m.recipient_domain, '')), '.') AS recipient, e.role = 'local' AS local,"
	"  iif(e.named_by = 'dns' OR (e.named_by = 'certificate'"
	"   AND e.name = (SELECT name FROM server_name AS n WHERE n.flow = c.flow)), e.name, '') AS dns_name"
	" FROM contact AS c JOIN endpoint AS e ON e.id = c.endpoint"
	" LEFT JOIN mail_session AS m ON m.flow = c.flow LEFT JOIN handshake AS h ON h.flow = c.flow"
	" WHERE c.transport IS NOT NULL AND c.resp_port = 25 AND c.originated AND NOT c.loopback"
	"  AND coalesce(m.credential, 'none') = 'none' AND coalesce(m.proto, 'smtp') = 'smtp'"
	"  AND (SELECT proto FROM flow WHERE id = c.flow) = 6;"

	"DROP TABLE IF EXISTS temp.tlsrpt_tie;"
	"CREATE TEMP TABLE tlsrpt_tie AS"
	" SELECT s.flow, x.domain, min(x.host) AS host FROM"
	"  (SELECT flow, client, first_ns, sni AS host FROM tlsrpt_delivery UNION ALL"
	"   SELECT s.flow, s.client, s.first_ns, n.host FROM tlsrpt_delivery AS s JOIN tlsrpt_name AS n"
	"   ON n.client = s.client AND n.address = s.far AND n.first_ns <= s.first_ns) AS s"
	" JOIN tlsrpt_mx AS x ON x.client = s.client AND x.host = s.host AND x.first_ns <= s.first_ns"
	" GROUP BY 1, 2;"
	"CREATE INDEX temp.tlsrpt_tie_flow ON tlsrpt_tie (flow, domain);"

	"DROP TABLE IF EXISTS temp.tlsrpt_whose;"
	"CREATE TEMP TABLE tlsrpt_whose AS"
	" WITH said AS (SELECT *, CASE"
	"  WHEN recipient = '' THEN (SELECT iif(count(*) = 1, min(domain), NULL) FROM tlsrpt_tie AS t"
	"   WHERE t.flow = d.flow)"
	"  WHEN EXISTS (SELECT 1 FROM tlsrpt_tie AS t WHERE t.flow = d.flow AND t.domain = recipient)"
	"   THEN recipient"
	"  WHEN local OR EXISTS (SELECT 1 FROM tlsrpt_mx AS x WHERE x.client = d.client AND x.domain = recipient"
	"   AND x.first_ns <= d.first_ns) THEN NULL"
	"  ELSE recipient END AS domain FROM tlsrpt_delivery AS d)"
	" SELECT s.flow, iif(" IS_HOST("s.domain") ", s.domain, NULL) AS domain,"
	"  coalesce(nullif(sni, ''), t.host, dns_name) AS mx"
	" FROM said AS s LEFT JOIN tlsrpt_tie AS t ON t.flow = s.flow AND t.domain = s.domain;";

/* The certificate is for that host: by what the watcher found, else by the names it said (RFC 6125). NULL
 * is not known. */
#define FOR_MX \
	"CASE WHEN k.covers_sni >= 0 THEN k.covers_sni" \
	" WHEN w.mx = '' THEN NULL" \
	" WHEN EXISTS (SELECT 1 FROM name AS n WHERE n.kind = 'certificate' AND n.id = k.frame" \
	"  AND covers(n.name, w.mx)) THEN 1" \
	" WHEN k.names_cut OR (SELECT count(*) FROM name AS n WHERE n.kind = 'certificate' AND n.id = k.frame)" \
	"  < k.name_count THEN NULL ELSE 0 END"

/* result: a result-type of RFC 8460 section 6.6, "success", "not-judged" or "unknown". */
static const char sessions_sql[] =
	"DROP TABLE IF EXISTS temp.tlsrpt_session;"
	"CREATE TEMP TABLE tlsrpt_session AS"
	" WITH seen AS (SELECT w.*, f.orig_addr, f.resp_addr, h.alert, h.alert_from, m.refusal, m.signature,"
	"  rtrim(substr(m.banner || ' ', 1, instr(m.banner || ' ', ' '))) AS helo,"
	"  CASE WHEN m.transport IN ('starttls-used', 'implicit-tls') THEN iif(h.completed, 'done', 'unknown')"
	"   WHEN m.transport = 'starttls-failed' AND NOT coalesce(h.alert_in_clear, 0) AND (f.orig_missing > 0"
	"    OR f.resp_missing > 0 OR f.packets_cut > 0 OR f.end IN ('open', 'evicted')) THEN 'unknown'"
	"   ELSE coalesce(m.transport, 'unknown') END AS tls,"
	"  coalesce(h.alert_in_clear, 0) AS alerted,"
	"  iif(d.flow IS NOT NULL, 'tlsa', iif(p.domain IS NOT NULL, 'sts', 'no-policy-found')) AS policy,"
	"  d.usable, d.outcome, d.answer, d.question, p.mode,"
	"  EXISTS (SELECT 1 FROM sts_mx AS x WHERE x.domain = w.domain AND covers(x.pattern, w.mx)) AS listed,"
	/* A trust anchor that is whole in the record need not be sent (RFC 7671 section 5.2.2). */
	"  EXISTS (SELECT 1 FROM mail_dns AS r WHERE r.id = d.answer AND r.name = d.question AND r.type = 'TLSA'"
	"   AND tlsa_usage(r.rdata) = 2 AND r.digest IS NOT NULL) AS anchor_in_record,"
	"  k.chain, k.why, k.not_after < k.time_ns / 1000000000 AS expired, " FOR_MX " AS for_mx"
	"  FROM tlsrpt_whose AS w JOIN flow AS f ON f.id = w.flow LEFT JOIN mail_session AS m ON m.flow = w.flow"
	"  LEFT JOIN handshake AS h ON h.flow = w.flow"
	"  LEFT JOIN certificate AS k ON k.flow = w.flow AND k.place = 0 LEFT JOIN dane AS d ON d.flow = w.flow"
	"  LEFT JOIN sts_policy AS p ON p.domain = w.domain AND p.mode <> 'none' AND p.first_ns <= f.last_ns"
	"  WHERE w.domain IS NOT NULL),"
	" judged AS (SELECT *, CASE"
	"  WHEN tls IN ('plaintext', 'starttls-stripped', 'starttls-refused') THEN 'starttls-not-supported'"
	"  WHEN tls = 'starttls-offered-not-used' THEN 'validation-failure'"
	"  WHEN tls = 'starttls-failed' THEN CASE WHEN NOT alerted OR alert_from <> 0 THEN 'validation-failure'"
	"   WHEN alert = 45 THEN 'certificate-expired'"
	"   WHEN alert IN (42, 43, 44, 46, 48) THEN 'certificate-not-trusted' ELSE 'validation-failure' END"
	"  WHEN tls <> 'done' THEN 'unknown'"
	"  WHEN policy = 'no-policy-found' OR (policy = 'tlsa' AND NOT usable) THEN 'success'"
	"  WHEN policy = 'sts' AND mode <> 'not-seen' AND NOT listed THEN 'validation-failure'"
	"  WHEN chain IS NULL OR chain = 'malformed' THEN 'not-judged'"
	"  WHEN policy = 'tlsa' THEN CASE outcome WHEN 'ee-match' THEN 'success'"
	"   WHEN 'differs' THEN iif(anchor_in_record, 'not-judged', 'validation-failure')"
	"   WHEN 'name-differs' THEN 'certificate-host-mismatch'"
	"   ELSE iif(expired, 'certificate-expired',"
	"    iif(outcome = 'ta-match' AND for_mx AND chain = 'trusted', 'success', 'not-judged')) END"
	"  WHEN chain = 'expired' THEN 'certificate-expired'"
	"  WHEN chain IN ('self-signed', 'untrusted', 'not-yet-valid') THEN 'certificate-not-trusted'"
	"  WHEN for_mx = 0 THEN 'certificate-host-mismatch'"
	"  ELSE iif(for_mx AND chain = 'trusted' AND listed, 'success', 'not-judged') END AS result FROM seen)"
	" SELECT domain, policy, result, answer, question,"
	"  iif(policy = 'tlsa', substr(question, length('_25._tcp.') + 1), domain) AS policy_domain,"
	"  host(orig_addr) AS sender, host(resp_addr) AS receiver, mx, helo, CASE"
	"  WHEN tls = 'plaintext' THEN 'STARTTLS was not offered'"
	"  WHEN tls = 'starttls-stripped' THEN 'STARTTLS was removed on the path'"
	"   || iif(signature = '', '', ': ' || signature)"
	"  WHEN tls = 'starttls-refused' THEN 'STARTTLS was refused' || iif(refusal = '', '', ': ' || refusal)"
	"  WHEN tls = 'starttls-offered-not-used' THEN 'STARTTLS was offered and not used'"
	"  WHEN tls = 'starttls-failed' THEN iif(alerted, 'TLS alert ' || alert || ' from the '"
	"   || iif(alert_from = 0, 'sender', 'receiver'), 'the TLS handshake broke off')"
	"  WHEN result = 'validation-failure' AND policy = 'tlsa' THEN 'no TLSA record matches the certificate'"
	"  WHEN result = 'validation-failure' THEN 'no mx line of the policy covers ' || mx"
	"  WHEN result = 'certificate-host-mismatch' THEN 'the certificate is not for ' || mx"
	"  ELSE why END AS reason FROM judged;"
	"CREATE INDEX temp.tlsrpt_session_domain ON tlsrpt_session (domain);";

bool emit_tlsrpt_prepare(struct store *st, struct tlsrpt_left_out *left_out)
{
	if (!store_exec(st, deliveries_sql) || !store_exec(st, sessions_sql))
		return false;
	left_out->not_attributed = store_number(st, "SELECT count(*) FROM tlsrpt_whose WHERE domain IS NULL", -1);
	left_out->not_judged = store_number(st,
		"SELECT count(*) FROM tlsrpt_session WHERE result = 'not-judged'", -1);
	left_out->unknown = store_number(st, "SELECT count(*) FROM tlsrpt_session WHERE result = 'unknown'", -1);
	return left_out->not_attributed >= 0 && left_out->not_judged >= 0 && left_out->unknown >= 0;
}

static const char *text_at(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

#define WATCHED "(SELECT min(first_ns) / 1000000000 AS first, (max(last_ns) + 999999999) / 1000000000 AS last" \
	" FROM source WHERE packets > 0)"

bool emit_tlsrpt_each(struct store *st, void (*each)(void *context, const struct tlsrpt_subject *subject),
		      void *context)
{
	sqlite3_stmt *q = store_prepare(st,
		"SELECT DISTINCT domain, first, last FROM tlsrpt_session JOIN " WATCHED " ORDER BY domain");
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(st, q)) == SQLITE_ROW)
		each(context, &(struct tlsrpt_subject){ .domain = text_at(q, 0),
			.first_s = sqlite3_column_int64(q, 1), .last_s = sqlite3_column_int64(q, 2) });
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* The same case gives the same id: the watched time, and a hash over domain and sources. */
static bool whole(struct store *st, struct emit_json_writer *w, const struct tlsrpt_settings *settings,
		  const char *domain)
{
	sqlite3_stmt *q = store_prepare(st,
		"SELECT strftime('%Y-%m-%dT%H:%M:%SZ', first, 'unixepoch'),"
		" strftime('%Y-%m-%dT%H:%M:%SZ', last, 'unixepoch'), first, last,"
		" ?1 || (SELECT group_concat(sha256) FROM (SELECT sha256 FROM source ORDER BY number))"
		" FROM " WATCHED);
	char id[96];
	bool ok = q != NULL;

	if (ok)
		sqlite3_bind_text(q, 1, domain, -1, SQLITE_STATIC);
	ok = ok && store_step(st, q) == SQLITE_ROW && text_at(q, 4) != NULL;
	if (ok) {
		emit_json_string(w, "organization-name", settings->organization);
		emit_json_open(w, "date-range", '{');
		emit_json_string(w, "start-datetime", text_at(q, 0));
		emit_json_string(w, "end-datetime", text_at(q, 1));
		emit_json_close(w, '}');
		emit_json_string(w, "contact-info", settings->contact);
		snprintf(id, sizeof(id), "%lld-%lld-%016llx", (long long)sqlite3_column_int64(q, 2),
			 (long long)sqlite3_column_int64(q, 3),
			 (unsigned long long)siphash(text_at(q, 4), strlen(text_at(q, 4)), 0, 0));
		emit_json_string(w, "report-id", id);
	}
	sqlite3_finalize(q);
	return ok;
}

struct policy_key {
	const char *domain, *type, *policy_domain;
};

static sqlite3_stmt *ask(struct store *st, const char *sql, const struct policy_key *key)
{
	sqlite3_stmt *q = store_prepare(st, sql);

	if (q != NULL) {
		sqlite3_bind_text(q, 1, key->domain, -1, SQLITE_STATIC);
		sqlite3_bind_text(q, 2, key->type, -1, SQLITE_STATIC);
		sqlite3_bind_text(q, 3, key->policy_domain, -1, SQLITE_STATIC);
	}
	return q;
}

/* An array of what `sql` asks of the policy. */
static bool texts(struct store *st, struct emit_json_writer *w, const char *key, const char *sql,
		  const struct policy_key *policy)
{
	sqlite3_stmt *q = ask(st, sql, policy);
	int rc = SQLITE_ERROR;

	emit_json_open(w, key, '[');
	while (q != NULL && (rc = store_step(st, q)) == SQLITE_ROW)
		emit_json_string(w, NULL, text_at(q, 0));
	emit_json_close(w, ']');
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* policy-string: TLSA records, or what is known of an MTA-STS policy, which travels under TLS. */
static const char policy_string_sql[] =
	"SELECT DISTINCT r.rdata FROM tlsrpt_session AS s JOIN mail_dns AS r ON r.id = s.answer"
	"  AND r.name = s.question AND r.type = 'TLSA' AND r.rdata <> ''"
	" WHERE s.domain = ?1 AND s.policy = ?2 AND s.policy_domain = ?3"
	" UNION ALL SELECT 'version: STSv1' WHERE ?2 = 'sts'"
	" UNION ALL SELECT 'mode: ' || mode FROM sts_policy WHERE ?2 = 'sts' AND domain = ?3 AND mode <> 'not-seen'"
	" UNION ALL SELECT 'mx: ' || pattern FROM sts_mx WHERE ?2 = 'sts' AND domain = ?3";
static const char mx_host_sql[] = "SELECT pattern FROM sts_mx WHERE ?2 = 'sts' AND domain = ?3 AND ?1 <> ''"
	" ORDER BY pattern";

static void optional(struct emit_json_writer *w, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		emit_json_string(w, key, text);
}

static bool failures(struct store *st, struct emit_json_writer *w, const struct policy_key *key)
{
	sqlite3_stmt *q = ask(st,
		"SELECT result, sender, mx, helo, receiver, count(*), reason FROM tlsrpt_session"
		" WHERE domain = ?1 AND policy = ?2 AND policy_domain = ?3"
		"  AND result NOT IN ('success', 'not-judged', 'unknown')"
		" GROUP BY 1, 2, 3, 4, 5, 7 ORDER BY 1, 2, 3, 5, 4, 7", key);
	int rc = SQLITE_ERROR;

	emit_json_open(w, "failure-details", '[');
	while (q != NULL && (rc = store_step(st, q)) == SQLITE_ROW) {
		emit_json_open(w, NULL, '{');
		emit_json_string(w, "result-type", text_at(q, 0));
		emit_json_string(w, "sending-mta-ip", text_at(q, 1));
		optional(w, "receiving-mx-hostname", text_at(q, 2));
		optional(w, "receiving-mx-helo", text_at(q, 3));
		emit_json_string(w, "receiving-ip", text_at(q, 4));
		emit_json_number(w, "failed-session-count", sqlite3_column_int64(q, 5));
		optional(w, "failure-reason-code", text_at(q, 6));
		emit_json_close(w, '}');
	}
	emit_json_close(w, ']');
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static bool policies(struct store *st, struct emit_json_writer *w, const char *domain)
{
	struct policy_key all = { .domain = domain, .type = "", .policy_domain = "" };
	sqlite3_stmt *q = ask(st,
		"SELECT policy, policy_domain, sum(result = 'success'),"
		" sum(result NOT IN ('success', 'not-judged', 'unknown')) FROM tlsrpt_session"
		" WHERE domain = ?1 AND ?2 = ?3 GROUP BY 1, 2 ORDER BY 1, 2", &all);
	int rc = SQLITE_ERROR;
	bool ok = q != NULL;

	emit_json_open(w, "policies", '[');
	while (ok && (rc = store_step(st, q)) == SQLITE_ROW) {
		struct policy_key key = { .domain = domain, .type = text_at(q, 0), .policy_domain = text_at(q, 1) };

		emit_json_open(w, NULL, '{');
		emit_json_open(w, "policy", '{');
		emit_json_string(w, "policy-type", key.type);
		ok = texts(st, w, "policy-string", policy_string_sql, &key);
		emit_json_string(w, "policy-domain", key.policy_domain);
		if (strcmp(key.type, "sts") == 0)
			ok = ok && texts(st, w, "mx-host", mx_host_sql, &key);
		emit_json_close(w, '}');
		emit_json_open(w, "summary", '{');
		emit_json_number(w, "total-successful-session-count", sqlite3_column_int64(q, 2));
		emit_json_number(w, "total-failure-session-count", sqlite3_column_int64(q, 3));
		emit_json_close(w, '}');
		ok = ok && failures(st, w, &key);
		emit_json_close(w, '}');
	}
	emit_json_close(w, ']');
	sqlite3_finalize(q);
	return ok && rc == SQLITE_DONE;
}

bool emit_tlsrpt(struct store *st, const struct tlsrpt_settings *settings, const char *domain, FILE *out)
{
	struct emit_json_writer w = { .out = out };
	bool ok;

	emit_json_open(&w, NULL, '{');
	ok = whole(st, &w, settings, domain) && policies(st, &w, domain);
	emit_json_close(&w, '}');
	putc_unlocked('\n', out);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

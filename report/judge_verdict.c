#include "report/judge_part.h"

#include <string.h>

/* Who is judged: hosts with mail contact, contact with a vendor's mail service, or a finding; and who is watched
 * whole, when it went beyond its own network. */
static const char judged_sql[] =
	"UPDATE client SET judged = 1 WHERE EXISTS (SELECT 1 FROM client_state AS s WHERE s.client = client.id)"
	" OR EXISTS (SELECT 1 FROM finding AS f WHERE f.client = client.id)"
	" OR id IN (SELECT client FROM web_mail_contact"
	" UNION SELECT client FROM contact_class JOIN contact USING (flow) WHERE class IN ('vendor', 'incoming')"
	" UNION SELECT c.client FROM contact_class JOIN contact AS c USING (flow) JOIN endpoint AS e ON e.id = c.endpoint"
	"  JOIN client_provider AS p ON p.client = c.client AND p.owner = e.owner WHERE class = 'web-clear'"
	" UNION SELECT t.client FROM traffic AS t JOIN endpoint AS e ON e.id = t.endpoint WHERE t.originated AND NOT t.loopback"
	"  AND e.role <> 'local' AND t.far NOT IN (SELECT address FROM client_address)"
	"  AND (SELECT max(scope) FROM run) = '" RUN_ALL_TRAFFIC "')";

#define WHOLE_MAX "8"	/* sentences on hosts that are not judged: who reads more */

/* A reason for cannot-say: rows of client and sentence. Sentences say what would settle it. */
struct reason {
	const char *axis;
	const char *select;
};

#define UNNAMED_BYTES "(SELECT value FROM threshold WHERE name = 'unnamed-bytes')"
#define UNNAMED_ALL_BYTES "(SELECT value FROM threshold WHERE name = 'unnamed-all-bytes')"
#define TITLE(column) "(SELECT title FROM owner AS o WHERE o.owner = " column ")"
#define S(count) "iif(" count " = 1, '', 's')"

/* What a readable mail session sent to the client's one mail server is mail at its place. */
#define UNNAMED "unnamed_up > 0" \
	" AND NOT (kind = 'session' AND (client, far) IN (SELECT client, far FROM only_server))"

static const struct reason reasons[] = {
	{ "third_party",
	  "SELECT c.id, printf('Not all of its traffic was seen: %s%s%s. A capture without losses would settle it.', l.reason,"
	  " iif(l.packets > 0, printf(', %d packet%s', l.packets, " S("l.packets") "), ''),"
	  " iif(l.bytes > 0, printf(', %d byte%s', l.bytes, " S("l.bytes") "), ''))"
	  " FROM client AS c JOIN client_loss AS l ON l.client IN (0, c.id) ORDER BY l.client, l.reason" },
	{ "third_party",
	  "SELECT c.id, 'Only packets that match the filter ' || r.filter || ' were read: all of them would settle it.'"
	  " FROM client AS c JOIN (SELECT DISTINCT filter FROM run) AS r ON r.filter <> '' ORDER BY c.id, r.filter" },
	{ "third_party",
	  "WITH far AS (SELECT client, far, sum(unnamed_up) AS up, max(e.as_org) AS as_org,"
	  "  sum(unnamed_up) >= " UNNAMED_BYTES " AS much"
	  "  FROM traffic AS t CROSS JOIN endpoint AS e WHERE e.id = t.endpoint AND " UNNAMED
	  "  GROUP BY client, far ORDER BY client, far),"
	  /* The far end and its network are those of the most (lang_select, "bare columns"), of several the first. */
	  " total AS (SELECT client, sum(up) AS all_up, count(*) AS all_n, sum(up) FILTER (WHERE much) AS up,"
	  "  count(*) FILTER (WHERE much) AS n, max(up) AS most, far, as_org FROM far GROUP BY client)"
	  " SELECT t.client, iif(n > 0, printf('It sent %d bytes to %d endpoint%s that nothing names, the most to %s%s.%s',"
	  "  t.up, t.n, " S("t.n") ", host(t.far), iif(as_org <> '', ' (' || as_org || ')', ''),"
	  "  iif(t.client IN (SELECT client FROM contact_class JOIN contact USING (flow)"
	  "    WHERE class = 'encrypted-dns'),"
	  "   ' Its look-ups were encrypted: a resolver that can be watched would settle it.',"
	  "   ' A capture that begins before its look-ups would settle it.')),"
	  "  printf('It sent %d bytes to %d endpoints that nothing names, little to each."
	  " A capture that begins before its look-ups would settle it.', all_up, all_n))"
	  " FROM total AS t WHERE n > 0 OR all_up >= " UNNAMED_ALL_BYTES " ORDER BY n = 0, t.client" },
	{ "third_party",
	  "SELECT client, printf('It sent %d bytes through %s (%s), where others'' traffic cannot be seen."
	  " A capture behind it would settle it.',"
	  " sum(up), host(far), min(iif(app_proto <> '', app_proto, 'tunnel'))) FROM opaque_contact"
	  " WHERE NOT loopback GROUP BY client, far HAVING sum(up) >= " UNNAMED_BYTES
	  " ORDER BY client, far" },
	{ "third_party",
	  "SELECT s.client, printf('It sent %d bytes behind the public name %s: Encrypted Client Hello hides the"
	  " host. A client with it switched off would settle it.',"
	  " sum(s.up), s.sni) FROM contact_class AS k CROSS JOIN seen AS s"
	  " WHERE k.class = 'ech' AND s.flow = k.flow AND EXISTS ("
	  "  SELECT 1 FROM name AS n JOIN client_address AS a ON a.address = n.asked_by AND " SAME_VANTAGE("n.id", "a.vantage")
	  "  WHERE a.client = s.client AND n.ech AND n.public_name = s.sni AND n.from_ns <= s.first_ns)"
	  " GROUP BY s.client, s.sni HAVING sum(s.up) >= " UNNAMED_BYTES " ORDER BY s.client, s.sni" },
	{ "third_party",
	  "SELECT v.client, printf('It sent %d bytes to the mail service of %s, and its own provider is not"
	  " known: --provider would settle it.', v.up, " TITLE("v.owner") ") FROM vendor_sum AS v"
	  " WHERE v.client NOT IN (SELECT client FROM client_provider)"
	  " AND (v.up >= " UNNAMED_BYTES " OR v.setup) ORDER BY v.client, v.owner" },
	/* That vendor may be another of its providers: who has accounts with both may have given it both, unless
	 * look-ups lead from the one to the other. */
	{ "third_party",
	  "SELECT p.client, printf('Its provider %s was not contacted while the mail service of %s was."
	  " A longer capture, or one at the provider''s server, would settle it.',"
	  "  p.owner, " TITLE("v.owner") ") FROM client_provider AS p"
	  " JOIN vendor_sum AS v ON v.client = p.client AND v.owner <> p.owner AND v.up >= " UNNAMED_BYTES
	  "  AND (NOT v.provider OR (p.how = 'declared' AND v.owner NOT IN"
	  "   (SELECT h.owner FROM provider_hint AS h WHERE h.client = p.client)))"
	  " WHERE NOT EXISTS (SELECT 1 FROM provider_contact AS c"
	  "  WHERE c.client = p.client AND c.owner = p.owner)"
	  " ORDER BY p.client, p.owner, v.owner" },
	/* Any mail program may ask such a host, and sends it little. */
	{ "third_party",
	  "SELECT t.client, printf('It sent %d bytes to the mail service of %s, to hosts that are not known to relay."
	  " If it has an account there, --provider would settle it.', sum(t.up), " TITLE("e.owner") ")"
	  " FROM traffic AS t JOIN endpoint AS e ON e.id = t.endpoint"
	  " WHERE t.kind IN ('web-mail', 'other') AND t.originated AND NOT t.loopback"
	  " AND e.role = 'mail-service' AND e.relay = 'no'"
	  " AND e.owner NOT IN (SELECT owner FROM client_provider AS p WHERE p.client = t.client)"
	  " AND e.owner NOT IN (SELECT owner FROM expected)"
	  " GROUP BY t.client, e.owner HAVING sum(t.up) >= (SELECT value FROM threshold WHERE name = 'relay-bytes')"
	  " ORDER BY t.client, e.owner" },
	/* A look-up of another's domain teaches as much as one of the account's. */
	{ "third_party",
	  "SELECT v.client, printf('It sent %d bytes to the mail service of %s, which only a look-up makes its"
	  " provider, beside sessions with another: --provider would settle it.', v.up, " TITLE("v.owner") ")"
	  " FROM vendor_sum AS v JOIN client_provider AS p"
	  "  ON p.client = v.client AND p.owner = v.owner AND p.how = 'learnt'"
	  " WHERE v.up >= " UNNAMED_BYTES
	  " AND NOT EXISTS (SELECT 1 FROM own_sessions AS o WHERE o.client = v.client AND o.owner = v.owner)"
	  " AND EXISTS (SELECT 1 FROM provider_contact AS c WHERE c.client = v.client AND c.owner <> v.owner)"
	  " ORDER BY v.client, v.owner" },
	{ "third_party",
	  "SELECT client, printf('It had %d mail session%s with %s, which nothing names by more than its"
	  " address. A capture that begins before its look-ups would settle it.',"
	  " sum(flows), " S("sum(flows)") ", host(far)) FROM own_sessions"
	  " WHERE (NOT named OR ambiguous) AND role <> 'local' AND NOT loopback"
	  " AND (client, far) NOT IN (SELECT client, far FROM only_server)"
	  " GROUP BY client, far HAVING sum(up) >= " UNNAMED_BYTES " OR client IN"
	  "  (SELECT client FROM client_provider WHERE how = 'declared') ORDER BY client, far" },
	{ "third_party",
	  "SELECT t.client, printf('It sent %d bytes to %s, which neither the catalogue nor expected: knows."
	  " If it is your own business, list it there.',"
	  " sum(t.up), " TITLE("e.owner") ") FROM traffic AS t JOIN endpoint AS e ON e.id = t.endpoint"
	  " WHERE (SELECT max(scope) FROM run) = '" RUN_ALL_TRAFFIC "'"
	  " AND e.role = 'other' AND e.service = '' AND t.originated AND NOT t.loopback"
	  " AND e.owner NOT IN (SELECT owner FROM expected)"
	  " AND e.owner NOT IN (SELECT owner FROM client_provider AS p WHERE p.client = t.client)"
	  " GROUP BY t.client, e.owner HAVING sum(t.up) >= " UNNAMED_BYTES " ORDER BY t.client, e.owner" },
	/* Who has a mailbox elsewhere and sends by itself is a server, or hands its mail to somebody. */
	{ "third_party",
	  "SELECT s.client, printf('%d deliver%s on port 25 to %s, which no MX look-up names."
	  " If this is your own mail server, list it under mail_servers.', sum(s.flows),"
	  " iif(sum(s.flows) = 1, 'y', 'ies'), iif(e.name <> '', e.name, host(s.far)))"
	  " FROM (SELECT c.client, c.endpoint, c.far, count(*) AS flows FROM contact_class AS k CROSS JOIN contact AS c"
	  "  WHERE k.class = 'delivery' AND c.flow = k.flow AND NOT c.loopback GROUP BY c.client, c.endpoint, c.far) AS s"
	  " JOIN endpoint AS e ON e.id = s.endpoint WHERE e.role <> 'local' AND e.named_by <> 'policy'"
	  " AND s.client IN (SELECT client FROM own_sessions)"
	  " AND e.owner NOT IN (SELECT owner FROM client_provider AS p WHERE p.client = s.client)"
	  " AND e.name NOT IN (SELECT lower(rtrim(substr(rdata, instr(rdata, ' ') + 1), '.')) FROM mail_dns"
	  "  WHERE type = 'MX')"
	  " GROUP BY s.client, e.name, s.far ORDER BY s.client, e.name, s.far" },
	{ "third_party",
	  "SELECT client, 'Suspected: ' || sentence FROM finding"
	  " WHERE class = 'leak' AND strength = 'suspected' ORDER BY id" },
	{ "third_party",
	  "SELECT client, printf('Where all that it sent went is not known: it sent %,d bytes, and of %,d the ledger"
	  " says where. That is a mistake of mailwitness: please report it.', sent,"
	  " to_provider + to_others + to_unnamed + to_local + to_clients) FROM balance WHERE NOT complete" },
	{ "path",
	  "SELECT client, 'Suspected: ' || sentence FROM finding"
	  " WHERE class = 'exposure' AND strength = 'suspected' ORDER BY id" },
	{ "path",
	  "SELECT s.client, printf('Who was at the other end of %d mail session%s under TLS is not known: the"
	  " certificate %s, and the client went on.%s',"
	  " count(*), " S("count(*)") ", CASE"
	  "  WHEN x.chain = 'self-signed' THEN 'is signed by nobody but itself'"
	  "  WHEN x.chain = 'untrusted' THEN 'leads to no authority that is trusted here'"
	  "  WHEN x.chain = 'expired' THEN 'had expired'"
	  "  WHEN x.chain = 'not-yet-valid' THEN 'was not valid yet'"
	  "  WHEN x.chain = 'malformed' THEN 'is no valid certificate'"
	  "  ELSE 'is for another name' END, iif(x.chain IN ('self-signed', 'untrusted'),"
	  "   ' If that is your own, --ca-file would settle it.', ' A certificate without fault would settle it.'))"
	  " FROM session_state AS s JOIN server_certificate AS x ON x.flow = s.flow"
	  " WHERE s.state = 'bad_certificate' GROUP BY s.client, iif(x.chain = 'not-judged', 'trusted', x.chain)"
	  " ORDER BY 1, 2" },
	{ "path",
	  "SELECT client, printf('%d mail session%s used STARTTLS, which the client does without as well: it was"
	  " seen in clear with the same server.', sessions, " S("sessions") ")"
	  " FROM client_state WHERE state = 'opportunistic'" },
	{ "path",
	  "SELECT client, printf('The certificate%s of %d mail session%s under TLS 1.2 or older %s not seen."
	  " A capture from the beginning would settle it.',"
	  " " S("sessions") ", sessions, " S("sessions") ", iif(sessions = 1, 'was', 'were'))"
	  " FROM client_state WHERE state = 'certificate_not_seen'" },
	{ "path",
	  "SELECT client, printf('%d mail session%s did not complete a TLS handshake that was seen."
	  " A capture from the beginning would settle it.',"
	  " sessions, " S("sessions") ") FROM client_state WHERE state = 'incomplete'" },
	{ "path",
	  "SELECT client, printf('How %d mail session%s %s protected was not seen."
	  " A capture from the beginning would settle it.', sessions, " S("sessions")
	  ", iif(sessions = 1, 'was', 'were')) FROM client_state WHERE state = 'unknown'" },
	{ "path",
	  "SELECT client, printf('%d mail session%s ran without TLS; neither mail nor a credential was read in %s."
	  " Switching on TLS in the client would settle it.',"
	  " unread, " S("unread") ", iif(unread = 1, 'it', 'them')) FROM client_state"
	  " WHERE state = 'postcard' AND unread > 0" },
	{ "path",
	  "SELECT s.client, printf('%d bytes went to the web host of %s without TLS."
	  " HTTPS in its stead would settle it.', sum(s.up),"
	  " " TITLE("s.owner") ") FROM contact_class AS k CROSS JOIN seen AS s"
	  " JOIN client_provider AS p ON p.client = s.client AND p.owner = s.owner"
	  " WHERE k.class = 'web-clear' AND s.flow = k.flow AND NOT s.loopback"
	  " GROUP BY s.client, s.owner ORDER BY s.client, s.owner" },
	{ "path",
	  "SELECT id, 'No mail session of its own was seen, so nothing is known of how its mail travels."
	  " A capture while it fetches mail would settle it.' FROM client"
	  " WHERE NOT EXISTS (SELECT 1 FROM client_state AS s WHERE s.client = client.id)"
	  " AND id NOT IN (SELECT client FROM web_mail_contact)"
	  " AND NOT EXISTS (SELECT 1 FROM finding AS f WHERE f.client = client.id AND f.class = 'exposure')" },
};

/* What is said beside: it changes no verdict. */
static const struct reason notes[] = {
	{ "note",
	  "SELECT m.client, printf('It sent %d bytes to the mail service of %s, which follow the %d bytes that it"
	  " fetched neither in time nor in amount.', m.up, " TITLE("m.owner") ", m.fetched) FROM mirror AS m"
	  " WHERE NOT EXISTS (SELECT 1 FROM finding AS f WHERE f.kind = 'mirrored-upload' AND f.client = m.client"
	  "  AND f.owner = m.owner) ORDER BY m.client, m.owner" },
	{ "note",
	  "SELECT client, printf('All %,d bytes that it sent are accounted for: %,d to its mail provider, %,d to"
	  " %sother%s, %,d to local hosts%s%s.', sent, to_provider, to_others, iif(others > 0, others || ' ', ''),"
	  " " S("others") ", to_local,"
	  " iif(to_clients > 0, printf(', %,d in answer to other clients', to_clients), ''),"
	  " iif(to_unnamed > 0, printf(', %,d to addresses that nothing names', to_unnamed), '')) FROM balance"
	  " WHERE complete"
	  " AND client NOT IN (SELECT client FROM reason WHERE axis = 'third_party')"
	  " AND client NOT IN (SELECT client FROM finding WHERE class = 'leak')" },
	{ "note",
	  "SELECT client, printf('TLS 1.3 hides the certificate%s of %d mail session%s.', " S("sessions")
	  ", sessions, " S("sessions") ") FROM client_state WHERE state = 'hidden'" },
	{ "note",
	  "SELECT client, printf('%d mail session%s went on with keys of an earlier one, whose certificate %s not"
	  " shown again.', sessions, " S("sessions") ", iif(sessions = 1, 'was', 'were'))"
	  " FROM client_state WHERE state = 'resumed'" },
	{ "note",
	  "SELECT client, printf('No CA store was there to judge the certificate%s of %d mail session%s by.',"
	  " " S("sessions") ", sessions, " S("sessions") ") FROM client_state WHERE state = 'no_store'" },
	{ "note",
	  "SELECT client, printf('The certificate%s of %d mail session%s %s trusted, but for which name is not"
	  " known.', " S("sessions") ", sessions, " S("sessions") ", iif(sessions = 1, 'is', 'are'))"
	  " FROM client_state WHERE state = 'no_name'" },
	{ "note",
	  "SELECT p.client, printf('It was seen with its mail provider %s (%s).', p.owner, p.how)"
	  " FROM client_provider AS p WHERE EXISTS (SELECT 1 FROM provider_contact AS c"
	  "  WHERE c.client = p.client AND c.owner = p.owner) ORDER BY p.client, p.owner" },
};

/* --client: others are not judged. Of several addresses one is enough. */
static bool leave_out(const struct judge_part *part)
{
	sqlite3_stmt *q = store_prepare(part->st,
		"SELECT a.client, a.address FROM client_address AS a JOIN client AS c ON c.id = a.client WHERE c.judged"
		" ORDER BY a.client");
	sqlite3_stmt *leave = store_prepare(part->st, "UPDATE client SET judged = 0 WHERE id = ?");
	bool ok = q != NULL && leave != NULL, wanted = true;
	int64_t client = 0;
	int rc = SQLITE_ROW;

	while (ok && rc == SQLITE_ROW) {
		rc = store_step(part->st, q);
		if (!wanted && (rc != SQLITE_ROW || sqlite3_column_int64(q, 0) != client)) {
			sqlite3_bind_int64(leave, 1, client);
			ok = store_do(part->st, leave);
		}
		if (rc != SQLITE_ROW)
			break;
		wanted = (wanted && sqlite3_column_int64(q, 0) == client) ||
			 policy_wants(part->policy, sqlite3_column_blob(q, 1));
		client = sqlite3_column_int64(q, 0);
	}
	sqlite3_finalize(q);
	sqlite3_finalize(leave);
	return ok && rc == SQLITE_DONE;
}

/* Of clients that are not judged nothing is written. */
static bool write_list(const struct judge_part *part, const struct reason *list, unsigned count, bool nobody)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < count; i++) {
		char *sql;

		if (nobody && strcmp(list[i].axis, "third_party") != 0)
			continue;
		sql = sqlite3_mprintf("INSERT INTO reason (client, axis, sentence) WITH told (client, sentence) AS (%s)"
			" SELECT client, %Q, sentence FROM told"
			" WHERE (SELECT judged FROM client WHERE id = told.client)%s", list[i].select, list[i].axis,
			nobody ? " LIMIT max(0, " WHOLE_MAX " - (SELECT count(*) FROM reason))" : "");
		ok = sql != NULL && store_exec(part->st, sql);
		sqlite3_free(sql);
	}
	return ok;
}

/* Where nobody is judged, something of each that is wanted: why of them nothing can be said belongs to the whole. */
static const char whole_sql[] =
	"UPDATE client SET judged = 0;"
	"UPDATE reason SET axis = 'whole', client = 0,"
	" sentence = (SELECT host(c.address) FROM client AS c WHERE c.id = reason.client) || ': ' || sentence;"
	"INSERT INTO reason VALUES (0, 0, 'whole', iif((SELECT max(scope) FROM run) = '" RUN_ALL_TRAFFIC "',"
	" 'It was not seen to send anything beyond its own network.',"
	" 'No client with mail contact, or contact with a vendor''s mail service, was seen.'))";

static bool write_reasons(const struct judge_part *part)
{
	bool nobody = store_number(part->st, "SELECT EXISTS (SELECT 1 FROM client WHERE judged)", 1) == 0;

	return (!nobody || (store_exec(part->st, "UPDATE client SET judged = 1") && leave_out(part))) &&
	       write_list(part, reasons, sizeof(reasons) / sizeof(reasons[0]), nobody) &&
	       write_list(part, notes, sizeof(notes) / sizeof(notes[0]), nobody) &&
	       (!nobody || store_exec(part->st, whole_sql)) &&
	       store_exec(part->st, "CREATE INDEX IF NOT EXISTS reason_of_client ON reason (client, axis)");
}

static const char verdict_sql[] =
	"UPDATE client SET"
	" third_party = CASE"
	"  WHEN id IN (SELECT client FROM finding WHERE class = 'leak' AND strength IN ('proven', 'strong'))"
	"   THEN 'leak'"
	"  WHEN EXISTS (SELECT 1 FROM reason AS r WHERE r.client = client.id AND r.axis = 'third_party')"
	"   THEN 'cannot-say' ELSE 'clean' END,"
	" path = CASE"
	"  WHEN EXISTS (SELECT 1 FROM exposing_finding AS f WHERE f.client = client.id) THEN 'exposed'"
	"  WHEN EXISTS (SELECT 1 FROM reason AS r WHERE r.client = client.id AND r.axis = 'path')"
	"   THEN 'cannot-say' ELSE 'sealed' END"
	" WHERE judged;"
	"UPDATE client SET verdict = CASE WHEN third_party = 'leak' OR path = 'exposed' THEN 'leak'"
	" WHEN third_party = 'clean' AND path = 'sealed' THEN 'clean' ELSE 'cannot-say' END WHERE judged;"
	"INSERT INTO verdict SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM client WHERE judged AND verdict = 'leak')"
	" THEN 'leak' WHEN EXISTS (SELECT 1 FROM client WHERE judged AND verdict = 'cannot-say')"
	" OR NOT EXISTS (SELECT 1 FROM client WHERE judged) THEN 'cannot-say' ELSE 'clean' END";

bool judge_verdict(const struct judge_part *part)
{
	return store_exec(part->st, judged_sql) && leave_out(part) && judge_balance(part) && write_reasons(part) &&
	       store_exec(part->st, verdict_sql);
}

/* What is seen at two vantage points, put together: at one a client sends to a vendor's mail service, at the
 * other that vendor logs in to a mail server.
 *
 * One of three ties says that the login is of this client's account:
 *   canary   the user declares that the account's password was typed into this client alone (--canary), and no
 *            other client had contact with the vendor: a login to it that got in proves who gave it away
 *   account  the client was seen using the account, and either a rule took it for relayed by this vendor, or
 *            its contact came first, as in:
 *   order    a rule took the client for relayed, it is the only one with contact to the vendor, and the vendor's
 *            first login came joint-ns after its first contact or sooner, clock-ns early at most
 * Clocks of two places are not trusted to agree better than that, so order alone is strong at most, and that of
 * a session which was under way when the capture began says nothing. Nor does a login from a network that
 * anybody can rent: only with a canary it is strong. */
#include "report/judge_part.h"

#include "report/policy.h"

#define THRESHOLD(name) "(SELECT value FROM threshold WHERE name = '" name "')"
#define SAME_ACCOUNT(a, b) \
	"(lower(" a ") = lower(" b ") OR (instr(" a ", '@') = 0 AND lower(substr(" b ", 1, length(" a ") + 1))" \
	" = lower(" a ") || '@'))"
#define TITLE(owner) "(SELECT title FROM owner AS o WHERE o.owner = " owner ")"

/* Of the logins of a vendor to an account, or where TLS hides it, to any: the first that got in, else the first. */
static const char login_sql[] =
	"CREATE TEMP TABLE joint_login AS SELECT * FROM"
	" (SELECT f.id AS pull, v.vantage, f.owner, f.strength, coalesce(f.account, '') AS account, w.id AS flow,"
	"   c.first_ns, coalesce(m.accepted OR m.mail_moved, 0) AS inside,"
	"   min(c.first_ns) OVER (PARTITION BY f.id) AS earliest_ns, min(w.orig_seen_syn) OVER (PARTITION BY f.id) AS begun,"
	"   row_number() OVER (PARTITION BY f.id ORDER BY coalesce(m.accepted OR m.mail_moved, 0) DESC, c.first_ns, w.id)"
	"    AS place"
	"  FROM finding AS f CROSS JOIN client AS v ON v.id = f.client"
	"  CROSS JOIN finding_flow AS x ON x.finding = f.id CROSS JOIN contact AS c ON c.flow = x.flow"
	"  CROSS JOIN flow AS w ON w.id = x.flow LEFT JOIN mail_session AS m ON m.flow = x.flow"
	"  WHERE f.kind = 'vendor-pull') WHERE place = 1;";

/* Who had contact with such a vendor at another vantage point, and whether a rule took it for relayed. */
static const char sender_sql[] =
	"CREATE TEMP TABLE joint_sender AS"
	" SELECT s.client, v.vantage, s.owner, min(s.first_ns) AS first_ns, sum(s.up) AS up, EXISTS"
	"  (SELECT 1 FROM finding AS f WHERE f.client = s.client AND f.owner = s.owner"
	"   AND f.kind IN ('cloud-relay', 'relay-setup', 'displacement', 'mirrored-upload')) AS flagged"
	" FROM vendor_contact AS s CROSS JOIN client AS v ON v.id = s.client"
	" WHERE s.owner IN (SELECT owner FROM joint_login) AND s.client IN (SELECT client FROM joint_wanted)"
	" GROUP BY s.client, s.owner;"
	"CREATE TEMP TABLE joint_account AS"
	" SELECT c.client, m.account FROM mail_session AS m CROSS JOIN contact AS c ON c.flow = m.flow"
	" WHERE c.originated AND m.account <> ''"
	" UNION SELECT c.client, d.account FROM disclosure AS d CROSS JOIN contact AS c ON c.flow = d.flow"
	" WHERE c.originated AND d.account <> '';";

/* The best tie of a client and a vendor; of several logins the first. */
static const char joint_sql[] =
	"INSERT INTO joint"
	" WITH pair AS (SELECT s.client, s.owner, s.flagged, s.first_ns AS contact_ns, l.pull, l.flow, l.account,"
	"   l.strength, l.inside, l.first_ns AS login_ns,"
	"   l.begun AND l.earliest_ns BETWEEN s.first_ns - " THRESHOLD("clock-ns")
	"    AND s.first_ns + " THRESHOLD("joint-ns") " + " THRESHOLD("clock-ns") " AS in_order,"
	"   (SELECT count(*) FROM joint_sender AS o WHERE o.owner = l.owner AND o.vantage <> l.vantage) AS senders,"
	"   l.account <> '' AND EXISTS (SELECT 1 FROM canary AS k WHERE " SAME_ACCOUNT("k.account", "l.account")
	"    OR " SAME_ACCOUNT("l.account", "k.account") ") AS canary,"
	"   l.account <> '' AND EXISTS (SELECT 1 FROM joint_account AS a WHERE a.client = s.client"
	"    AND lower(a.account) = lower(l.account)) AS own_account"
	"  FROM joint_login AS l CROSS JOIN joint_sender AS s ON s.owner = l.owner AND s.vantage <> l.vantage),"
	" tied AS (SELECT *, CASE"
	"   WHEN canary AND inside AND senders = 1 THEN 'canary'"
	"   WHEN strength = 'suspected' THEN NULL"
	"   WHEN own_account AND (flagged OR in_order) THEN 'account'"
	"   WHEN flagged AND in_order AND senders = 1 THEN 'order' END AS tie FROM pair),"
	" graded AS (SELECT *, iif(tie = 'order' OR strength = 'suspected' OR NOT inside, 'strong', 'proven')"
	"   AS grade FROM tied WHERE tie IS NOT NULL)"
	" SELECT client, owner, pull, flow, account, tie, grade, contact_ns, login_ns FROM"
	"  (SELECT *, row_number() OVER (PARTITION BY client, owner ORDER BY grade <> 'proven', login_ns, pull)"
	"    AS place FROM graded) WHERE place = 1;";

/* A client that no rule took for relayed gets the finding here. */
static const char finding_sql[] =
	"INSERT INTO finding SELECT (SELECT coalesce(max(id), 0) FROM finding)"
	"  + row_number() OVER (ORDER BY j.client, j.owner),"
	"  'cloud-relay/' || host(c.address) || '/' || j.owner || '/' || min(v.flow) || '//', 'cloud-relay', 'leak',"
	"  j.strength, j.client, j.owner, NULL, NULL, NULL, min(v.first_ns), max(v.last_ns),"
	"  printf('%s sent %d bytes to the mail service of %s.', host(c.address), sum(v.up), " TITLE("j.owner") "), ''"
	" FROM joint AS j CROSS JOIN client AS c ON c.id = j.client"
	" CROSS JOIN vendor_contact AS v ON v.client = j.client AND v.owner = j.owner"
	" WHERE NOT EXISTS (SELECT 1 FROM finding AS f"
	"  WHERE f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner)"
	" GROUP BY j.client, j.owner;"
	"INSERT OR IGNORE INTO finding_flow SELECT f.id, v.flow FROM joint AS j"
	" CROSS JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" CROSS JOIN vendor_contact AS v ON v.client = j.client AND v.owner = j.owner;"
	/* The login of an account that may be somebody else's would make the finding one of that account. */
	"INSERT OR IGNORE INTO finding_flow SELECT f.id, j.flow FROM joint AS j"
	" CROSS JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" WHERE j.tie <> 'order' OR j.account = '';"
	"INSERT OR IGNORE INTO evidence SELECT f.id, s.frame FROM joint AS j"
	" CROSS JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" CROSS JOIN finding_flow AS w ON w.finding = f.id AND w.flow <> j.flow"
	" CROSS JOIN upload_frame AS s ON s.flow = w.flow WHERE s.frame > 0;"
	"INSERT OR IGNORE INTO evidence SELECT f.id, s.frame FROM joint AS j"
	" CROSS JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" CROSS JOIN finding_flow AS w ON w.finding = f.id AND w.flow = j.flow"
	" CROSS JOIN flow_frame AS s ON s.flow = w.flow;"
	"INSERT OR IGNORE INTO evidence SELECT f.id, m.credential_frame FROM joint AS j"
	" CROSS JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" CROSS JOIN mail_session AS m ON m.flow = j.flow AND m.credential_frame > 0;";

/* What confirms it, and what would refute that. */
static const char confirm_sql[] =
	"UPDATE finding SET strength = iif(finding.strength = 'proven', finding.strength, j.strength),"
	" account = coalesce(finding.account, iif(j.tie = 'order', NULL, j.account)),"
	" sentence = sentence || printf(' At the vantage point %s, %s at %s %s %s%s, %s; %s.', j.vantage,"
	"  j.title, host(j.far), iif(j.account <> '', 'logged in to', 'had a mail session under TLS with'),"
	"  host(j.server), iif(j.account <> '', ' as ' || j.account, ''), CASE"
	"   WHEN j.login_ns >= j.contact_ns THEN duration(j.login_ns - j.contact_ns) || ' after its first contact with"
	" this client' ELSE duration(j.contact_ns - j.login_ns) || ' before its first contact with this client' END,"
	"  CASE j.tie WHEN 'canary' THEN 'the password of that account was typed into this client alone (--canary)'"
	"   WHEN 'account' THEN 'that is an account of this client'"
	"   ELSE 'whether the account is this client''s was not seen' END),"
	" refuted_by = CASE j.tie"
	"  WHEN 'canary' THEN 'The password was typed, stored or guessed elsewhere too: then the account is no canary.'"
	"  WHEN 'account' THEN 'Another device of the account''s owner gave the password to ' || j.title || ', and this"
	" client had contact with it for another reason.'"
	"  ELSE 'The login was to an account of somebody else, or ' || j.title || ' had logged in before the capture at '"
	"   || j.vantage || ' began, or the clocks differ by more than ' || printf('%d seconds.',"
	"   " THRESHOLD("clock-ns") " / 1000000000)"
	"  END"
	" FROM (SELECT j.*, v.vantage, v.address AS server, c.far, " TITLE("j.owner") " AS title FROM joint AS j"
	"  CROSS JOIN finding AS p ON p.id = j.pull CROSS JOIN client AS v ON v.id = p.client"
	"  CROSS JOIN contact AS c ON c.flow = j.flow) AS j"
	" WHERE finding.kind = 'cloud-relay' AND finding.client = j.client AND finding.owner = j.owner;"
	"UPDATE finding SET strength = 'proven' WHERE id IN (SELECT pull FROM joint WHERE strength = 'proven');";

static const char drop_sql[] =
	"DROP TABLE IF EXISTS temp.joint_wanted; DROP TABLE IF EXISTS temp.joint_login;"
	"DROP TABLE IF EXISTS temp.joint_sender; DROP TABLE IF EXISTS temp.joint_account;";

static bool note_canaries(const struct judge_part *part)
{
	const struct policy_word *words;
	unsigned count = policy_canaries(part->policy, &words);
	sqlite3_stmt *insert = store_prepare(part->st, "INSERT OR IGNORE INTO canary VALUES (lower(?))");
	bool ok = insert != NULL;

	for (unsigned i = 0; ok && i < count; i++) {
		sqlite3_bind_text(insert, 1, words[i].word, -1, SQLITE_STATIC);
		ok = store_do(part->st, insert);
	}
	sqlite3_finalize(insert);
	return ok;
}

/* --client says which of several was tested. */
static bool note_wanted(const struct judge_part *part)
{
	sqlite3_stmt *q, *insert;
	int rc = SQLITE_ERROR;

	if (!store_exec(part->st, "CREATE TEMP TABLE joint_wanted (client INTEGER PRIMARY KEY)"))
		return false;
	q = store_prepare(part->st, "SELECT client, address FROM client_address ORDER BY client, address");
	insert = store_prepare(part->st, "INSERT OR IGNORE INTO joint_wanted VALUES (?)");
	while (q != NULL && insert != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		if (!policy_wants(part->policy, sqlite3_column_blob(q, 1)))
			continue;
		sqlite3_bind_int64(insert, 1, sqlite3_column_int64(q, 0));
		if (!store_do(part->st, insert))
			break;
	}
	sqlite3_finalize(q);
	sqlite3_finalize(insert);
	return rc == SQLITE_DONE;
}

bool judge_joint(const struct judge_part *part)
{
	struct store *st = part->st;

	if (!note_canaries(part))
		return false;
	if (vantages_count(part->vantages) < 2 ||
	    store_number(st, "SELECT EXISTS (SELECT 1 FROM finding WHERE kind = 'vendor-pull')", 1) == 0)
		return true;
	return store_exec(st, drop_sql) && note_wanted(part) && store_exec(st, login_sql) &&
	       store_exec(st, sender_sql) && store_exec(st, joint_sql) && store_exec(st, finding_sql) &&
	       store_exec(st, confirm_sql) && store_exec(st, drop_sql);
}

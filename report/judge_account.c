#include "report/judge_part.h"

#define SEVERAL "(SELECT client FROM account_verdict GROUP BY client HAVING count(*) > 1)"

/* Of a finding's flows, with the accounts that could be read in them. */
#define FLOWS \
	"SELECT 1 FROM finding_flow AS w LEFT JOIN mail_session AS m ON m.flow = w.flow" \
	" LEFT JOIN disclosure AS d ON d.flow = w.flow WHERE w.finding = f.id"

/* Of the accounts that could be read, and only of them. The only account of a client has its verdict. Of several,
 * a reason that is no suspicion of another account's is one of each. */
static const char account_sql[] =
	"INSERT OR IGNORE INTO account_verdict SELECT c.id, r.account, c.third_party, c.path, c.verdict FROM"
	" (SELECT x.client, m.account FROM mail_session AS m CROSS JOIN contact AS x"
	"   WHERE m.account <> '' AND x.flow = m.flow"
	"  UNION ALL SELECT x.client, d.account FROM disclosure AS d CROSS JOIN contact AS x"
	"   WHERE d.account <> '' AND x.flow = d.flow"
	"  UNION ALL SELECT client, account FROM finding WHERE account IS NOT NULL) AS r"
	" CROSS JOIN client AS c WHERE c.id = r.client AND c.judged;"
	"INSERT INTO shared_finding SELECT a.client, a.account, f.id FROM account_verdict AS a"
	" CROSS JOIN finding AS f WHERE a.client IN " SEVERAL " AND f.client = a.client"
	" AND CASE WHEN f.account IS NOT NULL THEN f.account = a.account"
	"  ELSE EXISTS (" FLOWS " AND a.account IN (m.account, d.account))"
	"   OR NOT EXISTS (" FLOWS " AND (m.account <> '' OR d.account <> '')) END;"
	"UPDATE account_verdict AS a SET"
	" third_party = CASE"
	"  WHEN EXISTS (SELECT 1 FROM shared_finding AS x JOIN finding AS f ON f.id = x.finding"
	"   WHERE x.client = a.client AND x.account = a.account AND f.class = 'leak' AND f.strength <> 'suspected')"
	"   THEN 'leak'"
	"  WHEN (SELECT count(*) FROM reason AS b WHERE b.client = a.client AND b.axis = 'third_party')"
	"   > (SELECT count(*) FROM finding AS f WHERE f.client = a.client AND f.class = 'leak'"
	"    AND f.strength = 'suspected' AND f.id NOT IN (SELECT finding FROM shared_finding AS x"
	"     WHERE x.client = a.client AND x.account = a.account))"
	"   THEN 'cannot-say' ELSE 'clean' END,"
	" path = CASE WHEN EXISTS (SELECT 1 FROM shared_finding AS x JOIN exposing_finding AS e ON e.finding = x.finding"
	"   WHERE x.client = a.client AND x.account = a.account) THEN 'exposed'"
	"  WHEN path = 'exposed' THEN 'cannot-say' ELSE path END"
	" WHERE client IN " SEVERAL ";"
	"UPDATE account_verdict SET verdict = CASE WHEN third_party = 'leak' OR path = 'exposed' THEN 'leak'"
	" WHEN third_party = 'clean' AND path = 'sealed' THEN 'clean' ELSE 'cannot-say' END WHERE client IN " SEVERAL;

bool judge_account(const struct judge_part *part)
{
	return store_exec(part->st, account_sql);
}

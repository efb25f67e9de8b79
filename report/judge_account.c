#include "report/judge_part.h"

/* Of the accounts that could be read, and only of them. A reason that is no suspicion of another account's is
 * one of every account. */
static const char *const steps[] = {
	"CREATE TEMP TABLE readable AS SELECT m.flow, c.client, m.account FROM mail_session AS m"
	" CROSS JOIN contact AS c WHERE m.account <> '' AND c.flow = m.flow"
	" UNION SELECT d.flow, c.client, d.account FROM disclosure AS d"
	" CROSS JOIN contact AS c WHERE d.account <> '' AND c.flow = d.flow",
	"CREATE INDEX temp.readable_of_flow ON readable (flow)",
	"INSERT INTO account_verdict SELECT DISTINCT r.client, r.account, '', '', '' FROM ("
	"  SELECT client, account FROM temp.readable"
	"  UNION SELECT client, account FROM finding WHERE account IS NOT NULL) AS r"
	" JOIN client AS c ON c.id = r.client WHERE c.judged",
	"INSERT INTO account_finding SELECT a.client, a.account, f.id FROM account_verdict AS a"
	" JOIN finding AS f ON f.client = a.client WHERE CASE WHEN f.account IS NOT NULL THEN f.account = a.account"
	"  ELSE EXISTS (SELECT 1 FROM finding_flow AS w JOIN temp.readable AS r ON r.flow = w.flow"
	"    WHERE w.finding = f.id AND r.account = a.account)"
	"   OR NOT EXISTS (SELECT 1 FROM finding_flow AS w JOIN temp.readable AS r ON r.flow = w.flow"
	"    WHERE w.finding = f.id) END",
	"DROP TABLE temp.readable",
	"UPDATE account_verdict AS a SET"
	" third_party = CASE"
	"  WHEN EXISTS (SELECT 1 FROM account_finding AS x JOIN finding AS f ON f.id = x.finding"
	"   WHERE x.client = a.client AND x.account = a.account AND f.class = 'leak' AND f.strength <> 'suspected')"
	"   THEN 'leak'"
	"  WHEN (SELECT count(*) FROM reason AS b WHERE b.client = a.client AND b.axis = 'third_party')"
	"   > (SELECT count(*) FROM finding AS f WHERE f.client = a.client AND f.class = 'leak'"
	"    AND f.strength = 'suspected' AND f.id NOT IN (SELECT finding FROM account_finding AS x"
	"     WHERE x.client = a.client AND x.account = a.account))"
	"   THEN 'cannot-say' ELSE 'clean' END,"
	" path = CASE WHEN EXISTS (SELECT 1 FROM account_finding AS x JOIN exposing_finding AS e ON e.finding = x.finding"
	"   WHERE x.client = a.client AND x.account = a.account) THEN 'exposed'"
	"  ELSE (SELECT iif(path = 'exposed', 'cannot-say', path) FROM client WHERE id = a.client) END",
	"UPDATE account_verdict SET verdict = CASE WHEN third_party = 'leak' OR path = 'exposed' THEN 'leak'"
	" WHEN third_party = 'clean' AND path = 'sealed' THEN 'clean' ELSE 'cannot-say' END",
};

bool judge_account(const struct judge_part *part)
{
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!store_exec(part->st, steps[i]))
			return false;
	}
	return true;
}

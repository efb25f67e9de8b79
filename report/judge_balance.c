#include "report/judge_part.h"

/* Where what a judged client sent went, by the ledger. What it sent in flows that another client began stands in
 * that client's ledger, as what came down from this one. */
static const char balance_sql[] =
	"INSERT INTO client_balance"
	" WITH near AS MATERIALIZED (SELECT client, sum(up) AS up FROM traffic"
	"   WHERE loopback OR endpoint IN (SELECT id FROM endpoint WHERE role = 'local') GROUP BY client),"
	" answered AS MATERIALIZED (SELECT a.client, sum(t.down) AS up FROM traffic AS t"
	"  CROSS JOIN client_address AS a CROSS JOIN client AS c"
	"  WHERE a.address = t.far AND c.id = t.client AND c.vantage = a.vantage GROUP BY a.client),"
	" part AS MATERIALIZED (SELECT d.client, d.bytes_up AS up, d.owner, CASE"
	"   WHEN d.named_by IN ('none', 'asn') OR d.role = 'unnamed' THEN 'unnamed'"
	"   WHEN EXISTS (SELECT 1 FROM client_provider AS p WHERE p.client = d.client AND p.owner = d.owner)"
	"    THEN 'provider' ELSE 'other' END AS whose FROM destination AS d WHERE d.bytes_up > 0),"
	" listed AS MATERIALIZED (SELECT client, sum(up) FILTER (WHERE whose = 'provider') AS provider,"
	"   sum(up) FILTER (WHERE whose = 'other') AS other, sum(up) FILTER (WHERE whose = 'unnamed') AS unnamed,"
	"   count(DISTINCT iif(whose = 'other', owner, NULL)) AS owners FROM part GROUP BY client)"
	" SELECT c.id, v.payload_up, coalesce(l.provider, 0), coalesce(l.other, 0), coalesce(l.owners, 0),"
	"  coalesce(l.unnamed, 0), coalesce(n.up, 0), coalesce(a.up, 0)"
	" FROM client AS c JOIN client_coverage AS v ON v.client = c.id LEFT JOIN near AS n ON n.client = c.id"
	" LEFT JOIN answered AS a ON a.client = c.id LEFT JOIN listed AS l ON l.client = c.id WHERE c.judged";

bool judge_balance(const struct judge_part *part)
{
	return store_exec(part->st, "INSERT INTO destination SELECT * FROM sent_to") &&
	       store_exec(part->st, balance_sql);
}

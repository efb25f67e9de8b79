#include "report/judge_part.h"

/* What shows a flow of a finding beside the frames that its rule names: the DNS answer that named the far end, and
 * the login line. */
static const char evidence_sql[] =
	"INSERT OR IGNORE INTO evidence SELECT w.finding, c.name_frame FROM finding_flow AS w CROSS JOIN contact AS c"
	" WHERE c.flow = w.flow AND c.name_frame > 0;"
	"INSERT OR IGNORE INTO evidence SELECT w.finding, m.credential_frame FROM finding_flow AS w"
	" CROSS JOIN mail_session AS m WHERE m.flow = w.flow AND m.credential_frame > 0;"
	"INSERT INTO evidence_cut SELECT finding, count(*) - 1 - (SELECT value FROM threshold"
	"  WHERE name = 'evidence-frames'), (SELECT e.frame FROM evidence AS e WHERE e.finding = evidence.finding"
	"  ORDER BY e.frame LIMIT 1 OFFSET (SELECT value - 1 FROM threshold WHERE name = 'evidence-frames')), max(frame)"
	" FROM evidence GROUP BY finding HAVING count(*) - 1 > (SELECT value FROM threshold"
	"  WHERE name = 'evidence-frames');"
	"DELETE FROM evidence WHERE finding IN (SELECT finding FROM evidence_cut)"
	" AND frame > (SELECT after_frame FROM evidence_cut AS c WHERE c.finding = evidence.finding)"
	" AND frame < (SELECT last_frame FROM evidence_cut AS c WHERE c.finding = evidence.finding)";

bool judge_evidence(const struct judge_part *part)
{
	return store_exec(part->st, evidence_sql);
}

#include "report/judge_part.h"

/* Of the losses of flows the ledger has written already (judge_ledger.h). */
static const char *const steps[] = {
	/* Of no flow and no host: everyone's. */
	"INSERT INTO client_loss SELECT 0, reason, sum(packets), sum(bytes) FROM loss"
	" WHERE flow = 0 AND src IS NULL GROUP BY reason",
	/* A source that was not read to its end says so itself as well. What a killed run did not come to store is a
	 * gap where another went on behind it. */
	"INSERT OR IGNORE INTO client_loss SELECT DISTINCT 0, 'half-read', 0, 0 FROM source"
	" WHERE end NOT IN ('complete', 'running', 'vanished') AND NOT (end = 'killed' AND EXISTS"
	"  (SELECT 1 FROM source AS later WHERE later.number > source.number AND later.end <> 'killed'))",
	/* Of hosts: fragments. */
	"INSERT INTO client_loss SELECT client, reason, sum(packets), sum(bytes) FROM ("
	"  SELECT DISTINCT a.client, l.reason, l.packets, l.bytes, l.frame, l.place FROM loss AS l"
	"  JOIN client_address AS a ON a.address IN (l.src, l.dst) AND " SAME_VANTAGE("l.frame", "a.vantage")
	"  WHERE l.flow = 0 AND l.src IS NOT NULL)"
	" WHERE true GROUP BY client, reason"
	" ON CONFLICT DO UPDATE SET packets = packets + excluded.packets, bytes = bytes + excluded.bytes",
	/* Of whose old facts only those are left that findings rest on. What only began before then was not old. */
	"INSERT INTO client_loss SELECT DISTINCT client, 'deleted', 0, 0 FROM contact"
	" WHERE last_ns < (SELECT before_ns FROM deleted WHERE why = 'bytes' AND facts > 0)",
};

bool judge_loss(const struct judge_part *part)
{
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!store_exec(part->st, steps[i]))
			return false;
	}
	return true;
}

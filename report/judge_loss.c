#include "report/judge_part.h"

/* A loss matters in any flow that is not local, and in a mail session. */
static const char *const steps[] = {
	/* Of no flow and no host: everyone's. */
	"INSERT INTO client_loss SELECT 0, reason, sum(packets), sum(bytes) FROM loss"
	" WHERE flow = 0 AND src IS NULL GROUP BY reason",
	/* A source that was not read to its end says so itself as well. */
	"INSERT OR IGNORE INTO client_loss SELECT DISTINCT 0, 'half-read', 0, 0 FROM source"
	" WHERE end <> 'complete'",
	/* Of hosts: fragments. */
	"INSERT INTO client_loss SELECT client, reason, sum(packets), sum(bytes) FROM ("
	"  SELECT DISTINCT a.client, l.reason, l.packets, l.bytes, l.frame, l.place FROM loss AS l"
	"  JOIN client_address AS a ON a.address IN (l.src, l.dst)"
	"  WHERE l.flow = 0 AND l.src IS NOT NULL)"
	" GROUP BY client, reason",
	/* Of flows, as told. */
	"INSERT INTO client_loss SELECT s.client, l.reason, sum(l.packets), sum(l.bytes) FROM loss AS l"
	" JOIN seen AS s ON s.flow = l.flow"
	" WHERE l.flow <> 0 AND (s.role <> 'local' OR s.transport IS NOT NULL)"
	" GROUP BY s.client, l.reason"
	" ON CONFLICT DO UPDATE SET packets = packets + excluded.packets, bytes = bytes + excluded.bytes",
	/* Of flows, as they show it themselves where nothing was told. */
	"INSERT INTO client_loss SELECT s.client, r.reason, sum(r.packets), sum(r.bytes) FROM ("
	"  SELECT id AS flow, 'gap' AS reason, 0 AS packets, orig_missing + resp_missing AS bytes FROM lossy_flow"
	"  WHERE (orig_missing > 0 OR resp_missing > 0) AND proto = 6"
	"  UNION ALL SELECT id, 'snaplen', packets_cut, 0 FROM lossy_flow WHERE packets_cut > 0"
	"  UNION ALL SELECT id, 'evicted', 0, 0 FROM lossy_flow WHERE end = 'evicted'"
	"  UNION ALL SELECT id, 'one-direction', 0, 0 FROM lossy_flow"
	"  WHERE proto = 6 AND (orig_packets = 0 OR resp_packets = 0)"
	" ) AS r JOIN seen AS s ON s.flow = r.flow"
	" WHERE (s.role <> 'local' OR s.transport IS NOT NULL)"
	" AND NOT EXISTS (SELECT 1 FROM loss AS l WHERE l.flow = r.flow AND l.reason = r.reason)"
	" GROUP BY s.client, r.reason"
	" ON CONFLICT DO UPDATE SET packets = packets + excluded.packets, bytes = bytes + excluded.bytes",
};

bool judge_loss(const struct judge_part *part)
{
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!store_exec(part->st, steps[i]))
			return false;
	}
	return true;
}

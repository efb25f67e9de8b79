#include "report/judge_part.h"

/* Flows that have no samples are one each, at their beginning. */
static const char *const steps[] = {
	"CREATE TEMP TABLE fetched AS"
	" SELECT s.client, max(coalesce(p.start_ns, 0), s.first_ns) AS start_ns, coalesce(p.resp_bytes, s.down) AS bytes"
	" FROM fetch_session AS s LEFT JOIN flow_sample AS p ON p.flow = s.flow"
	" WHERE s.client IN (SELECT client FROM mirror_candidate)",
	"CREATE INDEX temp.fetched_by_client ON fetched (client)",
	"CREATE TEMP TABLE uploaded AS"
	" SELECT v.client, v.owner, v.flow, max(coalesce(p.start_ns, 0), v.first_ns) AS start_ns,"
	"  min(coalesce(p.end_ns, v.last_ns), v.last_ns) AS end_ns,"
	"  CASE WHEN p.flow IS NULL THEN v.up WHEN v.originated THEN p.orig_bytes ELSE p.resp_bytes END AS bytes,"
	"  CASE WHEN p.flow IS NULL THEN v.down WHEN v.originated THEN p.resp_bytes ELSE p.orig_bytes END AS back,"
	"  NOT v.ambiguous AND v.named_by NOT IN ('prefix', 'asn', 'none') AS sure"
	" FROM vendor_contact AS v"
	" JOIN mirror_candidate AS c ON c.client = v.client AND c.owner = v.owner"
	" LEFT JOIN flow_sample AS p ON p.flow = v.flow"
	" WHERE v.transport IS NULL",
	"CREATE INDEX temp.uploaded_by_client ON uploaded (client, owner)",
	"INSERT INTO mirror"
	" SELECT u.client, u.owner, u.up, u.sure_up, u.down, u.flows, u.first_ns, u.last_ns,"
	"  (SELECT coalesce(sum(f.bytes), 0) FROM fetched AS f WHERE f.client = u.client AND f.start_ns <= u.last_ns),"
	"  (SELECT coalesce(sum(b.bytes), 0)"
	"   FROM (SELECT min(f.start_ns) AS at_ns FROM fetched AS f WHERE f.client = u.client) AS m"
	"   CROSS JOIN uploaded AS b WHERE b.client = u.client AND b.owner = u.owner AND b.end_ns >= m.at_ns),"
	"  (SELECT timing(x.time_ns, x.down, x.up, (SELECT value FROM threshold WHERE name = 'mirror-p'), c.tries)"
	"   FROM (SELECT start_ns AS time_ns, bytes AS down, 0 AS up FROM fetched AS f WHERE f.client = u.client"
	"    UNION ALL SELECT start_ns, 0, bytes FROM uploaded AS b"
	"    WHERE b.client = u.client AND b.owner = u.owner) AS x)"
	" FROM (SELECT client, owner, sum(bytes) AS up, total(bytes) FILTER (WHERE sure) AS sure_up, sum(back) AS down,"
	"  count(DISTINCT flow) AS flows, min(start_ns) FILTER (WHERE bytes > 0) AS first_ns,"
	"  max(end_ns) FILTER (WHERE bytes > 0) AS last_ns FROM uploaded GROUP BY client, owner) AS u"
	" JOIN mirror_candidate AS c ON c.client = u.client AND c.owner = u.owner",
	"DROP TABLE temp.fetched",
	"DROP TABLE temp.uploaded",
};

bool judge_mirror(const struct judge_part *part)
{
	int64_t candidates = store_number(part->st, "SELECT count(*) FROM mirror_candidate", -1);

	for (unsigned i = 0; candidates > 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!store_exec(part->st, steps[i]))
			return false;
	}
	return candidates >= 0;
}

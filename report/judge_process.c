/* What flows and the owners of sockets have in common: addresses, ports and time.
 *
 * exact      the socket with these addresses was there while the flow was, and these hold it: all of them
 * port-only  UDP: one of these sent it, for they are bound to its port; or more hold it than are named
 * late       the socket was seen before what was seen of the flow, or behind it, or when it was closing
 * none       it was not there (any more) when it was asked for, nobody was found who holds it, or another was
 *            begun with the same addresses before the answer came: whose that is cannot be said
 * recorded   by the capturing tool, with the packets
 *
 * That a socket was seen earlier says something of a flow whose beginning was not seen, for a SYN would have ended
 * it; that it was later, of one whose end was not. Those found for a packet are of that packet's flow alone. */
#include "report/judge_part.h"

/* Each with a place where it is said of which flows. */
static const char recorded_sql[] =
	"INSERT INTO flow_process SELECT id, -1, 0, pid, NULL, 'recorded' FROM flow AS f WHERE pid <> 0%s";

#define SAME_SOCKET(a, b) \
	a ".local_addr = " b ".local_addr AND " a ".local_port = " b ".local_port AND " a ".remote_addr = " b ".remote_addr" \
	" AND " a ".remote_port = " b ".remote_port AND " a ".proto = " b ".proto"

static const char matched_sql[] =
	"INSERT INTO flow_process"
	" WITH known AS MATERIALIZED (SELECT number, pid, uid, min(number) OVER"
	"  (PARTITION BY name, path, uid, user, cgroup, unit, sha256) AS program FROM process),"
	" found AS (SELECT f.id, e.originator, s.*,"
	"   s.from_ns <= f.last_ns AND s.until_ns >= f.first_ns AS meets,"
	"   f.proto = 6 AND ((s.until_ns < f.first_ns AND NOT f.orig_seen_syn) OR (s.from_ns > f.last_ns"
	"    AND NOT s.asked AND f.end IN ('open', 'timed-out', 'evicted'))) AS beside,"
	"   s.asked AND EXISTS (SELECT 1 FROM socket_owner AS n WHERE " SAME_SOCKET("n", "s")
	"    AND n.from_ns > s.from_ns AND n.from_ns <= s.until_ns) AS begun_again"
	"  FROM flow AS f CROSS JOIN (SELECT 1 AS originator UNION ALL SELECT 0) AS e CROSS JOIN socket_owner AS s"
	"  WHERE s.local_addr = iif(e.originator, f.orig_addr, f.resp_addr)"
	"   AND s.local_port = iif(e.originator, f.orig_port, f.resp_port)"
	"   AND s.remote_addr = iif(e.originator, f.resp_addr, f.orig_addr)"
	"   AND s.remote_port = iif(e.originator, f.resp_port, f.orig_port) AND s.proto = f.proto%s),"
	" ranked AS (SELECT id, originator, iif(begun_again, 0, process) AS process, iif(begun_again, NULL, uid) AS uid,"
	"   CASE WHEN process = 0 OR begun_again THEN 4"
	"    WHEN state = 'port' OR (meets AND holders > (SELECT count(*) FROM socket_owner AS n WHERE "
	SAME_SOCKET("n", "found") " AND n.from_ns = found.from_ns)) THEN 2"
	"    WHEN state = 'connected' AND meets THEN 1 ELSE 3 END AS rank"
	"  FROM found WHERE meets OR beside),"
	" best AS (SELECT *, min(rank) OVER (PARTITION BY id, originator) AS best FROM ranked)"
	" SELECT b.id, b.originator, coalesce(k.program, 0), iif(min(k.pid) = max(k.pid), k.pid, 0),"
	"  coalesce(k.uid, max(b.uid)),"
	"  CASE b.rank WHEN 1 THEN 'exact' WHEN 2 THEN 'port-only' WHEN 3 THEN 'late' ELSE 'none' END"
	" FROM best AS b LEFT JOIN known AS k ON k.number = b.process WHERE b.rank = b.best"
	" GROUP BY b.id, b.originator, k.program";

static bool insert(const struct judge_part *part, const char *format)
{
	char *sql = sqlite3_mprintf(format, part->only_due ? " AND f.id" JUDGE_IS_DUE : "");
	bool ok = store_exec(part->st, sql);

	sqlite3_free(sql);
	return ok;
}

bool judge_process(const struct judge_part *part)
{
	struct store *st = part->st;
	int64_t matched = store_number(st, "SELECT EXISTS (SELECT 1 FROM socket_owner)", -1);

	return matched >= 0 && (!part->only_due || store_exec(st, "DELETE FROM flow_process WHERE flow" JUDGE_IS_DUE)) &&
	       (part->no_pids || insert(part, recorded_sql)) && (matched == 0 || insert(part, matched_sql));
}

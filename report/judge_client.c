#include "report/judge_client.h"

#include "capture/flow_key.h"

#include <string.h>

/* Of a network that the catalogue lists for a vendor whose servers fetch mail. */
static bool is_vendors(const struct judge_part *part, const uint8_t address[16])
{
	struct owner_evidence evidence = { .sni = "", .dns_name = "", .dns_canonical = "", .certificate = "" };
	struct owner_tag tag = { .relay = RELAY_NO };

	memcpy(evidence.address, address, 16);
	part->book->tag(part->book->context, &evidence, &tag);
	return tag.named_by == NAMED_BY_PREFIX && tag.relay != RELAY_NO;
}

bool client_is_originator(const struct judge_part *part, const uint8_t *orig, const uint8_t *resp)
{
	if (policy_home(part->policy, orig) || policy_home(part->policy, resp))
		return policy_home(part->policy, orig);
	/* With neither at home: a vendor's server is nobody's PC, it logs in at somebody's. */
	return !is_vendors(part, orig) || is_vendors(part, resp);
}

static bool is_unspecified(const uint8_t address[16])
{
	static const uint8_t v6[16], v4[16] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, v6, 16) == 0 || memcmp(address, v4, 16) == 0;
}

/* Whether the far end's card is a router's: what is not home was reached through it. IPv4 only: of the
 * global IPv6 addresses of neighbours it is not known that they are home. */
static bool shows_router(const struct policy *policy, const uint8_t *near, const uint8_t *far)
{
	return policy_home(policy, near) && !policy_home(policy, far) && host_is_ipv4(far) && !is_unspecified(far);
}

struct host_key client_key(const struct judge_part *part, int64_t flow, const uint8_t address[16])
{
	struct host_key key = { .vantage = (uint8_t)vantages_of(part->vantages, flow) };

	memcpy(key.address, address, sizeof(key.address));
	return key;
}

const uint8_t *client_note_host(const struct judge_part *part, struct host_table *hosts, const struct client_flow *f)
{
	const struct policy *policy = part->policy;
	bool originated = client_is_originator(part, f->orig, f->resp);
	const uint8_t *near = originated ? f->orig : f->resp, *far = originated ? f->resp : f->orig;
	const uint8_t *far_mac = originated ? f->resp_mac : f->orig_mac;
	struct host_key key = client_key(part, f->id, near);

	if (far_mac != NULL && shows_router(policy, near, far))
		host_table_router(hosts, far_mac);
	/* A host that has no address yet (DHCP, duplicate address detection) is nobody. */
	if (!is_unspecified(near))
		host_table_seen(hosts, &key, &(struct host_sight){ .flow = f->id, .first_ns = f->first_ns,
			.last_ns = f->last_ns, .mac = originated ? f->orig_mac : f->resp_mac });
	return near;
}

enum host_column { HOST_ID, HOST_ORIG, HOST_RESP, HOST_ORIG_MAC, HOST_RESP_MAC, HOST_FIRST_NS, HOST_LAST_NS };

bool client_note_hosts(const struct judge_part *part, struct host_table *hosts)
{
	sqlite3_stmt *q = store_prepare(part->st,
		"SELECT id, orig_addr, resp_addr, orig_mac, resp_mac, first_ns, last_ns FROM flow_with_content");
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW)
		client_note_host(part, hosts, &(struct client_flow){
			.id = sqlite3_column_int64(q, HOST_ID),
			.orig = sqlite3_column_blob(q, HOST_ORIG), .resp = sqlite3_column_blob(q, HOST_RESP),
			.orig_mac = sqlite3_column_blob(q, HOST_ORIG_MAC), .resp_mac = sqlite3_column_blob(q, HOST_RESP_MAC),
			.first_ns = sqlite3_column_int64(q, HOST_FIRST_NS), .last_ns = sqlite3_column_int64(q, HOST_LAST_NS) });
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static bool write_more(const struct judge_part *part, const struct host_table *table)
{
	sqlite3_stmt *insert;
	bool ok = store_exec(part->st, "CREATE TEMP TABLE IF NOT EXISTS client_more (client INTEGER PRIMARY KEY);"
			     "DELETE FROM temp.client_more");

	insert = ok ? store_prepare(part->st, "INSERT INTO temp.client_more VALUES (?)") : NULL;
	ok = insert != NULL;
	for (unsigned client = 1; ok && client <= host_table_clients(table); client++) {
		if (!host_table_has_more(table, client))
			continue;
		sqlite3_bind_int64(insert, 1, client);
		ok = store_do(part->st, insert);
	}
	sqlite3_finalize(insert);
	return ok;
}

static bool write_client(const struct judge_part *part, const struct host_table *table, const struct ledger *ledger,
			 unsigned client, sqlite3_stmt *insert, sqlite3_stmt *insert_address)
{
	const struct host *const *hosts;
	unsigned count = host_table_addresses(table, client, &hosts);
	int64_t first_ns = hosts[0]->first_ns, last_ns = hosts[0]->last_ns;
	const char *vantage = vantages_name(part->vantages, hosts[0]->vantage);
	bool ok;

	sqlite3_bind_int64(insert, 1, client);
	sqlite3_bind_blob(insert, 2, hosts[0]->address, 16, SQLITE_STATIC);
	if (hosts[0]->has_mac)
		sqlite3_bind_blob(insert, 3, hosts[0]->mac, 6, SQLITE_STATIC);
	else
		sqlite3_bind_null(insert, 3);
	for (unsigned i = 0; i < count; i++) {
		first_ns = hosts[i]->first_ns < first_ns ? hosts[i]->first_ns : first_ns;
		last_ns = hosts[i]->last_ns > last_ns ? hosts[i]->last_ns : last_ns;
	}
	sqlite3_bind_int64(insert, 4, first_ns);
	sqlite3_bind_int64(insert, 5, last_ns);
	sqlite3_bind_int64(insert, 6, ledger_watched_ns(ledger, client));
	sqlite3_bind_text(insert, 7, vantage, -1, SQLITE_STATIC);
	ok = store_do(part->st, insert);
	for (unsigned i = 0; ok && i < count; i++) {
		sqlite3_bind_blob(insert_address, 1, hosts[i]->address, 16, SQLITE_STATIC);
		sqlite3_bind_int64(insert_address, 2, client);
		sqlite3_bind_text(insert_address, 3, vantage, -1, SQLITE_STATIC);
		ok = store_do(part->st, insert_address);
	}
	return ok;
}

bool client_write(const struct judge_part *part, const struct host_table *hosts, const struct ledger *ledger)
{
	struct store *st = part->st;
	sqlite3_stmt *insert = store_prepare(st,
		"INSERT INTO client VALUES (?1,?2,?7,?3,'',?4,?5,?6,0,'cannot-say','cannot-say','cannot-say')");
	sqlite3_stmt *insert_address = store_prepare(st, "INSERT INTO client_address (address, client, vantage) VALUES (?,?,?)");
	unsigned count = host_table_clients(hosts);
	bool ok = insert != NULL && insert_address != NULL;

	for (unsigned client = 1; ok && client <= count; client++)
		ok = write_client(part, hosts, ledger, client, insert, insert_address);
	sqlite3_finalize(insert);
	sqlite3_finalize(insert_address);
	/* What a host called itself last. */
	return ok && write_more(part, hosts) && store_exec(st,
		"UPDATE client SET name = coalesce((SELECT n.name FROM name AS n"
		" JOIN client_address AS a ON a.address = n.address"
		" WHERE n.kind = 'host' AND a.client = client.id AND " SAME_VANTAGE("n.id", "a.vantage")
		" ORDER BY n.from_ns DESC, n.id DESC, n.place DESC LIMIT 1), '')"
		" WHERE EXISTS (SELECT 1 FROM name WHERE kind = 'host')");
}

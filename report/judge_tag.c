#include "report/judge_part.h"

#include "capture/base.h"
#include "report/judge_host.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 16	/* different names of one address that are looked at: more is ambiguous anyhow */

/* What a tag was asked with; the tag is asked for once. */
struct tag_key {
	uint8_t address[16];
	bool quic, ambiguous, own_server;
	char sni[FACT_NAME_SIZE], dns_name[FACT_NAME_SIZE], canonical[FACT_NAME_SIZE];
};

struct tag_entry {
	char *text;		/* sni, dns_name and canonical, each with its NUL */
	size_t text_len;
	uint8_t fixed[19];	/* address and flags */
	int64_t endpoint;
};

struct tagger {
	const struct judge_part *part;
	struct host_table *hosts;
	void *tags;			/* tsearch: tag_entry */
	int64_t endpoint_count;
	sqlite3_stmt *names, *insert_endpoint, *insert_owner, *insert_contact;
	struct tag_key key;
	struct owner_tag tag;
};

static int by_evidence(const void *a, const void *b)
{
	const struct tag_entry *x = a, *y = b;
	int cmp = memcmp(x->fixed, y->fixed, sizeof(x->fixed));

	if (cmp == 0 && x->text_len != y->text_len)
		cmp = x->text_len < y->text_len ? -1 : 1;
	return cmp != 0 ? cmp : memcmp(x->text, y->text, x->text_len);
}

static void entry_free(void *entry)
{
	free(((struct tag_entry *)entry)->text);
	free(entry);
}

static void ask(struct tagger *t, const char *name, const char *canonical, struct owner_tag *tag_out)
{
	struct owner_evidence evidence = {
		.sni = t->key.sni,
		.quic = t->key.quic,
		.dns_name = name,
		.dns_canonical = canonical,
		.certificate = "",
	};

	memcpy(evidence.address, t->key.address, 16);
	memset(tag_out, 0, sizeof(*tag_out));
	t->part->book->tag(t->part->book->context, &evidence, tag_out);
}

static void bind_text(sqlite3_stmt *q, int at, const char *text)
{
	sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

static bool write_endpoint(struct tagger *t, const char *named_by)
{
	const struct owner_tag *tag = &t->tag;
	sqlite3_stmt *q = t->insert_endpoint;

	sqlite3_bind_int64(q, 1, t->endpoint_count);
	bind_text(q, 2, tag->owner);
	bind_text(q, 3, tag->service);
	bind_text(q, 4, fact_role_name(tag->role));
	bind_text(q, 5, named_by);
	bind_text(q, 6, fact_strength_name(tag->strength));
	bind_text(q, 7, fact_certainty_name(tag->relay));
	sqlite3_bind_int(q, 8, tag->setup);
	sqlite3_bind_int(q, 9, tag->resolver);
	sqlite3_bind_int(q, 10, tag->ambiguous);
	bind_text(q, 11, tag->name);
	sqlite3_bind_int64(q, 12, tag->asn);
	bind_text(q, 13, tag->as_org);
	bind_text(q, 14, tag->source);
	bind_text(t->insert_owner, 1, tag->owner);
	bind_text(t->insert_owner, 2, tag->title);
	return store_do(t->part->st, q) && store_do(t->part->st, t->insert_owner);
}

/* Asks the catalogue what stands in t->key. */
static bool new_endpoint(struct tagger *t)
{
	const char *named_by = "policy";

	if (t->key.own_server) {
		t->tag = (struct owner_tag){ .owner = JUDGE_OWN_SERVER, .title = "own mail server",
			.role = ROLE_MAIL_PROVIDER, .strength = STRENGTH_PROVEN };
	} else {
		ask(t, t->key.dns_name, t->key.canonical, &t->tag);
		named_by = fact_named_by_name(t->tag.named_by);
	}
	if (t->key.ambiguous && t->tag.named_by == NAMED_BY_DNS) {
		t->tag.ambiguous = true;
		t->tag.strength = STRENGTH_SUSPECTED;
	}
	t->endpoint_count++;
	return write_endpoint(t, named_by);
}

/* The endpoint of t->key, as it was or new; 0 when it could not be written. */
static int64_t endpoint_of(struct tagger *t)
{
	const struct tag_key *key = &t->key;
	size_t sni = strlen(key->sni) + 1, name = strlen(key->dns_name) + 1;
	size_t canonical = strlen(key->canonical) + 1;
	char text[3 * FACT_NAME_SIZE];
	struct tag_entry probe = { .text = text, .text_len = sni + name + canonical }, *entry;
	struct tag_entry *const *node;

	memcpy(text, key->sni, sni);
	memcpy(text + sni, key->dns_name, name);
	memcpy(text + sni + name, key->canonical, canonical);
	memcpy(probe.fixed, key->address, 16);
	probe.fixed[16] = key->quic;
	probe.fixed[17] = key->ambiguous;
	probe.fixed[18] = key->own_server;
	node = tfind(&probe, &t->tags, by_evidence);
	if (node != NULL)
		return (*node)->endpoint;
	if (!new_endpoint(t))
		return 0;
	entry = base_alloc(sizeof(*entry));
	*entry = probe;
	entry->text = base_alloc(probe.text_len);
	memcpy(entry->text, text, probe.text_len);
	entry->endpoint = t->endpoint_count;
	tsearch(entry, &t->tags, by_evidence);
	return entry->endpoint;
}

/* The best answer that this client got for the address before the flow began: the latest. Other names
 * that were still valid then make it ambiguous when they are another owner's. */
static bool name_by_dns(struct tagger *t, unsigned client, int64_t first_ns)
{
	const struct host *const *addresses;
	unsigned count = host_table_addresses(t->hosts, client, &addresses);
	int64_t best_ns = INT64_MIN;
	struct { char name[FACT_NAME_SIZE], canonical[FACT_NAME_SIZE]; } others[NAMES_MAX];
	unsigned other_count = 0;
	int rc;

	for (unsigned i = 0; i < count; i++) {
		unsigned rows = 0;

		sqlite3_bind_blob(t->names, 1, addresses[i]->address, 16, SQLITE_STATIC);
		sqlite3_bind_blob(t->names, 2, t->key.address, 16, SQLITE_STATIC);
		sqlite3_bind_int64(t->names, 3, first_ns);
		while ((rc = store_step(t->part->st, t->names)) == SQLITE_ROW) {
			const char *name = (const char *)sqlite3_column_text(t->names, 0);
			const char *canonical = (const char *)sqlite3_column_text(t->names, 1);
			int64_t from_ns = sqlite3_column_int64(t->names, 2);

			if (rows++ == 0 && from_ns > best_ns) {
				best_ns = from_ns;
				base_copy(t->key.dns_name, sizeof(t->key.dns_name), name);
				base_copy(t->key.canonical, sizeof(t->key.canonical), canonical);
			}
			if (sqlite3_column_int64(t->names, 3) >= first_ns && other_count < NAMES_MAX) {
				base_copy(others[other_count].name, FACT_NAME_SIZE, name);
				base_copy(others[other_count++].canonical, FACT_NAME_SIZE, canonical);
			}
		}
		sqlite3_reset(t->names);
		if (rc != SQLITE_DONE)
			return false;
	}
	for (unsigned i = 0; i < other_count && !t->key.ambiguous; i++) {
		struct owner_tag best, other;

		if (strcmp(others[i].name, t->key.dns_name) == 0)
			continue;
		ask(t, t->key.dns_name, t->key.canonical, &best);
		ask(t, others[i].name, others[i].canonical, &other);
		t->key.ambiguous = strcmp(best.owner, other.owner) != 0;
	}
	return true;
}

enum column { ID, ORIG, RESP, ORIG_PAYLOAD, RESP_PAYLOAD, FIRST_NS, SNI, QUIC, ORIG_MAC, RESP_MAC };

static const char flow_sql[] =
	"SELECT f.id, f.orig_addr, f.resp_addr, f.orig_payload, f.resp_payload, f.first_ns, h.sni, h.quic,"
	" f.orig_mac, f.resp_mac"
	" FROM flow AS f LEFT JOIN handshake AS h ON h.flow = f.id"
	" WHERE f.orig_payload > 0 OR f.resp_payload > 0 OR f.orig_missing > 0 OR f.resp_missing > 0"
	" ORDER BY f.id";

/* DESIGN, "Which end is the client". */
static bool client_is_originator(const struct policy *policy, const uint8_t *orig, const uint8_t *resp)
{
	return policy_home(policy, orig) || !policy_home(policy, resp);
}

static bool is_loopback(const uint8_t *address)
{
	static const uint8_t v6[16] = { [15] = 1 }, v4[13] = { [10] = 0xff, 0xff, 127 };

	return memcmp(address, v6, 16) == 0 || memcmp(address, v4, 13) == 0;
}

static bool write_contact(struct tagger *t, sqlite3_stmt *q)
{
	const uint8_t *orig = sqlite3_column_blob(q, ORIG), *resp = sqlite3_column_blob(q, RESP);
	bool originated = client_is_originator(t->part->policy, orig, resp);
	const uint8_t *near = originated ? orig : resp, *far = originated ? resp : orig;
	unsigned client = host_table_client(t->hosts, near);
	const char *sni = (const char *)sqlite3_column_text(q, SNI);
	sqlite3_stmt *insert = t->insert_contact;

	if (client == 0)
		return true;
	memset(&t->key, 0, sizeof(t->key));
	memcpy(t->key.address, far, 16);
	t->key.own_server = policy_mail_server(t->part->policy, far);
	/* A name in a hello that came in is the home host's own. */
	if (sni != NULL && originated) {
		base_copy(t->key.sni, sizeof(t->key.sni), sni);
		t->key.quic = sqlite3_column_int(q, QUIC) != 0;
	}
	if (t->key.sni[0] == '\0' && !name_by_dns(t, client, sqlite3_column_int64(q, FIRST_NS)))
		return false;
	int64_t endpoint = endpoint_of(t);

	if (endpoint == 0)
		return false;
	sqlite3_bind_int64(insert, 1, sqlite3_column_int64(q, ID));
	sqlite3_bind_int64(insert, 2, client);
	sqlite3_bind_int64(insert, 3, endpoint);
	sqlite3_bind_int(insert, 4, originated);
	sqlite3_bind_int(insert, 5, is_loopback(orig) || is_loopback(resp));
	sqlite3_bind_blob(insert, 6, far, 16, SQLITE_STATIC);
	sqlite3_bind_int64(insert, 7, sqlite3_column_int64(q, originated ? ORIG_PAYLOAD : RESP_PAYLOAD));
	sqlite3_bind_int64(insert, 8, sqlite3_column_int64(q, originated ? RESP_PAYLOAD : ORIG_PAYLOAD));
	return store_do(t->part->st, insert);
}

static bool note_host(struct tagger *t, sqlite3_stmt *q)
{
	static const uint8_t unspecified_v6[16], unspecified_v4[16] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *orig = sqlite3_column_blob(q, ORIG), *resp = sqlite3_column_blob(q, RESP);
	bool originated = client_is_originator(t->part->policy, orig, resp);
	const uint8_t *near = originated ? orig : resp;

	/* A host that has no address yet (DHCP, duplicate address detection) is nobody. */
	if (memcmp(near, unspecified_v6, 16) != 0 && memcmp(near, unspecified_v4, 16) != 0)
		host_table_seen(t->hosts, near, sqlite3_column_blob(q, originated ? ORIG_MAC : RESP_MAC));
	return true;
}

static bool each_flow(struct tagger *t, bool (*take)(struct tagger *t, sqlite3_stmt *q))
{
	sqlite3_stmt *q = store_prepare(t->part->st, flow_sql);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(t->part->st, q)) == SQLITE_ROW) {
		if (!take(t, q))
			break;
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static bool write_client(struct tagger *t, unsigned client, sqlite3_stmt *insert, sqlite3_stmt *insert_address)
{
	const struct host *const *hosts;
	unsigned count = host_table_addresses(t->hosts, client, &hosts);
	bool ok = true;

	sqlite3_bind_int64(insert, 1, client);
	sqlite3_bind_blob(insert, 2, hosts[0]->address, 16, SQLITE_STATIC);
	if (hosts[0]->has_mac)
		sqlite3_bind_blob(insert, 3, hosts[0]->mac, 6, SQLITE_STATIC);
	else
		sqlite3_bind_null(insert, 3);
	ok = store_do(t->part->st, insert);
	for (unsigned i = 0; ok && i < count; i++) {
		sqlite3_bind_blob(insert_address, 1, hosts[i]->address, 16, SQLITE_STATIC);
		sqlite3_bind_int64(insert_address, 2, client);
		ok = store_do(t->part->st, insert_address);
	}
	return ok;
}

static bool write_clients(struct tagger *t)
{
	struct store *st = t->part->st;
	unsigned count = host_table_group(t->hosts);
	sqlite3_stmt *insert = store_prepare(st,
		"INSERT INTO client VALUES (?,?,?,'',0,'cannot-say','cannot-say','cannot-say')");
	sqlite3_stmt *insert_address = store_prepare(st, "INSERT INTO client_address VALUES (?,?)");
	bool ok = insert != NULL && insert_address != NULL;

	for (unsigned client = 1; ok && client <= count; client++)
		ok = write_client(t, client, insert, insert_address);
	sqlite3_finalize(insert);
	sqlite3_finalize(insert_address);
	/* What a host called itself last. */
	return ok && store_exec(st,
		"UPDATE client SET name = coalesce((SELECT n.name FROM name AS n"
		" JOIN client_address AS a ON a.address = n.address"
		" WHERE n.kind = 'host' AND a.client = client.id"
		" ORDER BY n.from_ns DESC, n.id DESC, n.place DESC LIMIT 1), '')"
		" WHERE EXISTS (SELECT 1 FROM name WHERE kind = 'host')");
}

bool judge_tag(const struct judge_part *part)
{
	struct tagger t = { .part = part, .hosts = host_table_new() };
	bool ok;

	t.names = store_prepare(part->st,
		"SELECT name, canonical, from_ns, until_ns FROM name WHERE kind = 'dns'"
		" AND asked_by = ? AND address = ? AND from_ns <= ?"
		" ORDER BY from_ns DESC, id DESC, place DESC LIMIT 16");
	t.insert_endpoint = store_prepare(part->st, "INSERT INTO endpoint VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	t.insert_owner = store_prepare(part->st, "INSERT OR IGNORE INTO owner VALUES (?,?)");
	t.insert_contact = store_prepare(part->st, "INSERT INTO contact VALUES (?,?,?,?,?,?,?,?)");
	ok = t.names != NULL && t.insert_endpoint != NULL && t.insert_owner != NULL &&
	     t.insert_contact != NULL &&
	     each_flow(&t, note_host) && write_clients(&t) && each_flow(&t, write_contact);
	tdestroy(t.tags, entry_free);
	host_table_free(&t.hosts);
	sqlite3_finalize(t.names);
	sqlite3_finalize(t.insert_endpoint);
	sqlite3_finalize(t.insert_owner);
	sqlite3_finalize(t.insert_contact);
	return ok;
}

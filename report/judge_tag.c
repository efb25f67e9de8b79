#include "report/judge_part.h"

#include "capture/base.h"
#include "capture/flow_key.h"
#include "report/identity.h"
#include "report/judge_client.h"
#include "report/judge_class.h"
#include "report/judge_contact.h"
#include "report/judge_coverage.h"

#include <string.h>

#define NAMED_BITS 20	/* 128 KiB: thin enough for 100000 addresses */
#define NAMES_MAX 16	/* different names of one address that are looked at: more is ambiguous anyhow */

struct tagger {
	const struct judge_part *part;
	struct host_table *hosts;
	struct coverage *coverage;
	struct endpoint_table *endpoints;
	struct ledger *ledger;
	struct class_table *classes;
	sqlite3_stmt *names, *certificate_names, *insert_contact;
	struct endpoint_key key;
	int64_t name_frame;		/* of the DNS answer in it; 0: none */
	uint8_t named[1 << (NAMED_BITS - 3)];	/* by address_bit: some name may lead to the address */
};

static uint32_t address_bit(const uint8_t address[16])
{
	uint32_t hash = 2166136261u;	/* FNV-1a; who makes it collide only makes us ask */

	for (int i = 0; i < 16; i++)
		hash = (hash ^ address[i]) * 16777619u;
	return (hash ^ hash >> NAMED_BITS) & ((1u << NAMED_BITS) - 1);
}

/* Most far ends have no name: those are not worth a query for each of their flows. */
static bool note_named(struct tagger *t)
{
	sqlite3_stmt *q = store_prepare(t->part->st, "SELECT address FROM name WHERE kind = 'dns'");
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(t->part->st, q)) == SQLITE_ROW) {
		uint32_t bit = address_bit(sqlite3_column_blob(q, 0));

		t->named[bit / 8] |= (uint8_t)(1u << bit % 8);
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static bool may_be_named(const struct tagger *t, const uint8_t address[16])
{
	uint32_t bit = address_bit(address);

	return (t->named[bit / 8] >> bit % 8 & 1) != 0;
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
		if (vantages_count(t->part->vantages) > 1)
			sqlite3_bind_text(t->names, 4, vantages_name(t->part->vantages, addresses[i]->vantage), -1,
					  SQLITE_STATIC);
		while ((rc = store_step(t->part->st, t->names)) == SQLITE_ROW) {
			const char *name = (const char *)sqlite3_column_text(t->names, 0);
			const char *canonical = (const char *)sqlite3_column_text(t->names, 1);
			int64_t from_ns = sqlite3_column_int64(t->names, 2);

			if (rows++ == 0 && from_ns > best_ns) {
				best_ns = from_ns;
				t->name_frame = sqlite3_column_int64(t->names, 4);
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
		endpoint_ask(t->endpoints, &t->key, t->key.dns_name, t->key.canonical, &best);
		endpoint_ask(t->endpoints, &t->key, others[i].name, others[i].canonical, &other);
		t->key.ambiguous = strcmp(best.owner, other.owner) != 0;
	}
	return true;
}

/* Of names that nobody asked for, one is as good as another when all are one owner's, and nothing tells
 * when they are not. */
static void take_certificate_name(struct tagger *t, const char *name, char owner[FACT_NAME_SIZE], bool *one_owner)
{
	struct endpoint_key key = t->key;
	struct owner_tag tag;

	base_copy(key.certificate, sizeof(key.certificate), name);
	endpoint_ask(t->endpoints, &key, "", "", &tag);
	if (owner[0] == '\0') {
		base_copy(owner, FACT_NAME_SIZE, tag.owner);
		t->key = key;
	}
	*one_owner = *one_owner && strcmp(owner, tag.owner) == 0;
}

/* The server showed a trusted certificate, and has its key, for the client went on: it is whom the client
 * asked for, when the certificate covers that name, and else one of those that it is for. */
static bool name_by_certificate(struct tagger *t, const struct judge_flow *f)
{
	struct endpoint_key *key = &t->key;
	bool asked = key->dns_name[0] != '\0', one_owner = !f->names_cut;
	char owner[FACT_NAME_SIZE] = "";
	int rc;

	if (key->sni[0] != '\0') {
		base_copy(key->certificate, sizeof(key->certificate), f->covers_sni ? key->sni : "");
		return true;
	}
	sqlite3_bind_int64(t->certificate_names, 1, f->certificate_frame);
	while ((rc = store_step(t->part->st, t->certificate_names)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(t->certificate_names, 0);

		if (!asked)
			take_certificate_name(t, name, owner, &one_owner);
		else if (!key->ambiguous && identity_covers(name, key->dns_name))
			base_copy(key->certificate, sizeof(key->certificate), key->dns_name);
	}
	sqlite3_reset(t->certificate_names);
	if (!asked && !one_owner)
		key->certificate[0] = '\0';
	return rc == SQLITE_DONE;
}

static bool is_loopback(const uint8_t *address)
{
	static const uint8_t v6[16] = { [15] = 1 }, v4[13] = { [10] = 0xff, 0xff, 127 };

	return memcmp(address, v6, 16) == 0 || memcmp(address, v4, 13) == 0;
}

static bool insert_contact(struct tagger *t, const struct contact *c)
{
	const struct ledger_flow *sums = &c->sums;
	sqlite3_stmt *q = t->insert_contact;
	char address[HOST_TEXT_SIZE];

	sqlite3_bind_int64(q, 1, c->flow->id);
	sqlite3_bind_int64(q, 2, sums->client);
	sqlite3_bind_int64(q, 3, sums->endpoint);
	sqlite3_bind_int(q, 4, sums->originated);
	sqlite3_bind_int(q, 5, sums->loopback);
	sqlite3_bind_blob(q, 6, sums->far, 16, SQLITE_STATIC);
	sqlite3_bind_int64(q, 7, sums->up);
	sqlite3_bind_int64(q, 8, sums->down);
	sqlite3_bind_int64(q, 9, sums->first_ns);
	sqlite3_bind_int64(q, 10, sums->last_ns);
	sqlite3_bind_int64(q, 11, c->flow->last_frame);
	sqlite3_bind_int(q, 12, c->flow->resp_port);
	sqlite3_bind_text(q, 13, c->transport, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 14, session_state_name(sums->state), -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 15, sums->unnamed);
	sqlite3_bind_int64(q, 16, t->name_frame);
	sqlite3_bind_text(q, 17, contact_called(c, address), -1, SQLITE_STATIC);
	return store_do(t->part->st, q);
}

/* Contacts that nobody asks for one by one are in the ledger only. */
static bool write_contact(struct tagger *t, const struct contact *c)
{
	const char *classes[CONTACT_CLASSES];
	unsigned count = contact_classes(c, t->part->policy, classes);
	bool wanted = count > 0 || c->transport != NULL || c->flow->disclosure || c->flow->process;
	bool ok = !wanted || insert_contact(t, c);

	for (unsigned i = 0; ok && i < count; i++)
		ok = class_table_add(t->classes, classes[i], c->flow->id);
	return ok && ledger_add(t->ledger, &c->sums);
}

static bool find_endpoint(struct tagger *t, const struct judge_flow *f, struct contact *c)
{
	const uint8_t *far = c->sums.far;

	memset(&t->key, 0, sizeof(t->key));
	t->name_frame = 0;
	memcpy(t->key.address, far, 16);
	t->key.own_server = policy_mail_server(t->part->policy, far);
	t->key.expected = policy_expected_address(t->part->policy, far);
	/* A name in a hello that came in is the home host's own. */
	if (c->sums.originated) {
		base_copy(t->key.sni, sizeof(t->key.sni), f->sni);
		t->key.quic = f->quic;
	}
	if (t->key.sni[0] == '\0' && may_be_named(t, far) && !name_by_dns(t, c->sums.client, f->first_ns))
		return false;
	if (f->trusted && f->completed && c->sums.originated && !name_by_certificate(t, f))
		return false;
	c->endpoint = endpoint_of(t->endpoints, &t->key);
	c->sums.endpoint = c->endpoint.id;
	return c->endpoint.id != 0;
}

static bool tag_flow(struct tagger *t, const struct judge_flow *f)
{
	bool originated = client_is_originator(t->part, f->orig, f->resp);
	unsigned clients[2];
	struct contact c = {
		.flow = f,
		.near = originated ? f->orig : f->resp,
		.sums = {
			.far = originated ? f->resp : f->orig, .originated = originated,
			.loopback = is_loopback(f->orig) || is_loopback(f->resp),
			.up = f->payload[!originated], .down = f->payload[originated],
			.first_ns = f->first_ns, .last_ns = f->last_ns,
			.read = f->credential || f->mail_moved,
		},
	};

	struct host_key near = client_key(t->part, f->id, c.near);
	struct host_key far = client_key(t->part, f->id, c.sums.far);

	c.sums.client = host_table_client(t->hosts, &near);
	/* One end has no address yet (DHCP): it is nobody, and nothing gets there. */
	if (c.sums.client == 0)
		return true;
	clients[!originated] = c.sums.client;
	clients[originated] = host_table_client(t->hosts, &far);
	coverage_add(t->coverage, f, clients);
	if (!find_endpoint(t, f, &c))
		return false;
	contact_describe(&c);
	return write_contact(t, &c);
}

static bool tag_flows(struct tagger *t)
{
	struct flow_reader *r = flow_reader_open(t->part->st);
	struct judge_flow flow;
	bool ok = r != NULL;

	while (ok && flow_reader_next(r, &flow))
		ok = tag_flow(t, &flow);
	return flow_reader_close(&r) && ok;
}

/* Once it is known who is one client. */
static bool tag_all(struct tagger *t)
{
	unsigned clients = host_table_group(t->hosts);

	t->coverage = coverage_new(clients);
	t->ledger = ledger_new(t->part, clients);
	return t->ledger != NULL && note_named(t) && tag_flows(t) && class_table_write(t->classes) &&
	       ledger_write(t->ledger) && client_write(t->part, t->hosts, t->ledger, clients) &&
	       coverage_write(t->coverage, t->part->st);
}

#define NAMES_SQL(more) \
	"SELECT name, iif(canonical <> '', canonical, name), from_ns, until_ns, id FROM name WHERE kind = 'dns'" \
	" AND asked_by = ? AND address = ? AND from_ns <= ?" more \
	" ORDER BY from_ns DESC, id DESC, place DESC LIMIT 16"

bool judge_tag(const struct judge_part *part)
{
	struct tagger t = { .part = part, .hosts = host_table_new(), .endpoints = endpoint_table_new(part),
		.classes = class_table_new(part) };
	bool ok;

	/* Asked for nearly every flow. */
	t.names = store_prepare(part->st, vantages_count(part->vantages) > 1
		? NAMES_SQL(" AND " VANTAGE_OF("id") " = ?") : NAMES_SQL(""));
	t.insert_contact = store_prepare(part->st, "INSERT INTO contact VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	t.certificate_names = store_prepare(part->st,
		"SELECT name FROM name WHERE id = ? AND kind = 'certificate' ORDER BY place");
	ok = t.endpoints != NULL && t.names != NULL && t.certificate_names != NULL && t.insert_contact != NULL &&
	     client_note_hosts(part, t.hosts) && tag_all(&t);
	ledger_free(&t.ledger);
	class_table_free(&t.classes);
	endpoint_table_free(&t.endpoints);
	host_table_free(&t.hosts);
	coverage_free(&t.coverage);
	sqlite3_finalize(t.names);
	sqlite3_finalize(t.certificate_names);
	sqlite3_finalize(t.insert_contact);
	return ok;
}

#include "report/judge_name.h"

#include "capture/base.h"
#include "report/identity.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_BITS 20	/* 128 KiB: thin enough for 100000 addresses */
#define NAMES_MAX 16	/* different names of one address that are looked at: more is ambiguous anyhow */

struct namer {
	const struct judge_part *part;
	const struct endpoint_table *endpoints;
	const struct host_table *hosts;
	sqlite3_stmt *names, *certificate_names;
	uint8_t named[1 << (NAMED_BITS - 3)];	/* by address_bit: some name may lead to the address */
};

#define NAMES_SQL(more) \
	"SELECT name, iif(canonical <> '', canonical, name), from_ns, until_ns, id FROM name WHERE kind = 'dns'" \
	" AND asked_by = ? AND address = ? AND from_ns <= ?" more \
	" ORDER BY from_ns DESC, id DESC, place DESC LIMIT 16"
enum name_column { NAME_TEXT, NAME_CANONICAL, NAME_FROM, NAME_UNTIL, NAME_ID };

struct namer *namer_new(const struct judge_part *part, const struct endpoint_table *endpoints,
			const struct host_table *hosts)
{
	struct namer *n = base_alloc(sizeof(*n));

	n->part = part;
	n->endpoints = endpoints;
	n->hosts = hosts;
	/* Asked for nearly every flow. */
	n->names = store_prepare(part->st, vantages_count(part->vantages) > 1
		? NAMES_SQL(" AND " VANTAGE_OF("id") " = ?") : NAMES_SQL(""));
	n->certificate_names = store_prepare(part->st,
		"SELECT name FROM name WHERE id = ? AND kind = 'certificate' ORDER BY place");
	if (n->names == NULL || n->certificate_names == NULL)
		namer_free(&n);
	return n;
}

void namer_free(struct namer **n)
{
	if (*n == NULL)
		return;
	sqlite3_finalize((*n)->names);
	sqlite3_finalize((*n)->certificate_names);
	free(*n);
	*n = NULL;
}

static uint32_t address_bit(const uint8_t address[16])
{
	uint32_t hash = 2166136261u;	/* FNV-1a; who makes it collide only makes us ask */

	for (int i = 0; i < 16; i++)
		hash = (hash ^ address[i]) * 16777619u;
	return (hash ^ hash >> NAMED_BITS) & ((1u << NAMED_BITS) - 1);
}

void namer_note(struct namer *n, const uint8_t address[16])
{
	uint32_t bit = address_bit(address);

	n->named[bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* Most far ends have no name: those are not worth a query for each of their flows. */
bool namer_note_all(struct namer *n)
{
	sqlite3_stmt *q = store_prepare(n->part->st, "SELECT address FROM name WHERE kind = 'dns'");
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(n->part->st, q)) == SQLITE_ROW)
		namer_note(n, sqlite3_column_blob(q, 0));
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static bool may_be_named(const struct namer *n, const uint8_t address[16])
{
	uint32_t bit = address_bit(address);

	return (n->named[bit / 8] >> bit % 8 & 1) != 0;
}

/* Answers for one address: the best, and all that were still valid. */
struct answers {
	struct endpoint_key *key;
	int64_t best_ns, frame;
	struct { char name[FACT_NAME_SIZE], canonical[FACT_NAME_SIZE]; } valid[NAMES_MAX];
	unsigned valid_count;
};

static void take_answer(struct answers *a, sqlite3_stmt *q, int64_t first_ns, bool latest)
{
	const char *name = (const char *)sqlite3_column_text(q, NAME_TEXT);
	const char *canonical = (const char *)sqlite3_column_text(q, NAME_CANONICAL);
	int64_t from_ns = sqlite3_column_int64(q, NAME_FROM);

	if (latest && from_ns > a->best_ns) {
		a->best_ns = from_ns;
		a->frame = sqlite3_column_int64(q, NAME_ID);
		base_copy(a->key->dns_name, sizeof(a->key->dns_name), name);
		base_copy(a->key->canonical, sizeof(a->key->canonical), canonical);
	}
	if (sqlite3_column_int64(q, NAME_UNTIL) >= first_ns && a->valid_count < NAMES_MAX) {
		base_copy(a->valid[a->valid_count].name, FACT_NAME_SIZE, name);
		base_copy(a->valid[a->valid_count++].canonical, FACT_NAME_SIZE, canonical);
	}
}

/* What one of the client's addresses was told. */
static bool ask(struct namer *n, const struct host *host, int64_t first_ns, struct answers *a)
{
	bool latest = true;
	int rc;

	sqlite3_bind_blob(n->names, 1, host->address, 16, SQLITE_STATIC);
	sqlite3_bind_blob(n->names, 2, a->key->address, 16, SQLITE_STATIC);
	sqlite3_bind_int64(n->names, 3, first_ns);
	if (vantages_count(n->part->vantages) > 1)
		sqlite3_bind_text(n->names, 4, vantages_name(n->part->vantages, host->vantage), -1, SQLITE_STATIC);
	while ((rc = store_step(n->part->st, n->names)) == SQLITE_ROW) {
		take_answer(a, n->names, first_ns, latest);
		latest = false;
	}
	sqlite3_reset(n->names);
	return rc == SQLITE_DONE;
}

/* Names that were still valid make it ambiguous when they are another owner's. */
static bool is_ambiguous(const struct namer *n, const struct answers *a)
{
	struct owner_tag best, other;

	for (unsigned i = 0; i < a->valid_count; i++) {
		if (strcmp(a->valid[i].name, a->key->dns_name) == 0)
			continue;
		endpoint_ask(n->endpoints, a->key, a->key->dns_name, a->key->canonical, &best);
		endpoint_ask(n->endpoints, a->key, a->valid[i].name, a->valid[i].canonical, &other);
		if (strcmp(best.owner, other.owner) != 0)
			return true;
	}
	return false;
}

/* The best answer that this client got for the address before the flow began: the latest. */
static bool name_by_dns(struct namer *n, unsigned client, int64_t first_ns, struct endpoint_key *key,
			int64_t *frame_out)
{
	const struct host *const *addresses;
	unsigned count = host_table_addresses(n->hosts, client, &addresses);
	struct answers a;

	a.key = key;
	a.best_ns = INT64_MIN;
	a.frame = 0;
	a.valid_count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!ask(n, addresses[i], first_ns, &a))
			return false;
	}
	key->ambiguous = is_ambiguous(n, &a);
	*frame_out = a.frame;
	return true;
}

/* Of names that nobody asked for, one is as good as another when all are one owner's, and nothing tells
 * when they are not. */
static void take_certificate_name(const struct namer *n, struct endpoint_key *first, const char *name,
				  char owner[FACT_NAME_SIZE], bool *one_owner)
{
	struct endpoint_key key = *first;
	struct owner_tag tag;

	base_copy(key.certificate, sizeof(key.certificate), name);
	endpoint_ask(n->endpoints, &key, "", "", &tag);
	if (owner[0] == '\0') {
		base_copy(owner, FACT_NAME_SIZE, tag.owner);
		*first = key;
	}
	*one_owner = *one_owner && strcmp(owner, tag.owner) == 0;
}

/* The server showed a trusted certificate, and has its key, for the client went on: it is whom the client
 * asked for, when the certificate covers that name, and else one of those that it is for. */
static bool name_by_certificate(struct namer *n, const struct judge_flow *f, struct endpoint_key *key)
{
	bool asked = key->dns_name[0] != '\0', one_owner = !f->names_cut;
	char owner[FACT_NAME_SIZE] = "";
	int rc;

	if (key->sni[0] != '\0') {
		base_copy(key->certificate, sizeof(key->certificate), f->covers_sni ? key->sni : "");
		return true;
	}
	sqlite3_bind_int64(n->certificate_names, 1, f->certificate_frame);
	while ((rc = store_step(n->part->st, n->certificate_names)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(n->certificate_names, 0);

		if (!asked)
			take_certificate_name(n, key, name, owner, &one_owner);
		else if (!key->ambiguous && identity_covers(name, key->dns_name))
			base_copy(key->certificate, sizeof(key->certificate), key->dns_name);
	}
	sqlite3_reset(n->certificate_names);
	if (!asked && !one_owner)
		key->certificate[0] = '\0';
	return rc == SQLITE_DONE;
}

bool namer_name(struct namer *n, const struct judge_flow *flow, unsigned client, bool originated,
		struct endpoint_key *key, int64_t *frame_out)
{
	*frame_out = 0;
	/* A name in a hello that came in is the home host's own. */
	if (originated) {
		base_copy(key->sni, sizeof(key->sni), flow->sni);
		key->quic = flow->quic;
	}
	if (key->sni[0] == '\0' && may_be_named(n, key->address) &&
	    !name_by_dns(n, client, flow->first_ns, key, frame_out))
		return false;
	return !(flow->trusted && flow->completed && originated) || name_by_certificate(n, flow, key);
}

#include "report/judge_endpoint.h"

#include "capture/base.h"
#include "report/key_set.h"

#include <stdlib.h>
#include <string.h>

struct endpoint_table {
	const struct judge_part *part;
	struct key_set *keys;		/* pack */
	struct endpoint *endpoints;	/* by number of the key */
	unsigned size;
	struct key_set *alike;		/* owner, service, role, named_by and strength */
	int64_t *first_alike;		/* by number of these; the id of the first endpoint */
	unsigned alike_size;
	sqlite3_stmt *insert, *insert_owner;
};

/* The catalogue calls every private address local; home: says that this one is not. */
static void tag_foreign(struct owner_tag *tag)
{
	tag->role = ROLE_OTHER;
	if (tag->named_by != NAMED_BY_NOTHING)
		return;
	tag->role = ROLE_UNNAMED;
	base_copy(tag->owner, sizeof(tag->owner), "unknown");
	base_copy(tag->title, sizeof(tag->title), "unknown");
}

void endpoint_ask(const struct endpoint_table *t, const struct endpoint_key *key, const char *name,
		  const char *canonical, struct owner_tag *tag_out)
{
	struct owner_evidence evidence = {
		.sni = key->sni,
		.quic = key->quic,
		.dns_name = name,
		.dns_canonical = canonical,
		.certificate = key->certificate,
	};

	memcpy(evidence.address, key->address, 16);
	memset(tag_out, 0, sizeof(*tag_out));
	t->part->book->tag(t->part->book->context, &evidence, tag_out);
	if (tag_out->role == ROLE_LOCAL && policy_foreign(t->part->policy, key->address))
		tag_foreign(tag_out);
}

static void bind_text(sqlite3_stmt *q, int at, const char *text)
{
	sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

/* schema.sql, endpoint.alike. */
static int64_t first_alike(struct endpoint_table *t, int64_t id, const struct owner_tag *tag, const char *named_by)
{
	const char *const texts[] = { tag->owner, tag->service, fact_role_name(tag->role), named_by,
		fact_strength_name(tag->strength) };
	char key[sizeof(tag->owner) + sizeof(tag->service) + 128];
	unsigned before = key_set_count(t->alike), number;
	size_t n = 0;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		base_copy(key + n, sizeof(key) - n, texts[i]);
		n += strlen(key + n) + 1;
	}
	number = key_set_add(t->alike, key, n);
	if (number > t->alike_size) {
		t->alike_size = number * 2;
		t->first_alike = base_realloc(t->first_alike, t->alike_size * sizeof(*t->first_alike));
	}
	if (number > before)
		t->first_alike[number - 1] = id;
	return t->first_alike[number - 1];
}

static bool write_endpoint(struct endpoint_table *t, int64_t id, const struct owner_tag *tag, const char *named_by)
{
	sqlite3_stmt *q = t->insert;

	sqlite3_bind_int64(q, 1, id);
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
	sqlite3_bind_int64(q, 15, first_alike(t, id, tag, named_by));
	if (store_step(t->part->st, q) != SQLITE_ROW)
		return false;
	bind_text(t->insert_owner, 1, tag->owner);
	bind_text(t->insert_owner, 2, tag->title);
	return store_do(t->part->st, t->insert_owner);
}

/* Asks the catalogue. */
static struct endpoint new_endpoint(struct endpoint_table *t, int64_t id, const struct endpoint_key *key)
{
	const char *named_by = "policy";
	struct endpoint endpoint = { 0 };
	struct owner_tag tag;

	if (key->own_server) {
		tag = (struct owner_tag){ .owner = JUDGE_OWN_SERVER, .title = "own mail server",
			.role = ROLE_MAIL_PROVIDER, .strength = STRENGTH_PROVEN };
	} else if (key->expected) {
		tag = (struct owner_tag){ .owner = JUDGE_EXPECTED, .title = "a network that the policy expects",
			.role = ROLE_OTHER, .strength = STRENGTH_PROVEN };
	} else {
		endpoint_ask(t, key, key->dns_name, key->canonical, &tag);
		named_by = fact_named_by_name(tag.named_by);
	}
	if (key->ambiguous && tag.named_by == NAMED_BY_DNS) {
		tag.ambiguous = true;
		tag.strength = STRENGTH_SUSPECTED;
	}
	if (write_endpoint(t, id, &tag, named_by)) {
		endpoint = (struct endpoint){
			.id = id, .local = tag.role == ROLE_LOCAL, .own_server = key->own_server,
			.vendor = tag.relay != RELAY_NO, .setup = tag.setup,
			.resolver = tag.resolver,
			.unnamed = sqlite3_column_int(t->insert, 0) != 0,
			.web_mail = sqlite3_column_int(t->insert, 1) != 0,
			.name = tag.name[0] != '\0' ? base_strdup(tag.name) : NULL,
		};
	}
	sqlite3_reset(t->insert);
	return endpoint;
}

#define PACKED_MAX (16 + 1 + 4 * FACT_NAME_SIZE)

/* All of a key as one string of bytes. Returns its length. */
static size_t pack(const struct endpoint_key *key, uint8_t out[PACKED_MAX])
{
	const char *const texts[] = { key->sni, key->dns_name, key->canonical, key->certificate };
	size_t n = 17;

	memcpy(out, key->address, 16);
	out[16] = (uint8_t)(key->quic | key->ambiguous << 1 | key->own_server << 2 | key->expected << 3);
	for (unsigned i = 0; i < 4; i++) {
		size_t len = strlen(texts[i]) + 1;

		memcpy(out + n, texts[i], len);
		n += len;
	}
	return n;
}

struct endpoint endpoint_of(struct endpoint_table *t, const struct endpoint_key *key)
{
	uint8_t packed[PACKED_MAX];
	unsigned before = key_set_count(t->keys);
	unsigned number = key_set_add(t->keys, packed, pack(key, packed));

	if (number > t->size) {
		t->size = number * 2;
		t->endpoints = base_realloc(t->endpoints, t->size * sizeof(*t->endpoints));
	}
	if (number > before)
		t->endpoints[number - 1] = new_endpoint(t, number, key);
	return t->endpoints[number - 1];
}

struct endpoint_table *endpoint_table_new(const struct judge_part *part)
{
	struct endpoint_table *t = base_alloc(sizeof(*t));

	t->part = part;
	t->keys = key_set_new();
	t->alike = key_set_new();
	t->insert = store_prepare(part->st, "INSERT INTO endpoint VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		" RETURNING unnamed, web_mail");
	t->insert_owner = store_prepare(part->st, "INSERT OR IGNORE INTO owner VALUES (?,?)");
	if (t->insert == NULL || t->insert_owner == NULL)
		endpoint_table_free(&t);
	return t;
}

void endpoint_table_free(struct endpoint_table **t)
{
	if (*t == NULL)
		return;
	for (unsigned i = 0; i < key_set_count((*t)->keys); i++)
		free((*t)->endpoints[i].name);
	key_set_free(&(*t)->keys);
	key_set_free(&(*t)->alike);
	free((*t)->first_alike);
	free((*t)->endpoints);
	sqlite3_finalize((*t)->insert);
	sqlite3_finalize((*t)->insert_owner);
	free(*t);
	*t = NULL;
}

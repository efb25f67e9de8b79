#include "report/judge_part.h"

#include "capture/base.h"
#include "report/key_set.h"
#include "report/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of a rule, in order; its rows come in any. A row without a sentence adds its flow and frame to a
 * finding that another row tells of. */
enum column { CLASS, CLIENT, OWNER, ACCOUNT, MECHANISM, SECRET_LEN, STRENGTH, FIRST_NS, LAST_NS, FLOW, FRAME,
	      SENTENCE, REFUTED_BY, ABOUT, COLUMNS };

static const char *const columns[COLUMNS] = {
	"class", "client", "owner", "account", "mechanism", "secret_len", "strength", "first_ns", "last_ns",
	"flow", "frame", "sentence", "refuted_by", "about",
};

/* Rows of one kind, client, owner, account, mechanism and what they are about are one finding: its key. */
enum key_text { KEY_KIND, KEY_OWNER, KEY_ACCOUNT, KEY_MECHANISM, KEY_ABOUT, KEY_TEXTS };

#define TOLD 4		/* class, strength, sentence, refuted_by */

struct finding {
	int64_t client, first_flow;
	int64_t told_flow;		/* of the row that the rest is of; of several the first */
	int64_t first_ns, last_ns;
	int64_t secret_len;
	bool has_secret_len;
	size_t told;			/* where its TOLD texts are, each with its NUL; 0: not yet */
	const char *key[KEY_TEXTS];	/* NULL where the rule has none */
	unsigned id;
};

/* A flow, or a frame, of a finding. */
struct link {
	unsigned finding;
	int64_t to;
};

struct links {
	struct link *links;
	size_t count, size;
};

/* Bytes, one after the other. */
struct bytes_kept {
	char *bytes;
	size_t used, size;
};

struct collector {
	const struct judge_part *part;
	struct key_set *keys;
	struct finding *findings;	/* by number of the key */
	unsigned size;
	struct links flows, frames;
	struct bytes_kept packed;	/* the key of the row, or finding, at hand */
	struct bytes_kept told;		/* of all findings, from 1 on */
};

/* Rules name their columns, and all rules the same ones in the same order. The last, about, may be left
 * out: it tells findings of one client and owner apart, by server or certificate. */
static bool has_the_columns(const struct judge_part *part, const struct sql_query *rule, sqlite3_stmt *q)
{
	int count = sqlite3_column_count(q);

	for (int i = 0; i < COLUMNS - 1 || i < count; i++) {
		if (count < COLUMNS - 1 || count > COLUMNS ||
		    sqlite3_stricmp(sqlite3_column_name(q, i), columns[i]) != 0)
			return store_fail(part->st, "rule %s: column %d must be %s", rule->name, i + 1,
					  columns[i]);
	}
	return true;
}

static void add_link(struct links *l, unsigned finding, int64_t to)
{
	if (l->count > 0 && l->links[l->count - 1].finding == finding && l->links[l->count - 1].to == to)
		return;
	if (l->count == l->size) {
		l->size = l->size > 0 ? l->size * 2 : 256;
		l->links = base_realloc(l->links, l->size * sizeof(*l->links));
	}
	l->links[l->count++] = (struct link){ finding, to };
}

static void append(struct bytes_kept *k, const void *bytes, size_t len)
{
	if (k->used + len > k->size) {
		k->size = (k->used + len) * 2;
		k->bytes = base_realloc(k->bytes, k->size);
	}
	memcpy(k->bytes + k->used, bytes, len);
	k->used += len;
}

static void append_text(struct bytes_kept *k, const char *text)
{
	append(k, text, strlen(text));
}

/* A text, or that there is none: the byte 1 and the text with its NUL, or the byte 0. */
static void pack_text(struct bytes_kept *k, const char *text)
{
	append(k, &(uint8_t){ text != NULL }, 1);
	if (text != NULL)
		append(k, text, strlen(text) + 1);
}

static const char *text_of(sqlite3_stmt *q, enum column column)
{
	return (int)column < sqlite3_column_count(q) ? (const char *)sqlite3_column_text(q, (int)column) : NULL;
}

/* The number of the row's finding, which may be new. */
static unsigned number_of(struct collector *c, const struct sql_query *rule, sqlite3_stmt *q)
{
	const char *const texts[KEY_TEXTS] = {
		[KEY_KIND] = rule->name,
		[KEY_OWNER] = text_of(q, OWNER),
		[KEY_ACCOUNT] = text_of(q, ACCOUNT),
		[KEY_MECHANISM] = text_of(q, MECHANISM),
		[KEY_ABOUT] = text_of(q, ABOUT),
	};
	int64_t client = sqlite3_column_int64(q, CLIENT);
	unsigned before = key_set_count(c->keys), number;

	c->packed.used = 0;
	append(&c->packed, &client, sizeof(client));
	for (unsigned i = 0; i < KEY_TEXTS; i++)
		pack_text(&c->packed, texts[i]);
	number = key_set_add(c->keys, c->packed.bytes, c->packed.used);
	if (number > c->size) {
		c->size = number * 2;
		c->findings = base_realloc(c->findings, c->size * sizeof(*c->findings));
	}
	if (number > before)
		c->findings[number - 1] = (struct finding){ .client = client, .first_flow = INT64_MAX };
	return number;
}

static void tell(struct collector *c, struct finding *f, sqlite3_stmt *q)
{
	static const enum column told[TOLD] = { CLASS, STRENGTH, SENTENCE, REFUTED_BY };

	f->told = c->told.used;
	for (unsigned i = 0; i < TOLD; i++) {
		const char *text = text_of(q, told[i]);

		append(&c->told, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
	}
	f->told_flow = sqlite3_column_int64(q, FLOW);
	f->first_ns = sqlite3_column_int64(q, FIRST_NS);
	f->last_ns = sqlite3_column_int64(q, LAST_NS);
	f->has_secret_len = sqlite3_column_type(q, SECRET_LEN) != SQLITE_NULL;
	f->secret_len = sqlite3_column_int64(q, SECRET_LEN);
}

static void add_row(struct collector *c, const struct sql_query *rule, sqlite3_stmt *q)
{
	unsigned number = number_of(c, rule, q);
	struct finding *f = &c->findings[number - 1];
	int64_t flow = sqlite3_column_int64(q, FLOW), frame = sqlite3_column_int64(q, FRAME);

	if (flow < f->first_flow)
		f->first_flow = flow;
	if (sqlite3_column_type(q, SENTENCE) != SQLITE_NULL && (f->told == 0 || flow < f->told_flow))
		tell(c, f, q);
	add_link(&c->flows, number, flow);
	if (frame > 0)
		add_link(&c->frames, number, frame);
}

static bool run(struct collector *c, const struct sql_query *rule)
{
	sqlite3_stmt *q = store_prepare(c->part->st, rule->select);
	int rc = SQLITE_ERROR;

	/* :client and :from stay NULL: everyone, from the beginning. */
	if (q != NULL && has_the_columns(c->part, rule, q)) {
		while ((rc = store_step(c->part->st, q)) == SQLITE_ROW)
			add_row(c, rule, q);
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* What is not there comes first. */
static int compare(const char *a, const char *b)
{
	return a == NULL || b == NULL ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_order(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
	int cmp = compare_numbers(x->client, y->client);

	for (unsigned i = KEY_KIND; cmp == 0 && i <= KEY_OWNER; i++)
		cmp = compare(x->key[i], y->key[i]);
	if (cmp == 0)
		cmp = compare_numbers(x->first_flow, y->first_flow);
	for (unsigned i = KEY_ACCOUNT; cmp == 0 && i < KEY_TEXTS; i++)
		cmp = compare(x->key[i], y->key[i]);
	return cmp;
}

static void read_key(struct collector *c, unsigned number)
{
	const char *at = (const char *)key_set_key(c->keys, number) + sizeof(int64_t);

	for (unsigned i = 0; i < KEY_TEXTS; i++) {
		bool there = *at++ != 0;

		c->findings[number - 1].key[i] = there ? at : NULL;
		at += there ? strlen(at) + 1 : 0;
	}
}

/* Columns of table finding. */
static const int told_at[TOLD] = { 4, 5, 13, 14 };
static const int key_at[] = { [KEY_KIND] = 3, [KEY_OWNER] = 7, [KEY_ACCOUNT] = 8, [KEY_MECHANISM] = 9 };

/* Stays the same when the case grows; for the moment. */
static const char *name_of(struct collector *c, const struct finding *f, const char *host)
{
	char flow[24];
	const char *const texts[] = {
		f->key[KEY_KIND], host, f->key[KEY_OWNER], flow, f->key[KEY_ACCOUNT], f->key[KEY_MECHANISM],
		f->key[KEY_ABOUT],
	};
	unsigned count = sizeof(texts) / sizeof(texts[0]) - (f->key[KEY_ABOUT] == NULL);

	snprintf(flow, sizeof(flow), "%lld", (long long)f->first_flow);
	c->packed.used = 0;
	for (unsigned i = 0; i < count; i++) {
		append_text(&c->packed, i > 0 ? "/" : "");
		append_text(&c->packed, texts[i] != NULL ? texts[i] : "");
	}
	append(&c->packed, "", 1);
	return c->packed.bytes;
}

/* host: the client's address. */
static bool write_finding(struct collector *c, sqlite3_stmt *insert, const struct finding *f, const char *host)
{
	const char *told = c->told.bytes + f->told;

	if (f->told == 0)
		return store_fail(c->part->st, "rule %s: no row of a finding has a sentence", f->key[KEY_KIND]);
	sqlite3_bind_int64(insert, 1, f->id);
	sqlite3_bind_text(insert, 2, name_of(c, f, host), -1, SQLITE_STATIC);
	for (unsigned i = 0; i < TOLD; i++, told += strlen(told) + 1)
		sqlite3_bind_text(insert, told_at[i], told, -1, SQLITE_STATIC);
	sqlite3_bind_int64(insert, 6, f->client);
	for (unsigned i = 0; i < sizeof(key_at) / sizeof(key_at[0]); i++)
		sqlite3_bind_text(insert, key_at[i], f->key[i], -1, SQLITE_STATIC);
	if (f->has_secret_len)
		sqlite3_bind_int64(insert, 10, f->secret_len);
	else
		sqlite3_bind_null(insert, 10);
	sqlite3_bind_int64(insert, 11, f->first_ns);
	sqlite3_bind_int64(insert, 12, f->last_ns);
	return store_do(c->part->st, insert);
}

/* Numbers findings in their order and writes them. */
static bool write_findings(struct collector *c)
{
	unsigned count = key_set_count(c->keys);
	struct finding **order = base_alloc_array(count, sizeof(struct finding *));
	sqlite3_stmt *hosts = store_prepare(c->part->st, "SELECT host(address) FROM client WHERE id = ?");
	sqlite3_stmt *insert = store_prepare(c->part->st, "INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	bool ok = insert != NULL && hosts != NULL;

	for (unsigned i = 0; i < count; i++) {
		read_key(c, i + 1);
		order[i] = &c->findings[i];
	}
	if (count > 0)
		qsort(order, count, sizeof(struct finding *), by_order);
	for (unsigned i = 0; ok && i < count; i++) {
		order[i]->id = i + 1;
		if (i == 0 || order[i]->client != order[i - 1]->client) {
			sqlite3_reset(hosts);
			sqlite3_bind_int64(hosts, 1, order[i]->client);
			ok = store_step(c->part->st, hosts) == SQLITE_ROW;
		}
		ok = ok && write_finding(c, insert, order[i], (const char *)sqlite3_column_text(hosts, 0));
	}
	sqlite3_finalize(hosts);
	sqlite3_finalize(insert);
	free(order);
	return ok;
}

static int by_finding(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->finding != y->finding)
		return x->finding < y->finding ? -1 : 1;
	return compare_numbers(x->to, y->to);
}

static void bind_link(sqlite3_stmt *q, int at, const void *rows, size_t row)
{
	const struct link *link = (const struct link *)rows + row;

	sqlite3_bind_int64(q, at, link->finding);
	sqlite3_bind_int64(q, at + 1, link->to);
}

/* Each once, and in the order of the table, which is quickest filled so. */
static bool write_links(struct collector *c, struct links *l, const char *table)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		l->links[i].finding = c->findings[l->links[i].finding - 1].id;
	if (l->count > 0)
		qsort(l->links, l->count, sizeof(*l->links), by_finding);
	for (size_t i = 0; i < l->count; i++) {
		if (i == 0 || by_finding(&l->links[count - 1], &l->links[i]) != 0)
			l->links[count++] = l->links[i];
	}
	return store_insert_pairs(c->part->st, table, l->links, count, bind_link);
}

/* Made behind the rows, as they come in another order. */
static const char flow_index_sql[] = "CREATE INDEX IF NOT EXISTS finding_of_flow ON finding_flow (flow)";

bool judge_finding(const struct judge_part *part)
{
	struct collector c = { .part = part, .keys = key_set_new() };
	bool ok = true;

	append(&c.told, "", 1);
	for (const struct sql_query *rule = sql_rules; ok && rule->name != NULL; rule++)
		ok = run(&c, rule);
	ok = ok && write_findings(&c) && write_links(&c, &c.flows, "finding_flow") &&
	     write_links(&c, &c.frames, "evidence") && store_exec(part->st, flow_index_sql);
	key_set_free(&c.keys);
	free(c.findings);
	free(c.flows.links);
	free(c.frames.links);
	free(c.packed.bytes);
	free(c.told.bytes);
	return ok;
}

#include "classify/flow_table.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST_BUCKETS 64
#define TABLE_BLOCK 64		/* flows taken from malloc at a time */
#define TABLE_HOT 256		/* of a flow, from its start: what is looked at for every packet */
#define TABLE_LINE 64		/* of the processor's cache; another size costs time only */

static const int64_t pace_ns[FLOW_PACES] = {
	[PACE_CLOSED] = FLOW_CLOSED_S * BASE_NS_PER_S,
	[PACE_HALF_OPEN] = 120 * BASE_NS_PER_S,	/* Linux sends SYNs for 127 s */
	[PACE_DATAGRAM] = 300 * BASE_NS_PER_S,
	[PACE_ESTABLISHED] = FLOW_SILENT_S * BASE_NS_PER_S,
};

struct block {
	struct block *next;
	struct flow flows[TABLE_BLOCK];
};

struct list {
	struct flow *newest, *oldest;
};

struct flow_table {
	struct flow **buckets;		/* bucket_count is a power of two */
	size_t bucket_count, count, max;
	size_t memory;			/* the flows', summed */
	struct list paces[FLOW_PACES];
	struct block *blocks;
	struct flow *unused;		/* chained */
};

struct flow_table *flow_table_new(size_t max_flows)
{
	struct flow_table *t = base_alloc(sizeof(*t));

	t->bucket_count = TABLE_FIRST_BUCKETS;
	t->buckets = base_alloc_array(t->bucket_count, sizeof(t->buckets[0]));
	t->max = max_flows;
	return t;
}

void flow_table_free(struct flow_table **table)
{
	struct flow_table *t = *table;

	if (t == NULL)
		return;
	while (t->blocks != NULL) {
		struct block *next = t->blocks->next;

		free(t->blocks);
		t->blocks = next;
	}
	free(t->buckets);
	free(t);
	*table = NULL;
}

static struct flow **bucket_of(const struct flow_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->bucket_count - 1)];
}

void flow_table_soon(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(bucket_of(t, hash));
}

void flow_table_next(const struct flow_table *t, uint64_t hash)
{
	const char *f = (const char *)*bucket_of(t, hash);

	for (size_t at = 0; f != NULL && at < TABLE_HOT; at += TABLE_LINE)
		__builtin_prefetch(f + at, 1);
}

struct flow *flow_table_find(struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
	struct flow *f = *bucket_of(t, hash);

	while (f != NULL && (f->hash != hash || memcmp(&f->key, key, sizeof(*key)) != 0))
		f = f->chain;
	return f;
}

static void grow(struct flow_table *t)
{
	struct flow **old = t->buckets;
	size_t old_count = t->bucket_count;

	t->bucket_count *= 2;
	t->buckets = base_alloc_array(t->bucket_count, sizeof(t->buckets[0]));
	for (size_t i = 0; i < old_count; i++) {
		for (struct flow *f = old[i], *next; f != NULL; f = next) {
			struct flow **b = bucket_of(t, f->hash);

			next = f->chain;
			f->chain = *b;
			*b = f;
		}
	}
	free(old);
}

static struct flow *unused_flow(struct flow_table *t)
{
	if (t->unused == NULL) {
		struct block *b = base_alloc(sizeof(*b));

		b->next = t->blocks;
		t->blocks = b;
		for (int i = 0; i < TABLE_BLOCK; i++) {
			b->flows[i].chain = t->unused;
			t->unused = &b->flows[i];
		}
	}

	struct flow *f = t->unused;

	t->unused = f->chain;
	return f;
}

struct flow *flow_table_add(struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
	if (t->count == t->max)
		return NULL;
	if (t->count == t->bucket_count)
		grow(t);

	struct flow *f = unused_flow(t);
	struct flow **b = bucket_of(t, hash);

	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->hash = hash;
	f->chain = *b;
	f->pace = FLOW_PACES;
	*b = f;
	t->count++;
	return f;
}

static void unlink_flow(struct flow_table *t, struct flow *f)
{
	if (f->pace == FLOW_PACES)
		return;

	struct list *l = &t->paces[f->pace];

	*(f->newer != NULL ? &f->newer->older : &l->newest) = f->older;
	*(f->older != NULL ? &f->older->newer : &l->oldest) = f->newer;
	f->newer = f->older = NULL;
}

void flow_table_touch(struct flow_table *t, struct flow *f, enum flow_pace pace)
{
	struct list *l = &t->paces[pace];

	if (l->newest == f)
		return;
	unlink_flow(t, f);
	f->pace = pace;
	f->older = l->newest;
	*(l->newest != NULL ? &l->newest->newer : &l->oldest) = f;
	l->newest = f;
}

struct flow *flow_table_timed_out(struct flow_table *t, int64_t now_ns)
{
	for (int i = 0; i < FLOW_PACES; i++) {
		struct flow *f = t->paces[i].oldest;

		if (f != NULL && now_ns - f->last_ns > pace_ns[i])
			return f;
	}
	return NULL;
}

struct flow *flow_table_idlest(struct flow_table *t)
{
	for (int i = 0; i < FLOW_PACES; i++)
		if (t->paces[i].oldest != NULL)
			return t->paces[i].oldest;
	return NULL;
}

struct flow *flow_table_changed(const struct flow_table *t, const struct flow *after, int64_t since_ns)
{
	struct flow *f = after != NULL ? after->older : t->paces[0].newest;
	int pace = after != NULL ? (int)after->pace : 0;

	while ((f == NULL || f->last_ns < since_ns) && ++pace < FLOW_PACES)
		f = t->paces[pace].newest;
	return pace < FLOW_PACES ? f : NULL;
}

void flow_table_remove(struct flow_table *t, struct flow *f)
{
	struct flow **b = bucket_of(t, f->hash);

	while (*b != f)
		b = &(*b)->chain;
	*b = f->chain;
	unlink_flow(t, f);
	t->memory -= f->memory;
	f->chain = t->unused;
	t->unused = f;
	t->count--;
}

size_t flow_table_count(const struct flow_table *t)
{
	return t->count;
}

void flow_table_note_memory(struct flow_table *t, struct flow *f, size_t bytes)
{
	t->memory += bytes - f->memory;
	f->memory = bytes;
}

size_t flow_table_memory(const struct flow_table *t)
{
	return t->memory;
}

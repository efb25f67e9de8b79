#include "report/judge_due.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

#define STORED_MAX (1u << 20)		/* flows that are remembered as stored */
#define FRESH_NS (3 * BASE_NS_PER_S)	/* so long after a flow's last packet, names and processes may come */

struct list {
	struct counted **of;		/* in the order of flows */
	size_t count, size;
};

struct due {
	struct due_flow *flows;		/* stored; from due_write on those that are due, in order */
	size_t count, size;
	bool too_many;
	struct list old;		/* counted at earlier times... */
	struct list taken;		/* ... and taken back, those before `at` counted again */
	size_t at;
	struct list fresh;		/* counted since due_write */
};

struct due *due_new(void)
{
	return base_alloc(sizeof(struct due));
}

static void counted_free(struct counted *c)
{
	free((void *)c->sums.losses);
	free(c);
}

static void list_free(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		counted_free(l->of[i]);
	free(l->of);
	*l = (struct list){ 0 };
}

static void append(struct list *l, struct counted *c)
{
	if (l->count == l->size) {
		l->size = l->size > 0 ? l->size * 2 : 256;
		l->of = base_realloc(l->of, l->size * sizeof(*l->of));
	}
	l->of[l->count++] = c;
}

void due_free(struct due **d)
{
	if (*d == NULL)
		return;
	free((*d)->flows);
	list_free(&(*d)->old);
	list_free(&(*d)->taken);
	list_free(&(*d)->fresh);
	free(*d);
	*d = NULL;
}

static void append_flow(struct due *d, const struct due_flow *flow)
{
	if (d->count == d->size) {
		d->size = d->size > 0 ? d->size * 2 : 256;
		d->flows = base_realloc(d->flows, d->size * sizeof(*d->flows));
	}
	d->flows[d->count++] = *flow;
}

static void add_facts(struct due_flow *to, const struct due_flow *from)
{
	to->row |= from->row;
	to->over |= from->over;
	to->near_low |= from->near_low;
	to->near_high |= from->near_high;
}

void due_stored(struct due *d, const struct due_flow *flow)
{
	if (d->count > 0 && d->flows[d->count - 1].flow == flow->flow)
		add_facts(&d->flows[d->count - 1], flow);
	else if (d->count < STORED_MAX)
		append_flow(d, flow);
	else
		d->too_many = true;
}

static int by_flow(const void *a, const void *b)
{
	const struct due_flow *x = a, *y = b;

	return (x->flow > y->flow) - (x->flow < y->flow);
}

static bool is_fresh(const struct counted *c)
{
	return c->last_ns > c->judged_ns - FRESH_NS;
}

static void sort_flows(struct due *d)
{
	size_t count = 0;

	if (d->count > 0)
		qsort(d->flows, d->count, sizeof(*d->flows), by_flow);
	for (size_t i = 0; i < d->count; i++) {
		if (count > 0 && d->flows[i].flow == d->flows[count - 1].flow)
			add_facts(&d->flows[count - 1], &d->flows[i]);
		else
			d->flows[count++] = d->flows[i];
	}
	d->count = count;
}

bool due_is_lost(struct due *d)
{
	size_t at = 0;

	sort_flows(d);
	for (size_t i = 0; i < d->count && !d->too_many; i++) {
		while (at < d->old.count && d->old.of[at]->flow < d->flows[i].flow)
			at++;
		if (d->flows[i].near_low && d->flows[i].near_high)
			return true;
		if (!d->flows[i].row && (at == d->old.count || d->old.of[at]->flow != d->flows[i].flow))
			return true;
	}
	return d->too_many;
}

bool due_write(struct due *d, struct store *st)
{
	sqlite3_stmt *q;
	bool ok;

	for (size_t i = 0; i < d->old.count; i++) {
		if (is_fresh(d->old.of[i]))
			append_flow(d, &(struct due_flow){ .flow = d->old.of[i]->flow, .row = true,
				.over = d->old.of[i]->rest_ns == 0 });
	}
	sort_flows(d);
	if (!store_exec(st, "CREATE TEMP TABLE IF NOT EXISTS due (flow INTEGER PRIMARY KEY); DELETE FROM temp.due"))
		return false;
	q = store_prepare(st, "INSERT INTO temp.due VALUES (?)");
	ok = q != NULL;
	for (size_t i = 0; ok && i < d->count; i++)
		ok = sqlite3_bind_int64(q, 1, d->flows[i].flow) == SQLITE_OK && store_do(st, q);
	sqlite3_finalize(q);
	return ok;
}

bool due_take_back(struct due *d, bool (*take)(void *context, const struct counted *counted), void *context)
{
	size_t kept = 0, at = 0;
	bool ok = true;

	for (size_t i = 0; i < d->old.count; i++) {
		struct counted *c = d->old.of[i];

		while (at < d->count && d->flows[at].flow < c->flow)
			at++;
		if (at < d->count && d->flows[at].flow == c->flow) {
			ok = ok && take(context, c);
			append(&d->taken, c);
		} else {
			d->old.of[kept++] = c;
		}
	}
	d->old.count = kept;
	return ok;
}

/* stored: all that was told before `judged_ns` is; nothing more came since it was counted. */
static bool is_settled(const struct counted *c, int64_t judged_ns, bool stored)
{
	return stored && !is_fresh(c) && c->last_ns < judged_ns - c->rest_ns;
}

static const struct due_flow *due_flow_of(const struct due *d, int64_t flow)
{
	const struct due_flow key = { .flow = flow };

	return d->count > 0 ? bsearch(&key, d->flows, d->count, sizeof(key), by_flow) : NULL;
}

static bool was_anothers(struct due *d, const struct counted *now)
{
	while (d->at < d->taken.count && d->taken.of[d->at]->flow < now->flow)
		d->at++;
	return d->at < d->taken.count && d->taken.of[d->at]->flow == now->flow &&
	       (d->taken.of[d->at]->sums.client != now->sums.client ||
		memcmp(d->taken.of[d->at]->sums.far, now->sums.far, sizeof(now->sums.far)) != 0);
}

bool due_count(struct due *d, const struct counted *counted)
{
	const struct due_flow *due = due_flow_of(d, counted->flow);
	struct flow_loss *losses = NULL;
	struct counted *c;

	if (was_anothers(d, counted))
		return false;
	if (is_settled(counted, counted->judged_ns, due == NULL))
		return true;
	c = base_alloc(sizeof(*c));
	*c = *counted;
	if (due != NULL && due->over)
		c->rest_ns = 0;
	if (c->sums.loss_count > 0) {
		losses = base_alloc_array(c->sums.loss_count, sizeof(*losses));
		memcpy(losses, c->sums.losses, c->sums.loss_count * sizeof(*losses));
	}
	c->sums.losses = losses;
	append(&d->fresh, c);
	return true;
}

void due_done(struct due *d, int64_t judged_ns)
{
	struct list both = { 0 };
	size_t k = 0;

	for (size_t i = 0; i < d->old.count; i++) {
		struct counted *c = d->old.of[i];

		while (k < d->fresh.count && d->fresh.of[k]->flow < c->flow)
			append(&both, d->fresh.of[k++]);
		if (is_settled(c, judged_ns, c->judged_ns < judged_ns))
			counted_free(c);
		else
			append(&both, c);
	}
	while (k < d->fresh.count)
		append(&both, d->fresh.of[k++]);
	free(d->old.of);
	d->old = both;
	list_free(&d->taken);
	d->at = 0;
	d->fresh.count = 0;
	d->count = 0;
}

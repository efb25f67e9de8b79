#include "classify/worker_part.h"

#include "capture/base.h"
#include "classify/keep.h"

#include <stdlib.h>
#include <string.h>

#define WORKER_LATE_NS BASE_NS_PER_S	/* packets of several interfaces come this much out of order */
/* Time-outs are looked at by the second however often ticks come: live and from a file flows end at the same time. */
#define WORKER_TIME_OUTS_NS BASE_NS_PER_S
/* A flow that goes on is described when it is new, then no more often than this: told at each tick a busy link's
 * flows would be as many rows more. */
#define WORKER_SAY_NS (BASE_NS_PER_S / 2)
/* What was read in a flow that goes on is said again so often: the case may have lost it for want of room. */
#define WORKER_AGAIN_NS (60 * BASE_NS_PER_S)
#define WORKER_SOON 12	/* packets ahead: their buckets and payload */
#define WORKER_NEXT 6	/* ... and their flows are fetched from memory */

struct worker *worker_new(unsigned index, unsigned count, struct queue *in, struct queue *out,
			  size_t max_flows)
{
	struct worker *w = base_alloc(sizeof(*w));

	*w = (struct worker){ .in = in, .out = out, .index = index, .count = count };
	w->judge = certificate_judge_new(NULL);
	w->reader = (struct reader){ .dpi = dpi_new(), .say = worker_say_name, .say_context = w };
	flow_hash_new(&w->hash, base_seed());
	w->ids = flow_ids_new();
	for (unsigned i = index; i < FLOW_SHARDS; i += count)
		w->shards[i] = flow_table_new(max_flows > 0 ? max_flows : WORKER_SHARD_FLOWS);
	return w;
}

void worker_free(struct worker **worker)
{
	struct worker *w = *worker;

	if (w == NULL)
		return;
	for (unsigned i = 0; i < FLOW_SHARDS; i++)
		flow_table_free(&w->shards[i]);
	certificate_judge_free(&w->judge);
	dpi_free(&w->reader.dpi);
	flow_ids_free(&w->ids);
	free(w->facts);
	free(w);
	*worker = NULL;
}

void worker_live(struct worker *w)
{
	w->live = true;
}

void worker_keep(struct worker *w)
{
	w->keep = true;
}

void worker_trust(struct worker *w, struct certificate_store *store)
{
	certificate_judge_free(&w->judge);
	w->judge = certificate_judge_new(store);
}

static void describe(struct worker *w, struct flow_table *t, struct flow *f, enum flow_end end)
{
	struct fact_flow said;

	if (flow_is_sampled(f))
		worker_say_sample(w, f, f->last_ns);
	reader_end(&w->reader, f);
	worker_say_flow(w, f, end, true, &said);
	worker_say_read(w, f, &said);
	worker_say_losses(w, &said, end);
	keep_free(f);
	reader_free(f);
	flow_table_remove(t, f);
}

/* What was read in a flow that goes on is mostly said already: rows that take longer to store than the flow's own. */
static void say_read_so_far(struct worker *w, struct flow *f, const struct flow *view, const struct fact_flow *said,
			    int64_t now_ns)
{
	uint64_t sum;

	if (view->facts == NULL)
		return;
	sum = worker_read_sum(view->facts, (uint64_t)((now_ns - f->first_ns) / WORKER_AGAIN_NS));
	if (sum != f->said_read)
		worker_say_read(w, view, said);
	f->said_read = sum;
}

/* Flows that go on. What of them was not seen stands in the flow itself; it may yet come, and a loss that was
 * said stays. */
static void describe_so_far(struct worker *w, struct flow_table *t, int64_t now_ns)
{
	struct flow *f = NULL;

	while ((f = flow_table_changed(t, f, w->said_ns)) != NULL) {
		struct reader_view view;
		struct fact_flow said;

		if (f->said_frame == f->last_frame ||
		    (f->said_frame != 0 && now_ns - f->said_ns < WORKER_SAY_NS))
			continue;
		f->said_frame = f->last_frame;
		f->said_ns = now_ns;
		reader_so_far(&w->reader, f, &view);
		worker_say_flow(w, &view.flow, FLOW_OPEN, false, &said);
		say_read_so_far(w, f, &view.flow, &said, now_ns);
	}
}

static void say_so_far(struct worker *w, int64_t now_ns)
{
	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count)
		describe_so_far(w, w->shards[i], now_ns);
	w->said_ns = now_ns - WORKER_LATE_NS;
	worker_send(w, now_ns - WORKER_SAY_NS);
}

static void let_go_timed_out(struct worker *w, int64_t now_ns)
{
	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count) {
		struct flow *f;

		while ((f = flow_table_timed_out(w->shards[i], now_ns)) != NULL)
			describe(w, w->shards[i], f, FLOW_TIMED_OUT);
	}
}

static void take_tick(struct worker *w, int64_t now_ns)
{
	let_go_timed_out(w, now_ns - now_ns % WORKER_TIME_OUTS_NS);
	if (w->live)
		say_so_far(w, now_ns);
}

static struct flow *new_flow(struct worker *w, struct flow_table *t, const struct packet *p, uint64_t hash)
{
	struct flow *f = flow_table_add(t, &p->key, hash);

	if (f == NULL) {
		describe(w, t, flow_table_idlest(t), FLOW_EVICTED);
		f = flow_table_add(t, &p->key, hash);
	}
	flow_begin(f, p);
	return f;
}

/* A flood of flows that keep much waiting costs accuracy, never memory. */
static void keep_under_limit(struct worker *w, struct flow_table *t)
{
	while (flow_table_memory(t) > WORKER_SHARD_BYTES)
		describe(w, t, flow_table_idlest(t), FLOW_EVICTED);
}

static inline void step(struct worker *w, const struct packet *p, uint64_t hash)
{
	struct flow_table *t;
	struct flow *f;

	if (p->frame == 0) {
		take_tick(w, p->time_ns);
		return;
	}
	w->shard = p->shard;
	t = w->shards[p->shard];
	f = flow_table_find(t, &p->key, hash);
	if (f != NULL && flow_is_over_for(f, p)) {
		describe(w, t, f, FLOW_OPEN);
		f = NULL;
	}
	if (f == NULL)
		f = new_flow(w, t, p, hash);
	if (p->time_ns >= f->sample_end_ns)
		worker_say_sample(w, f, p->time_ns);
	flow_table_touch(t, f, flow_count(f, p));
	reader_packet(&w->reader, f, p);
	if (w->keep && w->behind)
		keep_no_more(f);
	else if (w->keep)
		keep_packet(f, p, worker_say_packet, w);
	flow_table_note_memory(t, f, reader_memory(f) + keep_memory(f));
	keep_under_limit(w, t);
}

void worker_step(struct worker *w, const struct packet *p)
{
	step(w, p, flow_key_hash(&p->key, &w->hash));
}

/* Ticks belong to no shard. */
static struct flow_table *table_of(const struct worker *w, const struct packet *p)
{
	return p->frame == 0 ? NULL : w->shards[p->shard];
}

/* All hashes first: what the packets some places ahead will need is then fetched meanwhile. */
static void take_batch(struct worker *w, const struct batch *b)
{
	uint64_t hashes[BATCH_PACKETS];

	w->behind = w->keep && queue_is_behind(w->out);
	for (unsigned i = 0; i < b->packet_count; i++)
		hashes[i] = flow_key_hash(&b->packets[i].key, &w->hash);
	for (unsigned i = 0; i < b->packet_count; i++) {
		unsigned soon = i + WORKER_SOON, next = i + WORKER_NEXT;
		const struct flow_table *t;

		if (soon < b->packet_count && (t = table_of(w, &b->packets[soon])) != NULL) {
			flow_table_soon(t, hashes[soon]);
			__builtin_prefetch(b->packets[soon].payload);
		}
		if (next < b->packet_count && (t = table_of(w, &b->packets[next])) != NULL)
			flow_table_next(t, hashes[next]);
		step(w, &b->packets[i], hashes[i]);
	}
}

/* A flow and its id, for the sake of sorting. */
struct left {
	uint64_t id;
	struct flow *flow;
	struct flow_table *table;
};

static int by_id(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* All flows that are left in the worker's shards, in the order of their ids. */
static struct left *flows_left(const struct worker *w, size_t *count_out)
{
	size_t count = 0, n = 0;
	struct left *left;

	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count)
		count += flow_table_count(w->shards[i]);
	left = base_alloc_array(count, sizeof(*left));
	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count) {
		struct flow *f = NULL;

		while ((f = flow_table_changed(w->shards[i], f, INT64_MIN)) != NULL)
			left[n++] = (struct left){ f->id, f, w->shards[i] };
	}
	qsort(left, count, sizeof(*left), by_id);
	*count_out = count;
	return left;
}

/* In the order of ids all workers come to the same part of the store at the same time: out of order a row takes
 * half as long again. */
static void describe_left(struct worker *w)
{
	size_t count;
	struct left *left = flows_left(w, &count);

	for (size_t i = 0; i < count; i++)
		describe(w, left[i].table, left[i].flow, FLOW_OPEN);
	free(left);
}

void worker_finish(struct worker *w)
{
	describe_left(w);
	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count)
		worker_say_names_left_out(w, &w->names[i]);
	worker_say(w, FACT_END);
	worker_send(w, 0);
}

void *worker_main(void *worker)
{
	struct worker *w = worker;
	bool end = false;

	while (!end) {
		struct batch *b = queue_take(w->in);

		take_batch(w, b);
		end = b->kind == BATCH_END;
		batch_free(&b);
	}
	worker_finish(w);
	worker_free(&w);
	return NULL;
}

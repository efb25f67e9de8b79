#include "report/waiting.h"

#include "capture/base.h"
#include "report/store_sql.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A source's end with its own copy of what it points to. */
struct waiting_source {
	unsigned number;
	struct source_end end;
	char *path;
	struct source_interface *interfaces;
	struct waiting_source *next;
};

struct waiting {
	const struct fact **rows;	/* in the batches */
	unsigned row_count, row_size;
	struct fact_batch **batches;
	unsigned batch_count, batch_size;
	struct loss *losses;
	unsigned loss_count, loss_size;
	bool gave_up;
	struct loss given_up;
	struct waiting_source *sources;
	struct process_fact *processes;
	unsigned process_count, process_size;
};

struct waiting *waiting_new(void)
{
	return base_alloc(sizeof(struct waiting));
}

/* Room for one more. */
static void *grown(void *array, unsigned count, unsigned *size, size_t of_one)
{
	if (count < *size)
		return array;
	*size = *size > 0 ? *size * 2 : 64;
	return base_realloc(array, *size * of_one);
}

unsigned waiting_take(struct waiting *w, struct fact_batch *batch)
{
	unsigned ended = 0;

	/* A live worker sends some every second, be they nearly empty. */
	if (batch->count < FACT_BATCH / 2)
		batch = base_realloc(batch, offsetof(struct fact_batch, facts) + batch->count * sizeof(batch->facts[0]));
	w->batches = grown(w->batches, w->batch_count, &w->batch_size, sizeof(*w->batches));
	w->batches[w->batch_count++] = batch;
	for (unsigned i = 0; i < batch->count; i++) {
		if (batch->facts[i].kind == FACT_END) {
			ended++;
			continue;
		}
		w->rows = grown(w->rows, w->row_count, &w->row_size, sizeof(*w->rows));
		w->rows[w->row_count++] = &batch->facts[i];
	}
	return ended;
}

void waiting_lost(struct waiting *w, const struct loss *loss)
{
	w->losses = grown(w->losses, w->loss_count, &w->loss_size, sizeof(*w->losses));
	w->losses[w->loss_count++] = *loss;
}

bool waiting_process(struct waiting *w, const struct process_fact *fact)
{
	if (w->process_count == WAITING_PROCESSES)
		return false;
	w->processes = grown(w->processes, w->process_count, &w->process_size, sizeof(*w->processes));
	w->processes[w->process_count++] = *fact;
	return true;
}

static void source_free(struct waiting_source *s)
{
	free(s->interfaces);
	free(s->path);
	free(s);
}

void waiting_source(struct waiting *w, unsigned number, const struct source_end *end)
{
	size_t size = end->interface_count * sizeof(*end->interfaces);
	struct waiting_source *s = base_alloc(sizeof(*s)), **at = &w->sources;

	*s = (struct waiting_source){ .number = number, .end = *end, .path = base_strdup(end->path) };
	s->end.path = s->path;
	s->interfaces = base_alloc(size);
	if (size > 0)
		memcpy(s->interfaces, end->interfaces, size);
	s->end.interfaces = s->interfaces;
	while (*at != NULL && (*at)->number != number)
		at = &(*at)->next;
	if (*at != NULL) {
		s->next = (*at)->next;
		source_free(*at);
	}
	*at = s;
}

unsigned waiting_facts(const struct waiting *w)
{
	return w->row_count;
}

bool waiting_is_news(const struct waiting *w)
{
	return w->row_count > 0 || w->loss_count > 0 || w->process_count > 0;
}

static bool store_losses(const struct waiting *w, struct store *store)
{
	bool ok = !w->gave_up || store_loss(store, &w->given_up);

	for (unsigned i = 0; ok && i < w->loss_count; i++)
		ok = store_loss(store, &w->losses[i]);
	return ok;
}

static bool store_processes(const struct waiting *w, struct store *store)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < w->process_count; i++)
		ok = store_process(store, &w->processes[i]);
	return ok;
}

static uint64_t packet_bytes(const struct waiting *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < w->row_count; i++)
		n += w->rows[i]->kind == FACT_PACKET ? w->rows[i]->packet.len : 0;
	return n;
}

bool waiting_store(const struct waiting *w, struct store *store)
{
	bool ok = store_add_these(store, w->rows, w->row_count) && store_keep_within(store, packet_bytes(w));

	if (ok && (w->loss_count > 0 || w->gave_up || w->process_count > 0)) {
		ok = store_begin(store) && store_losses(w, store) && store_processes(w, store) && store_commit(store);
		if (!ok)
			store_rollback(store);
	}
	for (const struct waiting_source *s = w->sources; ok && s != NULL; s = s->next)
		ok = store_source(store, s->number, &s->end);
	return ok;
}

bool waiting_store_some(struct waiting *w, struct store *store, unsigned rows)
{
	unsigned batches = 0, count = 0;

	for (; batches < w->batch_count && count < rows; batches++) {
		for (unsigned i = 0; i < w->batches[batches]->count; i++)
			count += w->batches[batches]->facts[i].kind != FACT_END;
	}
	if (!store_add_these(store, w->rows, count))
		return false;
	for (unsigned i = 0; i < batches; i++)
		free(w->batches[i]);
	w->batch_count -= batches;
	w->row_count -= count;
	memmove(w->batches, w->batches + batches, w->batch_count * sizeof(*w->batches));
	memmove(w->rows, w->rows + count, w->row_count * sizeof(*w->rows));
	return true;
}

static void forget_facts(struct waiting *w)
{
	for (unsigned i = 0; i < w->batch_count; i++)
		free(w->batches[i]);
	w->row_count = w->batch_count = 0;
}

void waiting_forget(struct waiting *w)
{
	forget_facts(w);
	w->loss_count = w->process_count = 0;
	w->gave_up = false;
	for (struct waiting_source *s = w->sources, *next; s != NULL; s = next) {
		next = s->next;
		source_free(s);
	}
	w->sources = NULL;
}

void waiting_move(struct waiting *from, struct waiting *to)
{
	for (unsigned i = 0; i < from->loss_count; i++)
		waiting_lost(to, &from->losses[i]);
	for (unsigned i = 0; i < from->process_count; i++)
		waiting_process(to, &from->processes[i]);
	for (const struct waiting_source *s = from->sources; s != NULL; s = s->next)
		waiting_source(to, s->number, &s->end);
	waiting_forget(from);
}

void waiting_give_up(struct waiting *w, int64_t now_ns)
{
	if (w->row_count == 0)
		return;
	if (!w->gave_up)
		w->given_up = (struct loss){ .reason = LOSS_NOT_STORED, .frame = fact_id(w->rows[0]), .time_ns = now_ns };
	w->gave_up = true;
	w->given_up.last_frame = fact_id(w->rows[w->row_count - 1]);
	for (unsigned i = 0; i < w->loss_count; i++)
		w->given_up.packets += w->losses[i].packets;
	w->loss_count = 0;
	forget_facts(w);
}

void waiting_free(struct waiting **w)
{
	if (*w == NULL)
		return;
	waiting_forget(*w);
	free((*w)->rows);
	free((*w)->batches);
	free((*w)->losses);
	free((*w)->processes);
	free(*w);
	*w = NULL;
}

#include "report/writer.h"

#include "capture/base.h"
#include "report/store_sql.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Facts stored at once, in the order of their ids and in one transaction: a commit costs as much as some
 * hundred rows. A multiple of FACT_BATCH. */
#define WRITER_ROWS 4096
#define WRITER_LOSSES_MIN 64
#define WRITER_LIVE_NS BASE_NS_PER_S	/* what a crash may cost */

/* A source's end with its own copy of what it points to. */
struct writer_source {
	unsigned number;
	struct source_end end;
	char *path;
	struct source_interface *interfaces;
	struct writer_source *next;
};

struct writer {
	struct store *store;		/* borrowed */
	struct queue *facts;		/* borrowed */
	unsigned workers;
	bool ok;			/* the writer's thread, then who joined it */
	unsigned row_count, batch_count;
	writer_stored *stored;		/* NULL: not live */
	void *context;
	int64_t stored_ns;		/* when it was last called */
	bool fresh;			/* something was stored since */
	bool gave_up;			/* it was told so */
	int64_t *until_ns;		/* of each worker: it has told of all before */
	const struct fact *rows[WRITER_ROWS];	/* in the batches */
	struct fact_batch *batches[WRITER_ROWS / FACT_BATCH];

	pthread_mutex_t lock;		/* of all below */
	struct loss *losses;
	unsigned loss_count, loss_size;
	struct writer_source *sources, **sources_end;
};

struct writer *writer_new(struct store *store, struct queue *facts, unsigned workers)
{
	struct writer *w = base_alloc(sizeof(*w));

	w->store = store;
	w->facts = facts;
	w->workers = workers;
	w->ok = true;
	w->until_ns = base_alloc_array(workers, sizeof(*w->until_ns));
	w->sources_end = &w->sources;
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void writer_live(struct writer *w, writer_stored *stored, void *context)
{
	w->stored = stored;
	w->context = context;
}

void writer_lost(struct writer *w, const struct loss *loss)
{
	pthread_mutex_lock(&w->lock);
	if (w->loss_count == w->loss_size) {
		w->loss_size = w->loss_size > 0 ? w->loss_size * 2 : WRITER_LOSSES_MIN;
		w->losses = base_realloc(w->losses, w->loss_size * sizeof(*w->losses));
	}
	w->losses[w->loss_count++] = *loss;
	pthread_mutex_unlock(&w->lock);
}

void writer_source(struct writer *w, unsigned number, const struct source_end *end)
{
	struct writer_source *s = base_alloc(sizeof(*s));
	size_t size = end->interface_count * sizeof(*s->interfaces);

	s->number = number;
	s->end = *end;
	s->path = base_strdup(end->path);
	s->end.path = s->path;
	s->interfaces = base_alloc(size);
	if (size > 0)
		memcpy(s->interfaces, end->interfaces, size);
	s->end.interfaces = s->interfaces;
	pthread_mutex_lock(&w->lock);
	*w->sources_end = s;
	w->sources_end = &s->next;
	pthread_mutex_unlock(&w->lock);
}

static void source_free(struct writer_source *s)
{
	free(s->interfaces);
	free(s->path);
	free(s);
}

static void store_losses(struct writer *w, const struct loss *losses, unsigned count)
{
	w->ok = w->ok && store_begin(w->store);
	for (unsigned i = 0; i < count; i++)
		w->ok = w->ok && store_loss(w->store, &losses[i]);
	w->ok = w->ok && store_commit(w->store);
	if (!w->ok)
		store_rollback(w->store);
}

/* What capture said meanwhile. */
static void store_told(struct writer *w)
{
	struct writer_source *sources;
	struct loss *losses;
	unsigned loss_count;

	pthread_mutex_lock(&w->lock);
	sources = w->sources;
	losses = w->losses;
	loss_count = w->loss_count;
	w->sources = NULL;
	w->sources_end = &w->sources;
	w->losses = NULL;
	w->loss_count = w->loss_size = 0;
	pthread_mutex_unlock(&w->lock);

	w->fresh = w->fresh || loss_count > 0;
	if (loss_count > 0)
		store_losses(w, losses, loss_count);
	free(losses);
	while (sources != NULL) {
		struct writer_source *next = sources->next;

		w->ok = w->ok && store_source(w->store, sources->number, &sources->end);
		source_free(sources);
		sources = next;
	}
}

static void store_rows(struct writer *w)
{
	w->fresh = w->fresh || w->row_count > 0;
	w->ok = w->ok && store_add_these(w->store, w->rows, w->row_count);
	for (unsigned i = 0; i < w->batch_count; i++)
		free(w->batches[i]);
	w->row_count = w->batch_count = 0;
}

/* Puts a batch behind what waits; returns how many workers said their last word in it. */
static unsigned take(struct writer *w, struct fact_batch *batch)
{
	unsigned ended = 0;

	if (batch->until_ns > 0)
		w->until_ns[batch->worker] = batch->until_ns;
	for (unsigned i = 0; i < batch->count; i++) {
		if (batch->facts[i].kind == FACT_END)
			ended++;
		else
			w->rows[w->row_count++] = &batch->facts[i];
	}
	w->batches[w->batch_count++] = batch;
	if (w->batch_count == WRITER_ROWS / FACT_BATCH)
		store_rows(w);
	return ended;
}

/* Up to when every worker has told of all that was seen; 0: not yet. */
static int64_t until(const struct writer *w)
{
	int64_t ns = w->until_ns[0];

	for (unsigned i = 1; i < w->workers; i++)
		ns = w->until_ns[i] < ns ? w->until_ns[i] : ns;
	return ns;
}

static void store_live(struct writer *w)
{
	struct timespec clock;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	now = clock.tv_sec * BASE_NS_PER_S + clock.tv_nsec;
	if (now - w->stored_ns < WRITER_LIVE_NS)
		return;
	store_rows(w);
	store_told(w);
	w->ok = w->ok && store_run_until(w->store, until(w));
	w->ok = w->ok && w->stored(w->context, w->store, w->fresh);
	if (!w->ok && !w->gave_up)
		w->stored(w->context, NULL, false);
	w->gave_up = !w->ok;
	w->fresh = false;
	w->stored_ns = now;
}

void *writer_main(void *arg)
{
	struct writer *w = arg;
	unsigned ended = 0;

	w->ok = store_gather(w->store);
	while (ended < w->workers) {
		ended += take(w, queue_take(w->facts));
		if (w->stored == NULL)
			store_told(w);
		else
			store_live(w);
	}
	store_rows(w);
	store_told(w);
	w->ok = w->ok && store_gathered(w->store);
	return NULL;
}

bool writer_ok(const struct writer *w)
{
	return w->ok;
}

void writer_free(struct writer **w)
{
	if (*w == NULL)
		return;
	for (struct writer_source *s = (*w)->sources, *next; s != NULL; s = next) {
		next = s->next;
		source_free(s);
	}
	pthread_mutex_destroy(&(*w)->lock);
	free((*w)->losses);
	free((*w)->until_ns);
	free(*w);
	*w = NULL;
}

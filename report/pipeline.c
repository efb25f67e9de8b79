#include "report/pipeline.h"

#include "capture/base.h"
#include "classify/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPELINE_BATCHES 16	/* waiting for a worker */
/* Batches of facts waiting for the writer. Live it is away while it judges, and who waits for it keeps packets from
 * being read: so 80 MB at most, which are some seconds of 20,000 new flows each. */
#define PIPELINE_FACTS 32
#define PIPELINE_LIVE_FACTS 256

struct pipeline {
	const struct pipeline_settings *settings;
	struct writer *writer;
};

static void lost(void *context, const struct loss *loss)
{
	struct pipeline *p = context;

	writer_lost(p->writer, loss);
}

static void ended(void *context, unsigned number, const struct source_end *end)
{
	struct pipeline *p = context;

	writer_source(p->writer, number, end);
	if (p->settings->ended != NULL)
		p->settings->ended(p->settings->context, end);
}

static void progress(void *context, uint64_t packets, uint64_t bytes)
{
	struct pipeline *p = context;

	if (p->settings->progress != NULL)
		p->settings->progress(p->settings->context, packets, bytes);
}

/* `name` is what ps and perf show. A thread has its maker's to begin with, and to name another takes a file of /proc,
 * which the sandbox has not. */
static void start(pthread_t *thread, const char *name, void *(*body)(void *), void *arg)
{
	char own[16] = "";
	int failed;

	pthread_getname_np(pthread_self(), own, sizeof(own));
	pthread_setname_np(pthread_self(), name);
	failed = pthread_create(thread, NULL, body, arg);
	pthread_setname_np(pthread_self(), own);
	if (failed != 0) {
		base_log("cannot start a thread: %s", strerror(failed));
		exit(71); /* EX_OSERR */
	}
}

static void capture(struct pipeline *p, struct slab_pool *pool, struct queue *const *workers)
{
	const struct pipeline_settings *set = p->settings;
	const struct pipeline_live *live = set->live;
	const struct capture_sink sink = { .context = p, .lost = lost, .ended = ended, .progress = progress };

	if (live == NULL)
		capture_run(&(struct capture_settings){
			.paths = set->paths, .path_count = set->path_count, .vantages = set->vantages,
			.filter = set->filter,
			.pool = pool, .workers = workers, .worker_count = set->workers, .sink = sink,
		});
	else
		capture_live_run(&(struct capture_live_settings){
			.sources = live->sources, .source_count = live->source_count,
			.first_number = live->first_number,
			.pool = pool, .workers = workers, .worker_count = set->workers, .sink = sink,
			.control = live->control, .controlled = live->controlled,
			.control_context = live->context,
		});
}

/* The thread that hears of processes. */
struct matching {
	struct process_matcher *matcher;	/* NULL: there is none */
	struct writer *writer;
	struct queue *facts;
	pthread_t thread;
};

static bool take_process(void *context, const struct process_fact *fact)
{
	return writer_process(context, fact);
}

static void *match(void *arg)
{
	struct matching *m = arg;
	struct fact_batch *end = base_alloc(sizeof(*end));

	process_main(m->matcher, take_process, m->writer);
	end->facts[end->count++].kind = FACT_END;
	queue_put(m->facts, end);
	return NULL;
}

static void begin_matching(struct matching *m)
{
	if (m->matcher == NULL)
		return;
	writer_also(m->writer);
	start(&m->thread, "processes", match, m);
}

static void end_matching(struct matching *m)
{
	if (m->matcher == NULL)
		return;
	process_stop(m->matcher);
	pthread_join(m->thread, NULL);
}

/* Frames may stand in slabs of the pool until here. */
static void forget_sources(const struct pipeline_live *live)
{
	for (unsigned i = 0; live != NULL && i < live->source_count; i++)
		source_live_rest(live->sources[i]);
}

bool pipeline_run(const struct pipeline_settings *settings, struct store *store)
{
	unsigned n = settings->workers;
	struct queue *facts = queue_new(settings->live != NULL ? PIPELINE_LIVE_FACTS : PIPELINE_FACTS);
	struct queue *queues[PIPELINE_WORKERS_MAX];
	struct worker *workers[PIPELINE_WORKERS_MAX];
	pthread_t threads[PIPELINE_WORKERS_MAX], writer_thread;
	struct matching matching = {
		.matcher = settings->live != NULL ? settings->live->processes : NULL, .facts = facts };
	struct slab_pool *pool = slab_pool_new(CAPTURE_SLABS);
	struct pipeline p = { .settings = settings, .writer = writer_new(store, facts, n) };
	bool ok;

	for (unsigned i = 0; i < n; i++) {
		queues[i] = queue_new(PIPELINE_BATCHES);
		workers[i] = worker_new(i, n, queues[i], facts, 0);
		worker_trust(workers[i], settings->trust);
		if (settings->live != NULL)
			worker_live(workers[i]);
		if (settings->live != NULL && settings->live->keep > 0)
			worker_keep(workers[i]);
	}
	if (settings->live != NULL)
		writer_live(p.writer, settings->live->stored, settings->live->make_room,
			    settings->live->context);
	matching.writer = p.writer;
	begin_matching(&matching);
	start(&writer_thread, "writer", writer_main, p.writer);
	for (unsigned i = 0; i < n; i++)
		start(&threads[i], "worker", worker_main, workers[i]);
	capture(&p, pool, queues);
	end_matching(&matching);
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_join(writer_thread, NULL);
	ok = writer_ok(p.writer) || (settings->live != NULL && store_gathers(store));
	for (unsigned i = 0; ok && settings->vantages != NULL && i < settings->path_count; i++)
		ok = store_vantage(store, i, settings->vantage_names[settings->vantages[i]]);
	for (unsigned i = 0; i < n; i++)
		queue_free(&queues[i]);
	writer_free(&p.writer);
	queue_free(&facts);
	forget_sources(settings->live);
	slab_pool_free(&pool);
	return ok;
}

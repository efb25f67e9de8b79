#include "report/pipeline.h"

#include "capture/base.h"
#include "classify/worker.h"
#include "report/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPELINE_BATCHES 16	/* waiting for a worker */
#define PIPELINE_FACTS 32	/* batches waiting for the writer */

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
		p->settings->ended(end);
}

static void progress(void *context, uint64_t packets, uint64_t bytes)
{
	struct pipeline *p = context;

	if (p->settings->progress != NULL)
		p->settings->progress(packets, bytes);
}

/* `name` is what ps and perf show. */
static void start(pthread_t *thread, const char *name, void *(*body)(void *), void *arg)
{
	int failed = pthread_create(thread, NULL, body, arg);

	if (failed != 0) {
		base_log("cannot start a thread: %s", strerror(failed));
		exit(71); /* EX_OSERR */
	}
	pthread_setname_np(*thread, name);
}

bool pipeline_run(const struct pipeline_settings *settings, struct store *store)
{
	unsigned n = settings->workers;
	struct queue *facts = queue_new(PIPELINE_FACTS);
	struct queue *queues[PIPELINE_WORKERS_MAX];
	struct worker *workers[PIPELINE_WORKERS_MAX];
	pthread_t threads[PIPELINE_WORKERS_MAX], writer_thread;
	struct slab_pool *pool = slab_pool_new(CAPTURE_SLABS);
	struct pipeline p = { .settings = settings, .writer = writer_new(store, facts, n) };
	bool ok;

	for (unsigned i = 0; i < n; i++) {
		queues[i] = queue_new(PIPELINE_BATCHES);
		workers[i] = worker_new(i, n, queues[i], facts, 0);
		worker_trust(workers[i], settings->trust);
	}
	start(&writer_thread, "writer", writer_main, p.writer);
	for (unsigned i = 0; i < n; i++)
		start(&threads[i], "worker", worker_main, workers[i]);
	capture_run(&(struct capture_settings){
		.paths = settings->paths, .path_count = settings->path_count,
		.vantages = settings->vantages, .filter = settings->filter, .pool = pool, .workers = queues, .worker_count = n,
		.sink = { .context = &p, .lost = lost, .ended = ended, .progress = progress },
	});
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_join(writer_thread, NULL);
	ok = writer_ok(p.writer);
	for (unsigned i = 0; ok && settings->vantages != NULL && i < settings->path_count; i++)
		ok = store_vantage(store, i, settings->vantage_names[settings->vantages[i]]);
	for (unsigned i = 0; i < n; i++) {
		worker_free(&workers[i]);
		queue_free(&queues[i]);
	}
	writer_free(&p.writer);
	queue_free(&facts);
	slab_pool_free(&pool);
	return ok;
}

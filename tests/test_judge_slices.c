/* A case that grows is judged, at any moment, as one that was never judged before: every golden capture in slices. */
#include "tests/grows.h"

#include "capture/capture.h"
#include "classify/asn.h"
#include "classify/owner.h"
#include "classify/worker.h"

#include <glob.h>
#include <pthread.h>

#define QUEUE_LENGTH 16
#define STEP (TEST_SANITIZED ? 8 : 1)	/* of captures, one is taken */
#define SLICES 4		/* of each capture */
#define WORKERS 2

struct book {
	struct catalogue *catalogue;
	struct asn *asn;
	struct owner_finder *finder;
	struct owner_book of;
};

static struct book open_book(void)
{
	struct book b;
	char error[512];

	b.catalogue = catalogue_load("classify/catalogue", NULL, 0, error, sizeof(error));
	b.asn = asn_open("classify/asn.mmdb", "classify", error, sizeof(error));
	if (b.catalogue == NULL || b.asn == NULL)
		fail_msg("%s", error);
	b.finder = owner_finder_new(b.catalogue, b.asn);
	b.of = owner_book_of(b.finder);
	return b;
}

static void close_book(struct book *b)
{
	owner_finder_free(&b->finder);
	asn_close(&b->asn);
	catalogue_free(&b->catalogue);
}

/* Reads a capture file in a thread of its own. */
struct reading {
	const char *path;
	struct slab_pool *pool;
	struct queue *queue;
	pthread_t thread;
};

static void no_loss(void *context, const struct loss *loss)
{
	(void)context;
	(void)loss;
}

static void no_end(void *context, unsigned number, const struct source_end *end)
{
	(void)context;
	(void)number;
	(void)end;
}

static void no_progress(void *context, uint64_t packets, uint64_t bytes)
{
	(void)context;
	(void)packets;
	(void)bytes;
}

static void *read_file(void *arg)
{
	struct reading *r = arg;

	capture_run(&(struct capture_settings){ .paths = &r->path, .path_count = 1, .pool = r->pool,
		.workers = &r->queue, .worker_count = 1,
		.sink = { .lost = no_loss, .ended = no_end, .progress = no_progress } });
	return NULL;
}

static void begin_reading(struct reading *r, const char *path)
{
	r->path = path;
	r->pool = slab_pool_new(CAPTURE_SLABS);
	r->queue = queue_new(QUEUE_LENGTH);
	assert_int_equal(pthread_create(&r->thread, NULL, read_file, r), 0);
}

static void end_reading(struct reading *r)
{
	pthread_join(r->thread, NULL);
	queue_free(&r->queue);
	slab_pool_free(&r->pool);
}

/* A watch of the packets of a file. What the second worker tells is stored a slice later than what the first does. */
struct watch {
	struct growing g;
	struct worker *workers[WORKERS];
	struct queue *out[WORKERS];
	int64_t until_ns[WORKERS];
	unsigned every, packets;	/* a slice; in this one */
};

static int64_t until(const struct watch *w)
{
	return w->until_ns[0] < w->until_ns[1] ? w->until_ns[0] : w->until_ns[1];
}

static void store_told(struct watch *w, unsigned worker)
{
	bool more = true;

	while (more) {
		struct fact_batch *b = queue_take(w->out[worker]);
		unsigned count = b->count;

		for (unsigned i = 0; i < b->count; i++)
			count -= b->facts[i].kind == FACT_END;
		if (!store_add(w->g.st, b->facts, count))
			fail_msg("%s", store_error(w->g.st));
		more = b->until_ns == 0 && count == b->count;
		w->until_ns[worker] = b->until_ns > 0 ? b->until_ns : w->until_ns[worker];
		free(b);
	}
}

/* The first worker tells of this slice, then the second of the one before. */
static void end_slice(struct watch *w, int64_t now_ns)
{
	worker_step(w->workers[0], &(struct packet){ .time_ns = now_ns });
	store_told(w, 0);
	grow_compare(&w->g, until(w));
	if (w->until_ns[1] > 0)
		store_told(w, 1);
	w->until_ns[1] = w->until_ns[1] > 0 ? w->until_ns[1] : 1;
	worker_step(w->workers[1], &(struct packet){ .time_ns = now_ns });
	w->packets = 0;
}

static void take_batch(struct watch *w, const struct batch *b)
{
	for (unsigned i = 0; i < b->packet_count; i++) {
		const struct packet *p = &b->packets[i];

		if (p->frame == 0)
			continue;
		worker_step(w->workers[p->shard % WORKERS], p);
		if (++w->packets == w->every)
			end_slice(w, p->time_ns + 1);
	}
}

static void finish(struct watch *w)
{
	for (unsigned i = 0; i < WORKERS; i++)
		worker_finish(w->workers[i]);
	store_told(w, 0);
	grow_compare(&w->g, until(w));
	if (w->until_ns[1] > 0)
		store_told(w, 1);
	store_told(w, 1);
	grow_compare(&w->g, until(w));
}

static unsigned count_packets(const char *path)
{
	struct reading r;
	unsigned count = 0;
	bool end = false;

	begin_reading(&r, path);
	while (!end) {
		struct batch *b = queue_take(r.queue);

		for (unsigned i = 0; i < b->packet_count; i++)
			count += b->packets[i].frame != 0;
		end = b->kind == BATCH_END;
		batch_free(&b);
	}
	end_reading(&r);
	return count;
}

static unsigned watch_file(const char *path, const struct owner_book *book)
{
	struct watch w = { .g = grow_begin(path, book), .every = count_packets(path) / SLICES + 1 };
	struct reading r;
	bool end = false;

	for (unsigned i = 0; i < WORKERS; i++) {
		w.out[i] = queue_new(100000);
		w.workers[i] = worker_new(i, WORKERS, NULL, w.out[i], 0);
		worker_live(w.workers[i]);
	}
	begin_reading(&r, path);
	while (!end) {
		struct batch *b = queue_take(r.queue);

		take_batch(&w, b);
		end = b->kind == BATCH_END;
		batch_free(&b);
	}
	finish(&w);
	end_reading(&r);
	for (unsigned i = 0; i < WORKERS; i++) {
		worker_free(&w.workers[i]);
		queue_free(&w.out[i]);
	}
	grow_end(&w.g);
	return w.g.compared;
}

static void every_golden_capture_is_judged_alike_in_slices_and_at_once(void **state)
{
	struct book book = open_book();
	unsigned compared = 0, captures = 0;
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/golden/*/capture.pcap*", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i += STEP, captures++)
		compared += watch_file(files.gl_pathv[i], &book.of);
	print_message("%u moments of %u captures\n", compared, captures);
	assert_true(captures > 50 / STEP && compared > 3 * captures);
	globfree(&files);
	close_book(&book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_golden_capture_is_judged_alike_in_slices_and_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

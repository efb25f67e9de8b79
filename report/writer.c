#include "report/writer.h"

#include "capture/base.h"
#include "report/store_sql.h"
#include "report/waiting.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Facts stored at once, in the order of their ids and in one transaction: a commit costs as much as some
 * hundred rows. */
#define WRITER_ROWS 4096
/* Live: stored as soon as all workers have told of one more tick and nothing else waits: what came while the last was
 * brought to a slow disk goes at once. When ticks come fast, as after a jam, no sooner than so long after the last
 * began. When more comes than is taken, or some worker is late, no later than so long after it was done: a disk that
 * takes long for each is then asked for fewer. */
#define WRITER_LIVE_MIN_NS (BASE_NS_PER_S / 10)
#define WRITER_LIVE_MAX_NS (BASE_NS_PER_S / 2)
/* What takes its time is done by the second, less what ticks come early: telling whoever judges, making room, and
 * trying again while storing pauses. */
#define WRITER_SECOND_NS (BASE_NS_PER_S * 7 / 8)
#define WRITER_LAST_TRIES 5	/* at the end, while room is made */

struct writer {
	struct store *store;		/* borrowed */
	struct queue *facts;		/* borrowed */
	unsigned workers, enders;	/* who tell facts; who say FACT_END */
	bool ok;			/* the writer's thread, then who joined it; false and live: storing pauses */
	struct waiting *waiting;
	writer_stored *stored;		/* NULL: not live */
	writer_room *make_room;
	void *context;			/* of both */
	int64_t soonest_ns, latest_ns;	/* live: when to store next */
	int64_t stored_until_ns;	/* up to when workers had told when that was last done */
	int64_t second_ns;		/* when what is done by the second was done last */
	bool fresh;			/* something came since */
	uint64_t given_up;		/* facts, in this pause */
	int64_t *until_ns;		/* of each worker: it has told of all before */

	pthread_mutex_t lock;		/* of all below */
	struct waiting *told;		/* by capture and by who matches processes */
};

struct writer *writer_new(struct store *store, struct queue *facts, unsigned workers)
{
	struct writer *w = base_alloc(sizeof(*w));

	w->store = store;
	w->facts = facts;
	w->workers = w->enders = workers;
	w->ok = true;
	w->until_ns = base_alloc_array(workers, sizeof(*w->until_ns));
	w->waiting = waiting_new();
	w->told = waiting_new();
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void writer_also(struct writer *w)
{
	w->enders++;
}

void writer_live(struct writer *w, writer_stored *stored, writer_room *make_room, void *context)
{
	w->stored = stored;
	w->make_room = make_room;
	w->context = context;
}

void writer_lost(struct writer *w, const struct loss *loss)
{
	pthread_mutex_lock(&w->lock);
	waiting_lost(w->told, loss);
	pthread_mutex_unlock(&w->lock);
}

void writer_source(struct writer *w, unsigned number, const struct source_end *end)
{
	pthread_mutex_lock(&w->lock);
	waiting_source(w->told, number, end);
	pthread_mutex_unlock(&w->lock);
}

bool writer_process(struct writer *w, const struct process_fact *fact)
{
	bool room;

	pthread_mutex_lock(&w->lock);
	room = waiting_process(w->told, fact);
	pthread_mutex_unlock(&w->lock);
	return room;
}

static void take_told(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	waiting_move(w->told, w->waiting);
	pthread_mutex_unlock(&w->lock);
	w->fresh = w->fresh || waiting_is_news(w->waiting);
}

/* Up to when every worker has told of all that was seen; 0: not yet. */
static int64_t until(const struct writer *w)
{
	int64_t ns = w->until_ns[0];

	for (unsigned i = 1; i < w->workers; i++)
		ns = w->until_ns[i] < ns ? w->until_ns[i] : ns;
	return ns;
}

/* Files: what cannot be stored is thrown away. */
static void store_files(struct writer *w)
{
	take_told(w);
	w->ok = w->ok && waiting_store(w->waiting, w->store);
	waiting_forget(w->waiting);
}

/* All that waits goes into a transaction that is left open. */
static bool gather(struct writer *w)
{
	return store_gather(w->store) && waiting_store(w->waiting, w->store) && store_run_until(w->store, until(w));
}

static void pause_storing(struct writer *w)
{
	base_log("storing pauses, watching goes on: %s", store_error(w->store));
	w->ok = false;
	store_in_memory(w->store, true);
}

static void go_on_storing(struct writer *w)
{
	if (w->given_up > 0)
		base_log("storing goes on; %llu facts found no room", (unsigned long long)w->given_up);
	else
		base_log("storing goes on; nothing was lost");
	w->given_up = 0;
	w->ok = true;
	store_in_memory(w->store, false);
}

/* While all is well. */
static void store_waiting(struct writer *w)
{
	take_told(w);
	if (gather(w) && store_gathered(w->store)) {
		waiting_forget(w->waiting);
		return;
	}
	store_rollback(w->store);
	pause_storing(w);
}

static void tell(struct writer *w)
{
	bool fresh = w->fresh, ok;

	w->fresh = false;
	/* Facts of the meantime would wait for the disk, and what is judged can be judged again. */
	ok = store_sync_later(w->store, true) && w->stored(w->context, w->store, fresh) != WRITER_FAILED;
	if (!store_sync_later(w->store, false) || !ok)
		pause_storing(w);
}

/* No more at once than when all is well: there may be no room for all. */
static void store_parts(struct writer *w)
{
	while (waiting_facts(w->waiting) > WRITER_ROWS && waiting_store_some(w->waiting, w->store, WRITER_ROWS))
		;
}

/* While storing pauses: what waits is judged, and stored where it can. */
static void try_again(struct writer *w)
{
	bool ok, fresh;

	take_told(w);
	fresh = w->fresh;
	w->fresh = false;
	store_parts(w);
	ok = gather(w);
	ok = ok && w->stored(w->context, w->store, fresh) == WRITER_DONE && store_gathered(w->store);
	if (ok) {
		waiting_forget(w->waiting);
		go_on_storing(w);
		return;
	}
	store_rollback(w->store);
	if (waiting_facts(w->waiting) > WRITER_HELD) {
		w->given_up += waiting_facts(w->waiting);
		waiting_give_up(w->waiting, until(w));
	}
}

static bool is_time(const struct writer *w, int64_t now)
{
	bool whole = until(w) != w->stored_until_ns && queue_is_empty(w->facts);

	return now >= (whole ? w->soonest_ns : w->latest_ns);
}

static void store_now(struct writer *w, bool second)
{
	if (second && w->make_room != NULL)
		w->make_room(w->context, w->store);
	if (!w->ok) {
		if (second)
			try_again(w);
		return;
	}
	store_waiting(w);
	if (w->ok && second)
		tell(w);
}

static void store_live(struct writer *w)
{
	int64_t now = base_clock_ns(CLOCK_MONOTONIC);
	bool second = now - w->second_ns >= WRITER_SECOND_NS;

	if (!is_time(w, now)) {
		if (w->ok && waiting_facts(w->waiting) >= WRITER_ROWS)
			store_waiting(w);
		return;
	}
	w->soonest_ns = now + WRITER_LIVE_MIN_NS;
	w->stored_until_ns = until(w);
	w->second_ns = second ? now : w->second_ns;
	store_now(w, second);
	w->latest_ns = base_clock_ns(CLOCK_MONOTONIC) + WRITER_LIVE_MAX_NS;
}

/* The last word. What cannot be stored stays gathered. */
static void end_live(struct writer *w)
{
	if (w->ok)
		store_waiting(w);
	take_told(w);
	for (unsigned i = 0; !w->ok && i < WRITER_LAST_TRIES; i++) {
		if (w->make_room != NULL)
			w->make_room(w->context, w->store);
		store_parts(w);
		if (gather(w) && store_gathered(w->store))
			go_on_storing(w);
		else
			store_rollback(w->store);
	}
	if (!w->ok && !gather(w))
		store_rollback(w->store);
}

void *writer_main(void *arg)
{
	struct writer *w = arg;
	bool one = w->stored == NULL && !store_lasts(w->store);
	unsigned ended = 0;

	/* Nobody can lose half of a temporary case, and every commit walks over all that was written so far. */
	w->ok = !one || store_gather(w->store);
	while (ended < w->enders) {
		struct fact_batch *batch = queue_take(w->facts);

		if (batch->until_ns > 0)
			w->until_ns[batch->worker] = batch->until_ns;
		ended += waiting_take(w->waiting, batch);
		if (w->stored != NULL)
			store_live(w);
		else if (waiting_facts(w->waiting) >= WRITER_ROWS)
			store_files(w);
	}
	if (w->stored != NULL)
		end_live(w);
	else
		store_files(w);
	w->ok = w->ok && (!one || store_gathered(w->store));
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
	pthread_mutex_destroy(&(*w)->lock);
	waiting_free(&(*w)->waiting);
	waiting_free(&(*w)->told);
	free((*w)->until_ns);
	free(*w);
	*w = NULL;
}

/* writer.h - the thread that stores facts
 *
 * Takes fact batches (classify/fact.h) from a queue, frees them, and ends after `workers` facts of kind
 * FACT_END. Losses and sources come from the capture thread under the writer's lock, processes from theirs.
 *
 * When storing fails while files are read it goes on taking and throwing away until the end, then says so: a
 * writer that stopped would block everyone. A live one pauses: what comes waits, up to WRITER_HELD facts, is
 * judged with what is stored in a transaction that is rolled back, and is stored as soon as that works; what
 * found no room is a loss. */
#ifndef REPORT_WRITER_H
#define REPORT_WRITER_H

#include "capture/batch.h"
#include "report/store.h"

#define WRITER_HELD 32768	/* 40 MB */

struct writer;

/* Borrows both. */
struct writer *writer_new(struct store *store, struct queue *facts, unsigned workers);
/* One more says FACT_END, and nothing else in batches. Before the thread is started. */
void writer_also(struct writer *w);
/* The thread's body; arg is a struct writer. */
void *writer_main(void *arg);
/* Live, all that the workers told up to a tick is brought to the disk in one transaction: four a second, or as many as
 * the disk takes; workers that are live send a batch at each tick, be it empty. One a second would lose two seconds:
 * what came just after the last waits for the next, and is then not on the disk yet. Every second `stored` is told of
 * what is stored by then, from the writer's thread, and may use the store; `facts`: there are some since it was last
 * called. While storing pauses they are in the store for the time of this call. What it stores need not be on the disk
 * before the next transaction is. Before the thread is started. */
enum writer_told {
	WRITER_DONE,
	WRITER_LATER,		/* it will look at them another time */
	WRITER_FAILED,		/* it could not store what it wanted to */
};
typedef enum writer_told writer_stored(void *context, struct store *store, bool facts);
/* Every second before that, outside any transaction, also while storing pauses. */
typedef void writer_room(void *context, struct store *store);
/* make_room may be NULL. */
void writer_live(struct writer *w, writer_stored *stored, writer_room *make_room, void *context);
/* From any thread, copied; before the last FACT_END is on its way. */
void writer_lost(struct writer *w, const struct loss *loss);
void writer_source(struct writer *w, unsigned number, const struct source_end *end);
/* False where as many wait already as there is room for. */
bool writer_process(struct writer *w, const struct process_fact *fact);
/* After the thread was joined. False when something could not be stored: store_error says what. Of a live one what
 * could not is then still gathered in the store (store_gathers), to be judged and shown before it is lost. */
bool writer_ok(const struct writer *w);
void writer_free(struct writer **w);

#endif

/* writer.h - the thread that stores facts
 *
 * Takes fact batches (classify/fact.h) from a queue, frees them, and ends after `workers` facts of kind
 * FACT_END. When storing fails it goes on taking and throwing away until the end, then says so: a
 * writer that stopped would block everyone. Losses and sources come from the capture thread under the
 * writer's lock and are stored between batches. */
#ifndef REPORT_WRITER_H
#define REPORT_WRITER_H

#include "capture/batch.h"
#include "report/store.h"

struct writer;

/* Borrows both. */
struct writer *writer_new(struct store *store, struct queue *facts, unsigned workers);
/* The thread's body; arg is a struct writer. */
void *writer_main(void *arg);
/* What is stored by then, in a transaction a second while batches come (workers that are live send some be they
 * empty), `stored` is told of, from the writer's thread, and may use the store; `facts`: some were stored since it was last
 * called. False from it is a failure to store; after the first failure it is called once more, with store NULL.
 * Before the thread is started. */
typedef bool writer_stored(void *context, struct store *store, bool facts);
void writer_live(struct writer *w, writer_stored *stored, void *context);
/* From any thread, copied; before the last FACT_END is on its way. */
void writer_lost(struct writer *w, const struct loss *loss);
void writer_source(struct writer *w, unsigned number, const struct source_end *end);
/* After the thread was joined. False when something could not be stored: store_error says what. */
bool writer_ok(const struct writer *w);
void writer_free(struct writer **w);

#endif

/* waiting.h - what waits to be stored: facts in their batches, losses, sources, processes
 *
 * Thread: the writer's. Memory: grows with what is put in; who cannot store it says waiting_give_up.
 * Errors: false, store_error says why. */
#ifndef REPORT_WAITING_H
#define REPORT_WAITING_H

#include "report/store.h"

struct waiting;

struct waiting *waiting_new(void);
void waiting_free(struct waiting **w);

/* Takes the batch, and says how many facts of kind FACT_END it had, which do not wait. */
unsigned waiting_take(struct waiting *w, struct fact_batch *batch);
/* Copied. */
void waiting_lost(struct waiting *w, const struct loss *loss);
/* Copied; in place of what was said of that source before. */
void waiting_source(struct waiting *w, unsigned number, const struct source_end *end);

/* Copied. False where there is no room: so many processes and sockets wait already. */
#define WAITING_PROCESSES 16384
bool waiting_process(struct waiting *w, const struct process_fact *fact);

/* Losses, sources and processes of one to another, as far as there is room. */
void waiting_move(struct waiting *from, struct waiting *to);

unsigned waiting_facts(const struct waiting *w);
/* Whether there is anything that may change a verdict. */
bool waiting_is_news(const struct waiting *w);

/* Stores all of it, in one transaction, or in the one that is gathered. It waits on. */
bool waiting_store(const struct waiting *w, struct store *store);
/* It is stored. */
void waiting_forget(struct waiting *w);
/* Stores the oldest of the facts, up to so many and a batch, which then no longer wait. */
bool waiting_store_some(struct waiting *w, struct store *store, unsigned rows);
/* It never will be: facts and losses become one loss that waits in their place, with the packets that are known. */
void waiting_give_up(struct waiting *w, int64_t now_ns);

#endif

/* watch.h - the live side of the front door: interfaces, signals, and lines while it runs
 *
 * Thread: the one that runs the pipeline, which is the capture thread; but verdicts are judged and told in the
 * writer's. Errors: what keeps it from beginning ends the program. */
#ifndef DOOR_WATCH_H
#define DOOR_WATCH_H

#include "door/options.h"
#include "report/pipeline.h"
#include "report/policy.h"

struct watch;

/* Opens the interfaces and keeps SIGINT, SIGTERM and SIGUSR1 back for itself, so before any thread. */
struct watch *watch_begin(const struct options *o);

/* For the pipeline. Judges by these, which are borrowed. */
const struct pipeline_live *watch_live(struct watch *w, const struct policy *policy, const struct owner_book *book);

/* Begins a run in the case, which may have had some. */
bool watch_run(struct watch *w, struct store *store, struct run_info *run);

/* Prints the interfaces; an exit status. */
int watch_list(void);

/* Says how many packets were captured and dropped. */
void watch_end(struct watch **w);

#endif

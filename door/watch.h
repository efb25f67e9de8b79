/* watch.h - the live side of the front door: interfaces, signals, and lines while it runs
 *
 * Thread: the one that runs the pipeline, which is the capture thread; but verdicts are judged and told in the
 * writer's. Errors: what keeps it from beginning ends the program. */
#ifndef DOOR_WATCH_H
#define DOOR_WATCH_H

#include "door/command.h"
#include "door/run.h"
#include "report/pipeline.h"

struct watch;

/* Opens the interfaces and keeps the signals it answers to back for itself, so before any thread. Where `run` is
 * not NULL it watches the door of that command, which is borrowed, as long as that runs; no line is told before its
 * end, for the terminal is the command's. */
struct watch *watch_begin(const struct options *o, struct run *run);

/* Judges by what is known, which is borrowed, and on SIGHUP read again: what it holds then is another when the
 * pipeline is through. Whom the policy tells of findings is told by a process that starts here, so before a sandbox. */
void watch_know(struct watch *w, struct knowledge *knowledge);

/* For the pipeline, and a command begins. */
const struct pipeline_live *watch_live(struct watch *w);

/* Begins a run in the case, which may have had some; its scope is RUN_ALL_TRAFFIC where one command is watched. */
bool watch_run(struct watch *w, struct store *store, struct run_info *run);

/* When the pipeline is through: what the store has to know besides. */
bool watch_store(const struct watch *w, struct store *store);

/* Prints the interfaces; an exit status. */
int watch_list(void);

/* The last judgement, by what is known then, in the room that there is; tells what it changed. */
bool watch_judge(struct watch *w, struct store *store);

/* Says how many packets were captured and dropped. */
void watch_end(struct watch **w);

#endif

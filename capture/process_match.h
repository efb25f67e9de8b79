/* process_match.h - the work of the matching process; see process.h. Included by it alone.
 *
 * Thread: the only one of that process. */
#ifndef CAPTURE_PROCESS_MATCH_H
#define CAPTURE_PROCESS_MATCH_H

#include "capture/process.h"

struct process_match;

/* Needs CAP_NET_RAW, once. NULL with a line in error. Borrows the names. */
struct process_match *process_match_open(const char *const *interfaces, unsigned count, char *error, size_t size);
void process_match_close(struct process_match **m);

/* Until `stop` can be read. */
void process_match_run(struct process_match *m, int stop, process_sink *sink, void *context);

#endif

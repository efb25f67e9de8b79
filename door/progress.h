/* progress.h - a line on the terminal that says how far reading files is
 *
 * How much of them, how fast, and how long it will yet take; of what is no regular file only how fast. Drawn over
 * itself a few times a second, and nothing of it where stderr is no terminal.
 *
 * Thread: the one that reads. */
#ifndef DOOR_PROGRESS_H
#define DOOR_PROGRESS_H

#include <stdint.h>

struct progress;

/* NULL, which all of these take, where stderr is no terminal. To be called before a sandbox. */
struct progress *progress_begin(const char *const *paths, unsigned count);
void progress_end(struct progress **p);

/* So much was read by now; bytes as they lie on disk. */
void progress_show(struct progress *p, uint64_t packets, uint64_t bytes);
/* What takes its time now. */
void progress_say(struct progress *p, const char *what);
/* Takes the line away, before something else is printed. */
void progress_clear(struct progress *p);

#endif

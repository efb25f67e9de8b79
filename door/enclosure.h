/* enclosure.h - a command's sandbox: which files its options name (see capture/sandbox.h)
 *
 * Thread: main's, before any other. Errors: a line, and the end of the program. */
#ifndef DOOR_ENCLOSURE_H
#define DOOR_ENCLOSURE_H

#include "door/options.h"

struct enclosure;

/* Before anything is opened that takes a privilege. */
struct enclosure *enclosure_begin(const struct options *o, bool live);
/* For who serves a case to whoever asks. Files, which are borrowed: it, and the captures that it rests on. */
struct enclosure *enclosure_begin_serving(const struct options *o, const struct words *files);
/* After it, and before any byte is read that others wrote. The case is made by who is left then. */
void enclosure_enter(struct enclosure *e);
void enclosure_end(struct enclosure **e);

#endif

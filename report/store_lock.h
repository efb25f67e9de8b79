/* store_lock.h - one run at a time writes a case
 *
 * flock(2), which does not touch SQLite's own locks. To be unlocked after SQLite has closed the file: closing
 * any descriptor of it would take those away (fcntl(2), record locks). Errors: false and a line. */
#ifndef REPORT_STORE_LOCK_H
#define REPORT_STORE_LOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Creates the file where there is none: whether it can be written is known from here. */
bool store_lock(const char *path, int *lock_out, char *error, size_t error_size);
/* -1 is none, and it is that afterwards. */
void store_unlock(int *lock);

#endif

/* secret.h - a secret that a user keeps in a file: its first line
 *
 * Thread: any. Memory: secret_free overwrites it. Errors: NULL, and a line with the path. */
#ifndef REPORT_SECRET_H
#define REPORT_SECRET_H

#include <stddef.h>

#define SECRET_MIN 16	/* characters: fewer can be guessed */
#define SECRET_MAX 510

/* what: "token", "key". */
char *secret_read(const char *path, const char *what, char *error, size_t error_size);
void secret_free(char **secret);

#endif

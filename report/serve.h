/* serve.h - a case as pages, JSON and figures over HTTP, finished or still running
 *
 * Only reads the case. What a page shows is at most a second old; pages are made once for each state of the
 * case. Without a token only this host can ask.
 *
 * Thread: of its own; begun and ended by one. Memory: bounded by the limits in serve_part.h and by what a page
 * of the case takes. Errors: NULL, and a line in error. */
#ifndef REPORT_SERVE_H
#define REPORT_SERVE_H

#include "report/emit.h"

struct serve_settings {
	const char *path;		/* of the case */
	const char *listen;		/* "127.0.0.1:8993", "[::1]:8993"; NULL: the first of these */
	const char *token_file;		/* its first line is asked for; NULL: nothing is */
	const char *certificate, *key;	/* TLS (PEM); or NULL */
	const char *proxy;		/* host name under which a reverse proxy with TLS is asked; or NULL */
	struct emit_settings emit;
};

struct serve;

/* Reads what the settings name, opens the case and listens: all that takes a right. Says "http://127.0.0.1:8993/" in
 * url_out. */
struct serve *serve_begin(const struct serve_settings *settings, char url_out[256], char *error, size_t error_size);
/* Answers, from threads of its own. */
bool serve_start(struct serve *s, char *error, size_t error_size);
void serve_end(struct serve **s);

#endif

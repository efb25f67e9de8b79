/* emit.h - one output interface; a format is a function in emit_FORMAT.c
 *
 * Reads a judged case and writes to `out`. Same case, same bytes. Text from the wire is cleaned
 * (terminal) or escaped (JSON) here and nowhere else.
 *
 * Thread: the store's. Errors: false, store_error says why (or errno for `out`). */
#ifndef REPORT_EMIT_H
#define REPORT_EMIT_H

#include "report/store.h"

#include <stdio.h>

struct emit_settings {
	bool color;		/* ANSI colours: only for terminals, and not with NO_COLOR */
	bool numeric;		/* -n: addresses only, no names of clients */
	bool quiet;		/* -q: verdict lines only */
	unsigned columns;	/* of the terminal; 0 is 80 */
};

bool emit_text(struct store *st, const struct emit_settings *settings, FILE *out);
/* report/report.schema.json says what comes out. */
bool emit_json(struct store *st, const struct emit_settings *settings, FILE *out);

#endif

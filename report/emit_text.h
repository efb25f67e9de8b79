/* emit_text.h - between the files that write text for people
 *
 * Thread: the store's. Errors: false, store_error says why. */
#ifndef REPORT_EMIT_TEXT_H
#define REPORT_EMIT_TEXT_H

#include "report/emit.h"
#include "report/lines.h"

/* Lines in the columns and colours of the settings, or of so many columns where it is no terminal. */
struct lines emit_text_lines(const struct emit_settings *settings, unsigned otherwise, FILE *out);

/* Where a client sent what, as a table where there is room for one. */
bool emit_text_destinations(struct store *st, int64_t client, struct lines *l);

#endif

/* emit_process.h - the programs that a client's or a finding's flows are of
 *
 * Processes that have all in common but their ids are one program. What may be and what nobody was found for
 * is said as well: quality tells it.
 *
 * Thread: the store's. Errors: false, store_error says why. */
#ifndef REPORT_EMIT_PROCESS_H
#define REPORT_EMIT_PROCESS_H

#include "report/emit_words.h"
#include "report/store.h"

enum emit_process_of { EMIT_OF_CLIENT, EMIT_OF_FINDING };

/* Calls `line` with lines of text for people, as they are in the case: for each program one of what and how much, and
 * where more is known, one of its executable and, of a client, one of where it sent to. */
enum emit_process_line { EMIT_PROGRAM, EMIT_EXECUTABLE, EMIT_DESTINATIONS };
bool emit_process_lines(struct store *st, enum emit_process_of of, int64_t id,
			void (*line)(void *context, enum emit_process_line kind, const char *text), void *context);

/* The member "processes" of the object that is open, where something is known. Of a client also "process":
 * the name of the one program that all its flows are of, else null. */
bool emit_process_json(struct store *st, enum emit_process_of of, int64_t id, struct emit_json_writer *w);

#endif

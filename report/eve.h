/* eve.h - Suricata's EVE while a watch runs: the events that emit_eve writes of the case afterwards, as JSON lines
 * at the end of a file
 *
 * Each once: a conversation and its mail dialogue when nothing more will be said of it (half a minute after it was
 * closed, when it timed out, or at the end of the watch); a handshake when it is complete, or then; an answer of DNS
 * when it came; an alert when its finding is new or of another strength; stats every minute. They come when they are
 * stored, judged and some seconds old, not in the order of their times.
 *
 * What waits is remembered by its id and asked for by it, so the cost does not grow with the case.
 *
 * Thread: the store's. Memory: up to EVE_WAITING ids that wait, and the open flows with a handshake. Errors: false,
 * store_error says why; what the file does not take is lost, and a line says so. */
#ifndef REPORT_EVE_H
#define REPORT_EVE_H

#include "report/store.h"

#define EVE_WAITING 1000000

struct eve;

/* NULL with a line in error where the file cannot be written. */
struct eve *eve_open(const char *path, char *error, size_t error_size);
void eve_close(struct eve **e);

/* Hears what is stored from here on; to be ended or closed before the store is. */
void eve_listen(struct eve *e, struct store *st);
/* To be called when the case is judged. */
bool eve_tell(struct eve *e, struct store *st);
bool eve_alert(struct eve *e, struct store *st, int64_t finding);
/* All that was not told; of a case that was not listened to, all. */
bool eve_end(struct eve *e, struct store *st);

#endif

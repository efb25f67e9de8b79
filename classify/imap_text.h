/* imap_text.h - what can be said of IMAP text without its dialogue
 *
 * Thread: any. Memory: none. */
#ifndef CLASSIFY_IMAP_TEXT_H
#define CLASSIFY_IMAP_TEXT_H

#include "classify/mail_line.h"

#define IMAP_TAG_MAX 64		/* clients use 1 to 12; a longer one is not answered for */

/* Who speaks so: a greeting or an untagged response is the server's; a tagged command with a known verb
 * the client's, wherever in the session the capture begins. */
enum mail_speaker imap_speaker(struct bytes first);

/* Whether a FETCH response has message data in it, not only flags and sizes. */
bool imap_fetches_mail(struct bytes line);

/* RFC 2971: the arguments of ID ("name" "value" ...) as name=value; name=value. Unchanged for NIL. */
void imap_identification(struct bytes piece, char *out, size_t size);

/* Whether the begin of a command hands over a password or token (mail_line.h, begun). */
bool imap_login_begun(struct bytes begin, struct mail_login *out);

#endif

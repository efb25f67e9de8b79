/* disclosure.h - a mail address in the request for an account's settings
 *
 * Mail programs ask the mail domain's web server how an account is set up, and put the address into the URL:
 * Thunderbird's autoconfig and its followers, Microsoft's autodiscover.
 * Thread: any. Memory: none. */
#ifndef CLASSIFY_DISCLOSURE_H
#define CLASSIFY_DISCLOSURE_H

#include "capture/bytes.h"
#include "classify/fact.h"

/* Reads the target of a request (RFC 9112 section 3.2), a path or a whole URL, and fills in kind, account, and
 * the host of a URL. False when it discloses no address. */
bool disclosure_target(struct bytes target, struct fact_disclosure *out);

/* Copies a Host field's value or a URL's authority: in lower case, without user and port. */
void disclosure_host(struct bytes authority, char out[FACT_NAME_SIZE]);

#endif

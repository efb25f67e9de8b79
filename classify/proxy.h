/* proxy.h - the header that a proxy or load balancer puts before a connection it passes on
 *
 * HAProxy's PROXY protocol: version 1 is a line of text, version 2 binary. Who sends it is the client's side.
 * Thread: any. Memory: none. */
#ifndef CLASSIFY_PROXY_H
#define CLASSIFY_PROXY_H

#include "classify/watch.h"

#define PROXY_HEADER_MAX 2048u	/* of version 2, whose options may hold a certificate's subject; version 1 is shorter */

/* Whether these first bytes of a direction begin such a header. */
enum watch_match proxy_recognise(struct bytes first);

/* Moves behind the header, and takes from it who is the client and for whom it speaks. PARSE_BAD: it began as
 * one and is none. */
enum parse proxy_header(struct bytes *in, enum fact_side from, struct watch_facts *facts);

#endif

/* watch_tls.h - the TLS records and handshake messages that are in clear; the ClientHello reader
 *
 * tls_client_hello is shared with QUIC. The TLS watcher itself is `watch_tls` in watch.h. */
#ifndef CLASSIFY_WATCH_TLS_H
#define CLASSIFY_WATCH_TLS_H

#include "classify/watch.h"

#define TLS_HELLO_MAX 65535u	/* a larger ClientHello is not read */

/* Reads a ClientHello handshake message (with its 4-byte header) into *out: sni, alpn,
 * client_version, ech. PARSE_MORE when the message is longer than `in`. RFC 8446 section 4.1.2. */
enum parse tls_client_hello(struct bytes in, struct fact_handshake *out);

#endif

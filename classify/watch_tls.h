/* watch_tls.h - the TLS records and handshake messages that are in clear; the ClientHello reader
 *
 * tls_client_hello is shared with QUIC. The TLS watcher itself is `watch_tls` in watch.h. */
#ifndef CLASSIFY_WATCH_TLS_H
#define CLASSIFY_WATCH_TLS_H

#include "classify/watch.h"

#define TLS_HELLO_MAX 65535u	/* a larger ClientHello is not read */

#define TLS_HELLO_REQUEST 0	/* handshake types that are read (RFC 8446 section 4, RFC 5246 section 7.4) */
#define TLS_CLIENT_HELLO 1
#define TLS_SERVER_HELLO 2
#define TLS_CERTIFICATE 11
#define TLS_SERVER_HELLO_DONE 14

/* Reads a ClientHello handshake message (with its 4-byte header) into *out: sni, alpn,
 * client_version, ech. PARSE_MORE when the message is longer than `in`. RFC 8446 section 4.1.2.
 * PARSE_BAD also when only the name in it is none: then sni is "" and all else was read. */
enum parse tls_client_hello(struct bytes in, struct fact_handshake *out);

/* Reads a ServerHello likewise: version, cipher, alpn_chosen and, for TLS 1.3, resumed. *retry_out: it
 * is a HelloRetryRequest (RFC 8446 section 4.1.3), another ClientHello follows. */
enum parse tls_server_hello(struct bytes in, struct fact_handshake *out, bool *retry_out);

#endif

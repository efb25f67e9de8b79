/* watch_tls.h - the TLS records and handshake messages that are in clear; the ClientHello reader
 *
 * tls_client_hello is shared with QUIC. The TLS watcher itself is `watch_tls` in watch.h. */
#ifndef CLASSIFY_WATCH_TLS_H
#define CLASSIFY_WATCH_TLS_H

#include "classify/watch.h"

#define TLS_HELLO_MAX 65535u	/* a larger ClientHello is not read */

#define TLS_CHAIN_MAX 65535u	/* of a longer Certificate message only so much is kept */

#define TLS_HELLO_REQUEST 0	/* handshake types that are read (RFC 8446 section 4, RFC 5246 section 7.4) */
#define TLS_CLIENT_HELLO 1
#define TLS_SERVER_HELLO 2
#define TLS_CERTIFICATE 11
#define TLS_SERVER_HELLO_DONE 14

#define TLS_EXT_SERVER_NAME 0	/* RFC 6066 section 3 */
#define TLS_EXT_SIGNATURE_ALGORITHMS 13	/* RFC 8446 section 4.2.3 */
#define TLS_EXT_ALPN 16		/* RFC 7301 */
#define TLS_EXT_PRE_SHARED_KEY 41	/* RFC 8446 section 4.2.11 */
#define TLS_EXT_SUPPORTED_VERSIONS 43	/* RFC 8446 section 4.2.1 */
#define TLS_EXT_ECH 0xfe0d	/* RFC 9849 section 5 */

/* RFC 8701: values that mean nothing, sprinkled in so that nobody relies on a fixed set. */
static inline bool tls_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* A host name from the wire as it is kept: lower case, without its trailing dot (*dot_out: it had one).
 * False with nothing written when it is none: empty, too long, or with other characters in it. */
bool tls_host_name(struct bytes name, char *out, size_t size, bool *dot_out);

/* Reads a ClientHello handshake message (with its 4-byte header) into *out: sni, alpn,
 * client_version, fallback, ech, ja4 (out->quic is the caller's to set before). PARSE_MORE when the message is
 * longer than `in`. RFC 8446 section 4.1.2.
 * PARSE_BAD also when only the name in it is none: then sni is "" and all else was read. */
enum parse tls_client_hello(struct bytes in, struct fact_handshake *out);

/* Reads a ServerHello likewise: version, cipher, alpn_chosen and, for TLS 1.3, resumed. *retry_out: it
 * is a HelloRetryRequest (RFC 8446 section 4.1.3), another ClientHello follows. */
enum parse tls_server_hello(struct bytes in, struct fact_handshake *out, bool *retry_out);

#endif

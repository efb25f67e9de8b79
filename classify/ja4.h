/* ja4.h - the JA4 fingerprint of a ClientHello: which program speaks, whatever host it asks for
 *
 * The format is FoxIO's, public and free to use (technical_details/JA4.md at github.com/FoxIO-LLC/ja4,
 * read 2026-11): JA4_a says transport, version, whether a name is asked for, numbers of ciphers and
 * extensions and the first ALPN; JA4_b and JA4_c are hashes of the sorted ciphers and extensions.
 *
 * Thread: any; all values. */
#ifndef CLASSIFY_JA4_H
#define CLASSIFY_JA4_H

#include "capture/bytes.h"

#define JA4_SIZE 37	/* "t13d1516h2_8daaf6152771_e5627efa2ab1" and its zero */

/* The parts of a ClientHello that count. */
struct ja4_hello {
	bool quic;
	uint16_t version;		/* legacy_version */
	struct bytes ciphers;		/* without the length before them */
	struct bytes extensions;	/* likewise; each one is whole */
};

void ja4_make(const struct ja4_hello *hello, char out[JA4_SIZE]);

#endif

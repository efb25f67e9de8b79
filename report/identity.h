/* identity.h - whether a server is the one that was meant: by its names, by its TLSA records
 *
 * Thread: any. Memory: none. */
#ifndef REPORT_IDENTITY_H
#define REPORT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a name of a certificate (RFC 6125 section 6.4) or an mx: line of an MTA-STS policy (RFC 8461
 * section 4.1) covers the host: the same name, or behind "*." the same but for its first label. Case and a
 * dot at the end do not matter. */
bool identity_covers(const char *pattern, const char *host);

/* Hashes of a certificate and of its SubjectPublicKeyInfo. */
struct identity_hashes {
	const uint8_t *sha256, *sha512;		/* 32 and 64 bytes */
	const uint8_t *spki_sha256, *spki_sha512;
};

enum identity_tlsa {
	TLSA_UNUSABLE,		/* RFC 7672 section 3.1.3, or malformed */
	TLSA_DIFFERS,
	TLSA_MATCHES,
};

/* A TLSA record as mail between servers uses it: "USAGE SELECTOR MATCHING HEX", where usage is 2 or 3.
 * digest: SHA-256 of what a matching type 0 gives; NULL where that was not read. */
enum identity_tlsa identity_tlsa(const char *rdata, const uint8_t *digest, const struct identity_hashes *hashes);

/* Its usage, 2 (DANE-TA) or 3 (DANE-EE); 0 when it is another or none. */
unsigned identity_tlsa_usage(const char *rdata);

#endif

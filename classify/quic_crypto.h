/* quic_crypto.h - the protection of QUIC Initial packets, whose keys anybody can derive
 *
 * The only user of OpenSSL's ciphers. RFC 9001 section 5.2 (v1), RFC 9369 section 3.3 (v2), and the
 * drafts that were deployed widely.
 * Thread: any; all values. Errors: a failing cipher reads as a packet that does not open. */
#ifndef CLASSIFY_QUIC_CRYPTO_H
#define CLASSIFY_QUIC_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUIC_V1 0x00000001u
#define QUIC_V2 0x6b3343cfu
#define QUIC_KEY_SIZE 16	/* AES-128-GCM, AES-128 for header protection */
#define QUIC_IV_SIZE 12
#define QUIC_TAG_SIZE 16
#define QUIC_MASK_SIZE 5
#define QUIC_SAMPLE_SIZE 16
#define QUIC_ID_MAX 20		/* RFC 9000 section 17.2 */

/* One side's keys for Initial packets. */
struct quic_keys {
	uint8_t key[QUIC_KEY_SIZE], iv[QUIC_IV_SIZE], hp[QUIC_KEY_SIZE];
};

/* Whether the Initial packets of this version can be opened. */
bool quic_version_known(uint32_t version);

/* The keys that follow from the client's first Destination Connection ID. False for unknown versions. */
bool quic_keys_make(uint32_t version, const uint8_t *id, size_t id_len, bool server,
		    struct quic_keys *out);

/* The mask of header protection for a sample of the ciphertext. */
bool quic_mask(const struct quic_keys *keys, const uint8_t sample[QUIC_SAMPLE_SIZE],
	       uint8_t mask_out[QUIC_MASK_SIZE]);

/* Opens sealed[len], tag included, to out[len - QUIC_TAG_SIZE]. False when it does not open. */
bool quic_open(const struct quic_keys *keys, uint64_t number, const uint8_t *header, size_t header_len,
	       const uint8_t *sealed, size_t len, uint8_t *out);

#endif

#include "classify/quic_crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define SECRET_SIZE 32		/* SHA-256 */
#define LABEL_MAX 32
#define SALT_SIZE 20

struct version {
	uint32_t first, last;
	uint8_t salt[SALT_SIZE];
	const char *key_label, *iv_label, *hp_label;
};

static const struct version versions[] = {
	/* RFC 9001 section 5.2 */
	{ QUIC_V1, QUIC_V1,
	  { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
	  "quic key", "quic iv", "quic hp" },
	/* RFC 9369 section 3.3 */
	{ QUIC_V2, QUIC_V2,
	  { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	    0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
	  "quicv2 key", "quicv2 iv", "quicv2 hp" },
	/* draft-ietf-quic-tls-33 and -34 have the salt of v1 */
	{ 0xff000021, 0xff000022,
	  { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
	  "quic key", "quic iv", "quic hp" },
	/* draft-ietf-quic-tls-29 to -32, section 5.2 */
	{ 0xff00001d, 0xff000020,
	  { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
	    0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 },
	  "quic key", "quic iv", "quic hp" },
	/* draft-ietf-quic-tls-23 to -28, section 5.2 */
	{ 0xff000017, 0xff00001c,
	  { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
	    0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 },
	  "quic key", "quic iv", "quic hp" },
};

static const struct version *find_version(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (number >= versions[i].first && number <= versions[i].last)
			return &versions[i];
	return NULL;
}

bool quic_version_known(uint32_t version)
{
	return find_version(version) != NULL;
}

/* HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) with an empty context; len <= SECRET_SIZE, so
 * that one block of HKDF-Expand is enough. */
static bool expand_label(const uint8_t secret[SECRET_SIZE], const char *label, uint8_t *out, size_t len)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[3 + sizeof(prefix) + LABEL_MAX + 2], block[EVP_MAX_MD_SIZE];
	size_t label_len = strlen(label), n = 0;

	info[n++] = 0;
	info[n++] = (uint8_t)len;
	info[n++] = (uint8_t)(sizeof(prefix) - 1 + label_len);
	memcpy(info + n, prefix, sizeof(prefix) - 1);
	n += sizeof(prefix) - 1;
	memcpy(info + n, label, label_len);
	n += label_len;
	info[n++] = 0;		/* no context */
	info[n++] = 1;		/* number of the block */
	if (HMAC(EVP_sha256(), secret, SECRET_SIZE, info, n, block, NULL) == NULL)
		return false;
	memcpy(out, block, len);
	return true;
}

bool quic_keys_make(uint32_t version, const uint8_t *id, size_t id_len, bool server,
		    struct quic_keys *out)
{
	const struct version *v = find_version(version);
	uint8_t initial[EVP_MAX_MD_SIZE], secret[SECRET_SIZE];

	return v != NULL &&
	       HMAC(EVP_sha256(), v->salt, SALT_SIZE, id, id_len, initial, NULL) != NULL &&
	       expand_label(initial, server ? "server in" : "client in", secret, sizeof(secret)) &&
	       expand_label(secret, v->key_label, out->key, sizeof(out->key)) &&
	       expand_label(secret, v->iv_label, out->iv, sizeof(out->iv)) &&
	       expand_label(secret, v->hp_label, out->hp, sizeof(out->hp));
}

bool quic_mask(const struct quic_keys *keys, const uint8_t sample[QUIC_SAMPLE_SIZE],
	       uint8_t mask_out[QUIC_MASK_SIZE])
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	uint8_t block[QUIC_SAMPLE_SIZE + EVP_MAX_BLOCK_LENGTH];
	int n = 0;
	bool ok = cipher != NULL &&
		  EVP_EncryptInit_ex(cipher, EVP_aes_128_ecb(), NULL, keys->hp, NULL) == 1 &&
		  EVP_EncryptUpdate(cipher, block, &n, sample, QUIC_SAMPLE_SIZE) == 1 &&
		  n == QUIC_SAMPLE_SIZE;

	EVP_CIPHER_CTX_free(cipher);
	if (ok)
		memcpy(mask_out, block, QUIC_MASK_SIZE);
	return ok;
}

bool quic_open(const struct quic_keys *keys, uint64_t number, const uint8_t *header, size_t header_len,
	       const uint8_t *sealed, size_t len, uint8_t *out)
{
	uint8_t nonce[QUIC_IV_SIZE], tag[QUIC_TAG_SIZE];
	EVP_CIPHER_CTX *cipher;
	int n;
	bool ok;

	if (len < QUIC_TAG_SIZE || len > UINT16_MAX)
		return false;
	len -= QUIC_TAG_SIZE;
	memcpy(tag, sealed + len, sizeof(tag));
	memcpy(nonce, keys->iv, sizeof(nonce));
	for (unsigned i = 0; i < 8; i++)	/* RFC 9001 section 5.3 */
		nonce[QUIC_IV_SIZE - 1 - i] ^= (uint8_t)(number >> 8 * i);
	cipher = EVP_CIPHER_CTX_new();
	ok = cipher != NULL &&
	     EVP_DecryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, keys->key, nonce) == 1 &&
	     EVP_DecryptUpdate(cipher, NULL, &n, header, (int)header_len) == 1 &&
	     EVP_DecryptUpdate(cipher, out, &n, sealed, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, QUIC_TAG_SIZE, tag) == 1 &&
	     EVP_DecryptFinal_ex(cipher, out + len, &n) == 1;
	EVP_CIPHER_CTX_free(cipher);
	return ok;
}

/* Datagrams of both sides: two bytes of order (side, length), then the data. With an odd first byte the
 * datagrams hold frames that are sealed first, or nothing behind the seal would ever be reached. */
#include "classify/quic_crypto.h"
#include "classify/watch_quic.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#define HEADER 22		/* first byte, version, ids of 8 and 0 bytes, no token, length, packet number */
#define FRAMES_MAX 2040

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t seal(const uint8_t *frames, size_t len, bool server, uint8_t *out)
{
	static const uint8_t head[HEADER] = { 0xc3, 0, 0, 0, 1, 8, 'f', 'u', 'z', 'z', 'f', 'u', 'z', 'z' };
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	size_t total = 4 + len + QUIC_TAG_SIZE;
	uint8_t mask[QUIC_MASK_SIZE];
	struct quic_keys keys;
	int n;

	memcpy(out, head, HEADER);
	out[16] = (uint8_t)(0x40 | total >> 8);
	out[17] = (uint8_t)total;
	quic_keys_make(QUIC_V1, head + 6, 8, server, &keys);
	EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, keys.key, keys.iv);
	EVP_EncryptUpdate(cipher, NULL, &n, out, HEADER);
	EVP_EncryptUpdate(cipher, out + HEADER, &n, frames, (int)len);
	EVP_EncryptFinal_ex(cipher, out + HEADER + n, &n);
	EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, QUIC_TAG_SIZE, out + HEADER + len);
	EVP_CIPHER_CTX_free(cipher);
	quic_mask(&keys, out + HEADER, mask);
	out[0] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < 4; i++)
		out[HEADER - 4 + i] ^= mask[1 + i];
	return HEADER + len + QUIC_TAG_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t datagram[HEADER + FRAMES_MAX + QUIC_TAG_SIZE];
	struct bytes in = bytes_of(data, size);
	bool sealed = bytes_u8(&in) & 1;
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	enum watch_answer answer = WATCH_MORE;

	while (bytes_left(&in) >= 2 && answer == WATCH_MORE) {
		uint8_t order = bytes_u8(&in);
		size_t len = bytes_u8(&in) * 8u;
		enum fact_side from = (enum fact_side)(order & 1);
		struct bytes part;

		len = len < bytes_left(&in) ? len : bytes_left(&in);
		part = bytes_sub(&in, len);
		quic_recognise(part);
		if (sealed && len > 0) {
			len = seal(bytes_take(&part, len), len, from == SIDE_RESPONDER, datagram);
			part = bytes_of(datagram, len);
		}
		answer = quic_feed(q, from, part, 1, &facts);
	}
	for (const char *p = facts.handshake.sni; *p != '\0'; p++)
		assert(*p > ' ' && *p < 0x7f && !(*p >= 'A' && *p <= 'Z'));
	quic_free(&q);
	return 0;
}

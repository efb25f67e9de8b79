#include "classify/watch_tls.h"

#include "classify/ja4.h"

#include <stdio.h>
#include <string.h>

#define NAME_HOST_NAME 0
#define RANDOM_SIZE 32
#define FALLBACK_SCSV 0x5600	/* RFC 7507 section 2 */

/* The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that word. */
static const uint8_t retry_random[RANDOM_SIZE] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static bool host_character(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

bool tls_host_name(struct bytes name, char *out, size_t size, bool *dot_out)
{
	size_t n = bytes_left(&name);
	const uint8_t *p = bytes_take(&name, n);

	*dot_out = n > 0 && p[n - 1] == '.';
	n -= *dot_out;
	if (n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!host_character(p[i]))
			return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
	out[n] = '\0';
	return true;
}

static bool read_server_name(struct bytes ext, struct fact_handshake *out)
{
	struct bytes list = bytes_sub(&ext, bytes_u16(&ext));

	while (bytes_left(&list) > 0) {
		uint8_t type = bytes_u8(&list);
		struct bytes name = bytes_sub(&list, bytes_u16(&list));

		if (name.bad)
			return false;
		if (type == NAME_HOST_NAME)
			return tls_host_name(name, out->sni, sizeof(out->sni), &out->sni_trailing_dot);
	}
	return !list.bad;
}

/* Protocol names go in as they are, so only those that cannot be taken for two. */
static bool plain_word(struct bytes b)
{
	size_t n = bytes_left(&b);
	const uint8_t *p = bytes_take(&b, n);

	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == ',')
			return false;
	return n > 0;
}

static bool read_alpn(struct bytes ext, char *out, size_t size)
{
	struct bytes list = bytes_sub(&ext, bytes_u16(&ext));
	size_t at = 0;

	out[0] = '\0';
	while (bytes_left(&list) > 0) {
		struct bytes word = bytes_sub(&list, bytes_u8(&list));
		size_t n = bytes_left(&word);

		if (word.bad)
			return false;
		if (!plain_word(word) || at + n + 2 > size)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s%.*s", at > 0 ? "," : "", (int)n,
				       (const char *)bytes_take(&word, n));
	}
	return !list.bad;
}

/* The highest version that is one: no GREASE, no draft. 0 when there is none. */
static uint16_t highest_version(struct bytes ext)
{
	struct bytes list = bytes_sub(&ext, bytes_u8(&ext));
	uint16_t highest = 0;

	while (bytes_left(&list) >= 2) {
		uint16_t version = bytes_u16(&list);

		if (version >> 8 == 3 && version > highest)
			highest = version;
	}
	return highest;
}

/* The body of a handshake message of this type. */
static enum parse message_body(struct bytes *in, uint8_t type, struct bytes *body_out)
{
	if (bytes_left(in) > 0 && in->data[in->pos] != type)
		return PARSE_BAD;
	if (bytes_left(in) < 4)
		return PARSE_MORE;
	bytes_skip(in, 1);

	size_t len = bytes_u24(in);

	if (len > TLS_HELLO_MAX)
		return PARSE_BAD;
	if (len > bytes_left(in))
		return PARSE_MORE;
	*body_out = bytes_sub(in, len);
	return PARSE_OK;
}

static bool client_extension(uint16_t type, struct bytes ext, struct fact_handshake *out)
{
	switch (type) {
	case TLS_EXT_SERVER_NAME:
		return read_server_name(ext, out);
	case TLS_EXT_ALPN:
		return read_alpn(ext, out->alpn, sizeof(out->alpn));
	case TLS_EXT_SUPPORTED_VERSIONS: {
		uint16_t version = highest_version(ext);

		if (version != 0)
			out->client_version = version;
		return true;
	}
	case TLS_EXT_ECH:
		out->ech = true;
		return true;
	default:
		return true;
	}
}

static bool has_fallback(struct bytes ciphers)
{
	while (bytes_left(&ciphers) >= 2)
		if (bytes_u16(&ciphers) == FALLBACK_SCSV)
			return true;
	return false;
}

enum parse tls_client_hello(struct bytes in, struct fact_handshake *out)
{
	struct ja4_hello parts = { .quic = out->quic };
	struct bytes body, extensions;
	enum parse parse = message_body(&in, TLS_CLIENT_HELLO, &body);
	bool good = true;

	if (parse != PARSE_OK)
		return parse;
	out->client_version = parts.version = bytes_u16(&body);
	bytes_skip(&body, RANDOM_SIZE);
	bytes_skip(&body, bytes_u8(&body));	/* session id */
	parts.ciphers = bytes_sub(&body, bytes_u16(&body));
	out->fallback = has_fallback(parts.ciphers);
	bytes_skip(&body, bytes_u8(&body));	/* compression methods */
	if (body.bad || out->client_version >> 8 != 3)
		return PARSE_BAD;
	/* Without any, it is from before extensions were invented. */
	extensions = bytes_sub(&body, bytes_left(&body) > 0 ? bytes_u16(&body) : 0);
	if (extensions.bad)
		return PARSE_BAD;
	parts.extensions = extensions;
	while (bytes_left(&extensions) > 0) {
		uint16_t type = bytes_u16(&extensions);
		struct bytes ext = bytes_sub(&extensions, bytes_u16(&extensions));

		if (ext.bad)
			return PARSE_BAD;
		if (!tls_is_grease(type))
			good &= client_extension(type, ext, out);
	}
	ja4_make(&parts, out->ja4);
	return good ? PARSE_OK : PARSE_BAD;
}

static bool server_extension(uint16_t type, struct bytes ext, struct fact_handshake *out)
{
	switch (type) {
	case TLS_EXT_ALPN:
		return read_alpn(ext, out->alpn_chosen, sizeof(out->alpn_chosen));
	case TLS_EXT_SUPPORTED_VERSIONS:
		out->version = bytes_u16(&ext);
		return !ext.bad;
	case TLS_EXT_PRE_SHARED_KEY:
		out->resumed = true;
		return true;
	default:
		return true;
	}
}

enum parse tls_server_hello(struct bytes in, struct fact_handshake *out, bool *retry_out)
{
	struct bytes body, extensions;
	enum parse parse = message_body(&in, TLS_SERVER_HELLO, &body);
	uint8_t random[RANDOM_SIZE];
	bool good = true;

	if (parse != PARSE_OK)
		return parse;
	out->version = bytes_u16(&body);
	bytes_copy(&body, random, sizeof(random));
	bytes_skip(&body, bytes_u8(&body));	/* session id */
	out->cipher = bytes_u16(&body);
	bytes_skip(&body, 1);			/* compression method */
	if (body.bad || out->version >> 8 != 3)
		return PARSE_BAD;
	*retry_out = memcmp(random, retry_random, sizeof(random)) == 0;
	if (bytes_left(&body) == 0)
		return PARSE_OK;
	extensions = bytes_sub(&body, bytes_u16(&body));
	while (bytes_left(&extensions) > 0) {
		uint16_t type = bytes_u16(&extensions);
		struct bytes ext = bytes_sub(&extensions, bytes_u16(&extensions));

		if (ext.bad)
			return PARSE_BAD;
		good &= server_extension(type, ext, out);
	}
	return good && !extensions.bad ? PARSE_OK : PARSE_BAD;
}

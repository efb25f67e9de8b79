#include "classify/ja4.h"

#include "capture/base.h"
#include "classify/watch_tls.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define COUNT_MAX 99u		/* two digits; a larger number reads as this */
#define HASH_CHARACTERS 12

static const char hex[] = "0123456789abcdef";

/* Values of 16 bits without GREASE. */
struct values {
	uint16_t *list;
	size_t count;
};

/* What is hashed: values as four hex digits each, separated by commas. */
struct text {
	char *text;
	size_t len;
};

struct extensions {
	struct values types;		/* without name and ALPN */
	size_t count;			/* with both */
	bool named;
	struct bytes alpn, versions, signatures;	/* the bodies of those */
};

static void add(struct values *v, uint16_t value)
{
	if (!tls_is_grease(value))
		v->list[v->count++] = value;
}

/* The caller frees the list. */
static struct values read_values(struct bytes in)
{
	struct values v = { .list = base_alloc_array(bytes_left(&in) / 2 + 1, sizeof(*v.list)) };

	while (bytes_left(&in) >= 2)
		add(&v, bytes_u16(&in));
	return v;
}

static struct extensions read_extensions(struct bytes in)
{
	struct extensions e = {
		.types.list = base_alloc_array(bytes_left(&in) / 4 + 1, sizeof(*e.types.list)),
	};

	while (bytes_left(&in) >= 4) {
		uint16_t type = bytes_u16(&in);
		struct bytes body = bytes_sub(&in, bytes_u16(&in));

		e.count += !tls_is_grease(type);
		switch (type) {
		case TLS_EXT_SERVER_NAME:
			e.named = true;
			continue;
		case TLS_EXT_ALPN:
			e.alpn = bytes_sub(&body, bytes_u16(&body));
			continue;
		case TLS_EXT_SUPPORTED_VERSIONS:
			e.versions = bytes_sub(&body, bytes_u8(&body));
			break;
		case TLS_EXT_SIGNATURE_ALGORITHMS:
			e.signatures = bytes_sub(&body, bytes_u16(&body));
			break;
		}
		add(&e.types, type);
	}
	return e;
}

static int compare(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void put_values(struct text *t, const struct values *v)
{
	for (size_t i = 0; i < v->count; i++) {
		if (i > 0)
			t->text[t->len++] = ',';
		for (int shift = 12; shift >= 0; shift -= 4)
			t->text[t->len++] = hex[v->list[i] >> shift & 15];
	}
}

/* The hash over both lists, `a` sorted first, joined by an underscore when there is a second. */
static void put_hash(char *out, EVP_MD_CTX *sha256, struct values *a, const struct values *b)
{
	struct text t = { .text = base_alloc((a->count + b->count) * 5 + 1) };
	uint8_t hash[EVP_MAX_MD_SIZE];

	qsort(a->list, a->count, sizeof(*a->list), compare);
	put_values(&t, a);
	if (b->count > 0)
		t.text[t.len++] = '_';
	put_values(&t, b);
	if (EVP_DigestInit_ex(sha256, NULL, NULL) != 1 || EVP_DigestUpdate(sha256, t.text, t.len) != 1 ||
	    EVP_DigestFinal_ex(sha256, hash, NULL) != 1)
		abort();
	for (unsigned i = 0; i < HASH_CHARACTERS; i++)
		out[i] = a->count == 0 ? '0' : hex[hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
	free(t.text);
}

static void put_version(char *out, uint16_t legacy, struct bytes offered)
{
	struct values versions = read_values(offered);
	uint16_t version = versions.count > 0 ? 0 : legacy;

	for (size_t i = 0; i < versions.count; i++)
		version = versions.list[i] > version ? versions.list[i] : version;
	free(versions.list);
	memcpy(out, "00", 2);		/* a draft, say */
	if (version == 0x0300)
		memcpy(out, "s3", 2);
	else if (version > 0x0300 && version <= 0x0304)
		out[0] = '1', out[1] = hex[version - 0x0301];
}

static void put_count(char *out, size_t count)
{
	count = count < COUNT_MAX ? count : COUNT_MAX;
	out[0] = hex[count / 10];
	out[1] = hex[count % 10];
}

static bool alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol, or of its bytes in hex. */
static void put_alpn(char *out, struct bytes list)
{
	struct bytes word = bytes_sub(&list, bytes_u8(&list));
	size_t n = bytes_left(&word);
	const uint8_t *p = bytes_take(&word, n);
	bool plain = n > 0 && alphanumeric(p[0]) && alphanumeric(p[n - 1]);

	out[0] = n == 0 ? '0' : plain ? (char)p[0] : hex[p[0] >> 4];
	out[1] = n == 0 ? '0' : plain ? (char)p[n - 1] : hex[p[n - 1] & 15];
}

void ja4_make(const struct ja4_hello *hello, char out[JA4_SIZE])
{
	struct values ciphers = read_values(hello->ciphers), none = { 0 };
	struct extensions e = read_extensions(hello->extensions);
	struct values signatures = read_values(e.signatures);
	/* One for both hashes: to find the algorithm takes longer than to hash, and locks. */
	EVP_MD_CTX *sha256 = EVP_MD_CTX_new();

	if (sha256 == NULL || EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) != 1)
		abort();
	out[0] = hello->quic ? 'q' : 't';
	put_version(out + 1, hello->version, e.versions);
	out[3] = e.named ? 'd' : 'i';
	put_count(out + 4, ciphers.count);
	put_count(out + 6, e.count);
	put_alpn(out + 8, e.alpn);
	out[10] = '_';
	put_hash(out + 11, sha256, &ciphers, &none);
	out[23] = '_';
	put_hash(out + 24, sha256, &e.types, &signatures);
	out[36] = '\0';
	EVP_MD_CTX_free(sha256);
	free(ciphers.list);
	free(e.types.list);
	free(signatures.list);
}

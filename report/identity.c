#include "report/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Without the dot at the end. */
static size_t name_len(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && name[n - 1] == '.' ? n - 1 : n;
}

bool identity_covers(const char *pattern, const char *host)
{
	size_t pattern_len = name_len(pattern), host_len = name_len(host), label;

	if (pattern_len > 2 && pattern[0] == '*' && pattern[1] == '.') {
		label = strcspn(host, ".");
		if (label == 0 || label >= host_len)
			return false;
		pattern++;
		pattern_len--;
		host += label;
		host_len -= label;
	}
	return pattern_len > 0 && pattern_len == host_len && strncasecmp(pattern, host, host_len) == 0;
}

struct tlsa {
	unsigned usage, selector, matching;
	const char *hex;
};

static bool tlsa_read(const char *rdata, struct tlsa *out)
{
	int end = 0;

	if (sscanf(rdata, "%3u %3u %3u %n", &out->usage, &out->selector, &out->matching, &end) != 3 || end == 0)
		return false;
	out->hex = rdata + end;
	return true;
}

unsigned identity_tlsa_usage(const char *rdata)
{
	struct tlsa t;

	return tlsa_read(rdata, &t) && (t.usage == 2 || t.usage == 3) ? t.usage : 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False when it is not `len` bytes in hexadecimal. */
static bool unhex(const char *hex, uint8_t *out, size_t len)
{
	if (strlen(hex) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum identity_tlsa identity_tlsa(const char *rdata, const uint8_t *digest, const struct identity_hashes *hashes)
{
	struct tlsa t;
	uint8_t wanted[64];
	size_t len;

	if (!tlsa_read(rdata, &t) || (t.usage != 2 && t.usage != 3) || t.selector > 1 || t.matching > 2)
		return TLSA_UNUSABLE;
	len = t.matching == 2 ? 64 : 32;
	if (t.matching == 0 && digest != NULL)
		memcpy(wanted, digest, len);
	else if (t.matching == 0 || !unhex(t.hex, wanted, len))
		return TLSA_UNUSABLE;

	const uint8_t *shown = t.selector == 0 ? (len == 64 ? hashes->sha512 : hashes->sha256)
					       : (len == 64 ? hashes->spki_sha512 : hashes->spki_sha256);

	return shown != NULL && memcmp(shown, wanted, len) == 0 ? TLSA_MATCHES : TLSA_DIFFERS;
}

#include "classify/dns_text.h"

#include <stdio.h>

enum { PARAM_IPV4HINT = 4, PARAM_ECH = 5, PARAM_IPV6HINT = 6 };	/* RFC 9460 section 14.3.2 */
#define ECH_VERSION 0xfe0du	/* RFC 9849, as draft 13 had it */

static void put(char out[FACT_NAME_SIZE], size_t *n, uint8_t c, bool in_label)
{
	static const char digits[] = "0123456789";

	if (c >= 'A' && c <= 'Z')
		c = (uint8_t)(c + 32);
	if (c <= 0x20 || c >= 0x7f) {
		if (*n + 4 >= FACT_NAME_SIZE)
			return;
		out[(*n)++] = '\\';
		out[(*n)++] = digits[c / 100];
		out[(*n)++] = digits[c / 10 % 10];
		out[(*n)++] = digits[c % 10];
	} else if (in_label && (c == '.' || c == '\\')) {
		if (*n + 2 >= FACT_NAME_SIZE)
			return;
		out[(*n)++] = '\\';
		out[(*n)++] = (char)c;
	} else if (*n + 1 < FACT_NAME_SIZE) {
		out[(*n)++] = (char)c;
	}
}

void dns_text(char out[FACT_NAME_SIZE], struct bytes text)
{
	size_t n = 0;

	while (bytes_left(&text) > 0)
		put(out, &n, bytes_u8(&text), false);
	if (n > 0 && out[n - 1] == '.')
		n--;
	out[n] = '\0';
}

bool dns_name(char out[FACT_NAME_SIZE], struct bytes *wire)
{
	size_t n = 0;

	for (;;) {
		struct bytes label = bytes_sub(wire, bytes_u8(wire));

		out[n] = '\0';
		if (wire->bad || label.len > 63)
			return false;
		if (label.len == 0)
			return true;
		if (n > 0)
			put(out, &n, '.', false);
		while (bytes_left(&label) > 0)
			put(out, &n, bytes_u8(&label), true);
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dns_reverse(const char *name, uint8_t out[16])
{
	unsigned a, b, c, d;
	int end = 0;

	memset(out, 0, 16);
	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &d, &c, &b, &a, &end) == 4 && end > 0 &&
	    name[end] == '\0' && a < 256 && b < 256 && c < 256 && d < 256) {
		const uint8_t ipv4[4] = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d };

		host_of_ipv4(ipv4, out);
		return true;
	}
	if (strlen(name) != 64 + sizeof("ip6.arpa") - 1 || strcmp(name + 64, "ip6.arpa") != 0)
		return false;
	for (unsigned i = 0; i < 32; i++) {
		int digit = hex_digit(name[2 * i]);

		if (digit < 0 || name[2 * i + 1] != '.')
			return false;
		out[15 - i / 2] |= (uint8_t)(digit << (i % 2 * 4));
	}
	return true;
}

/* ECHConfigList (RFC 9849 section 4): the first configuration of the known version. */
static void ech_configs(struct bytes list, struct dns_service *out)
{
	out->ech = true;
	list = bytes_sub(&list, bytes_u16(&list));
	while (bytes_left(&list) > 0) {
		uint16_t version = bytes_u16(&list);
		struct bytes config = bytes_sub(&list, bytes_u16(&list));

		if (version != ECH_VERSION)
			continue;
		bytes_skip(&config, 3);				/* config_id, kem_id */
		bytes_skip(&config, bytes_u16(&config));	/* public_key */
		bytes_skip(&config, bytes_u16(&config));	/* cipher_suites */
		bytes_skip(&config, 1);				/* maximum_name_length */

		struct bytes name = bytes_sub(&config, bytes_u8(&config));

		if (!name.bad)
			dns_text(out->public_name, name);
		return;
	}
}

static void hints(struct bytes value, size_t size, struct dns_service *out)
{
	while (bytes_left(&value) >= size && out->hint_count < DNS_HINTS_MAX) {
		uint8_t *hint = out->hints[out->hint_count++];

		bytes_copy(&value, hint, size);
		if (size == 4)
			host_of_ipv4((uint8_t[]){ hint[0], hint[1], hint[2], hint[3] }, hint);
	}
}

void dns_service(struct bytes params, struct dns_service *out)
{
	*out = (struct dns_service){ 0 };
	while (bytes_left(&params) > 0) {
		uint16_t key = bytes_u16(&params);
		struct bytes value = bytes_sub(&params, bytes_u16(&params));

		if (value.bad)
			return;
		if (key == PARAM_ECH)
			ech_configs(value, out);
		else if (key == PARAM_IPV4HINT)
			hints(value, 4, out);
		else if (key == PARAM_IPV6HINT)
			hints(value, 16, out);
	}
}

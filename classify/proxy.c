#include "classify/proxy.h"

#include "capture/base.h"

#define LINE_MAX_1 107u		/* proxy-protocol.txt section 2.1: with its line end */
#define FIXED_2 16u		/* section 2.2: signature, version and command, family, length */

static const uint8_t text[] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
static const uint8_t binary[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static enum watch_match begins(struct bytes first, const uint8_t *want, size_t len)
{
	size_t n = bytes_left(&first) < len ? bytes_left(&first) : len;

	if (n > 0 && memcmp(first.data + first.pos, want, n) != 0)
		return WATCH_NO;
	return n == len ? WATCH_YES : WATCH_MAYBE;
}

enum watch_match proxy_recognise(struct bytes first)
{
	enum watch_match match = begins(first, text, sizeof(text));

	return match != WATCH_NO ? match : begins(first, binary, sizeof(binary));
}

static bool address(struct bytes word, bool ipv4, uint8_t out[16])
{
	char copy[HOST_TEXT_SIZE];
	size_t n = bytes_left(&word);

	if (n >= sizeof(copy))
		return false;
	bytes_copy(&word, copy, n);
	copy[n] = '\0';
	return host_of_text(copy, out) && host_is_ipv4(out) == ipv4;
}

static bool port(struct bytes word)
{
	unsigned n = 0;
	bool some = bytes_left(&word) > 0;

	while (bytes_left(&word) > 0) {
		uint8_t c = bytes_u8(&word);

		if (c < '0' || c > '9' || n > 65535)
			return false;
		n = n * 10 + (unsigned)(c - '0');
	}
	return some && n <= 65535;
}

/* PROXY TCP4 192.0.2.1 198.51.100.2 40000 25, or PROXY UNKNOWN with whatever behind it. */
static enum parse header_1(struct bytes *in, bool *named_out, uint8_t source_out[16])
{
	size_t n;

	if (!bytes_until(in, '\n', &n))
		return bytes_left(in) < LINE_MAX_1 ? PARSE_MORE : PARSE_BAD;
	if (n >= LINE_MAX_1 || in->data[in->pos + n - 1] != '\r')
		return PARSE_BAD;

	struct bytes line = bytes_sub(in, n - 1);
	uint8_t destination[16];

	bytes_skip(in, 2);
	bytes_skip(&line, sizeof(text));

	struct bytes family = bytes_word(&line);
	bool ipv4 = bytes_is(&family, "TCP4");

	if (bytes_is(&family, "UNKNOWN"))
		return PARSE_OK;
	if (!ipv4 && !bytes_is(&family, "TCP6"))
		return PARSE_BAD;
	*named_out = address(bytes_word(&line), ipv4, source_out) && address(bytes_word(&line), ipv4, destination) &&
		     port(bytes_word(&line)) && port(bytes_word(&line)) && bytes_left(&line) == 0;
	return *named_out ? PARSE_OK : PARSE_BAD;
}

static enum parse header_2(struct bytes *in, bool *named_out, uint8_t source_out[16])
{
	enum { LOCAL = 0x20, PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21 };
	struct bytes at = *in;

	bytes_skip(&at, sizeof(binary));

	uint8_t command = bytes_u8(&at), family = bytes_u8(&at);
	uint16_t len = bytes_u16(&at);

	if (at.bad)
		return PARSE_MORE;
	if ((command != LOCAL && command != PROXY) || len > PROXY_HEADER_MAX - FIXED_2)
		return PARSE_BAD;

	bool ipv4 = command == PROXY && family == TCP4, ipv6 = command == PROXY && family == TCP6;

	if ((ipv4 && len < 12) || (ipv6 && len < 36))
		return PARSE_BAD;
	if (bytes_left(&at) < len)
		return PARSE_MORE;

	struct bytes rest = bytes_sub(&at, len);
	uint8_t address_4[4];

	if (ipv4) {
		bytes_copy(&rest, address_4, sizeof(address_4));
		host_of_ipv4(address_4, source_out);
	} else if (ipv6) {
		bytes_copy(&rest, source_out, 16);
	}
	*named_out = ipv4 || ipv6;
	*in = at;
	return PARSE_OK;
}

enum parse proxy_header(struct bytes *in, enum fact_side from, struct watch_facts *facts)
{
	uint8_t source[16];
	bool named = false;
	enum parse parse = in->data[in->pos] == text[0] ? header_1(in, &named, source) :
							  header_2(in, &named, source);

	if (parse != PARSE_OK)
		return parse;
	facts->flip = from == SIDE_RESPONDER;
	if (named) {
		base_copy(facts->mail.claimed_by, sizeof(facts->mail.claimed_by), "proxy");
		memcpy(facts->mail.claimed_client, source, sizeof(source));
	}
	return PARSE_OK;
}

#include "tests/test.h"

#include "capture/flow_key.h"
#include "classify/proxy.h"

#include <stdlib.h>

#define BYTES(text) text, sizeof(text) - 1
#define SIGN "\r\n\r\n\0\r\nQUIT\n"
#define ZERO_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
	const char *text;
	size_t len;
	enum parse want;
	const char *source;	/* NULL: it names nobody */
} headers[] = {
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 65535 0\r\n"), PARSE_OK, "192.0.2.1" },
	{ BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"), PARSE_OK, "2001:db8::1" },
	{ BYTES("PROXY UNKNOWN\r\n"), PARSE_OK, NULL },
	{ BYTES("PROXY UNKNOWN 2001:db8::1 whatever\r\n"), PARSE_OK, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 \r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY \r\n"), PARSE_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 111111111111111111111111111111111111111111111111111111111111"
		"1111111111111111"), PARSE_BAD, NULL },
	{ BYTES(SIGN "\x21\x11\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1"), PARSE_OK, "192.0.2.1" },
	{ BYTES(SIGN "\x21\x11\0\x10" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1" "\4\0\1x"), PARSE_OK, "192.0.2.1" },
	{ BYTES(SIGN "\x21\x21\0\x24" "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" ZERO_16 "\1\1\1\1"), PARSE_OK,
	  "2001:db8::1" },
	{ BYTES(SIGN "\x20\x11\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1"), PARSE_OK, NULL },
	{ BYTES(SIGN "\x20\0\0\0"), PARSE_OK, NULL },
	{ BYTES(SIGN "\x21\0\0\3abc"), PARSE_OK, NULL },
	{ BYTES(SIGN "\x11\x11\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1"), PARSE_BAD, NULL },
	{ BYTES(SIGN "\x22\x11\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1"), PARSE_BAD, NULL },
	{ BYTES(SIGN "\x21\x11\0\x0b" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1"), PARSE_BAD, NULL },
	{ BYTES(SIGN "\x21\x21\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1"), PARSE_BAD, NULL },
	{ BYTES(SIGN "\x21\x11\x08\0"), PARSE_BAD, NULL },
};

/* From a copy of exactly its size, so that the sanitizer sees a read past the end. */
static enum parse read_header(const char *text, size_t len, size_t *used_out, struct watch_facts *facts)
{
	char *exact = malloc(len > 0 ? len : 1);
	struct bytes in;
	enum parse parse;

	memcpy(exact, text, len);
	in = bytes_of(exact, len);
	memset(facts, 0, sizeof(*facts));
	parse = proxy_header(&in, SIDE_RESPONDER, facts);
	*used_out = in.pos;
	free(exact);
	return parse;
}

static void a_header_is_read_whole_and_not_before(void **state)
{
	struct watch_facts *facts = malloc(sizeof(*facts));
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char more[300], source[HOST_TEXT_SIZE];
		size_t len = headers[i].len;

		memcpy(more, headers[i].text, len);
		more[len] = 'E';
		if (read_header(more, len + 1, &used, facts) != headers[i].want)
			fail_msg("header %zu", i);
		assert_int_equal(facts->flip, headers[i].want == PARSE_OK);
		host_text(facts->mail.claimed_client, source);
		assert_string_equal(facts->mail.claimed_by, headers[i].source == NULL ? "" : "proxy");
		if (headers[i].source != NULL)
			assert_string_equal(source, headers[i].source);
		if (headers[i].want != PARSE_OK)
			continue;
		assert_int_equal(used, len);
		for (size_t cut = 0; cut < len; cut++) {
			enum watch_match match = proxy_recognise(bytes_of(more, cut));

			assert_int_equal(match, cut < (more[0] == 'P' ? 6 : 12) ? WATCH_MAYBE : WATCH_YES);
			if (match == WATCH_YES)
				assert_int_equal(read_header(more, cut, &used, facts), PARSE_MORE);
		}
	}
	free(facts);
}

static void other_beginnings_are_none(void **state)
{
	static const char *const others[] = { "PROPFIND / HTTP/1.1", "\r\n\r\n\r", "EHLO x", "proxy ", "\x16\x03" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(proxy_recognise(bytes_of(others[i], strlen(others[i]))), WATCH_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_read_whole_and_not_before),
		cmocka_unit_test(other_beginnings_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Traffic that carries others' is known, and what looks like it is not. */
#include "tests/test.h"

#include "classify/tunnel.h"

#include <netinet/in.h>

static const uint8_t question[] = {
	0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'w', 'w', 2, 'd', 'e', 0, 0, 1, 0, 1,
};

static void datagrams_of_tunnels_are_known(void **state)
{
	static const struct {
		const char *name;
		uint8_t type, second;
		size_t len;
		uint16_t port;
		bool want;
	} cases[] = {
		{ "WireGuard's begin", 1, 0, 148, 9000, true },
		{ "... of another length", 1, 0, 147, 9000, false },
		{ "WireGuard's answer", 2, 0, 92, 9000, true },
		{ "WireGuard's cookie", 3, 0, 64, 9000, true },
		{ "WireGuard's data", 4, 0, 1232, 9000, true },
		{ "... not padded", 4, 0, 1233, 9000, false },
		{ "... too short", 4, 0, 16, 9000, false },
		{ "no zeroes", 4, 1, 1232, 9000, false },
		{ "another type", 5, 0, 1232, 9000, false },
		{ "IPsec behind NAT", 0xc0, 1, 1000, 4500, true },
		{ "OpenVPN by its port", 0x48, 1, 1000, 1194, true },
		{ "L2TP", 0xc8, 1, 100, 1701, true },
		{ "anything", 0x48, 1, 1000, 9000, false },
		{ "nothing", 0, 0, 0, 9000, false },
	};
	static uint8_t bytes[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bytes[0] = cases[i].type;
		bytes[1] = cases[i].second;
		for (int way = 0; way < 2; way++)
			if (tunnel_datagram(bytes_of(bytes, cases[i].len), way ? cases[i].port : 40000,
					    way ? 40000 : cases[i].port) != cases[i].want)
				fail_msg("%s", cases[i].name);
	}
}

/* A question with a name of labels of 60 letters, and padding behind it. */
static size_t make_question(uint8_t *out, unsigned labels, size_t padding)
{
	size_t n = 12;

	memcpy(out, question, n);
	for (unsigned i = 0; i < labels; i++) {
		out[n++] = 60;
		memset(out + n, 'x', 60);
		n += 60;
	}
	memcpy(out + n, "\0\0\20\0\1", 5);
	memset(out + n + 5, 0, padding);
	return n + 5 + padding;
}

static void a_question_is_no_tunnel_and_more_is(void **state)
{
	static const struct {
		const char *name;
		unsigned labels;
		size_t padding;
		bool want[2];		/* server far away, local */
	} cases[] = {
		{ "a question", 1, 40, { false, false } },
		{ "a long name", 3, 0, { true, true } },
		{ "something behind it", 1, 100, { true, false } },
	};
	uint8_t message[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = make_question(message, cases[i].labels, cases[i].padding);

		for (int local = 0; local < 2; local++)
			if (tunnel_dns(bytes_of(message, n), (uint32_t)n, local) != cases[i].want[local])
				fail_msg("%s, local %d", cases[i].name, local);
	}
	assert_true(tunnel_dns(bytes_of("rubbish, not DNS", 16), 16, false));
	assert_false(tunnel_dns(bytes_of("rubbish, not DNS", 16), 16, true));
	assert_true(tunnel_dns(bytes_of(question, sizeof(question)), 65535, false));
}

static void a_stream_of_questions_is_no_tunnel_and_more_is(void **state)
{
	static const struct {
		unsigned questions, len, cut;	/* `len` is what the last one's length says */
		bool want;
	} cases[] = {
		{ 1, sizeof(question), 0, false },	{ 3, sizeof(question), 0, false },
		{ 3, sizeof(question), 5, false },	{ 3, 100, 0, false },
		{ 3, 161, 0, true },			{ 2, 20, 0, true },
	};
	uint8_t bytes[3 * (2 + sizeof(question))];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = 0;

		for (unsigned k = 0; k < cases[i].questions; k++) {
			bytes[n++] = 0;
			bytes[n++] = k + 1 == cases[i].questions ? (uint8_t)cases[i].len : sizeof(question);
			memcpy(bytes + n, question, sizeof(question));
			n += sizeof(question);
		}
		if (tunnel_dns_stream(bytes_of(bytes, n - cases[i].cut), false) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

static void large_echoes_are_a_tunnel(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t len;
		bool ipv6, want;
	} cases[] = {
		{ 8, 64, false, false }, { 8, 136, false, false }, { 8, 137, false, true }, { 0, 1200, false, true },
		{ 3, 576, false, false }, { 128, 1200, true, true }, { 129, 1200, true, true }, { 1, 1200, true, false },
		{ 8, 1200, true, false }, { 128, 1200, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(tunnel_packet(&(struct packet){
			.payload = &cases[i].type, .payload_len = 1, .payload_wire_len = cases[i].len,
			.key.proto = cases[i].ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP }), cases[i].want);
	assert_true(tunnel_packet(&(struct packet){ .key.proto = IPPROTO_ESP }));
	assert_false(tunnel_packet(&(struct packet){ .key.proto = IPPROTO_SCTP }));
}

#define BYTES(s) (s), sizeof(s) - 1

static void streams_of_tunnels_are_known(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum watch_match want;
	} cases[] = {
		{ BYTES(""), WATCH_MAYBE },
		{ BYTES("\5"), WATCH_MAYBE },
		{ BYTES("\5\1\0"), WATCH_YES },
		{ BYTES("\5\2\0"), WATCH_MAYBE },
		{ BYTES("\5\2\0\2"), WATCH_YES },
		{ BYTES("\5\1\0\5\1\0\3"), WATCH_YES },
		{ BYTES("\5\1\0GET"), WATCH_NO },
		{ BYTES("\5\0"), WATCH_NO },
		{ BYTES("\4\1\1\273\1\2\3\4"), WATCH_MAYBE },
		{ BYTES("\4\1\1\273\1\2\3\4me\0"), WATCH_YES },
		{ BYTES("\4\3\1\273"), WATCH_NO },
		{ BYTES("\0\16\70\1\2\3\4\5\6\7\10\0\0\0\0\0"), WATCH_YES },
		{ BYTES("\0\17\70\1\2\3\4\5\6\7\10\0\0\0\0\0"), WATCH_NO },
		{ BYTES("\0\16\60\1\2\3\4\5\6\7\10\0\0\0\0\0"), WATCH_NO },
		{ BYTES("\26\3\1"), WATCH_NO },
		{ BYTES("EHLO"), WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_tunnel.recognise(&watch_tunnel, bytes_of(cases[i].bytes, cases[i].len)) !=
		    cases[i].want)
			fail_msg("case %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_of_tunnels_are_known),
		cmocka_unit_test(a_question_is_no_tunnel_and_more_is),
		cmocka_unit_test(a_stream_of_questions_is_no_tunnel_and_more_is),
		cmocka_unit_test(large_echoes_are_a_tunnel),
		cmocka_unit_test(streams_of_tunnels_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

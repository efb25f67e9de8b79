/* Keys that do not depend on direction, hashes that agree with their references, texts. Expected
 * Community IDs were computed with Python's hashlib from the specification's text. */
#include "tests/test.h"

#include "capture/flow_key.h"
#include "capture/siphash.h"

#include <arpa/inet.h>

static struct host_port end_of(const char *text, uint16_t port)
{
	struct host_port end = { .port = port };

	if (inet_pton(AF_INET6, text, end.addr) == 1)
		return end;
	memset(end.addr, 0, 10);
	memset(end.addr + 10, 0xff, 2);
	assert_int_equal(inet_pton(AF_INET, text, end.addr + 12), 1);
	return end;
}

static void both_directions_have_one_key(void **state)
{
	static const struct {
		const char *a, *b;
		uint16_t a_port, b_port;
		enum flow_dir a_to_b;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.2", 50000, 25, FLOW_LO_TO_HI },
		{ "192.0.2.2", "192.0.2.1", 25, 50000, FLOW_HI_TO_LO },
		{ "192.0.2.1", "192.0.2.1", 0x0100, 0x00ff, FLOW_HI_TO_LO },
		{ "192.0.2.1", "192.0.2.1", 7, 7, FLOW_LO_TO_HI },
		{ "2001:db8::1", "192.0.2.1", 1, 2, FLOW_HI_TO_LO },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host_port a = end_of(cases[i].a, cases[i].a_port);
		struct host_port b = end_of(cases[i].b, cases[i].b_port);
		struct flow_key there, back;

		memset(&there, 0xaa, sizeof(there));
		memset(&back, 0x55, sizeof(back));
		assert_int_equal(flow_key_make(&there, &a, &b, 6), cases[i].a_to_b);
		flow_key_make(&back, &b, &a, 6);
		assert_memory_equal(&there, &back, sizeof(there));
		assert_int_equal(flow_key_shard(&there), flow_key_shard(&back));
	}
}

static void address_and_port_are_sorted_together(void **state)
{
	struct host_port a1 = end_of("192.0.2.1", 1), b2 = end_of("192.0.2.2", 2);
	struct host_port a2 = end_of("192.0.2.1", 2), b1 = end_of("192.0.2.2", 1);
	struct flow_key one, other;
	(void)state;

	flow_key_make(&one, &a1, &b2, 17);
	flow_key_make(&other, &a2, &b1, 17);
	assert_memory_not_equal(&one, &other, sizeof(one));
}

static void siphash_gives_the_reference_vectors(void **state)
{
	/* Key 00 01 .. 0f, input 00 01 .. len-1: appendix A of the paper has length 15, its authors'
	 * vectors the others. */
	static const struct {
		size_t len;
		uint64_t want;
	} cases[] = {
		{ 0, 0x726fdb47dd0e0e31ULL }, { 1, 0x74f839c593dc67fdULL },
		{ 7, 0xab0200f58b01d137ULL }, { 8, 0x93f5f5799a932462ULL },
		{ 15, 0xa129ca6149be45e5ULL }, { 63, 0x958a324ceb064572ULL },
	};
	uint8_t data[64];
	(void)state;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = siphash(data, cases[i].len, 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL);

		if (got != cases[i].want)
			fail_msg("length %zu: %016llx", cases[i].len, (unsigned long long)got);
	}
}

static void the_hash_depends_on_the_seed_and_on_every_byte(void **state)
{
	struct host_port a = end_of("192.0.2.1", 1), b = end_of("192.0.2.2", 2);
	struct flow_hash one, two;
	struct flow_key key;
	(void)state;

	flow_key_make(&key, &a, &b, 6);
	flow_hash_new(&one, 1);
	flow_hash_new(&two, 2);

	uint64_t hash = flow_key_hash(&key, &one);

	assert_true(hash == flow_key_hash(&key, &one));
	assert_true(hash != flow_key_hash(&key, &two));
	for (size_t i = 0; i < sizeof(key); i++) {
		struct flow_key changed = key;

		((uint8_t *)&changed)[i] ^= 1;
		assert_true(hash != flow_key_hash(&changed, &one));
	}
}

/* These numbers must never change: limits and evictions go by shard. */
static void shards_stay_what_they_are_and_fill_evenly(void **state)
{
	unsigned filled[FLOW_SHARDS] = { 0 };
	struct host_port a = end_of("192.0.2.1", 50000), b = end_of("198.51.100.7", 993);
	struct host_port c = end_of("2001:db8::1", 50000), d = end_of("2001:db8::7", 993);
	struct flow_key key;
	(void)state;

	flow_key_make(&key, &a, &b, 6);
	assert_int_equal(flow_key_shard(&key), 0x29);
	flow_key_make(&key, &c, &d, 17);
	assert_int_equal(flow_key_shard(&key), 0x2d);
	for (unsigned i = 0; i < 6400; i++) {
		a.port = (uint16_t)(40000 + i);
		flow_key_make(&key, &a, &b, 6);
		filled[flow_key_shard(&key)]++;
	}
	for (unsigned i = 0; i < FLOW_SHARDS; i++)
		assert_in_range(filled[i], 50, 200);
}

static void community_ids_are_the_specifications(void **state)
{
	static const struct {
		const char *name, *src, *dst;
		uint8_t proto, type, code;	/* type and code: ICMP only */
		uint16_t src_port, dst_port;
		const char *want;
	} cases[] = {
		{ "TCP", "192.0.2.7", "198.51.100.9", 6, 0, 0, 50123, 993,
		  "1:sEaqRSvZG0Zl+4e7euUmtEmUaPc=" },
		{ "TCP, answer", "198.51.100.9", "192.0.2.7", 6, 0, 0, 993, 50123,
		  "1:sEaqRSvZG0Zl+4e7euUmtEmUaPc=" },
		{ "same address, ports decide", "127.0.0.1", "127.0.0.1", 6, 0, 0, 50123, 993,
		  "1:Jnvoh1VdHcMwpsneHBgjGx5iUKo=" },
		{ "UDP over IPv6", "2001:db8::7", "2001:db8::9", 17, 0, 0, 5353, 53,
		  "1:ptM7oNxBmuQzU+cjADaTZZ5/F6U=" },
		{ "SCTP", "192.0.2.7", "198.51.100.9", 132, 0, 0, 80, 9000,
		  "1:UtoSfdiCqrp5G5aRe3g6tL0XUXM=" },
		{ "ICMP echo", "198.51.100.9", "192.0.2.7", 1, 8, 0, 0, 0,
		  "1:OdhlL1EGQdOejDKNdiTjTfLjH+4=" },
		{ "ICMP echo reply", "192.0.2.7", "198.51.100.9", 1, 0, 0, 0, 0,
		  "1:OdhlL1EGQdOejDKNdiTjTfLjH+4=" },
		{ "ICMP unreachable is one way", "198.51.100.9", "192.0.2.7", 1, 3, 3, 0, 0,
		  "1:gjj1+OKwFybX48tDjf2oCClnxAw=" },
		{ "ICMP unreachable, the other way", "192.0.2.7", "198.51.100.9", 1, 3, 3, 0, 0,
		  "1:syiqLkqudo8oDCpI8u/ugUSRCfA=" },
		{ "ICMPv6 neighbour solicitation", "2001:db8::9", "2001:db8::7", 58, 135, 0, 0, 0,
		  "1:82X5Cps9VmSyLzfBSLMZoXLxkdY=" },
		{ "ICMPv6 neighbour advertisement", "2001:db8::7", "2001:db8::9", 58, 136, 0, 0, 0,
		  "1:82X5Cps9VmSyLzfBSLMZoXLxkdY=" },
		{ "ICMPv6 too big is one way", "2001:db8::9", "2001:db8::7", 58, 2, 0, 0, 0,
		  "1:ZUzfEbfWvvXZgy7jQ/+cr3BVnmk=" },
		{ "GRE has no ports", "192.0.2.7", "198.51.100.9", 47, 0, 0, 0, 0,
		  "1:8VQbNNwXDgzxUqz+jBlw8Focic0=" },
		{ "UDP-Lite counts as without ports", "192.0.2.7", "198.51.100.9", 136, 0, 0, 5000, 6000,
		  "1:ll734Q6V6LxUc5gcuxWhb1+BZ4o=" },
	};
	struct flow_ids *ids = flow_ids_new();
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host_port src = end_of(cases[i].src, cases[i].src_port);
		struct host_port dst = end_of(cases[i].dst, cases[i].dst_port);
		struct flow_key key;
		char got[FLOW_COMMUNITY_ID_SIZE];

		if (cases[i].proto == 1 || cases[i].proto == 58)
			flow_key_icmp_ports(cases[i].proto, cases[i].type, cases[i].code, &src.port,
					    &dst.port);

		enum flow_dir dir = flow_key_make(&key, &src, &dst, cases[i].proto);

		flow_key_community_id(ids, &key, dir, got);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s\n got: %s\nwant: %s", cases[i].name, got, cases[i].want);
	}
	flow_ids_free(&ids);
}

static void addresses_are_written_as_rfc_5952_says(void **state)
{
	static const char *const cases[][2] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8:0:0:0:0:0:7", "2001:db8::7" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host_port end = end_of(cases[i][0], 0);
		char got[HOST_TEXT_SIZE];

		host_text(end.addr, got);
		assert_string_equal(got, cases[i][1]);
	}
}

static void addresses_are_read_as_they_are_written(void **state)
{
	static const struct {
		const char *text;
		bool ipv4;
	} cases[] = { { "192.0.2.7", true }, { "2001:db8::7", false }, { "::1", false }, { "0.0.0.0", true } };
	uint8_t addr[16];
	char text[HOST_TEXT_SIZE];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(host_of_text(cases[i].text, addr));
		assert_int_equal(host_is_ipv4(addr), cases[i].ipv4);
		host_text(addr, text);
		assert_string_equal(text, cases[i].text);
	}
	assert_false(host_of_text("mail.example", addr));
	assert_false(host_of_text("192.0.2", addr));
	assert_false(host_of_text("", addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_as_they_are_written),
		cmocka_unit_test(both_directions_have_one_key),
		cmocka_unit_test(address_and_port_are_sorted_together),
		cmocka_unit_test(siphash_gives_the_reference_vectors),
		cmocka_unit_test(the_hash_depends_on_the_seed_and_on_every_byte),
		cmocka_unit_test(shards_stay_what_they_are_and_fill_evenly),
		cmocka_unit_test(community_ids_are_the_specifications),
		cmocka_unit_test(addresses_are_written_as_rfc_5952_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/case.h"

#include "report/identity.h"
#include "report/store_sql.h"

#define AB16 "abababab" "abababab" "abababab" "abababab"	/* 16 bytes */
#define AB32 AB16 AB16
#define AB64 AB32 AB32
#define CD32 "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"

static void a_wildcard_stands_for_exactly_one_label(void **state)
{
	static const struct { const char *pattern, *host; bool covers; } cases[] = {
		{ "mx.example", "mx.example", true }, { "MX.example", "mx.EXAMPLE", true },
		{ "mx.example.", "mx.example", true }, { "mx.example", "mx.example.", true },
		{ "mx.example", "amx.example", false }, { "mx.example", "mx.exampl", false },
		{ "mx.example", "a.mx.example", false }, { "", "", false }, { ".", ".", false }, { "", "mx", false },
		{ "*.mx.example", "a.mx.example", true }, { "*.mx.example", "A.MX.example.", true },
		{ "*.mx.example.", "a.mx.example", true }, { "*.mx.example", "b.a.mx.example", false },
		{ "*.mx.example", "mx.example", false }, { "*.mx.example", ".mx.example", false },
		{ "*.mx.example", "amx.example", false }, { "*.example", "mx.example", true },
		{ "*", "mx", false }, { "*.", "mx.", false }, { "*.", "mx", false }, { "*.mx.example", "", false },
		{ "m*.example", "mx.example", false }, { "mx.*.example", "mx.a.example", false },
		{ "*.*.example", "b.a.example", false }, { "**.example", "a.example", false },
		{ "*.mx.example", "*.mx.example", true }, { "*mx.example", "amx.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (identity_covers(cases[i].pattern, cases[i].host) != cases[i].covers)
			fail_msg("%s and %s", cases[i].pattern, cases[i].host);
}

/* The certificate's hashes begin with 0xab where they are of 32 bytes, its key's with 0xcd. */
static void a_record_is_compared_with_what_it_selects(void **state)
{
	static const struct { const char *rdata; bool digest; enum identity_tlsa want; } cases[] = {
		{ "3 0 1 " AB32, false, TLSA_MATCHES }, { "3 0 1 " CD32, false, TLSA_DIFFERS },
		{ "3 1 1 " CD32, false, TLSA_MATCHES }, { "3 1 1 " AB32, false, TLSA_DIFFERS },
		{ "2 0 1 " AB32, false, TLSA_MATCHES }, { "2 1 1 " CD32, false, TLSA_MATCHES },
		{ "3 0 2 " AB64, false, TLSA_MATCHES }, { "3 0 2 " CD32 CD32, false, TLSA_DIFFERS },
		{ "3 1 2 " CD32 CD32, false, TLSA_MATCHES }, { "3 1 2 " AB64, false, TLSA_DIFFERS },
		{ "3 0 0 308201", true, TLSA_MATCHES }, { "3 1 0 308201", true, TLSA_DIFFERS },
		{ "3 0 0 308201", false, TLSA_UNUSABLE },
		{ "3 0 1 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB", false, TLSA_MATCHES },
		{ "0 0 1 " AB32, false, TLSA_UNUSABLE }, { "1 0 1 " AB32, false, TLSA_UNUSABLE },
		{ "4 0 1 " AB32, false, TLSA_UNUSABLE }, { "255 0 1 " AB32, false, TLSA_UNUSABLE },
		{ "3 2 1 " AB32, false, TLSA_UNUSABLE }, { "3 0 3 " AB32, false, TLSA_UNUSABLE },
		{ "3 0 1 " AB16, false, TLSA_UNUSABLE }, { "3 0 1 " AB32 "ab", false, TLSA_UNUSABLE },
		{ "3 0 2 " AB32, false, TLSA_UNUSABLE }, { "3 0 1 " AB64, false, TLSA_UNUSABLE },
		{ "3 0 1 x" CD32, false, TLSA_UNUSABLE }, { "3 0 1", false, TLSA_UNUSABLE },
		{ "3 0 1 ", false, TLSA_UNUSABLE }, { "", false, TLSA_UNUSABLE }, { "3 0", true, TLSA_UNUSABLE },
		{ "3 0 1 zzababababababababababababababababababababababababababababababab", false, TLSA_UNUSABLE },
	};
	uint8_t ab[64], cd[64];
	const struct identity_hashes hashes = { .sha256 = ab, .sha512 = ab, .spki_sha256 = cd, .spki_sha512 = cd };
	const struct identity_hashes none = { .sha256 = NULL };

	(void)state;
	memset(ab, 0xab, sizeof(ab));
	memset(cd, 0xcd, sizeof(cd));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *digest = cases[i].digest ? ab : NULL;
		enum identity_tlsa other = cases[i].want == TLSA_UNUSABLE ? TLSA_UNUSABLE : TLSA_DIFFERS;

		if (identity_tlsa(cases[i].rdata, digest, &hashes) != cases[i].want)
			fail_msg("%s", cases[i].rdata);
		if (identity_tlsa(cases[i].rdata, digest, &none) != other)
			fail_msg("%s and no certificate", cases[i].rdata);
	}
	assert_int_equal(identity_tlsa_usage("3 1 1 ab"), 3);
	assert_int_equal(identity_tlsa_usage("2 0 1 ab"), 2);
	assert_int_equal(identity_tlsa_usage("1 0 1 ab"), 0);
	assert_int_equal(identity_tlsa_usage("x"), 0);
}

static void sql_can_ask(void **state)
{
	static const struct { const char *sql; int64_t want; } cases[] = {
		{ "covers('*.a.example', 'b.a.example')", 1 }, { "covers('*.a.example', 'a.example')", 0 },
		{ "coalesce(covers(NULL, 'a'), 7)", 7 }, { "coalesce(covers('a', NULL), 7)", 7 },
		{ "tlsa_matches('3 0 1 " AB32 "', NULL, x'" AB32 "', NULL, NULL, NULL)", 1 },
		{ "tlsa_matches('3 0 2 " AB64 "', NULL, NULL, x'" AB64 "', NULL, NULL)", 1 },
		{ "tlsa_matches('3 1 1 " AB32 "', NULL, NULL, NULL, x'" AB32 "', NULL)", 1 },
		{ "tlsa_matches('3 1 2 " AB64 "', NULL, NULL, NULL, NULL, x'" AB64 "')", 1 },
		{ "tlsa_matches('3 1 0 30', x'" AB32 "', NULL, NULL, x'" AB32 "', NULL)", 1 },
		{ "tlsa_matches('3 0 1 " AB32 "', NULL, x'" AB16 "', NULL, NULL, NULL)", 0 },
		{ "tlsa_matches('3 0 1 " AB32 "', NULL, NULL, NULL, NULL, NULL)", 0 },
		{ "coalesce(tlsa_matches('1 0 1 " AB32 "', NULL, x'" AB32 "', NULL, NULL, NULL), 7)", 7 },
		{ "coalesce(tlsa_matches(NULL, NULL, x'" AB32 "', NULL, NULL, NULL), 7)", 7 },
		{ "banner_host('mx.Example.org ESMTP Postfix') = 'mx.example.org'", 1 },
		{ "banner_host('Dovecot 2.3.19 (a.b) ready.') = 'a.b'", 1 }, { "banner_host('Dovecot 2.3.19 ready.') = ''", 1 },
		{ "banner_host('POP3 <1.2@pop.example.>') = 'pop.example'", 1 }, { "banner_host('.a b. .c 1.2') = ''", 1 },
		{ "banner_host('') = ''", 1 }, { "banner_host('.') = ''", 1 },
		{ "banner_host('a.') = ''", 1 }, { "banner_host(NULL) = ''", 1 },
		{ "tlsa_usage('2 0 1 ab')", 2 }, { "tlsa_usage(NULL)", 0 },
		{ "went_on(1, 1, NULL, NULL) = 'the session went on'", 1 },
		{ "went_on(3, 3, NULL, NULL) = 'all 3 sessions went on'", 1 },
		{ "went_on(3, 2, 48, 0) = '2 of 3 sessions went on'", 1 },
		{ "went_on(2, 0, NULL, NULL) = 'no session was seen to go on'", 1 },
		{ "went_on(1, 0, 48, 0) = 'the client ended it with the alert unknown_ca'", 1 },
		{ "went_on(1, 0, 99, 1) = 'the server ended it with the alert 99'", 1 },
		{ "host(x'00000000000000000000ffffc0000201') = '192.0.2.1'", 1 }, { "host(x'00') IS NULL", 1 },
	};
	char error[256], sql[700];
	struct store *st = store_create(NULL, error, sizeof(error));

	(void)state;
	assert_non_null(st);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(sql, sizeof(sql), "SELECT %s", cases[i].sql);
		if (store_number(st, sql, -1) != cases[i].want)
			fail_msg("%s: %s", cases[i].sql, store_error(st));
	}
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wildcard_stands_for_exactly_one_label),
		cmocka_unit_test(a_record_is_compared_with_what_it_selects),
		cmocka_unit_test(sql_can_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

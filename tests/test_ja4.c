/* JA4 agrees with values that FoxIO published (technical_details/JA4.md and the outputs beside its sample
 * captures), for hellos made here of the same lists; and each rule of the format that those do not touch. */
#include "tests/test.h"

#include "classify/ja4.h"
#include "classify/watch_tls.h"

#define CHROME_CIPHERS "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
#define CHROME_EXTENSIONS "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
#define CHROME_SIGNATURES "0403,0804,0401,0503,0805,0501,0806,0601"
#define CHROME "t13d1516h2_8daaf6152771_e5627efa2ab1"
#define NOTHING "000000000000"

struct plan {
	const char *name;
	bool quic;
	uint16_t version;		/* legacy_version */
	const char *ciphers, *extensions, *signatures, *versions, *alpn;
	const char *want;
};

/* Words of four hex digits as 16 bits each; returns the bytes written. */
static size_t put_words(uint8_t *out, const char *words)
{
	size_t n = 0;

	for (const char *p = words; p != NULL && *p != '\0'; p += p[4] == ',' ? 5 : 4) {
		unsigned value;

		assert_int_equal(sscanf(p, "%4x", &value), 1);
		out[n++] = (uint8_t)(value >> 8);
		out[n++] = (uint8_t)value;
	}
	return n;
}

/* The extensions of these types, with bodies where they count. */
static size_t put_extensions(uint8_t *out, const struct plan *p)
{
	uint8_t types[1024], body[256];
	size_t count = put_words(types, p->extensions), at = 0;

	for (size_t i = 0; i < count; i += 2) {
		size_t n = 0, len = 0;

		switch (types[i] << 8 | types[i + 1]) {
		case TLS_EXT_ALPN:
			len = p->alpn == NULL ? 0 : strlen(p->alpn);
			body[1] = (uint8_t)(len + 1 + 3), body[2] = (uint8_t)len;
			if (len > 0)
				memcpy(body + 3, p->alpn, len);
			memcpy(body + 3 + len, "\2zz", 3);
			body[0] = 0, n = 3 + len + 3;
			break;
		case TLS_EXT_SIGNATURE_ALGORITHMS:
			n = 2 + put_words(body + 2, p->signatures);
			body[0] = 0, body[1] = (uint8_t)(n - 2);
			break;
		case TLS_EXT_SUPPORTED_VERSIONS:
			n = 1 + put_words(body + 1, p->versions);
			body[0] = (uint8_t)(n - 1);
			break;
		}
		out[at] = types[i], out[at + 1] = types[i + 1];
		out[at + 2] = 0, out[at + 3] = (uint8_t)n;
		memcpy(out + at + 4, body, n);
		at += 4 + n;
	}
	return at;
}

static void assert_ja4(const struct plan *p)
{
	uint8_t ciphers[1024], extensions[4096];
	size_t ciphers_len = put_words(ciphers, p->ciphers), extensions_len = put_extensions(extensions, p);
	/* Exactly their sizes, so that a sanitizer sees a read behind them. */
	uint8_t *a = malloc(ciphers_len + 1), *b = malloc(extensions_len + 1);
	struct ja4_hello hello = { .quic = p->quic, .version = p->version };
	char got[JA4_SIZE];

	memcpy(a + 1, ciphers, ciphers_len);
	memcpy(b + 1, extensions, extensions_len);
	hello.ciphers = bytes_of(a + 1, ciphers_len);
	hello.extensions = bytes_of(b + 1, extensions_len);
	ja4_make(&hello, got);
	free(a);
	free(b);
	if (strcmp(got, p->want) != 0)
		fail_msg("%s: %s instead of %s", p->name, got, p->want);
}

static void it_agrees_with_what_was_published(void **state)
{
	static const struct plan cases[] = {
		{ "the example of the specification", false, 0x0303, CHROME_CIPHERS, CHROME_EXTENSIONS,
		  CHROME_SIGNATURES, "0304,0303", "h2", CHROME },
		{ "Chrome over QUIC", true, 0x0303, "1301,1302,1303",
		  "0000,000a,0010,001b,4469,0033,0039,002b,000d,002d", CHROME_SIGNATURES ",0201", "0304", "h3",
		  "q13d0310h3_55b375c5d22e_cd85d2d88918" },
		{ "LibreSSL", false, 0x0303,
		  "c030,c02c,c028,c024,c014,c00a,009f,006b,0039,cca9,cca8,ccaa,ff85,00c4,0088,0081,009d,003d,"
		  "0035,00c0,0084,c02f,c02b,c027,c023,c013,c009,009e,0067,0033,00be,0045,009c,003c,002f,00ba,"
		  "0041,c011,c007,0005,0004,c012,c008,0016,000a,00ff",
		  "0000,000b,000a,000d,0010", "0601,0603,efef,0501,0503,0401,0403,eeee,eded,0301,0303,0201,0203",
		  NULL, "h2", "t12d4605h2_85626a9a5f7f_aaf95bb78ec9" },
		{ "no extension but the name", false, 0x0301,
		  "0039,0038,0035,0016,0013,000a,0033,0032,002f,009a,0099,0096,0005,0004,0015,0012,0009,0014,"
		  "0011,0008,0006,0003,00ff", "0000", NULL, NULL, NULL, "t10d230100_6a57a6f57151_" NOTHING },
		{ "without signature algorithms", false, 0x0303, CHROME_CIPHERS, CHROME_EXTENSIONS, NULL, "0304",
		  "h2", "t13d1516h2_8daaf6152771_6d807ffa2a79" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_ja4(&cases[i]);
}

static void grease_counts_nowhere(void **state)
{
	static const struct plan greased = {
		"GREASE", false, 0x0303, "1a1a," CHROME_CIPHERS ",fafa", "3a3a," CHROME_EXTENSIONS ",0a0a",
		"dada," CHROME_SIGNATURES, "eaea,0304,0303", "h2", CHROME,
	};
	(void)state;

	assert_ja4(&greased);
}

/* Without extensions that go into the hash, so that only the first part differs. */
static void the_first_part_says_version_name_and_alpn(void **state)
{
	static const struct {
		uint16_t version;
		const char *extensions, *versions, *alpn, *want;
	} cases[] = {
		{ 0x0304, "", NULL, NULL, "t13i010000_" }, { 0x0303, "", NULL, NULL, "t12i010000_" },
		{ 0x0302, "", NULL, NULL, "t11i010000_" }, { 0x0301, "", NULL, NULL, "t10i010000_" },
		{ 0x0300, "", NULL, NULL, "ts3i010000_" }, { 0x0305, "", NULL, NULL, "t00i010000_" },
		{ 0x02ff, "", NULL, NULL, "t00i010000_" },
		{ 0x0303, "002b", "0301,0304,0302", NULL, "t13i010100_" },
		{ 0x0303, "002b", "0302,0301", NULL, "t11i010100_" },
		{ 0x0303, "002b", "7f1c,0303", NULL, "t00i010100_" },	/* a draft */
		{ 0x0303, "002b", "", NULL, "t12i010100_" },
		{ 0x0303, "0000", NULL, NULL, "t12d010100_" },
		/* The specification's own examples follow. */
		{ 0x0303, "0010", NULL, "h2", "t12i0101h2_" }, { 0x0303, "0010", NULL, "http/1.1", "t12i0101h1_" },
		{ 0x0303, "0010", NULL, "", "t12i010100_" }, { 0x0303, "0010", NULL, "a", "t12i0101aa_" },
		{ 0x0303, "0010", NULL, "\xab", "t12i0101ab_" }, { 0x0303, "0010", NULL, " ", "t12i010120_" },
		{ 0x0303, "0010", NULL, "\xab\xcd", "t12i0101ad_" }, { 0x0303, "0010", NULL, " a", "t12i010121_" },
		{ 0x0303, "0010", NULL, "0\xab", "t12i01013b_" }, { 0x0303, "0010", NULL, "a ", "t12i010160_" },
		{ 0x0303, "0010", NULL, "01\xab\xcd", "t12i01013d_" },
		{ 0x0303, "0010", NULL, "0\xab\xcd" "1", "t12i010101_" },
		{ 0x0303, "0010", NULL, "ZA", "t12i0101ZA_" }, { 0x0303, "0010", NULL, "[z", "t12i01015a_" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool versions = strcmp(cases[i].extensions, "002b") == 0;
		char want[64];
		struct plan plan = {
			.version = cases[i].version, .ciphers = "1301", .extensions = cases[i].extensions,
			.versions = cases[i].versions, .alpn = cases[i].alpn, .want = want,
		};

		/* SHA-256 of "1301" and of "002b" */
		snprintf(want, sizeof(want), "%s0f2cb44170f4_%s", cases[i].want,
			 versions ? "b9a491fefe05" : NOTHING);
		plan.name = want;
		assert_ja4(&plan);
	}
}

static void more_than_ninety_nine_count_as_that(void **state)
{
	static const struct { unsigned ciphers; const char *want; } cases[] = {
		{ 0, "t12i000000" }, { 9, "t12i090000" }, { 98, "t12i980000" }, { 99, "t12i990000" },
		{ 100, "t12i990000" }, { 32767, "t12i990000" },
	};
	static uint8_t words[65534];
	char hundred[JA4_SIZE] = "", got[JA4_SIZE];
	(void)state;

	for (size_t i = 0; i < sizeof(words); i += 2)
		words[i] = (uint8_t)(~i >> 9 & 0x7f), words[i + 1] = (uint8_t)(i >> 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ja4_hello hello = { .version = 0x0303, .ciphers = bytes_of(words, cases[i].ciphers * 2) };

		ja4_make(&hello, got);
		assert_memory_equal(got, cases[i].want, 10);
		assert_int_equal(strncmp(got + 10, "_" NOTHING, 13) == 0, cases[i].ciphers == 0);
		/* Only the number is capped, not what is hashed. */
		assert_string_not_equal(got, hundred);
		memcpy(hundred, got, sizeof(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_what_was_published),
		cmocka_unit_test(grease_counts_nowhere),
		cmocka_unit_test(the_first_part_says_version_name_and_alpn),
		cmocka_unit_test(more_than_ninety_nine_count_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

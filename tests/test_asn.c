#include "tests/test.h"

#include "classify/asn.h"

#include <arpa/inet.h>
#include <unistd.h>

static struct asn *open_ours(void)
{
	char error[512] = "";
	struct asn *a = asn_open("classify/asn.mmdb", "classify", error, sizeof(error));

	if (a == NULL)
		fail_msg("%s", error);
	return a;
}

static void address_of(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET6, text, out) != 1) {
		out[10] = out[11] = 0xff;
		assert_int_equal(inet_pton(AF_INET, text, out + 12), 1);
	}
}

static void addresses_of_mail_hosts_have_the_numbers_seen_in_the_source(void **state)
{
	static const struct {
		const char *address;
		uint32_t asn;
		const char *org;
	} cases[] = {
		{ "212.227.17.190", 8560, "IONOS SE" }, { "194.25.134.8", 3320, "Deutsche Telekom AG" },
		{ "195.186.227.50", 3303, "Swisscom (Schweiz) AG" }, { "217.70.178.215", 29169, "GANDI SAS" },
		{ "89.146.194.165", 8495, "INTERNET AG Global Network" },
		{ "173.203.2.36", 19994, "Rackspace Hosting" }, { "52.125.128.18", 8075, "Microsoft Corporation" },
		{ "2603:1026:c03:6046::5", 8075, "Microsoft Corporation" },
		{ "209.85.202.109", 15169, "Google LLC" }, { "1.0.0.0", 13335, "Cloudflare, Inc." },
		{ "1.0.0.255", 13335, "Cloudflare, Inc." }, { "1.0.1.0", 0, "" },
		{ "103.168.172.44", 151847, NULL }, { "185.205.69.12", 210909, NULL },
		{ "192.168.1.1", 0, "" }, { "203.0.113.7", 0, "" }, { "127.0.0.1", 0, "" }, { "::1", 0, "" },
		{ "2001:db8::1", 0, "" }, { "fe80::1", 0, "" }, { "255.255.255.255", 0, "" },
		{ "2001:200::1", 2500, "WIDE Project" },
	};
	struct asn *a = open_ours();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char org[FACT_TEXT_SIZE] = "untouched";
		uint8_t address[16];
		uint32_t asn;

		address_of(cases[i].address, address);
		asn = asn_of(a, address, org);
		if (asn != cases[i].asn || (cases[i].org != NULL && strcmp(org, cases[i].org) != 0))
			fail_msg("%s: got AS%u '%s'", cases[i].address, asn, org);
		assert_true(asn == 0 || org[0] != '\0');
	}
	asn_close(&a);
	assert_null(a);
}

static void it_says_what_it_is_and_who_made_it(void **state)
{
	struct asn *a = open_ours();

	(void)state;
	assert_string_equal(asn_describe(a), "mailwitness-ASN 2026-06-17 (classify/asn.mmdb)");
	assert_non_null(strstr(asn_attribution(a), "CC BY 4.0"));
	assert_non_null(strstr(asn_attribution(a), "routeviews.org"));
	assert_non_null(strstr(asn_attribution(a), "https://db-ip.com"));
	assert_non_null(strstr(asn_attribution(a), "nro.net"));
	assert_null(strchr(asn_attribution(a), '\n'));
	assert_null(strstr(asn_attribution(a), "Warning"));	/* the first paragraph only */
	asn_close(&a);
}

static void a_file_that_is_none_gives_a_line(void **state)
{
	static const char *const paths[] = { "tests/no-such-file", "Makefile", "/dev/null", "classify" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char error[256] = "";

		assert_null(asn_open(paths[i], "classify", error, sizeof(error)));
		if (strncmp(error, paths[i], strlen(paths[i])) != 0)
			fail_msg("%s: '%s'", paths[i], error);
	}
}

static void without_a_path_there_is_always_one(void **state)
{
	char error[256] = "";
	struct asn *a = asn_open(NULL, "classify", error, sizeof(error));

	(void)state;
	assert_non_null(a);
	assert_non_null(strstr(asn_describe(a), "ASN"));
	asn_close(&a);
}

/* A file cut short must not be read beyond its end. */
static void a_file_cut_short_is_survived(void **state)
{
	static const size_t keep[] = { 0, 1, 100, 4096, 100000, 5000000 };
	char path[] = "/tmp/mailwitness-test-XXXXXX";
	FILE *in = fopen("classify/asn.mmdb", "rb");
	static char bytes[5000000];
	int fd = mkstemp(path);

	(void)state;
	assert_non_null(in);
	assert_true(fd >= 0);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), in), sizeof(bytes));
	fclose(in);
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		char error[256] = "";

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, keep[i], 0), (ssize_t)keep[i]);
		assert_null(asn_open(path, "classify", error, sizeof(error)));
		assert_true(error[0] != '\0');
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_mail_hosts_have_the_numbers_seen_in_the_source),
		cmocka_unit_test(it_says_what_it_is_and_who_made_it),
		cmocka_unit_test(a_file_that_is_none_gives_a_line),
		cmocka_unit_test(without_a_path_there_is_always_one),
		cmocka_unit_test(a_file_cut_short_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/test.h"

#include "capture/base.h"
#include "classify/catalogue.h"

#include <arpa/inet.h>
#include <unistd.h>

/* The directory of a test's own files. */
struct scratch {
	char directory[64];
	char path[4][128];
	unsigned count;
};

static void scratch_make(struct scratch *s)
{
	*s = (struct scratch){ .directory = "/tmp/mailwitness-test-XXXXXX" };
	assert_non_null(mkdtemp(s->directory));
}

static const char *scratch_add(struct scratch *s, const char *name, const char *text)
{
	char *path = s->path[s->count++];
	FILE *out;

	assert_true(base_copy(path, sizeof(s->path[0]), s->directory));
	strcat(strcat(path, "/"), name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	return path;
}

static void scratch_remove(struct scratch *s)
{
	for (unsigned i = 0; i < s->count; i++)
		unlink(s->path[i]);
	assert_int_equal(rmdir(s->directory), 0);
}

static struct catalogue *load(const char *directory)
{
	char error[512] = "";
	struct catalogue *c = catalogue_load(directory, NULL, 0, error, sizeof(error));

	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

static struct catalogue *load_text(const char *text)
{
	struct catalogue *c;
	struct scratch s;

	scratch_make(&s);
	scratch_add(&s, "a.yaml", text);
	c = load(s.directory);
	scratch_remove(&s);
	return c;
}

static void address_of(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET6, text, out) != 1) {
		out[10] = out[11] = 0xff;
		assert_int_equal(inet_pton(AF_INET, text, out + 12), 1);
	}
}

static const char *id_of(const struct catalogue_service *s)
{
	return s != NULL ? s->id : "";
}

#define HEAD "- id: a\n  name: A\n  source: s\n  date: 2026-01-02\n  services:\n"

static void hosts_fit_at_label_boundaries_and_the_longest_wins(void **state)
{
	struct catalogue *c = load_text(HEAD
		"    - id: a/wide\n      role: other\n      hosts:\n        - name: a.example\n"
		"    - id: a/mail\n      role: mail-provider\n      hosts:\n        - name: mail.a.example\n"
		"    - id: a/below\n      role: cdn\n      hosts:\n        - name: \"*.b.example\"\n"
		"    - id: a/only\n      role: access\n      hosts:\n        - name: =b.example\n"
		"        - name: =x.b.example\n        - name: =www.mail.a.example\n"
		"        - name: \"*.c.example\"\n");
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "a.example", "a/wide" }, { "x.a.example", "a/wide" }, { "xa.example", "" },
		{ "example", "" }, { "", "" }, { ".", "" }, { "mail.a.example", "a/mail" },
		{ "x.y.mail.a.example", "a/mail" }, { "xmail.a.example", "a/wide" },
		{ "mail.a.example.", "a/mail" }, { "MAIL.A.Example", "a/mail" },
		{ "mail.a.example.net", "" }, { "b.example", "a/only" }, { "x.b.example", "a/only" },
		{ "y.x.b.example", "a/below" }, { "y.b.example", "a/below" },
		{ "www.mail.a.example", "a/only" }, { "x.www.mail.a.example", "a/mail" },
		{ "c.example", "" }, { "x.c.example", "a/only" }, { "a.example..", "" }, { "*.b.example", "a/below" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(id_of(catalogue_by_host(c, cases[i].name)), cases[i].want) != 0)
			fail_msg("'%s': got '%s', want '%s'", cases[i].name,
				 id_of(catalogue_by_host(c, cases[i].name)), cases[i].want);
	catalogue_free(&c);
	assert_null(c);
}

static void a_host_row_may_be_surer_than_its_service(void **state)
{
	struct catalogue *c = load_text(HEAD
		"    - id: a/relay\n      role: relay\n      relay: assumed\n      setup: true\n      hosts:\n"
		"        - name: a.example\n"
		"        - { name: x.a.example, relay: documented, source: seen, date: 2026-03-04 }\n"
		"        - { name: y.a.example, relay: none }\n");
	const struct catalogue_service *s = catalogue_by_host(c, "a.example");

	(void)state;
	assert_int_equal(s->relay, RELAY_ASSUMED);
	assert_string_equal(s->source, "s, 2026-01-02");
	assert_true(s->setup);
	s = catalogue_by_host(c, "x.a.example");
	assert_int_equal(s->relay, RELAY_DOCUMENTED);
	assert_string_equal(s->source, "seen, 2026-03-04");
	assert_string_equal(s->id, "a/relay");
	assert_true(s->setup);
	assert_int_equal(catalogue_by_host(c, "y.a.example")->relay, RELAY_NO);
	catalogue_free(&c);
}

static void the_longest_prefix_wins(void **state)
{
	struct catalogue *c = load_text(HEAD
		"    - id: a/wide\n      role: other\n      prefixes: [198.51.0.0/16, \"2001:db8::/32\"]\n"
		"    - id: a/mail\n      role: mail-provider\n"
		"      prefixes: [198.51.100.0/24, 198.51.100.7/32, \"2001:db8:1::/48\"]\n"
		"- id: b\n  name: B\n  source: s\n  date: 2026-01-02\n  services:\n"
		"    - id: b/cloud\n      role: cdn\n      prefixes: [198.51.100.0/25, 198.51.100.7/32]\n");
	static const struct {
		const char *address, *want;
		bool also;
	} cases[] = {
		{ "198.50.255.255", "", false }, { "198.51.0.0", "a/wide", false },
		{ "198.51.99.255", "a/wide", false }, { "198.51.100.0", "b/cloud", false },
		{ "198.51.100.7", "a/mail", true }, { "198.51.100.8", "b/cloud", false },
		{ "198.51.100.127", "b/cloud", false }, { "198.51.100.128", "a/mail", false },
		{ "198.51.101.0", "a/wide", false }, { "198.52.0.0", "", false },
		{ "2001:db7:ffff::", "", false }, { "2001:db8::1", "a/wide", false },
		{ "2001:db8:1:ffff::1", "a/mail", false }, { "2001:db8:2::", "a/wide", false },
		{ "2001:db9::", "", false }, { "::", "", false }, { "255.255.255.255", "", false },
		{ "::c633:6407", "", false },	/* not the IPv4 address of the same bits */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct catalogue_service *s;
		uint8_t address[16];
		bool also;

		address_of(cases[i].address, address);
		s = catalogue_by_address(c, address, &also);
		if (strcmp(id_of(s), cases[i].want) != 0 || also != cases[i].also)
			fail_msg("%s: got '%s' %d, want '%s'", cases[i].address, id_of(s), also, cases[i].want);
	}
	catalogue_free(&c);
}

static void an_as_number_of_two_owners_says_so(void **state)
{
	struct catalogue *c = load_text(HEAD
		"    - id: a/mail\n      role: mail-provider\n      asns: [64500, 64502]\n"
		"    - id: a/cloud\n      role: vendor-cloud\n      asns: [64502]\n"
		"- id: b\n  name: B\n  source: s\n  date: 2026-01-02\n  services:\n"
		"    - id: b/cloud\n      role: cdn\n      asns: [64500, 64501]\n");
	bool also;

	(void)state;
	assert_string_equal(id_of(catalogue_by_asn(c, 64500, NULL, &also)), "a/mail");
	assert_true(also);
	assert_string_equal(id_of(catalogue_by_asn(c, 64501, NULL, &also)), "b/cloud");
	assert_false(also);
	assert_string_equal(id_of(catalogue_by_asn(c, 64502, NULL, &also)), "a/cloud");
	assert_false(also);	/* one owner's two services */
	assert_string_equal(id_of(catalogue_by_asn(c, 64500, "a", &also)), "a/mail");
	assert_string_equal(id_of(catalogue_by_asn(c, 64500, "b", &also)), "b/cloud");
	assert_null(catalogue_by_asn(c, 64501, "a", &also));
	assert_null(catalogue_by_asn(c, 64499, NULL, &also));
	assert_null(catalogue_by_asn(c, 64503, NULL, &also));
	catalogue_free(&c);
}

#define SERVICE HEAD "    - id: a/mail\n      role: mail-provider\n"

static void errors_name_the_file_and_the_line(void **state)
{
	static const struct {
		const char *name, *text, *want;		/* want: ":line:" and words */
	} cases[] = {
		{ "role", HEAD "    - id: a/mail\n      role: mail-provder\n",
		  ":7: role: 'mail-provder' is none of mail-provider, mail-service, relay" },
		{ "unknown key of an owner", "- id: a\n  name: A\n  nome: B\n  services: []\n",
		  ":3: 'nome' is no key" },
		{ "unknown key of a service", SERVICE "      hostess:\n        - name: a.example\n",
		  ":8: 'hostess' is no key" },
		{ "unknown key of a host", SERVICE "      hosts:\n        - { name: a.example, port: 25 }\n",
		  ":9: 'port' is no key" },
		{ "missing role", HEAD "    - id: a/mail\n", ":6: id: Missing required mapping field: role" },
		{ "bad use", SERVICE "      hosts:\n        - { name: a.example, use: [impa] }\n",
		  ":9: use: 'impa' is none of imap, pop" },
		{ "bad boolean", SERVICE "      shared: perhaps\n",
		  ":8: shared: 'perhaps' is none of false, true" },
		{ "bad YAML", "- id: a\n  name: [\n", ":" },
		{ "not a list", "id: a\n", ":1: Expecting SEQUENCE" },
		{ "no source", "- id: a\n  name: A\n  date: 2026-01-02\n  services:\n    - id: a/mail\n"
		  "      role: other\n", ":5: a/mail: no source" },
		{ "no date", "- id: a\n  name: A\n  source: s\n  services:\n    - id: a/mail\n"
		  "      role: other\n", ":5: a/mail: no date" },
		{ "bad date", "- id: a\n  name: A\n  source: s\n  date: 2026-13-02\n  services:\n"
		  "    - id: a/mail\n      role: other\n", ":4: date: '2026-13-02'" },
		{ "bad date of a host", SERVICE "      hosts:\n        - { name: a.example, date: yesterday }\n",
		  ":9: date: 'yesterday'" },
		{ "bits behind the prefix", SERVICE "      prefixes:\n        - 192.0.2.0/24\n        - 192.0.2.1/24\n",
		  ":10: prefixes: '192.0.2.1/24'" },
		{ "bits behind an IPv6 prefix", SERVICE "      prefixes: [\"2001:db8::1/64\"]\n",
		  ":8: prefixes: '2001:db8::1/64'" },
		{ "no length", SERVICE "      prefixes: [192.0.2.0]\n", ":8: prefixes" },
		{ "length too long", SERVICE "      prefixes: [192.0.2.0/33]\n", ":8: prefixes" },
		{ "no address", SERVICE "      prefixes: [192.0.2/24]\n", ":8: prefixes" },
		{ "words behind the length", SERVICE "      prefixes: [192.0.2.0/24x]\n", ":8: prefixes" },
		{ "one label", SERVICE "      hosts:\n        - name: com\n", ":9: name: 'com'" },
		{ "capitals", SERVICE "      hosts:\n        - name: A.example\n", ":9: name: 'A.example'" },
		{ "star inside", SERVICE "      hosts:\n        - name: \"a.*.example\"\n", ":9: name: 'a.*.example'" },
		{ "empty label", SERVICE "      hosts:\n        - name: a..example\n", ":9: name: 'a..example'" },
		{ "host twice", SERVICE "      hosts:\n        - name: a.example\n        - name: b.a.example\n"
		  "        - name: a.example\n", ":11: name: 'a.example' is listed already, for a/mail" },
		{ "service twice", SERVICE "    - id: a/mail\n      role: other\n",
		  ":8: id: there is a service 'a/mail' already" },
		{ "another owner's id", HEAD "    - id: b/mail\n      role: other\n", ":6: id: 'b/mail'" },
		{ "id with capitals", "- id: A\n  name: Big\n  services:\n    - id: A/mail\n      role: other\n",
		  ":1: id: 'A'" },
		{ "a relay, not sure how", HEAD "    - id: a/relay\n      role: relay\n", ":6: a/relay: a relay needs" },
		{ "a provider that relays", SERVICE "      relay: documented\n", ":6: a/mail: only a" },
		{ "a provider's host that relays", SERVICE "      hosts:\n        - { name: a.example, relay: assumed }\n",
		  ":9: a.example: only hosts" },
		{ "AS 0", SERVICE "      asns: [0]\n", ":6: a/mail: asns" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalogue *c;
		struct scratch s;
		char error[512] = "", want[256];

		scratch_make(&s);
		snprintf(want, sizeof(want), "%s%s", scratch_add(&s, "a.yaml", cases[i].text), cases[i].want);
		c = catalogue_load(s.directory, NULL, 0, error, sizeof(error));
		scratch_remove(&s);
		if (c != NULL || strncmp(error, want, strlen(want)) != 0)
			fail_msg("%s\n got: %s\nwant: %s", cases[i].name, error, want);
	}
}

static void a_directory_without_files_is_an_error(void **state)
{
	char error[256] = "";

	(void)state;
	assert_null(catalogue_load("tests/no-such-directory", NULL, 0, error, sizeof(error)));
	assert_non_null(strstr(error, "tests/no-such-directory"));
}

static void what_is_added_overrides_what_is_shipped(void **state)
{
	static const char base[] = HEAD
		"    - id: a/mail\n      role: mail-provider\n      asns: [64500]\n      prefixes: [192.0.2.0/24]\n"
		"      hosts:\n        - name: mail.a.example\n        - name: old.a.example\n"
		"    - id: a/web\n      role: other\n      prefixes: [198.51.100.0/24]\n"
		"      hosts:\n        - name: web.a.example\n";
	static const char more[] =
		"- id: a\n  name: A2\n  source: mine\n  date: 2026-05-06\n  services:\n"
		"    - id: a/mail\n      role: relay\n      relay: reported\n"
		"      hosts:\n        - name: mail.a.example\n"
		"- id: b\n  name: B\n  source: mine\n  date: 2026-05-06\n  services:\n"
		"    - id: b/own\n      role: mail-provider\n      prefixes: [198.51.100.0/24]\n"
		"      hosts:\n        - name: web.a.example\n        - name: b.example\n";
	struct scratch s;
	const char *extra[1];
	struct catalogue *plain, *both;
	uint8_t address[16];
	char error[256] = "";
	bool also;

	(void)state;
	scratch_make(&s);
	scratch_add(&s, "a.yaml", base);
	plain = load(s.directory);
	extra[0] = scratch_add(&s, "extra", more);
	both = catalogue_load(s.directory, extra, 1, error, sizeof(error));
	scratch_remove(&s);
	assert_string_equal(error, "");
	assert_int_equal(catalogue_by_host(both, "mail.a.example")->role, ROLE_RELAY);
	assert_string_equal(catalogue_by_host(both, "mail.a.example")->source, "mine, 2026-05-06");
	assert_null(catalogue_by_host(both, "old.a.example"));
	assert_null(catalogue_by_asn(both, 64500, NULL, &also));
	assert_string_equal(id_of(catalogue_by_host(both, "web.a.example")), "b/own");
	assert_string_equal(id_of(catalogue_by_host(both, "b.example")), "b/own");
	address_of("198.51.100.1", address);
	assert_string_equal(id_of(catalogue_by_address(both, address, &also)), "b/own");
	assert_false(also);
	address_of("192.0.2.1", address);
	assert_null(catalogue_by_address(both, address, &also));
	assert_int_equal(strlen(catalogue_version(plain)), 64);
	assert_string_not_equal(catalogue_version(plain), catalogue_version(both));
	catalogue_free(&plain);
	catalogue_free(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_fit_at_label_boundaries_and_the_longest_wins),
		cmocka_unit_test(a_host_row_may_be_surer_than_its_service),
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(an_as_number_of_two_owners_says_so),
		cmocka_unit_test(errors_name_the_file_and_the_line),
		cmocka_unit_test(a_directory_without_files_is_an_error),
		cmocka_unit_test(what_is_added_overrides_what_is_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

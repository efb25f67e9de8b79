#include "tests/test.h"

#include "classify/owner.h"

#include <arpa/inet.h>
#include <unistd.h>

struct fixture {
	struct catalogue *catalogue;
	struct asn *asn;
	struct owner_finder *finder;
};

static int set_up(void **state)
{
	static struct fixture f;
	char error[512] = "";

	f.catalogue = catalogue_load("classify/catalogue", NULL, 0, error, sizeof(error));
	if (f.catalogue == NULL)
		fail_msg("%s", error);
	f.asn = asn_open("classify/asn.mmdb", "classify", error, sizeof(error));
	if (f.asn == NULL)
		fail_msg("%s", error);
	f.finder = owner_finder_new(f.catalogue, f.asn);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	owner_finder_free(&f->finder);
	asn_close(&f->asn);
	catalogue_free(&f->catalogue);
	return 0;
}

static void address_of(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET6, text, out) != 1) {
		out[10] = out[11] = 0xff;
		assert_int_equal(inet_pton(AF_INET, text, out + 12), 1);
	}
}

#define ANYWHERE "203.0.113.7"		/* in no AS, in no prefix of the catalogue */
#define EXCHANGE "52.97.1.2"
#define RESIDENTIAL "2003:e0::1"

static void the_best_evidence_names_the_owner(void **state)
{
	static const struct {
		const char *title;
		struct {
			const char *certificate, *sni, *dns, *canonical, *address;
		} e;
		const char *owner, *service;
		enum owner_role role;
		enum named_by by;
		enum strength strength;
		bool ambiguous;
	} cases[] = {
		{ "SNI and prefix agree", { "", "outlook.office365.com", "", "", EXCHANGE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_SNI, STRENGTH_PROVEN, false },
		{ "SNI alone", { "", "outlook.office365.com", "", "", ANYWHERE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "SNI and another service's prefix", { "", "login.live.com", "", "", EXCHANGE },
		  "microsoft", "microsoft/identity", ROLE_VENDOR_CLOUD, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "DNS and prefix agree", { "", "", "outlook.office.com", "outlook.ms-acdc.example", EXCHANGE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_DNS, STRENGTH_PROVEN, false },
		{ "DNS alone", { "", "", "imap.gmx.net", "imap.gmx.net", ANYWHERE },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_DNS, STRENGTH_STRONG, false },
		{ "SNI before DNS", { "", "imap.gmx.net", "outlook.office.com", "", ANYWHERE },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "a certificate before SNI", { "imap.web.de", "imap.gmx.net", "imap.gmx.net", "", ANYWHERE },
		  "web-de", "web-de/mail", ROLE_MAIL_PROVIDER, NAMED_BY_CERTIFICATE, STRENGTH_STRONG, false },
		{ "a wildcard certificate", { "*.gmx.net", "", "", "", ANYWHERE },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_CERTIFICATE, STRENGTH_STRONG, false },
		{ "prefix alone", { "", "", "", "", EXCHANGE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_PREFIX, STRENGTH_STRONG, false },
		{ "prefix alone, of mobile's fetchers", { "", "", "", "", "52.125.128.18" },
		  "microsoft", "microsoft/outlook-mobile", ROLE_RELAY, NAMED_BY_PREFIX, STRENGTH_STRONG, false },
		{ "prefix behind NAT64", { "", "", "", "", "64:ff9b::3461:102" },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_PREFIX, STRENGTH_STRONG, false },
		{ "Azure by AS number is not Exchange", { "", "", "", "", "20.50.2.3" },
		  "as8075", "", ROLE_UNNAMED, NAMED_BY_ASN, STRENGTH_SUSPECTED, true },
		{ "four mail providers share an AS", { "", "", "", "", "212.227.17.190" },
		  "as8560", "", ROLE_UNNAMED, NAMED_BY_ASN, STRENGTH_SUSPECTED, true },
		{ "a name decides in a shared AS", { "", "imap.gmx.net", "", "", "212.227.17.190" },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "an AS of one owner", { "", "", "", "", "103.168.172.44" },
		  "fastmail", "", ROLE_UNNAMED, NAMED_BY_ASN, STRENGTH_SUSPECTED, false },
		{ "an AS of home users", { "", "", "", "", RESIDENTIAL },
		  "as3320", "", ROLE_ACCESS, NAMED_BY_ASN, STRENGTH_SUSPECTED, true },
		{ "nothing is known", { "", "", "", "", ANYWHERE },
		  "unknown", "", ROLE_UNNAMED, NAMED_BY_NOTHING, STRENGTH_NONE, false },
		{ "an unknown name is its domain's", { "", "imap.kanzlei-weber.example", "", "", ANYWHERE },
		  "kanzlei-weber.example", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "... whoever hosts it", { "", "imap.kanzlei-weber.example", "imap.kanzlei-weber.example",
		    "mail.your-server.de", "88.198.1.1" },
		  "kanzlei-weber.example", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "... or carries it", { "", "www.zeitung.example", "www.zeitung.example", "d1.cloudfront.net",
		    "104.16.1.1" },
		  "zeitung.example", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "public suffixes of two labels", { "", "a.b.kanzlei.co.uk", "", "", ANYWHERE },
		  "kanzlei.co.uk", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "a vanity name in a mail service's prefix", { "", "autodiscover.kanzlei.example", "", "", EXCHANGE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_PREFIX, STRENGTH_STRONG, false },
		{ "a vanity name with an alias", { "", "autodiscover.kanzlei.example", "autodiscover.kanzlei.example",
		    "autodiscover.outlook.com", ANYWHERE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_DNS, STRENGTH_STRONG, false },
		{ "... and a prefix", { "", "", "Autodiscover.kanzlei.example.", "autodiscover.outlook.com", EXCHANGE },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_DNS, STRENGTH_PROVEN, false },
		{ "another name's alias is not its own", { "", "www.zeitung.example", "autodiscover.kanzlei.example",
		    "autodiscover.outlook.com", ANYWHERE },
		  "zeitung.example", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "a vanity name in a prefix of no mail", { "", "sso.kanzlei.example", "", "", "40.126.32.1" },
		  "kanzlei.example", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "an address is no name", { "", "52.114.250.152", "", "", ANYWHERE },
		  "unknown", "", ROLE_UNNAMED, NAMED_BY_NOTHING, STRENGTH_NONE, false },
		{ "a local address", { "", "", "", "", "192.168.1.20" },
		  "local", "", ROLE_LOCAL, NAMED_BY_NOTHING, STRENGTH_NONE, false },
		{ "one's own server on the LAN", { "", "imap.kanzlei-weber.example", "", "", "192.168.1.20" },
		  "kanzlei-weber.example", "", ROLE_LOCAL, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "a proxy on the LAN is still whose name it is asked for",
		  { "", "outlook.office.com", "", "", "192.168.1.20" },
		  "microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "a filter's local answer", { "", "", "outlook.office.com", "", "192.168.1.20" },
		  "office.com", "", ROLE_LOCAL, NAMED_BY_DNS, STRENGTH_STRONG, false },
		{ "a filter's local answer for a vanity name", { "", "", "autodiscover.kanzlei.example",
		    "autodiscover.outlook.com", "192.168.1.20" },
		  "kanzlei.example", "", ROLE_LOCAL, NAMED_BY_DNS, STRENGTH_STRONG, false },
		{ "mDNS names are their own", { "", "nas.flat.local", "", "", "192.168.1.20" },
		  "nas.flat.local", "", ROLE_LOCAL, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "a provider's name at a vendor's mail server", { "", "imap.gmx.net", "", "", EXCHANGE },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_SNI, STRENGTH_SUSPECTED, true },
		{ "... by DNS", { "", "", "imap.gmx.net", "imap.gmx.net", EXCHANGE },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_DNS, STRENGTH_SUSPECTED, true },
		{ "... which a certificate proves", { "imap.gmx.net", "", "", "", EXCHANGE },
		  "gmx", "gmx/mail", ROLE_MAIL_PROVIDER, NAMED_BY_CERTIFICATE, STRENGTH_STRONG, false },
		{ "a dot before a name is no name", { "", ".imap.gmx.net", "", "", ANYWHERE },
		  "unknown", "", ROLE_UNNAMED, NAMED_BY_NOTHING, STRENGTH_NONE, false },
		{ "nor are two behind it", { "", "imap.gmx.net..", "", "", ANYWHERE },
		  "unknown", "", ROLE_UNNAMED, NAMED_BY_NOTHING, STRENGTH_NONE, false },
		{ "nor two in it", { "", "imap..gmx.net", "", "", ANYWHERE },
		  "unknown", "", ROLE_UNNAMED, NAMED_BY_NOTHING, STRENGTH_NONE, false },
		{ "a single label is no catalogue id", { "", "posteo", "", "", ANYWHERE },
		  "posteo.", "", ROLE_OTHER, NAMED_BY_SNI, STRENGTH_STRONG, false },
		{ "reverse names are their own", { "", "", "7.113.0.203.in-addr.arpa", "", ANYWHERE },
		  "7.113.0.203.in-addr.arpa", "", ROLE_OTHER, NAMED_BY_DNS, STRENGTH_STRONG, false },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct owner_evidence e = {
			.certificate = cases[i].e.certificate,
			.sni = cases[i].e.sni,
			.dns_name = cases[i].e.dns,
			.dns_canonical = cases[i].e.canonical,
		};
		struct owner_tag tag;

		address_of(cases[i].e.address, e.address);
		owner_tag(f->finder, &e, &tag);
		if (strcmp(tag.owner, cases[i].owner) != 0 || strcmp(tag.service, cases[i].service) != 0 ||
		    tag.role != cases[i].role || tag.named_by != cases[i].by ||
		    tag.strength != cases[i].strength || tag.ambiguous != cases[i].ambiguous)
			fail_msg("%s: got %s %s role %d by %d strength %d ambiguous %d", cases[i].title, tag.owner,
				 tag.service, tag.role, tag.named_by, tag.strength, tag.ambiguous);
		assert_true(tag.title[0] != '\0');
		assert_int_equal(tag.source[0] != '\0', tag.service[0] != '\0' || strcmp(tag.owner, "fastmail") == 0);
	}
}

static void the_deciding_name_is_kept_clean(void **state)
{
	const struct fixture *f = *state;
	struct owner_evidence e = { .sni = "Autodiscover.Kanzlei.EXAMPLE.", .quic = true, .dns_name = "",
				    .dns_canonical = "", .certificate = "" };
	struct owner_tag tag;

	address_of(EXCHANGE, e.address);
	owner_tag(f->finder, &e, &tag);
	assert_string_equal(tag.name, "autodiscover.kanzlei.example");
	assert_int_equal(tag.asn, 8075);
	assert_string_equal(tag.as_org, "Microsoft Corporation");
	address_of(ANYWHERE, e.address);
	owner_tag(f->finder, &e, &tag);
	assert_int_equal(tag.named_by, NAMED_BY_QUIC_SNI);
	e.sni = "192.0.2.1";
	owner_tag(f->finder, &e, &tag);
	assert_string_equal(tag.name, "");
	e.sni = "dns.google";
	owner_tag(f->finder, &e, &tag);
	assert_true(tag.resolver);
	e.sni = "prod.autodetect.outlook.cloud.microsoft";
	owner_tag(f->finder, &e, &tag);
	assert_true(tag.setup);
	assert_int_equal(tag.relay, RELAY_REPORTED);
}

static void long_hostile_names_fit_and_are_nobody_elses(void **state)
{
	const struct fixture *f = *state;
	char name[300];
	struct owner_evidence e = { .sni = name, .dns_name = "", .dns_canonical = "", .certificate = "" };
	struct owner_tag tag;

	address_of(ANYWHERE, e.address);
	for (size_t n = 1; n < sizeof(name); n++) {
		memset(name, 'a', n);
		name[n] = '\0';
		if (n > 8)
			memcpy(name + n - 8, ".gmx.net", 8);
		owner_tag(f->finder, &e, &tag);
		assert_string_equal(tag.owner, n >= FACT_NAME_SIZE ? "unknown" : n > 8 ? "gmx" : tag.owner);
		if (n > 8)
			memcpy(name + n - 8, "xgmx.net", 8);
		owner_tag(f->finder, &e, &tag);
		assert_string_not_equal(tag.owner, "gmx");
		assert_true(strlen(tag.owner) < sizeof(tag.owner));
	}
}

static void long_domains_stay_apart(void **state)
{
	static const char label[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const struct fixture *f = *state;
	char one[FACT_NAME_SIZE], other[FACT_NAME_SIZE], owner_of_one[64], owner_of_other[64];

	snprintf(one, sizeof(one), "%s.example", label);
	snprintf(other, sizeof(other), "%s.invalid", label);
	assert_true(owner_resolve(f->finder, one, owner_of_one));
	assert_true(owner_resolve(f->finder, other, owner_of_other));
	assert_string_not_equal(owner_of_one, owner_of_other);
}

static void a_prefix_that_several_share_is_ambiguous(void **state)
{
	static const char text[] =
		"- id: a\n  name: A\n  source: s\n  date: 2026-01-02\n  services:\n"
		"    - { id: a/cdn, role: cdn, shared: true, prefixes: [198.51.100.0/24] }\n"
		"    - { id: a/mail, role: mail-service, prefixes: [192.0.2.0/24] }\n"
		"- id: b\n  name: B\n  source: s\n  date: 2026-01-02\n  services:\n"
		"    - { id: b/mail, role: mail-service, prefixes: [192.0.2.0/24, 203.0.113.0/24] }\n";
	static const struct {
		const char *address;
		bool ambiguous;
	} cases[] = { { "198.51.100.1", true }, { "192.0.2.1", true }, { "203.0.113.1", false } };
	char path[] = "/tmp/mailwitness-test-XXXXXX", error[256] = "";
	const char *extra[] = { path };
	int fd = mkstemp(path);
	struct catalogue *c;
	struct owner_finder *finder;

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	c = catalogue_load("classify/catalogue", extra, 1, error, sizeof(error));
	unlink(path);
	assert_string_equal(error, "");
	finder = owner_finder_new(c, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct owner_evidence e = { .sni = "", .dns_name = "", .dns_canonical = "", .certificate = "" };
		struct owner_tag tag;

		address_of(cases[i].address, e.address);
		owner_tag(finder, &e, &tag);
		assert_int_equal(tag.named_by, NAMED_BY_PREFIX);
		assert_int_equal(tag.ambiguous, cases[i].ambiguous);
		e.sni = "mail.kanzlei.example";		/* a vanity name is not settled by a shared prefix */
		owner_tag(finder, &e, &tag);
		assert_string_equal(tag.owner, cases[i].ambiguous ? "kanzlei.example" : "b");
		assert_false(tag.ambiguous);
	}
	owner_finder_free(&finder);
	catalogue_free(&c);
}

static void addresses_that_are_not_the_internet_are_local(void **state)
{
	static const char *const local[] = {
		"0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
		"169.254.1.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "224.0.0.251", "239.1.2.3",
		"255.255.255.255", "::", "::1", "fe80::1", "febf::1", "fc00::1", "fdff::1", "ff02::fb",
	};
	static const char *const global[] = {
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
		"192.169.0.0", "223.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "::2", "2001:db8::1",
		"64:ff9b::1", "fbff::1", "fe7f::1",
	};
	uint8_t address[16];

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		address_of(local[i], address);
		if (!owner_address_local(address))
			fail_msg("%s", local[i]);
	}
	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++) {
		address_of(global[i], address);
		if (owner_address_local(address))
			fail_msg("%s", global[i]);
	}
}

static void a_users_word_is_an_id_or_a_domain(void **state)
{
	static const struct {
		const char *word, *want;	/* NULL: it is neither */
	} cases[] = {
		{ "mailbox-org", "mailbox-org" }, { "gmx.net", "gmx" }, { "GMX.net", "gmx" },
		{ "weber@gmx.net", "gmx" }, { "outlook.com", "microsoft" }, { "hotmail.com", "microsoft" },
		{ "gmail.com", "google" }, { "mail.gmx.net.", "gmx" }, { "posteo.de", "posteo" },
		{ "kanzlei-weber.example", "kanzlei-weber.example" },
		{ "imap.kanzlei-weber.example", "kanzlei-weber.example" }, { "nobody", NULL }, { "", NULL },
		{ ".", NULL }, { "a..b", NULL }, { "a b.example", NULL }, { "192.0.2.1", NULL }, { "2001:db8::1", NULL },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char owner[64] = "untouched";
		bool found = owner_resolve(f->finder, cases[i].word, owner);

		if (found != (cases[i].want != NULL) || strcmp(owner, found ? cases[i].want : "untouched") != 0)
			fail_msg("'%s': got %d '%s'", cases[i].word, found, owner);
	}
}

static void an_owner_may_be_at_what_is_listed_for_it(void **state)
{
	static const struct { const char *owner, *address; bool may; } cases[] = {
		{ "strato", "81.169.145.103", true },	/* an AS that is shared with customers */
		{ "gmx", "212.227.15.188", true },	/* and one of several owners */
		{ "ionos", "212.227.15.188", true },
		{ "strato", "212.227.15.188", false },
		{ "microsoft", "52.98.10.2", true },	/* a prefix */
		{ "gmx", "52.98.10.2", false },
		{ "gmx", "192.168.1.1", false },
		{ "", "81.169.145.103", false },
	};
	const struct fixture *f = *state;
	struct owner_book book = owner_book_of(f->finder);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t at[16];

		address_of(cases[i].address, at);
		if (book.may_be_at(book.context, cases[i].owner, at) != cases[i].may)
			fail_msg("%s at %s", cases[i].owner, cases[i].address);
	}
}

static void the_book_says_what_it_was_made_from(void **state)
{
	const struct fixture *f = *state;
	struct owner_book book = owner_book_of(f->finder);
	struct owner_finder *bare = owner_finder_new(f->catalogue, NULL);
	struct owner_evidence e = { .sni = "imap.gmx.net", .dns_name = "", .dns_canonical = "", .certificate = "" };
	struct owner_tag tag;
	char owner[64];

	book.tag(book.context, &e, &tag);
	assert_string_equal(tag.owner, "gmx");
	assert_true(book.resolve(book.context, "posteo", owner));
	assert_string_equal(book.version, catalogue_version(f->catalogue));
	assert_non_null(strstr(book.asn_database, "ASN 2026-06-17 (classify/asn.mmdb)"));
	assert_non_null(strstr(book.attribution, "DB-IP"));
	book = owner_book_of(bare);
	address_of("52.97.1.2", e.address);
	book.tag(book.context, &e, &tag);
	assert_int_equal(tag.asn, 0);
	assert_string_equal(book.attribution, "");
	owner_finder_free(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_evidence_names_the_owner),
		cmocka_unit_test(the_deciding_name_is_kept_clean),
		cmocka_unit_test(long_hostile_names_fit_and_are_nobody_elses),
		cmocka_unit_test(long_domains_stay_apart),
		cmocka_unit_test(a_prefix_that_several_share_is_ambiguous),
		cmocka_unit_test(addresses_that_are_not_the_internet_are_local),
		cmocka_unit_test(a_users_word_is_an_id_or_a_domain),
		cmocka_unit_test(an_owner_may_be_at_what_is_listed_for_it),
		cmocka_unit_test(the_book_says_what_it_was_made_from),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "tests/case.h"

#include <unistd.h>

static void load(struct policy *p, const char *yaml, bool want, const char *error_end)
{
	char path[] = "/tmp/mailwitness-policy-XXXXXX", error[512] = "";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	if (policy_load(p, path, error, sizeof(error)) != want)
		fail_msg("%s: %s", yaml, error);
	if (!want && (strncmp(error, path, strlen(path)) != 0 ||
		      strncmp(error + strlen(path), error_end, strlen(error_end)) != 0))
		fail_msg("%s: %s", yaml, error);
	unlink(path);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), e = strlen(end);

	return n >= e && strcmp(text + n - e, end) == 0;
}

static void mistakes_are_told_with_file_and_line(void **state)
{
	static const struct { const char *yaml, *error; } cases[] = {
		{ "home:\n  - 192.168.1.0/33\n", ":2: 192.168.1.0/33 is no address" },
		{ "home: [nowhere]\n", ":1: nowhere is no address" },
		{ "hom: [10.0.0.0/8]\n", ":1: Unexpected key: hom" },
		{ "home: 10.0.0.0/8\n", ":1: " },
		{ "clients:\n  - address: 10.0.0.1\n", ":2: Missing required mapping field: providers" },
		{ "clients:\n  - address: x\n    providers: [a.test]\n", ":2: x is no address" },
		{ "mail_servers:\n\n  - 10.0.0.1/-1\n", ":3: 10.0.0.1/-1 is no address" },
		{ "home: [\n", ":1: libyaml" },
		{ "expected:\n  - a.test\n  - 10.0.0.0/33\n", ":3: 10.0.0.0/33 is no address" },
		{ "expected: [10.0.0]\n", ":1: 10.0.0 is no address" },
		{ "expected: ['2001:db8']\n", ":1: 2001:db8 is no address" },
		{ "mta_sts:\n  - domain: a.test\n", ":2: Missing required mapping field: mode" },
		{ "mta_sts:\n  - domain: a.test\n    mode: strict\n", ":3: strict is no MTA-STS mode" },
		{ "mta_sts:\n  - domain: a.test\n    mode: enforce\n", ":2: a.test has an MTA-STS policy without mx" },
		{ "mta_sts:\n  - domain: atest\n    mode: none\n", ":2: atest is no domain" },
		{ "mta_sts:\n  - domain: a..test\n    mode: none\n", ":2: a..test is no domain" },
		{ "mta_sts:\n  - domain: a.test\n    mode: testing\n    mx: [b.test,\n      'mx.*.test']\n",
		  ":5: mx.*.test is no host name" },
		{ "notify:\n  - to: ftp://a.test\n", ":2: ftp://a.test is neither syslog nor" },
		{ "notify:\n  - to: http://a.test/hook\n", ":2: http://a.test/hook is neither syslog nor" },
		{ "notify:\n  - to: http://127.0.0.1:80@a.test/\n", ":2: http://127.0.0.1:80@a.test/ is neither syslog nor" },
		{ "notify:\n  - to: http://127.0.0.1:x@a.test/\n", ":2: http://127.0.0.1:x@a.test/ is neither syslog nor" },
		{ "notify:\n  - to: https://\n", ":2: https:// is neither syslog nor" },
		{ "notify:\n  - classes: [leak]\n", ":2: Missing required mapping field: to" },
		{ "notify:\n  - to: syslog\n    classes: [leak, all]\n", ":3: all is no class" },
		{ "notify:\n  - to: syslog\n    strength: sure\n", ":3: sure is no strength" },
		{ "notify:\n  - to: syslog\n    suppress_for: 10\n", ":3: 10 is no time" },
		{ "notify:\n  - to: syslog\n    suppress_for: 400d\n", ":3: 400d is no time" },
		{ "notify:\n  - to: syslog\n    suppress_for: h\n", ":3: h is no time" },
		{ "mta_sts:\n  - { domain: a.test, mode: none }\n  - { domain: A.test, mode: none }\n",
		  ":3: A.test has two MTA-STS policies" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = policy_new();

		load(p, cases[i].yaml, false, cases[i].error);
		policy_free(&p);
	}
}

static bool asks(bool (*question)(const struct policy *, const uint8_t *), const struct policy *p,
		 const char *text)
{
	uint8_t a[16];

	address(text, a);
	return question(p, a);
}

static void home_is_private_unless_said_otherwise(void **state)
{
	static const struct { const char *address; bool home; } cases[] = {
		{ "10.0.0.0", true }, { "11.0.0.0", false }, { "172.16.0.1", true }, { "172.31.255.255", true },
		{ "172.32.0.0", false }, { "172.15.255.255", false }, { "192.168.255.1", true },
		{ "192.169.0.0", false }, { "169.254.1.1", true }, { "127.0.0.1", true }, { "100.64.0.1", true },
		{ "100.128.0.0", false }, { "fc00::1", true }, { "fdff::1", true }, { "fe00::1", false },
		{ "fe80::1", true }, { "febf::1", true }, { "fec0::1", false }, { "::1", true },
		{ "2001:db8::1", false }, { "8.8.8.8", false },
	};
	struct policy *p = policy_new();

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (asks(policy_home, p, cases[i].address) != cases[i].home)
			fail_msg("%s", cases[i].address);
	}
	load(p, "home: [2001:db8::/33, 198.51.100.7]\nmail_servers: [203.0.113.5]\n", true, NULL);
	assert_true(asks(policy_home, p, "203.0.113.5"));
	assert_true(asks(policy_home, p, "2001:db8:7fff::1"));
	assert_false(asks(policy_home, p, "2001:db8:8000::1"));
	assert_true(asks(policy_home, p, "198.51.100.7"));
	assert_false(asks(policy_home, p, "198.51.100.6"));
	assert_false(asks(policy_home, p, "192.168.1.1"));
	policy_free(&p);
}

static void a_clients_own_line_goes_before_everyones(void **state)
{
	struct policy *p = policy_new();
	const struct policy_word *words;
	char error[128];
	uint8_t a[16];

	(void)state;
	load(p, "providers: [one.test]\nclients:\n  - address: 192.168.1.7\n    providers: [two.test, three.test]\n"
		"expected: [198.51.100.0/24, four.test, '2001:db8::25']\nmail_servers: [192.168.1.2]\n", true, NULL);
	assert_true(policy_provider(p, "five.test", error, sizeof(error)));
	assert_false(policy_provider(p, "", error, sizeof(error)));
	address("192.168.1.7", a);
	assert_int_equal(policy_providers(p, a, &words), 2);
	assert_string_equal(words[0].word, "two.test");
	assert_string_equal(strrchr(words[1].where, ':'), ":4");
	address("192.168.1.8", a);
	assert_int_equal(policy_providers(p, a, &words), 2);
	assert_string_equal(words[0].word, "one.test");
	assert_string_equal(words[1].where, "--provider");
	assert_int_equal(policy_expected(p, &words), 1);
	assert_string_equal(words[0].word, "four.test");
	assert_true(asks(policy_expected_address, p, "198.51.100.0"));
	assert_true(asks(policy_expected_address, p, "2001:db8::25"));
	assert_false(asks(policy_expected_address, p, "198.51.101.0"));
	assert_true(asks(policy_mail_server, p, "192.168.1.2"));
	assert_false(asks(policy_mail_server, p, "192.168.1.3"));
	policy_free(&p);
}

static void clients_are_all_unless_some_are_named(void **state)
{
	struct policy *p = policy_new();
	char error[128];

	(void)state;
	assert_true(asks(policy_wants, p, "192.0.2.1"));
	assert_false(policy_client(p, "192.0.2.0/", error, sizeof(error)));
	assert_non_null(strstr(error, "--client: 192.0.2.0/"));
	assert_true(policy_client(p, "192.0.2.0/25", error, sizeof(error)));
	assert_true(asks(policy_wants, p, "192.0.2.127"));
	assert_false(asks(policy_wants, p, "192.0.2.128"));
	policy_free(&p);
}

static void who_is_notified_is_as_it_was_given(void **state)
{
	const struct policy_notify *to;
	struct policy *p = policy_new();

	(void)state;
	load(p, "notify:\n  - to: syslog://[2001:db8::1]:1514\n    classes: [leak, weak]\n    strength: strong\n"
	     "    suppress_for: 2h\n  - to: https://a.test/x\n    secret_file: /k\n", true, "");
	assert_int_equal(policy_notify(p, &to), 2);
	assert_string_equal(to[0].to, "syslog://[2001:db8::1]:1514");
	assert_int_equal(to[0].class_count, 2);
	assert_string_equal(to[0].classes[1], "weak");
	assert_int_equal(to[0].least, STRENGTH_STRONG);
	assert_int_equal(to[0].suppress_s, 7200);
	assert_null(to[0].secret_file);
	assert_string_equal(to[1].secret_file, "/k");
	assert_int_equal(to[1].class_count, 0);
	assert_int_equal(to[1].least, STRENGTH_SUSPECTED);
	assert_int_equal(to[1].suppress_s, POLICY_SUPPRESS_S);
	policy_free(&p);
}

static void a_domains_mta_sts_policy_is_as_it_was_given(void **state)
{
	struct policy *p = policy_new();
	const struct policy_sts *sts;

	(void)state;
	assert_int_equal(policy_sts(p, &sts), 0);
	load(p, "mta_sts:\n  - domain: a.test\n    mode: enforce\n    mx: [mx.a.test, '*.mx.a.test']\n"
		"  - domain: b.test\n    mode: none\n", true, NULL);
	assert_int_equal(policy_sts(p, &sts), 2);
	assert_string_equal(sts[0].domain, "a.test");
	assert_string_equal(sts[0].mode, "enforce");
	assert_int_equal(sts[0].mx_count, 2);
	assert_string_equal(sts[0].mx[1], "*.mx.a.test");
	assert_string_equal(sts[1].mode, "none");
	assert_int_equal(sts[1].mx_count, 0);
	policy_free(&p);
}

/* Which of the words is not known, and where it stood; "" is none. */
static void an_unknown_owner_is_told_wherever_it_stands(void **state)
{
	static const struct { const char *yaml, *error_end; } cases[] = {
		{ "providers: [provider]\nexpected: [a.test]\n", "" },
		{ "providers: [provider]\nexpected: [nobody]\n", ":2: nobody is no owner of the catalogue and no domain" },
		{ "providers: [nobody]\n", ":1: nobody is no owner of the catalogue and no domain" },
		{ "clients:\n  - { address: 10.0.0.1, providers: [big] }\n  - { address: 10.0.0.2, providers: [nobody] }\n",
		  ":3: nobody is no owner of the catalogue and no domain" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = policy_new();
		char error[256] = "";

		load(p, cases[i].yaml, true, NULL);
		assert_int_equal(policy_resolve(p, &small_book, error, sizeof(error)), cases[i].error_end[0] == '\0');
		assert_true(ends_with(error, cases[i].error_end));
		policy_free(&p);
	}
}

static void an_empty_file_is_an_empty_policy(void **state)
{
	struct policy *p = policy_new();

	(void)state;
	load(p, "", true, NULL);
	load(p, "# nothing\n", true, NULL);
	policy_free(&p);
}

static void a_missing_file_is_told(void **state)
{
	struct policy *p = policy_new();
	char error[128];

	(void)state;
	assert_false(policy_load(p, "/nonexistent/mailwitness.yaml", error, sizeof(error)));
	assert_string_equal(error, "/nonexistent/mailwitness.yaml: Could not open file");
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_told_with_file_and_line),
		cmocka_unit_test(home_is_private_unless_said_otherwise),
		cmocka_unit_test(a_clients_own_line_goes_before_everyones),
		cmocka_unit_test(clients_are_all_unless_some_are_named),
		cmocka_unit_test(who_is_notified_is_as_it_was_given),
		cmocka_unit_test(a_domains_mta_sts_policy_is_as_it_was_given),
		cmocka_unit_test(an_unknown_owner_is_told_wherever_it_stands),
		cmocka_unit_test(an_empty_file_is_an_empty_policy),
		cmocka_unit_test(a_missing_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

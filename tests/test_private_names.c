#include "tests/test.h"

#include "door/private_names.h"

#define V4 "nameserver " PRIVATE_NAMES_IPV4 "\n"
#define V6 "nameserver " PRIVATE_NAMES_IPV6 "\n"

static const struct {
	const char *name, *outside, *inside;
	bool ipv4, ipv6;
} cases[] = {
	{ "nothing", "", "", false, false },
	{ "a resolver on the network", "nameserver 192.168.178.1\n", "nameserver 192.168.178.1\n", false, false },
	{ "one on a loopback", "nameserver 127.0.0.53\n", V4, true, false },
	{ "any of that network", "nameserver 127.1.2.3\n", V4, true, false },
	{ "the network beside it", "nameserver 128.0.0.1\n", "nameserver 128.0.0.1\n", false, false },
	{ "IPv6", "nameserver ::1\n", V6, false, true },
	{ "IPv6 that is none", "nameserver ::2\n", "nameserver ::2\n", false, false },
	{ "one of each", "nameserver 127.0.0.1\nnameserver ::1\n", V4 V6, true, true },
	{ "two, of which pasta asks the first", "nameserver 127.0.0.1\nnameserver 127.0.0.53\n", V4 V4, true, false },
	{ "and one on the network behind it", "nameserver 127.0.0.53\nnameserver 192.0.2.1\n",
	  V4 "nameserver 192.0.2.1\n", true, false },
	{ "pasta asks the one on the network: it is asked itself", "nameserver 192.0.2.1\nnameserver 127.0.0.53\n",
	  "nameserver 192.0.2.1\nnameserver 127.0.0.53\n", false, false },
	{ "each version has its own first", "nameserver 192.0.2.1\nnameserver ::1\n", "nameserver 192.0.2.1\n" V6,
	  false, true },
	{ "a tab, and no end of the line", "nameserver\t127.0.0.53", V4, true, false },
	{ "what else stands there", "# nameserver 127.0.0.1\nsearch kanzlei.test\nnameserver 127.0.0.53\noptions edns0\n",
	  "# nameserver 127.0.0.1\nsearch kanzlei.test\n" V4 "options edns0\n", true, false },
	{ "no address", "nameserver localhost\n", "nameserver localhost\n", false, false },
	{ "no word behind it", "nameserver\n\n", "nameserver\n\n", false, false },
};

static void only_resolvers_on_a_loopback_that_pasta_asks_are_replaced(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct private_names names = private_names_of(cases[i].outside);

		if (strcmp(names.resolvers, cases[i].inside) != 0 || names.ipv4 != cases[i].ipv4 || names.ipv6 != cases[i].ipv6)
			fail_msg("%s: got %d %d %s", cases[i].name, names.ipv4, names.ipv6, names.resolvers);
		private_names_free(&names);
		assert_null(names.resolvers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_resolvers_on_a_loopback_that_pasta_asks_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/test.h"

#include "capture/steady.h"

#define S 1000000000LL

/* Times as they are stamped, and as they are to be. */
static void time_does_not_go_back_whatever_the_clock_does(void **state)
{
	static const struct {
		const char *name;
		int64_t stamped[5], wanted[5];
	} cases[] = {
		{ "a clock that goes", { 10 * S, 11 * S, 12 * S, 13 * S, 14 * S }, { 10 * S, 11 * S, 12 * S, 13 * S, 14 * S } },
		{ "neighbours out of order", { 10 * S, 11 * S, 10 * S, 9 * S, 12 * S }, { 10 * S, 11 * S, 10 * S, 9 * S, 12 * S } },
		{ "set forward", { 10 * S, 11 * S, 900 * S, 901 * S, 902 * S }, { 10 * S, 11 * S, 900 * S, 901 * S, 902 * S } },
		{ "set back", { 900 * S, 901 * S, 10 * S, 11 * S, 12 * S }, { 900 * S, 901 * S, 901 * S, 902 * S, 903 * S } },
		{ "set forward and back again", { 10 * S, 900 * S, 12 * S, 13 * S, 14 * S }, { 10 * S, 900 * S, 900 * S, 901 * S, 902 * S } },
		{ "set back twice", { 900 * S, 500 * S, 501 * S, 100 * S, 101 * S }, { 900 * S, 900 * S, 901 * S, 901 * S, 902 * S } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct steady s = { 0 };

		for (int k = 0; k < 5; k++) {
			int64_t back, ns = steady_time(&s, cases[i].stamped[k], &back);

			if (ns != cases[i].wanted[k])
				fail_msg("%s: packet %d is of %lld s", cases[i].name, k, (long long)(ns / S));
		}
	}
}

static void that_it_was_set_back_is_said_once(void **state)
{
	struct steady s = { 0 };
	int64_t back;

	(void)state;
	steady_time(&s, 900 * S, &back);
	assert_int_equal(back, 0);
	steady_time(&s, 100 * S, &back);
	assert_int_equal(back, 800 * S);
	steady_time(&s, 101 * S, &back);
	assert_int_equal(back, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_does_not_go_back_whatever_the_clock_does),
		cmocka_unit_test(that_it_was_set_back_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

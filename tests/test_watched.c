#include "tests/test.h"

#include "report/judge_watched.h"

#include <stdlib.h>

#define GAP 300

struct times {
	int64_t first, last;
};

static const struct { const char *name; struct times flows[4]; unsigned count; int64_t want; } cases[] = {
	{ "never", { { 0, 0 } }, 0, 0 },
	{ "one flow", { { 1000, 1050 } }, 1, 50 },
	{ "a flow inside another", { { 1000, 1050 }, { 1010, 1020 } }, 2, 50 },
	{ "flows that overlap", { { 1000, 1050 }, { 1040, 1100 } }, 2, 100 },
	{ "a silence of the limit counts whole", { { 1000, 1050 }, { 1350, 1400 } }, 2, 400 },
	{ "of a longer one the limit counts", { { 1000, 1050 }, { 1351, 1401 } }, 2, 400 },
	{ "a flow that ends a silence", { { 0, 10 }, { 5000, 5010 }, { 200, 4900 } }, 3, 5010 },
	{ "a single instant before a silence", { { 5, 5 }, { 5000, 5000 } }, 2, GAP },
	{ "the ends of time", { { INT64_MIN, INT64_MIN }, { INT64_MAX, INT64_MAX } }, 2, GAP },
};

static int64_t watched_of(const struct times *flows, unsigned count, bool backwards)
{
	struct watched w = { 0 };
	int64_t ns;

	for (unsigned i = 0; i < count; i++) {
		const struct times *f = &flows[backwards ? count - 1 - i : i];

		watched_add(&w, GAP, f->first, f->last);
	}
	ns = watched_ns(&w, GAP);
	watched_free(&w);
	return ns;
}

static void silences_count_up_to_the_limit_whatever_the_order_of_flows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (watched_of(cases[i].flows, cases[i].count, false) != cases[i].want ||
		    watched_of(cases[i].flows, cases[i].count, true) != cases[i].want)
			fail_msg("%s", cases[i].name);
	}
}

static int by_first(const void *a, const void *b)
{
	const struct times *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Flow by flow, each from the end of all before it. */
static int64_t slow_watched(struct times *flows, unsigned count)
{
	int64_t ns = 0, until;

	qsort(flows, count, sizeof(*flows), by_first);
	until = flows[0].first;
	for (unsigned i = 0; i < count; i++) {
		int64_t silence = flows[i].first - until, from = flows[i].first > until ? flows[i].first : until;

		ns += silence > GAP ? GAP : silence > 0 ? silence : 0;
		if (flows[i].last > from)
			ns += flows[i].last - from;
		until = flows[i].last > until ? flows[i].last : until;
	}
	return ns;
}

static void random_flows_give_what_the_slow_way_gives(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		unsigned count = 1 + (unsigned)rand() % 40;
		struct times flows[40];
		int64_t ns;

		for (unsigned i = 0; i < count; i++) {
			flows[i].first = rand() % 20000;
			flows[i].last = flows[i].first + rand() % 400;
		}
		ns = watched_of(flows, count, false);
		assert_int_equal(ns, slow_watched(flows, count));
	}
}

static void endless_silences_take_bounded_memory_and_still_count(void **state)
{
	struct watched w = { 0 };

	(void)state;
	for (int64_t i = 0; i < 10000; i++)
		watched_add(&w, GAP, i * 1000, i * 1000 + 10);
	assert_true(w.size <= 1024);
	assert_int_equal(watched_ns(&w, GAP), 10000 * 10 + 9999 * GAP);
	watched_add(&w, GAP, 0, 10);	/* late, and in there already */
	assert_int_equal(watched_ns(&w, GAP), 10000 * 10 + 9999 * GAP);
	watched_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silences_count_up_to_the_limit_whatever_the_order_of_flows),
		cmocka_unit_test(random_flows_give_what_the_slow_way_gives),
		cmocka_unit_test(endless_silences_take_bounded_memory_and_still_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The flow table: found again, let go in time, never over its limit. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/flow_table.h"

static struct flow_key key_of(uint16_t port)
{
	struct host_port a = { .port = port }, b = { .port = 443 };
	struct flow_key key;

	a.addr[15] = 1;
	b.addr[15] = 2;
	flow_key_make(&key, &a, &b, 6);
	return key;
}

static uint64_t hash_of(const struct flow_key *key)
{
	struct flow_hash hash;

	flow_hash_new(&hash, 7);
	return flow_key_hash(key, &hash);
}

static struct flow *add(struct flow_table *t, uint16_t port, enum flow_pace pace, int64_t now_ns)
{
	struct flow_key key = key_of(port);
	struct flow *f = flow_table_add(t, &key, hash_of(&key));

	if (f != NULL) {
		f->last_ns = now_ns;
		flow_table_touch(t, f, pace);
	}
	return f;
}

static void every_flow_is_found_again_after_the_table_grew(void **state)
{
	struct flow_table *t = flow_table_new(10000);
	(void)state;

	for (uint16_t i = 1; i <= 5000; i++)
		assert_non_null(add(t, i, PACE_DATAGRAM, i));
	for (uint16_t i = 1; i <= 5000; i++) {
		struct flow_key key = key_of(i);
		struct flow *f = flow_table_find(t, &key, hash_of(&key));

		assert_non_null(f);
		assert_int_equal(f->last_ns, i);
	}

	struct flow_key unknown = key_of(5001);

	assert_null(flow_table_find(t, &unknown, hash_of(&unknown)));
	flow_table_free(&t);
	assert_null(t);
}

static void a_full_table_adds_nothing_until_one_is_removed(void **state)
{
	struct flow_table *t = flow_table_new(2);
	(void)state;

	assert_non_null(add(t, 1, PACE_ESTABLISHED, 1));
	assert_non_null(add(t, 2, PACE_ESTABLISHED, 2));
	assert_null(add(t, 3, PACE_ESTABLISHED, 3));
	flow_table_remove(t, flow_table_idlest(t));

	struct flow_key first = key_of(1), second = key_of(2);

	assert_null(flow_table_find(t, &first, hash_of(&first)));
	assert_non_null(flow_table_find(t, &second, hash_of(&second)));
	assert_non_null(add(t, 3, PACE_ESTABLISHED, 3));
	flow_table_free(&t);
}

static void the_idlest_is_the_one_whose_end_costs_least(void **state)
{
	struct flow_table *t = flow_table_new(10);
	struct flow *established = add(t, 1, PACE_ESTABLISHED, 1);
	struct flow *datagram = add(t, 2, PACE_DATAGRAM, 2);
	struct flow *closed = add(t, 3, PACE_CLOSED, 3);
	struct flow *older = add(t, 4, PACE_DATAGRAM, 4);
	(void)state;

	assert_ptr_equal(flow_table_idlest(t), closed);
	flow_table_remove(t, closed);
	flow_table_touch(t, datagram, PACE_DATAGRAM);
	assert_ptr_equal(flow_table_idlest(t), older);
	flow_table_remove(t, older);
	assert_ptr_equal(flow_table_idlest(t), datagram);
	flow_table_remove(t, datagram);
	assert_ptr_equal(flow_table_idlest(t), established);
	flow_table_remove(t, established);
	assert_null(flow_table_idlest(t));
	flow_table_free(&t);
}

static void memory_is_summed_and_goes_with_its_flow(void **state)
{
	struct flow_table *t = flow_table_new(10);
	struct flow *first = add(t, 1, PACE_DATAGRAM, 1), *second = add(t, 2, PACE_DATAGRAM, 2);
	(void)state;

	assert_int_equal(flow_table_memory(t), 0);
	flow_table_note_memory(t, first, 1000);
	flow_table_note_memory(t, second, 20);
	assert_int_equal(flow_table_memory(t), 1020);
	flow_table_note_memory(t, first, 300);
	assert_int_equal(flow_table_memory(t), 320);
	flow_table_remove(t, first);
	assert_int_equal(flow_table_memory(t), 20);
	add(t, 3, PACE_DATAGRAM, 3);
	assert_int_equal(flow_table_memory(t), 20);
	flow_table_free(&t);
}

static void a_flow_times_out_by_its_pace_and_not_before(void **state)
{
	static const struct {
		enum flow_pace pace;
		int64_t seconds;
	} cases[] = {
		{ PACE_CLOSED, 30 }, { PACE_HALF_OPEN, 120 }, { PACE_DATAGRAM, 300 },
		{ PACE_ESTABLISHED, 3600 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_table *t = flow_table_new(10);
		struct flow *f = add(t, 1, cases[i].pace, 1000);
		int64_t limit = 1000 + cases[i].seconds * BASE_NS_PER_S;

		assert_null(flow_table_timed_out(t, limit));
		assert_ptr_equal(flow_table_timed_out(t, limit + 1), f);
		flow_table_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flow_is_found_again_after_the_table_grew),
		cmocka_unit_test(a_full_table_adds_nothing_until_one_is_removed),
		cmocka_unit_test(the_idlest_is_the_one_whose_end_costs_least),
		cmocka_unit_test(memory_is_summed_and_goes_with_its_flow),
		cmocka_unit_test(a_flow_times_out_by_its_pace_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

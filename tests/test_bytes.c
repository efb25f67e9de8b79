/* The reader's bounds at n-1, n and n+1, and that it never forgets that it ran past the end. */
#include "tests/test.h"

#include "capture/bytes.h"

static void reads_up_to_the_end_and_not_past_it(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	(void)state;

	for (size_t len = 0; len <= sizeof(data); len++) {
		for (size_t want = 0; want <= sizeof(data); want++) {
			struct bytes b = bytes_of(data, len);
			const uint8_t *p = bytes_take(&b, want);

			assert_int_equal(b.bad, want > len);
			assert_true((p == NULL) == (want > len));
			assert_int_equal(bytes_left(&b), want > len ? 0 : len - want);
		}
	}
}

static void a_failed_read_gives_zero_and_all_later_ones_fail(void **state)
{
	static const uint8_t data[] = { 0xff, 0xff, 0xff };
	struct bytes b = bytes_of(data, sizeof(data));
	(void)state;

	assert_int_equal(bytes_u32(&b), 0);
	assert_true(b.bad);
	assert_int_equal(bytes_u8(&b), 0);
	assert_int_equal(bytes_left(&b), 0);

	struct bytes sub = bytes_sub(&b, 0);

	assert_true(sub.bad);
}

static void integers_come_in_both_orders(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct bytes b;
	(void)state;

	b = bytes_of(data, 8);
	assert_int_equal(bytes_u16(&b), 0x0102);
	assert_int_equal(bytes_u24(&b), 0x030405);
	b = bytes_of(data, 8);
	assert_int_equal(bytes_u32(&b), 0x01020304);
	b = bytes_of(data, 8);
	assert_true(bytes_u64(&b) == 0x0102030405060708ULL);
	b = bytes_of(data, 8);
	assert_int_equal(bytes_u16_le(&b), 0x0201);
	assert_int_equal(bytes_u32_le(&b), 0x06050403);
	b = bytes_of(data, 8);
	assert_true(bytes_u64_le(&b) == 0x0807060504030201ULL);
}

static void words_end_at_a_space_or_at_the_end(void **state)
{
	struct bytes b = bytes_of("a1 Login ", 9);
	struct bytes tag = bytes_word(&b), verb = bytes_word(&b), none = bytes_word(&b);
	(void)state;

	assert_true(bytes_is(&tag, "A1"));
	assert_true(bytes_is(&verb, "LOGIN"));
	assert_false(bytes_is(&verb, "LOGI"));
	assert_false(bytes_is(&verb, "LOGINS"));
	assert_true(bytes_begins(&verb, "LOG"));
	assert_int_equal(none.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_up_to_the_end_and_not_past_it),
		cmocka_unit_test(a_failed_read_gives_zero_and_all_later_ones_fail),
		cmocka_unit_test(integers_come_in_both_orders),
		cmocka_unit_test(words_end_at_a_space_or_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/test.h"

#include "report/key_set.h"

#include <stdio.h>
#include <string.h>

#define MANY 5000

static void keys_are_numbered_in_the_order_they_came_and_found_again(void **state)
{
	struct key_set *s = key_set_new();
	char key[32];

	(void)state;
	for (unsigned i = 1; i <= MANY; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_int_equal(key_set_find(s, key, strlen(key)), 0);
		assert_int_equal(key_set_add(s, key, strlen(key)), i);
		assert_int_equal(key_set_add(s, key, strlen(key)), i);
	}
	assert_int_equal(key_set_count(s), MANY);
	for (unsigned i = 1; i <= MANY; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_int_equal(key_set_find(s, key, strlen(key)), i);
		assert_memory_equal(key_set_key(s, i), key, strlen(key));
	}
	key_set_free(&s);
	assert_null(s);
}

static void a_key_is_all_its_bytes_and_its_length(void **state)
{
	static const struct { const char *bytes; size_t len; } keys[] = {
		{ "", 0 }, { "\0", 1 }, { "\0\0", 2 }, { "a", 1 }, { "a\0", 2 }, { "a\0b", 3 }, { "a\0c", 3 },
	};
	struct key_set *s = key_set_new();

	(void)state;
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(key_set_add(s, keys[i].bytes, keys[i].len), i + 1);
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(key_set_find(s, keys[i].bytes, keys[i].len), i + 1);
	assert_int_equal(key_set_find(s, "a\0b", 2), 5);
	assert_int_equal(key_set_find(s, "b", 1), 0);
	key_set_free(&s);
}

static void an_emptied_set_begins_anew(void **state)
{
	struct key_set *s = key_set_new();

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		key_set_add(s, &i, sizeof(i));
	key_set_empty(s);
	assert_int_equal(key_set_count(s), 0);
	for (uint32_t i = MANY; i-- > 0; ) {
		assert_int_equal(key_set_find(s, &i, sizeof(i)), 0);
		assert_int_equal(key_set_add(s, &i, sizeof(i)), MANY - i);
	}
	key_set_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_numbered_in_the_order_they_came_and_found_again),
		cmocka_unit_test(a_key_is_all_its_bytes_and_its_length),
		cmocka_unit_test(an_emptied_set_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

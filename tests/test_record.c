#include "tests/test.h"

#include "report/record.h"

static void a_query_that_is_held_knows_its_columns_after_the_schema_has_changed(void **state)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct record r;

	(void)state;
	assert_non_null(st);
	assert_true(record_prepare(st, "SELECT 1 AS \"a.b:time\", 'x' AS \"c:set[string]\", 2 AS _no, count(*) AS d"
				   " FROM run", &r));
	for (int i = 0; i < 3; i++) {
		char create[40];

		snprintf(create, sizeof(create), "CREATE TABLE more%d (x)", i);
		assert_true(store_exec(st, create));
		assert_true(record_next(st, &r));
		assert_true(r.there);
		assert_int_equal(r.count, 3);
		assert_string_equal(r.columns[0].field, "a.b");
		assert_string_equal(r.columns[0].kind, "time");
		assert_string_equal(r.columns[1].kind, "set[string]");
		assert_string_equal(r.columns[2].kind, "");
		assert_int_equal(r.columns[2].index, 3);
		sqlite3_reset(r.q);
	}
	record_close(&r);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_that_is_held_knows_its_columns_after_the_schema_has_changed),
	};

	/* Or what SQLite has freed is still there, and no sanitizer knows that it was. */
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

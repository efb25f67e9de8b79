/* A case that several runs write, one after the other. */
#include "tests/case.h"

#include "capture/packet.h"
#include "report/store_sql.h"

#include <unistd.h>

static struct store *temporary(void)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));

	assert_non_null(st);
	return st;
}

static bool begin(struct store *st, int64_t from_ns, unsigned *source_out)
{
	return store_run_again(st, &(struct run_info){ .scope = "mail services only", .from_ns = from_ns }, 2, source_out);
}

static void a_first_run_begins_with_source_0_and_misses_nothing(void **state)
{
	struct store *st = temporary();
	unsigned source = 9;

	(void)state;
	assert_true(begin(st, 1000, &source));
	assert_int_equal(source, 0);
	assert_int_equal(store_number(st, "SELECT count(*) FROM loss", -1), 0);
	assert_int_equal(store_number(st, "SELECT count(*) FROM watch_gap", -1), 0);
	store_close(&st);
}

/* Whatever table has the highest frame; a run that was killed may have left no source. */
static void no_frame_of_a_later_run_has_an_earlier_ones_id(void **state)
{
	static const struct { const char *left; unsigned first; } cases[] = {
		{ "INSERT INTO source VALUES (4, '', 'running', 0, '', 0, '', '', '', 0, 0, 0, 0, 0, 0, '')", 5 },
		{ "INSERT INTO name VALUES ((7 << 40) + 3, 0, 'dns', x'', x'', NULL, '', '', 0, 0, 0, '')", 8 },
		{ "INSERT INTO mail_dns VALUES ((2 << 40) + 3, 0, 0, x'', x'', '', '', '', 0, 0, 0, NULL, '')", 3 },
		{ "INSERT INTO loss VALUES ((6 << 40) + 3, 'gap', 0, 0, 0, 0, 0, 0, NULL, NULL)", 7 },
		{ "SELECT 1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *st = temporary();
		unsigned source;

		assert_true(begin(st, 1000, &source));
		assert_true(store_exec(st, cases[i].left));
		assert_true(begin(st, 2000, &source));
		if (source != cases[i].first)
			fail_msg("%s: source %u, not %u", cases[i].left, source, cases[i].first);
		store_close(&st);
	}
}

static void a_gap_is_a_loss_of_every_interface_whatever_the_clock_did(void **state)
{
	static const struct { int64_t until_ns, again_ns, gap_ns, loss_ns; } cases[] = {
		{ 5000, 9000, 4000, 5000 },
		{ 0, 9000, 8000, 1000 },	/* killed in its first second */
		{ 9000, 400, -8600, 400 },	/* the clock was set back */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *st = temporary();
		unsigned source;

		assert_true(begin(st, 1000, &source));
		assert_true(store_exec(st, "INSERT INTO source VALUES (0, '', 'running', 0, '', 0, '', '', '', 0, 0, 0, 0, 0, 0, '')"));
		assert_true(store_run_until(st, cases[i].until_ns));
		assert_true(begin(st, cases[i].again_ns, &source));
		assert_int_equal(source, 1);
		assert_int_equal(store_number(st, "SELECT count(*) FROM loss WHERE reason = 'not-watched' AND flow = 0"
			" AND frame IN (1 << 40, 2 << 40) AND src IS NULL", -1), 2);
		assert_int_equal(store_number(st, "SELECT max(time_ns) FROM loss", -1), cases[i].loss_ns);
		assert_int_equal(store_number(st, "SELECT to_ns - from_ns FROM watch_gap", -1), cases[i].gap_ns);
		assert_int_equal(store_number(st, "SELECT count(*) FROM source WHERE end = 'killed'", -1), 1);
		store_close(&st);
	}
}

static void time_up_to_which_all_is_stored_never_goes_back(void **state)
{
	struct store *st = temporary();
	unsigned source;

	(void)state;
	assert_true(begin(st, 1000, &source));
	assert_true(store_run_until(st, 5000));
	assert_true(store_run_until(st, 3000));
	assert_int_equal(store_number(st, "SELECT until_ns FROM run", -1), 5000);
	store_close(&st);
}

static void a_case_of_files_or_of_another_scope_is_not_written_on(void **state)
{
	static const struct run_info runs[] = {
		{ .scope = "mail services only" },
		{ .scope = "all traffic of this client", .from_ns = 7 },
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct store *st = temporary();
		unsigned source;

		assert_true(store_run(st, &runs[i]));
		assert_false(begin(st, 1000, &source));
		assert_non_null(strstr(store_error(st), "another kind"));
		assert_int_equal(store_number(st, "SELECT count(*) FROM run", -1), 1);
		store_close(&st);
	}
}

static void two_runs_do_not_write_one_case(void **state)
{
	char path[] = "/tmp/mailwitness-case-XXXXXX", error[256];
	int fd = mkstemp(path);
	struct store *st, *reader;

	(void)state;
	close(fd);
	st = store_create(path, error, sizeof(error));
	assert_non_null(st);
	assert_null(store_create(path, error, sizeof(error)));
	assert_non_null(strstr(error, "another run is writing it"));
	reader = store_open(path, error, sizeof(error));
	assert_non_null(reader);
	store_close(&reader);
	store_close(&st);
	st = store_create(path, error, sizeof(error));
	assert_non_null(st);
	store_close(&st);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_run_begins_with_source_0_and_misses_nothing),
		cmocka_unit_test(no_frame_of_a_later_run_has_an_earlier_ones_id),
		cmocka_unit_test(a_gap_is_a_loss_of_every_interface_whatever_the_clock_did),
		cmocka_unit_test(time_up_to_which_all_is_stored_never_goes_back),
		cmocka_unit_test(a_case_of_files_or_of_another_scope_is_not_written_on),
		cmocka_unit_test(two_runs_do_not_write_one_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

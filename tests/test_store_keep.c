/* How many packets a case holds, and which go first. */
#include "tests/case.h"

static struct store *temporary(void)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));

	assert_non_null(st);
	return st;
}

/* A flow with a packet of 1000 bytes, in two pieces. */
static void add_flow(struct store *st, unsigned source, uint64_t number, int time_s)
{
	struct fact facts[2] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		facts[i].kind = FACT_PACKET;
		facts[i].packet = (struct fact_packet){ .frame = frame_id(source, number), .flow = frame_id(source, number),
			.place = i, .time_ns = T0 + time_s * S, .wire_len = 1500, .caplen = 1000, .len = i == 0 ? 800 : 200 };
	}
	assert_true(store_add(st, facts, 2));
	assert_true(store_keep_within(st, 1000));
}

static void expect_flows(struct store *st, const char *want)
{
	char got[256] = "";

	case_ask(st, "SELECT group_concat(flow & 0xff, ' ') FROM (SELECT DISTINCT flow FROM packet ORDER BY flow)", got,
		 sizeof(got));
	assert_string_equal(got, want);
}

static void the_oldest_of_no_finding_go_first_then_the_oldest(void **state)
{
	struct store *st = temporary();

	(void)state;
	assert_true(store_keep(st, 8000));
	/* 2 is a flow of a finding, and of 3 a finding names a packet. */
	assert_true(store_exec(st, "INSERT INTO finding_flow VALUES (1, 2); INSERT INTO evidence VALUES (1, 3)"));
	for (unsigned i = 1; i <= 8; i++)
		add_flow(st, 0, i, (int)i);
	expect_flows(st, "1 2 3 4 5 6 7 8\n");
	add_flow(st, 0, 9, 9);
	expect_flows(st, "2 3 5 6 7 8 9\n");
	assert_true(store_keep(st, 4000));
	add_flow(st, 0, 10, 10);
	expect_flows(st, "2 3 10\n");
	assert_true(store_keep(st, 2500));
	add_flow(st, 0, 11, 11);
	expect_flows(st, "2 3\n");
	assert_true(store_keep(st, 1500));
	add_flow(st, 0, 12, 12);
	expect_flows(st, "3\n");
	assert_int_equal(store_number(st, "SELECT bytes FROM keep", -1), 1000);
	assert_int_equal(store_number(st, "SELECT total(length(data)) FROM packet", -1), 1000);
	assert_int_equal(store_number(st, "SELECT dropped_flows * 100000 + dropped_bytes FROM keep", -1), 1111000);
	store_close(&st);
}

/* Numbers of frames say nothing of that. */
static void of_several_interfaces_the_oldest_by_time_goes(void **state)
{
	struct store *st = temporary();

	(void)state;
	assert_true(store_keep(st, 2000));
	add_flow(st, 0, 1, 30);
	add_flow(st, 1, 2, 10);
	expect_flows(st, "1 2\n");
	add_flow(st, 1, 3, 20);
	expect_flows(st, "1\n");
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_of_no_finding_go_first_then_the_oldest),
		cmocka_unit_test(of_several_interfaces_the_oldest_by_time_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/case.h"

#include "report/store_sql.h"
#include "report/writer.h"

#include <pthread.h>
#include <unistd.h>

static struct fact_batch *batch_of(unsigned first, unsigned count)
{
	static const struct flow_case flow = { "192.168.1.10", "192.0.2.1", 993, 1, 1, .version = 0 };
	struct fact_batch *batch = base_alloc(sizeof(*batch));
	struct fact facts[3];

	for (unsigned i = 0; i < count; i++) {
		case_flow(&flow, first + i, facts);
		batch->facts[batch->count++] = facts[0];
	}
	return batch;
}

static struct fact_batch *end_batch(void)
{
	struct fact_batch *batch = base_alloc(sizeof(*batch));

	batch->facts[batch->count++].kind = FACT_END;
	return batch;
}

static struct store *temporary(void)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));

	assert_non_null(st);
	return st;
}

static const struct source_interface interface = { .link_type = 1 };

static void all_that_was_said_is_stored_and_it_ends_after_the_last_worker(void **state)
{
	struct store *st = temporary();
	struct queue *q = queue_new(64);
	struct writer *w = writer_new(st, q, 2);
	struct loss loss = { .reason = LOSS_KERNEL, .packets = 4 };
	struct source_interface copied = interface;
	struct source_end end = { .path = "a.pcap", .interface_count = 1, .interfaces = &copied };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, writer_main, w), 0);
	for (unsigned i = 0; i < 40; i++)
		queue_put(q, batch_of(1 + i * FACT_BATCH, FACT_BATCH));
	queue_put(q, end_batch());
	writer_lost(w, &loss);
	writer_source(w, 0, &end);
	copied.link_type = 99;
	queue_put(q, batch_of(1 + 40 * FACT_BATCH, 3));
	queue_put(q, end_batch());
	pthread_join(thread, NULL);
	assert_true(writer_ok(w));
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 40 * FACT_BATCH + 3);
	assert_int_equal(store_number(st, "SELECT sum(packets) FROM loss", -1), 4);
	assert_int_equal(store_number(st, "SELECT link_type FROM source_interface", -1), 1);
	writer_free(&w);
	queue_free(&q);
	store_close(&st);
}

static void when_storing_fails_it_takes_on_to_the_end_and_says_so(void **state)
{
	struct store *st = temporary();
	struct queue *q = queue_new(2);
	struct writer *w = writer_new(st, q, 1);
	pthread_t thread;

	(void)state;
	assert_true(store_exec(st, "CREATE TRIGGER full BEFORE INSERT ON flow WHEN new.id > 50000"
				   " BEGIN SELECT raise(ABORT, 'no room'); END"));
	assert_int_equal(pthread_create(&thread, NULL, writer_main, w), 0);
	for (unsigned i = 0; i < 40; i++)
		queue_put(q, batch_of(1 + i * FACT_BATCH, FACT_BATCH));
	queue_put(q, end_batch());
	pthread_join(thread, NULL);
	assert_false(writer_ok(w));
	assert_non_null(strstr(store_error(st), "no room"));
	writer_free(&w);
	queue_free(&q);
	store_close(&st);
}

/* What a live writer told. */
struct told {
	unsigned calls, fresh, paused;
	enum writer_told answer;
	int64_t flows;
	const char *between;		/* is done to the store before it is written for the third time */
	unsigned rounds;
};

static enum writer_told stored(void *context, struct store *store, bool facts)
{
	struct told *told = context;

	told->calls++;
	told->fresh += facts;
	told->paused += store_gathers(store);
	told->flows = store_number(store, "SELECT count(*) FROM flow", -1);
	return told->answer;
}

/* In the writer's thread, whose the store is. */
static void do_between(void *context, struct store *store)
{
	struct told *told = context;

	if (++told->rounds == 3)
		assert_true(store_exec(store, told->between));
}

/* Three flows, and a second later two: before these `between` is done to the store. */
static struct store *run_live(struct told *told, const char *before, const char *between, bool *ok_out)
{
	struct store *st = temporary();
	struct queue *q = queue_new(64);
	struct writer *w = writer_new(st, q, 1);
	pthread_t thread;

	assert_true(store_exec(st, before));
	told->between = between;
	writer_live(w, stored, do_between, told);
	assert_int_equal(pthread_create(&thread, NULL, writer_main, w), 0);
	queue_put(q, batch_of(1, 3));
	usleep(1600000);
	queue_put(q, batch_of(4, 0));
	usleep(1600000);
	queue_put(q, batch_of(4, 2));
	usleep(1600000);
	queue_put(q, end_batch());
	pthread_join(thread, NULL);
	*ok_out = writer_ok(w);
	writer_free(&w);
	queue_free(&q);
	return st;
}

static void a_live_writer_stores_by_the_second_and_tells_whether_there_was_anything(void **state)
{
	struct told told = { 0 };
	bool ok;
	struct store *st = run_live(&told, "", "", &ok);

	(void)state;
	assert_true(ok);
	assert_true(told.calls >= 3);
	assert_int_equal(told.fresh, 2);
	assert_int_equal(told.flows, 5);
	assert_int_equal(told.paused, 0);
	store_close(&st);
}

#define TICK_NS (BASE_NS_PER_S / 4)
/* Every transaction of facts says up to when it is. */
static const char noted[] = "INSERT INTO run VALUES (NULL, '', '', '', '', '', '', '', '', '', 0, 0);"
	"CREATE TABLE noted (until_ns); CREATE TRIGGER note AFTER UPDATE ON run BEGIN"
	" INSERT INTO noted VALUES (new.until_ns); END";

/* Takes longer than the shortest time between two transactions. */
static const char slow[] = "CREATE VIEW long AS WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
	" SELECT count(*) FROM n; CREATE TRIGGER slow AFTER INSERT ON noted BEGIN SELECT * FROM long; END";

/* `ticks` of them, `us` apart, or all waiting when it begins; how often it stored. */
static int64_t store_ticks(unsigned ticks, useconds_t us, const char *before, struct told *told)
{
	struct store *st = temporary();
	struct queue *q = queue_new(64);
	struct writer *w = writer_new(st, q, 1);
	pthread_t thread;
	int64_t times;

	assert_true(store_exec(st, noted) && store_exec(st, before));
	told->between = "";
	writer_live(w, stored, do_between, told);
	if (us > 0)
		assert_int_equal(pthread_create(&thread, NULL, writer_main, w), 0);
	for (unsigned i = 0; i < ticks; i++) {
		struct fact_batch *batch = batch_of(1 + i, 1);

		batch->until_ns = (i + 1) * TICK_NS;
		queue_put(q, batch);
		usleep(us);
	}
	if (us == 0)
		assert_int_equal(pthread_create(&thread, NULL, writer_main, w), 0);
	queue_put(q, end_batch());
	pthread_join(thread, NULL);
	assert_true(writer_ok(w));
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), ticks);
	assert_int_equal(store_number(st, "SELECT max(until_ns) FROM noted", -1), ticks * TICK_NS);
	times = store_number(st, "SELECT count(*) FROM noted", -1);
	writer_free(&w);
	queue_free(&q);
	store_close(&st);
	return times;
}

static void each_tick_is_stored_and_told_of_by_the_second(void **state)
{
	struct told told = { 0 };

	(void)state;
	assert_in_range(store_ticks(8, 250000, "", &told), 7, 9);
	assert_in_range(told.calls, 2, 3);
}

static void ticks_that_wait_are_stored_at_once(void **state)
{
	struct told told = { 0 };

	(void)state;
	assert_in_range(store_ticks(10, 0, slow, &told), 1, 3);
}

static const char full[] = "CREATE TRIGGER full BEFORE UPDATE ON run BEGIN SELECT raise(ROLLBACK, 'no room'); END;"
	"INSERT INTO run VALUES (NULL, '', '', '', '', '', '', '', '', '', 0, 0)";
static const char full_at_the_end[] = "CREATE TRIGGER full BEFORE UPDATE ON run WHEN (SELECT count(*) FROM flow) > 3"
	" BEGIN SELECT raise(ROLLBACK, 'no room'); END;"
	"INSERT INTO run VALUES (NULL, '', '', '', '', '', '', '', '', '', 0, 0)";

static void a_live_writer_that_cannot_store_stores_all_when_it_can_again(void **state)
{
	struct told told = { 0 };
	bool ok;
	struct store *st = run_live(&told, full, "DROP TRIGGER full", &ok);

	(void)state;
	assert_true(ok);
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 5);
	assert_int_equal(store_number(st, "SELECT count(*) FROM loss", -1), 0);
	assert_false(store_gathers(st));
	store_close(&st);
}

/* Whoever is told judges what waits in a transaction that then fails. */
static void what_cannot_be_judged_pauses_storing_too(void **state)
{
	struct told told = { .answer = WRITER_FAILED };
	bool ok;
	struct store *st = run_live(&told, "", "", &ok);

	(void)state;
	assert_true(told.paused >= 1);
	assert_int_equal(told.flows, 5);
	/* The last word is stored without it. */
	assert_true(ok);
	assert_false(store_gathers(st));
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 5);
	store_close(&st);
}

static void what_cannot_be_stored_at_the_end_is_not_stored_in_part(void **state)
{
	struct told told = { 0 };
	bool ok;
	struct store *st = run_live(&told, full_at_the_end, "", &ok);

	(void)state;
	assert_false(ok);
	assert_non_null(strstr(store_error(st), "no room"));
	store_rollback(st);
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 3);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_was_said_is_stored_and_it_ends_after_the_last_worker),
		cmocka_unit_test(a_live_writer_stores_by_the_second_and_tells_whether_there_was_anything),
		cmocka_unit_test(each_tick_is_stored_and_told_of_by_the_second),
		cmocka_unit_test(ticks_that_wait_are_stored_at_once),
		cmocka_unit_test(a_live_writer_that_cannot_store_stores_all_when_it_can_again),
		cmocka_unit_test(what_cannot_be_judged_pauses_storing_too),
		cmocka_unit_test(what_cannot_be_stored_at_the_end_is_not_stored_in_part),
		cmocka_unit_test(when_storing_fails_it_takes_on_to_the_end_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

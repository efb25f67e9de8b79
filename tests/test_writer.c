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
	unsigned calls, fresh, gave_up;
	bool fail;
	int64_t flows;
};

static bool stored(void *context, struct store *store, bool facts)
{
	struct told *told = context;

	told->calls++;
	told->fresh += facts;
	told->gave_up += store == NULL;
	if (store != NULL)
		told->flows = store_number(store, "SELECT count(*) FROM flow", -1);
	return store != NULL && !told->fail;
}

static void run_live(struct told *told, bool *ok_out)
{
	struct store *st = temporary();
	struct queue *q = queue_new(64);
	struct writer *w = writer_new(st, q, 1);
	pthread_t thread;

	writer_live(w, stored, told);
	assert_int_equal(pthread_create(&thread, NULL, writer_main, w), 0);
	queue_put(q, batch_of(1, 3));
	usleep(1100000);
	queue_put(q, batch_of(4, 0));
	usleep(1100000);
	queue_put(q, batch_of(4, 2));
	queue_put(q, end_batch());
	pthread_join(thread, NULL);
	*ok_out = writer_ok(w);
	writer_free(&w);
	queue_free(&q);
	store_close(&st);
}

static void a_live_writer_stores_by_the_second_and_tells_whether_there_was_anything(void **state)
{
	struct told told = { 0 };
	bool ok;

	(void)state;
	run_live(&told, &ok);
	assert_true(ok);
	assert_true(told.calls >= 3);
	assert_int_equal(told.fresh, 2);
	assert_int_equal(told.flows, 5);
	assert_int_equal(told.gave_up, 0);
}

static void a_live_writer_that_cannot_store_says_so_once(void **state)
{
	struct told told = { .fail = true };
	bool ok;

	(void)state;
	run_live(&told, &ok);
	assert_false(ok);
	assert_int_equal(told.calls, 2);
	assert_int_equal(told.gave_up, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_was_said_is_stored_and_it_ends_after_the_last_worker),
		cmocka_unit_test(a_live_writer_stores_by_the_second_and_tells_whether_there_was_anything),
		cmocka_unit_test(a_live_writer_that_cannot_store_says_so_once),
		cmocka_unit_test(when_storing_fails_it_takes_on_to_the_end_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

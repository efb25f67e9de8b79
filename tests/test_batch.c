/* Queues keep order and hold back; batches let go of the slabs they hold. */
#include "tests/test.h"

#include "capture/batch.h"

#include <pthread.h>

#define ITEMS 10000

static void *give_all(void *arg)
{
	struct queue *q = arg;

	for (uintptr_t i = 1; i <= ITEMS; i++)
		queue_put(q, (void *)i);
	return NULL;
}

static void a_queue_gives_what_was_put_in_the_order_it_was_put(void **state)
{
	struct queue *q = queue_new(3);
	pthread_t giver;
	(void)state;

	assert_int_equal(pthread_create(&giver, NULL, give_all, q), 0);
	for (uintptr_t i = 1; i <= ITEMS; i++)
		assert_int_equal((uintptr_t)queue_take(q), i);
	pthread_join(giver, NULL);
	queue_free(&q);
	assert_null(q);
}

static void a_queue_is_behind_from_a_quarter_on(void **state)
{
	struct queue *q = queue_new(8);
	(void)state;

	queue_put(q, q);
	assert_false(queue_is_behind(q));
	queue_put(q, q);
	assert_true(queue_is_behind(q));
	queue_take(q);
	assert_false(queue_is_behind(q));
	queue_free(&q);
}

static void a_batch_holds_its_slabs_until_it_is_freed(void **state)
{
	struct slab_pool *pool = slab_pool_new(2);
	struct slab *slab = slab_take(pool);
	struct batch *b = batch_new(BATCH_PACKETS_ONLY);
	(void)state;

	slab_hold(slab);
	b->slabs[b->slab_count++] = slab;
	assert_int_equal(slab->references, 2);
	batch_free(&b);
	assert_null(b);
	assert_int_equal(slab->references, 1);
	slab_drop(&slab);
	assert_null(slab);
	slab_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_gives_what_was_put_in_the_order_it_was_put),
		cmocka_unit_test(a_queue_is_behind_from_a_quarter_on),
		cmocka_unit_test(a_batch_holds_its_slabs_until_it_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A slab goes back to its pool when the last holder drops it, not before, and a pool that is
 * empty makes the taker wait. */
#include "tests/test.h"

#include "capture/slab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

static void a_slab_comes_back_after_its_last_drop_only(void **state)
{
	struct slab_pool *pool = slab_pool_new(2);
	struct slab *a = slab_take(pool), *held = a, *b = slab_take(pool), *first = b;
	(void)state;

	assert_int_equal(a->capacity, SLAB_SIZE);
	slab_hold(a);
	slab_drop(&a);
	assert_null(a);
	slab_drop(&b);
	b = slab_take(pool);
	assert_ptr_equal(b, first);	/* not the one that is still held */
	slab_drop(&held);
	held = slab_take(pool);
	assert_ptr_not_equal(held, b);
	slab_drop(&held);
	slab_drop(&b);
	slab_drop(&b);			/* nothing to drop */
	slab_pool_free(&pool);
	assert_null(pool);
	slab_pool_free(&pool);
}

static void wrapped_memory_lives_until_its_last_drop(void **state)
{
	uint8_t *data = calloc(1, 10);
	struct slab *a = slab_wrap(data, 10), *b = a;
	(void)state;

	assert_int_equal(a->capacity, 10);
	slab_hold(a);
	slab_drop(&a);
	b->data[9] = 1;			/* AddressSanitizer sees it when it is gone */
	slab_drop(&b);
}

struct taker {
	struct slab_pool *pool;
	atomic_bool took;
};

static void *take_one(void *arg)
{
	struct taker *t = arg;
	struct slab *slab = slab_take(t->pool);

	atomic_store(&t->took, true);
	slab_drop(&slab);
	return NULL;
}

static void an_empty_pool_makes_the_taker_wait(void **state)
{
	struct taker t = { .pool = slab_pool_new(1) };
	struct slab *slab = slab_take(t.pool);
	pthread_t thread;
	(void)state;

	assert_int_equal(pthread_create(&thread, NULL, take_one, &t), 0);
	usleep(20000);
	assert_false(atomic_load(&t.took));
	slab_drop(&slab);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&t.took));
	slab_pool_free(&t.pool);
}

static void *hold_and_drop(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		struct slab *slab = arg;

		slab_hold(slab);
		slab_drop(&slab);
	}
	return NULL;
}

static void the_count_survives_many_threads(void **state)
{
	struct slab_pool *pool = slab_pool_new(1);
	struct slab *slab = slab_take(pool);
	pthread_t threads[4];
	(void)state;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_and_drop, slab), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&slab->references), 1);
	slab_drop(&slab);
	slab_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slab_comes_back_after_its_last_drop_only),
		cmocka_unit_test(wrapped_memory_lives_until_its_last_drop),
		cmocka_unit_test(an_empty_pool_makes_the_taker_wait),
		cmocka_unit_test(the_count_survives_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

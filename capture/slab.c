#include "capture/slab.h"

#include "capture/base.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct slab_pool {
	pthread_mutex_t lock;		/* covers all below */
	pthread_cond_t returned;
	struct slab *idle;
	unsigned made, out, limit;
};

struct slab_pool *slab_pool_new(unsigned slabs)
{
	struct slab_pool *pool = base_alloc(sizeof(*pool));

	assert(slabs > 0);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->returned, NULL);
	pool->limit = slabs;
	return pool;
}

static void slab_free(struct slab *slab)
{
	free(slab->data);
	free(slab);
}

void slab_pool_free(struct slab_pool **pool)
{
	struct slab_pool *p = *pool;

	if (p == NULL)
		return;
	assert(p->out == 0);
	while (p->idle != NULL) {
		struct slab *slab = p->idle;

		p->idle = slab->next;
		slab_free(slab);
	}
	pthread_cond_destroy(&p->returned);
	pthread_mutex_destroy(&p->lock);
	free(p);
	*pool = NULL;
}

/* The memory is not zeroed: a slab is read only as far as it was filled. */
static struct slab *slab_new(struct slab_pool *pool)
{
	struct slab *slab = base_alloc(sizeof(*slab));

	slab->pool = pool;
	slab->data = base_realloc(NULL, SLAB_SIZE);
	slab->capacity = SLAB_SIZE;
	return slab;
}

struct slab *slab_take(struct slab_pool *pool)
{
	struct slab *slab;

	pthread_mutex_lock(&pool->lock);
	while (pool->idle == NULL && pool->made == pool->limit)
		pthread_cond_wait(&pool->returned, &pool->lock);
	slab = pool->idle;
	if (slab != NULL) {
		pool->idle = slab->next;
	} else {
		slab = slab_new(pool);
		pool->made++;
	}
	pool->out++;
	pthread_mutex_unlock(&pool->lock);
	slab->next = NULL;
	atomic_init(&slab->references, 1);
	return slab;
}

struct slab *slab_wrap(uint8_t *data, size_t len)
{
	struct slab *slab = base_alloc(sizeof(*slab));

	slab->data = data;
	slab->capacity = len;
	atomic_init(&slab->references, 1);
	return slab;
}

void slab_hold(struct slab *slab)
{
	unsigned before = atomic_fetch_add_explicit(&slab->references, 1, memory_order_relaxed);

	assert(before > 0);
}

static void slab_return(struct slab_pool *pool, struct slab *slab)
{
	pthread_mutex_lock(&pool->lock);
	slab->next = pool->idle;
	pool->idle = slab;
	pool->out--;
	pthread_cond_signal(&pool->returned);
	pthread_mutex_unlock(&pool->lock);
}

void slab_drop(struct slab **slab)
{
	struct slab *s = *slab;

	if (s == NULL)
		return;
	*slab = NULL;

	unsigned before = atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before > 1)
		return;
	if (s->pool != NULL)
		slab_return(s->pool, s);
	else
		slab_free(s);
}

#include "capture/batch.h"

#include "capture/base.h"

#include <pthread.h>
#include <stdlib.h>

struct batch *batch_new(enum batch_kind kind)
{
	/* Not zeroed: only packets[0 .. packet_count) are ever looked at. */
	struct batch *b = base_realloc(NULL, sizeof(*b));

	b->kind = kind;
	b->packet_count = 0;
	b->slab_count = 0;
	return b;
}

void batch_free(struct batch **batch)
{
	struct batch *b = *batch;

	if (b == NULL)
		return;
	for (unsigned i = 0; i < b->slab_count; i++)
		slab_drop(&b->slabs[i]);
	free(b);
	*batch = NULL;
}

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_full, not_empty;
	unsigned length;	/* the fields below are covered by lock */
	unsigned first, count;
	void *items[];
};

struct queue *queue_new(unsigned length)
{
	struct queue *q = base_alloc(sizeof(*q) + length * sizeof(q->items[0]));

	q->length = length;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_full, NULL);
	pthread_cond_init(&q->not_empty, NULL);
	return q;
}

void queue_free(struct queue **queue)
{
	struct queue *q = *queue;

	if (q == NULL)
		return;
	pthread_cond_destroy(&q->not_empty);
	pthread_cond_destroy(&q->not_full);
	pthread_mutex_destroy(&q->lock);
	free(q);
	*queue = NULL;
}

void queue_put(struct queue *q, void *item)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == q->length)
		pthread_cond_wait(&q->not_full, &q->lock);
	q->items[(q->first + q->count++) % q->length] = item;
	pthread_cond_signal(&q->not_empty);
	pthread_mutex_unlock(&q->lock);
}

bool queue_is_behind(struct queue *q)
{
	bool behind;

	pthread_mutex_lock(&q->lock);
	behind = q->count >= q->length / 4;
	pthread_mutex_unlock(&q->lock);
	return behind;
}

bool queue_is_empty(struct queue *q)
{
	bool empty;

	pthread_mutex_lock(&q->lock);
	empty = q->count == 0;
	pthread_mutex_unlock(&q->lock);
	return empty;
}

void *queue_take(struct queue *q)
{
	void *item;

	pthread_mutex_lock(&q->lock);
	while (q->count == 0)
		pthread_cond_wait(&q->not_empty, &q->lock);
	item = q->items[q->first];
	q->first = (q->first + 1) % q->length;
	q->count--;
	pthread_cond_signal(&q->not_full);
	pthread_mutex_unlock(&q->lock);
	return item;
}

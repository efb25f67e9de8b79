#include "capture/source_hash.h"

#include "capture/base.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct chunk {
	struct slab *slab;
	size_t at, n;
};

struct source_hash {
	EVP_MD_CTX *digest;		/* the thread's while it runs */
	struct chunk open;		/* the slab being filled; not yet in the queue */
	bool running;
	pthread_t thread;
	pthread_mutex_t lock;		/* covers all below */
	pthread_cond_t changed;
	struct chunk queue[SOURCE_HASH_QUEUE];
	unsigned first, waiting;
	bool closing;
};

struct source_hash *source_hash_new(void)
{
	struct source_hash *h = base_alloc(sizeof(*h));

	h->digest = EVP_MD_CTX_new();
	if (h->digest == NULL || EVP_DigestInit_ex(h->digest, EVP_sha256(), NULL) != 1)
		abort();
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	return h;
}

static void update(struct source_hash *h, const void *data, size_t n)
{
	if (EVP_DigestUpdate(h->digest, data, n) != 1)
		abort();
}

static void finish_open(struct source_hash *h)
{
	if (h->open.slab == NULL)
		return;
	update(h, h->open.slab->data + h->open.at, h->open.n);
	slab_drop(&h->open.slab);
}

static void *hash_queue(void *arg)
{
	struct source_hash *h = arg;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		while (h->waiting == 0 && !h->closing)
			pthread_cond_wait(&h->changed, &h->lock);
		if (h->waiting == 0)
			break;

		struct chunk chunk = h->queue[h->first];

		pthread_mutex_unlock(&h->lock);
		update(h, chunk.slab->data + chunk.at, chunk.n);
		slab_drop(&chunk.slab);
		pthread_mutex_lock(&h->lock);
		/* The place is given free only now, so that `waiting` says what is still to do. */
		h->first = (h->first + 1) % SOURCE_HASH_QUEUE;
		h->waiting--;
		pthread_cond_broadcast(&h->changed);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void put(struct source_hash *h, struct chunk chunk)
{
	pthread_mutex_lock(&h->lock);
	while (h->waiting == SOURCE_HASH_QUEUE)
		pthread_cond_wait(&h->changed, &h->lock);
	h->queue[(h->first + h->waiting) % SOURCE_HASH_QUEUE] = chunk;
	h->waiting++;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void join(struct source_hash *h)
{
	if (!h->running)
		return;
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	h->running = false;
	h->closing = false;
}

void source_hash_slab(struct source_hash *h, struct slab *slab, size_t at, size_t n)
{
	if (h->open.slab == slab && h->open.at + h->open.n == at) {
		h->open.n += n;
		return;
	}
	if (h->open.slab != NULL) {
		if (!h->running)
			h->running = pthread_create(&h->thread, NULL, hash_queue, h) == 0;
		if (h->running)
			put(h, h->open);
		else
			finish_open(h);
	}
	slab_hold(slab);
	h->open = (struct chunk){ slab, at, n };
}

void source_hash_bytes(struct source_hash *h, const void *data, size_t n)
{
	join(h);
	finish_open(h);
	update(h, data, n);
}

void source_hash_hex(struct source_hash *h, char hex_out[65])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len;

	join(h);
	finish_open(h);
	if (EVP_DigestFinal_ex(h->digest, sum, &len) != 1)
		abort();
	assert(len == 32);
	for (unsigned i = 0; i < len; i++) {
		hex_out[2 * i] = "0123456789abcdef"[sum[i] >> 4];
		hex_out[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	hex_out[64] = '\0';
}

void source_hash_free(struct source_hash **h)
{
	if (*h == NULL)
		return;
	join(*h);
	slab_drop(&(*h)->open.slab);
	EVP_MD_CTX_free((*h)->digest);
	pthread_cond_destroy(&(*h)->changed);
	pthread_mutex_destroy(&(*h)->lock);
	free(*h);
	*h = NULL;
}

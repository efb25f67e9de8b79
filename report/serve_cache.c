#include "report/serve_part.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

static struct serve_cached *place_of(struct serve *s, const char *key)
{
	for (unsigned i = 0; i < SERVE_CACHE; i++)
		if (s->cache[i].key != NULL && strcmp(s->cache[i].key, key) == 0)
			return &s->cache[i];
	return NULL;
}

struct MHD_Response *serve_cached(struct serve *s, const char *key, uint64_t generation)
{
	const struct serve_cached *c = place_of(s, key);

	return c != NULL && c->generation == generation ? c->response : NULL;
}

static void forget(struct serve *s, struct serve_cached *c)
{
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	s->cache_bytes -= c->size;
	free(c->key);
	*c = (struct serve_cached){ 0 };
}

void serve_forget_all(struct serve *s)
{
	for (unsigned i = 0; i < SERVE_CACHE; i++)
		forget(s, &s->cache[i]);
}

/* The answer is the cache's then; one that is too large for it is let go. */
void serve_keep(struct serve *s, const char *key, uint64_t generation, struct MHD_Response *r, size_t size)
{
	struct serve_cached *place = place_of(s, key);

	if (place == NULL)
		place = &s->cache[s->cache_next++ % SERVE_CACHE];
	forget(s, place);
	if (s->cache_bytes + size > SERVE_CACHE_BYTES)
		serve_forget_all(s);
	if (size > SERVE_CACHE_BYTES) {
		MHD_destroy_response(r);
		return;
	}
	*place = (struct serve_cached){ .key = base_strdup(key), .generation = generation, .size = size, .response = r };
	s->cache_bytes += size;
}

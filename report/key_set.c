#include "report/key_set.h"

#include "capture/base.h"
#include "capture/siphash.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256		/* a power of two, as all sizes */

struct slot {
	uint32_t number;	/* 0: free */
	uint32_t tag;		/* the upper half of the hash; the lower says where it starts */
};

struct key {
	uint64_t hash;
	size_t at;		/* in bytes */
	size_t len;
};

struct key_set {
	uint64_t seed[2];
	struct slot *slots;	/* at most half of them taken; linear probing */
	size_t slot_count;
	struct key *keys;	/* by number - 1 */
	unsigned count, size;
	uint8_t *bytes;
	size_t used, room;
};

struct key_set *key_set_new(void)
{
	struct key_set *s = base_alloc(sizeof(*s));

	s->seed[0] = base_seed();
	s->seed[1] = base_seed();
	s->slot_count = SLOTS_FIRST;
	s->slots = base_alloc_array(s->slot_count, sizeof(*s->slots));
	return s;
}

void key_set_free(struct key_set **s)
{
	if (*s == NULL)
		return;
	free((*s)->slots);
	free((*s)->keys);
	free((*s)->bytes);
	free(*s);
	*s = NULL;
}

/* The slot of the key, or the free one where it would be. */
static struct slot *slot_of(const struct key_set *s, uint64_t hash, const void *data, size_t len)
{
	for (size_t i = hash & (s->slot_count - 1); ; i = (i + 1) & (s->slot_count - 1)) {
		struct slot *slot = &s->slots[i];

		if (slot->number == 0)
			return slot;
		if (slot->tag == (uint32_t)(hash >> 32)) {
			const struct key *key = &s->keys[slot->number - 1];

			if (key->len == len && memcmp(s->bytes + key->at, data, len) == 0)
				return slot;
		}
	}
}

static void grow_slots(struct key_set *s)
{
	free(s->slots);
	s->slot_count *= 2;
	s->slots = base_alloc_array(s->slot_count, sizeof(*s->slots));
	for (unsigned i = 0; i < s->count; i++) {
		const struct key *key = &s->keys[i];
		struct slot *slot = slot_of(s, key->hash, s->bytes + key->at, key->len);

		*slot = (struct slot){ .number = i + 1, .tag = (uint32_t)(key->hash >> 32) };
	}
}

static uint64_t hash_of(const struct key_set *s, const void *key, size_t len)
{
	return siphash(key, len, s->seed[0], s->seed[1]);
}

unsigned key_set_find(const struct key_set *s, const void *key, size_t len)
{
	return slot_of(s, hash_of(s, key, len), key, len)->number;
}

static void append(struct key_set *s, uint64_t hash, const void *data, size_t len)
{
	if (s->count == s->size) {
		s->size = s->size > 0 ? s->size * 2 : SLOTS_FIRST / 2;
		s->keys = base_realloc(s->keys, s->size * sizeof(*s->keys));
	}
	/* One byte more than is needed: there is an address also where only empty keys are. */
	if (len >= s->room - s->used) {
		s->room = (s->room + len + 1) * 2;
		s->bytes = base_realloc(s->bytes, s->room);
	}
	memcpy(s->bytes + s->used, data, len);
	s->keys[s->count++] = (struct key){ .hash = hash, .at = s->used, .len = len };
	s->used += len;
}

unsigned key_set_add(struct key_set *s, const void *key, size_t len)
{
	uint64_t hash = hash_of(s, key, len);
	struct slot *slot = slot_of(s, hash, key, len);

	if (slot->number != 0)
		return slot->number;
	append(s, hash, key, len);
	*slot = (struct slot){ .number = s->count, .tag = (uint32_t)(hash >> 32) };
	if (s->count > s->slot_count / 2)
		grow_slots(s);
	return s->count;
}

unsigned key_set_count(const struct key_set *s)
{
	return s->count;
}

const uint8_t *key_set_key(const struct key_set *s, unsigned n)
{
	return s->bytes + s->keys[n - 1].at;
}

void key_set_empty(struct key_set *s)
{
	memset(s->slots, 0, s->slot_count * sizeof(*s->slots));
	s->count = 0;
	s->used = 0;
}

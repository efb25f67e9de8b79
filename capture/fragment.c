#include "capture/fragment.h"

#include "capture/base.h"
#include "capture/siphash.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 8192		/* a power of two, twice FRAGMENT_DATAGRAMS */
#define DATAGRAM_MAX 65535	/* RFC 791 and 8200 both end there */

/* Compared with memcmp and hashed as bytes, so it must have no padding. */
struct datagram_key {
	uint8_t src[16], dst[16];
	uint32_t ip_id;
	uint8_t proto;
	uint8_t ipv6;
	uint8_t vantage;
	uint8_t zero;
};
_Static_assert(sizeof(struct datagram_key) == 40, "datagram_key has padding");

/* Bytes that one fragment was the first to bring. */
struct part {
	struct part *next;	/* in order of offset, never overlapping */
	uint32_t offset, len;
	uint64_t sum;		/* hash of the whole fragment it came in */
	uint8_t *data;		/* NULL once the datagram is whole */
};

enum state {
	STATE_WAITING,
	STATE_WHOLE,	/* given out; kept so that copies of its fragments begin no new one */
	STATE_BROKEN,	/* never to be whole; kept so that its other fragments count as the same loss */
};

struct datagram {
	struct datagram *chain;			/* same bucket */
	struct datagram *older, *younger;	/* in order of their first fragment */
	struct datagram_key key;
	enum state state;
	struct part *first, *last;
	uint32_t part_count;
	uint32_t held;		/* bytes in its parts */
	uint32_t end;		/* payload length; UINT32_MAX until the last fragment came */
	size_t memory;		/* bytes it has of FRAGMENT_BYTES */
	uint32_t wire;		/* wire_len of its frames, summed */
	struct fragment_loss seen;
};

struct fragment_table {
	struct datagram *buckets[BUCKETS];
	struct datagram *oldest, *youngest;
	unsigned count;
	size_t memory;
	uint64_t seed;
	fragment_lost *lost;
	void *context;
};

struct fragment_table *fragment_table_new(uint64_t seed, fragment_lost *lost, void *context)
{
	struct fragment_table *t = base_alloc(sizeof(*t));

	t->seed = seed;
	t->lost = lost;
	t->context = context;
	return t;
}

static void account(struct fragment_table *t, struct datagram *d, size_t more, size_t less)
{
	d->memory += more - less;
	t->memory += more - less;
}

static void drop_data(struct fragment_table *t, struct datagram *d)
{
	for (struct part *p = d->first; p != NULL; p = p->next) {
		if (p->data != NULL)
			account(t, d, 0, p->len);
		free(p->data);
		p->data = NULL;
	}
}

static void drop_parts(struct fragment_table *t, struct datagram *d)
{
	drop_data(t, d);
	for (struct part *p = d->first, *next; p != NULL; p = next) {
		next = p->next;
		account(t, d, 0, sizeof(*p));
		free(p);
	}
	d->first = d->last = NULL;
	d->part_count = d->held = 0;
}

static struct datagram **bucket(struct fragment_table *t, const struct datagram_key *key)
{
	return &t->buckets[siphash(key, sizeof(*key), t->seed, ~t->seed) & (BUCKETS - 1)];
}

/* Forgets a datagram; tells of it unless it was given out whole. */
static void forget(struct fragment_table *t, struct datagram *d)
{
	struct datagram **link = bucket(t, &d->key);

	while (*link != d)
		link = &(*link)->chain;
	*link = d->chain;
	*(d->older != NULL ? &d->older->younger : &t->oldest) = d->younger;
	*(d->younger != NULL ? &d->younger->older : &t->youngest) = d->older;
	if (d->state != STATE_WHOLE && t->lost != NULL)
		t->lost(t->context, &d->seen);
	drop_parts(t, d);
	t->memory -= sizeof(*d);
	t->count--;
	free(d);
}

void fragment_table_free(struct fragment_table **t)
{
	if (*t == NULL)
		return;
	(*t)->lost = NULL;
	while ((*t)->oldest != NULL)
		forget(*t, (*t)->oldest);
	free(*t);
	*t = NULL;
}

void fragment_expire(struct fragment_table *t, int64_t now_ns)
{
	while (t->oldest != NULL && now_ns >= INT64_MIN + FRAGMENT_WAIT_NS &&
	       (now_ns == INT64_MAX || t->oldest->seen.time_ns <= now_ns - FRAGMENT_WAIT_NS))
		forget(t, t->oldest);
}

static struct datagram *begin(struct fragment_table *t, const struct datagram_key *key,
			      const struct packet *packet)
{
	struct datagram *d = base_alloc(sizeof(*d)), **chain = bucket(t, key);

	d->key = *key;
	d->end = UINT32_MAX;
	d->memory = sizeof(*d);
	d->seen.first_frame = packet->frame;
	d->seen.time_ns = packet->time_ns;
	memcpy(d->seen.src, key->src, sizeof(d->seen.src));
	memcpy(d->seen.dst, key->dst, sizeof(d->seen.dst));
	d->chain = *chain;
	*chain = d;
	d->older = t->youngest;
	*(t->youngest != NULL ? &t->youngest->younger : &t->oldest) = d;
	t->youngest = d;
	t->memory += sizeof(*d);
	t->count++;
	return d;
}

/* Makes room for n bytes; what is dropped for it is the oldest, but never `keep`. */
static void make_room(struct fragment_table *t, const struct datagram *keep, size_t n)
{
	while (t->count > FRAGMENT_DATAGRAMS || t->memory + n > FRAGMENT_BYTES)
		forget(t, t->oldest != keep ? t->oldest : t->oldest->younger);
}

static void broken(struct fragment_table *t, struct datagram *d)
{
	drop_parts(t, d);
	d->state = STATE_BROKEN;
}

/* Puts bytes [offset, offset + len) behind `after` (NULL: first). False when there are too many. */
static bool insert(struct fragment_table *t, struct datagram *d, struct part *after,
		   uint32_t offset, uint32_t len, const uint8_t *data, uint64_t sum)
{
	if (d->part_count == FRAGMENT_PARTS)
		return false;
	make_room(t, d, sizeof(struct part) + len);

	struct part *p = base_alloc(sizeof(*p));

	p->offset = offset;
	p->len = len;
	p->sum = sum;
	p->data = base_alloc(len);
	memcpy(p->data, data, len);
	p->next = after != NULL ? after->next : d->first;
	*(after != NULL ? &after->next : &d->first) = p;
	if (p->next == NULL)
		d->last = p;
	d->part_count++;
	d->held += len;
	account(t, d, sizeof(*p) + len, 0);
	return true;
}

/* Keeps of a fragment what no earlier one brought. False when it comes in too many parts. */
static bool fill(struct fragment_table *t, struct datagram *d, uint32_t offset, uint32_t len,
		 const uint8_t *data, uint64_t sum)
{
	uint32_t at = offset, end = offset + len;
	struct part *after = NULL, *next = d->first;

	/* In order, as nearly all come. */
	if (d->last != NULL && d->last->offset <= offset) {
		after = d->last;
		next = NULL;
		if (after->offset + after->len > at)
			at = after->offset + after->len;
	}
	while (at < end) {
		uint32_t stop = next != NULL && next->offset < end ? next->offset : end;

		if (stop > at) {
			if (!insert(t, d, after, at, stop - at, data + (at - offset), sum))
				return false;
			after = after != NULL ? after->next : d->first;
		}
		if (next == NULL)
			break;
		if (next->offset + next->len > at)
			at = next->offset + next->len;
		after = next;
		next = next->next;
	}
	return true;
}

/* Whether a whole datagram had this very fragment. */
static bool is_copy(const struct datagram *d, uint32_t offset, uint32_t len, uint64_t sum)
{
	for (const struct part *p = d->first; p != NULL; p = p->next) {
		if (p->offset == offset && p->len == len && p->sum == sum)
			return true;
	}
	return false;
}

static uint8_t *join(const struct datagram *d)
{
	uint8_t *data = base_alloc(d->end);

	for (const struct part *p = d->first; p != NULL; p = p->next)
		memcpy(data + p->offset, p->data, p->len);
	return data;
}

static struct datagram *find(struct fragment_table *t, const struct datagram_key *key)
{
	struct datagram *d = *bucket(t, key);

	while (d != NULL && memcmp(&d->key, key, sizeof(*key)) != 0)
		d = d->chain;
	return d;
}

static void count(struct datagram *d, const struct packet *packet, uint32_t bytes)
{
	d->seen.last_frame = packet->frame;
	if (d->seen.parts < UINT16_MAX)
		d->seen.parts++;
	d->seen.bytes += bytes;
	d->wire += packet->wire_len;
}

/* Whether this fragment's end agrees with what is known of the datagram's length. */
static bool agrees(struct datagram *d, uint32_t end, bool more)
{
	if (end > DATAGRAM_MAX || end > d->end)
		return false;
	if (more)
		return true;
	if (d->end != UINT32_MAX && d->end != end)
		return false;
	if (d->last != NULL && d->last->offset + d->last->len > end)
		return false;
	d->end = end;
	return true;
}

bool fragment_add(struct fragment_table *t, const struct packet_fragment *fragment,
		  const struct packet *packet, uint8_t **data_out, uint32_t *len_out,
		  uint16_t *parts_out, uint32_t *wire_out)
{
	struct datagram_key key = {
		.ip_id = fragment->ip_id, .proto = fragment->proto, .ipv6 = fragment->ipv6,
		.vantage = fragment->vantage,
	};
	/* All but the last are counted in eights: what is over has no place, and receivers cut it. */
	uint32_t claimed = fragment->more ? fragment->wire_len & ~7u : fragment->wire_len;
	uint32_t len = fragment->len < claimed ? fragment->len : claimed;
	uint64_t sum = siphash(fragment->data, len, t->seed, ~t->seed);

	memcpy(key.src, fragment->src, sizeof(key.src));
	memcpy(key.dst, fragment->dst, sizeof(key.dst));
	fragment_expire(t, packet->time_ns);

	struct datagram *d = find(t, &key);

	if (d != NULL && d->state == STATE_WHOLE) {
		if (len == 0 || is_copy(d, fragment->offset, len, sum))
			return false;
		forget(t, d); /* its number is used again */
		d = NULL;
	}
	if (d == NULL) {
		d = begin(t, &key, packet);
		make_room(t, d, 0);
	}
	count(d, packet, fragment->wire_len);
	if (d->state == STATE_BROKEN)
		return false;
	if (claimed > DATAGRAM_MAX || !agrees(d, fragment->offset + claimed, fragment->more) ||
	    !fill(t, d, fragment->offset, len, fragment->data, sum)) {
		broken(t, d);
		return false;
	}
	if (d->held != d->end)
		return false;
	*data_out = join(d);
	*len_out = d->end;
	*parts_out = (uint16_t)d->seen.parts;
	*wire_out = d->wire;
	drop_data(t, d);
	d->state = STATE_WHOLE;
	return true;
}

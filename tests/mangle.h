/* mangle.h - the same TCP conversation as other wires would have carried it
 *
 * Only what may happen to segments on their way: they are split, doubled, sent again together with what came
 * before, and overtake each other within one side's turn. The bytes of the streams stay what they are.
 * Pieces keep the frame of the segment that they were cut from. */
#ifndef TESTS_MANGLE_H
#define TESTS_MANGLE_H

#include "capture/base.h"
#include "capture/packet.h"

#include <stdlib.h>
#include <string.h>

enum mangled { AS_IT_IS, SINGLE_BYTES, SPLIT_AT_RANDOM, TWICE, OVERLAPPING, SHUFFLED, MANGLED_COUNT };

static const char *const mangled_names[] = {
	"as it is", "a segment a byte", "split at random", "every segment twice", "overlapping", "shuffled",
};

#define MANGLE_EARLY 24		/* bytes of the segment before that an overlapping one brings again */
#define MANGLE_WINDOW 8		/* so far a segment may be overtaken */

struct segments {
	struct packet *packets;
	size_t count;
	uint8_t *bytes;		/* those that were put together anew */
	size_t used;
};

static inline struct segments segments_for(const struct segments *in)
{
	size_t payload = 0;

	for (size_t i = 0; i < in->count; i++)
		payload += in->packets[i].payload_len;
	return (struct segments){
		.packets = base_alloc_array(2 * in->count + payload + 1, sizeof(struct packet)),
		.bytes = base_alloc(payload + MANGLE_EARLY * in->count + 1),
	};
}

static inline void segments_free(struct segments *s)
{
	free(s->packets);
	free(s->bytes);
	*s = (struct segments){ 0 };
}

static inline uint32_t mangle_random(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* Into pieces of `largest` bytes at most, of one each, or (0) none at all. A SYN goes with the first piece, what
 * ends the stream with the last. */
static inline void split_segment(struct segments *out, const struct packet *p, uint32_t largest, uint32_t *seed)
{
	uint32_t done = 0;

	do {
		struct packet *piece = &out->packets[out->count++];
		uint32_t left = p->payload_len - done;
		uint32_t n = largest > 1 ? 1 + mangle_random(seed, largest) : largest;

		*piece = *p;
		if (largest == 0 || p->payload_len != p->payload_wire_len)
			return;
		n = n < left ? n : left;
		piece->payload = n > 0 ? p->payload + done : NULL;
		piece->payload_len = piece->payload_wire_len = n;
		if (done > 0) {
			piece->seq += done + ((p->tcp_flags & TCP_SYN) != 0);
			piece->tcp_flags &= (uint8_t)~TCP_SYN;
		}
		done += n;
		if (done < p->payload_len)
			piece->tcp_flags &= (uint8_t)~(TCP_FIN | TCP_RST | TCP_PSH);
	} while (done < p->payload_len);
}

static inline void overlap_segments(struct segments *out, const struct segments *in)
{
	const struct packet *before[2] = { NULL, NULL };

	for (size_t i = 0; i < in->count; i++) {
		const struct packet *p = &in->packets[i], *b = before[p->dir];
		struct packet *wider = &out->packets[out->count++];
		uint32_t early;

		*wider = *p;
		if (p->payload_len == 0)
			continue;
		before[p->dir] = p;
		if (b == NULL || b->seq + b->payload_len != p->seq)
			continue;
		early = b->payload_len < MANGLE_EARLY ? b->payload_len : MANGLE_EARLY;
		wider->payload = out->bytes + out->used;
		memcpy(out->bytes + out->used, b->payload + b->payload_len - early, early);
		memcpy(out->bytes + out->used + early, p->payload, p->payload_len);
		out->used += early + p->payload_len;
		wider->seq -= early;
		wider->payload_len = wider->payload_wire_len = early + p->payload_len;
	}
}

/* Every segment comes again: at once, or three segments later. */
static inline void double_segments(struct segments *out, const struct segments *in)
{
	for (size_t i = 0; i < in->count; i++) {
		out->packets[out->count++] = in->packets[i];
		if (i % 2 == 0)
			out->packets[out->count++] = in->packets[i];
		else if (i >= 3)
			out->packets[out->count++] = in->packets[i - 3];
	}
}

/* Within a turn of one side: what the other side sent was an answer to what came before. */
static inline void shuffle_segments(struct segments *s, uint32_t *seed)
{
	for (size_t from = 0, to; from < s->count; from = to) {
		for (to = from + 1; to < s->count && to - from < MANGLE_WINDOW; to++)
			if (s->packets[to].dir != s->packets[from].dir ||
			    ((s->packets[to].tcp_flags | s->packets[from].tcp_flags) & (TCP_SYN | TCP_RST)) != 0)
				break;
		for (size_t i = to - 1; i > from; i--) {
			size_t k = from + mangle_random(seed, (uint32_t)(i - from + 1));
			struct packet p = s->packets[i];

			s->packets[i] = s->packets[k];
			s->packets[k] = p;
		}
	}
}

static inline struct segments mangle(const struct segments *in, enum mangled how)
{
	struct segments out = segments_for(in);
	uint32_t seed = 7;

	switch (how) {
	case TWICE:
		double_segments(&out, in);
		break;
	case OVERLAPPING:
		overlap_segments(&out, in);
		break;
	default:
		for (size_t i = 0; i < in->count; i++)
			split_segment(&out, &in->packets[i],
				      how == SINGLE_BYTES ? 1 : how == AS_IT_IS ? 0 : 30, &seed);
	}
	if (how == SHUFFLED)
		shuffle_segments(&out, &seed);
	return out;
}

#endif

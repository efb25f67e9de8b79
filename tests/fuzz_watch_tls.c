/* A TLS conversation as segments of both sides: two bytes of order (side, place, length), then the data.
 * Goes through stream.c, so that the watcher is fed as it is in the field. */
#include "capture/base.h"
#include "classify/stream.h"
#include "classify/watch.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct conversation {
	struct stream streams[2];
	enum fact_side from;
	enum watch_answer answer;
	void *state;
	struct watch_facts facts;
};

static size_t take(void *context, struct bytes in, uint64_t frame)
{
	struct conversation *c = context;
	size_t used = 0;

	c->answer = watch_tls.feed(&watch_tls, c->state, c->from, in, frame, &used, &c->facts);
	assert(used <= in.len);
	if (c->answer != WATCH_MORE) {
		stream_stop(&c->streams[0]);
		stream_stop(&c->streams[1]);
	}
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conversation c = { .state = base_alloc(watch_tls.size) };
	struct bytes in = bytes_of(data, size);

	stream_syn(&c.streams[0], 0xfffffff0);
	stream_syn(&c.streams[1], 7);
	while (bytes_left(&in) >= 2) {
		uint8_t order = bytes_u8(&in);
		size_t len = bytes_u8(&in) * (order & 2 ? 8u : 1u);
		struct stream *s = &c.streams[order & 1];
		uint32_t seq = s->next + (order >> 6) * 10u - (order >> 4 & 3) * 10u;

		len = len < bytes_left(&in) ? len : bytes_left(&in);
		c.from = (enum fact_side)(order & 1);
		stream_add(s, seq, bytes_take(&in, len), (uint32_t)len, (uint32_t)len + (order >> 3 & 1), 1, take,
			   &c);
	}
	for (unsigned side = 0; side < 2; side++) {
		uint64_t missing = stream_missing(&c.streams[side]);

		stream_over(&c.streams[side]);
		assert(missing == stream_missing(&c.streams[side]));
		if (c.streams[side].gap && c.answer == WATCH_MORE)
			c.answer = watch_tls.gap(c.state, (enum fact_side)side, &c.facts);
	}
	for (const char *p = c.facts.handshake.sni; *p != '\0'; p++)
		assert(*p > ' ' && *p < 0x7f && !(*p >= 'A' && *p <= 'Z'));
	assert(c.facts.chain == NULL || (c.facts.chain->kept <= c.facts.chain->len &&
					 c.facts.handshake.version < 0x0304));
	free(c.facts.chain);
	free(c.state);
	return 0;
}

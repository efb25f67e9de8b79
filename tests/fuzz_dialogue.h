/* fuzz_dialogue.h - an input for a watcher of dialogues: bytes of the server first; 0x1e hands over to the
 * other side, 0x1f ends a segment, 0x1d loses bytes of this side */
#ifndef TESTS_FUZZ_DIALOGUE_H
#define TESTS_FUZZ_DIALOGUE_H

#include "classify/mail_line.h"
#include "classify/proxy.h"

#include <assert.h>
#include <stdlib.h>

#define FUZZ_PENDING 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_side {
	uint8_t *data;
	size_t len;
};

static inline enum watch_answer fuzz_offer(const struct watch *watch, void *state, struct fuzz_side *side,
					   enum fact_side from, struct watch_facts *facts)
{
	size_t used = 0;
	enum watch_answer answer = watch->feed(watch, state, from, bytes_of(side->data, side->len), 1, &used,
					       facts);

	assert(used <= side->len);
	side->len -= used;

	/* Exactly its size, so that the sanitizer sees a read past the end. */
	uint8_t *rest = malloc(side->len + 1);

	memcpy(rest, side->data + used, side->len);
	free(side->data);
	side->data = realloc(rest, side->len > 0 ? side->len : 1);
	return answer;
}

/* Bytes of a proxy's header before the dialogue. */
static inline size_t fuzz_proxy(const uint8_t *data, size_t size, struct watch_facts *facts)
{
	struct bytes in = bytes_of(data, size);
	enum parse parse;

	if (proxy_recognise(in) != WATCH_YES)
		return 0;
	parse = proxy_header(&in, SIDE_ORIGINATOR, facts);
	assert(parse == PARSE_OK || in.pos == 0 || facts->mail.claimed_by[0] == '\0');
	assert(in.pos <= PROXY_HEADER_MAX);
	return parse == PARSE_OK ? in.pos : 0;
}

/* What is left when TLS was agreed to: each side is passed over up to its first record. */
static inline void fuzz_clear(struct fuzz_side *side, enum fact_side from, struct watch_facts *facts)
{
	for (size_t n = 0; n <= side->len; n++) {
		struct bytes in = bytes_of(side->data, n);

		in.pos = facts->clear[from];
		if (mail_skip_clear(facts, from, &in))
			break;
	}
	assert(facts->clear[from] <= side->len);
	assert(facts->mail.injected[0] <= FUZZ_PENDING && facts->mail.injected[1] <= FUZZ_PENDING);
}

static inline void fuzz_dialogue(const struct watch *watch, const uint8_t *data, size_t size)
{
	void *state = calloc(1, watch->size);
	struct watch_facts *facts = calloc(1, sizeof(*facts));
	struct fuzz_side sides[2] = { { malloc(1), 0 }, { malloc(1), 0 } };
	enum fact_side from = SIDE_RESPONDER;
	enum watch_answer answer = WATCH_MORE;
	size_t start = 0;

	watch->recognise(watch, bytes_of(data, size < 64 ? size : 64));
	start = fuzz_proxy(data, size, facts);
	for (size_t i = start; i < size && answer == WATCH_MORE; i++) {
		struct fuzz_side *side = &sides[from];

		if ((data[i] < 0x1d || data[i] > 0x1f) && i + 1 < size)
			continue;
		if (side->len + (i - start) < FUZZ_PENDING) {
			side->data = realloc(side->data, side->len + (i - start) + 1);
			memcpy(side->data + side->len, data + start, i - start);
			side->len += i - start;
			side->data = realloc(side->data, side->len > 0 ? side->len : 1);
			answer = fuzz_offer(watch, state, side, from, facts);
		}
		if (data[i] == 0x1d && answer == WATCH_MORE)
			answer = watch->gap(state, from, facts);
		if (data[i] == 0x1e)
			from = (enum fact_side)!from;
		start = i + 1;
	}
	if (watch->end != NULL)
		watch->end(state, facts);
	for (int i = 0; i < 2 && answer == WATCH_TLS; i++)
		fuzz_clear(&sides[i], (enum fact_side)i, facts);
	/* What must hold whatever was said. */
	assert(memchr(facts->mail.recipient_domain, 0, sizeof(facts->mail.recipient_domain)) != NULL);
	assert(!facts->has_disclosure || strchr(facts->disclosure.account, '@') != NULL);
	assert(facts->mail.credential == CREDENTIAL_NONE || facts->mail.mechanism[0] != '\0' ||
	       watch != &watch_imap);
	assert(answer != WATCH_TLS || facts->mail.transport == MAIL_STARTTLS_USED);
	assert(memchr(facts->mail.account, 0, sizeof(facts->mail.account)) != NULL);
	assert(memchr(facts->mail.dialogue, 0, sizeof(facts->mail.dialogue)) != NULL);
	free(sides[0].data);
	free(sides[1].data);
	free(facts);
	free(state);
}

#endif

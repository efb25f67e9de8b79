#include "classify/watch_tls.h"

#include "capture/base.h"

#include <stdlib.h>

#define RECORD_CHANGE_CIPHER_SPEC 20	/* RFC 8446 section 5.1 */
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22
#define RECORD_DATA 23
#define RECORD_HEARTBEAT 24
#define RECORD_HEADER 5
#define RECORD_MAX (16384u + 2048u)	/* RFC 5246 section 6.2.3 */
#define MESSAGE_HEADER 4
#define ALERT_FATAL 2
#define TLS_1_3 0x0304

/* Lengths of a TLS 1.3 record: content, one byte of type, a tag of 16 or 8 bytes (RFC 8446 section
 * 5.2). A client that rejects the server's certificate sends but an alert, and that is protected. */
#define SEALED_ALERT (2u + 1 + 16)
#define SEALED_ALERT_CCM_8 (2u + 1 + 8)
#define SEALED_FINISHED_MIN (MESSAGE_HEADER + 32u + 1 + 8)

struct tls_side {
	uint8_t type;		/* of the record being read */
	uint32_t left;		/* bytes of it that are still to come */
	uint32_t message_left;	/* bytes of an unread handshake message that are still to come */
	bool clear_alert;	/* it is an alert that is not protected */
	bool changed_cipher;
	bool went_on;		/* to protected data */
	bool lost;
};

struct tls_watch {
	struct tls_side sides[2];
	enum fact_side client;
	bool client_known;
	bool server_answered;	/* a ServerHello that is no retry */
	bool full;		/* the server authenticated itself: no resumption */
	bool in_chain;		/* the server's unread message is its Certificate message */
};

static bool record_type_known(uint8_t type)
{
	return type >= RECORD_CHANGE_CIPHER_SPEC && type <= RECORD_HEARTBEAT;
}

static bool record_header(struct bytes *in, uint8_t *type_out, uint32_t *len_out)
{
	*type_out = bytes_u8(in);

	uint16_t version = bytes_u16(in);

	*len_out = bytes_u16(in);
	return !in->bad && record_type_known(*type_out) && version >= 0x0300 && version <= TLS_1_3 &&
	       *len_out <= RECORD_MAX;
}

static enum watch_match recognise(const struct watch *self, struct bytes first)
{
	static const struct { uint8_t low, high; } want[] = {
		{ RECORD_HANDSHAKE, RECORD_HANDSHAKE }, { 3, 3 }, { 0, 4 },
		{ 0, RECORD_MAX >> 8 }, { 0, 255 }, { TLS_CLIENT_HELLO, TLS_SERVER_HELLO },
	};
	size_t i;

	(void)self;
	for (i = 0; i < sizeof(want) / sizeof(want[0]) && bytes_left(&first) > 0; i++) {
		uint8_t c = bytes_u8(&first);

		if (c < want[i].low || c > want[i].high)
			return WATCH_NO;
	}
	return i == sizeof(want) / sizeof(want[0]) ? WATCH_YES : WATCH_MAYBE;
}

/* Moves over the next `need` bytes of handshake messages, which may lie in several records, and copies
 * them to out unless it is NULL. Moves nothing when not all are there. */
static enum parse gather(struct bytes *in, uint32_t *left, size_t need, uint8_t *out)
{
	struct bytes at = *in;
	uint32_t in_record = *left;

	while (need > 0) {
		size_t n = need < in_record ? need : in_record;
		uint8_t type;

		if (n == 0) {
			if (bytes_left(&at) < RECORD_HEADER)
				return PARSE_MORE;
			if (!record_header(&at, &type, &in_record) || type != RECORD_HANDSHAKE)
				return PARSE_BAD;
			continue;
		}
		if (n > bytes_left(&at))
			return PARSE_MORE;
		if (out != NULL) {
			bytes_copy(&at, out, n);
			out += n;
		} else {
			bytes_skip(&at, n);
		}
		need -= n;
		in_record -= (uint32_t)n;
	}
	*in = at;
	*left = in_record;
	return PARSE_OK;
}

static void know_client(struct tls_watch *w, enum fact_side client, struct watch_facts *facts)
{
	if (!w->client_known && client == SIDE_RESPONDER)
		facts->flip = true;
	w->client_known = true;
	w->client = client;
}

static enum parse read_hello(struct tls_watch *w, enum fact_side from, struct bytes hello, uint64_t frame,
			     struct watch_facts *facts)
{
	struct fact_handshake *h = &facts->handshake;
	bool retry = false;
	enum parse parse;

	if (hello.data[hello.pos] == TLS_CLIENT_HELLO) {
		/* The one after a HelloRetryRequest says the same again. */
		if (h->frame != 0)
			return PARSE_OK;
		parse = tls_client_hello(hello, h);
		h->frame = frame;
		know_client(w, from, facts);
	} else {
		if (w->server_answered)
			return PARSE_OK;
		parse = tls_server_hello(hello, h, &retry);
		know_client(w, from == SIDE_ORIGINATOR ? SIDE_RESPONDER : SIDE_ORIGINATOR, facts);
		if (!retry) {
			h->server_frame = frame;
			w->server_answered = true;
		}
	}
	facts->has_handshake = true;
	return parse;
}

/* Before TLS 1.3, which protects it. The client's, which may name a person, is not kept. */
static void begin_chain(struct tls_watch *w, enum fact_side from, uint32_t len, uint64_t frame,
			struct watch_facts *facts)
{
	if (!w->server_answered || from == w->client || facts->chain != NULL ||
	    facts->handshake.version >= TLS_1_3)
		return;
	facts->handshake.certificate_seen = true;
	facts->chain = base_alloc(sizeof(*facts->chain));
	facts->chain->from = from;
	facts->chain->frame = frame;
	facts->chain->time_ns = facts->now_ns;
	facts->chain->len = len;
	w->in_chain = len > 0;
}

static void keep_chain(struct watch_chain **chain, struct bytes part, uint64_t frame, int64_t now_ns)
{
	size_t n = bytes_left(&part), kept = (*chain)->kept;

	n = n < TLS_CHAIN_MAX - kept ? n : TLS_CHAIN_MAX - kept;
	if (n == 0)
		return;
	*chain = base_realloc(*chain, sizeof(**chain) + kept + n);
	bytes_copy(&part, (*chain)->data + kept, n);
	(*chain)->kept += n;
	(*chain)->frame = frame;
	(*chain)->time_ns = now_ns;
}

/* The next handshake message in clear: hellos are read when they are whole, all others passed over. */
static enum parse read_message(struct tls_watch *w, enum fact_side from, struct bytes *in, uint64_t frame,
			       struct watch_facts *facts)
{
	struct tls_side *side = &w->sides[from];
	struct bytes peek = *in;
	uint32_t peek_left = side->left;
	uint8_t header[MESSAGE_HEADER];
	enum parse parse = gather(&peek, &peek_left, sizeof(header), header);

	if (parse != PARSE_OK)
		return parse;

	struct bytes fields = bytes_of(header, sizeof(header));
	uint8_t type = bytes_u8(&fields);
	uint32_t len = bytes_u24(&fields);
	size_t whole = sizeof(header) + len;

	if (type != TLS_CLIENT_HELLO && type != TLS_SERVER_HELLO) {
		if (w->client_known && from != w->client &&
		    (type == TLS_CERTIFICATE || type == TLS_SERVER_HELLO_DONE))
			w->full = true;
		if (w->client_known && type == TLS_CERTIFICATE)
			begin_chain(w, from, len, frame, facts);
		*in = peek;
		side->left = peek_left;
		side->message_left = len;
		return PARSE_OK;
	}
	if (len > TLS_HELLO_MAX)
		return PARSE_BAD;
	if (side->left >= whole && bytes_left(in) >= whole) {
		side->left -= (uint32_t)whole;
		return read_hello(w, from, bytes_sub(in, whole), frame, facts);
	}
	peek = *in;
	peek_left = side->left;
	parse = gather(&peek, &peek_left, whole, NULL);
	if (parse != PARSE_OK)
		return parse;

	uint8_t *copy = base_alloc(whole);

	gather(in, &side->left, whole, copy);
	parse = read_hello(w, from, bytes_of(copy, whole), frame, facts);
	free(copy);
	return parse;
}

static bool sealed_alert(uint32_t len)
{
	return len == SEALED_ALERT || len == SEALED_ALERT_CCM_8;
}

/* TLS 1.3: the client's Finished shows that it accepted the server; whatever but an alert comes after
 * it, from either side, shows that the connection is used. */
static void sealed_record(struct tls_watch *w, enum fact_side from, uint32_t len,
			  struct fact_handshake *h)
{
	struct tls_side *client = &w->sides[w->client], *server = &w->sides[!w->client];

	if (client->went_on && (server->went_on || server->lost || from != w->client) &&
	    !sealed_alert(len))
		h->completed = true;
	if (from != w->client || len >= SEALED_FINISHED_MIN)
		w->sides[from].went_on = true;
}

/* TLS 1.2 and before: a Finished, or what can only follow one. */
static void protected_record(struct tls_watch *w, enum fact_side from, bool data,
			     struct fact_handshake *h)
{
	struct tls_side *other = &w->sides[!from];

	w->sides[from].went_on = true;
	h->completed = other->went_on || (other->lost && data);
}

static void begin_record(struct tls_watch *w, enum fact_side from, struct fact_handshake *h)
{
	struct tls_side *side = &w->sides[from];
	bool sealed = h->version >= TLS_1_3;
	/* Before the server answered, data can only be early data of TLS 1.3. */
	bool answered = w->server_answered || w->sides[!w->client].lost;

	side->clear_alert = side->type == RECORD_ALERT && side->left == 2;
	switch (side->type) {
	case RECORD_CHANGE_CIPHER_SPEC:
		if (!side->changed_cipher && !sealed && w->server_answered && from != w->client)
			h->resumed = !w->full;
		side->changed_cipher = true;
		break;
	case RECORD_DATA:
		if (sealed && answered)
			sealed_record(w, from, side->left, h);
		else if (answered && side->changed_cipher)
			protected_record(w, from, true, h);
		break;
	case RECORD_HANDSHAKE:
		if (!sealed && answered && side->changed_cipher)
			protected_record(w, from, false, h);
		else if (!sealed && side->changed_cipher)
			side->went_on = true;	/* a Finished: the answer before it is captured late */
		break;
	default:
		break;
	}
}

/* Goes on in the record at hand. */
static enum parse read_record(struct tls_watch *w, enum fact_side from, struct bytes *in, uint64_t frame,
			      struct watch_facts *facts)
{
	struct tls_side *side = &w->sides[from];
	struct fact_handshake *h = &facts->handshake;
	/* A TLS 1.3 peer may say ChangeCipherSpec before it goes on in clear (RFC 8446 appendix D.4). */
	bool in_clear = side->type == RECORD_HANDSHAKE &&
			(!side->changed_cipher || h->version >= TLS_1_3);
	size_t n = side->left < bytes_left(in) ? side->left : bytes_left(in);

	if (side->clear_alert) {
		if (n < 2)
			return PARSE_MORE;
		if (bytes_u8(in) == ALERT_FATAL) {
			h->alert_in_clear = true;
			h->alert_from = (uint8_t)from;
			h->alert = bytes_u8(in);
		} else {
			bytes_skip(in, 1);
		}
		side->left = 0;
		return PARSE_OK;
	}
	if (in_clear && side->message_left == 0)
		return read_message(w, from, in, frame, facts);
	if (in_clear) {
		n = n < side->message_left ? n : side->message_left;
		side->message_left -= (uint32_t)n;
		if (w->in_chain && from != w->client) {
			struct bytes rest = *in;

			keep_chain(&facts->chain, bytes_sub(&rest, n), frame, facts->now_ns);
			w->in_chain = side->message_left > 0;
		}
	}
	bytes_skip(in, n);
	side->left -= (uint32_t)n;
	return PARSE_OK;
}

static enum watch_answer feed(const struct watch *self, void *state, enum fact_side from,
			      struct bytes in, uint64_t frame, size_t *used_out, struct watch_facts *facts)
{
	struct tls_watch *w = state;
	struct tls_side *side = &w->sides[from];
	struct fact_handshake *h = &facts->handshake;
	enum parse parse = PARSE_OK;
	size_t start = in.pos;

	(void)self;
	while (parse == PARSE_OK && bytes_left(&in) > 0 && !h->completed && !h->alert_in_clear) {
		if (side->left > 0) {
			parse = read_record(w, from, &in, frame, facts);
		} else if (bytes_left(&in) < RECORD_HEADER) {
			break;
		} else if (record_header(&in, &side->type, &side->left)) {
			begin_record(w, from, h);
		} else {
			parse = PARSE_BAD;
		}
	}
	*used_out = in.pos - start;
	if (h->completed || h->alert_in_clear)
		return WATCH_DONE;
	return parse == PARSE_BAD ? WATCH_BAD : WATCH_MORE;
}

static enum watch_answer gap(void *state, enum fact_side from, struct watch_facts *facts)
{
	struct tls_watch *w = state;

	(void)facts;
	w->sides[from].lost = true;
	return w->sides[!from].lost ? WATCH_DONE : WATCH_MORE;
}

const struct watch watch_tls = {
	.name = "tls",
	.size = sizeof(struct tls_watch),
	.recognise = recognise,
	.feed = feed,
	.gap = gap,
};

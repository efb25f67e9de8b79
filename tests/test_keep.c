/* What is kept of a live flow's packets: enough to show it, and no secret. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/worker.h"

#include <netinet/in.h>
#include <stdlib.h>

#define HEAD 54			/* bytes before a payload */
#define FRAMES 40
#define SECRET "xyzzy-plugh-42"
#define SECRET_PLAIN "AGFubmEAeHl6enktcGx1Z2gtNDI="	/* of SASL PLAIN */

/* What one side sends; the first of each side is its SYN, if it is to be seen. */
struct said {
	bool server;
	uint8_t flags;
	const char *text;
	size_t len;			/* 0: to its NUL */
};
#define C(text) { false, TCP_ACK, text, 0 }
#define S(text) { true, TCP_ACK, text, 0 }
#define SYN { false, TCP_SYN, "", 0 }, { true, TCP_SYN | TCP_ACK, "", 0 }

/* A frame, put together from its pieces. */
struct kept {
	uint64_t frame;
	uint32_t len, wire_len, masked;
	char data[FACT_KEPT_OF_FLOW + 1];
};

struct run {
	struct worker *w;
	struct queue *out;
	uint32_t seq[2], frame;
	uint16_t port;			/* of the server */
	struct kept kept[FRAMES];
	unsigned count;
};

static struct run *run_new(uint16_t port)
{
	struct run *r = base_alloc(sizeof(*r));

	r->out = queue_new(1000);
	r->w = worker_new(0, 1, NULL, r->out, 0);
	r->port = port;
	worker_keep(r->w);
	return r;
}

/* The next frame; bytes: of it with its headers, borrowed. */
static struct packet next_frame(struct run *r, const struct said *said, uint32_t seq, const uint8_t *bytes, size_t len)
{
	struct host_port client = { .port = 40000 }, server = { .port = r->port };
	struct packet p = { .fragments = 1, .tcp_flags = said->flags, .head_len = HEAD };

	client.addr[15] = 1;
	server.addr[15] = 2;
	p.dir = (uint8_t)flow_key_make(&p.key, said->server ? &server : &client, said->server ? &client : &server,
				       IPPROTO_TCP);
	p.shard = (uint8_t)flow_key_shard(&p.key);
	p.frame = ++r->frame;
	p.time_ns = 10 * BASE_NS_PER_S + r->frame;
	p.payload = bytes + HEAD;
	p.payload_len = p.payload_wire_len = (uint32_t)len;
	p.wire_len = HEAD + p.payload_len + 6;		/* the rest of a short frame is not kept */
	p.seq = seq;
	p.ack = r->seq[!said->server];
	return p;
}

static void say_at(struct run *r, const struct said *said, uint32_t seq, const char *text, size_t len)
{
	uint8_t *bytes = base_alloc(HEAD + len + 1);
	struct packet p;

	memset(bytes, 'h', HEAD);
	memcpy(bytes + HEAD, text, len);
	p = next_frame(r, said, seq, bytes, len);
	worker_step(r->w, &p);
	free(bytes);
}

static void say(struct run *r, const struct said *said, const char *text, size_t len)
{
	say_at(r, said, r->seq[said->server], text, len);
	r->seq[said->server] += (uint32_t)len + ((said->flags & (TCP_SYN | TCP_FIN)) != 0);
}

static size_t length(const struct said *said)
{
	return said->len > 0 ? said->len : strlen(said->text);
}

static void take_piece(struct run *r, const struct fact_packet *p)
{
	struct kept *k = &r->kept[r->count > 0 ? r->count - 1 : 0];

	if (r->count == 0 || k->frame != p->frame) {
		assert_true(r->count < FRAMES);
		k = &r->kept[r->count++];
		*k = (struct kept){ .frame = p->frame, .wire_len = p->wire_len, .masked = p->masked };
		assert_int_equal(p->place, 0);
	}
	assert_int_equal(p->flow, 1);
	assert_true(k->len + p->len <= p->caplen);
	memcpy(k->data + k->len, p->data, p->len);
	k->len += p->len;
}

/* What was kept by now is in r->kept. */
static void finish(struct run *r)
{
	bool end = false;

	worker_finish(r->w);
	while (!end) {
		struct fact_batch *b = queue_take(r->out);

		for (unsigned i = 0; i < b->count; i++) {
			if (b->facts[i].kind == FACT_PACKET)
				take_piece(r, &b->facts[i].packet);
			end = end || b->facts[i].kind == FACT_END;
		}
		free(b);
	}
}

static void run_free(struct run *r)
{
	worker_free(&r->w);
	queue_free(&r->out);
	free(r);
}

/* A hello without extensions, which asks for nobody. */
#define HELLO "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03" "0123456789abcdef0123456789abcdef" "\x00\x00\x02\x13\x01\x01\x00"
#define HELLO_LEN (5 + 0x2d)

/* Each case: what was said, and of each packet what is kept of its payload; NULL: the packet is not kept. */
static const struct {
	const char *name;
	struct said said[10];
	const char *kept[10];
} cases[] = {
	{ "a login", { SYN, S("* OK ready\r\n"), C("a LOGIN anna " SECRET "\r\n"), S("a OK hello anna\r\n"),
		S("* 1 FETCH (BODY[] {9}\r\n* secret\r\n)\r\n") },
	  { "", "", "* OK ready\r\n", "* LOGIN **** **************\r\n", "* OK ***** ****\r\n",
	    "* * FETCH ******* ***\r\n* ******\r\n*\r\n" } },
	{ "SMTP, whose greeting is known by what follows", { SYN, S("220 mx.example ready\r\n"), C("EHLO me.example\r\n"),
		S("250-mx.example\r\n250 STARTTLS\r\n"), C("AUTH PLAIN " SECRET_PLAIN "\r\n"), S("235 welcome\r\n") },
	  { "", "", "220 mx.example ready\r\n", "EHLO **********\r\n", "250-mx.example\r\n250 STARTTLS\r\n",
	    "AUTH PLAIN ****************************\r\n", "*** *******\r\n" } },
	{ "a login that nobody could read", { SYN, S("* OK ready\r\n"), C("a AUTHENTICATE X-OWN\r\n"), S("+ \r\n"),
		C(SECRET "\r\n"), S("* OK welcome anna\r\n") },
	  { "", "", "* OK ready\r\n", "* AUTHENTICATE *****\r\n", "+ \r\n", "**************\r\n", "* OK ******* ****\r\n" } },
	{ "text right before TLS, and again behind it", { SYN, S("220 mx.example ready\r\n"), C("EHLO me\r\n"), S("250 STARTTLS\r\n"),
		C("STARTTLS\r\n"), S("220 go\r\n"),
		{ false, TCP_ACK, "AUTH PLAIN " SECRET_PLAIN "\r\n" HELLO, 41 + HELLO_LEN }, C("PASS " SECRET "\r\n") },
	  { "", "", "220 mx.example ready\r\n", "EHLO **\r\n", "250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n",
	    "AUTH PLAIN ****************************\r\n" HELLO, "PASS **************\r\n" } },
	{ "a client that talks like a server", { SYN, S("* OK ready\r\n"), C("* " SECRET "\r\n") },
	  { "", "", "* OK ready\r\n", "* **************\r\n" } },
	{ "STARTTLS that the client forgets", { SYN, S("* OK ready\r\n"), C("a STARTTLS\r\n"), S("a OK go\r\n"),
		{ true, TCP_ACK, HELLO, HELLO_LEN }, C("a LOGIN anna " SECRET "\r\n") },
	  { "", "", "* OK ready\r\n", "* STARTTLS\r\n", "* OK **\r\n", HELLO, "* LOGIN **** **************\r\n" } },
	{ "a session that was under way", { S("* 3 EXISTS\r\n* OK ready\r\n"), C("a LOGIN anna " SECRET "\r\n") },
	  { "* * ******\r\n* OK *****\r\n", "* LOGIN **** **************\r\n" } },
	{ "STARTTLS", { SYN, S("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), C("a STARTTLS\r\n"), S("a OK go\r\n"),
		{ false, TCP_ACK, HELLO, HELLO_LEN } },
	  { "", "", "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "* STARTTLS\r\n", "* OK **\r\n", HELLO } },
	{ "TLS", { SYN, { false, TCP_ACK, HELLO, HELLO_LEN } }, { "", "", HELLO } },
	{ "TLS that is none", { SYN, { false, TCP_ACK, HELLO, HELLO_LEN }, C("PASS " SECRET "\r\n") },
	  { "", "", HELLO, "*********************" } },
	{ "nothing that is known", { SYN, C("SSH-2.0-x\r\n"), S("PASS " SECRET "\r\n") }, { NULL } },
	{ "a web page", { SYN, C("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") }, { NULL } },
	{ "a web request with a mail address",
	  { SYN, C("GET /mail/config-v1.1.xml?emailaddress=a%40b.example HTTP/1.1\r\nHost: b.example\r\nCookie: " SECRET "\r\n\r\n") },
	  { "", "", "GET /mail/config-v1.1.xml?emailaddress=a%40b.example HTTP/1.1\r\nHost: b.example\r\n**********************\r\n\r\n" } },
};

static void a_packet_is_kept_with_what_it_may_show(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run *r = run_new(143);
		unsigned want = 0;

		for (const struct said *s = cases[i].said; s->text != NULL; s++)
			say(r, s, s->text, length(s));
		finish(r);
		while (cases[i].said[want].text != NULL && cases[i].kept[want] != NULL)
			want++;
		if (r->count != want)
			fail_msg("%s: %u packets are kept, not %u", cases[i].name, r->count, want);
		for (unsigned k = 0; k < want; k++) {
			size_t len = length(&cases[i].said[k]);

			if (r->kept[k].len != HEAD + len || memcmp(r->kept[k].data + HEAD, cases[i].kept[k], len) != 0)
				fail_msg("%s, packet %u:\n got %s\nwant %s", cases[i].name, k + 1,
					 r->kept[k].data + HEAD, cases[i].kept[k]);
			assert_int_equal(r->kept[k].frame, k + 1);
			assert_int_equal(r->kept[k].wire_len, HEAD + len + 6);
			assert_int_equal(r->kept[k].data[0], 'h');
		}
		run_free(r);
	}
}

/* Behind 212 bytes packets of so much payload that `last` bytes of the ninth find room, which is not always enough
 * for its headers. */
static void a_flow_is_kept_up_to_its_limit_and_the_last_packet_cut(void **state)
{
	static const struct said syn[] = { SYN }, hello = { false, TCP_ACK, HELLO, HELLO_LEN };
	static const struct { size_t block; unsigned count; uint32_t last; } want[] = {
		{ 1900, 12, 540 }, { 1960, 12, 60 }, { 1961, 11, 0 }, { 1965, 11, 0 },
	};
	static char block[2000];

	(void)state;
	memset(block, 'x', sizeof(block));
	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct run *r = run_new(443);

		say(r, &syn[0], "", 0);
		say(r, &syn[1], "", 0);
		say(r, &hello, hello.text, hello.len);
		for (unsigned k = 0; k < 20; k++)
			say(r, &hello, block, want[i].block);
		finish(r);
		assert_int_equal(r->count, want[i].count);
		assert_int_equal(r->kept[10].len, HEAD + want[i].block);
		if (want[i].last > 0)
			assert_int_equal(r->kept[11].len, want[i].last);
		assert_int_equal(r->kept[r->count - 1].wire_len, HEAD + want[i].block + 6);
		run_free(r);
	}
}

static void no_secret(const struct run *r)
{
	static const char *const parts[] = { "xyzz", "zzy-", "plug", "ugh-", "h-42", "eHl6", "bHVn", "wbHV" };

	for (unsigned i = 0; i < r->count; i++)
		for (unsigned k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
			assert_null(memmem(r->kept[i].data, r->kept[i].len, parts[k], strlen(parts[k])));
}

static const struct said session[] = {
	SYN, S("* OK ready\r\n"), C("a LOGIN anna " SECRET "\r\nb AUTHENTICATE PLAIN " SECRET_PLAIN "\r\nc FETCH 1 BODY[]\r\n"),
	S("* OK " SECRET "\r\n"), S("a OK hello\r\nb OK hello\r\n* 1 FETCH (BODY[] {26}\r\n* OK " SECRET "\r\n" SECRET "\r\n)\r\nc OK " SECRET "\r\n"),
};
#define SESSION (sizeof(session) / sizeof(session[0]))

/* Each way to cut one of its packets in two, in order and the second half first; and without one of the halves. */
static void no_secret_is_kept_however_packets_are_cut_swapped_or_lost(void **state)
{
	enum { IN_ORDER, SWAPPED, FIRST_LOST, SECOND_LOST, WAYS };

	(void)state;
	for (unsigned which = 2; which < SESSION; which++) {
		for (size_t at = 1; at < strlen(session[which].text); at++) {
			for (int way = IN_ORDER; way < WAYS; way++) {
				struct run *r = run_new(143);

				for (unsigned i = 0; i < SESSION; i++) {
					const struct said *s = &session[i];
					size_t len = strlen(s->text);
					uint32_t seq = r->seq[s->server];

					if (i != which) {
						say(r, s, s->text, len);
						continue;
					}
					if (way == SWAPPED || way == FIRST_LOST)
						say_at(r, s, seq + (uint32_t)at, s->text + at, len - at);
					if (way != FIRST_LOST)
						say_at(r, s, seq, s->text, at);
					if (way == IN_ORDER)
						say_at(r, s, seq + (uint32_t)at, s->text + at, len - at);
					r->seq[s->server] = seq + (uint32_t)len;
				}
				finish(r);
				assert_true(r->count >= 2);
				no_secret(r);
				run_free(r);
			}
		}
	}
}

/* Of a flow of four frames, read by a worker with so many batches of facts waiting to be stored. */
static unsigned kept_behind(unsigned waiting)
{
	static const struct said said[] = { SYN, S("* OK ready\r\n"), C("a1 NOOP\r\n") };
	uint8_t bytes[4][HEAD + 20] = { 0 };
	struct run r = { .port = 143, .out = queue_new(8) };
	struct queue *in = queue_new(1);
	struct batch *b = batch_new(BATCH_END);
	struct fact_batch *facts;
	unsigned kept = 0;

	r.w = worker_new(0, 1, in, r.out, 0);
	worker_keep(r.w);
	for (unsigned i = 0; i < 4; i++) {
		strcpy((char *)bytes[i] + HEAD, said[i].text);
		b->packets[b->packet_count++] = next_frame(&r, &said[i], i > 1, bytes[i], strlen(said[i].text));
	}
	queue_put(in, b);
	for (unsigned i = 0; i < waiting; i++)
		queue_put(r.out, base_alloc(sizeof(*facts)));
	worker_main(r.w);
	for (unsigned i = 0; i <= waiting; i++) {
		facts = queue_take(r.out);
		for (unsigned j = 0; j < facts->count; j++)
			kept += facts->facts[j].kind == FACT_PACKET;
		free(facts);
	}
	queue_free(&in);
	queue_free(&r.out);
	return kept;
}

static void nothing_is_kept_while_it_cannot_be_stored_as_fast(void **state)
{
	(void)state;

	assert_int_equal(kept_behind(0), 4);
	assert_int_equal(kept_behind(4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_is_kept_with_what_it_may_show),
		cmocka_unit_test(a_flow_is_kept_up_to_its_limit_and_the_last_packet_cut),
		cmocka_unit_test(no_secret_is_kept_however_packets_are_cut_swapped_or_lost),
		cmocka_unit_test(nothing_is_kept_while_it_cannot_be_stored_as_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A live worker: flows are described while they go on, and in the end as if they had not been. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/worker.h"

#include <netinet/in.h>
#include <stdlib.h>

#define SECOND BASE_NS_PER_S
#define FLOWS 200		/* of the random ones */
#define PACKETS 4000

static struct packet packet_of(const char *src, uint16_t sport, uint16_t dport, const char *text)
{
	struct host_port a = { .port = sport }, b = { .port = dport };
	struct packet p = { .fragments = 1, .tcp_flags = TCP_ACK, .payload = (const uint8_t *)text };

	a.addr[15] = (uint8_t)src[0];
	b.addr[15] = (uint8_t)src[1];
	p.dir = (uint8_t)flow_key_make(&p.key, &a, &b, IPPROTO_TCP);
	p.payload_len = p.payload_wire_len = (uint32_t)strlen(text);
	p.wire_len = p.payload_len + 54;
	p.shard = (uint8_t)flow_key_shard(&p.key);
	return p;
}

/* What was said last of each flow, by number of its first frame. */
struct last {
	struct fact_flow flow;
	struct fact_mail_session mail;
	unsigned times;
};

static bool take_all(struct queue *out, struct last *last, unsigned *batches_out)
{
	bool end = false;
	struct fact_batch *b = queue_take(out);

	for (unsigned i = 0; i < b->count; i++) {
		const struct fact *f = &b->facts[i];

		if (f->kind == FACT_FLOW) {
			last[f->flow.id].flow = f->flow;
			last[f->flow.id].times++;
		} else if (f->kind == FACT_MAIL_SESSION) {
			last[f->mail_session.flow].mail = f->mail_session;
		}
		end = end || f->kind == FACT_END;
	}
	(*batches_out)++;
	free(b);
	return end;
}

static void tick(struct worker *w, int64_t ns)
{
	worker_step(w, &(struct packet){ .time_ns = ns });
}

/* What one side sends of a session on port 143; the first of each side is its SYN. */
struct said {
	bool server;
	uint8_t flags;
	const char *text;
};

struct session {
	struct worker *w;
	uint32_t seq[2], frame;
	int64_t now_ns;		/* 0: 10 s */
};

static void say(struct session *s, const struct said *said, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bool server = said[i].server;
		struct packet p = packet_of(server ? "SC" : "CS", server ? 143 : 40000, server ? 40000 : 143,
					    said[i].text);

		p.frame = ++s->frame;
		p.time_ns = (s->now_ns != 0 ? s->now_ns : 10 * SECOND) + s->frame;
		p.tcp_flags = said[i].flags;
		p.seq = s->seq[server];
		p.ack = s->seq[!server];
		s->seq[server] += p.payload_len + ((said[i].flags & (TCP_SYN | TCP_FIN)) != 0);
		worker_step(s->w, &p);
	}
}

static const struct said greeting[] = {
	{ false, TCP_SYN, "" },
	{ true, TCP_SYN | TCP_ACK, "" },
	{ true, TCP_ACK, "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n" },
};

static void a_login_is_told_at_the_next_tick_while_its_session_goes_on(void **state)
{
	static const struct said login[] = {
		{ false, TCP_ACK, "a LOGIN anna geheim\r\n" },
		{ true, TCP_ACK, "a OK done\r\n" },
	};
	struct queue *out = queue_new(100);
	struct session s = { .w = worker_new(0, 1, NULL, out, 0) };
	struct last last[8] = { 0 };
	unsigned batches = 0;
	(void)state;

	worker_live(s.w);
	say(&s, greeting, 3);
	say(&s, login, 2);
	tick(s.w, 11 * SECOND);
	assert_false(take_all(out, last, &batches));
	assert_int_equal(last[1].flow.end, FLOW_OPEN);
	assert_int_equal(last[1].mail.credential, CREDENTIAL_REUSABLE);
	assert_true(last[1].mail.accepted);
	assert_string_equal(last[1].mail.account, "anna");
	/* Nothing came: nothing is said again, but that time goes on. */
	tick(s.w, 12 * SECOND);
	assert_false(take_all(out, last, &batches));
	assert_int_equal(last[1].times, 1);
	worker_finish(s.w);
	assert_true(take_all(out, last, &batches));
	assert_int_equal(last[1].times, 2);
	assert_int_equal(batches, 3);
	worker_free(&s.w);
	queue_free(&out);
}

/* The flow, and its session, as often as they were said by now. */
static void take_times(struct queue *out, unsigned *flow_out, unsigned *mail_out)
{
	struct fact_batch *b = queue_take(out);

	for (unsigned i = 0; i < b->count; i++) {
		*flow_out += b->facts[i].kind == FACT_FLOW;
		*mail_out += b->facts[i].kind == FACT_MAIL_SESSION;
	}
	free(b);
}

static void a_flow_that_goes_on_is_told_each_half_second_and_what_was_read_when_it_is_new(void **state)
{
	static const struct { bool login; int64_t at_ns; unsigned flow, mail; } ticks[] = {
		{ false, 11 * SECOND, 1, 1 },			/* a new flow, at once */
		{ false, 11 * SECOND + SECOND / 4, 1, 1 },	/* its counts can wait */
		{ false, 11 * SECOND + SECOND / 2, 2, 1 },
		{ true, 12 * SECOND, 3, 2 },			/* a login was read */
		{ false, 13 * SECOND, 4, 2 },
		{ false, 72 * SECOND, 5, 3 },			/* all again, should it be lost */
	};
	static const struct said login = { false, TCP_ACK, "a LOGIN anna geheim\r\n" }, ack = { true, TCP_ACK, "" };
	struct queue *out = queue_new(100);
	struct session s = { .w = worker_new(0, 1, NULL, out, 0) };
	unsigned flow = 0, mail = 0;
	(void)state;

	worker_live(s.w);
	say(&s, greeting, 3);
	for (unsigned i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		s.now_ns = ticks[i].at_ns - SECOND / 8;
		say(&s, ticks[i].login ? &login : &ack, 1);
		tick(s.w, ticks[i].at_ns);
		take_times(out, &flow, &mail);
		assert_int_equal(flow, ticks[i].flow);
		assert_int_equal(mail, ticks[i].mail);
	}
	worker_finish(s.w);
	take_times(out, &flow, &mail);
	assert_int_equal(mail, 4);
	worker_free(&s.w);
	queue_free(&out);
}

static void a_flow_names_the_frames_with_the_first_and_the_last_bytes_of_each_side(void **state)
{
	static const struct said login[] = {
		{ false, TCP_ACK, "a LOGIN anna geheim\r\n" },
		{ true, TCP_ACK, "a OK done\r\n" },
		{ false, TCP_ACK, "b NOOP\r\n" },
		{ false, TCP_ACK, "b NOOP\r\n" },	/* as 6 */
		{ true, TCP_ACK | TCP_FIN, "" },
		{ false, TCP_ACK | TCP_FIN, "" },
	};
	struct queue *out = queue_new(100);
	struct session s = { .w = worker_new(0, 1, NULL, out, 0) };
	struct last last[10] = { 0 };
	unsigned batches = 0;
	(void)state;

	say(&s, greeting, 3);
	say(&s, login, 3);
	s.seq[0] -= (uint32_t)strlen(login[2].text);
	say(&s, login + 3, 3);
	worker_finish(s.w);
	assert_true(take_all(out, last, &batches));
	assert_int_equal(last[1].flow.last_frame, 9);
	assert_int_equal(last[1].flow.first_sent[SIDE_ORIGINATOR], 4);
	assert_int_equal(last[1].flow.last_sent[SIDE_ORIGINATOR], 6);
	assert_int_equal(last[1].flow.first_sent[SIDE_RESPONDER], 3);
	assert_int_equal(last[1].flow.last_sent[SIDE_RESPONDER], 5);
	worker_free(&s.w);
	queue_free(&out);
}

static void what_is_not_known_yet_of_starttls_is_known_in_the_end(void **state)
{
	static const struct said starttls[] = {
		{ false, TCP_ACK, "a STARTTLS\r\n" },
		{ true, TCP_ACK, "a OK begin\r\n" },
	}, close[] = {
		{ false, TCP_ACK | TCP_FIN, "" },
		{ true, TCP_ACK | TCP_FIN, "" },
	};
	struct queue *out = queue_new(100);
	struct session s = { .w = worker_new(0, 1, NULL, out, 0) };
	struct last last[8] = { 0 };
	unsigned batches = 0;
	(void)state;

	worker_live(s.w);
	say(&s, greeting, 3);
	say(&s, starttls, 2);
	tick(s.w, 11 * SECOND);
	assert_false(take_all(out, last, &batches));
	assert_int_equal(last[1].mail.transport, MAIL_UNKNOWN);
	say(&s, close, 2);
	worker_finish(s.w);
	assert_true(take_all(out, last, &batches));
	assert_int_equal(last[1].mail.transport, MAIL_STARTTLS_FAILED);
	worker_free(&s.w);
	queue_free(&out);
}

/* Dialogues that begin anywhere, with pieces missing, the client's side on the lower or the higher port: all
 * that a description could spoil. */
static void run(bool live, struct last *last)
{
	static const char *const texts[] = {
		"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "a LOGIN anna geheim\r\n", "a OK done\r\n",
		"b STARTTLS\r\n", "220 mail.example ESMTP\r\n", "EHLO pc.example\r\n", "250-mail.example\r\n250 STARTTLS\r\n",
		"+OK ready <1@mail.example>\r\n", "USER anna\r\n", "PASS geheim\r\n", "\x16\x03\x01", "QUIT\r\n", "",
	};
	struct queue *out = queue_new(PACKETS);
	struct worker *w = worker_new(0, 1, NULL, out, 0);
	uint32_t seq[FLOWS][2] = { { 0 } }, x = 4711;
	unsigned batches = 0;

	if (live)
		worker_live(w);
	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned flow, back;
		struct packet p;

		x = x * 1664525 + 1013904223;
		flow = (x >> 8) % FLOWS;
		back = (x >> 16) % 2;
		p = packet_of(back ? "SC" : "CS", (uint16_t)(back ? 2143 : 30000 + flow),
			      (uint16_t)(back ? 30000 + flow : 2143), texts[(x >> 17) % 13]);
		p.frame = i + 1;
		p.time_ns = 100 * SECOND + (int64_t)i * SECOND / 7;
		p.seq = seq[flow][back] + ((x >> 24) % 16 == 0 ? 40 : 0);
		p.ack = seq[flow][!back];
		p.tcp_flags = TCP_ACK | ((x >> 21) % 64 == 0 ? TCP_FIN : 0) | ((x >> 22) % 128 == 0 ? TCP_RST : 0);
		seq[flow][back] = p.seq + p.payload_len;
		worker_step(w, &p);
		if (i % 7 == 6)
			tick(w, p.time_ns);
	}
	worker_finish(w);
	while (!take_all(out, last, &batches))
		;
	worker_free(&w);
	queue_free(&out);
}

static void in_the_end_it_says_of_each_flow_what_a_worker_says_that_is_not_live(void **state)
{
	struct last *live = base_alloc_array(PACKETS + 1, sizeof(*live));
	struct last *want = base_alloc_array(PACKETS + 1, sizeof(*want));
	unsigned said = 0, again = 0, mail = 0;
	(void)state;

	run(true, live);
	run(false, want);
	for (unsigned i = 0; i <= PACKETS; i++) {
		assert_memory_equal(&live[i].flow, &want[i].flow, sizeof(live[i].flow));
		assert_memory_equal(&live[i].mail, &want[i].mail, sizeof(live[i].mail));
		said += want[i].times;
		again += live[i].times > want[i].times;
		mail += want[i].mail.flow != 0;
	}
	assert_true(said >= FLOWS);
	assert_true(again >= FLOWS);
	assert_true(mail > FLOWS / 4);
	free(live);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_is_told_at_the_next_tick_while_its_session_goes_on),
		cmocka_unit_test(a_flow_that_goes_on_is_told_each_half_second_and_what_was_read_when_it_is_new),
		cmocka_unit_test(a_flow_names_the_frames_with_the_first_and_the_last_bytes_of_each_side),
		cmocka_unit_test(what_is_not_known_yet_of_starttls_is_known_in_the_end),
		cmocka_unit_test(in_the_end_it_says_of_each_flow_what_a_worker_says_that_is_not_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

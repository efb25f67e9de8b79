/* Whole dialogues through a worker: who reads them, from which side, and what waits for an answer. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/worker.h"

#include <netinet/in.h>

#define CLIENT_PORT 40000
#define SERVER_PORT 50143	/* high, so that only SYN and content tell who is client */

struct said {
	bool by_client;
	const char *text;
};

struct dialogue {
	const char *name;
	bool syn, reset;
	struct said said[5];
	enum mail_transport transport;
	enum mail_credential credential;
	bool accepted;
};

static struct packet packet_of(bool by_client, uint64_t frame, uint8_t flags)
{
	struct host_port client = { .port = CLIENT_PORT }, server = { .port = SERVER_PORT };
	struct packet p = { .frame = frame, .time_ns = (int64_t)frame * 1000, .tcp_flags = flags, .fragments = 1 };

	host_of_ipv4((uint8_t[]){ 192, 0, 2, 7 }, client.addr);
	host_of_ipv4((uint8_t[]){ 198, 51, 100, 9 }, server.addr);
	p.dir = (uint8_t)flow_key_make(&p.key, by_client ? &client : &server, by_client ? &server : &client,
				       IPPROTO_TCP);
	p.shard = (uint8_t)flow_key_shard(&p.key);
	return p;
}

static void play(struct worker *w, const struct dialogue *d)
{
	uint32_t next[2] = { 1000, 5000 };	/* server's, client's */
	uint64_t frame = 0;

	for (int client = 1; client >= 0 && d->syn; client--) {
		struct packet p = packet_of(client, ++frame, client ? TCP_SYN : TCP_SYN | TCP_ACK);

		p.seq = next[client]++;
		p.ack = next[!client];
		worker_step(w, &p);
	}
	for (size_t i = 0; i < 5 && d->said[i].text != NULL; i++) {
		bool client = d->said[i].by_client;
		struct packet p = packet_of(client, ++frame, TCP_ACK);

		p.payload = (const uint8_t *)d->said[i].text;
		p.payload_len = p.payload_wire_len = (uint32_t)strlen(d->said[i].text);
		p.seq = next[client];
		p.ack = next[!client];
		next[client] += p.payload_len;
		worker_step(w, &p);
	}
	if (d->reset) {
		struct packet p = packet_of(true, ++frame, TCP_RST);

		worker_step(w, &p);
	}
	worker_finish(w);
}

static void dialogues_are_read_from_the_right_side_and_to_their_end(void **state)
{
	static const struct dialogue cases[] = {
		{ "a login sent behind a STARTTLS that is refused", true, false,
		  { { false, "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n" },
		    { true, "a STARTTLS\r\nb LOGIN anna secret\r\n" },
		    { false, "a NO not today\r\n" }, { false, "b OK done\r\n" } },
		  MAIL_STARTTLS_REFUSED, CREDENTIAL_REUSABLE, true },
		{ "a connection that ends instead of a handshake", true, true,
		  { { false, "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n" }, { true, "a STARTTLS\r\n" },
		    { false, "a OK go ahead\r\n" } },
		  MAIL_STARTTLS_FAILED, CREDENTIAL_NONE, false },
		{ "no SYN, and the server speaks first", false, false,
		  { { false, "* OK [CAPABILITY IMAP4rev1] ready\r\n" }, { true, "a LOGIN anna secret\r\n" },
		    { false, "a OK done\r\n" } },
		  MAIL_PLAINTEXT, CREDENTIAL_REUSABLE, true },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct dialogue *d = &cases[i];
		struct queue *out = queue_new(100);
		struct worker *w = worker_new(0, 1, NULL, out, 0);
		struct fact_batch *b;
		unsigned sessions = 0;

		play(w, d);
		b = queue_take(out);
		for (unsigned k = 0; k < b->count; k++) {
			const struct fact *f = &b->facts[k];

			if (f->kind == FACT_FLOW && f->flow.orig_port != CLIENT_PORT)
				fail_msg("%s: the server was taken for the client", d->name);
			if (f->kind != FACT_MAIL_SESSION)
				continue;
			sessions++;
			if (f->mail_session.transport != d->transport ||
			    f->mail_session.credential != d->credential ||
			    f->mail_session.accepted != d->accepted)
				fail_msg("%s: %s, %s, accepted %d", d->name,
					 fact_mail_transport_name(f->mail_session.transport),
					 fact_mail_credential_name(f->mail_session.credential),
					 f->mail_session.accepted);
		}
		if (sessions != 1)
			fail_msg("%s: %u mail sessions", d->name, sessions);
		free(b);
		worker_free(&w);
		queue_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogues_are_read_from_the_right_side_and_to_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

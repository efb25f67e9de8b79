/* Whole dialogues through a worker: who reads them, from which side, and what waits for an answer. */
#include "tests/test.h"

#include "capture/base.h"
#include "capture/flow_key.h"
#include "classify/worker.h"

#include <netinet/in.h>

#define CLIENT_PORT 40000
#define SERVER_PORT 50143	/* high, so that only SYN and content tell who is client */

struct said {
	bool by_client;
	const char *text;
	size_t len;
};

struct dialogue {
	const char *name;
	bool syn, reset;
	uint32_t close;		/* with FINs, the server's this many bytes ahead of what was seen, plus 1 */
	struct said said[7];
	enum mail_transport transport;
	enum mail_credential credential;
	bool accepted;
	uint32_t injected[2];
	const char *claimed;	/* whom a proxy speaks for; NULL is nobody */
};

#define BYTES(text) text, sizeof(text) - 1
#define ZERO_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define CLIENT_HELLO "\x16\3\1\0\x2d\1\0\0\x29\3\3" ZERO_16 ZERO_16 "\0\0\2\xc0\x2f\1\0"
#define SERVER_HELLO "\x16\3\3\0\x2a\2\0\0\x26\3\3" ZERO_16 ZERO_16 "\0\xc0\x2f\0"
#define IMAP_HELLO { false, BYTES("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n") }
#define PROXY_2 "\r\n\r\n\0\r\nQUIT\n"

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

/* Each thing said in pieces of `size` bytes at most. */
static void play(struct worker *w, const struct dialogue *d, uint32_t size)
{
	uint32_t next[2] = { 1000, 5000 };	/* server's, client's */
	uint64_t frame = 0;

	for (int client = 1; client >= 0 && d->syn; client--) {
		struct packet p = packet_of(client, ++frame, client ? TCP_SYN : TCP_SYN | TCP_ACK);

		p.seq = next[client]++;
		p.ack = next[!client];
		worker_step(w, &p);
	}
	for (size_t i = 0; i < 7 && d->said[i].text != NULL; i++) {
		bool client = d->said[i].by_client;
		uint32_t len = (uint32_t)d->said[i].len;

		for (uint32_t at = 0; at < len; at += size) {
			struct packet p = packet_of(client, ++frame, TCP_ACK);

			p.payload = (const uint8_t *)d->said[i].text + at;
			p.payload_len = p.payload_wire_len = len - at < size ? len - at : size;
			p.seq = next[client];
			p.ack = next[!client];
			next[client] += p.payload_len;
			worker_step(w, &p);
		}
	}
	if (d->reset) {
		struct packet p = packet_of(true, ++frame, TCP_RST);

		worker_step(w, &p);
	}
	for (int client = 0; client <= 1 && d->close > 0; client++) {
		struct packet p = packet_of(client, ++frame, TCP_FIN | TCP_ACK);

		p.seq = next[client] + (client ? 0 : d->close - 1);
		p.ack = next[!client];
		worker_step(w, &p);
	}
	worker_finish(w);
}

static void dialogues_are_read_from_the_right_side_and_to_their_end(void **state)
{
	static const struct dialogue cases[] = {
		{ "a login sent behind a STARTTLS that is refused", true, false, 0,
		  { { false, BYTES("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n") },
		    { true, BYTES("a STARTTLS\r\nb LOGIN anna secret\r\n") },
		    { false, BYTES("a NO not today\r\n") }, { false, BYTES("b OK done\r\n") } },
		  MAIL_STARTTLS_REFUSED, CREDENTIAL_REUSABLE, .accepted = true },
		{ "a connection that ends instead of a handshake", true, true, 0,
		  { { false, BYTES("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n") }, { true, BYTES("a STARTTLS\r\n") },
		    { false, BYTES("a OK go ahead\r\n") } },
		  .transport = MAIL_STARTTLS_FAILED },
		{ "no SYN, and the server speaks first", false, false, 0,
		  { { false, BYTES("* OK [CAPABILITY IMAP4rev1] ready\r\n") }, { true, BYTES("a LOGIN anna secret\r\n") },
		    { false, BYTES("a OK done\r\n") } },
		  MAIL_PLAINTEXT, CREDENTIAL_REUSABLE, .accepted = true },
		{ "a session under way: this OK is no greeting", false, false, 0,
		  { { false, BYTES("* OK Still here\r\n") }, { true, BYTES("a CAPABILITY\r\n") },
		    { false, BYTES("* CAPABILITY IMAP4rev1 IDLE\r\na OK done\r\n") } },
		  .transport = MAIL_UNKNOWN },
		{ "a session under way: this +OK is no greeting", false, false, 0,
		  { { false, BYTES("+OK 2 320\r\n") }, { true, BYTES("CAPA\r\n") },
		    { false, BYTES("+OK\r\nTOP\r\n.\r\n") } },
		  .transport = MAIL_UNKNOWN },
		{ "a session under way: this list is not what a greeting would have said", false, false, 0,
		  { { false, BYTES("\"IMPLEMENTATION\" \"x\"\r\n\"SASL\" \"\"\r\nOK\r\n") }, { true, BYTES("LISTSCRIPTS\r\n") } },
		  .transport = MAIL_UNKNOWN },
		{ .name = "a connection closed instead of an answer to STARTTLS", .syn = true, .close = 1,
		  .said = { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") } }, .transport = MAIL_STARTTLS_REFUSED },
		{ .name = "a connection closed, and an answer may be missing", .syn = true, .close = 1 + 10,
		  .said = { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") } }, .transport = MAIL_UNKNOWN },
		{ .name = "a connection closed whose begin was not seen", .close = 1,
		  .said = { { true, BYTES("a STARTTLS\r\n") }, { false, BYTES("* OK Still here\r\n") } },
		  .transport = MAIL_UNKNOWN },
		{ .name = "a connection reset instead of an answer to STARTTLS", .syn = true, .reset = true,
		  .said = { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") } }, .transport = MAIL_UNKNOWN },
		{ .name = "a connection closed without STARTTLS", .syn = true, .close = 1,
		  .said = { IMAP_HELLO, { true, BYTES("a LOGOUT\r\n") } }, .transport = MAIL_UNKNOWN },
		{ "STARTTLS and a handshake", true, false, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") }, { false, BYTES("a OK go\r\n") },
		    { true, BYTES(CLIENT_HELLO) }, { false, BYTES(SERVER_HELLO) } },
		  .transport = MAIL_STARTTLS_USED },
		{ "a ClientHello that does not wait", true, false, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n" CLIENT_HELLO) },
		    { false, BYTES("a OK go\r\n" SERVER_HELLO) } },
		  .transport = MAIL_STARTTLS_USED },
		{ "a command injected behind STARTTLS, and TLS all the same", true, false, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\nb NOOP\r\n") }, { false, BYTES("a OK go\r\n") },
		    { true, BYTES(CLIENT_HELLO) }, { false, BYTES(SERVER_HELLO) } },
		  MAIL_STARTTLS_USED, CREDENTIAL_NONE, .injected = { 8, 0 } },
		{ "a command injected after the agreement", true, false, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") }, { false, BYTES("a OK go\r\n") },
		    { true, BYTES("b LOGIN anna secret\r\n" CLIENT_HELLO) }, { false, BYTES(SERVER_HELLO) } },
		  MAIL_STARTTLS_USED, CREDENTIAL_NONE, .injected = { 21, 0 } },
		{ "no SYN, and something injected from both sides", false, false, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") }, { false, BYTES("a OK go\r\n* OK\r\n") },
		    { true, BYTES("b NOOP\r\n" CLIENT_HELLO) }, { false, BYTES(SERVER_HELLO) } },
		  MAIL_STARTTLS_USED, CREDENTIAL_NONE, .injected = { 8, 6 } },
		{ "a response injected behind the agreement", true, false, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") },
		    { false, BYTES("a OK go\r\n* OK [ALERT] \xc3\xb6\x16\r\n") }, { true, BYTES(CLIENT_HELLO) },
		    { false, BYTES("* BYE\r\n" SERVER_HELLO) } },
		  MAIL_STARTTLS_USED, CREDENTIAL_NONE, .injected = { 0, 18 + 7 } },
		{ "a server that gives up on TLS says so in clear", true, true, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") }, { false, BYTES("a OK go\r\n") },
		    { true, BYTES(CLIENT_HELLO) }, { false, BYTES("* BYE no TLS\r\n") } },
		  .transport = MAIL_STARTTLS_FAILED },
		{ "a client that asks for TLS and goes on in clear", true, true, 0,
		  { IMAP_HELLO, { true, BYTES("a STARTTLS\r\n") }, { false, BYTES("a OK go\r\n") },
		    { true, BYTES("b LOGIN anna secret\r\n") } },
		  .transport = MAIL_STARTTLS_FAILED },
		{ "a proxy before SMTP", true, false, 0,
		  { { true, BYTES("PROXY TCP4 192.0.2.99 198.51.100.9 40000 25\r\n") },
		    { false, BYTES("220 mx ESMTP\r\n") }, { true, BYTES("EHLO pc\r\n") },
		    { false, BYTES("250-mx\r\n250 AUTH PLAIN\r\n") }, { true, BYTES("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n") },
		    { false, BYTES("235 in\r\n") } },
		  MAIL_PLAINTEXT, CREDENTIAL_REUSABLE, .accepted = true, .claimed = "192.0.2.99" },
		{ "a proxy before IMAP, binary, and no SYN", false, false, 0,
		  { { true, BYTES(PROXY_2 "\x21\x21\0\x27" "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7" ZERO_16
				  "\1\1\0\x8f" "\4\0\0") },
		    { false, BYTES("* OK [CAPABILITY IMAP4rev1] ready\r\n") }, { true, BYTES("a LOGIN anna secret\r\n") },
		    { false, BYTES("a OK done\r\n") } },
		  MAIL_PLAINTEXT, CREDENTIAL_REUSABLE, .accepted = true, .claimed = "2001:db8::7" },
		{ "a proxy's own check, and a client that speaks at once", true, false, 0,
		  { { true, BYTES(PROXY_2 "\x20\0\0\0" "EHLO pc\r\n") }, { false, BYTES("220 mx ESMTP\r\n") },
		    { false, BYTES("250-mx\r\n250 SIZE\r\n") } },
		  .transport = MAIL_PLAINTEXT },
		{ "a proxy that does not know", true, false, 0,
		  { { true, BYTES("PROXY UNKNOWN\r\n") }, { false, BYTES("+OK ready\r\n") }, { true, BYTES("CAPA\r\n") },
		    { false, BYTES("+OK\r\nTOP\r\n.\r\n") } },
		  .transport = MAIL_PLAINTEXT },
	};
	(void)state;

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const struct dialogue *d = &cases[i / 2];
		struct queue *out = queue_new(100);
		struct worker *w = worker_new(0, 1, NULL, out, 0);
		struct fact_batch *b;
		unsigned sessions = 0;
		char address[HOST_TEXT_SIZE];

		play(w, d, i % 2 == 0 ? UINT32_MAX : 1);
		b = queue_take(out);
		for (unsigned k = 0; k < b->count; k++) {
			const struct fact *f = &b->facts[k];

			if (f->kind == FACT_FLOW && f->flow.orig_port != CLIENT_PORT)
				fail_msg("%s: the server was taken for the client", d->name);
			if (f->kind != FACT_MAIL_SESSION)
				continue;
			sessions++;
			if (memcmp(f->mail_session.injected, d->injected, sizeof(d->injected)) != 0)
				fail_msg("%s: injected %u, %u", d->name, f->mail_session.injected[0],
					 f->mail_session.injected[1]);
			host_text(f->mail_session.claimed_client, address);
			if (strcmp(f->mail_session.claimed_by, d->claimed == NULL ? "" : "proxy") != 0 ||
			    (d->claimed != NULL && strcmp(address, d->claimed) != 0))
				fail_msg("%s: %s claims %s", d->name, f->mail_session.claimed_by, address);
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

static void tls_behind_a_proxys_header_is_read(void **state)
{
	static const struct dialogue cases[] = {
		{ "in one segment", true, false, 0, { { true, BYTES("PROXY TCP6 2001:db8::7 2001:db8::9 1 993\r\n" CLIENT_HELLO) } },
		  .transport = MAIL_UNKNOWN },
		{ "apart, binary", false, false, 0,
		  { { true, BYTES(PROXY_2 "\x21\x11\0\x0c" "\xc0\0\2\7" "\xc6\x33\x64\x09" "\1\1\1\1") },
		    { true, BYTES(CLIENT_HELLO) }, { false, BYTES(SERVER_HELLO) } }, .transport = MAIL_UNKNOWN },
	};
	(void)state;

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue *out = queue_new(100);
		struct worker *w = worker_new(0, 1, NULL, out, 0);
		struct fact_batch *b;
		unsigned handshakes = 0;

		play(w, &cases[i / 2], i % 2 == 0 ? UINT32_MAX : 1);
		b = queue_take(out);
		for (unsigned k = 0; k < b->count; k++) {
			assert_int_not_equal(b->facts[k].kind, FACT_MAIL_SESSION);
			handshakes += b->facts[k].kind == FACT_HANDSHAKE;
			if (b->facts[k].kind == FACT_FLOW)
				assert_string_equal(b->facts[k].flow.app_proto, "tls");
		}
		assert_int_equal(handshakes, 1);
		free(b);
		worker_free(&w);
		queue_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogues_are_read_from_the_right_side_and_to_their_end),
		cmocka_unit_test(tls_behind_a_proxys_header_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

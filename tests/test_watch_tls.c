/* Real handshakes, made by OpenSSL over memory, are read right however they are cut; and hellos that no
 * library makes. Longer than most: every way to cut goes over the same handshakes. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/watch_tls.h"

#include <openssl/ssl.h>

#define FLIGHTS 32
#define FLIGHT_SIZE 8192
#define SNI "IMAP.Mail.Example"

struct flight {
	enum fact_side from;
	size_t len;
	uint8_t data[FLIGHT_SIZE];
};

struct talk {
	size_t count;
	struct flight flights[FLIGHTS];
};

struct scenario {
	const char *name;
	int max_version;
	bool resume, verify, retry, alpn, no_sni;
	struct fact_handshake want;
};

static const struct scenario scenarios[] = {
	{ "1.3", TLS1_3_VERSION,
	  .want = { .client_version = 0x0304, .version = 0x0304, .completed = true } },
	{ "1.3 resumed", TLS1_3_VERSION, .resume = true,
	  .want = { .client_version = 0x0304, .version = 0x0304, .completed = true, .resumed = true } },
	{ "1.3 after a HelloRetryRequest", TLS1_3_VERSION, .retry = true, .alpn = true,
	  .want = { .client_version = 0x0304, .version = 0x0304, .completed = true } },
	{ "1.3, the client rejects the certificate", TLS1_3_VERSION, .verify = true,
	  .want = { .client_version = 0x0304, .version = 0x0304, .alert_in_clear = true, .alert = 48,
		    .alert_from = SIDE_ORIGINATOR } },
	{ "1.2", TLS1_2_VERSION, .alpn = true,
	  .want = { .client_version = 0x0303, .version = 0x0303, .completed = true, .alpn_chosen = "imap" } },
	{ "1.2 resumed", TLS1_2_VERSION, .resume = true,
	  .want = { .client_version = 0x0303, .version = 0x0303, .completed = true, .resumed = true } },
	{ "1.2, the client rejects the certificate", TLS1_2_VERSION, .verify = true,
	  .want = { .client_version = 0x0303, .version = 0x0303, .alert_in_clear = true, .alert = 48,
		    .alert_from = SIDE_ORIGINATOR } },
	{ "1.2 without a name", TLS1_2_VERSION, .no_sni = true,
	  .want = { .client_version = 0x0303, .version = 0x0303, .completed = true } },
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static struct talk talks[SCENARIOS];
static uint8_t *server_der;		/* of the only certificate that servers have here */
static int server_der_len;

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
		       unsigned in_len, void *context)
{
	(void)ssl, (void)context, (void)in_len;
	*out = in + 1;
	*len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)"imap.mail.example", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	server_der_len = i2d_X509(cert, &server_der);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

/* Carries what one side has written to the other, and notes it. */
static bool carry(struct talk *talk, enum fact_side from, SSL *writer, SSL *reader)
{
	struct flight *f = &talk->flights[talk->count];
	int n = BIO_read(SSL_get_wbio(writer), f->data, FLIGHT_SIZE);

	if (n <= 0)
		return false;
	f->from = from;
	f->len = (size_t)n;
	talk->count++;
	assert_true(talk->count < FLIGHTS && n < FLIGHT_SIZE);
	assert_int_equal(BIO_write(SSL_get_rbio(reader), f->data, n), n);
	return true;
}

static SSL *side_new(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

static SSL_SESSION *converse(struct talk *talk, const struct scenario *sc, SSL_CTX *client_ctx,
			     SSL_CTX *server_ctx, SSL_SESSION *session)
{
	static const unsigned char alpn[] = "\x04imap\x08http/1.1";
	SSL *client = side_new(client_ctx), *server = side_new(server_ctx);
	char text[64];
	bool moved = true;

	talk->count = 0;
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	SSL_set_max_proto_version(client, sc->max_version);
	if (!sc->no_sni)
		SSL_set_tlsext_host_name(client, SNI);
	if (sc->alpn)
		SSL_set_alpn_protos(client, alpn, sizeof(alpn) - 1);
	if (sc->retry)
		SSL_set1_groups_list(server, "P-384");
	SSL_set_verify(client, sc->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (session != NULL)
		SSL_set_session(client, session);
	while (moved) {
		SSL_do_handshake(client);
		moved = carry(talk, SIDE_ORIGINATOR, client, server);
		SSL_do_handshake(server);
		moved |= carry(talk, SIDE_RESPONDER, server, client);
	}
	assert_int_equal(SSL_is_init_finished(client), !sc->verify);
	if (!sc->verify) {
		assert_int_equal(SSL_write(server, "* OK\r\n", 6), 6);
		carry(talk, SIDE_RESPONDER, server, client);
		assert_int_equal(SSL_read(client, text, sizeof(text)), 6);
		assert_int_equal(SSL_write(client, "a NOOP\r\n", 8), 8);
		carry(talk, SIDE_ORIGINATOR, client, server);
		assert_int_equal(SSL_session_reused(client), session != NULL);
	}
	session = SSL_get1_session(client);
	SSL_shutdown(client);	/* or OpenSSL would not let the session be used again */
	SSL_free(client);
	SSL_free(server);
	return session;
}

static int make_talks(void **state)
{
	SSL_CTX *server = server_context(), *client = SSL_CTX_new(TLS_client_method());
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		SSL_SESSION *first = converse(&talks[i], &scenarios[i], client, server, NULL);

		if (scenarios[i].resume)
			SSL_SESSION_free(converse(&talks[i], &scenarios[i], client, server, first));
		SSL_SESSION_free(first);
	}
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	return 0;
}

/* A watcher with what it left unread, as stream.c keeps it. */
struct run {
	void *state;
	enum watch_answer answer;
	size_t kept[2];
	uint8_t left[2][1 << 17];
	struct watch_facts facts;
};

static void run_start(struct run *r)
{
	memset(&r->facts, 0, sizeof(r->facts));
	r->kept[0] = r->kept[1] = 0;
	r->answer = WATCH_MORE;
	r->state = base_alloc(watch_tls.size);
}

static void run_feed(struct run *r, enum fact_side from, const uint8_t *data, size_t len, uint64_t frame)
{
	size_t used = 0, *kept = &r->kept[from];
	uint8_t *exact;

	if (r->answer != WATCH_MORE)
		return;
	memcpy(r->left[from] + *kept, data, len);
	*kept += len;
	/* Exactly as large as it is, so that a sanitizer sees any read behind it. */
	exact = base_alloc(*kept);
	memcpy(exact, r->left[from], *kept);
	r->answer = watch_tls.feed(&watch_tls, r->state, from, bytes_of(exact, *kept), frame, &used, &r->facts);
	free(exact);
	assert_true(used <= *kept);
	*kept -= used;
	memmove(r->left[from], r->left[from] + used, *kept);
}

static void run_end(struct run *r)
{
	free(r->facts.chain);
	free(r->state);
	r->state = NULL;
}

/* The chain is whole, and of the one certificate. */
static bool chain_is_kept(const struct watch_chain *c)
{
	size_t der = (size_t)server_der_len;

	return c != NULL && c->from == SIDE_RESPONDER && c->len == 6 + der && c->kept == c->len &&
	       c->data[2] == ((der + 3) & 0xff) && c->data[5] == (der & 0xff) &&
	       memcmp(c->data + 6, server_der, der) == 0;
}

static void check(const struct scenario *sc, const struct run *r, const char *how)
{
	const struct fact_handshake *h = &r->facts.handshake;
	const char *sni = sc->no_sni ? "" : "imap.mail.example";

	if (!r->facts.has_handshake || strcmp(h->sni, sni) != 0 || h->cipher == 0 ||
	    strcmp(h->alpn, sc->alpn ? "imap,http/1.1" : "") != 0 ||
	    strcmp(h->alpn_chosen, sc->want.alpn_chosen) != 0 ||
	    h->client_version != sc->want.client_version || h->version != sc->want.version ||
	    h->resumed != sc->want.resumed || h->completed != sc->want.completed ||
	    h->alert_in_clear != sc->want.alert_in_clear || h->alert != sc->want.alert ||
	    h->alert_from != sc->want.alert_from || r->facts.flip || h->ech || h->quic ||
	    strlen(h->ja4) != 36 || h->ja4[0] != 't' || h->ja4[3] != (sc->no_sni ? 'i' : 'd') ||
	    memcmp(h->ja4 + 8, sc->alpn ? "ip_" : "00_", 3) != 0)
		fail_msg("%s, %s: sni %s alpn %s/%s versions %x/%x resumed %d completed %d alert %d ja4 %s",
			 sc->name, how, h->sni, h->alpn, h->alpn_chosen, h->client_version, h->version,
			 h->resumed, h->completed, h->alert, h->ja4);
	if (h->certificate_seen != (h->version < 0x0304 && !sc->resume) ||
	    (h->certificate_seen ? !chain_is_kept(r->facts.chain) : r->facts.chain != NULL))
		fail_msg("%s, %s: the chain", sc->name, how);
	assert_int_equal(r->answer, h->completed || h->alert_in_clear ? WATCH_DONE : WATCH_MORE);
}

static struct run run;

static void each_handshake_is_read_right(void **state)
{
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		run_start(&run);
		for (size_t k = 0; k < talks[i].count; k++)
			run_feed(&run, talks[i].flights[k].from, talks[i].flights[k].data,
				 talks[i].flights[k].len, k + 1);
		check(&scenarios[i], &run, "whole");
		assert_int_equal(run.facts.handshake.frame, 1);
		assert_int_equal(run.facts.handshake.server_frame, scenarios[i].retry ? 4 : 2);
		run_end(&run);
	}
}

static void it_is_read_alike_when_split_at_every_byte(void **state)
{
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		for (size_t split = 0; split < talks[i].flights[1].len; split++) {
			run_start(&run);
			for (size_t k = 0; k < talks[i].count; k++) {
				const struct flight *f = &talks[i].flights[k];
				size_t at = split < f->len ? split : f->len;

				run_feed(&run, f->from, f->data, at, 1);
				run_feed(&run, f->from, f->data + at, f->len - at, 1);
			}
			check(&scenarios[i], &run, "split");
			run_end(&run);
		}
	}
}

static void it_is_read_alike_byte_by_byte(void **state)
{
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		run_start(&run);
		for (size_t k = 0; k < talks[i].count; k++)
			for (size_t j = 0; j < talks[i].flights[k].len; j++)
				run_feed(&run, talks[i].flights[k].from, talks[i].flights[k].data + j, 1, 1);
		check(&scenarios[i], &run, "byte by byte");
		run_end(&run);
	}
}

static void a_cut_handshake_never_reads_as_completed(void **state)
{
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct flight *f = &talks[i].flights[1];

		for (size_t cut = 0; cut < f->len; cut++) {
			run_start(&run);
			run_feed(&run, SIDE_ORIGINATOR, talks[i].flights[0].data, talks[i].flights[0].len, 1);
			run_feed(&run, SIDE_RESPONDER, f->data, cut, 2);
			assert_int_equal(run.answer, WATCH_MORE);
			assert_false(run.facts.handshake.completed);
			assert_true(run.facts.has_handshake);
			assert_true(run.facts.chain == NULL || run.facts.chain->kept < run.facts.chain->len ||
				    chain_is_kept(run.facts.chain));
			run_end(&run);
		}
	}
}

/* Cuts the handshake records of a flight that are in clear into records of n bytes. */
static size_t refragment(const uint8_t *in, size_t len, size_t n, uint8_t *out)
{
	size_t at = 0;

	while (len > 5) {
		size_t record = (size_t)(in[3] << 8 | in[4]), part;
		bool clear = in[0] == 22;

		for (size_t i = 0; i < record; i += part) {
			part = clear && record - i > n ? n : record - i;
			memcpy(out + at, in, 3);
			out[at + 3] = (uint8_t)(part >> 8);
			out[at + 4] = (uint8_t)part;
			memcpy(out + at + 5, in + 5 + i, part);
			at += 5 + part;
		}
		in += 5 + record;
		len -= 5 + record;
	}
	return at;
}

static void a_hello_may_come_in_any_number_of_records(void **state)
{
	static uint8_t cut[FLIGHT_SIZE * 6];
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		for (size_t n = 1; n < 300; n += n < 12 ? 1 : 41) {
			run_start(&run);
			for (size_t k = 0; k < talks[i].count; k++) {
				const struct flight *f = &talks[i].flights[k];
				size_t len = f->len;

				/* Of the 1.2 talks only the first two are all in clear. */
				if (k < 2)
					len = refragment(f->data, f->len, n, cut);
				run_feed(&run, f->from, k < 2 ? cut : f->data, len, 1);
			}
			if (!scenarios[i].resume || scenarios[i].max_version == TLS1_3_VERSION)
				check(&scenarios[i], &run, "in small records");
			assert_string_equal(run.facts.handshake.sni,
					    scenarios[i].no_sni ? "" : "imap.mail.example");
			run_end(&run);
		}
	}
}

static void with_one_side_lost_the_other_is_still_read(void **state)
{
	(void)state;

	for (size_t i = 0; i < SCENARIOS; i++) {
		for (enum fact_side lost = SIDE_ORIGINATOR; lost <= SIDE_RESPONDER; lost++) {
			run_start(&run);
			assert_int_equal(watch_tls.gap(run.state, lost, &run.facts), WATCH_MORE);
			for (size_t k = 0; k < talks[i].count; k++)
				if (talks[i].flights[k].from != lost)
					run_feed(&run, talks[i].flights[k].from, talks[i].flights[k].data,
						 talks[i].flights[k].len, 1);
			assert_true(run.facts.has_handshake);
			assert_false(run.facts.flip);
			if (lost == SIDE_RESPONDER && !scenarios[i].no_sni)
				assert_string_equal(run.facts.handshake.sni, "imap.mail.example");
			if (lost == SIDE_ORIGINATOR)
				assert_int_equal(run.facts.handshake.version, scenarios[i].want.version);
			if (scenarios[i].verify)
				assert_false(run.facts.handshake.completed);
			assert_int_equal(watch_tls.gap(run.state, lost ^ 1, &run.facts), WATCH_DONE);
			run_end(&run);
		}
	}
}

static void a_hello_from_the_responder_turns_the_flow(void **state)
{
	(void)state;

	run_start(&run);
	run_feed(&run, SIDE_RESPONDER, talks[0].flights[0].data, talks[0].flights[0].len, 1);
	assert_true(run.facts.flip);
	run_end(&run);
	run_start(&run);
	run_feed(&run, SIDE_ORIGINATOR, talks[0].flights[1].data, talks[0].flights[1].len, 1);
	assert_true(run.facts.flip);
	run_end(&run);
}

static void tls_is_recognised_by_its_first_bytes(void **state)
{
	static const struct {
		const char *first;
		size_t len;
		enum watch_match want;
	} cases[] = {
		{ "\x16\x03\x01\x02\x00\x01", 6, WATCH_YES }, { "\x16\x03\x03\x00\x50\x02", 6, WATCH_YES },
		{ "\x16\x03\x01\x00\x01\x01", 6, WATCH_YES },	/* one byte of the message a record */
		{ "", 0, WATCH_MAYBE }, { "\x16", 1, WATCH_MAYBE }, { "\x16\x03\x01\x02\x00", 5, WATCH_MAYBE },
		{ "\x16\x03\x05\x02\x00\x01", 6, WATCH_NO }, { "\x16\x02\x01\x02\x00\x01", 6, WATCH_NO },
		{ "\x16\x03\x01\x49\x00\x01", 6, WATCH_NO }, { "\x16\x03\x01\x02\x00\x0b", 6, WATCH_NO },
		{ "\x15\x03\x01\x00\x02\x02", 6, WATCH_NO }, { "\x17\x03\x03\x00\x20\x01", 6, WATCH_NO },
		{ "* OK", 4, WATCH_NO }, { "\x80\x2e\x01\x03\x01", 5, WATCH_NO },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_tls.recognise(&watch_tls, bytes_of(cases[i].first, cases[i].len)) != cases[i].want)
			fail_msg("case %zu", i);
}

/* A ClientHello whose only extensions are these. */
static size_t make_hello(uint8_t *out, const void *extensions, size_t len)
{
	size_t body = 2 + 32 + 1 + 4 + 2 + 2 + len, at = 4;

	memset(out, 0, body + 4);
	out[0] = 1;
	out[1] = (uint8_t)(body >> 16), out[2] = (uint8_t)(body >> 8), out[3] = (uint8_t)body;
	out[at] = out[at + 1] = 3;
	at += 2 + 32 + 1;
	memcpy(out + at, "\0\2\x13\1\1\0", 6);
	at += 6;
	out[at] = (uint8_t)(len >> 8), out[at + 1] = (uint8_t)len;
	memcpy(out + at + 2, extensions, len);
	return body + 4;
}

static size_t put_sni(uint8_t *out, const void *name, size_t len)
{
	const uint8_t head[] = {
		0, 0, (uint8_t)((len + 5) >> 8), (uint8_t)(len + 5), (uint8_t)((len + 3) >> 8),
		(uint8_t)(len + 3), 0, (uint8_t)(len >> 8), (uint8_t)len,
	};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), name, len);
	return sizeof(head) + len;
}

static void only_names_that_are_host_names_are_kept(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *want;
		enum parse parse;
		bool dot;
	} cases[] = {
		{ "mail.example", 12, "mail.example", PARSE_OK, false },
		{ "MAIL.Example.", 13, "mail.example", PARSE_OK, true },
		{ "a_b-c.example", 13, "a_b-c.example", PARSE_OK, false },
		{ "mail.example\0.evil.test", 23, "", PARSE_BAD, false },
		{ "mail\x1b[2J", 8, "", PARSE_BAD, false }, { "m\xc3\xa4il.example", 14, "", PARSE_BAD, false },
		{ "a b", 3, "", PARSE_BAD, false }, { "<b>", 3, "", PARSE_BAD, false },
		{ "", 0, "", PARSE_BAD, false }, { ".", 1, "", PARSE_BAD, true },
	};
	uint8_t ext[700], hello[800];
	char name[400];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fact_handshake h = { 0 };
		size_t len = make_hello(hello, ext, put_sni(ext, cases[i].name, cases[i].len));

		if (tls_client_hello(bytes_of(hello, len), &h) != cases[i].parse ||
		    strcmp(h.sni, cases[i].want) != 0 || h.sni_trailing_dot != cases[i].dot)
			fail_msg("%s: %s", cases[i].name, h.sni);
	}
	memset(name, 'a', sizeof(name));
	for (size_t n = 250; n < 260; n++) {
		struct fact_handshake h = { 0 };
		size_t len = make_hello(hello, ext, put_sni(ext, name, n));

		assert_int_equal(tls_client_hello(bytes_of(hello, len), &h), n <= 255 ? PARSE_OK : PARSE_BAD);
		assert_int_equal(strlen(h.sni), n <= 255 ? n : 0);
	}
}

static void grease_is_no_version_and_ech_is_noted(void **state)
{
	static const uint8_t ext[] = {
		0x0a, 0x0a, 0, 0,
		0, 43, 0, 7, 6, 0xfa, 0xfa, 3, 3, 3, 4,
		0, 16, 0, 17, 0, 15, 2, 0x0a, 0x0a, 2, 'h', '2', 3, 'a', ',', 'b', 4, 'i', 'm', 'a', 'p',
		0xfe, 0x0d, 0, 1, 0,
	};
	struct fact_handshake h = { 0 };
	uint8_t hello[200];
	size_t len = make_hello(hello, ext, sizeof(ext));
	(void)state;

	assert_int_equal(tls_client_hello(bytes_of(hello, len), &h), PARSE_OK);
	assert_int_equal(h.client_version, 0x0304);
	assert_string_equal(h.alpn, "h2,imap");
	assert_true(h.ech);
}

static void a_fallback_is_noted(void **state)
{
	struct fact_handshake h = { 0 };
	uint8_t hello[200];
	size_t len = make_hello(hello, "", 0), cipher = 4 + 2 + 32 + 1 + 2;
	(void)state;

	assert_int_equal(tls_client_hello(bytes_of(hello, len), &h), PARSE_OK);
	assert_false(h.fallback);
	hello[cipher] = 0x56, hello[cipher + 1] = 0;
	assert_int_equal(tls_client_hello(bytes_of(hello, len), &h), PARSE_OK);
	assert_true(h.fallback);
}

/* Server messages, after a hello of each side, with what is kept of them. */
static void only_the_first_chain_of_a_server_is_kept(void **state)
{
	static const uint8_t client_hello[] = { 22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3 };
	static const uint8_t server_hello[] = { 22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3 };
	static const struct {
		const char *name;
		enum fact_side from;
		size_t first, second, kept;
	} cases[] = {
		{ "of the server", SIDE_RESPONDER, 9, 0, 9 }, { "of the client", SIDE_ORIGINATOR, 9, 0, 0 },
		{ "twice", SIDE_RESPONDER, 9, 12, 9 }, { "empty", SIDE_RESPONDER, 0, 12, 0 },
		{ "too long", SIDE_RESPONDER, TLS_CHAIN_MAX + 1, 0, TLS_CHAIN_MAX },
	};
	static uint8_t out[1 << 17];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t hello[50] = { 0 };

		run_start(&run);
		memcpy(hello, client_hello, sizeof(client_hello));
		hello[46] = 1;		/* no ciphers, one compression method, as nobody asks */
		run_feed(&run, SIDE_ORIGINATOR, hello, 50, 1);
		memset(hello, 0, sizeof(hello));
		memcpy(hello, server_hello, sizeof(server_hello));
		run_feed(&run, SIDE_RESPONDER, hello, 47, 2);
		for (int k = 0; k < 2; k++) {
			size_t len = k == 0 ? cases[i].first : cases[i].second, at = 0, n = 0;

			if (k == 1 && len == 0)
				break;
			memset(out, 'x', sizeof(out));
			for (size_t left = len + 4; left > 0; left -= n) {
				n = left < 16000 ? left : 16000;
				memcpy(out + at, (uint8_t[]){ 22, 3, 3, (uint8_t)(n >> 8), (uint8_t)n }, 5);
				if (left == len + 4)
					memcpy(out + at + 5, (uint8_t[]){ 11, (uint8_t)(len >> 16),
						(uint8_t)(len >> 8), (uint8_t)len }, 4);
				at += n + 5;
			}
			run_feed(&run, cases[i].from, out, at, 3);
		}
		assert_int_equal(run.answer, WATCH_MORE);
		if (cases[i].from == SIDE_ORIGINATOR ? run.facts.chain != NULL :
		    run.facts.chain == NULL || run.facts.chain->kept != cases[i].kept ||
		    run.facts.chain->len != cases[i].first || !run.facts.handshake.certificate_seen)
			fail_msg("%s", cases[i].name);
		run_end(&run);
	}
}

static void only_a_hello_read_to_its_end_has_a_fingerprint(void **state)
{
	static const struct {
		const char *extensions;
		size_t len;
		const char *want;
	} cases[] = {
		{ "", 0, "t12i010000_0f2cb44170f4_000000000000" },
		{ "\0\25\0\0\0\53\0\3\2\3\4", 11, "t13i010200_0f2cb44170f4_7418e7913c75" },
		/* A name that is none is no less one that is asked for. */
		{ "\0\0\0\6\0\4\0\0\1\33", 10, "t12d010100_0f2cb44170f4_000000000000" },
		{ "\0\25\0\1", 4, "" }, { "\0\25\0", 3, "" }, { "\0\25\0\0\0", 5, "" },
	};
	uint8_t hello[200];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fact_handshake h = { 0 };
		size_t len = make_hello(hello, cases[i].extensions, cases[i].len);

		tls_client_hello(bytes_of(hello, len), &h);
		assert_string_equal(h.ja4, cases[i].want);

		/* More extensions are announced than there are. */
		h = (struct fact_handshake){ 0 };
		hello[46]++;
		assert_int_equal(tls_client_hello(bytes_of(hello, len), &h), PARSE_BAD);
		assert_string_equal(h.ja4, "");
	}
}

static void a_hello_is_bad_or_incomplete_at_every_cut_and_flipped_byte(void **state)
{
	static uint8_t ext[700], hello[800];
	size_t len = make_hello(hello, ext, put_sni(ext, "mail.example", 12));
	(void)state;

	for (size_t cut = 0; cut < len; cut++) {
		struct fact_handshake h = { 0 };

		assert_int_equal(tls_client_hello(bytes_of(hello, cut), &h), PARSE_MORE);
		assert_string_equal(h.sni, "");
	}
	for (size_t i = 0; i < len; i++) {
		for (unsigned v = 0; v < 256; v++) {
			struct fact_handshake h = { 0 };
			uint8_t *copy = base_alloc(len), was = hello[i];

			hello[i] = (uint8_t)v;
			memcpy(copy, hello, len);
			hello[i] = was;
			tls_client_hello(bytes_of(copy, len), &h);
			assert_true(memchr(h.sni, 0, sizeof(h.sni)) != NULL);
			free(copy);
		}
	}
}

static void a_hello_of_sixty_thousand_bytes_is_read_and_a_larger_one_is_not(void **state)
{
	static uint8_t ext[70000], hello[70100], records[80000];
	static const size_t sizes[] = { 60000, 65400 };
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		size_t n = put_sni(ext, "mail.example", 12), pad = sizes[i] - n - 4, at = 0;

		memcpy(ext + n, (const uint8_t[]){ 0, 21, (uint8_t)(pad >> 8), (uint8_t)pad }, 4);
		n = make_hello(hello, ext, sizes[i]);
		for (size_t k = 0; k < n; k += 16384) {
			size_t part = n - k < 16384 ? n - k : 16384;

			memcpy(records + at, "\x16\3\1", 3);
			records[at + 3] = (uint8_t)(part >> 8), records[at + 4] = (uint8_t)part;
			memcpy(records + at + 5, hello + k, part);
			at += 5 + part;
		}
		run_start(&run);
		for (size_t k = 0; k < at; k += 1400)
			run_feed(&run, SIDE_ORIGINATOR, records + k, at - k < 1400 ? at - k : 1400, 1);
		assert_string_equal(run.facts.handshake.sni, "mail.example");
		run_end(&run);
	}
	run_start(&run);
	run_feed(&run, SIDE_ORIGINATOR, (const uint8_t *)"\x16\3\1\x40\0\1\1\0\0\3\3", 11, 1);
	assert_int_equal(run.answer, WATCH_BAD);
	run_end(&run);
}

static void early_data_completes_nothing(void **state)
{
	static const uint8_t early[] = "\x14\3\3\0\1\1\x17\3\3\0\x50" "data";
	const struct talk *t = &talks[1];
	static uint8_t record[11 + 0x50];
	(void)state;

	memcpy(record, early, sizeof(early));
	run_start(&run);
	run_feed(&run, SIDE_ORIGINATOR, t->flights[0].data, t->flights[0].len, 1);
	run_feed(&run, SIDE_ORIGINATOR, record, sizeof(record), 1);
	run_feed(&run, SIDE_RESPONDER, t->flights[1].data, t->flights[1].len, 1);
	assert_int_equal(run.answer, WATCH_MORE);
	assert_false(run.facts.handshake.completed);
	run_end(&run);
}

/* OpenSSL's client sends its alert in clear, others protect it: nothing but its length tells. */
static void a_protected_alert_after_the_servers_flight_completes_nothing(void **state)
{
	static const struct {
		const char *name;
		size_t lens[3];		/* protected records of the client */
		size_t server;		/* one of the server between the first and the second */
		bool completed;
	} cases[] = {
		{ "alert", { 19 }, 0, false },
		{ "alert, CCM_8", { 11 }, 0, false },
		{ "alert, then the server's answer", { 19 }, 19, false },
		{ "alert, then the server's data on its way", { 19 }, 200, false },
		{ "Finished alone", { 53 }, 0, false },
		{ "Finished and an alert", { 69, 19 }, 0, false },
		{ "Finished and data", { 69, 25 }, 0, true },
		{ "Finished and a ticket", { 69 }, 200, true },
		{ "certificate and Finished", { 900, 69 }, 0, true },
	};
	static const uint8_t zeroes[1000];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_start(&run);
		run_feed(&run, SIDE_ORIGINATOR, talks[0].flights[0].data, talks[0].flights[0].len, 1);
		run_feed(&run, SIDE_RESPONDER, talks[0].flights[1].data, talks[0].flights[1].len, 1);
		run_feed(&run, SIDE_ORIGINATOR, (const uint8_t *)"\x14\3\3\0\1\1", 6, 1);
		for (size_t k = 0; k < 3 && cases[i].lens[k] > 0; k++) {
			uint8_t head[] = { 0x17, 3, 3, (uint8_t)(cases[i].lens[k] >> 8), (uint8_t)cases[i].lens[k] };

			run_feed(&run, SIDE_ORIGINATOR, head, 5, 1);
			run_feed(&run, SIDE_ORIGINATOR, zeroes, cases[i].lens[k], 1);
			if (k == 0 && cases[i].server > 0) {
				head[3] = 0, head[4] = (uint8_t)cases[i].server;
				run_feed(&run, SIDE_RESPONDER, head, 5, 1);
			}
		}
		if (run.facts.handshake.completed != cases[i].completed)
			fail_msg("%s", cases[i].name);
		run_end(&run);
	}
}

static void an_alert_split_in_the_middle_is_not_taken_for_one_in_clear(void **state)
{
	static uint8_t record[5 + 26] = { 21, 3, 3, 0, 26 };
	(void)state;

	memset(record + 5, 2, 26);
	for (size_t split = 0; split <= sizeof(record); split++) {
		run_start(&run);
		run_feed(&run, SIDE_ORIGINATOR, talks[4].flights[0].data, talks[4].flights[0].len, 1);
		run_feed(&run, SIDE_ORIGINATOR, record, split, 1);
		run_feed(&run, SIDE_ORIGINATOR, record + split, sizeof(record) - split, 1);
		assert_int_equal(run.answer, WATCH_MORE);
		assert_false(run.facts.handshake.alert_in_clear);
		run_end(&run);
	}
}

static void random_bytes_do_no_harm(void **state)
{
	uint8_t data[300];
	(void)state;

	srandom(4711);
	for (unsigned round = 0; round < 20000; round++) {
		run_start(&run);
		for (unsigned k = 0; k < 4 && run.answer == WATCH_MORE; k++) {
			for (size_t i = 0; i < sizeof(data); i++)
				data[i] = (uint8_t)(random() % 3 == 0 ? random() : random() % 30);
			memcpy(data, "\x16\3\1\0", round % 4);
			run_feed(&run, (enum fact_side)(random() & 1), data, (size_t)random() % sizeof(data), 1);
		}
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_handshake_is_read_right),
		cmocka_unit_test(it_is_read_alike_when_split_at_every_byte),
		cmocka_unit_test(it_is_read_alike_byte_by_byte),
		cmocka_unit_test(a_cut_handshake_never_reads_as_completed),
		cmocka_unit_test(a_hello_may_come_in_any_number_of_records),
		cmocka_unit_test(with_one_side_lost_the_other_is_still_read),
		cmocka_unit_test(a_hello_from_the_responder_turns_the_flow),
		cmocka_unit_test(tls_is_recognised_by_its_first_bytes),
		cmocka_unit_test(only_names_that_are_host_names_are_kept),
		cmocka_unit_test(grease_is_no_version_and_ech_is_noted),
		cmocka_unit_test(a_fallback_is_noted),
		cmocka_unit_test(only_the_first_chain_of_a_server_is_kept),
		cmocka_unit_test(only_a_hello_read_to_its_end_has_a_fingerprint),
		cmocka_unit_test(a_hello_is_bad_or_incomplete_at_every_cut_and_flipped_byte),
		cmocka_unit_test(a_hello_of_sixty_thousand_bytes_is_read_and_a_larger_one_is_not),
		cmocka_unit_test(early_data_completes_nothing),
		cmocka_unit_test(a_protected_alert_after_the_servers_flight_completes_nothing),
		cmocka_unit_test(an_alert_split_in_the_middle_is_not_taken_for_one_in_clear),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, make_talks, NULL);
}

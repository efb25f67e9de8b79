/* The protection of Initials agrees with the RFCs' samples, and a ClientHello is read however its CRYPTO
 * frames are cut, shuffled, repeated and spread over packets and datagrams. Longer than most: it has to
 * make packets first. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/quic_crypto.h"
#include "classify/watch_quic.h"

#include <openssl/evp.h>

#define DATAGRAM_MAX 2048
#define HELLO_MAX 4096

static const uint8_t id[8] = { 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08 };	/* the RFCs' */

/* RFC 9001 appendix A.2: a CRYPTO frame with a ClientHello for example.com. */
static const char sample_frame[] =
	"060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
	"04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
	"616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
	"04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
	"baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
	"0d0010000e0403050306030203080408050806002d00020101001c0002400100"
	"3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
	"75300901100f088394c8f03e51570806048000ffff";

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned v;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
	return n;
}

static void assert_hex(const uint8_t *got, const char *want)
{
	uint8_t bytes[256];

	assert_memory_equal(got, bytes, unhex(want, bytes));
}

static void put_varint2(uint8_t *out, size_t v)
{
	out[0] = (uint8_t)(0x40 | v >> 8);
	out[1] = (uint8_t)v;
}

struct packet_plan {
	uint32_t version;
	uint8_t type;			/* as v1 numbers them */
	bool server;
	const uint8_t *key_id;		/* 8 bytes that the keys follow from */
	const uint8_t *to_id;		/* 8 bytes, the Destination Connection ID in the header; NULL: none */
	uint32_t number;
	size_t token_len;
};

/* Writes a protected packet around frames; the opposite of what is tested, so it uses OpenSSL itself. */
static size_t put_packet(uint8_t *out, const struct packet_plan *p, const uint8_t *frames, size_t len)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	unsigned type = p->version == QUIC_V2 ? (p->type + 1u) & 3 : p->type;
	struct quic_keys keys;
	uint8_t nonce[12], mask[16 + EVP_MAX_BLOCK_LENGTH];
	size_t at = 0, number_at;
	int n;

	out[at++] = (uint8_t)(0xc3 | type << 4);
	for (int i = 3; i >= 0; i--)
		out[at++] = (uint8_t)(p->version >> 8 * i);
	out[at++] = p->to_id != NULL ? 8 : 0;
	if (p->to_id != NULL)
		memcpy(out + at, p->to_id, 8);
	at += p->to_id != NULL ? 8 : 0;
	out[at++] = 0;
	if (p->type == 0) {
		if (p->token_len > 0)
			put_varint2(out + at++, p->token_len);
		else
			out[at] = 0;
		memset(out + at + 1, 0xee, p->token_len);
		at += 1 + p->token_len;
	}
	put_varint2(out + at, 4 + len + 16);
	at += 2;
	number_at = at;
	for (int i = 3; i >= 0; i--)
		out[at++] = (uint8_t)(p->number >> 8 * i);
	assert_true(quic_keys_make(p->version, p->key_id, 8, p->server, &keys));
	memcpy(nonce, keys.iv, 12);
	for (unsigned i = 0; i < 4; i++)
		nonce[11 - i] ^= (uint8_t)(p->number >> 8 * i);
	EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, keys.key, nonce);
	EVP_EncryptUpdate(cipher, NULL, &n, out, (int)at);
	EVP_EncryptUpdate(cipher, out + at, &n, frames, (int)len);
	EVP_EncryptFinal_ex(cipher, out + at + n, &n);
	EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, out + at + len);
	EVP_CIPHER_CTX_free(cipher);
	assert_true(quic_mask(&keys, out + number_at + 4, mask));
	out[0] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < 4; i++)
		out[number_at + i] ^= mask[1 + i];
	return at + len + 16;
}

static size_t put_crypto(uint8_t *out, const uint8_t *message, size_t from, size_t to)
{
	out[0] = 6;
	put_varint2(out + 1, from);
	put_varint2(out + 3, to - from);
	memcpy(out + 5, message + from, to - from);
	return 5 + to - from;
}

/* A ClientHello with a name, ALPN h3 and padding up to len; and a ServerHello. */
static void make_hello(uint8_t *out, size_t len)
{
	static const uint8_t head[] = {
		1, 0, 0, 0, 3, 3, [38] = 0, 0, 2, 0x13, 1, 1, 0, 0, 0,
		0, 0, 0, 17, 0, 15, 0, 0, 12, 'm', 'a', 'i', 'l', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e',
		0, 43, 0, 3, 2, 3, 4, 0, 16, 0, 5, 0, 3, 2, 'h', '3', 0, 21, 0, 0,
	};
	size_t extensions = len - 47, pad = len - sizeof(head);

	memset(out, 0, len);
	memcpy(out, head, sizeof(head));
	out[2] = (uint8_t)((len - 4) >> 8), out[3] = (uint8_t)(len - 4);
	out[45] = (uint8_t)(extensions >> 8), out[46] = (uint8_t)extensions;
	out[sizeof(head) - 2] = (uint8_t)(pad >> 8), out[sizeof(head) - 1] = (uint8_t)pad;
}

static const uint8_t server_hello[] = {
	2, 0, 0, 52, 3, 3, [38] = 0, 0x13, 2, 0, 0, 12, 0, 43, 0, 2, 3, 4, 0, 41, 0, 2, 0, 0,
};

static enum watch_answer feed(struct quic *q, enum fact_side from, const uint8_t *data, size_t len,
			      uint64_t frame, struct watch_facts *facts)
{
	uint8_t *exact = base_alloc(len);	/* so that a sanitizer sees any read behind it */
	enum watch_answer answer;

	memcpy(exact, data, len);
	answer = quic_feed(q, from, bytes_of(exact, len), frame, facts);
	free(exact);
	return answer;
}

static void keys_are_those_of_the_rfcs(void **state)
{
	static const struct {
		uint32_t version;
		bool server;
		const char *key, *iv, *hp;
	} cases[] = {
		/* RFC 9001 appendix A.1 */
		{ QUIC_V1, false, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
		  "9f50449e04a0e810283a1e9933adedd2" },
		{ QUIC_V1, true, "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e",
		  "c206b8d9b9f0f37644430b490eeaa314" },
		/* RFC 9369 appendix A.1 */
		{ QUIC_V2, false, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
		  "45b95e15235d6f45a6b19cbcb0294ba9" },
		{ QUIC_V2, true, "82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652",
		  "edf6d05c83121201b436e16877593c3a" },
	};
	struct quic_keys keys;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(quic_keys_make(cases[i].version, id, sizeof(id), cases[i].server, &keys));
		assert_hex(keys.key, cases[i].key);
		assert_hex(keys.iv, cases[i].iv);
		assert_hex(keys.hp, cases[i].hp);
	}
	assert_false(quic_keys_make(0x0a0a0a0a, id, sizeof(id), false, &keys));
}

/* RFC 9001 appendix A.2 and RFC 9369 appendix A.2: the packet's beginning, and the tag of the first. */
static void the_rfcs_client_initials_are_made_alike_and_read(void **state)
{
	static const struct {
		uint32_t version;
		const char *begin, *tag;
	} cases[] = {
		{ QUIC_V1, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
		  "e221af44860018ab0856972e194cd934" },
		{ QUIC_V2, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
		  "" },
	};
	uint8_t frames[1162] = { 0 }, datagram[DATAGRAM_MAX];
	(void)state;

	unhex(sample_frame, frames);
	for (size_t i = 0; i < 2; i++) {
		struct packet_plan plan = { .version = cases[i].version, .key_id = id, .to_id = id, .number = 2 };
		struct watch_facts facts = { 0 };
		struct quic *q = quic_new();
		size_t len = put_packet(datagram, &plan, frames, sizeof(frames));

		assert_int_equal(len, 1200);
		assert_hex(datagram, cases[i].begin);
		assert_hex(datagram + len - 16, cases[i].tag);
		assert_true(quic_recognise(bytes_of(datagram, len)));
		assert_int_equal(feed(q, SIDE_ORIGINATOR, datagram, len, 7, &facts), WATCH_MORE);
		assert_true(facts.has_handshake && facts.handshake.quic);
		assert_string_equal(facts.handshake.sni, "example.com");
		assert_string_equal(facts.handshake.alpn, "alpn");
		assert_string_equal(facts.handshake.ja4, "q13d0211an_62ed6f6ca7ad_4d634acda6c0");
		assert_int_equal(facts.handshake.quic_version, cases[i].version);
		assert_int_equal(facts.handshake.client_version, 0x0304);
		assert_int_equal(facts.handshake.frame, 7);
		quic_free(&q);
	}
}

/* A hello cut into random pieces, some twice and overlapping, shuffled over packets and datagrams. */
static void a_hello_is_read_however_its_frames_are_cut_and_shuffled(void **state)
{
	static uint8_t hello[HELLO_MAX], frames[HELLO_MAX * 8], datagram[DATAGRAM_MAX];
	(void)state;

	srandom(4711);
	for (unsigned round = 0; round < 300; round++) {
		size_t len = 300 + (size_t)random() % 3000, count = 0, at = 0, largest = 40 + round;
		struct { size_t from, to; } cut[400];
		struct packet_plan plan = { .version = round % 2 ? QUIC_V1 : QUIC_V2, .key_id = id, .to_id = id };
		struct watch_facts facts = { 0 };
		struct quic *q = quic_new();
		unsigned fed = 0;

		make_hello(hello, len);
		for (size_t from = 0; from < len; count++) {
			size_t back = round % 3 == 0 && from > 10 ? (size_t)random() % 10 : 0;

			cut[count].from = from - back;
			from += 1 + (size_t)random() % largest;
			cut[count].to = from = from < len ? from : len;
			if (random() % 5 == 0) {
				cut[count + 1] = cut[count];
				count++;
			}
		}
		for (size_t i = count - 1; i > 0; i--) {
			size_t k = (size_t)random() % (i + 1), from = cut[i].from, to = cut[i].to;

			cut[i] = cut[k];
			cut[k].from = from, cut[k].to = to;
		}
		for (size_t i = 0; i < count; i++) {
			static const uint8_t between[] = { 1, 0, 0, 0, 2, 5, 0, 1, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0 };
			size_t part = cut[i].to - cut[i].from;

			assert_false(facts.has_handshake);
			if (at + part + 30 > 1100) {
				plan.number++;
				feed(q, SIDE_ORIGINATOR, datagram, put_packet(datagram, &plan, frames, at),
				     ++fed, &facts);
				at = 0;
			}
			at += put_crypto(frames + at, hello, cut[i].from, cut[i].to);
			if (random() % 4 == 0 && at < 1100) {
				memcpy(frames + at, between, sizeof(between));
				at += sizeof(between);
			}
			if (facts.has_handshake)
				break;
		}
		memset(frames + at, 0, 20);
		plan.number++;
		feed(q, SIDE_ORIGINATOR, datagram, put_packet(datagram, &plan, frames, at + 20), ++fed, &facts);
		assert_true(facts.has_handshake);
		assert_string_equal(facts.handshake.sni, "mail.example");
		assert_string_equal(facts.handshake.alpn, "h3");
		assert_true(facts.handshake.frame > 0 && facts.handshake.frame <= fed);
		quic_free(&q);
	}
}

#define O SIDE_ORIGINATOR
#define R SIDE_RESPONDER
#define OTHER_ID ((const uint8_t *)"retried!")
#define SHORT "\x41" "a packet with a short header"

/* A step: a packet with its frames, or a datagram as it is. */
struct step {
	enum fact_side from;
	enum { INITIAL, SHORT_PACKET, RETRY, NEGOTIATION, COALESCED, CLOSE, SERVER_HELLO, LONG_HANDSHAKE } what;
	uint32_t version;
	const uint8_t *key_id, *to_id;
};

static size_t put_step(uint8_t *out, const struct step *s, bool server)
{
	static const uint8_t close[40] = { 0x1c, 0x41, 0x2e };	/* CRYPTO_ERROR 46: certificate unknown */
	uint8_t hello[400], frames[500];
	struct packet_plan plan = {
		.version = s->version, .server = server, .key_id = s->key_id, .to_id = s->to_id,
		.token_len = s->to_id == OTHER_ID ? 40 : 0,
	};
	size_t n;

	make_hello(hello, sizeof(hello));
	switch (s->what) {
	case INITIAL:
		return put_packet(out, &plan, frames, put_crypto(frames, hello, 0, sizeof(hello)));
	case SERVER_HELLO:
		return put_packet(out, &plan, frames, put_crypto(frames, server_hello, 0, sizeof(server_hello)));
	case CLOSE:
		return put_packet(out, &plan, close, sizeof(close));
	case COALESCED:
		n = put_packet(out, &plan, frames, put_crypto(frames, hello, 0, 200));
		plan.number = 1;
		n += put_packet(out + n, &plan, frames, put_crypto(frames, hello, 200, sizeof(hello)));
		plan.type = 1;
		return n + put_packet(out + n, &plan, close, sizeof(close));
	case LONG_HANDSHAKE:
		plan.type = 2;
		n = put_packet(out, &plan, close, sizeof(close));
		memcpy(out + n, SHORT, sizeof(SHORT));
		return n + sizeof(SHORT);
	case RETRY:
		memcpy(out, "\xf0\0\0\0\1\0\x08retried!token and integrity tag", 39);
		return 39;
	case NEGOTIATION:
		memcpy(out, "\x80\0\0\0\0\0\x08server!!\x6b\x33\x43\xcf", 19);
		return 19;
	case SHORT_PACKET:
		memcpy(out, SHORT, sizeof(SHORT));
		return sizeof(SHORT);
	}
	return 0;
}

static void each_way_a_connection_goes_is_followed(void **state)
{
	static const struct {
		const char *name;
		struct step steps[8];
		struct fact_handshake want;
		enum watch_answer answer;
	} cases[] = {
		{ "whole", { { O, INITIAL, QUIC_V1, id, id }, { R, SERVER_HELLO, QUIC_V1, id, NULL },
			     { O, LONG_HANDSHAKE, QUIC_V1, id, id }, { .from = R, .what = SHORT_PACKET } },
		  { .quic_version = QUIC_V1, .completed = true, .cipher = 0x1302, .resumed = true }, WATCH_DONE },
		{ "v2, 1-RTT from the server only",
		  { { O, INITIAL, QUIC_V2, id, id }, { R, SERVER_HELLO, QUIC_V2, id, NULL }, { .from = R, .what = SHORT_PACKET } },
		  { .quic_version = QUIC_V2, .cipher = 0x1302, .resumed = true }, WATCH_MORE },
		{ "draft-29", { { O, INITIAL, 0xff00001d, id, id } }, { .quic_version = 0xff00001d }, WATCH_MORE },
		{ "coalesced", { { O, COALESCED, QUIC_V1, id, id } }, { .quic_version = QUIC_V1 }, WATCH_MORE },
		{ "retry", { { O, INITIAL, QUIC_V1, id, id }, { .from = R, .what = RETRY },
			     { O, INITIAL, QUIC_V1, OTHER_ID, OTHER_ID },
			     { R, SERVER_HELLO, QUIC_V1, OTHER_ID, NULL } },
		  { .quic_version = QUIC_V1, .cipher = 0x1302, .resumed = true }, WATCH_MORE },
		{ "begins after the retry", { { .from = R, .what = RETRY }, { O, INITIAL, QUIC_V1, OTHER_ID, OTHER_ID } },
		  { .quic_version = QUIC_V1 }, WATCH_MORE },
		{ "version negotiation", { { O, INITIAL, QUIC_V1, id, id }, { .from = R, .what = NEGOTIATION },
					   { O, INITIAL, QUIC_V2, OTHER_ID, OTHER_ID },
					   { R, SERVER_HELLO, QUIC_V2, OTHER_ID, NULL } },
		  { .quic_version = QUIC_V2, .cipher = 0x1302, .resumed = true }, WATCH_MORE },
		{ "compatible version negotiation",
		  { { O, INITIAL, QUIC_V1, id, id }, { R, SERVER_HELLO, QUIC_V2, id, NULL },
		    { O, CLOSE, QUIC_V2, id, OTHER_ID } },
		  { .quic_version = QUIC_V2, .cipher = 0x1302, .resumed = true, .alert_in_clear = true,
		    .alert = 46 }, WATCH_DONE },
		{ "the server closes", { { O, INITIAL, QUIC_V1, id, id }, { R, CLOSE, QUIC_V1, id, NULL } },
		  { .quic_version = QUIC_V1, .alert_in_clear = true, .alert = 46, .alert_from = R }, WATCH_DONE },
		{ "forged answer", { { O, INITIAL, QUIC_V1, id, id },
				     { R, SERVER_HELLO, QUIC_V1, OTHER_ID, OTHER_ID } },
		  { .quic_version = QUIC_V1 }, WATCH_MORE },
	};
	uint8_t datagram[DATAGRAM_MAX];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fact_handshake *want = &cases[i].want, *h;
		struct watch_facts facts = { 0 };
		struct quic *q = quic_new();
		enum watch_answer answer = WATCH_MORE;

		for (const struct step *s = cases[i].steps; s < cases[i].steps + 8 && (s->version || s->what); s++)
			answer = feed(q, s->from, datagram, put_step(datagram, s, s->from == R), 1, &facts);
		h = &facts.handshake;
		if (answer != cases[i].answer || strcmp(h->sni, "mail.example") != 0 ||
		    h->quic_version != want->quic_version || h->completed != want->completed ||
		    h->cipher != want->cipher || h->resumed != want->resumed || facts.flip ||
		    h->alert_in_clear != want->alert_in_clear || h->alert != want->alert ||
		    h->alert_from != want->alert_from || h->version != (want->cipher ? 0x0304 : 0))
			fail_msg("%s: answer %d sni %s version %x/%x completed %d cipher %x alert %d",
				 cases[i].name, answer, h->sni, h->quic_version, h->version, h->completed,
				 h->cipher, h->alert);
		quic_free(&q);
		assert_null(q);
	}
}

static void of_overlapping_frames_the_first_to_come_win(void **state)
{
	uint8_t hello[300], frames[400], datagram[DATAGRAM_MAX];
	struct packet_plan plan = { .version = QUIC_V1, .key_id = id, .to_id = id };
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	size_t len;
	(void)state;

	make_hello(hello, sizeof(hello));
	len = put_crypto(frames, hello, 0, 100);
	feed(q, SIDE_ORIGINATOR, datagram, put_packet(datagram, &plan, frames, len), 1, &facts);
	memcpy(hello + 56, "evil", 4);
	len = put_crypto(frames, hello, 20, sizeof(hello));
	feed(q, SIDE_ORIGINATOR, datagram, put_packet(datagram, &plan, frames, len), 1, &facts);
	assert_string_equal(facts.handshake.sni, "mail.example");
	quic_free(&q);
}

/* Half a hello of each side under the first keys must not win over the whole ones under the next. */
static void what_came_before_a_client_begins_again_is_dropped(void **state)
{
	uint8_t hello[300], answer[sizeof(server_hello)], frames[400], datagram[DATAGRAM_MAX];
	struct packet_plan plan = { .version = QUIC_V1, .key_id = id, .to_id = id };
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	(void)state;

	make_hello(hello, sizeof(hello));
	memcpy(hello + 56, "evil", 4);
	feed(q, O, datagram, put_packet(datagram, &plan, frames, put_crypto(frames, hello, 0, 100)), 1, &facts);
	memcpy(answer, server_hello, sizeof(answer));
	answer[40] = 3;		/* the other cipher */
	plan.server = true;
	feed(q, R, datagram, put_packet(datagram, &plan, frames, put_crypto(frames, answer, 0, 45)), 2, &facts);
	assert_false(facts.has_handshake);

	plan = (struct packet_plan){ .version = QUIC_V1, .key_id = OTHER_ID, .to_id = OTHER_ID };
	make_hello(hello, sizeof(hello));
	feed(q, O, datagram,
	     put_packet(datagram, &plan, frames, put_crypto(frames, hello, 0, sizeof(hello))), 3, &facts);
	assert_string_equal(facts.handshake.sni, "mail.example");
	plan.server = true;
	feed(q, R, datagram,
	     put_packet(datagram, &plan, frames, put_crypto(frames, server_hello, 0, sizeof(server_hello))), 4,
	     &facts);
	assert_int_equal(facts.handshake.server_frame, 4);
	assert_int_equal(facts.handshake.cipher, 0x1302);
	quic_free(&q);
}

static void the_server_hello_behind_a_hello_retry_request_is_read(void **state)
{
	static const char retry[] = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
	static const struct step initial = { SIDE_ORIGINATOR, INITIAL, QUIC_V1, id, id };
	struct packet_plan plan = { .version = QUIC_V1, .server = true, .key_id = id };
	uint8_t messages[2 * sizeof(server_hello)], frames[200], datagram[DATAGRAM_MAX];
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	size_t half = sizeof(server_hello);
	(void)state;

	memcpy(messages, server_hello, half);
	memcpy(messages + half, server_hello, half);
	unhex(retry, messages + 6);
	messages[40] = 3;		/* the other cipher */
	feed(q, SIDE_ORIGINATOR, datagram, put_step(datagram, &initial, false), 1, &facts);
	feed(q, SIDE_RESPONDER, datagram,
	     put_packet(datagram, &plan, frames, put_crypto(frames, messages, 0, half)), 2, &facts);
	assert_int_equal(facts.handshake.server_frame, 0);
	feed(q, SIDE_RESPONDER, datagram,
	     put_packet(datagram, &plan, frames, put_crypto(frames, messages, half, 2 * half)), 3, &facts);
	assert_int_equal(facts.handshake.server_frame, 3);
	assert_int_equal(facts.handshake.cipher, 0x1302);
	quic_free(&q);
}

static void a_client_that_is_the_responder_turns_the_flow(void **state)
{
	static const struct step step = { SIDE_RESPONDER, INITIAL, QUIC_V1, id, id };
	uint8_t datagram[DATAGRAM_MAX];
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	(void)state;

	feed(q, SIDE_RESPONDER, datagram, put_step(datagram, &step, false), 1, &facts);
	assert_true(facts.flip);
	assert_string_equal(facts.handshake.sni, "mail.example");
	quic_free(&q);
}

static void a_cut_or_changed_packet_is_not_believed(void **state)
{
	static const struct step step = { SIDE_ORIGINATOR, INITIAL, QUIC_V1, id, id };
	uint8_t datagram[DATAGRAM_MAX];
	size_t len = put_step(datagram, &step, false);
	(void)state;

	for (size_t i = 0; i < len; i++) {
		for (unsigned cut = 0; cut < 2; cut++) {
			struct watch_facts facts = { 0 };
			struct quic *q = quic_new();

			datagram[i] ^= cut ? 0 : 0x15;
			feed(q, SIDE_ORIGINATOR, datagram, cut ? i : len, 1, &facts);
			datagram[i] ^= cut ? 0 : 0x15;
			assert_false(facts.has_handshake);
			quic_free(&q);
		}
	}
}

static void what_is_no_quic_is_neither_recognised_nor_followed(void **state)
{
	static const struct step initial = { SIDE_ORIGINATOR, INITIAL, QUIC_V2, id, id };
	static const struct step other = { .from = O, .what = SHORT_PACKET };
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	uint8_t datagram[DATAGRAM_MAX];
	size_t len = put_step(datagram, &initial, false);
	(void)state;

	assert_true(quic_recognise(bytes_of(datagram, len)));
	assert_false(quic_recognise(bytes_of(datagram, len - 1)));
	datagram[4] ^= 1;			/* an unknown version */
	assert_false(quic_recognise(bytes_of(datagram, len)));
	assert_false(quic_recognise(bytes_of("", 0)));
	assert_false(quic_recognise(bytes_of(datagram, put_step(datagram, &other, false))));
	for (unsigned i = 1; i < QUIC_DATAGRAMS_MAX; i++)
		assert_int_equal(feed(q, SIDE_ORIGINATOR, datagram, 29, 1, &facts), WATCH_MORE);
	assert_int_equal(feed(q, SIDE_ORIGINATOR, datagram, 29, 1, &facts), WATCH_BAD);
	assert_false(facts.has_handshake);
	quic_free(&q);
}

static void a_hello_that_never_ends_is_given_up(void **state)
{
	static uint8_t hello[HELLO_MAX], frames[HELLO_MAX], datagram[DATAGRAM_MAX];
	struct packet_plan plan = { .version = QUIC_V1, .key_id = id, .to_id = id };
	struct watch_facts facts = { 0 };
	struct quic *q = quic_new();
	enum watch_answer answer = WATCH_MORE;
	unsigned n = 0;
	(void)state;

	make_hello(hello, 3000);
	for (; answer == WATCH_MORE; n++) {
		size_t len = put_crypto(frames, hello, 0, 500);

		plan.number = n;
		answer = feed(q, SIDE_ORIGINATOR, datagram, put_packet(datagram, &plan, frames, len), 1, &facts);
	}
	assert_int_equal(answer, WATCH_DONE);
	assert_int_equal(n, QUIC_DATAGRAMS_MAX);
	assert_false(facts.has_handshake);
	quic_free(&q);
}

static void hostile_frames_inside_a_packet_do_no_harm(void **state)
{
	static uint8_t frames[600], datagram[DATAGRAM_MAX];
	(void)state;

	srandom(4711);
	for (unsigned round = 0; round < 5000; round++) {
		struct packet_plan plan = { .version = QUIC_V1, .key_id = id, .to_id = id };
		struct watch_facts facts = { 0 };
		struct quic *q = quic_new();

		feed(q, SIDE_ORIGINATOR, datagram, put_packet(datagram, &plan, (const uint8_t *)"\6\0\0", 3), 1,
		     &facts);		/* CRYPTO of no bytes */
		for (unsigned k = 0; k < 3; k++) {
			for (size_t i = 0; i < sizeof(frames); i++)
				frames[i] = (uint8_t)(random() % 4 == 0 ? random() : random() % 8);
			feed(q, SIDE_ORIGINATOR, datagram,
			     put_packet(datagram, &plan, frames, 20 + (size_t)random() % 580), 1, &facts);
		}
		quic_free(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_those_of_the_rfcs),
		cmocka_unit_test(the_rfcs_client_initials_are_made_alike_and_read),
		cmocka_unit_test(a_hello_is_read_however_its_frames_are_cut_and_shuffled),
		cmocka_unit_test(each_way_a_connection_goes_is_followed),
		cmocka_unit_test(of_overlapping_frames_the_first_to_come_win),
		cmocka_unit_test(what_came_before_a_client_begins_again_is_dropped),
		cmocka_unit_test(the_server_hello_behind_a_hello_retry_request_is_read),
		cmocka_unit_test(a_client_that_is_the_responder_turns_the_flow),
		cmocka_unit_test(a_cut_or_changed_packet_is_not_believed),
		cmocka_unit_test(what_is_no_quic_is_neither_recognised_nor_followed),
		cmocka_unit_test(a_hello_that_never_ends_is_given_up),
		cmocka_unit_test(hostile_frames_inside_a_packet_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Workers: the same facts whatever their number, evictions included. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/flow.h"
#include "classify/stream.h"
#include "classify/worker.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define PACKETS 5000

static const char hello[] = "* OK mail.example ready\r\n";
static const char login[] = "a LOGIN anna secret-word\r\n";

/* Random packets between a few hosts: half of them TCP with some dialogue in it. */
static void make_packets(struct packet packets[PACKETS])
{
	uint32_t x = 12345;

	memset(packets, 0, sizeof(packets[0]) * PACKETS);
	for (unsigned i = 0; i < PACKETS; i++) {
		struct packet *p = &packets[i];
		struct host_port a = { 0 }, b = { 0 };
		bool tcp, back;

		x = x * 1664525 + 1013904223;
		tcp = (x >> 9) % 2 == 0;
		back = (x >> 10) % 2 == 0;
		a.addr[15] = (uint8_t)(1 + (x >> 11) % 5);
		b.addr[15] = 200;
		a.port = (uint16_t)(40000 + (x >> 16) % 60);
		b.port = tcp ? 143 : 9999;
		p->frame = i + 1;
		p->time_ns = (int64_t)i * BASE_NS_PER_S / 4;
		p->dir = (uint8_t)flow_key_make(&p->key, back ? &b : &a, back ? &a : &b,
						tcp ? IPPROTO_TCP : IPPROTO_UDP);
		p->tcp_flags = (x >> 20) % 29 == 0 ? TCP_RST : (x >> 20) % 11 == 0 ? TCP_SYN : TCP_ACK;
		p->payload = (const uint8_t *)(back ? hello : login);
		p->payload_len = back ? sizeof(hello) - 1 : sizeof(login) - 1;
		p->payload_wire_len = p->payload_len;
		p->wire_len = p->payload_len + 54;
		p->fragments = 1;
		p->shard = (uint8_t)flow_key_shard(&p->key);
	}
}

#define TALKS 300
#define HELLO_SIZE 200

struct talk {
	uint8_t client[HELLO_SIZE], server[2048];
	size_t client_len, server_len;
};

/* The server's hello and its certificate, for imap.mail.example and one more, signed by itself. */
static size_t put_server(uint8_t *out)
{
	static const uint8_t head[47] = { 22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
						  "DNS:imap.mail.example,DNS:pop.mail.example");
	uint8_t *der = out + sizeof(head) + 15, *p = der;
	size_t n;

	ASN1_TIME_set(X509_getm_notBefore(x), 0);
	ASN1_TIME_set(X509_getm_notAfter(x), 4000);
	X509_set_version(x, 2);
	X509_set_pubkey(x, key);
	X509_add_ext(x, san, -1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	n = (size_t)i2d_X509(x, &p);
	memcpy(out, head, sizeof(head));
	memcpy(der - 15, (uint8_t[]){ 22, 3, 3, (uint8_t)((n + 10) >> 8), (uint8_t)(n + 10), 11, 0,
		(uint8_t)((n + 6) >> 8), (uint8_t)(n + 6), 0, (uint8_t)((n + 3) >> 8), (uint8_t)(n + 3), 0,
		(uint8_t)(n >> 8), (uint8_t)n }, 15);
	X509_EXTENSION_free(san);
	X509_free(x);
	EVP_PKEY_free(key);
	return sizeof(head) + 15 + n;
}

/* A client that asks for `name`, or for none. */
static size_t put_client(uint8_t *out, const char *name)
{
	size_t n = strlen(name), sni = n > 0 ? n + 9 : 0, body = 2 + 32 + 1 + 2 + 2 + 2 + sni;
	const uint8_t head[] = { 22, 3, 1, 0, (uint8_t)(body + 4), 1, 0, 0, (uint8_t)body, 3, 3 };
	uint8_t *p = out + sizeof(head) + 32;

	memset(out, 0, HELLO_SIZE);
	memcpy(out, head, sizeof(head));
	memcpy(p, (uint8_t[]){ 0, 0, 0, 1, 0, 0, (uint8_t)sni, 0, 0, 0, (uint8_t)(n + 5), 0, (uint8_t)(n + 3), 0, 0,
		(uint8_t)n }, 16);
	memcpy(p + 16, name, n);
	return body + 9;
}

/* Each flow of TALKS: a third asks for the server's name, a third for another, a third for none. */
static unsigned talk_to(const struct talk talks[3], unsigned i, struct worker *w, int *shard_out)
{
	struct host_port client = { .port = (uint16_t)(30000 + i) }, server = { .port = 993 };

	client.addr[15] = 1;
	server.addr[15] = 2;
	for (unsigned k = 0; k < 2; k++) {
		const struct talk *t = &talks[i % 3];
		struct packet p = { .frame = 2 * i + k + 1, .time_ns = 1000 * BASE_NS_PER_S + i,
				    .tcp_flags = TCP_ACK, .fragments = 1 };

		p.dir = (uint8_t)flow_key_make(&p.key, k == 0 ? &client : &server, k == 0 ? &server : &client,
					       IPPROTO_TCP);
		p.payload = k == 0 ? t->client : t->server;
		p.payload_len = p.payload_wire_len = (uint32_t)(k == 0 ? t->client_len : t->server_len);
		p.wire_len = p.payload_len + 54;
		p.shard = (uint8_t)flow_key_shard(&p.key);
		*shard_out = p.shard;
		worker_step(w, &p);
	}
	return i % 3;
}

static void check_certificate_name(const struct fact_name *n)
{
	assert_int_equal(n->kind, NAME_CERTIFICATE);
	assert_int_equal(n->id % 2, 0);		/* the server's packet */
	assert_string_equal(n->name, n->place == 0 ? "imap.mail.example" : "pop.mail.example");
	assert_int_equal(n->asked_by[15], 1);
	assert_int_equal(n->address[15], 2);
	assert_int_equal(n->until_ns, 4000 * BASE_NS_PER_S);
}

/* ... of which it is not known that they cover what was asked for. */
static void the_names_of_certificates_are_said_for_all_flows(void **state)
{
	struct talk *talks = base_alloc_array(3, sizeof(*talks));
	struct queue *out = queue_new(1000);
	struct worker *w = worker_new(0, 1, NULL, out, 0);
	static const int8_t covers[] = { 1, 0, -1 };
	bool met[FLOW_SHARDS] = { false };
	unsigned wanted = 0, names = 0, certificates = 0;
	bool end = false;
	(void)state;

	talks[0].server_len = put_server(talks[0].server);
	for (int i = 0; i < 3; i++) {
		static const char *const asked[] = { "imap.mail.example", "imap.other.example", "" };

		memcpy(talks[i].server, talks[0].server, sizeof(talks[0].server));
		talks[i].server_len = talks[0].server_len;
		talks[i].client_len = put_client(talks[i].client, asked[i]);
	}
	for (unsigned i = 0; i < TALKS; i++) {
		int shard;
		bool covered = talk_to(talks, i, w, &shard) == 0;

		wanted += !covered || !met[shard] ? 2 : 0;
		met[shard] = true;
	}
	worker_finish(w);
	while (!end) {
		struct fact_batch *b = queue_take(out);

		for (unsigned k = 0; k < b->count; k++) {
			const struct fact *f = &b->facts[k];

			end = end || f->kind == FACT_END;
			names += f->kind == FACT_NAME;
			if (f->kind == FACT_NAME)
				check_certificate_name(&f->name);
			if (f->kind != FACT_CERTIFICATE)
				continue;
			certificates++;
			assert_int_equal(f->certificate.frame, f->certificate.flow + 1);
			assert_int_equal(f->certificate.covers_sni, covers[f->certificate.flow / 2 % 3]);
			assert_int_equal(f->certificate.time_ns / BASE_NS_PER_S, 1000);
		}
		free(b);
	}
	assert_int_equal(certificates, TALKS);
	assert_int_equal(names, wanted);
	worker_free(&w);
	queue_free(&out);
	free(talks);
}

static int by_id(const void *a, const void *b)
{
	const struct fact_flow *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct seen {
	struct fact_flow flows[PACKETS];
	unsigned flow_count, sessions, evictions, halves, names, samples;
	uint64_t sampled[2], samples_mix;
};

static void see(struct seen *seen, const struct fact *f)
{
	switch (f->kind) {
	case FACT_FLOW:
		seen->flows[seen->flow_count++] = f->flow;
		break;
	case FACT_MAIL_SESSION:
		seen->sessions++;
		break;
	case FACT_NAME:
		seen->names++;
		break;
	case FACT_FLOW_SAMPLE:
		seen->samples++;
		for (int side = 0; side < 2; side++)
			seen->sampled[side] += f->flow_sample.bytes[side];
		/* In whatever order they come. */
		seen->samples_mix += (f->flow_sample.flow * 31 + f->flow_sample.place) *
			((uint64_t)(f->flow_sample.start_ns / BASE_NS_PER_S) + 7 * f->flow_sample.bytes[0] +
			 f->flow_sample.frame);
		break;
	case FACT_LOSS:
		seen->evictions += f->loss.reason == LOSS_EVICTED;
		seen->halves += f->loss.reason == LOSS_ONE_DIRECTION;
		break;
	default:
		break;
	}
}

static void see_all(struct seen *seen, struct queue *out, unsigned workers)
{
	unsigned ends = 0;

	while (ends < workers) {
		struct fact_batch *b = queue_take(out);

		for (unsigned k = 0; k < b->count; k++) {
			ends += b->facts[k].kind == FACT_END;
			see(seen, &b->facts[k]);
		}
		free(b);
	}
}

static void run(const struct packet packets[PACKETS], unsigned count, size_t max_flows,
		struct seen *seen)
{
	struct queue *out = queue_new(1000);
	struct worker *workers[8];
	int64_t tick = 0;

	memset(seen, 0, sizeof(*seen));
	for (unsigned i = 0; i < count; i++)
		workers[i] = worker_new(i, count, NULL, out, max_flows);
	for (unsigned i = 0; i < PACKETS; i++) {
		if (packets[i].time_ns >= tick + BASE_NS_PER_S) {
			tick = packets[i].time_ns;
			for (unsigned k = 0; k < count; k++)
				worker_step(workers[k], &(struct packet){ .time_ns = tick });
		}
		worker_step(workers[packets[i].shard % count], &packets[i]);
	}
	for (unsigned i = 0; i < count; i++)
		worker_finish(workers[i]);
	see_all(seen, out, count);
	for (unsigned i = 0; i < count; i++)
		worker_free(&workers[i]);
	queue_free(&out);
	qsort(seen->flows, seen->flow_count, sizeof(seen->flows[0]), by_id);
}

/* Together they are the payload of the flows that have any. */
static void check_samples(const struct seen *seen)
{
	uint64_t payload[2] = { 0 };

	for (unsigned i = 0; i < seen->flow_count; i++) {
		const struct fact_flow *f = &seen->flows[i];

		if (strcmp(f->app_proto, "imap") != 0 ||
		    f->last_ns / FLOW_SAMPLE_NS == f->first_ns / FLOW_SAMPLE_NS)
			continue;
		payload[0] += f->payload[0];
		payload[1] += f->payload[1];
	}
	assert_true(seen->samples > 100);
	assert_int_equal(seen->sampled[0], payload[0]);
	assert_int_equal(seen->sampled[1], payload[1]);
}

static void workers_agree_whatever_their_number(void **state)
{
	static const struct {
		const char *name;
		size_t max_flows;
		bool evicts;
	} cases[] = { { "room for all", 0, false }, { "three flows a shard", 3, true } };
	struct packet *packets = base_alloc_array(PACKETS, sizeof(*packets));
	struct seen *one = base_alloc(sizeof(*one)), *many = base_alloc(sizeof(*many));
	(void)state;

	make_packets(packets);
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		uint64_t counted = 0;

		run(packets, 1, cases[c].max_flows, one);
		assert_true(one->flow_count > 100);
		assert_true(one->sessions > 10);
		check_samples(one);
		assert_int_equal(one->evictions > 0, cases[c].evicts);
		for (unsigned i = 0; i < one->flow_count; i++)
			counted += one->flows[i].packets[0] + one->flows[i].packets[1];
		assert_int_equal(counted, PACKETS);
		for (unsigned n = 2; n <= 8; n++) {
			run(packets, n, cases[c].max_flows, many);
			if (many->flow_count != one->flow_count || many->sessions != one->sessions ||
			    many->evictions != one->evictions || many->samples != one->samples ||
			    many->samples_mix != one->samples_mix ||
			    memcmp(many->flows, one->flows, one->flow_count * sizeof(one->flows[0])) != 0)
				fail_msg("%s: %u workers say other things than one", cases[c].name, n);
		}
	}
	free(packets);
	free(one);
	free(many);
}

/* Of each flow a byte is missing, so that all behind it waits. */
static void flows_that_keep_much_waiting_are_described_early(void **state)
{
	static const uint8_t payload[60000];
	const unsigned flows = 2 * WORKER_SHARD_BYTES / STREAM_WATCHED;
	struct queue *out = queue_new(1000);
	struct worker *w = worker_new(0, 1, NULL, out, 0);
	struct seen *seen = base_alloc(sizeof(*seen));
	(void)state;

	for (unsigned i = 0, made = 0; made < flows; i++) {
		struct host_port a = { .addr = { [13] = (uint8_t)(i >> 8), [14] = (uint8_t)i }, .port = 40000 };
		struct host_port b = { .addr = { [15] = 200 }, .port = 143 };
		struct packet p = {
			.frame = 2 * made + 1, .time_ns = made, .tcp_flags = TCP_SYN, .fragments = 1,
		};

		p.dir = (uint8_t)flow_key_make(&p.key, &a, &b, IPPROTO_TCP);
		if (flow_key_shard(&p.key) != 0)
			continue;
		made++;
		worker_step(w, &p);
		p.frame++;
		p.tcp_flags = TCP_ACK;
		p.seq = 2;
		p.payload = payload;
		p.payload_len = p.payload_wire_len = sizeof(payload);
		worker_step(w, &p);
	}
	worker_finish(w);
	see_all(seen, out, 1);
	assert_int_equal(seen->flow_count, flows);
	assert_in_range(seen->evictions, flows / 2, flows / 2 + flows / 50);
	worker_free(&w);
	queue_free(&out);
	free(seen);
}

static void a_server_that_is_heard_alone_is_half_a_conversation(void **state)
{
	static const struct {
		const char *name;
		uint8_t proto;
		uint16_t port;
		bool client, server;
		unsigned halves;
	} cases[] = {
		{ "QUIC", IPPROTO_UDP, 443, true, true, 0 },
		{ "... its server alone", IPPROTO_UDP, 443, false, true, 1 },
		{ "... its client alone, whom nobody need answer", IPPROTO_UDP, 443, true, false, 0 },
		{ "a telling of something", IPPROTO_UDP, 514, false, true, 0 },
		{ "TCP", IPPROTO_TCP, 443, true, true, 0 },
		{ "... its server alone", IPPROTO_TCP, 443, false, true, 1 },
		{ "... its client alone", IPPROTO_TCP, 443, true, false, 1 },
	};
	struct seen *seen = malloc(sizeof(*seen));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue *out = queue_new(1000);
		struct worker *w = worker_new(0, 1, NULL, out, 0);
		struct host_port client = { .addr = { [15] = 1 }, .port = 40000 };
		struct host_port server = { .addr = { [15] = 2 }, .port = cases[i].port };

		for (int from = 0; from < 2; from++) {
			struct packet p = { .frame = (uint64_t)from + 1, .payload = (const uint8_t *)hello,
				.payload_len = 10, .payload_wire_len = 10, .wire_len = 64, .fragments = 1,
				.tcp_flags = TCP_ACK };

			p.dir = (uint8_t)flow_key_make(&p.key, from ? &server : &client, from ? &client : &server,
						       cases[i].proto);
			if (from ? cases[i].server : cases[i].client)
				worker_step(w, &p);
		}
		worker_finish(w);
		memset(seen, 0, sizeof(*seen));
		see_all(seen, out, 1);
		if (seen->halves != cases[i].halves)
			fail_msg("%s: %u", cases[i].name, seen->halves);
		worker_free(&w);
		queue_free(&out);
	}
	free(seen);
}

static void only_an_answer_to_a_question_names_an_address(void **state)
{
	static const char question[] = "\0\1\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1";
	static const char answer[] = "\0\1\x81\x80\0\1\0\1\0\0\0\0\1a\4test\0\0\1\0\1"
				     "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	const struct host_port client = { .addr = { [15] = 1 }, .port = 5000 };
	const struct host_port server = { .addr = { [15] = 2 }, .port = 53 };
	(void)state;

	for (unsigned asked = 0; asked < 2; asked++) {
		struct queue *out = queue_new(1000);
		struct worker *w = worker_new(0, 1, NULL, out, 0);
		struct seen *seen = base_alloc(sizeof(*seen));
		struct packet p = { .frame = 1, .fragments = 1, .payload = (const uint8_t *)question };

		p.payload_len = p.payload_wire_len = sizeof(question) - 1;
		p.dir = (uint8_t)flow_key_make(&p.key, &client, &server, IPPROTO_UDP);
		if (asked)
			worker_step(w, &p);
		p.frame = 2;
		p.payload = (const uint8_t *)answer;
		p.payload_len = p.payload_wire_len = sizeof(answer) - 1;
		p.dir = (uint8_t)flow_key_make(&p.key, &server, &client, IPPROTO_UDP);
		worker_step(w, &p);
		worker_finish(w);
		see_all(seen, out, 1);
		assert_int_equal(seen->flow_count, 1);
		assert_int_equal(seen->names, asked);
		worker_free(&w);
		queue_free(&out);
		free(seen);
	}
}

/* A DNS message about a.example: a question, and in an answer 64 addresses. */
static size_t make_dns(uint8_t *out, bool response)
{
	static const uint8_t question[] = { 1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1 };
	size_t len = 12;

	memset(out, 0, len);
	out[2] = response ? 0x81 : 0x01;
	out[3] = response ? 0x80 : 0;
	out[5] = 1;
	out[7] = response ? 64 : 0;
	memcpy(out + len, question, sizeof(question));
	len += sizeof(question);
	for (unsigned i = 0; i < out[7]; i++, len += 16)
		memcpy(out + len, (uint8_t[]){ 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, (uint8_t)i }, 16);
	return len;
}

static void a_flood_of_names_is_cut_and_told(void **state)
{
	static const struct {
		const char *name;
		unsigned answers;
		int64_t step_ns;
		unsigned names;
		bool loss;
	} cases[] = {
		{ "as many as are kept", 128, 1000, WORKER_SHARD_NAMES, false },
		{ "too many in a minute", 129, 1000, WORKER_SHARD_NAMES, true },
		{ "the same over more minutes", 129, BASE_NS_PER_S, 129 * 64, false },
	};
	uint8_t question[64], answer[4096];
	struct host_port client = { .port = 5000 }, resolver = { .port = 53 };
	struct packet ask = { .frame = 1, .time_ns = 60 * BASE_NS_PER_S, .payload = question, .fragments = 1 };
	struct packet reply = { .payload = answer, .fragments = 1 };
	(void)state;

	client.addr[15] = 1;
	resolver.addr[15] = 2;
	ask.payload_len = ask.payload_wire_len = (uint32_t)make_dns(question, false);
	reply.payload_len = reply.payload_wire_len = (uint32_t)make_dns(answer, true);
	ask.dir = (uint8_t)flow_key_make(&ask.key, &client, &resolver, IPPROTO_UDP);
	reply.dir = (uint8_t)flow_key_make(&reply.key, &resolver, &client, IPPROTO_UDP);
	ask.shard = reply.shard = (uint8_t)flow_key_shard(&ask.key);
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct queue *out = queue_new(1000);
		struct worker *w = worker_new(0, 1, NULL, out, 0);
		unsigned names = 0, losses = 0;
		bool end = false;

		worker_step(w, &ask);
		for (unsigned i = 0; i < cases[c].answers; i++) {
			reply.frame = 2 + i;
			reply.time_ns = ask.time_ns + i * cases[c].step_ns;
			worker_step(w, &reply);
		}
		worker_finish(w);
		while (!end) {
			struct fact_batch *b = queue_take(out);

			for (unsigned k = 0; k < b->count; k++) {
				names += b->facts[k].kind == FACT_NAME;
				losses += b->facts[k].kind == FACT_LOSS;
				end = end || b->facts[k].kind == FACT_END;
			}
			free(b);
		}
		if (names != cases[c].names || (losses == 1) != cases[c].loss)
			fail_msg("%s: %u names, %u losses", cases[c].name, names, losses);
		worker_free(&w);
		queue_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_agree_whatever_their_number),
		cmocka_unit_test(the_names_of_certificates_are_said_for_all_flows),
		cmocka_unit_test(a_flood_of_names_is_cut_and_told),
		cmocka_unit_test(flows_that_keep_much_waiting_are_described_early),
		cmocka_unit_test(a_server_that_is_heard_alone_is_half_a_conversation),
		cmocka_unit_test(only_an_answer_to_a_question_names_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

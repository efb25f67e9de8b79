#include "tests/test.h"

#include "classify/dpi.h"

#include <arpa/inet.h>
#include <pthread.h>

static int set_up(void **state)
{
	*state = dpi_new();
	return 0;
}

static int tear_down(void **state)
{
	struct dpi *d = *state;

	dpi_free(&d);
	assert_null(d);
	return 0;
}

static struct packet packet_of(const char *src, unsigned src_port, const char *dst, unsigned dst_port,
			       unsigned proto, const void *payload, size_t len)
{
	struct host_port from = { .port = (uint16_t)src_port }, to = { .port = (uint16_t)dst_port };
	bool v4 = strchr(src, ':') == NULL;
	struct packet p = {
		.time_ns = 1700000000000000000,
		.payload = payload,
		.payload_len = (uint32_t)len,
		.payload_wire_len = (uint32_t)len,
		.seq = 1000,
		.ack = 2000,
		.tcp_flags = TCP_ACK | TCP_PSH,
		.dir = FLOW_LO_TO_HI,
	};

	if (v4)
		from.addr[10] = from.addr[11] = to.addr[10] = to.addr[11] = 0xff;
	assert_int_equal(inet_pton(v4 ? AF_INET : AF_INET6, src, from.addr + (v4 ? 12 : 0)), 1);
	assert_int_equal(inet_pton(v4 ? AF_INET : AF_INET6, dst, to.addr + (v4 ? 12 : 0)), 1);
	p.key = (struct flow_key){ .lo = from, .hi = to, .proto = (uint8_t)proto };
	return p;
}

static void a_name_gets_its_application(void **state)
{
	static const struct {
		const char *name, *app;
	} cases[] = {
		{ "www.netflix.com", "NetFlix" }, { "web.whatsapp.com", "WhatsApp" }, { "kanzlei.example", "" },
		{ "", "" }, { ".", "" }, { "com", "" },
	};
	struct dpi *d = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dpi_label label;

		dpi_by_name(d, cases[i].name, &label);
		if (strcasecmp(label.app, cases[i].app) != 0 || label.master[0] != '\0' || label.opaque)
			fail_msg("'%s': got '%s'", cases[i].name, label.app);
	}
}

static void a_name_of_any_length_and_content_is_survived(void **state)
{
	struct dpi *d = *state;
	struct dpi_label label;
	char name[600];

	for (size_t n = 1; n < sizeof(name); n += 7) {
		for (size_t i = 0; i < n; i++)
			name[i] = (char)(1 + (i * 37 + n) % 255);
		name[n] = '\0';
		dpi_by_name(d, name, &label);
	}
}

static void resolvers_over_https_are_told(void **state)
{
	struct dpi *d = *state;
	struct dpi_label label;

	dpi_by_name(d, "dns.google", &label);
	assert_true(label.encrypted_dns);
	dpi_by_name(d, "www.google.com", &label);
	assert_false(label.encrypted_dns);
}

/* A handshake: type 1, three zeros, the sender's index ..., 148 bytes; its answer: type 2, 92 bytes. */
static void wireguard_is_opaque(void **state)
{
	static const char *const hosts[][2] = {
		{ "192.0.2.7", "198.51.100.9" }, { "2001:db8::7", "2001:db8::9" },
	};
	struct dpi *d = *state;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		uint8_t ask[148] = { 1 }, answer[92] = { 2 };
		struct dpi_flow *flow = NULL;
		struct dpi_label label;
		struct packet p;
		bool done;

		memset(ask + 4, 0xa5, sizeof(ask) - 4);
		memset(answer + 4, 0x5a, sizeof(answer) - 4);
		memcpy(answer + 8, ask + 4, 4);		/* the receiver's index is the asker's */
		p = packet_of(hosts[i][0], 40000, hosts[i][1], 51820, IPPROTO_UDP, ask, sizeof(ask));
		done = dpi_by_packet(d, &flow, &p, &label);
		if (!done) {
			p.dir = FLOW_HI_TO_LO;
			p.payload = answer;
			p.payload_len = sizeof(answer);
			done = dpi_by_packet(d, &flow, &p, &label);
		}
		assert_true(done);
		assert_null(flow);
		assert_string_equal(label.app, "WireGuard");
		assert_true(label.opaque);
	}
}

static void a_port_is_no_content(void **state)
{
	static const unsigned ports[] = { 22, 143, 443, 853, 993, 1194, 1080, 9001 };
	struct dpi *d = *state;
	uint8_t noise[64];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(0x81 + i * 59);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		struct packet p = packet_of("192.0.2.7", 40000, "198.51.100.9", ports[i], IPPROTO_TCP, noise,
					    sizeof(noise));
		struct dpi_flow *flow = NULL;
		struct dpi_label label;
		unsigned shown = 1;

		while (!dpi_by_packet(d, &flow, &p, &label)) {
			p.seq += (uint32_t)sizeof(noise);
			shown++;
		}
		assert_int_equal(shown, DPI_PACKETS);
		assert_null(flow);
		if (label.app[0] != '\0' || label.master[0] != '\0' || label.opaque)
			fail_msg("port %u: %s.%s", ports[i], label.master, label.app);
	}
}

/* A BitTorrent handshake, then another flow of the same hosts with nothing to tell. */
static void one_flow_does_not_name_another(void **state)
{
	static const char handshake[] = "\x13" "BitTorrent protocol\0\0\0\0\0\0\0\0"
		"aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb";
	static const char noise[] = "\xc4\x8f\x02\x99nothing to tell at all, whoever was here before\xff\x80";
	struct dpi *d = *state, *fresh = dpi_new();
	struct dpi_label before, after;
	struct dpi_flow *flow = NULL;
	struct packet p = packet_of("192.0.2.7", 40000, "198.51.100.9", 6881, IPPROTO_TCP, handshake,
				    sizeof(handshake) - 1);

	while (!dpi_by_packet(d, &flow, &p, &after))
		p.seq += p.payload_len;
	p = packet_of("192.0.2.7", 40000, "198.51.100.9", 6881, IPPROTO_UDP, noise, sizeof(noise) - 1);
	while (!dpi_by_packet(d, &flow, &p, &after))
		;
	while (!dpi_by_packet(fresh, &flow, &p, &before))
		;
	assert_memory_equal(&before, &after, sizeof(before));
	dpi_free(&fresh);
}

static void hostile_packets_are_survived(void **state)
{
	struct dpi *d = *state;
	uint8_t *big = calloc(1, 65535);
	uint32_t random = 12345;

	assert_non_null(big);
	for (unsigned round = 0; round < 3000; round++) {
		static const unsigned protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 50, 47, 4, 41, 0, 255 };
		size_t len = round % 97 == 0 ? 65535 : round % 300;
		uint8_t *exact = malloc(len > 0 ? len : 1);	/* so that a sanitizer sees its end */
		struct dpi_flow *flow = NULL;
		struct dpi_label label;
		struct packet p;

		assert_non_null(exact);
		for (size_t i = 0; i < len && i < 400; i++)
			big[i] = (uint8_t)((random = random * 1103515245 + 12345) >> 16);
		memcpy(exact, big, len);
		p = packet_of(round & 1 ? "192.0.2.7" : "2001:db8::7", random & 0xffff,
			      round & 1 ? "198.51.100.9" : "2001:db8::9", round % 1024,
			      protos[round % (sizeof(protos) / sizeof(protos[0]))], exact, len);
		for (unsigned i = 0; i < round % 12; i++) {
			p.dir = (uint8_t)(i & 1);
			p.seq += (uint32_t)len;
			if (dpi_by_packet(d, &flow, &p, &label))
				break;
		}
		dpi_flow_free(&flow);
		assert_null(flow);
		free(exact);
	}
	free(big);
}

static void *make_and_use(void *arg)
{
	struct dpi *d = dpi_new();
	struct dpi_label label;

	(void)arg;
	dpi_by_name(d, "www.netflix.com", &label);
	dpi_free(&d);
	return NULL;
}

static void workers_may_start_at_the_same_time(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_and_use, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_gets_its_application),
		cmocka_unit_test(a_name_of_any_length_and_content_is_survived),
		cmocka_unit_test(resolvers_over_https_are_told),
		cmocka_unit_test(wireguard_is_opaque),
		cmocka_unit_test(a_port_is_no_content),
		cmocka_unit_test(one_flow_does_not_name_another),
		cmocka_unit_test(hostile_packets_are_survived),
		cmocka_unit_test(workers_may_start_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

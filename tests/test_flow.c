/* One conversation: who began it, what happened in it, and what is said of it. */
#include "tests/test.h"

#include "classify/flow.h"

#include <netinet/in.h>

/* A packet between 192.0.2.7 (lo) and 198.51.100.9 (hi). */
static struct packet packet_of(bool from_lo, uint16_t lo_port, uint16_t hi_port, uint8_t proto,
			       uint8_t flags, uint32_t payload)
{
	struct host_port lo = { .port = lo_port }, hi = { .port = hi_port };
	struct packet p = { .frame = 5, .time_ns = 100, .fragments = 1, .tcp_flags = flags, .wire_len = payload + 54,
			    .payload_len = payload, .payload_wire_len = payload };

	memcpy(lo.addr, (uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 7 }, 16);
	memcpy(hi.addr, (uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 198, 51, 100, 9 }, 16);
	p.dir = (uint8_t)flow_key_make(&p.key, from_lo ? &lo : &hi, from_lo ? &hi : &lo, proto);
	return p;
}

static void the_originator_is_who_sent_the_syn_else_the_high_port(void **state)
{
	static const struct {
		const char *name;
		bool from_lo;
		uint16_t lo_port, hi_port;
		uint8_t proto, flags;
		bool lo_is_orig;
	} cases[] = {
		{ "SYN from lo", true, 40000, 993, IPPROTO_TCP, TCP_SYN, true },
		{ "SYN from hi, to a high port", false, 993, 40000, IPPROTO_TCP, TCP_SYN, false },
		{ "SYN+ACK from hi", false, 40000, 993, IPPROTO_TCP, TCP_SYN | TCP_ACK, true },
		{ "data from the server first", false, 40000, 993, IPPROTO_TCP, TCP_ACK, true },
		{ "data from the client first", true, 40000, 993, IPPROTO_TCP, TCP_ACK, true },
		{ "two high ports: who spoke first", false, 40000, 50000, IPPROTO_TCP, TCP_ACK, false },
		{ "an answer whose question was not seen", false, 40000, 53, IPPROTO_UDP, 0, true },
		{ "between two servers: who spoke first", false, 53, 53, IPPROTO_UDP, 0, false },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = packet_of(cases[i].from_lo, cases[i].lo_port, cases[i].hi_port,
					    cases[i].proto, cases[i].flags, 0);
		struct flow f = { .key = p.key };

		flow_begin(&f, &p);
		if (f.orig_is_hi == cases[i].lo_is_orig)
			fail_msg("%s: the other side was taken for the originator", cases[i].name);
	}
}

static void history_pace_and_sums_tell_what_happened(void **state)
{
	const struct {
		bool from_lo;
		uint8_t flags;
		uint32_t payload;
		enum flow_pace pace;
	} steps[] = {
		{ true, TCP_SYN, 0, PACE_HALF_OPEN }, { false, TCP_SYN | TCP_ACK, 0, PACE_ESTABLISHED },
		{ true, TCP_ACK, 0, PACE_ESTABLISHED }, { true, TCP_ACK, 10, PACE_ESTABLISHED },
		{ false, TCP_ACK, 20, PACE_ESTABLISHED }, { true, TCP_ACK, 30, PACE_ESTABLISHED },
		{ true, TCP_FIN | TCP_ACK, 0, PACE_ESTABLISHED }, { false, TCP_FIN | TCP_ACK, 0, PACE_CLOSED },
	};
	struct packet first = packet_of(true, 40000, 993, IPPROTO_TCP, TCP_SYN, 0);
	struct flow f = { .key = first.key };
	struct fact_flow fact;
	struct flow_ids *ids = flow_ids_new();
	(void)state;

	flow_begin(&f, &first);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct packet p = packet_of(steps[i].from_lo, 40000, 993, IPPROTO_TCP, steps[i].flags,
					    steps[i].payload);

		assert_int_equal(flow_count(&f, &p), steps[i].pace);
	}
	flow_describe(&f, FLOW_OPEN, ids, &fact);
	assert_string_equal(fact.history, "ShADdFf");
	assert_int_equal(fact.end, FLOW_CLOSED);
	assert_int_equal(fact.packets[SIDE_ORIGINATOR], 5);
	assert_int_equal(fact.packets[SIDE_RESPONDER], 3);
	assert_int_equal(fact.bytes[SIDE_RESPONDER], 3 * 54 + 20);
	assert_int_equal(fact.orig_port, 40000);
	assert_true(fact.orig_seen_syn);
	flow_ids_free(&ids);
}

#define S (1000000000LL)

/* A packet of each second that `bytes` names, and what flow_sample says at the end of each interval. */
static unsigned samples_of(const char *app_proto, const uint32_t *bytes, unsigned seconds,
			   struct fact_flow_sample *out)
{
	struct packet p = packet_of(true, 40000, 443, IPPROTO_UDP, 0, 0);
	struct flow f = { .key = p.key };
	unsigned count = 0;

	p.time_ns = 7 * S;
	flow_begin(&f, &p);
	f.app_proto = app_proto;
	for (unsigned i = 0; i < seconds; i++) {
		if (bytes[i] == 0)
			continue;
		p = packet_of(i % 2 == 0, 40000, 443, IPPROTO_UDP, 0, bytes[i]);
		p.payload_len = 0;		/* cut: nothing to tell copies by */
		p.time_ns = (7 + i) * S;
		p.frame = i;
		if (p.time_ns >= f.sample_end_ns)
			count += flow_sample(&f, p.time_ns, &out[count]);
		flow_count(&f, &p);
	}
	if (flow_is_sampled(&f))
		count += flow_sample(&f, f.last_ns, &out[count]);
	return count;
}

static void samples_are_the_payload_of_each_interval(void **state)
{
	static const struct {
		const char *name, *app_proto;
		uint32_t bytes[60];		/* from second 7 on; even ones up */
		struct { int64_t start_s; uint64_t up, down, frame; } want[4];
	} cases[] = {
		{ "ends in its first interval", "tls", { 5, 6, 7 }, { { 0 } } },
		{ "goes on into the second", "tls", { 5, 6, 7, 8 }, { { 0, 12, 6, 2 }, { 10, 0, 8, 3 } } },
		{ "is silent for an interval", "imap", { [0] = 5, [23] = 6, [24] = 7 },
		  { { 0, 5, 0, 0 }, { 30, 7, 6, 24 } } },
		{ "carries no mail", "dns", { [0] = 5, [23] = 6 }, { { 0 } } },
		{ "is not known", "", { [0] = 5, [23] = 6 }, { { 0 } } },
	};
	struct fact_flow_sample got[4];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned count = samples_of(cases[i].app_proto, cases[i].bytes, 60, got), k = 0;

		for (; k < count; k++) {
			if (got[k].place != k || got[k].start_ns != cases[i].want[k].start_s * S ||
			    got[k].end_ns != got[k].start_ns + 10 * S || got[k].bytes[0] != cases[i].want[k].up ||
			    got[k].bytes[1] != cases[i].want[k].down || got[k].frame != cases[i].want[k].frame)
				fail_msg("a flow that %s: sample %u is not right", cases[i].name, k);
		}
		if (k < 4 && cases[i].want[k].up + cases[i].want[k].down > 0)
			fail_msg("a flow that %s has too few samples", cases[i].name);
	}
}

/* Until the flow is over the server counts as its originator; samples are right already. */
static void samples_of_a_flow_that_will_be_turned_round_are_the_clients(void **state)
{
	struct packet p = packet_of(false, 40000, 50000, IPPROTO_UDP, 0, 900);
	struct watch_facts facts = { .flip = true };
	struct flow f = { .key = p.key };
	struct fact_flow_sample s;
	(void)state;

	p.payload_len = 0;
	flow_begin(&f, &p);
	f.app_proto = "tls";
	f.facts = &facts;
	flow_count(&f, &p);
	assert_true(flow_sample(&f, 10 * S, &s));
	assert_int_equal(s.bytes[SIDE_RESPONDER], 900);
	assert_int_equal(s.bytes[SIDE_ORIGINATOR], 0);
	assert_false(flow_sample(&f, 20 * S, &s));
	flow_flip(&f);
	facts.flip = false;
	assert_false(flow_sample(&f, 30 * S, &s));
	p.time_ns = 31 * S;
	flow_count(&f, &p);
	assert_true(flow_sample(&f, 40 * S, &s));
	assert_int_equal(s.bytes[SIDE_RESPONDER], 900);
	assert_int_equal(s.bytes[SIDE_ORIGINATOR], 0);
}

static void a_flow_held_for_long_is_sampled_more_coarsely(void **state)
{
	struct packet p = packet_of(true, 40000, 443, IPPROTO_UDP, 0, 1);
	struct flow f = { .key = p.key, .app_proto = "tls" };
	struct fact_flow_sample s = { 0 };
	int64_t end_ns = 0;
	unsigned count = 0;
	uint64_t bytes = 0;
	(void)state;

	p.payload_len = 0;
	flow_begin(&f, &p);
	f.app_proto = "tls";
	for (unsigned i = 0; i < 4 * FLOW_SAMPLES; i++) {
		p.time_ns = 100 + i * FLOW_SAMPLE_NS;
		if (p.time_ns >= f.sample_end_ns && flow_sample(&f, p.time_ns, &s)) {
			assert_true(s.start_ns >= end_ns);
			assert_int_equal(s.place, count++);
			end_ns = s.end_ns;
			bytes += s.bytes[0];
		}
		flow_count(&f, &p);
	}
	assert_true(flow_sample(&f, p.time_ns, &s));
	assert_int_equal(bytes + s.bytes[0], 4 * FLOW_SAMPLES);
	assert_int_equal(s.end_ns - s.start_ns, 4 * FLOW_SAMPLE_NS);
	assert_in_range(count, 2 * FLOW_SAMPLES, 5 * FLOW_SAMPLES / 2 + 1);
}

static void flipping_turns_everything_round_and_back(void **state)
{
	struct packet p = packet_of(true, 40000, 50000, IPPROTO_TCP, TCP_ACK, 7);
	struct flow f = { .key = p.key };
	struct fact_flow before, after;
	struct flow_ids *ids = flow_ids_new();
	(void)state;

	flow_begin(&f, &p);
	flow_count(&f, &p);
	flow_describe(&f, FLOW_OPEN, ids, &before);
	assert_string_equal(before.history, "D");
	flow_flip(&f);
	flow_describe(&f, FLOW_OPEN, ids, &after);
	assert_string_equal(after.history, "d");
	assert_int_equal(after.packets[SIDE_RESPONDER], 1);
	assert_int_equal(after.orig_port, 50000);
	assert_int_equal(flow_side(&f, &p), SIDE_RESPONDER);
	flow_flip(&f);
	flow_describe(&f, FLOW_OPEN, ids, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	flow_ids_free(&ids);
}

static void a_new_syn_after_the_end_is_another_flow(void **state)
{
	struct packet syn = packet_of(true, 40000, 993, IPPROTO_TCP, TCP_SYN, 0);
	struct packet rst = packet_of(false, 40000, 993, IPPROTO_TCP, TCP_RST, 0);
	struct packet again = syn;
	struct flow f = { .key = syn.key };
	(void)state;

	flow_begin(&f, &syn);
	f.pace = flow_count(&f, &syn);
	assert_false(flow_is_over_for(&f, &again));	/* a repeated SYN is the same attempt */
	f.pace = flow_count(&f, &rst);
	again.seq = 77;
	assert_true(flow_is_over_for(&f, &again));
	assert_false(flow_is_over_for(&f, &rst));
}

static void a_copied_datagram_is_counted_once_and_a_repeated_one_twice(void **state)
{
	static const struct {
		const char *payload;
		int64_t ms;
		bool from_lo;
		uint64_t lo_sum, hi_sum;
	} steps[] = {
		{ "ten bytes!", 0, true, 10, 0 }, { "ten bytes!", 1, true, 10, 0 },
		{ "ten bytes?", 2, true, 20, 0 }, { "ten bytes!", 3, true, 20, 0 },
		{ "ten bytes!", 4, false, 20, 10 },	/* an echo is no copy */
		{ "ten bytes!", 40, true, 30, 10 }, { "eleven byte", 41, true, 41, 10 },
	};
	struct packet first = packet_of(true, 40000, 50000, IPPROTO_UDP, 0, 10);
	struct flow f = { .key = first.key };
	(void)state;

	flow_begin(&f, &first);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct packet p = packet_of(steps[i].from_lo, 40000, 50000, IPPROTO_UDP, 0,
					    (uint32_t)strlen(steps[i].payload));

		p.payload = (const uint8_t *)steps[i].payload;
		p.time_ns = 1000000000 + steps[i].ms * 1000000;
		flow_count(&f, &p);
		assert_int_equal(f.payload[SIDE_ORIGINATOR], steps[i].lo_sum);
		assert_int_equal(f.payload[SIDE_RESPONDER], steps[i].hi_sum);
		assert_int_equal(f.packets[0] + f.packets[1], i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_originator_is_who_sent_the_syn_else_the_high_port),
		cmocka_unit_test(history_pace_and_sums_tell_what_happened),
		cmocka_unit_test(flipping_turns_everything_round_and_back),
		cmocka_unit_test(a_new_syn_after_the_end_is_another_flow),
		cmocka_unit_test(samples_are_the_payload_of_each_interval),
		cmocka_unit_test(samples_of_a_flow_that_will_be_turned_round_are_the_clients),
		cmocka_unit_test(a_flow_held_for_long_is_sampled_more_coarsely),
		cmocka_unit_test(a_copied_datagram_is_counted_once_and_a_repeated_one_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Segments in every order and form give the bytes that were sent, and a count of those that never came. */
#include "tests/test.h"

#include "classify/stream.h"

#include <stdlib.h>
#include <time.h>

struct got {
	uint8_t bytes[STREAM_WATCHED];
	size_t len;		/* handed on and used */
	size_t largest_use;	/* how much the taker uses at once; 0: all */
	size_t calls;
	struct stream *stop;	/* stop this stream when handed anything */
};

static size_t take(void *context, struct bytes in, uint64_t frame)
{
	struct got *got = context;
	size_t n = got->largest_use > 0 && got->largest_use < in.len ? got->largest_use : in.len;

	(void)frame;
	got->calls++;
	if (got->stop != NULL)
		stream_stop(got->stop);
	assert_true(got->len + n <= sizeof(got->bytes));
	memcpy(got->bytes + got->len, in.data, n);
	got->len += n;
	return n;
}

static void add(struct stream *s, struct got *got, uint32_t isn, const char *text, unsigned from, unsigned to)
{
	stream_add(s, isn + 1 + from, (const uint8_t *)text + from, to - from, to - from, 1, take, got);
}

#define TEXT "abcdefghijklmnopqrstuvwxyz"

static void every_form_of_segment_gives_the_text_once(void **state)
{
	static const struct {
		const char *name;
		struct { unsigned from, to; } seg[8];
		const char *want;
		uint64_t missing;
	} cases[] = {
		{ "in order", { { 0, 10 }, { 10, 26 } }, TEXT, 0 },
		{ "swapped", { { 10, 26 }, { 0, 10 } }, TEXT, 0 },
		{ "repeated", { { 0, 10 }, { 0, 10 }, { 10, 26 }, { 0, 26 } }, TEXT, 0 },
		{ "overlapping ahead", { { 0, 10 }, { 5, 26 } }, TEXT, 0 },
		{ "overlapping behind a hole", { { 10, 20 }, { 15, 26 }, { 0, 12 } }, TEXT, 0 },
		{ "covering what was buffered", { { 10, 12 }, { 5, 20 }, { 0, 26 } }, TEXT, 0 },
		{ "filling the middle of a hole", { { 20, 26 }, { 8, 12 }, { 0, 9 }, { 11, 21 } }, TEXT, 0 },
		{ "keep-alive and probe", { { 0, 10 }, { 9, 10 }, { 10, 11 }, { 10, 26 } }, TEXT, 0 },
		{ "a hole", { { 0, 10 }, { 12, 26 } }, "abcdefghij", 2 },
		{ "two holes", { { 1, 10 }, { 12, 26 } }, "", 3 },
		{ "empty", { { 0, 0 } }, "", 0 },
	};
	/* Around the wrap of 32 and of 31 bits. */
	static const uint32_t isns[] = { 0, 0xfffffff5, 0x7ffffff5, 0xffffffff };
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t k = 0; k < 4 * 3; k++) {
			struct stream s = { 0 };
			struct got got = { .largest_use = k % 3 };
			uint32_t isn = isns[k / 3];

			stream_syn(&s, isn);
			for (size_t j = 0; j < 8 && cases[i].seg[j].to > 0; j++)
				add(&s, &got, isn, TEXT, cases[i].seg[j].from, cases[i].seg[j].to);
			if (stream_missing(&s) != cases[i].missing)
				fail_msg("%s: missing %d", cases[i].name, (int)stream_missing(&s));
			while (s.buffer != NULL && got.largest_use > 0 && got.len < strlen(cases[i].want))
				stream_again(&s, 1, take, &got);
			if (got.len != strlen(cases[i].want) ||
			    memcmp(got.bytes, cases[i].want, got.len) != 0)
				fail_msg("%s: got %.*s", cases[i].name, (int)got.len, got.bytes);
			stream_over(&s);
			assert_int_equal(stream_missing(&s), cases[i].missing);
			assert_int_equal(s.gap, cases[i].missing > 0);
			assert_null(s.buffer);
		}
	}
}

static void of_overlapping_bytes_the_first_to_come_win(void **state)
{
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	stream_syn(&s, 0);
	add(&s, &got, 0, "abcd....", 0, 4);
	add(&s, &got, 0, "WXYZefWX", 2, 8);
	add(&s, &got, 0, "........----mn", 12, 14);
	add(&s, &got, 0, "........ijklMNop", 8, 16);
	assert_int_equal(got.len, 16);
	assert_memory_equal(got.bytes, "abcdefWXijklmnop", 16);
	stream_over(&s);
	assert_false(s.gap);
}

static void bytes_cut_by_the_snap_length_are_a_hole_that_may_be_filled(void **state)
{
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	stream_syn(&s, 0);
	stream_add(&s, 1, (const uint8_t *)"abc", 3, 10, 1, take, &got);
	assert_int_equal(got.len, 3);
	assert_int_equal(stream_missing(&s), 7);
	add(&s, &got, 0, TEXT, 10, 26);
	assert_int_equal(got.len, 3);
	add(&s, &got, 0, TEXT, 2, 10);
	assert_int_equal(got.len, 26);
	assert_int_equal(stream_missing(&s), 0);
	stream_add(&s, 27, NULL, 0, 5, 1, take, &got);
	assert_int_equal(stream_missing(&s), 5);
	assert_int_equal(s.seen, 26);
	stream_over(&s);
	assert_true(s.gap);
}

static void what_was_acknowledged_but_never_came_is_missing(void **state)
{
	static const struct {
		const char *name;
		bool syn, fin;
		uint32_t first_ack, ack;
		uint64_t missing;
	} cases[] = {
		{ "all acknowledged", true, false, 1, 27, 0 },
		{ "FIN acknowledged", true, true, 1, 28, 0 },
		{ "five more", true, false, 1, 32, 5 },
		{ "five more and the FIN", true, true, 1, 33, 5 },
		{ "an old acknowledgement", true, false, 32, 20, 5 },
		{ "beyond any window", true, false, 1, 0x60000000, 0 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream s = { 0 };
		struct got got = { 0 };

		stream_syn(&s, 0);
		stream_acked(&s, cases[i].first_ack);
		add(&s, &got, 0, TEXT, 0, 26);
		if (cases[i].fin)
			stream_fin(&s, 27);
		stream_acked(&s, cases[i].ack);
		if (stream_missing(&s) != cases[i].missing)
			fail_msg("%s: missing %d", cases[i].name, (int)stream_missing(&s));
		stream_over(&s);
		assert_int_equal(stream_missing(&s), cases[i].missing);
		assert_int_equal(s.gap, cases[i].missing > 0);
	}
}

static void what_is_not_read_is_missing(void **state)
{
	static const struct {
		const char *name;
		bool syn;
		uint32_t seq;		/* of 26 bytes, after a first segment of 1 at 1 */
		uint64_t missing;
	} cases[] = {
		{ "the next", false, 2, 0 },
		{ "the first again", false, 1, 0 },
		{ "a keep-alive", false, 0, 0 },
		{ "before the begin", false, 0xffff0000, 26 },
		{ "partly before it", false, 0xfffffff1, 16 },
		{ "before the SYN", true, 0xffff0000, 26 },
		{ "far behind", false, 0x60000000, 26 },
		{ "far before", false, 0x90000000, 26 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream s = { 0 };
		struct got got = { 0 };

		if (cases[i].syn)
			stream_syn(&s, 0);
		stream_add(&s, 1, (const uint8_t *)TEXT, 1, 1, 1, take, &got);
		stream_add(&s, cases[i].seq, (const uint8_t *)TEXT, 26, 26, 1, take, &got);
		if (stream_missing(&s) != cases[i].missing)
			fail_msg("%s: missing %d", cases[i].name, (int)stream_missing(&s));
		stream_over(&s);
	}
}

static void a_side_that_was_never_seen_is_missing_by_its_acknowledgements(void **state)
{
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	assert_int_equal(stream_missing(&s), 0);
	stream_acked(&s, 1000);
	assert_int_equal(stream_missing(&s), 0);
	stream_acked(&s, 5000);
	assert_int_equal(stream_missing(&s), 4000);
	assert_int_equal(s.seen, 0);
	/* ... and begins where it was acknowledged, if it is seen after all. */
	stream_add(&s, 1000, (const uint8_t *)TEXT, 26, 26, 1, take, &got);
	assert_int_equal(got.len, 26);
	assert_int_equal(stream_missing(&s), 3974);
	stream_over(&s);
}

static void a_fin_behind_a_hole_shows_the_hole(void **state)
{
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	stream_syn(&s, 0);
	add(&s, &got, 0, TEXT, 0, 10);
	stream_fin(&s, 27);
	assert_int_equal(stream_missing(&s), 16);
	add(&s, &got, 0, TEXT, 10, 26);
	assert_int_equal(stream_missing(&s), 0);
	assert_int_equal(got.len, 26);
	stream_over(&s);
	assert_false(s.gap);
}

static void of_several_syns_the_acknowledged_one_counts(void **state)
{
	static const struct {
		uint32_t syn[2], ack;
	} cases[] = {
		{ { 5000, 900000 }, 900001 }, { { 900000, 5000 }, 900001 }, { { 900000, 900000 }, 900001 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream s = { 0 };
		struct got got = { 0 };

		stream_syn(&s, cases[i].syn[0]);
		stream_syn(&s, cases[i].syn[1]);
		stream_acked(&s, cases[i].ack);
		stream_syn(&s, 77);
		add(&s, &got, 900000, TEXT, 0, 26);
		stream_syn(&s, 99);
		assert_int_equal(got.len, 26);
		assert_true(s.from_syn);
		stream_over(&s);
		assert_int_equal(stream_missing(&s), 0);
	}
}

static void a_stream_without_syn_begins_with_the_first_bytes(void **state)
{
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	stream_add(&s, 499, NULL, 0, 0, 1, take, &got);		/* a bare ACK, maybe a keep-alive */
	assert_false(s.started);
	stream_add(&s, 500, (const uint8_t *)TEXT, 10, 10, 1, take, &got);
	stream_add(&s, 400, (const uint8_t *)TEXT, 26, 26, 1, take, &got);
	assert_int_equal(got.len, 10);
	assert_false(s.from_syn);
	assert_int_equal(s.seen, 10);
	stream_over(&s);
	assert_int_equal(stream_missing(&s), 26);	/* seen, but not read */
}

static void a_gap_is_final_behind_enough_bytes_or_holes(void **state)
{
	static uint8_t data[STREAM_AHEAD];
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	stream_syn(&s, 0);
	add(&s, &got, 0, TEXT, 0, 10);
	stream_add(&s, 13, data, STREAM_AHEAD - 1, STREAM_AHEAD - 1, 1, take, &got);
	assert_false(s.gap);
	assert_non_null(s.buffer);
	stream_add(&s, 13 + STREAM_AHEAD - 1, data, 1, 1, 1, take, &got);
	assert_true(s.gap);
	assert_null(s.buffer);
	assert_int_equal(s.missing, 2);
	add(&s, &got, 0, TEXT, 10, 12);		/* too late */
	assert_int_equal(got.len, 10);
	assert_int_equal(stream_missing(&s), 2);

	s = (struct stream){ 0 };
	stream_syn(&s, 0);
	for (unsigned i = 0; i <= STREAM_HOLES; i++) {
		assert_false(s.gap);
		stream_add(&s, 2 + 2 * i, data, 1, 1, 1, take, &got);
	}
	assert_true(s.gap);
	assert_int_equal(stream_missing(&s), STREAM_HOLES + 1);
}

static void splitting_a_hole_when_all_are_taken_gives_up_the_first(void **state)
{
	static const uint8_t data[400];
	(void)state;

	/* Holes of 10 bytes at 0, 20, 40, ...: split hole number i. */
	for (unsigned i = 0; i < STREAM_HOLES; i++) {
		struct stream s = { .stopped = true };

		stream_syn(&s, 0xffffff00);
		for (unsigned k = 0; k < STREAM_HOLES; k++)
			stream_add(&s, 0xffffff01 + 20 * k + 10, data, 10, 10, 1, take, NULL);
		assert_int_equal(s.hole_count, STREAM_HOLES);
		stream_add(&s, 0xffffff01 + 20 * i + 4, data, 2, 2, 1, take, NULL);
		assert_int_equal(s.hole_count, STREAM_HOLES);
		assert_int_equal(s.missing, i == 0 ? 4 : 10);
		assert_int_equal(stream_missing(&s), 10 * STREAM_HOLES - 2);
		for (unsigned k = 1; k < s.hole_count; k++)
			assert_true((int32_t)(s.holes[k].from - s.holes[k - 1].to) > 0);
		assert_int_equal(s.seen + stream_missing(&s), 20 * STREAM_HOLES);
	}
}

static void only_the_first_bytes_are_handed_on_but_all_are_counted(void **state)
{
	static uint8_t data[3 * STREAM_WATCHED];
	static struct got got;
	struct stream s = { 0 };
	(void)state;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	stream_syn(&s, 0);
	for (uint32_t i = 0; i < sizeof(data); i += 1000) {
		uint32_t n = sizeof(data) - i < 1000 ? (uint32_t)sizeof(data) - i : 1000;

		stream_add(&s, 1 + i, data + i, n, n, 1, take, &got);
	}
	assert_int_equal(got.len, STREAM_WATCHED);
	assert_memory_equal(got.bytes, data, STREAM_WATCHED);
	assert_true(s.stopped);
	assert_false(s.gap);
	assert_int_equal(s.seen, sizeof(data));
	assert_int_equal(stream_missing(&s), 0);
}

static void a_taker_may_stop_the_stream_while_it_reads(void **state)
{
	(void)state;

	for (unsigned buffered = 0; buffered < 2; buffered++) {
		struct stream s = { 0 };
		struct got got = { .stop = &s };

		stream_syn(&s, 0);
		if (buffered)
			add(&s, &got, 0, TEXT, 10, 26);
		add(&s, &got, 0, TEXT, 0, 10);
		add(&s, &got, 0, TEXT, 10, 26);
		assert_int_equal(got.calls, 1);
		assert_int_equal(got.len, buffered ? 26 : 10);
		assert_null(s.buffer);
		assert_int_equal(s.seen, 26);
	}
}

static void in_order_bytes_are_handed_on_where_they_lie(void **state)
{
	struct stream s = { 0 };
	struct got got = { 0 };
	(void)state;

	stream_syn(&s, 0);
	add(&s, &got, 0, TEXT, 0, 10);
	assert_null(s.buffer);
	got.largest_use = 3;
	add(&s, &got, 0, TEXT, 10, 20);
	assert_non_null(s.buffer);
	got.largest_use = 0;
	add(&s, &got, 0, TEXT, 20, 26);
	assert_null(s.buffer);
	assert_int_equal(got.len, 26);
	assert_memory_equal(got.bytes, TEXT, 26);
}

/* A string cut up, with overlaps and repetitions, in an order that is shuffled within a window; some
 * segments are dropped. The model is a map of which bytes ever came. */
static void random_cuts_give_the_same_bytes_and_the_exact_number_missing(void **state)
{
	enum { SIZE = 20000, SEGMENTS = 400 };
	static uint8_t data[SIZE], came[SIZE];
	static struct got got;
	struct { uint32_t from, to; } seg[SEGMENTS];
	(void)state;

	srandom(4711);
	for (unsigned round = 0; round < 400; round++) {
		struct stream s = { 0 };
		uint32_t isn = (uint32_t)random() * 2, at = 0, prefix = 0;
		unsigned n = 0, missing = 0;
		bool drop = round % 2 == 1;

		for (size_t i = 0; i < SIZE; i++)
			data[i] = (uint8_t)random();
		memset(came, 0, sizeof(came));
		memset(&got, 0, sizeof(got));
		got.largest_use = round % 5 == 0 ? 700 : 0;
		while (at < SIZE) {
			uint32_t len = 1 + (uint32_t)random() % 300, back = (uint32_t)random() % 100;
			uint32_t from = random() % 4 == 0 && at > back ? at - back : at;

			at = at + len < SIZE ? at + len : SIZE;
			if (n < SEGMENTS)
				seg[n].from = from, seg[n++].to = at;
			if (n < SEGMENTS && random() % 8 == 0) {
				seg[n] = seg[(unsigned)random() % n];
				n++;
			}
		}
		for (unsigned i = 0; i + 5 < n; i++) {
			unsigned k = i + (unsigned)random() % 5;
			uint32_t from = seg[i].from, to = seg[i].to;

			seg[i] = seg[k];
			seg[k].from = from, seg[k].to = to;
		}
		stream_syn(&s, isn);
		for (unsigned i = 0; i < n; i++) {
			uint32_t len = seg[i].to - seg[i].from;

			if (drop && random() % 60 == 0)
				continue;
			memset(came + seg[i].from, 1, len);
			stream_add(&s, isn + 1 + seg[i].from, data + seg[i].from, len, len, 1, take, &got);
		}
		stream_acked(&s, isn + 1 + SIZE);
		while (prefix < SIZE && came[prefix])
			prefix++;
		for (unsigned i = 0; i < SIZE; i++)
			missing += came[i] == 0;
		assert_int_equal(stream_missing(&s), missing);
		assert_int_equal(s.seen, SIZE - missing);
		for (size_t was = 1; got.largest_use > 0 && was != got.len;) {
			was = got.len;
			stream_again(&s, 1, take, &got);
		}
		assert_int_equal(got.len, prefix);
		assert_memory_equal(got.bytes, data, prefix);
		stream_over(&s);
		assert_int_equal(stream_missing(&s), missing);
		assert_int_equal(s.gap, missing > 0);
	}
}

static void following_a_stopped_stream_costs_next_to_nothing(void **state)
{
	enum { ROUNDS = 2000000 };
	static const uint8_t data[1448];
	struct stream s = { .stopped = true };
	struct timespec a, b;
	(void)state;

	stream_syn(&s, 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (uint32_t i = 0; i < ROUNDS; i++)
		stream_add(&s, s.next, data, sizeof(data), sizeof(data), i, take, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);

	double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);

	print_message("%.1f ns a segment\n", ns / ROUNDS);
	assert_true(ns / ROUNDS < 200);		/* sanitized builds on a busy machine, too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_segment_gives_the_text_once),
		cmocka_unit_test(of_overlapping_bytes_the_first_to_come_win),
		cmocka_unit_test(bytes_cut_by_the_snap_length_are_a_hole_that_may_be_filled),
		cmocka_unit_test(what_was_acknowledged_but_never_came_is_missing),
		cmocka_unit_test(what_is_not_read_is_missing),
		cmocka_unit_test(a_side_that_was_never_seen_is_missing_by_its_acknowledgements),
		cmocka_unit_test(a_fin_behind_a_hole_shows_the_hole),
		cmocka_unit_test(of_several_syns_the_acknowledged_one_counts),
		cmocka_unit_test(a_stream_without_syn_begins_with_the_first_bytes),
		cmocka_unit_test(a_gap_is_final_behind_enough_bytes_or_holes),
		cmocka_unit_test(splitting_a_hole_when_all_are_taken_gives_up_the_first),
		cmocka_unit_test(only_the_first_bytes_are_handed_on_but_all_are_counted),
		cmocka_unit_test(a_taker_may_stop_the_stream_while_it_reads),
		cmocka_unit_test(in_order_bytes_are_handed_on_where_they_lie),
		cmocka_unit_test(random_cuts_give_the_same_bytes_and_the_exact_number_missing),
		cmocka_unit_test(following_a_stopped_stream_costs_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Datagrams put together from fragments in every order, and what never becomes one. Over 400 lines: all
 * tests share the pieces and the losses. */
#include "tests/test.h"

#include "capture/base.h"
#include "capture/fragment.h"

enum { PATTERN = 70000 };

struct losses {
	unsigned count;
	uint32_t parts;
	struct fragment_loss last;
};

static void note(void *context, const struct fragment_loss *loss)
{
	struct losses *seen = context;

	seen->count++;
	seen->parts += loss->parts;
	seen->last = *loss;
}

/* A byte for each place, so that a misplaced one shows. */
static uint8_t pattern(uint32_t offset)
{
	return (uint8_t)(offset * 7 + offset / 256);
}

static const uint8_t *pattern_from(uint32_t offset)
{
	static uint8_t bytes[PATTERN];

	if (bytes[1] == 0) {
		for (uint32_t i = 0; i < PATTERN; i++)
			bytes[i] = pattern(i);
	}
	return bytes + offset;
}

struct result {
	bool whole;
	uint8_t *data;
	uint32_t len, wire;
	uint16_t parts;
};

struct piece {
	uint32_t offset, len;
	bool last;
};

static struct packet_fragment fragment_of(struct piece piece, uint32_t id)
{
	return (struct packet_fragment){
		.src = { 1 }, .dst = { 2 }, .ip_id = id, .proto = 17, .offset = piece.offset,
		.len = piece.len, .wire_len = piece.len, .data = pattern_from(piece.offset),
		.more = !piece.last,
	};
}

static struct result add(struct fragment_table *t, const struct packet_fragment *fragment,
			 uint64_t frame, int64_t time_ns)
{
	struct packet packet = { .frame = frame, .time_ns = time_ns, .wire_len = fragment->len + 34 };
	/* An exact copy, for AddressSanitizer. */
	struct packet_fragment exact = *fragment;
	uint8_t *copy = base_alloc(fragment->len);
	struct result r = { 0 };

	memcpy(copy, fragment->data, fragment->len);
	exact.data = copy;
	r.whole = fragment_add(t, &exact, &packet, &r.data, &r.len, &r.parts, &r.wire);
	free(copy);
	return r;
}

static struct result add_piece(struct fragment_table *t, struct piece piece, uint32_t id,
			       uint64_t frame, int64_t time_ns)
{
	struct packet_fragment fragment = fragment_of(piece, id);

	return add(t, &fragment, frame, time_ns);
}

static void check_whole(const char *name, struct result r, uint32_t len)
{
	if (!r.whole || r.len != len)
		fail_msg("%s: %s, %u bytes", name, r.whole ? "whole" : "not whole", r.len);
	for (uint32_t i = 0; i < len; i++) {
		if (r.data[i] != pattern(i))
			fail_msg("%s: byte %u", name, i);
	}
	free(r.data);
}

static void pieces_make_a_datagram_only_with_the_last_missing_one(void **state)
{
	static const struct {
		const char *name;
		struct piece pieces[8];
		unsigned count;
		uint32_t want;
	} cases[] = {
		{ "in order", { { 0, 16, 0 }, { 16, 16, 0 }, { 32, 5, 1 } }, 3, 37 },
		{ "backwards", { { 32, 5, 1 }, { 16, 16, 0 }, { 0, 16, 0 } }, 3, 37 },
		{ "middle last", { { 0, 16, 0 }, { 32, 5, 1 }, { 16, 16, 0 } }, 3, 37 },
		{ "two only, last first", { { 8, 1, 1 }, { 0, 8, 0 } }, 2, 9 },
		{ "each twice", { { 0, 16, 0 }, { 0, 16, 0 }, { 32, 5, 1 }, { 32, 5, 1 }, { 16, 16, 0 } }, 5, 37 },
		{ "overlapping from below", { { 0, 24, 0 }, { 16, 24, 0 }, { 32, 16, 1 } }, 3, 48 },
		{ "overlapping from above", { { 32, 16, 1 }, { 16, 24, 0 }, { 0, 24, 0 } }, 3, 48 },
		{ "one over many", { { 16, 8, 0 }, { 32, 8, 0 }, { 48, 8, 1 }, { 0, 48, 0 } }, 4, 56 },
		{ "one over holes on both sides", { { 16, 8, 0 }, { 56, 8, 1 }, { 8, 24, 0 }, { 0, 8, 0 },
		  { 24, 32, 0 } }, 5, 64 },
		{ "inside another", { { 0, 48, 0 }, { 8, 8, 0 }, { 48, 8, 1 } }, 3, 56 },
		{ "an empty one", { { 0, 0, 0 }, { 0, 8, 0 }, { 8, 8, 1 } }, 3, 16 },
		{ "an empty last one", { { 0, 16, 0 }, { 16, 0, 1 } }, 2, 16 },
		{ "an empty last one first", { { 16, 0, 1 }, { 0, 16, 0 } }, 2, 16 },
		{ "as long as can be", { { 65528, 7, 1 }, { 0, 65528, 0 } }, 2, 65535 },
		{ "what is over eight is cut", { { 0, 13, 0 }, { 8, 2, 1 } }, 2, 10 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct losses lost = { 0 };
		struct fragment_table *t = fragment_table_new(1, note, &lost);
		uint32_t wire = 0;

		for (unsigned k = 0; k < cases[i].count; k++) {
			struct result r = add_piece(t, cases[i].pieces[k], 1, k + 1, 0);

			wire += cases[i].pieces[k].len + 34;
			if (k + 1 < cases[i].count && r.whole)
				fail_msg("%s: whole after %u", cases[i].name, k + 1);
			if (k + 1 < cases[i].count)
				continue;
			check_whole(cases[i].name, r, cases[i].want);
			assert_int_equal(r.parts, cases[i].count);
			assert_int_equal(r.wire, wire);
		}
		fragment_expire(t, INT64_MAX);
		assert_int_equal(lost.count, 0);
		fragment_table_free(&t);
		assert_null(t);
	}
}

/* All 720 orders of six pieces, two of which overlap. */
static void every_order_gives_the_same_bytes(void **state)
{
	static const struct piece pieces[6] = {
		{ 0, 24, 0 }, { 16, 24, 0 }, { 40, 8, 0 }, { 48, 8, 0 }, { 56, 8, 0 }, { 64, 3, 1 },
	};
	struct fragment_table *t = fragment_table_new(1, NULL, NULL);
	(void)state;

	for (unsigned order = 0; order < 720; order++) {
		unsigned left[6] = { 0, 1, 2, 3, 4, 5 }, digits = order;
		struct result r = { 0 };

		for (unsigned n = 6; n > 0; n--) {
			unsigned pick = digits % n;

			digits /= n;
			assert_false(r.whole);
			r = add_piece(t, pieces[left[pick]], order, order, 0);
			memmove(left + pick, left + pick + 1, (5 - pick) * sizeof(left[0]));
		}
		check_whole("an order", r, 67);
	}
	fragment_table_free(&t);
}

static void the_first_bytes_to_come_win(void **state)
{
	static const uint8_t a[24] = "aaaaaaaaaaaaaaaaaaaaaaa", b[24] = "bbbbbbbbbbbbbbbbbbbbbbb";
	struct fragment_table *t = fragment_table_new(1, NULL, NULL);
	struct packet_fragment f = fragment_of((struct piece){ 8, 8, 0 }, 1);
	struct result r;
	(void)state;

	f.data = a;
	add(t, &f, 1, 0);
	f.offset = 0;
	f.len = f.wire_len = 24;
	f.data = b;
	f.more = false;
	r = add(t, &f, 2, 0);
	assert_true(r.whole);
	assert_memory_equal(r.data, "bbbbbbbbaaaaaaaabbbbbbbb", 23);
	free(r.data);
	fragment_table_free(&t);
}

static void what_contradicts_itself_is_one_loss(void **state)
{
	static const struct {
		const char *name;
		struct piece pieces[4];
		unsigned count;
	} cases[] = {
		{ "two ends", { { 16, 8, 1 }, { 32, 8, 1 }, { 0, 16, 0 } }, 3 },
		{ "an earlier end", { { 16, 8, 1 }, { 8, 8, 1 }, { 0, 16, 0 } }, 3 },
		{ "data behind the end", { { 16, 8, 1 }, { 24, 8, 0 }, { 0, 8, 0 } }, 3 },
		{ "an end before data", { { 24, 8, 0 }, { 16, 8, 1 }, { 0, 16, 0 } }, 3 },
		{ "longer than can be", { { 0, 65528, 0 }, { 65528, 8, 1 } }, 2 },
		{ "an earlier end without data", { { 24, 0, 1 }, { 8, 8, 1 }, { 0, 8, 0 } }, 3 },
		{ "as many bytes as the end says, elsewhere", { { 16, 8, 0 }, { 8, 8, 1 } }, 2 },
		{ "never complete", { { 0, 8, 0 }, { 16, 8, 1 } }, 2 },
		{ "no end", { { 0, 8, 0 }, { 8, 8, 0 } }, 2 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct losses lost = { 0 };
		struct fragment_table *t = fragment_table_new(1, note, &lost);

		for (unsigned k = 0; k < cases[i].count; k++) {
			if (add_piece(t, cases[i].pieces[k], 1, k + 1, 5).whole)
				fail_msg("%s: whole", cases[i].name);
		}
		assert_int_equal(lost.count, 0);
		fragment_expire(t, 5 + FRAGMENT_WAIT_NS - 1);
		assert_int_equal(lost.count, 0);
		fragment_expire(t, 5 + FRAGMENT_WAIT_NS);
		if (lost.count != 1 || lost.last.parts != cases[i].count)
			fail_msg("%s: %u losses", cases[i].name, lost.count);
		assert_int_equal(lost.last.first_frame, 1);
		assert_int_equal(lost.last.last_frame, cases[i].count);
		assert_int_equal(lost.last.time_ns, 5);
		assert_int_equal(lost.last.src[0], 1);
		assert_int_equal(lost.last.dst[0], 2);
		fragment_table_free(&t);
	}
}

static void a_fragment_that_was_cut_leaves_a_hole(void **state)
{
	struct losses lost = { 0 };
	struct fragment_table *t = fragment_table_new(1, note, &lost);
	struct packet_fragment f = fragment_of((struct piece){ 0, 16, 0 }, 1);
	(void)state;

	f.len = 10;
	assert_false(add(t, &f, 1, 0).whole);
	assert_false(add_piece(t, (struct piece){ 16, 8, 1 }, 1, 2, 0).whole);
	/* The same fragment, whole this time: copies by another interface may be. */
	check_whole("mended", add_piece(t, (struct piece){ 0, 16, 0 }, 1, 3, 0), 24);
	fragment_expire(t, INT64_MAX);
	assert_int_equal(lost.count, 0);
	fragment_table_free(&t);
}

static void datagrams_are_told_apart(void **state)
{
	struct fragment_table *t = fragment_table_new(1, NULL, NULL);
	struct packet_fragment first = fragment_of((struct piece){ 0, 8, 0 }, 1);
	struct packet_fragment other[6];
	(void)state;

	add(t, &first, 1, 0);
	for (unsigned i = 0; i < 6; i++)
		other[i] = fragment_of((struct piece){ 8, 8, 1 }, 1);
	other[0].src[15] = 9;
	other[1].dst[15] = 9;
	other[2].ip_id = 2;
	other[3].proto = 6;
	other[4].ipv6 = true;
	other[5].vantage = 1;
	for (unsigned i = 0; i < 6; i++)
		assert_false(add(t, &other[i], 2, 0).whole);
	check_whole("its own", add_piece(t, (struct piece){ 8, 8, 1 }, 1, 3, 0), 16);
	fragment_table_free(&t);
}

static void copies_after_the_end_are_no_loss_and_new_bytes_are_a_new_datagram(void **state)
{
	struct losses lost = { 0 };
	struct fragment_table *t = fragment_table_new(1, note, &lost);
	struct packet_fragment changed = fragment_of((struct piece){ 0, 8, 0 }, 1);
	struct result r;
	(void)state;

	for (unsigned round = 0; round < 2; round++) {
		assert_false(add_piece(t, (struct piece){ 0, 8, 0 }, 1, 1, 0).whole);
		r = add_piece(t, (struct piece){ 8, 8, 1 }, 1, 2, 0);
		if (round == 0)
			check_whole("first time", r, 16);
		else
			assert_false(r.whole);
	}
	changed.data = pattern_from(100);
	assert_false(add(t, &changed, 3, 0).whole);
	r = add_piece(t, (struct piece){ 8, 8, 1 }, 1, 4, 0);
	assert_true(r.whole);
	assert_int_equal(r.parts, 2);
	assert_int_equal(r.data[0], pattern(100));
	free(r.data);
	fragment_expire(t, INT64_MAX);
	assert_int_equal(lost.count, 0);
	fragment_table_free(&t);
}

static void a_number_used_again_after_the_wait_begins_anew(void **state)
{
	struct losses lost = { 0 };
	struct fragment_table *t = fragment_table_new(1, note, &lost);
	(void)state;

	add_piece(t, (struct piece){ 0, 8, 0 }, 1, 1, 0);
	assert_false(add_piece(t, (struct piece){ 8, 8, 1 }, 1, 2, FRAGMENT_WAIT_NS).whole);
	assert_int_equal(lost.count, 1);
	assert_int_equal(lost.last.last_frame, 1);
	check_whole("anew", add_piece(t, (struct piece){ 0, 8, 0 }, 1, 3, FRAGMENT_WAIT_NS), 16);
	/* A clock that jumps far must not overflow. */
	add_piece(t, (struct piece){ 0, 8, 0 }, 2, 4, INT64_MIN);
	add_piece(t, (struct piece){ 0, 8, 0 }, 3, 5, INT64_MAX);
	fragment_expire(t, INT64_MIN);
	fragment_expire(t, INT64_MAX);
	assert_int_equal(lost.count, 3);
	fragment_table_free(&t);
}

static void the_oldest_go_when_the_table_is_full(void **state)
{
	struct losses lost = { 0 };
	struct fragment_table *t = fragment_table_new(1, note, &lost);
	(void)state;

	for (uint32_t id = 0; id < FRAGMENT_DATAGRAMS + 3; id++) {
		add_piece(t, (struct piece){ 0, 8, 0 }, id, id + 1, 0);
		assert_int_equal(lost.count, id < FRAGMENT_DATAGRAMS ? 0 : id - FRAGMENT_DATAGRAMS + 1);
		if (lost.count > 0)
			assert_int_equal(lost.last.first_frame, lost.count);
	}
	check_whole("a younger one", add_piece(t, (struct piece){ 8, 8, 1 }, 3, 9, 0), 16);
	fragment_table_free(&t);
}

static void bytes_are_bounded_and_the_oldest_go_first(void **state)
{
	struct losses lost = { 0 };
	struct fragment_table *t = fragment_table_new(1, note, &lost);
	uint32_t id = 0;
	(void)state;

	while (lost.count == 0) {
		assert_in_range(id, 0, FRAGMENT_BYTES / 40000);
		add_piece(t, (struct piece){ 8, 40000, 0 }, id, id + 1, 0);
		id++;
	}
	assert_in_range(id, FRAGMENT_BYTES / 40000 - 2, FRAGMENT_BYTES / 40000 + 1);
	assert_int_equal(lost.last.first_frame, 1);
	/* The now oldest one grows: the next oldest has to go. */
	add_piece(t, (struct piece){ 40008, 25000, 0 }, 1, 500, 0);
	assert_int_equal(lost.count, 2);
	assert_int_equal(lost.last.first_frame, 3);
	add_piece(t, (struct piece){ 0, 8, 0 }, 1, 501, 0);
	check_whole("kept", add_piece(t, (struct piece){ 65008, 8, 1 }, 1, 502, 0), 65016);
	fragment_table_free(&t);
}

static void parts_are_bounded(void **state)
{
	struct losses lost = { 0 };
	struct fragment_table *t = fragment_table_new(1, note, &lost);
	struct result r = { 0 };
	(void)state;

	for (uint32_t i = 0; i < FRAGMENT_PARTS; i++)
		r = add_piece(t, (struct piece){ i * 8, 8, i + 1 == FRAGMENT_PARTS }, 1, i + 1, 0);
	check_whole("as many as allowed", r, FRAGMENT_PARTS * 8);
	for (uint32_t i = 0; i <= FRAGMENT_PARTS; i++)
		assert_false(add_piece(t, (struct piece){ i * 8, 8, i == FRAGMENT_PARTS }, 2, i + 1, 0).whole);
	fragment_expire(t, INT64_MAX);
	assert_int_equal(lost.count, 1);
	assert_int_equal(lost.parts, FRAGMENT_PARTS + 1);
	fragment_table_free(&t);
}

/* Losses come in the same order whatever the seed of the hash. */
static void the_seed_changes_nothing_that_is_seen(void **state)
{
	uint64_t want = 0;
	(void)state;

	for (uint64_t seed = 1; seed < 4; seed++) {
		struct losses lost = { 0 };
		struct fragment_table *t = fragment_table_new(seed, note, &lost);
		unsigned random = 1;
		uint64_t sum = 0;

		for (uint64_t frame = 1; frame < 20000; frame++) {
			random = random * 1103515245 + 12345;

			struct piece piece = { (random >> 16 & 3) * 8, 8, (random >> 20 & 1) };
			struct result r = add_piece(t, piece, random >> 8 & 0x3fff, frame, (int64_t)frame * 1000000);

			sum = sum * 31 + r.len + lost.last.first_frame * 7 + lost.count;
			if (r.whole)
				free(r.data);
		}
		assert_true(seed == 1 || sum == want);
		want = sum;
		fragment_table_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_make_a_datagram_only_with_the_last_missing_one),
		cmocka_unit_test(every_order_gives_the_same_bytes),
		cmocka_unit_test(the_first_bytes_to_come_win),
		cmocka_unit_test(what_contradicts_itself_is_one_loss),
		cmocka_unit_test(a_fragment_that_was_cut_leaves_a_hole),
		cmocka_unit_test(datagrams_are_told_apart),
		cmocka_unit_test(copies_after_the_end_are_no_loss_and_new_bytes_are_a_new_datagram),
		cmocka_unit_test(a_number_used_again_after_the_wait_begins_anew),
		cmocka_unit_test(the_oldest_go_when_the_table_is_full),
		cmocka_unit_test(bytes_are_bounded_and_the_oldest_go_first),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(the_seed_changes_nothing_that_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One series follows another, or seems to. */
#include "tests/test.h"

#include "capture/base.h"
#include "report/correlate.h"

#define S BASE_NS_PER_S
#define HOUR (3600 * S)
#define LIMIT 0.01

static uint64_t next_random(uint64_t *x)
{
	*x = *x * 6364136223846793005ULL + 1442695040888963407ULL;
	return *x >> 33;
}

/* What a random mailbox does. */
struct mailbox {
	int64_t for_ns;
	unsigned mails;
	int64_t lag_ns, jitter_ns;	/* of what is sent on; lag_ns < 0: it goes up at times of its own */
	int64_t period_ns;		/* fetches and uploads at multiples of it; 0: at any time */
	bool by_day;			/* both in 8 of 24 hours only */
};

static int64_t some_time(const struct mailbox *m, uint64_t *x)
{
	int64_t at = (int64_t)(next_random(x) % (uint64_t)(m->for_ns / S)) * S;

	if (m->period_ns > 0)
		at -= at % m->period_ns;
	if (m->by_day)
		at = at / (24 * HOUR) * 24 * HOUR + at % (24 * HOUR) / 3;
	return at;
}

static struct correlate_result play(const struct mailbox *m, uint64_t seed, unsigned tries)
{
	struct correlate *c = correlate_new();
	struct correlate_result r;
	uint64_t x = seed;
	int64_t phase = m->period_ns > 0 ? (int64_t)(next_random(&x) % (uint64_t)(m->period_ns / S)) * S : 0;

	for (unsigned i = 0; i < m->mails; i++) {
		int64_t at = some_time(m, &x), up_at;
		uint64_t bytes = 2000 + next_random(&x) % 60000;

		if (m->lag_ns < 0) {
			up_at = some_time(m, &x) + phase;
			correlate_add(c, up_at, 0, 2000 + next_random(&x) % 60000);
		} else {
			up_at = at + m->lag_ns + (int64_t)(next_random(&x) % (uint64_t)(m->jitter_ns / S + 1)) * S;
			correlate_add(c, up_at, 0, bytes);
		}
		correlate_add(c, at, bytes, 0);
	}
	correlate_over(c, LIMIT, tries, &r);
	correlate_free(&c);
	return r;
}

static void what_follows_is_told_from_what_does_not(void **state)
{
	static const struct {
		const char *name;
		struct mailbox mailbox;
		bool follows;
		int64_t reach_ns;
	} cases[] = {
		{ "at once, for two hours", { 2 * HOUR, 20, 3 * S, 5 * S, 0, false }, true, 20 * S },
		{ "at once, for a day", { 24 * HOUR, 50, 3 * S, 5 * S, 0, false }, true, 20 * S },
		{ "a minute later, for two days", { 49 * HOUR, 80, 50 * S, 20 * S, 0, false }, true, 120 * S },
		{ "a minute later, for two hours: too short to tell", { 2 * HOUR, 20, 60 * S, 20 * S, 0, false }, false, 20 * S },
		{ "five minutes later, for two weeks", { 336 * HOUR, 150, 200 * S, 300 * S, 0, false }, true, 600 * S },
		{ "half an hour later, for months", { 2640 * HOUR, 300, 1500 * S, 600 * S, 0, false }, true, HOUR },
		{ "by its own times", { 49 * HOUR, 50, -1, 0, 0, false }, false, 120 * S },
		{ "in the same rhythm", { 49 * HOUR, 200, -1, 0, 300 * S, false }, false, 120 * S },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct correlate_result r = play(&cases[i].mailbox, 7 + i, 1);
		int64_t lag = cases[i].mailbox.lag_ns;

		if ((r.p <= LIMIT) != cases[i].follows || r.reach_ns != cases[i].reach_ns)
			fail_msg("%s: p %.4f, reach %lld", cases[i].name, r.p, (long long)r.reach_ns);
		if (!cases[i].follows)
			continue;
		if (r.lag_ns < lag - 10 * S || r.lag_ns > lag + cases[i].mailbox.jitter_ns + 10 * S || r.fits < 0.8)
			fail_msg("%s: lag %lld s, fits %.2f", cases[i].name, (long long)(r.lag_ns / S), r.fits);
	}
}

/* A p-value holds what its name says: chance gives 0.01 and less in a hundredth of all cases, and
 * in 20 of 1000 but once in hundreds of such trials. */
static void chance_seldom_looks_like_following(void **state)
{
	static const struct {
		const char *name;
		struct mailbox mailbox;
		unsigned most;		/* of 1000 */
	} cases[] = {
		{ "two hours", { 2 * HOUR, 20, -1, 0, 0, false }, 20 },
		{ "a day", { 24 * HOUR, 40, -1, 0, 0, false }, 20 },
		{ "both in working hours, for a week", { 168 * HOUR, 60, -1, 0, 0, true }, 20 },
		{ "both every ten minutes", { 24 * HOUR, 300, -1, 0, 600 * S, false }, 20 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned wrong = 0;

		for (uint64_t seed = 1; seed <= 1000; seed++)
			wrong += play(&cases[i].mailbox, seed * 7919, 1).p <= LIMIT;
		if (wrong > cases[i].most)
			fail_msg("%s: %u of 1000", cases[i].name, wrong);
	}
}

static void p_is_corrected_for_what_was_tried(void **state)
{
	static const struct mailbox day = { 24 * HOUR, 50, 3 * S, 5 * S, 0, false };
	struct correlate_result one = play(&day, 3, 1), three = play(&day, 3, 3);
	(void)state;

	assert_true(one.p <= LIMIT && three.p <= LIMIT);
	assert_true(play(&(struct mailbox){ 2 * HOUR, 20, 3 * S, 5 * S, 0, false }, 7, 1).p <= LIMIT);
	assert_true(play(&(struct mailbox){ 2 * HOUR, 20, 3 * S, 5 * S, 0, false }, 7, 9).p > LIMIT);
}

static void bursts_have_pauses_of_a_minute_between_them(void **state)
{
	static const struct { int64_t at_s; uint64_t down, up; } points[] = {
		{ 0, 5, 0 }, { 59, 5, 0 }, { 119, 5, 0 }, { 100, 0, 7 }, { 160, 0, 7 }, { 161, 0, 7 }, { 300, 0, 7 },
		{ 400, 0, 0 },
	};
	struct correlate_result forth, back;
	(void)state;

	for (int way = 0; way < 2; way++) {
		struct correlate *c = correlate_new();

		for (size_t i = 0; i < 8; i++) {
			size_t k = way == 0 ? i : 7 - i;

			correlate_add(c, points[k].at_s * S, points[k].down, points[k].up);
		}
		correlate_over(c, LIMIT, 1, way == 0 ? &forth : &back);
		correlate_free(&c);
	}
	assert_int_equal(forth.fetches, 2);
	assert_int_equal(forth.uploads, 3);
	assert_int_equal(forth.span_ns, 300 * S);
	assert_memory_equal(&forth, &back, sizeof(forth));
}

static void what_went_up_is_backed_by_what_had_come_down(void **state)
{
	static const struct { const char *name; struct { int64_t at_s; uint64_t down, up; } points[4]; double backed; } cases[] = {
		{ "after it", { { 0, 100, 0 }, { 60, 0, 100 } }, 1 },
		{ "in the same interval", { { 9, 100, 0 }, { 0, 0, 100 } }, 1 },
		{ "before it", { { 11, 100, 0 }, { 0, 0, 100 } }, 0 },
		{ "each byte once", { { 0, 100, 0 }, { 20, 0, 100 }, { 40, 0, 100 } }, 0.5 },
		{ "half before", { { 0, 0, 100 }, { 30, 100, 0 }, { 60, 0, 100 } }, 0.5 },
		{ "more than came", { { 0, 100, 0 }, { 60, 0, 400 } }, 0.25 },
		{ "ten minutes after it", { { 0, 100, 0 }, { 600, 0, 100 } }, 1 },
		{ "later", { { 0, 100, 0 }, { 610, 0, 100 } }, 0 },
		{ "partly later", { { 0, 100, 0 }, { 300, 20, 0 }, { 700, 0, 100 } }, 0.2 },
		{ "nothing", { { 0, 100, 0 } }, 0 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct correlate *c = correlate_new();
		struct correlate_result r;

		for (int k = 0; k < 4; k++)
			correlate_add(c, cases[i].points[k].at_s * S, cases[i].points[k].down, cases[i].points[k].up);
		correlate_over(c, LIMIT, 1, &r);
		if (r.backed < cases[i].backed - 0.001 || r.backed > cases[i].backed + 0.001)
			fail_msg("%s: %.3f", cases[i].name, r.backed);
		correlate_free(&c);
	}
}

/* In a day in which little comes and goes, `files` times much comes and goes up at once. */
static struct correlate_result play_files(unsigned files)
{
	struct correlate *c = correlate_new();
	struct correlate_result r;

	for (int i = 0; i < 48; i++) {
		correlate_add(c, i * 1800 * S, 300, 0);
		correlate_add(c, (i * 1800 + 900) * S, 0, 700);
	}
	for (unsigned i = 0; i < files; i++) {
		int64_t at_ns = (4000 + (int64_t)i * i * 3700) * S;

		correlate_add(c, at_ns, 1000000, 0);
		correlate_add(c, at_ns + 10 * S, 0, 500000);
		correlate_add(c, at_ns + 40 * S, 0, 500000);
	}
	correlate_over(c, LIMIT, 1, &r);
	correlate_free(&c);
	return r;
}

static void two_files_follow_as_all_does_but_not_without_them(void **state)
{
	struct correlate_result two = play_files(2), three = play_files(3);
	(void)state;

	assert_true(two.p <= LIMIT && two.backed > 0.9);
	assert_int_equal(two.rest_up, 48 * 700);
	assert_true(two.rest_p > LIMIT && two.rest_backed < 0.1);
	assert_int_equal(three.rest_up, 48 * 700 + 1000000);
	assert_true(three.rest_p <= LIMIT && three.rest_backed > 0.9);
}

static void a_mailbox_that_is_mirrored_without_a_pause_is_no_file(void **state)
{
	struct correlate *c = correlate_new();
	struct correlate_result r;
	(void)state;

	for (int i = 0; i < 240; i++) {
		correlate_add(c, i * 20 * S, 60000, 0);
		correlate_add(c, (i * 20 + 10) * S, 0, 60000);
	}
	correlate_over(c, LIMIT, 1, &r);
	assert_int_equal(r.uploads, 1);
	assert_int_equal(r.rest_up, 180 * 60000);
	assert_true(r.rest_backed > 0.9);
	correlate_free(&c);
}

static void nothing_and_next_to_nothing_have_no_timing(void **state)
{
	static const struct { int64_t times_ns[3]; unsigned count; } cases[] = {
		{ { 0 }, 0 }, { { 5 }, 1 }, { { 5, 5 }, 2 }, { { -100 * S, 100 * S }, 2 }, { { 0, 4000000000 * S, 1 }, 3 },
	};
	struct correlate_result r;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct correlate *c = correlate_new();

		for (unsigned k = 0; k < cases[i].count; k++)
			correlate_add(c, cases[i].times_ns[k], k % 2 == 0 ? 100 : 0, k % 2 == 0 ? 0 : 100);
		correlate_over(c, LIMIT, 1, &r);
		assert_true(r.p > LIMIT);
		correlate_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_is_told_from_what_does_not),
		cmocka_unit_test(chance_seldom_looks_like_following),
		cmocka_unit_test(p_is_corrected_for_what_was_tried),
		cmocka_unit_test(bursts_have_pauses_of_a_minute_between_them),
		cmocka_unit_test(what_went_up_is_backed_by_what_had_come_down),
		cmocka_unit_test(two_files_follow_as_all_does_but_not_without_them),
		cmocka_unit_test(a_mailbox_that_is_mirrored_without_a_pause_is_no_file),
		cmocka_unit_test(nothing_and_next_to_nothing_have_no_timing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

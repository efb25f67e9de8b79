/* Whatever the numbers are, what is drawn lies inside its picture, and the least can be seen. */
#include "tests/test.h"

#include "report/svg_part.h"

static char *data;
static size_t size;

static struct html begin(void)
{
	return (struct html){ .out = open_memstream(&data, &size) };
}

/* The next picture's height, and that all its bars are in it; NULL behind the last. */
static const char *check_picture(const char *name, const char *from, unsigned *bars_out)
{
	const char *picture = strstr(from, "viewBox=\""), *end, *at;
	int width, height;

	if (picture == NULL)
		return NULL;
	end = strstr(picture, "</svg>");
	assert_int_equal(sscanf(picture, "viewBox=\"0 0 %d %d\"", &width, &height), 2);
	*bars_out = 0;
	for (at = picture; (at = strstr(at, "<rect x=")) != NULL && at < end; at++, (*bars_out)++) {
		int x, y, w, h;

		assert_int_equal(sscanf(at, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", &x, &y, &w, &h), 4);
		if (x < 0 || y < 0 || w < 2 || h < 2 || x + w > width || y + h > height)
			fail_msg("%s: a bar of %d x %d at %d, %d in %d x %d", name, w, h, x, y, width, height);
	}
	return end;
}

#define MANY 50

static void bands_fit_whatever_they_carry(void **state)
{
	static const struct {
		const char *name;
		unsigned left, right;
		int64_t first, others;
	} cases[] = {
		{ "no clients", 0, 1, 1, 1 },
		{ "no owners", 1, 0, 1, 1 },
		{ "nothing was sent", 1, 1, 0, 0 },
		{ "one byte", 1, 1, 1, 1 },
		{ "one giant beside many dwarfs", 1, MANY, INT64_MAX, 1 },
		{ "all are giants", MANY, MANY, INT64_MAX, INT64_MAX },
		{ "fifty of one size", 1, MANY, 1000, 1000 },
	};
	char label[300];
	struct svg_bar bars[MANY];
	struct svg_band bands[MANY * MANY];

	(void)state;
	memset(label, 'W', sizeof(label));
	label[sizeof(label) - 1] = '\0';
	for (unsigned i = 0; i < MANY; i++)
		bars[i] = (struct svg_bar){ label, i % 2 == 0 ? "" : "a note of some words that has to be broken", i % SVG_LOOKS };
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct html h = begin();
		struct svg_flow flow = {
			.title = "a", .description = "b", .left = bars, .right = bars, .bands = bands,
			.left_count = cases[i].left, .right_count = cases[i].right,
		};
		const char *at;
		unsigned pictures = 0, drawn, wanted = cases[i].left + cases[i].right;

		for (unsigned l = 0; l < cases[i].left; l++)
			for (unsigned r = 0; r < cases[i].right; r++)
				bands[flow.band_count++] = (struct svg_band){ l, r, l + r == 0 ? cases[i].first : cases[i].others };
		svg_flow(&h, &flow);
		fclose(h.out);
		for (at = data; (at = check_picture(cases[i].name, at, &drawn)) != NULL; pictures++)
			if (drawn != wanted)
				fail_msg("%s: %u bars, not %u", cases[i].name, drawn, wanted);
		if (pictures != (cases[i].left > 0 && cases[i].right > 0 ? 2 : 0))
			fail_msg("%s: %u pictures", cases[i].name, pictures);
		free(data);
	}
}

static void times_fit_whatever_they_are(void **state)
{
	static const struct {
		const char *name;
		int64_t from, to, first, last;
		unsigned bars;
	} cases[] = {
		{ "one moment", 1700000000000000000, 1700000000000000000, 1700000000000000000, 1700000000000000000, 1 },
		{ "a nanosecond", 5, 6, 5, 6, 1 },
		{ "a millisecond", 0, 1000000, 0, 500000, 1 },
		{ "a day", 1700000000000000000, 1700086400000000000, 1700000000000000000, 1700000001000000000, 1 },
		{ "before and after it was watched", 1000, 2000, 0, 3000, 1 },
		{ "a clock that went back", 1000, 2000, 1900, 1100, 0 },
		{ "all of time", 0, INT64_MAX, 1, INT64_MAX, 1 },
	};
	struct svg_lane *lane = malloc(sizeof(*lane));

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct html h = begin();
		struct svg_timeline line = {
			.title = "a", .description = "b", .from_ns = cases[i].from, .to_ns = cases[i].to, .lanes = lane,
			.lane_count = 1,
		};
		const char *at;
		unsigned pictures = 0, drawn;

		memset(lane, 0, sizeof(*lane));
		strcpy(lane->label, "x");
		svg_lane_mark(lane, &line, cases[i].first, cases[i].last, SVG_BUSY);
		svg_timeline(&h, &line);
		fclose(h.out);
		assert_true(size < 20000);
		for (at = data; (at = check_picture(cases[i].name, at, &drawn)) != NULL; pictures++)
			if (drawn != cases[i].bars)
				fail_msg("%s: %u bars, not %u", cases[i].name, drawn, cases[i].bars);
		assert_int_equal(pictures, 2);
		free(data);
	}
	free(lane);
}

static void what_is_busy_stays_busy(void **state)
{
	struct svg_timeline line = { .from_ns = 0, .to_ns = SVG_TIME_STEPS - 1 };
	struct svg_lane *lane = calloc(1, sizeof(*lane));

	(void)state;
	svg_lane_mark(lane, &line, 10, 12, SVG_BUSY);
	svg_lane_mark(lane, &line, 8, 20, SVG_OPEN);
	for (int i = 0; i < SVG_TIME_STEPS; i++)
		assert_int_equal(lane->busy[i], i >= 10 && i <= 12 ? SVG_BUSY : i >= 8 && i <= 20 ? SVG_OPEN : SVG_IDLE);
	free(lane);
}

static void text_is_broken_between_words(void **state)
{
	static const struct {
		const char *name, *text;
		unsigned columns, lines;
		const char *wanted;
	} cases[] = {
		{ "fits", "mailbox.org", 11, 2, "mailbox.org|" },
		{ "two lines", "another company's mail service", 20, 2, "another company's|mail service|" },
		{ "no room for the rest", "another company's mail service", 10, 2, "another|company's…|" },
		{ "no blank", "abcdefghij", 4, 3, "abcd|efgh|ij|" },
		{ "letters of two bytes", "\xc3\xa4\xc3\xb6\xc3\xbc", 2, 1, "\xc3\xa4…|" },
		{ "controls", "\x1b[2J", 20, 1, "\\x1b[2J|" },
		{ "nothing", "", 5, 2, "" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct svg_lines lines;
		char got[256] = "";

		svg_break(&lines, cases[i].text, cases[i].columns, cases[i].lines);
		for (unsigned n = 0; n < lines.count; n++) {
			strcat(got, lines.of[n]);
			strcat(got, "|");
		}
		if (strcmp(got, cases[i].wanted) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, got, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bands_fit_whatever_they_carry),
		cmocka_unit_test(times_fit_whatever_they_are),
		cmocka_unit_test(what_is_busy_stays_busy),
		cmocka_unit_test(text_is_broken_between_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Text for people: where it is broken, how wide it is, and what no terminal gets to see. */
#include "tests/test.h"

#include "capture/text.h"
#include "report/lines.h"
#include "report/plain.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *said(unsigned columns, bool color, void (*say)(struct lines *l))
{
	char *data = NULL;
	size_t size = 0;
	struct lines l = { .out = open_memstream(&data, &size), .columns = columns, .color = color };

	say(&l);
	fclose(l.out);
	lines_free(&l);
	return data;
}

static void says(unsigned columns, bool color, void (*say)(struct lines *l), const char *want)
{
	char *got = said(columns, color, say);

	if (strcmp(got, want) != 0)
		fail_msg("got:\n%swant:\n%s", got, want);
	free(got);
}

static void a_sentence(struct lines *l)
{
	lines_say(l, 2, 4, "- ", "one two  three 2001:db8:1:2:3:4:5:6 x");
}

static void a_paragraph_is_broken_at_blanks_and_never_inside_a_word(void **state)
{
	(void)state;
	says(12, false, a_sentence, "  - one two\n    three\n    2001:db8:1:2:3:4:5:6\n    x\n");
	says(11, false, a_sentence, "  - one two\n    three\n    2001:db8:1:2:3:4:5:6\n    x\n");
	says(10, false, a_sentence, "  - one\n    two\n    three\n    2001:db8:1:2:3:4:5:6\n    x\n");
	says(LINES_ENDLESS, false, a_sentence, "  - one two three 2001:db8:1:2:3:4:5:6 x\n");
}

static void pieces(struct lines *l)
{
	lines_indent(l, 0, 2);
	lines_look(l, LOOK_BAD, "leak");
	lines_text(l, ": a");
	lines_whole(l, " file name");
	lines_text(l, ", ");
	lines_printf(l, "%d b", 7);
	lines_end(l);
}

static void pieces_without_a_blank_are_one_word(void **state)
{
	(void)state;
	says(80, false, pieces, "leak: a file name, 7 b\n");
	says(12, false, pieces, "leak:\n  a file name,\n  7 b\n");
}

static void colour_takes_no_columns_and_comes_only_when_asked_for(void **state)
{
	(void)state;
	says(22, true, pieces, "\033[1;31mleak\033[0m: a file name, 7 b\n");
}

static void a_table(struct lines *l)
{
	lines_indent(l, 2, 2);
	lines_text(l, "ab");
	lines_to(l, 6);
	lines_text(l, "c");
	lines_right(l, 12, "12 kB");
	lines_right(l, 14, "9 kB");
	lines_end(l);
}

static void columns_stand_where_they_are_wanted_or_one_blank_further(void **state)
{
	(void)state;
	says(80, false, a_table, "  ab  c 12 kB 9 kB\n");
}

static void hostile(struct lines *l)
{
	lines_say(l, 0, 0, "\033[2J", "\xc2\x9b" "1m \xe2\x80\xae \xff \n");
}

static void no_text_drives_the_terminal(void **state)
{
	(void)state;
	says(80, true, hostile, "\\x1b[2J\\xc2\\x9b1m \\xe2\\x80\\xae \\xff \\x0a\n");
}

static void wide(struct lines *l)
{
	lines_say(l, 0, 0, "", "\xe6\x97\xa5\xe6\x9c\xac ab e\xcc\x81");
}

static void a_wide_letter_takes_two_columns_and_an_accent_none(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_false(text_is_ascii());
	assert_int_equal(lines_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_int_equal(lines_width("\xf0\x9f\x93\xa7"), 2);
	assert_int_equal(lines_width("e\xcc\x81"), 1);
	says(9, false, wide, "\xe6\x97\xa5\xe6\x9c\xac ab e\xcc\x81\n");
	says(8, false, wide, "\xe6\x97\xa5\xe6\x9c\xac ab\ne\xcc\x81\n");
	setlocale(LC_CTYPE, "C");
}

static void where_there_is_only_ascii_other_letters_are_bytes(void **state)
{
	(void)state;
	assert_true(text_is_ascii());
	says(80, false, wide, "\\xe6\\x97\\xa5\\xe6\\x9c\\xac ab e\\xcc\\x81\n");
}

static void the_locale_decides_on_letters_and_on_nothing_else(void **state)
{
	static const struct {
		const char *name, *locale;
		bool ascii;
	} cases[] = {
		{ "none", "C", true }, { "UTF-8", "C.UTF-8", false }, { "unknown", "xx_YY.nonsense", true },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("LC_ALL", cases[i].locale, 1);
		text_locale();
		if (text_is_ascii() != cases[i].ascii)
			fail_msg("%s", cases[i].name);
		assert_string_equal(setlocale(LC_CTYPE, NULL), cases[i].ascii ? "C" : "C.UTF-8");
	}
	setlocale(LC_CTYPE, "C");
}

static void numbers_are_as_people_write_them(void **state)
{
	char text[PLAIN_COUNT_SIZE];

	(void)state;
	assert_string_equal(plain_count(0, text), "0");
	assert_string_equal(plain_count(999, text), "999");
	assert_string_equal(plain_count(1000, text), "1,000");
	assert_string_equal(plain_count(-1234567, text), "-1,234,567");
	assert_string_equal(plain_count(INT64_MIN, text), "-9,223,372,036,854,775,808");
	assert_string_equal(plain_bytes(9999, text), "9,999 bytes");
	assert_string_equal(plain_bytes(10000, text), "10 kB");
	assert_string_equal(plain_bytes(INT64_MAX, text), "9,223,372,036 GB");
	assert_string_equal(plain_bytes(1, text), "1 byte");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_paragraph_is_broken_at_blanks_and_never_inside_a_word),
		cmocka_unit_test(pieces_without_a_blank_are_one_word),
		cmocka_unit_test(colour_takes_no_columns_and_comes_only_when_asked_for),
		cmocka_unit_test(columns_stand_where_they_are_wanted_or_one_blank_further),
		cmocka_unit_test(no_text_drives_the_terminal),
		cmocka_unit_test(a_wide_letter_takes_two_columns_and_an_accent_none),
		cmocka_unit_test(where_there_is_only_ascii_other_letters_are_bytes),
		cmocka_unit_test(the_locale_decides_on_letters_and_on_nothing_else),
		cmocka_unit_test(numbers_are_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Names from the wire hold any byte: the text must not drive a terminal, the JSON must stay JSON. */
#include "tests/case.h"

#include "report/emit.h"
#include "report/emit_words.h"
#include "report/lines.h"
#include "report/news.h"

static char *captured(void (*write)(FILE *out, const char *text), const char *text)
{
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);

	write(out, text);
	fclose(out);
	return data;
}

static void write_clean(FILE *out, const char *text)
{
	emit_clean(out, text);
}

static void write_json(FILE *out, const char *text)
{
	struct emit_json_writer w = { .out = out };

	emit_json_string(&w, NULL, text);
}

static const struct {
	const char *name, *text, *clean, *json;
} texts[] = {
	{ "plain", "a b", "a b", "\"a b\"" },
	{ "two-byte UTF-8", "\xc3\xa4", "\xc3\xa4", "\"\xc3\xa4\"" },
	{ "escape sequence", "\033[31m", "\\x1b[31m", "\"\\u001b[31m\"" },
	{ "C1 control", "\xc2\x9b" "31m", "\\xc2\\x9b31m", "\"\\u009b31m\"" },
	{ "right-to-left override", "\xe2\x80\xae", "\\xe2\\x80\\xae", "\"\xe2\x80\xae\"" },
	{ "quote and backslash", "\"\\", "\"\\", "\"\\\"\\\\\"" },
	{ "lone continuation byte", "\x80", "\\x80", "\"\\ufffd\"" },
	{ "cut sequence", "\xe2\x82", "\\xe2\\x82", "\"\\ufffd\\ufffd\"" },
	{ "overlong slash", "\xc0\xaf", "\\xc0\\xaf", "\"\\ufffd\\ufffd\"" },
	{ "surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "last character", "\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd", "\"\xf4\x8f\xbf\xbd\"" },
	{ "last code point, no character", "\xf4\x8f\xbf\xbf", "\\xf4\\x8f\\xbf\\xbf", "\"\xf4\x8f\xbf\xbf\"" },
	{ "Arabic letter mark", "\xd8\x9c", "\\xd8\\x9c", "\"\xd8\x9c\"" },
	{ "tag", "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81", "\"\xf3\xa0\x81\x81\"" },
	{ "one more", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ "newline", "a\nb", "a\\x0ab", "\"a\\u000ab\"" },
	{ "delete", "\x7f", "\\x7f", "\"\\u007f\"" },
};

static void text_is_made_harmless(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *clean = captured(write_clean, texts[i].text), *json = captured(write_json, texts[i].text);

		if (strcmp(clean, texts[i].clean) != 0 || strcmp(json, texts[i].json) != 0)
			fail_msg("%s: %s %s", texts[i].name, clean, json);
		free(clean);
		free(json);
	}
}

/* Strict enough for RFC 8259: one value, nothing behind it. */
static const char *json_value(const char *p, unsigned depth);

static const char *json_string(const char *p)
{
	assert_int_equal(*p, '"');
	for (p++; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			fail_msg("control byte %02x or end inside a string", (unsigned char)*p);
		if (*p == '\\') {
			p++;
			assert_non_null(strchr("\"\\/bfnrtu", *p));
			for (int i = 0; *p == 'u' && i < 4; i++)
				assert_non_null(strchr("0123456789abcdef", p[i + 1]));
		}
	}
	return p + 1;
}

static const char *json_members(const char *p, unsigned depth, char close)
{
	for (p++; *p != close; ) {
		if (close == '}') {
			p = json_string(p);
			assert_int_equal(*p++, ':');
		}
		p = json_value(p, depth + 1);
		if (*p != close) {
			assert_int_equal(*p++, ',');
			assert_int_not_equal(*p, close);
		}
	}
	return p + 1;
}

static const char *json_value(const char *p, unsigned depth)
{
	assert_true(depth < 20);
	if (*p == '{' || *p == '[')
		return json_members(p, depth, *p == '{' ? '}' : ']');
	if (*p == '"')
		return json_string(p);
	size_t n = strspn(p, "-0123456789truefalsn");

	assert_true(n > 0);
	return p + n;
}

/* All bytes that a C string can hold, in the account and in the name of the server. */
static struct store *hostile_case(void)
{
	struct flow_case flow = { "192.168.1.10", "192.0.2.1", 143, 900, 5000, .app = "imap", .mail = true,
		.transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN" };
	struct source_end end = { .path = "bad\033]0;name\x07.pcap", .how = SOURCE_DAMAGED, .at_byte = 9,
		.why = "why\x9b", .sha256 = "00", .packets = 9, .first_ns = T0, .last_ns = T0 + S };
	struct run_info run = { .version = "0.1.0", .scope = "mail services only", .attribution = "by \x80" };
	char bytes[FACT_NAME_SIZE], error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct policy *policy = policy_new();
	struct fact facts[4];
	unsigned count = case_flow(&flow, 1, facts);

	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	base_copy(facts[1].mail_session.account, FACT_TEXT_SIZE, bytes + 127);
	case_name(&facts[count++], 2, "192.168.1.10", bytes, "192.0.2.1", -1);
	case_name(&facts[count++], 3, "192.168.1.10", bytes, "192.168.1.10", -1);
	facts[count - 1].name.kind = NAME_HOST;
	assert_true(store_run(st, &run));
	assert_true(store_add(st, facts, count));
	assert_true(store_source(st, 0, &end));
	assert_true(judge(st, policy, &small_book));
	policy_free(&policy);
	return st;
}

static char *report(struct store *st, bool (*emit)(struct store *, const struct emit_settings *, FILE *),
		    const struct emit_settings *settings)
{
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);

	if (!emit(st, settings, out))
		fail_msg("%s", store_error(st));
	fclose(out);
	return data;
}

static void hostile_names_leave_the_json_json_and_the_text_without_controls(void **state)
{
	struct store *st = hostile_case();
	struct emit_settings settings = { .columns = 0 };
	char *text = report(st, emit_text, &settings), *json = report(st, emit_json, &settings);

	(void)state;
	assert_string_equal(json_value(json, 0), "\n");
	assert_non_null(strstr(json, "\"password_redacted\":true"));
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\n')
			fail_msg("byte %02x in the text", (unsigned char)*p);
	}
	free(text);
	free(json);
	store_close(&st);
}

static bool tell_news(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct news *n = news_new(&(struct news_settings){ .color = settings->color, .columns = settings->columns });
	bool ok = news_tell(n, st, out);

	news_free(&n);
	return ok;
}

static void lines_of_a_watch_are_harmless_and_fit_the_terminal(void **state)
{
	struct store *st = hostile_case();
	struct emit_settings pipe = { 0 }, terminal = { .columns = 60, .color = true };
	char *endless = report(st, tell_news, &pipe), *broken = report(st, tell_news, &terminal), *line = endless, *rest;

	(void)state;
	for (const char *p = endless; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\n') || (unsigned char)*p >= 0x7f)
			fail_msg("byte %02x in %s", (unsigned char)*p, endless);
	for (line = strtok_r(endless, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "2023-11-14T22:13:2", 18) != 0 || line[19] != 'Z')
			fail_msg("a line of a pipe that is no line: %s", line);
	assert_non_null(strstr(broken, "\033[1;31mleak\033[0m"));
	for (line = strtok_r(broken, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, "\033") == NULL && lines_width(line) > 60 && strrchr(line, ' ') > line + 1)
			fail_msg("%u columns: %s", lines_width(line), line);
	free(endless);
	free(broken);
	store_close(&st);
}

static void colour_comes_only_when_asked_for(void **state)
{
	struct store *st = hostile_case();
	struct emit_settings plain = { .columns = 80 }, color = { .columns = 80, .color = true };
	char *without = report(st, emit_text, &plain), *with = report(st, emit_text, &color);

	(void)state;
	assert_null(strchr(without, '\033'));
	assert_non_null(strstr(with, "\033[1;31mleak\033[0m"));
	free(without);
	free(with);
	store_close(&st);
}

static void quiet_gives_one_sentence_a_client(void **state)
{
	struct store *st = hostile_case();
	struct emit_settings quiet = { .quiet = true, .numeric = true, .columns = 200 };
	char *text = report(st, emit_text, &quiet);

	(void)state;
	assert_string_equal(text, "192.168.1.10: leak: whether a third party gets its mail cannot be said; "
			    "it can be read on the path.\n");
	free(text);
	store_close(&st);
}

static void a_report_that_cannot_be_written_is_a_failure(void **state)
{
	struct store *st = hostile_case();
	struct emit_settings settings = { .columns = 80 };
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_false(emit_json(st, &settings, full));
	assert_non_null(strstr(store_error(st), "cannot write"));
	fclose(full);
	store_close(&st);
}

static void times_are_utc_with_nanoseconds(void **state)
{
	char text[EMIT_TIME_SIZE];

	(void)state;
	emit_time(T0 + 5, text);
	assert_string_equal(text, "2023-11-14T22:13:20.000000005Z");
	emit_time(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
	emit_time(0, text);
	assert_string_equal(text, "");
	emit_time(INT64_MAX, text);
	assert_string_equal(text, "2262-04-11T23:47:16.854775807Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_made_harmless),
		cmocka_unit_test(hostile_names_leave_the_json_json_and_the_text_without_controls),
		cmocka_unit_test(lines_of_a_watch_are_harmless_and_fit_the_terminal),
		cmocka_unit_test(colour_comes_only_when_asked_for),
		cmocka_unit_test(quiet_gives_one_sentence_a_client),
		cmocka_unit_test(a_report_that_cannot_be_written_is_a_failure),
		cmocka_unit_test(times_are_utc_with_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

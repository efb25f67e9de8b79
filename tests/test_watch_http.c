#include "tests/dialogue.h"

static void only_http_is_recognised(void **state)
{
	static const struct {
		const char *first;
		enum watch_match want;
	} cases[] = {
		{ "", WATCH_MAYBE }, { "GE", WATCH_MAYBE }, { "GET / HTTP/1.1\r\n", WATCH_YES },
		{ "POST /x HTTP/1.1\r\n", WATCH_YES }, { "CONNECT mx.example:993 HTTP/1.1\r\n", WATCH_YES },
		{ "GET http://x/ HTTP/1.1\r\n", WATCH_YES }, { "HTTP/1.1 200 OK\r\n", WATCH_YES },
		{ "OPTIONS * HTTP/1.1\r\n", WATCH_YES }, { "OPTIONS sip:x SIP/2.0\r\n", WATCH_NO },
		{ "GETX", WATCH_NO }, { "220 mx\r\n", WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_http.recognise(&watch_http, bytes_of(cases[i].first, strlen(cases[i].first))) !=
		    cases[i].want)
			fail_msg("%s", cases[i].first);
}

static void requests_to_a_proxy_are_opaque(void **state)
{
	static const struct {
		const char *text;
		int side;
		enum watch_answer answer;
		bool opaque, flip;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n", 0, WATCH_MORE, false, false },
		{ "GET / HTTP/1.1", 0, WATCH_MORE, false, false },
		{ "CONNECT mx:993 HTTP/1.1\r\n", 0, WATCH_DONE, true, false },
		{ "POST http://x/ HTTP/1.1\r\n", 0, WATCH_DONE, true, false },
		{ "GET /?http://x/ HTTP/1.1\r\n", 0, WATCH_MORE, false, false },
		{ "GET / HTTP/1.1\r\nReferer: http://x/\r\n\r\n", 0, WATCH_MORE, false, false },
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\nCONNECT mx:993 HTTP/1.1\r\n", 0, WATCH_DONE, true, false },
		{ "POST / HTTP/1.1\r\n\r\nbody\nCONNECT is a word\n", 0, WATCH_DONE, true, false },
		{ "GET / HTTP/1.1\r\n", 1, WATCH_MORE, false, true },
		{ "HTTP/1.1 200 OK\r\n", 0, WATCH_MORE, false, true },
		{ "HTTP/1.1 200 OK\r\n\r\nCONNECT mx:993 HTTP/1.1\r\n", 1, WATCH_MORE, false, false },
	};
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialogue_begin(run, &watch_http);
		for (size_t n = 0; n < strlen(cases[i].text); n++)
			dialogue_feed(run, cases[i].side, cases[i].text + n, 1, 1);
		assert_int_equal(run->answer, cases[i].answer);
		assert_int_equal(run->facts.opaque, cases[i].opaque);
		assert_int_equal(run->facts.flip, cases[i].flip);
		dialogue_end(run);
	}
	free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_http_is_recognised),
		cmocka_unit_test(requests_to_a_proxy_are_opaque),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

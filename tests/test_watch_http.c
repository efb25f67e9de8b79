#include "tests/dialogue.h"

#include "classify/disclosure.h"

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

#define HOST "Host: Autoconfig.Example.org:80\r\n"
#define SECRET "Authorization: Basic am9lOnNlY3JldA==\r\n"

struct request {
	const char *text;
	const char *kind, *host, *account;	/* NULL: none is disclosed */
};

static const struct request requests[] = {
	{ "GET /mail/config-v1.1.xml?emailaddress=joe%40example.org HTTP/1.1\r\n" HOST "\r\n",
	  "autoconfig", "autoconfig.example.org", "joe@example.org" },
	{ "GET /.well-known/autoconfig/mail/config-v1.1.xml?x=1&EmailAddress=joe@example.org&y HTTP/1.0\r\n" SECRET
	  "HOST:\t[2001:db8::1]:80 \r\n\r\n", "autoconfig", "2001:db8::1", "joe@example.org" },
	{ "GET /autodiscover/autodiscover.json?Email=joe%2Btag%40example.org&Protocol=ActiveSync HTTP/1.1\n"
	  "host: a\n\n", "autodiscover", "a", "joe+tag@example.org" },
	{ "GET /Autodiscover.json/v1.0/joe@example.org HTTP/1.1\r\n\r\n", "autodiscover", "", "joe@example.org" },
	{ "GET /autodiscover/autodiscover.json/v1.0/j%C3%B6@example.org?Protocol=Ews HTTP/1.1\r\n" HOST "\r\n",
	  "autodiscover", "autoconfig.example.org", "j\xc3\xb6@example.org" },
	{ "GET /v1.1/joe@example.org HTTP/1.1\r\n" HOST "\r\n", "autoconfig", "autoconfig.example.org",
	  "joe@example.org" },
	{ "GET http://u:p@Autoconfig.example.org:8080/mail/config-v1.1.xml?emailaddress=joe%40example.org "
	  "HTTP/1.1\r\n" "Host: other\r\n\r\n", "autoconfig", "autoconfig.example.org", "joe@example.org" },
	{ "POST /autodiscover/autodiscover.xml?email=joe@example.org HTTP/1.1\r\n" HOST "\r\n",
	  "autodiscover", "autoconfig.example.org", "joe@example.org" },
	{ "GET / HTTP/1.1\r\n" HOST "\r\nGET /mail/config-v1.1.xml?emailaddress=joe@example.org HTTP/1.1\r\n"
	  "Host: b\r\n\r\n", "autoconfig", "b", "joe@example.org" },
	{ "GET /mail/config-v1.1.xml?emailaddress=joe@example.org HTTP/1.1\r\n\r\n"
	  "GET /mail/config-v1.1.xml?emailaddress=eve@example.org HTTP/1.1\r\nHost: b\r\n\r\n",
	  "autoconfig", "", "joe@example.org" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=%25EMAILADDRESS%25 HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe@a%4gb.example.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe%4 HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe%40example.org%0d HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe%40example HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe@b@example.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=@example.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe@.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?user=joe@example.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /v1.1/example.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /login?email=joe@example.org HTTP/1.1\r\n" HOST "\r\n" },
	{ .text = "GET /mail/config-v1.1.xml?emailaddress=joe@example.org\r\n" },
	{ .text = "GET / HTTP/1.1\r\nReferer: /mail/config-v1.1.xml?emailaddress=joe@example.org HTTP/1.1\r\n\r\n" },
	{ .text = "POST / HTTP/1.1\r\n\r\nGET /mail/config-v1.1.xml?emailaddress=joe@example.org HTTP/1.1\r\n" },
};

static void an_address_in_a_request_for_settings_is_disclosed(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct request *r = &requests[i];
		const struct fact_disclosure *d = &run->facts.disclosure;
		size_t len = strlen(r->text), line = (size_t)(strchr(r->text, '\n') - r->text);

		/* Whole, in two parts, and cut at each byte. */
		for (size_t split = 1; split <= 2 * len; split++) {
			dialogue_begin(run, &watch_http);
			run->facts.now_ns = 77;
			dialogue_feed(run, 0, r->text, split < len ? split : split - len, 3);
			if (split < len)
				dialogue_feed(run, 0, r->text + split, len - split, 4);
			if (run->facts.has_disclosure && r->kind == NULL)
				fail_msg("%s: %s", r->text, d->account);
			if (!run->facts.has_disclosure && r->kind != NULL && (split < len || split == 2 * len))
				fail_msg("%s: nothing", r->text);
			if (run->facts.has_disclosure && (strcmp(d->kind, r->kind) != 0 ||
			    strcmp(d->account, r->account) != 0 || d->time_ns != 77 || d->flow != 1 ||
			    (d->frame != 3 && d->frame != 4)))
				fail_msg("%s: %s %s", r->text, d->kind, d->account);
			if (run->facts.has_disclosure && (split < len || split == 2 * len))
				assert_string_equal(d->host, r->host);
			if (split > len && split - len < line)
				assert_false(run->facts.has_disclosure);
			assert_null(memmem(&run->facts, sizeof(run->facts), "am9lOn", 6));
			assert_null(memmem(run->state, watch_http.size, "am9lOn", 6));
			dialogue_end(run);
		}
	}
	free(run);
}

static void a_host_too_long_for_a_name_is_none(void **state)
{
	char text[600], host[FACT_NAME_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text));
	disclosure_host(bytes_of(text, 256), host);
	assert_string_equal(host, "");
	disclosure_host(bytes_of(text, 255), host);
	assert_int_equal(strlen(host), 255);
}

static void garbage_does_no_harm(void **state)
{
	static const char *const words[] = {
		"GET /mail/config-v1.1.xml?", "emailaddress=", "joe%40example.org", "%", " HTTP/1.1\r\n", "Host: ", "\r\n",
		"/autodiscover.json/v1.0/", "@", ".", "HTTP/1.1 200 OK\r\n", "POST /autodiscover/?email=", "&", "GET http://",
	};

	(void)state;
	dialogue_garbage(&watch_http, words, sizeof(words) / sizeof(words[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_http_is_recognised),
		cmocka_unit_test(requests_to_a_proxy_are_opaque),
		cmocka_unit_test(an_address_in_a_request_for_settings_is_disclosed),
		cmocka_unit_test(a_host_too_long_for_a_name_is_none),
		cmocka_unit_test(garbage_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

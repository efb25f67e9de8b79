#include "tests/test.h"

#include "capture/base.h"
#include "capture/text.h"
#include "report/notify_part.h"

#include <arpa/inet.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY "sixteen characters at least"

/* A syslog server and a webhook, one request a connection. */
struct server {
	int http, udp;
	unsigned http_port, udp_port;
	pthread_t thread;
	int stop[2];
	unsigned refuse;	/* so many requests are sent elsewhere first */
	unsigned requests, datagrams;
	char last[16384], syslog[4096];
};

static int listen_on(int type, unsigned *port_out)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	getsockname(fd, (struct sockaddr *)&a, &n);
	*port_out = ntohs(a.sin_port);
	return fd;
}

/* A request whole, by its Content-Length. */
static void answer(struct server *s, int fd)
{
	size_t used = 0, want = SIZE_MAX;
	char status[128];

	while (used < want && used < sizeof(s->last) - 1) {
		ssize_t n = read(fd, s->last + used, sizeof(s->last) - 1 - used);
		const char *end, *length;

		if (n <= 0)
			break;
		used += (size_t)n;
		s->last[used] = '\0';
		end = strstr(s->last, "\r\n\r\n");
		length = strcasestr(s->last, "content-length: ");
		if (end != NULL && length != NULL)
			want = (size_t)(end + 4 - s->last) + strtoul(length + 16, NULL, 10);
	}
	s->requests++;
	snprintf(status, sizeof(status), "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		 s->requests <= s->refuse ? "302 Not here\r\nLocation: /elsewhere" : "204 Good");
	assert_int_equal(write(fd, status, strlen(status)), (ssize_t)strlen(status));
	close(fd);
}

static void *serve(void *context)
{
	struct server *s = context;
	struct pollfd fds[] = { { .fd = s->http, .events = POLLIN }, { .fd = s->udp, .events = POLLIN },
				{ .fd = s->stop[0], .events = POLLIN } };

	while (poll(fds, 3, 30000) > 0) {
		if (fds[0].revents != 0)
			answer(s, accept(s->http, NULL, NULL));
		if (fds[1].revents != 0) {
			ssize_t n = recv(s->udp, s->syslog, sizeof(s->syslog) - 1, 0);

			s->syslog[n > 0 ? n : 0] = '\0';
			s->datagrams++;
		} else if (fds[2].revents != 0) {
			break;
		}
	}
	return NULL;
}

static void begin(struct server *s, unsigned refuse)
{
	*s = (struct server){ .refuse = refuse };
	s->http = listen_on(SOCK_STREAM, &s->http_port);
	s->udp = listen_on(SOCK_DGRAM, &s->udp_port);
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void end(struct server *s)
{
	assert_int_equal(write(s->stop[1], "", 1), 1);
	pthread_join(s->thread, NULL);
	close(s->http);
	close(s->udp);
	close(s->stop[0]);
	close(s->stop[1]);
}

static char *file_with(const char *text)
{
	char path[] = "/tmp/mailwitness-notify-XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return base_strdup(path);
}

static struct policy *policy_with(const char *yaml)
{
	struct policy *p = policy_new();
	char *path = file_with(yaml), error[512] = "";

	if (!policy_load(p, path, error, sizeof(error)))
		fail_msg("%s", error);
	unlink(path);
	free(path);
	return p;
}

static const struct notify_news relay = {
	.event = "finding", .key = "cloud-relay/1", .kind = "cloud-relay", .class = "leak", .strength = "strong",
	.client = "192.0.2.7", .owner = "microsoft", .sentence = "It sent \"much\".\nAnd \x1b[2J more.",
	.time_ns = 1700000000123456789,
};

static struct notify_news another(const char *key, const char *class, const char *strength)
{
	struct notify_news news = relay;

	news.key = key;
	news.class = class;
	news.strength = strength;
	return news;
}

/* What the policy makes of so many news, told by a process that is waited for. */
static void tell(const char *yaml, const struct notify_news *news, unsigned count)
{
	struct policy *p = policy_with(yaml);
	char error[512];
	struct notify *n = notify_start(p, error, sizeof(error));

	assert_string_equal(error, "");
	assert_non_null(n);
	policy_free(&p);
	for (unsigned i = 0; i < count; i++)
		notify_tell(n, &news[i]);
	notify_end(&n);
	assert_null(n);
}

static void a_syslog_message_is_as_rfc_5424_wants_it(void **state)
{
	struct notify_news news = relay;
	char text[NOTIFY_TEXT_MAX], host[256] = "", want[1024];

	(void)state;
	gethostname(host, sizeof(host) - 1);
	news.account = "a\\b\"]@x";
	snprintf(want, sizeof(want), "<27>1 2023-11-14T22:13:20.123456Z %s mailwitness %ld cloud-relay [mailwitness@32473"
		 " event=\"finding\" class=\"leak\" strength=\"strong\" client=\"192.0.2.7\" owner=\"microsoft\""
		 " account=\"a\\\\b\\\"\\]@x\"] \xef\xbb\xbfIt sent \"much\".\\x0aAnd \\x1b[2J more.", host, (long)getpid());
	assert_int_equal(notify_syslog_text(&news, text), strlen(want));
	assert_string_equal(text, want);
}

/* Names at their worst: one line of printable UTF-8, whose structured data is closed. */
static void hostile_names_leave_a_syslog_message_one(void **state)
{
	static char backslashes[65536], bytes[65536], stars[65536];
	const char *const names[] = {
		"\x1b]0;owned\x07\x1b[2J", "line\r\nnext: 1", "\xff\xfe\xc3", "\xe2\x80\xaemoc.live", "\xc2\x9b" "31m",
		"a\x7f" "b", "\xed\xa0\x80", "] [x@1 y=\"1\"]", backslashes, bytes, stars,
	};

	(void)state;
	memset(backslashes, '\\', sizeof(backslashes) - 1);
	memset(bytes, 0xff, sizeof(bytes) - 1);
	for (size_t i = 0; i + 4 < sizeof(stars); i += 4)
		memcpy(stars + i, "\xf0\x9f\x93\xa7", 4);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct notify_news news = relay;
		char text[NOTIFY_TEXT_MAX];
		uint32_t point;
		unsigned len;
		bool closed = false, quoted = false;

		news.owner = news.account = news.sentence = names[i];
		notify_syslog_text(&news, text);
		for (const char *at = text; *at != '\0'; at += len) {
			if (!text_utf8(at, &point, &len) || point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x202e)
				fail_msg("%u: %.20s", i, at);
			if (quoted && *at == '\\')
				len = 2;
			else if (*at == '"')
				quoted = !quoted;
			closed = closed || (!quoted && *at == ']');
		}
		if (!closed)
			fail_msg("%u: %s", i, text);
	}
}

static void a_long_message_is_cut_between_characters(void **state)
{
	struct notify_news news = relay;
	char text[NOTIFY_TEXT_MAX], sentence[3 * NOTIFY_TEXT_MAX];

	(void)state;
	for (unsigned shift = 0; shift < 2; shift++) {
		memset(sentence, 'x', shift);
		for (unsigned i = 0; i < NOTIFY_TEXT_MAX; i++)
			memcpy(sentence + shift + 2 * i, "\xc3\xa4", 3);
		news.sentence = sentence;
		size_t size = notify_syslog_text(&news, text);

		assert_in_range(size, NOTIFY_TEXT_MAX - 2, NOTIFY_TEXT_MAX - 1);
		assert_int_equal((unsigned char)text[size - 1], 0xa4);
	}
}

static void a_webhook_that_fails_is_tried_again_and_what_it_gets_is_signed(void **state)
{
	struct server s;
	char yaml[512], *key = file_with(KEY "\n"), *body, *signature, signed_text[4096], want[80] = "";
	unsigned char mac[32];
	long long stamp;

	(void)state;
	begin(&s, 2);
	snprintf(yaml, sizeof(yaml), "notify:\n  - to: http://127.0.0.1:%u/hook\n    secret_file: %s\n", s.http_port, key);
	tell(yaml, &relay, 1);
	end(&s);
	assert_int_equal(s.requests, 3);
	assert_int_equal(strncmp(s.last, "POST /hook HTTP/1.1\r\n", 21), 0);
	body = strstr(s.last, "\r\n\r\n") + 4;
	assert_string_equal(body, "{\"timestamp\":\"2023-11-14T22:13:20.123456789Z\",\"event_type\":\"finding\","
		"\"key\":\"cloud-relay/1\",\"kind\":\"cloud-relay\",\"class\":\"leak\",\"strength\":\"strong\","
		"\"client\":\"192.0.2.7\",\"owner\":\"microsoft\",\"account\":null,"
		"\"sentence\":\"It sent \\\"much\\\".\\u000aAnd \\u001b[2J more.\"}");
	stamp = atoll(strstr(s.last, "X-Mailwitness-Timestamp: ") + 25);
	signature = strstr(s.last, "X-Mailwitness-Signature: sha256=") + 32;
	snprintf(signed_text, sizeof(signed_text), "%lld.%s", stamp, body);
	HMAC(EVP_sha256(), KEY, (int)strlen(KEY), (unsigned char *)signed_text, strlen(signed_text), mac, NULL);
	for (unsigned i = 0; i < 32; i++)
		sprintf(want + 2 * i, "%02x", mac[i]);
	assert_memory_equal(signature, want, 64);
	assert_in_range(stamp, time(NULL) - 60, time(NULL));
	unlink(key);
	free(key);
}

static void where_a_message_goes_is_named_without_its_secrets(void **state)
{
	static const struct { const char *to, *want; } cases[] = {
		{ "https://hooks.chat.test/services/T0/B0/s3cret", "https://hooks.chat.test" },
		{ "https://anna:s3cret@hooks.chat.test:8443?key=s3cret", "https://hooks.chat.test:8443" },
		{ "https://hooks.chat.test#s3cret@x", "https://hooks.chat.test" },
		{ "syslog://192.0.2.5:1514", "syslog://192.0.2.5:1514" }, { "syslog", "syslog" },
	};
	char where[NOTIFY_WHERE_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		notify_where(cases[i].to, where);
		assert_string_equal(where, cases[i].want);
	}
}

static void only_what_is_wanted_is_told_and_that_once(void **state)
{
	const struct notify_news news[] = {
		another("a", "leak", "strong"), another("a", "leak", "strong"),		/* the second: suppressed */
		another("a", "leak", "proven"),						/* it rose: told */
		another("b", "leak", "suspected"), another("c", "weak", "proven"),	/* not wanted */
		another("d", "exposure", "strong"),
	};
	struct server s;
	char yaml[512];

	(void)state;
	begin(&s, 0);
	snprintf(yaml, sizeof(yaml), "notify:\n  - to: http://127.0.0.1:%u/\n    classes: [leak, exposure]\n"
		 "    strength: strong\n  - to: syslog://127.0.0.1:%u\n", s.http_port, s.udp_port);
	tell(yaml, news, sizeof(news) / sizeof(news[0]));
	end(&s);
	assert_int_equal(s.requests, 3);
	assert_int_equal(s.datagrams, 5);
	assert_non_null(strstr(s.syslog, " cloud-relay [mailwitness@32473 event=\"finding\" class=\"exposure\""));
}

static void the_same_is_told_again_when_its_time_is_over(void **state)
{
	const struct notify_news news[] = { relay, relay };
	struct server s;
	char yaml[256];

	(void)state;
	begin(&s, 0);
	snprintf(yaml, sizeof(yaml), "notify:\n  - to: syslog://127.0.0.1:%u\n    suppress_for: 0s\n", s.udp_port);
	tell(yaml, news, 2);
	end(&s);
	assert_int_equal(s.datagrams, 2);
}

static void who_tells_never_waits(void **state)
{
	struct server s;
	struct policy *p;
	struct notify *n;
	char yaml[256], error[512], key[32];
	time_t begun = time(NULL);

	(void)state;
	begin(&s, UINT32_MAX);
	snprintf(yaml, sizeof(yaml), "notify:\n  - to: http://127.0.0.1:%u/\n", s.http_port);
	p = policy_with(yaml);
	n = notify_start(p, error, sizeof(error));
	for (unsigned i = 0; i < 20000; i++) {
		struct notify_news news = another(key, "leak", "strong");

		snprintf(key, sizeof(key), "%u", i);
		notify_tell(n, &news);
	}
	assert_in_range(time(NULL) - begun, 0, 5);
	notify_end(&n);
	assert_in_range(time(NULL) - begun, 0, 25);
	policy_free(&p);
	end(&s);
	assert_true(s.requests > 0);
}

static void a_key_that_is_no_key_is_refused(void **state)
{
	static const struct { const char *content, *error; } cases[] = {
		{ "", "a key of at least 16 characters" }, { "short\n", "a key of at least 16 characters" }, { NULL, "No such file" },
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char *key = file_with(cases[i].content != NULL ? cases[i].content : ""), yaml[256], error[512];
		struct policy *p;

		if (cases[i].content == NULL)
			unlink(key);
		snprintf(yaml, sizeof(yaml), "notify:\n  - to: https://a.test/\n    secret_file: %s\n", key);
		p = policy_with(yaml);
		assert_null(notify_start(p, error, sizeof(error)));
		assert_non_null(strstr(error, cases[i].error));
		policy_free(&p);
		unlink(key);
		free(key);
	}
}

static void nobody_to_tell_is_no_mistake(void **state)
{
	struct policy *p = policy_new();
	char error[512];
	struct notify *n = notify_start(p, error, sizeof(error));

	(void)state;
	assert_null(n);
	assert_string_equal(error, "");
	notify_tell(n, &relay);
	notify_end(&n);
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syslog_message_is_as_rfc_5424_wants_it),
		cmocka_unit_test(hostile_names_leave_a_syslog_message_one),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
		cmocka_unit_test(a_webhook_that_fails_is_tried_again_and_what_it_gets_is_signed),
		cmocka_unit_test(where_a_message_goes_is_named_without_its_secrets),
		cmocka_unit_test(only_what_is_wanted_is_told_and_that_once),
		cmocka_unit_test(the_same_is_told_again_when_its_time_is_over),
		cmocka_unit_test(who_tells_never_waits),
		cmocka_unit_test(a_key_that_is_no_key_is_refused),
		cmocka_unit_test(nobody_to_tell_is_no_mistake),
	};

	/* A proxy that the environment names would learn of the findings. */
	setenv("http_proxy", "http://127.0.0.1:9/", 1);
	setenv("all_proxy", "http://127.0.0.1:9/", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

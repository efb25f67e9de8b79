#include "tests/dialogue.h"

#include "classify/smtp_text.h"

#define HELLO "S220 mx.example ESMTP ready\r\n", "CEHLO pc.example\r\n"
#define OFFER "S250-mx.example\r\n250-PIPELINING\r\n250-starttls\r\n250 AUTH PLAIN LOGIN\r\n"
#define BARE "S250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n"
#define NOT_USED .transport = MAIL_STARTTLS_OFFERED_NOT_USED
#define PASSWORD "joe", 6, CREDENTIAL_REUSABLE

#define RECORD "\x16\x03\x01\x01\x01\x01"	/* how a TLS handshake begins */

static const struct dialogue dialogues[] = {
	{ "STARTTLS agreed",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S220 go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .letters = "hCcTt" },
	{ "bytes behind the agreement and behind the command are left",
	  { HELLO, OFFER, "CSTARTTLS\r\nRSET\r\n", "S220-go\r\n220 on\r\n250 reset\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 6,
	  .left = { "RSET\r\n", "250 reset\r\n" } },
	{ "454, then a login",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S454 not now\r\n", "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S235 in\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, "PLAIN", PASSWORD, .accepted = true, .letters = "hCcTrASy", .refusal = "454" },
	{ "500 to STARTTLS",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S500 #5.5.1 command not recognized\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "500 #5.5.1" },
	{ "no answer to STARTTLS",
	  { HELLO, OFFER, "CSTARTTLS\r\n" }, .transport = MAIL_UNKNOWN },
	{ "AUTH PLAIN with initial response although STARTTLS is offered",
	  { HELLO, OFFER, "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S235 in\r\n" },
	  NOT_USED, "PLAIN", PASSWORD, .accepted = true },
	{ "AUTH PLAIN with continuation, wrong password",
	  { HELLO, BARE, "Cauth plain\r\n", "S334 \r\n", "CAGpvZQBzZWNyZXQ=\r\n", "S535 no\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .letters = "hCcAsSn" },
	{ "AUTH PLAIN with another to act for",
	  { HELLO, BARE, "CAUTH PLAIN Ym9zcwBqb2UAc2VjcmV0\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true },
	{ "AUTH PLAIN with only a name to act for",
	  { HELLO, BARE, "CAUTH PLAIN am9lAABzZWNyZXQ=\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true },
	{ "a lone last character is no base64",
	  { HELLO, BARE, "CAUTH PLAIN AGpvZQBzZWNyZXQxA\r\n", "S501 no\r\n" }, .transport = MAIL_PLAINTEXT },
	{ "AUTH LOGIN",
	  { HELLO, BARE, "CAUTH LOGIN\r\n", "S334 VXNlcm5hbWU6\r\n", "Cam9l\r\n", "S334 UGFzc3dvcmQ6\r\n",
	    "Cc2VjcmV0\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "LOGIN", PASSWORD, .accepted = true },
	{ "AUTH LOGIN with initial response",
	  { HELLO, BARE, "CAUTH LOGIN am9l\r\n", "S334 UGFzc3dvcmQ6\r\n", "Cc2VjcmV0\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "LOGIN", PASSWORD, .accepted = true },
	{ "AUTH NTLM",
	  { HELLO, BARE, "CAUTH NTLM TlRMTVNTUAABAAAAB4IIAA==\r\n", "S334 TlRMTVNTUAACAAAA\r\n",
	    "CTlRMTVNTUAADAAAAAAAAAEAAAAAYABgARgAAAAAAAABAAAAABgAGAEAAAAAAAAAAQAAAAAAAAABAAAAAAQAAAGoAbwBlAHh4eHh4"
	    "eHh4eHh4eHh4eHh4eHh4eHh4eA==\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "NTLM", "joe", 24, CREDENTIAL_GUESSABLE, .accepted = true },
	{ "foreign characters are no credential",
	  { HELLO, BARE, "CAUTH PLAIN AGpvZQ.zZWNyZXQ=\r\n", "S501 no\r\n" }, .transport = MAIL_PLAINTEXT },
	{ "a refused mechanism leaves commands to be read",
	  { HELLO, BARE, "CAUTH GSSAPI\r\n", "S504 no\r\n", "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true },
	{ "a client that does not wait for the challenge",
	  { HELLO, BARE, "CAUTH PLAIN\r\nAGpvZQBzZWNyZXQ=\r\nMAIL FROM:<a@b>\r\nDATA\r\n",
	    "S334 \r\n235 in\r\n250 ok\r\n354 go\r\n", "Cx\r\n.\r\n", "S250 ok\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true, .moved = true },
	{ "XCLIENT starts anew",
	  { "S220-mx ESMTP\r\n220 ready\r\n", "CEHLO pc\r\n", BARE, "CXCLIENT ADDR=192.0.2.1\r\n", "S220 mx ESMTP\r\n",
	    "CEHLO pc\r\n", OFFER, "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S235 in\r\n" },
	  NOT_USED, "PLAIN", PASSWORD, .accepted = true, .claimed = "xclient 192.0.2.1", .passes = 1u << MAIL_PLAINTEXT },
	{ "HELO has no list",
	  { "S220 mx SMTP\r\n", "CHELO pc\r\n", "S250 mx\r\n", "CMAIL FROM:<a@b>\r\n", "S250 ok\r\n" },
	  .transport = MAIL_UNKNOWN },
	{ "a list that is not whole",
	  { HELLO, "S250-mx.example\r\n250-SIZE\r\n" }, .transport = MAIL_UNKNOWN },
	{ "the first line of the list is a name",
	  { HELLO, "S250-STARTTLS\r\n250 SIZE\r\n" }, .transport = MAIL_PLAINTEXT },
	{ "keyword overwritten on the path",
	  { HELLO, "S250-mx\r\n250-SIZE\r\n250 XXXXXXXA\r\n", "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S235 in\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, "PLAIN", PASSWORD, .accepted = true, .signature = "masked-keyword" },
	{ "greeting overwritten on the path",
	  { "S220 ****************2******0******\r\n", "CEHLO pc\r\n", "S250-mx\r\n250 SIZE\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, .signature = "masked-greeting" },
	{ "greeting overwritten, EHLO refused",
	  { "S220 ****************2******0******\r\n", "CEHLO pc\r\n", "S500 no\r\n", "CHELO pc\r\n", "S250 mx\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, .signature = "masked-greeting" },
	{ "greeting overwritten, STARTTLS offered all the same",
	  { "S220 ****************2******0******\r\n", "CEHLO pc\r\n", OFFER }, .transport = MAIL_UNKNOWN },
	{ "a message is not read as commands",
	  { HELLO, BARE, "CMAIL FROM:<a@b>\r\n", "S250 ok\r\n", "CRCPT TO:<c@d>\r\n", "S250 ok\r\n", "CDATA\r\n",
	    "S354 go\r\n", "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n..\r\n.\n\r\n.\r\nQUIT\r\n", "S250 ok\r\n221 bye\r\n" },
	  .transport = MAIL_PLAINTEXT, .moved = true, .letters = "hCcXMQ", .recipient = "d" },
	{ "commands follow an empty message",
	  { HELLO, BARE, "CDATA\r\n", "S354 go\r\n", "C.\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n",
	    "S250 ok\r\n235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true, .moved = true },
	{ "a refused DATA moves nothing",
	  { HELLO, BARE, "CDATA\r\n", "S554 no\r\n", "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true },
	{ "a chunk is not read as commands",
	  { HELLO, BARE, "CBDAT 34\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n.\r\n\r\nBDAT 0 LAST\r\nQUIT\r\n",
	    "S250 ok\r\n250 ok\r\n221 bye\r\n" },
	  .transport = MAIL_PLAINTEXT, .moved = true, .letters = "hCcMQ" },
	{ "answers to pipelined commands are told apart",
	  { HELLO, OFFER, "CMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n",
	    "S250 ok\r\n250 ok\r\n550 no\r\n235 in\r\n" },
	  NOT_USED, "PLAIN", PASSWORD, .accepted = true, .recipient = "d" },
	{ "LMTP answers for each recipient",
	  { "S220 mx LMTP\r\n", "CLHLO pc\r\n", BARE, "CRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
	    "S250 ok\r\n250 ok\r\n354 go\r\n", "Cx\r\n.\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n",
	    "S250 ok\r\n250 ok\r\n235 in\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", PASSWORD, .accepted = true, .moved = true, .recipient = "b" },
	{ "a client alone",
	  { "CEHLO pc\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n" },
	  .transport = MAIL_UNKNOWN, .moved = true, .recipient = "d" },
	{ "a banner that says nothing, then EHLO",
	  { "S220 mx\r\n", "CEHLO pc\r\n", OFFER, "CMAIL FROM:<a@b>\r\n" }, NOT_USED },
	{ "something else than a reply ends the reading",
	  { HELLO, "Shello\r\n" }, .transport = MAIL_UNKNOWN, .answer = WATCH_DONE },
	{ "a client that does not wait to begin TLS injects nothing",
	  { HELLO, OFFER, "CSTARTTLS\r\n" RECORD, "S220 go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .left = { RECORD } },
	{ "a command in a segment of its own before the agreement is injected",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "CRSET\r\n", "S220 go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 6, .left = { "RSET\r\n" } },
	{ "454 with an enhanced code",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S454 4.7.0 TLS not available\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "454 4.7.0" },
	{ "a refusal of several lines",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S500-5.5.1 no\r\n500 5.5.1\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "500 5.5.1" },
	{ "a refusal with a number that is no enhanced code",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S502 5..1 no\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "502" },
	{ "a bare refusal",
	  { HELLO, OFFER, "CSTARTTLS\r\n", "S501\r\n" }, .transport = MAIL_STARTTLS_REFUSED, .refusal = "501" },
	{ "an offer with a parameter",
	  { HELLO, "S250-mx\r\n250 STARTTLS REQUIRED\r\n", "CMAIL FROM:<a@b>\r\n" }, NOT_USED },
	{ "an offer behind odd blanks",
	  { HELLO, "S250-mx\r\n250- \tStartTLS \r\n250 SIZE\r\n", "CMAIL FROM:<a@b>\r\n" }, NOT_USED },
	{ "a greeting that is overwritten, and STARTTLS agreed all the same",
	  { "S220 ****************2******0******\r\n", "CEHLO pc\r\n", OFFER, "CSTARTTLS\r\n", "S220 go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS },
	{ "STARTTLS agreed that no list offers",
	  { HELLO, BARE, "CSTARTTLS\r\n", "S220 go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .passes = 1u << MAIL_PLAINTEXT },
	{ "STARTTLS refused that no list offers",
	  { HELLO, BARE, "CSTARTTLS\r\n", "S502 no\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "502", .passes = 1u << MAIL_PLAINTEXT },
	{ "LMTP without STARTTLS",
	  { "S220 mx LMTP\r\n", "CLHLO pc\r\n", BARE, "CMAIL FROM:<a@b>\r\n", "S250 ok\r\n" },
	  .transport = MAIL_PLAINTEXT, .letters = "hCcX" },
	{ "XCLIENT of an IPv6 client",
	  { HELLO, BARE, "CXCLIENT NAME=a.example ADDR=IPV6:2001:db8::1 LOGIN=joe\r\n", "S220 mx ESMTP\r\n" },
	  .transport = MAIL_PLAINTEXT, .claimed = "xclient 2001:db8::1" },
	{ "a refused XCLIENT", { HELLO, BARE, "CXCLIENT ADDR=192.0.2.1\r\n", "S550 no\r\n" },
	  .transport = MAIL_PLAINTEXT },
	{ "XCLIENT without an address",
	  { HELLO, BARE, "CXCLIENT ADDR=[UNAVAILABLE] NAME=192.0.2.1\r\n", "S220 mx ESMTP\r\n" },
	  .transport = MAIL_PLAINTEXT },
	{ "the first recipient with a domain names it",
	  { HELLO, BARE, "CRCPT TO:<Postmaster>\r\n", "S250 ok\r\n", "Crcpt to:<joe@Example.ORG.> NOTIFY=NEVER\r\n",
	    "S250 ok\r\n", "CRCPT TO:<x@other.example>\r\n", "S250 ok\r\n" },
	  .transport = MAIL_PLAINTEXT, .recipient = "example.org" },
};

static void each_dialogue_gives_its_facts_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
		dialogue_all(&dialogues[i], &watch_smtp);
}

static void both_ends_name_themselves(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	dialogue_play(run, &dialogues[0], &watch_smtp, dialogue_len(&dialogues[0]), 0, false);
	assert_string_equal(run->facts.mail.banner, "mx.example ESMTP ready");
	assert_string_equal(run->facts.mail.client_id, "pc.example");
	assert_false(run->facts.flip);
	dialogue_end(run);
	free(run);
}

static void a_greeting_from_the_originator_flips_the_flow(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	static const char hello[] = "220 mx ESMTP\r\n", login[] = "EHLO pc\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n";

	(void)state;
	dialogue_begin(run, &watch_smtp);
	dialogue_feed(run, 0, hello, sizeof(hello) - 1, 1);
	dialogue_feed(run, 1, login, sizeof(login) - 1, 2);
	assert_true(run->facts.flip);
	assert_int_equal(run->facts.mail.credential, CREDENTIAL_REUSABLE);
	dialogue_end(run);
	free(run);
}

static void the_client_is_read_on_without_the_server(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	static const char login[] = "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n";

	(void)state;
	dialogue_play(run, &dialogues[5], &watch_smtp, 20, 0, false);
	assert_int_equal(watch_smtp.gap(run->state, SIDE_RESPONDER, &run->facts), WATCH_MORE);
	dialogue_feed(run, 0, login, sizeof(login) - 1, 9);
	assert_int_equal(run->facts.mail.credential, CREDENTIAL_REUSABLE);
	assert_int_equal(run->facts.mail.credential_frame, 9);
	assert_int_equal(run->facts.mail.transport, MAIL_UNKNOWN);
	dialogue_end(run);
	free(run);
}

static void a_flood_of_unanswered_commands_ends_the_reading(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	dialogue_begin(run, &watch_smtp);
	for (int i = 0; i < 1000 && run->answer == WATCH_MORE; i++)
		dialogue_feed(run, 0, i % 2 ? "EHLO a\r\n" : "NOOP a\r\n", 8, 1);
	assert_int_equal(run->answer, WATCH_DONE);
	dialogue_end(run);
	free(run);
}

static void only_smtp_is_recognised(void **state)
{
	static const struct {
		const char *first;
		enum watch_match want;
	} cases[] = {
		{ "", WATCH_MAYBE }, { "2", WATCH_MAYBE }, { "220 mx ESMTP\r\n", WATCH_YES },
		{ "220-mx ESMTP\r\n", WATCH_YES }, { "220 ****", WATCH_YES }, { "220 ftp.example FTP\r\n", WATCH_MAYBE },
		{ "554 mx SMTP no\r\n", WATCH_YES }, { "2200 ESMTP\r\n", WATCH_NO }, { "200 nntp\r\n", WATCH_NO },
		{ "EHLO pc\r\n", WATCH_YES }, { "ehlo pc\r\n", WATCH_YES }, { "EH", WATCH_MAYBE },
		{ "USER joe\r\n", WATCH_NO }, { "* OK SMTP", WATCH_NO }, { "\x16\x03\x01", WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_smtp.recognise(&watch_smtp, bytes_of(cases[i].first, strlen(cases[i].first))) !=
		    cases[i].want)
			fail_msg("%s", cases[i].first);
}

static void the_domain_of_a_recipient_is_read_from_any_path(void **state)
{
	static const char long_label[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.";
	static const struct {
		const char *path, *domain;
	} cases[] = {
		{ "TO:<joe@example.org>", "example.org" }, { "to: <joe@EXAMPLE.Org..>", "example.org" },
		{ "TO:<@relay.example,@b.example:joe@example.org>", "example.org" },
		{ "TO:<\"a@b c\\\"@d\"@example.org>", "example.org" }, { "TO:joe@example.org", "example.org" },
		{ "TO:<joe@b\xc3\xbc" "cher.example>", "b\xc3\xbc" "cher.example" }, { "TO:<a@b>", "b" },
		{ "TO:<joe@[192.0.2.1]>", "" }, { "TO:<joe>", "" }, { "TO:<joe@>", "" }, { "TO:<@a:joe>", "" },
		{ "TO:<joe@exa\x1fmple.org>", "" }, { "TO:<\"joe@example.org", "" }, { "FROM:<joe@example.org>", "" },
		{ "", "" }, { "TO:", "" }, { "TO:<@", "" }, { "TO:<\"\\", "" },
	};
	char path[400] = "TO:<joe@", domain[FACT_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		smtp_recipient_domain(bytes_of(cases[i].path, strlen(cases[i].path)), domain);
		if (strcmp(domain, cases[i].domain) != 0)
			fail_msg("%s: %s", cases[i].path, domain);
	}
	for (int i = 0; i < 4; i++)
		strcat(path, long_label);
	smtp_recipient_domain(bytes_of(path, strlen(path)), domain);
	assert_string_equal(domain, "");
	path[strlen(path) - 1] = '\0';
	smtp_recipient_domain(bytes_of(path, strlen(path)), domain);
	assert_string_equal(domain, path + 8);
}

static void garbage_does_no_harm(void **state)
{
	static const char *const words[] = {
		"220 mx ESMTP\r\n", "EHLO ", "250-", "250 ", "AUTH PLAIN ", "AUTH LOGIN\r\n", "334 \r\n", "235 \r\n",
		"DATA\r\n", "354 \r\n", "\r\n.\r\n", "BDAT 7\r\n", "BDAT 99999999999999999999999 LAST\r\n", "=",
		"STARTTLS\r\n", "454 \r\n", "AGpvZQBzZWNyZXQ=\r\n", "AUTH NTLM TlRMTVNTUAADAAAA\r\n",
	};

	(void)state;
	dialogue_garbage(&watch_smtp, words, sizeof(words) / sizeof(words[0]));
}

/* Who guesses passwords tries many in one session: each is told, up to a limit. */
static void each_login_of_a_session_is_told(void **state)
{
	struct dialogue d = {
		.name = "guessing",
		.turns = { "S220 mx ESMTP\r\n", "CEHLO pc\r\n", "S250-mx\r\n250 AUTH PLAIN\r\n",
			   "CAUTH PLAIN AGFubgBvbmU=\r\n", "S535 no\r\n", "CAUTH PLAIN AGJvYgB0d28=\r\n", "S535 no\r\n",
			   "CAUTH PLAIN AGNhdAB0aHJlZQ==\r\n", "S235 yes\r\n" },
	};
	static const char *const accounts[] = { "ann", "bob", "cat" };
	static const uint32_t lengths[] = { 3, 3, 5 };
	struct dialogue_run run;

	(void)state;
	dialogue_play(&run, &d, &watch_smtp, dialogue_len(&d), 0, false);
	assert_int_equal(run.facts.login_count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(run.facts.logins[i].account, accounts[i]);
		assert_int_equal(run.facts.logins[i].secret_len, lengths[i]);
		assert_int_equal(run.facts.logins[i].accepted, i == 2);
		assert_int_equal(run.facts.logins[i].frame, 4 + 2 * i);
	}
	assert_string_equal(run.facts.mail.account, "cat");
	dialogue_end(&run);
	for (int i = 3; i + 1 < DIALOGUE_TURNS; i += 2) {
		d.turns[i] = "CAUTH PLAIN AGFubgBvbmU=\r\n";
		d.turns[i + 1] = "S535 no\r\n";
	}
	dialogue_play(&run, &d, &watch_smtp, dialogue_len(&d), 0, false);
	assert_int_equal(run.facts.login_count, WATCH_LOGINS);
	dialogue_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_dialogue_gives_its_facts_however_it_is_cut),
		cmocka_unit_test(both_ends_name_themselves),
		cmocka_unit_test(a_greeting_from_the_originator_flips_the_flow),
		cmocka_unit_test(the_client_is_read_on_without_the_server),
		cmocka_unit_test(a_flood_of_unanswered_commands_ends_the_reading),
		cmocka_unit_test(only_smtp_is_recognised),
		cmocka_unit_test(the_domain_of_a_recipient_is_read_from_any_path),
		cmocka_unit_test(garbage_does_no_harm),
		cmocka_unit_test(each_login_of_a_session_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

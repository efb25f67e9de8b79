#include "tests/dialogue.h"

#define HELLO "S+OK <1896.69@mx.example> ready\r\n"
#define OFFER "CCAPA\r\n", "S+OK\r\nTOP\r\nSTLS\r\nUSER\r\n.\r\n"
#define BARE "CCAPA\r\n", "S+OK\r\nTOP\r\nUSER\r\n.\r\n"

#define RECORD "\x16\x03\x01\x01\x01\x01"	/* how a TLS handshake begins */

static const struct dialogue dialogues[] = {
	{ "STLS agreed",
	  { HELLO, OFFER, "CSTLS\r\n", "S+OK go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .letters = "hCcTt" },
	{ "bytes behind the agreement and behind the command are left",
	  { HELLO, OFFER, "CSTLS\r\nUSER joe\r\n", "S+OK go\r\n+OK more\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 10,
	  .left = { "USER joe\r\n", "+OK more\r\n" } },
	{ "STLS refused, then USER and PASS",
	  { HELLO, OFFER, "CSTLS\r\n", "S-ERR no\r\n", "CUSER joe\r\n", "S+OK\r\n", "CPASS my secret\r\n", "S+OK in\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, "USER", "joe", 9, CREDENTIAL_REUSABLE, .accepted = true, .refusal = "-ERR" },
	{ "USER and PASS without CAPA",
	  { HELLO, "CUSER joe\r\n", "S+OK\r\n", "CPASS secret\r\n", "S-ERR\r\n" },
	  .transport = MAIL_UNKNOWN, "USER", "joe", 6, CREDENTIAL_REUSABLE },
	{ "USER and PASS although STLS is offered",
	  { HELLO, OFFER, "CUSER joe\r\nPASS secret\r\n", "S+OK\r\n+OK\r\n" },
	  .transport = MAIL_STARTTLS_OFFERED_NOT_USED, "USER", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "a whole list without STLS",
	  { HELLO, BARE, "CUSER joe\r\n", "S+OK\r\n", "CPASS secret\r\n", "S+OK\r\n" },
	  .transport = MAIL_PLAINTEXT, "USER", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "a list behind a login says nothing of STLS",
	  { HELLO, "CUSER joe\r\n", "S+OK\r\n", "CPASS secret\r\n", "S+OK\r\n", BARE },
	  .transport = MAIL_UNKNOWN, "USER", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "a list that is not whole",
	  { HELLO, "CCAPA\r\n", "S+OK\r\nTOP\r\n" }, .transport = MAIL_UNKNOWN },
	{ "keyword overwritten on the path",
	  { HELLO, "CCAPA\r\n", "S+OK\r\nXXXX\r\n.\r\n", "CAUTH PLAIN\r\n", "S+ \r\n", "CAGpvZQBzZWNyZXQ=\r\n", "S+OK\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true, .signature = "masked-keyword" },
	{ "APOP",
	  { HELLO, "CAPOP joe c4c9334bac560ecc979e58001b3e22fb\r\n", "S+OK\r\n" },
	  .transport = MAIL_UNKNOWN, "APOP", "joe", 32, CREDENTIAL_GUESSABLE, .accepted = true, .letters = "hLy" },
	{ "APOP without a digest", { HELLO, "CAPOP joe\r\n", "S-ERR\r\n" }, .transport = MAIL_UNKNOWN },
	{ "a bare AUTH asks for a list",
	  { HELLO, "CAUTH\r\n", "S+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n", "CAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "S+OK\r\n" },
	  .transport = MAIL_UNKNOWN, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "AUTH LOGIN",
	  { HELLO, "CAUTH LOGIN\r\n", "S+ VXNlcm5hbWU6\r\n", "Cam9l\r\n", "S+ UGFzc3dvcmQ6\r\n", "Cc2VjcmV0\r\n", "S+OK\r\n" },
	  .transport = MAIL_UNKNOWN, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "a message is not read as answers",
	  { HELLO, "CRETR 1\r\nSTLS\r\n", "S+OK\r\n+OK go\r\n..\r\n.\r\n-ERR no\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .moved = true, .refusal = "-ERR" },
	{ "a refused RETR moves nothing",
	  { HELLO, "CRETR 1\r\n", "S-ERR\r\n" }, .transport = MAIL_UNKNOWN },
	{ "LIST of one is one line",
	  { HELLO, "CLIST 1\r\nSTLS\r\n", "S+OK 1 99\r\n-ERR no\r\n" }, .transport = MAIL_STARTTLS_REFUSED, .refusal = "-ERR" },
	{ "LIST of all goes on to a dot",
	  { HELLO, "CLIST\r\nSTLS\r\n", "S+OK\r\n1 99\r\n.\r\n-ERR no\r\n" }, .transport = MAIL_STARTTLS_REFUSED, .refusal = "-ERR" },
	{ "a client that does not wait to begin TLS injects nothing",
	  { HELLO, OFFER, "CSTLS\r\n" RECORD, "S+OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .left = { RECORD } },
	{ "a command in a segment of its own before the agreement is injected",
	  { HELLO, OFFER, "CSTLS\r\n", "CUSER joe\r\n", "S+OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 10, .left = { "USER joe\r\n" } },
	{ "STLS agreed that no list offers",
	  { HELLO, BARE, "CSTLS\r\n", "S+OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .passes = 1u << MAIL_PLAINTEXT },
	{ "a damaged offer",
	  { HELLO, "CCAPA\r\n", "S+OK\r\n \tSTLS  now\r\n.\r\n", "CUSER joe\r\n", "S+OK\r\n", "CPASS secret\r\n", "S+OK\r\n" },
	  .transport = MAIL_STARTTLS_OFFERED_NOT_USED, "USER", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "a refused CAPA is no list",
	  { HELLO, "CCAPA\r\n", "S-ERR\r\n", "CUSER joe\r\n", "S+OK\r\n", "CPASS secret\r\n", "S+OK\r\n" },
	  .transport = MAIL_UNKNOWN, "USER", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "name and password swapped",
	  { HELLO, BARE, "CUSER secret\r\n", "S+OK\r\n", "CPASS joe@example.org\r\n", "S-ERR\r\n" },
	  .transport = MAIL_PLAINTEXT, "USER", "", 15, CREDENTIAL_REUSABLE },
	{ "name and password in one line",
	  { HELLO, BARE, "CUSER joe secret\r\n", "S+OK\r\n", "CPASS secret\r\n", "S+OK\r\n" },
	  .transport = MAIL_PLAINTEXT, "USER", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "PASS before USER",
	  { HELLO, BARE, "CPASS secret\r\n", "S-ERR\r\n", "CUSER joe\r\n", "S+OK\r\n" },
	  .transport = MAIL_PLAINTEXT, "USER", "", 6, CREDENTIAL_REUSABLE },
	{ "foreign and control characters in a name",
	  { HELLO, BARE, "CUSER j\xc3\xb6\x1f\xc2\x9b\xe2\x82\xac\r\n", "S+OK\r\n", "CPASS secret\r\n", "S+OK\r\n" },
	  .transport = MAIL_PLAINTEXT, "USER", "j\xc3\xb6\xe2\x82\xac", 6, CREDENTIAL_REUSABLE, .accepted = true },
};

static void each_dialogue_gives_its_facts_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
		dialogue_all(&dialogues[i], &watch_pop3);
}

static void only_pop3_is_recognised(void **state)
{
	static const struct {
		const char *first;
		enum watch_match want;
	} cases[] = {
		{ "+", WATCH_MAYBE }, { "+OK hi\r\n", WATCH_YES }, { "+OK\r\n", WATCH_MAYBE }, { "+OKAY", WATCH_NO },
		{ "CAPA\r\n", WATCH_YES }, { "USER joe\r\n", WATCH_MAYBE }, { "APOP x y\r\n", WATCH_YES },
		{ "GET / HTTP/1.1\r\n", WATCH_NO }, { "* OK hi\r\n", WATCH_NO }, { "220 mx\r\n", WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_pop3.recognise(&watch_pop3, bytes_of(cases[i].first, strlen(cases[i].first))) !=
		    cases[i].want)
			fail_msg("%s", cases[i].first);
}

static void garbage_does_no_harm(void **state)
{
	static const char *const words[] = {
		"+OK ", "-ERR ", "\r\n", "CAPA\r\n", "STLS\r\n", "USER x\r\n", "PASS y\r\n", "AUTH\r\n", "AUTH PLAIN ",
		".\r\n", "RETR 1\r\n", "+ \r\n", "AGpvZQBzZWNyZXQ=\r\n", "APOP x y\r\n", "LIST\r\n", ".",
	};

	(void)state;
	dialogue_garbage(&watch_pop3, words, sizeof(words) / sizeof(words[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_dialogue_gives_its_facts_however_it_is_cut),
		cmocka_unit_test(only_pop3_is_recognised),
		cmocka_unit_test(garbage_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/dialogue.h"

#define OFFER "S\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SASL\" \"PLAIN\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n"
#define BARE "S\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SASL\" \"PLAIN\"\r\nOK \"ready\"\r\n"

#define RECORD "\x16\x03\x01\x01\x01\x01"	/* how a TLS handshake begins */

static const struct dialogue dialogues[] = {
	{ "STARTTLS agreed",
	  { OFFER, "CSTARTTLS\r\n", "SOK \"go\"\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .letters = "hcTt" },
	{ "bytes behind the agreement and behind the command are left",
	  { OFFER, "CSTARTTLS\r\nNOOP\r\n", "SOK\r\nOK more\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 6,
	  .left = { "NOOP\r\n", "OK more\r\n" } },
	{ "STARTTLS refused, then a login",
	  { OFFER, "CSTARTTLS\r\n", "SNO\r\n", "CAUTHENTICATE \"PLAIN\" \"AGpvZQBzZWNyZXQ=\"\r\n", "SOK\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true, .refusal = "NO" },
	{ "a login although STARTTLS is offered",
	  { OFFER, "CAUTHENTICATE \"PLAIN\" \"AGpvZQBzZWNyZXQ=\"\r\n", "SNO \"wrong\"\r\n" },
	  .transport = MAIL_STARTTLS_OFFERED_NOT_USED, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE },
	{ "a response as a literal",
	  { BARE, "CAUTHENTICATE \"PLAIN\" {16+}\r\nAGpvZQBzZWNyZXQ=\r\n", "SOK\r\n" },
	  .transport = MAIL_PLAINTEXT, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "LOGIN by challenges",
	  { BARE, "CAUTHENTICATE \"LOGIN\"\r\n", "S\"VXNlcm5hbWU6\"\r\n", "C\"am9l\"\r\n", "S{12}\r\nUGFzc3dvcmQ6\r\n",
	    "C{8+}\r\nc2VjcmV0\r\n", "SOK\r\n" },
	  .transport = MAIL_PLAINTEXT, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "keyword overwritten on the path",
	  { "S\"SASL\" \"PLAIN\"\r\n\"XXXXXXXX\"\r\nOK\r\n", "CLOGOUT\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, .signature = "masked-keyword" },
	{ "a list that is not whole",
	  { "S\"IMPLEMENTATION\" \"x\"\r\n\"SASL\" \"PLAIN\"\r\n" }, .transport = MAIL_UNKNOWN },
	{ "what is behind a literal is no command",
	  { BARE, "CPUTSCRIPT {1+}\r\nx {2+}\r\nab\r\n", "SOK\r\n", "CSTARTTLS\r\n", "SOK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .passes = 1u << MAIL_PLAINTEXT },
	{ "a script is not read as commands",
	  { BARE, "CPUTSCRIPT \"x\" {51+}\r\nAUTHENTICATE \"PLAIN\" \"AGpvZQBzZWNyZXQ=\"\r\nSTARTTLS\r\n\r\n", "SOK\r\n" },
	  .transport = MAIL_PLAINTEXT },
	{ "a client that does not wait to begin TLS injects nothing",
	  { OFFER, "CSTARTTLS\r\n" RECORD, "SOK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .left = { RECORD } },
	{ "a command in a segment of its own before the agreement is injected",
	  { OFFER, "CSTARTTLS\r\n", "CNOOP\r\n", "SOK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 6, .left = { "NOOP\r\n" } },
	{ "a damaged offer",
	  { "S\"SASL\" \"PLAIN\"\r\n\"starttls\"  \"x\"\r\nOK\r\n", "CAUTHENTICATE \"PLAIN\" \"AGpvZQBzZWNyZXQ=\"\r\n",
	    "SOK\r\n" },
	  .transport = MAIL_STARTTLS_OFFERED_NOT_USED, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, .accepted = true },
	{ "STARTTLS refused with BYE",
	  { OFFER, "CSTARTTLS\r\n", "SBYE\r\n" }, .transport = MAIL_STARTTLS_REFUSED, .refusal = "BYE" },
	{ "only the server is heard", { BARE }, .transport = MAIL_UNKNOWN },
};

static void each_dialogue_gives_its_facts_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
		dialogue_all(&dialogues[i], &watch_sieve);
}

static void only_sieve_is_recognised(void **state)
{
	static const struct {
		const char *first;
		enum watch_match want;
	} cases[] = {
		{ "\"", WATCH_MAYBE }, { "\"IMPLEMENTATION\" \"x\"", WATCH_YES }, { "\"hello\"", WATCH_NO },
		{ "AUTHENTICATE \"PLAIN\"", WATCH_YES }, { "OK\r\n", WATCH_NO }, { "* OK", WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_sieve.recognise(&watch_sieve, bytes_of(cases[i].first, strlen(cases[i].first))) !=
		    cases[i].want)
			fail_msg("%s", cases[i].first);
}

static void garbage_does_no_harm(void **state)
{
	static const char *const words[] = {
		"\"IMPLEMENTATION\" ", "\"", "OK ", "NO ", "\r\n", "{5+}\r\n", "{9}\r\n", "STARTTLS\r\n",
		"AUTHENTICATE \"PLAIN\" ", "\"AGpvZQBzZWNyZXQ=\"\r\n", "AUTHENTICATE \"LOGIN\"\r\n", "BYE\r\n",
	};

	(void)state;
	dialogue_garbage(&watch_sieve, words, sizeof(words) / sizeof(words[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_dialogue_gives_its_facts_however_it_is_cut),
		cmocka_unit_test(only_sieve_is_recognised),
		cmocka_unit_test(garbage_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

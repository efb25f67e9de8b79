/* What is handed on must not show a secret, and must still show what the finding says. */
#include "tests/test.h"

#include "capture/mask.h"

static const struct {
	const char *name, *in, *out;
	bool public;
} dialogues[] = {
	{ "a login keeps its verb", "a1 LOGIN joe secret\r\n", "** LOGIN *** ******\r\n", false },
	{ "a quoted password with spaces goes whole", "a LOGIN \"joe\" \"se cret\"\r\n",
	  "* LOGIN ***** *** *****\r\n", false },
	{ "AUTH PLAIN keeps the mechanism", "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "AUTH PLAIN ****************\r\n", false },
	{ "a SASL answer goes whole", "AGpvZQBzZWNyZXQ=\r\n", "****************\r\n", false },
	{ "PASS keeps the verb", "PASS secret\r\n", "PASS ******\r\n", false },
	{ "a password that is a word", "a LOGIN joe login\r\nPASS pass\r\n", "* LOGIN *** *****\r\nPASS ****\r\n", false },
	{ "a packet that begins inside a password", "cret\r\nSTAT\r\n", "****\r\nSTAT\r\n", false },
	{ "a password without its line end", "PASS sec", "PASS ***", false },
	{ "one byte of a verb says nothing", "P", "*", false },
	{ "a word far behind in a line goes", "a b c d e LOGIN\r\n", "* * * * * *****\r\n", false },
	{ "an offer before the login stays", "250-STARTTLS\r\n250 XXXXXXXA\r\n", "250-STARTTLS\r\n250 XXXXXXXA\r\n", true },
	{ "an offer behind it does not", "250-mx.example\r\n", "**************\r\n", false },
	{ "a greeting stays", "* OK [CAPABILITY IMAP4rev1] hi\r\n", "* OK [CAPABILITY IMAP4rev1] hi\r\n", true },
	{ "a challenge goes also before the login", "334 PDEyMz4=\r\n+ PDEyMz4=\r\n", "*** ********\r\n+ ********\r\n", true },
	{ "mail goes", "Subject: rain\r\n\r\nIt rains.\r\n", "******** ****\r\n\r\n** ******\r\n", false },
	{ "a passphrase of words that are commands", "list the last mail\r\nuser login pass\r\nlogin\r\nplain data\r\n",
	  "**** *** **** ****\r\n**** ***** ****\r\n*****\r\n***** ****\r\n", false },
	{ "and in capitals", "LIST MAIL\r\nDATA STORE\r\nMAIL US\r\nPASS\r\nUSER\r\n",
	  "**** ****\r\n**** *****\r\n**** **\r\n****\r\n****\r\n", false },
	{ "commands of IMAP", "7 UID FETCH 9 (FLAGS)\r\nx.1 NOOP\r\nabcd LOGIN a b\r\n2 authenticate xoauth9 eHl6enk=\r\n",
	  "* UID FETCH * *******\r\n*** NOOP\r\n**** LOGIN * *\r\n* authenticate ******* ********\r\n", false },
	{ "commands of SMTP and POP3", "mail FROM:<a@b>\r\nRCPT TO:<a@b>\r\nTOP 1 0\r\nBDAT 86 LAST\r\nQUIT\r\n",
	  "mail **********\r\nRCPT ********\r\nTOP * *\r\nBDAT ** ****\r\nQUIT\r\n", false },
	{ "answers", "* 12 FETCH (UID 9)\r\n* BYE so long\r\na1 NO [X] no\r\n+OK 12\r\n-ERR no such\r\n",
	  "* ** FETCH **** **\r\n* BYE ** ****\r\n** NO *** **\r\n+OK **\r\n-ERR ** ****\r\n", false },
	{ "nothing", "", "", false },
};

static const struct {
	const char *name, *in, *out;
} requests[] = {
	{ "an address stays, other parameters go",
	  "GET /mail/config-v1.1.xml?emailaddress=joe%40a.example&token=abc HTTP/1.1\r\nHost: a.example\r\nCookie: x\r\n\r\n",
	  "GET /mail/config-v1.1.xml?emailaddress=joe%40a.example&********* HTTP/1.1\r\nHost: a.example\r\n*********\r\n\r\n" },
	{ "authorization goes", "POST /autodiscover HTTP/1.1\r\nAuthorization: Basic YQ==\r\n",
	  "POST /autodiscover HTTP/1.1\r\n*************************\r\n" },
	{ "a packet from the middle goes", "Basic YQ==\r\n", "**********\r\n" },
	{ "a body goes", "HTTP/1.1 200 OK\r\n\r\n<xml>\n", "HTTP/1.1 200 OK\r\n\r\n*****\n" },
};

static const struct {
	const char *name, *in, *out;
} sealed[] = {
	{ "a record stays", "\x17\x03\x03\x02" "abc\r\nSubject: x", "\x17\x03\x03\x02" "abc\r\nSubject: x" },
	{ "the middle of one stays", "\x99\xf3\x01" "abc PASS secret\r\n", "\x99\xf3\x01" "abc PASS secret\r\n" },
	{ "text before a record goes", "a LOGIN joe secret\r\n\x16\x03\x01\x02" "abc", "* LOGIN *** ******\r\n\x16\x03\x01\x02" "abc" },
	{ "text that came again goes", "PASS secret\r\n", "PASS ******\r\n" },
	{ "and lines before what is neither", "PASS secret\r\n\xba\xba\xba\xba\xba\x16\x03\x01", "PASS ******\r\n\xba\xba\xba\xba\xba\x16\x03\x01" },
	{ "before a record that begins", "PASS secret\r\n\x16", "PASS ******\r\n\x16" },
	{ "what is no record is no end of text", "PASS sec\tret\r\n", "PASS *******\r\n" },
};

static size_t differences(const char *in, const char *out)
{
	size_t n = 0;

	for (size_t i = 0; in[i] != '\0'; i++)
		n += in[i] != out[i];
	return n;
}

static void mail_keeps_only_listed_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++) {
		char text[256];
		size_t n = strlen(dialogues[i].in);

		strcpy(text, dialogues[i].in);
		if (mask_mail((uint8_t *)text, n, dialogues[i].public) != differences(dialogues[i].in, dialogues[i].out))
			fail_msg("%s: the bytes counted are not those that changed", dialogues[i].name);
		if (strcmp(text, dialogues[i].out) != 0)
			fail_msg("%s:\n got %s\nwant %s", dialogues[i].name, text, dialogues[i].out);
	}
}

static void http_keeps_the_address_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		char text[256];

		strcpy(text, requests[i].in);
		mask_http((uint8_t *)text, strlen(text));
		if (strcmp(text, requests[i].out) != 0)
			fail_msg("%s:\n got %s\nwant %s", requests[i].name, text, requests[i].out);
	}
}

static void of_a_sealed_connection_only_text_goes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sealed) / sizeof(sealed[0]); i++) {
		char text[256];

		strcpy(text, sealed[i].in);
		if (mask_sealed((uint8_t *)text, strlen(text)) != differences(sealed[i].in, sealed[i].out) ||
		    strcmp(text, sealed[i].out) != 0)
			fail_msg("%s: %s", sealed[i].name, text);
	}
}

/* Wherever a segment begins and ends, no four bytes of the password get through. */
static void no_cut_lets_a_password_through(void **state)
{
	static const char dialogue[] = "a1 LOGIN joe xyzzy-plugh-42\r\nAUTH PLAIN eHl6enktcGx1Z2gtNDI=\r\nPASS xyzzy-plugh-42\r\n"
		"PASS store user list mail data plain\r\na LOGIN {4}\r\njoe {30}\r\nstore user list mail data plain\r\n";
	static const char *const parts[] = { "xyzz", "lugh", "eHl6", "stor", "user", "list", "mail", "data", "plai" };
	size_t n = sizeof(dialogue) - 1;

	(void)state;
	for (size_t from = 0; from < n; from++) {
		for (size_t to = from + 1; to <= n; to++) {
			char text[sizeof(dialogue)] = "";

			memcpy(text, dialogue + from, to - from);
			mask_mail((uint8_t *)text, to - from, false);
			for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
				assert_null(strstr(text, parts[i]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_keeps_only_listed_words),
		cmocka_unit_test(http_keeps_the_address_only),
		cmocka_unit_test(of_a_sealed_connection_only_text_goes),
		cmocka_unit_test(no_cut_lets_a_password_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

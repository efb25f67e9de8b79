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

/* Wherever a segment begins and ends, no four bytes of the password get through. */
static void no_cut_lets_a_password_through(void **state)
{
	static const char dialogue[] = "a1 LOGIN joe xyzzy-plugh-42\r\nAUTH PLAIN eHl6enktcGx1Z2gtNDI=\r\nPASS xyzzy-plugh-42\r\n";
	size_t n = sizeof(dialogue) - 1;

	(void)state;
	for (size_t from = 0; from < n; from++) {
		for (size_t to = from + 1; to <= n; to++) {
			char text[sizeof(dialogue)] = "";

			memcpy(text, dialogue + from, to - from);
			mask_mail((uint8_t *)text, to - from, false);
			assert_null(strstr(text, "xyzz"));
			assert_null(strstr(text, "lugh"));
			assert_null(strstr(text, "eHl6"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_keeps_only_listed_words),
		cmocka_unit_test(http_keeps_the_address_only),
		cmocka_unit_test(no_cut_lets_a_password_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

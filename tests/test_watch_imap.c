#include "tests/dialogue.h"

#define HELLO "S* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n"
#define OFFERED .transport = MAIL_STARTTLS_OFFERED_NOT_USED

#define RECORD "\x16\x03\x01\x01\x01\x01"	/* how a TLS handshake begins */

static const struct dialogue dialogues[] = {
	{ "STARTTLS agreed",
	  { HELLO, "Ca STARTTLS\r\n", "Sa OK go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .letters = "hcTt" },
	{ "bytes behind the agreement and behind the command are left",
	  { HELLO, "Ca STARTTLS\r\nb LOGIN x y\r\n", "Sa OK go\r\nb OK in\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 13,
	  .left = { "b LOGIN x y\r\n", "b OK in\r\n" } },
	{ "another tag does not agree",
	  { HELLO, "Ca STARTTLS\r\n", "Sb OK go\r\n" }, .transport = MAIL_UNKNOWN },
	{ "STARTTLS refused, then login",
	  { HELLO, "Ca STARTTLS\r\n", "Sa NO not now\r\n", "Cb LOGIN \"jo\\\"e\" \"pw 1\"\r\n", "Sb OK\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, "LOGIN", "jo\"e", 4, CREDENTIAL_REUSABLE, true, .letters = "hcTrLy", .refusal = "NO" },
	{ "LOGIN with atoms, refused",
	  { HELLO, "Ca login joe secret\r\n", "Sa NO\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE },
	{ "LOGIN with literals",
	  { HELLO, "Ca LOGIN {3}\r\n", "S+ go\r\n", "Cjoe {6}\r\n", "S+ go\r\n", "Cse\r\net\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "LOGIN with literals without waiting",
	  { HELLO, "Ca LOGIN {3+}\r\njoe {6+}\r\nsecret\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "an atom and a literal",
	  { HELLO, "Ca LOGIN joe {6}\r\n", "S+\r\n", "Csecret\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "a refused literal does not come",
	  { HELLO, "Ca LOGIN {3}\r\n", "Sa NO\r\n", "Cb LOGIN joe secret\r\n", "Sb OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "AUTHENTICATE PLAIN with initial response",
	  { HELLO, "Ca AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n", "Sa OK [CAPABILITY IMAP4rev1] in\r\n" },
	  OFFERED, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "AUTHENTICATE PLAIN with continuation",
	  { HELLO, "Ca authenticate plain\r\n", "S+ \r\n", "CAGpvZQBzZWNyZXQ=\r\n", "Sa OK\r\n" },
	  OFFERED, "PLAIN", "joe", 6, CREDENTIAL_REUSABLE, true, .letters = "hcAsSy" },
	{ "AUTHENTICATE LOGIN",
	  { HELLO, "Ca AUTHENTICATE LOGIN\r\n", "S+ VXNlcm5hbWU6\r\n", "Cam9l\r\n", "S+ UGFzc3dvcmQ6\r\n",
	    "Cc2VjcmV0\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "a refused mechanism leaves commands to be read",
	  { HELLO, "Ca AUTHENTICATE GSSAPI\r\n", "Sa NO\r\n", "Cb LOGIN joe secret\r\n", "Sb OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "XOAUTH2",
	  { HELLO, "Ca AUTHENTICATE XOAUTH2 dXNlcj1qb2UBYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n", "Sa OK\r\n" },
	  OFFERED, "XOAUTH2", "joe", 5, CREDENTIAL_REUSABLE, true },
	{ "OAUTHBEARER",
	  { HELLO, "Ca AUTHENTICATE OAUTHBEARER bixhPWpvZSwBaG9zdD1tAWF1dGg9QmVhcmVyIHRva2VuAQE=\r\n",
	    "Sa OK\r\n" },
	  OFFERED, "OAUTHBEARER", "joe", 5, CREDENTIAL_REUSABLE, true },
	{ "CRAM-MD5",
	  { HELLO, "Ca AUTHENTICATE CRAM-MD5\r\n", "S+ PDFAbT4=\r\n",
	    "Cam9lIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm\r\n", "Sa OK\r\n" },
	  OFFERED, "CRAM-MD5", "joe", 32, CREDENTIAL_GUESSABLE, true },
	{ "DIGEST-MD5",
	  { HELLO, "Ca AUTHENTICATE DIGEST-MD5\r\n", "S+ cmVhbG09Im0i\r\n",
	    "CdXNlcm5hbWU9ImpvZSIscmVhbG09Im0iLHJlc3BvbnNlPWFiY2RlZg==\r\n", "S+ cnNwYXV0aD14\r\n", "C\r\n",
	    "Sa OK\r\n" },
	  OFFERED, "DIGEST-MD5", "joe", 6, CREDENTIAL_GUESSABLE, true },
	{ "SCRAM is a credential with the proof",
	  { HELLO, "Ca AUTHENTICATE SCRAM-SHA-256 biwsbj1qb2Uscj1hYmM=\r\n", "S+ cj1hYmNkZWYscz1RUT09LGk9NDA5Ng==\r\n",
	    "CYz1iaXdzLHI9YWJjZGVmLHA9cHJvb2Y=\r\n", "S+ dj14\r\n", "C\r\n", "Sa OK\r\n" },
	  OFFERED, "SCRAM-SHA-256", "joe", 5, CREDENTIAL_HARDENED, true },
	{ "EXTERNAL shows no credential",
	  { HELLO, "Ca AUTHENTICATE EXTERNAL =\r\n", "Sa OK\r\n" },
	  OFFERED, "EXTERNAL", .accepted = true },
	{ "a given-up exchange shows none",
	  { HELLO, "Ca AUTHENTICATE PLAIN\r\n", "S+\r\n", "C*\r\n", "Sa BAD\r\n" }, OFFERED },
	{ "the greeting has no list: nothing is known of offers",
	  { "S* OK hello\r\n", "Ca LOGIN joe secret\r\n", "Sa OK\r\n" },
	  .transport = MAIL_UNKNOWN, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "no offer in a whole list",
	  { "S* OK hello\r\n", "Ca CAPABILITY\r\n", "S* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na OK\r\n",
	    "Cb LOGIN joe secret\r\n", "Sb OK\r\n" },
	  .transport = MAIL_PLAINTEXT, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "the list behind a login says nothing of STARTTLS",
	  { "S* OK hello\r\n", "Ca LOGIN joe secret\r\n", "S* CAPABILITY IMAP4rev1 IDLE\r\na OK in\r\n",
	    "Cb CAPABILITY\r\n", "S* CAPABILITY IMAP4rev1 IDLE\r\nb OK\r\n" },
	  .transport = MAIL_UNKNOWN, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "an offer behind a login is none",
	  { "S* OK hello\r\n", "Ca LOGIN joe secret\r\n", "Sa OK [CAPABILITY IMAP4rev1 STARTTLS] in\r\n" },
	  .transport = MAIL_UNKNOWN, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "keyword overwritten on the path",
	  { "S* OK [CAPABILITY IMAP4rev1 XXXXXXXX AUTH=PLAIN] hi\r\n", "Ca LOGIN joe secret\r\n", "Sa OK\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true, .signature = "masked-keyword" },
	{ "a list that leaves nothing to do was edited",
	  { "S* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", "Ca LOGOUT\r\n" },
	  .transport = MAIL_STARTTLS_STRIPPED, .signature = "edited-list", .login_disabled = true },
	{ "an offer that nobody takes up before quitting",
	  { HELLO, "Ca LOGOUT\r\n", "S* BYE\r\na OK\r\n" }, .transport = MAIL_UNKNOWN },
	{ "PREAUTH",
	  { "S* PREAUTH [CAPABILITY IMAP4rev1] in\r\n", "Ca SELECT INBOX\r\n", "Sa OK\r\n" },
	  .transport = MAIL_PLAINTEXT },
	{ "a fetched message is not read as responses",
	  { HELLO, "C1 LOGIN joe secret\r\n", "S1 OK\r\n", "C2 FETCH 1 BODY[]\r\n",
	    "S* 1 FETCH (BODY[] {20}\r\n* BYE\r\nx STARTTLS\r\n)\r\n2 OK\r\n", "C3 LOGOUT\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true, true },
	{ "flags are no message",
	  { HELLO, "C1 LOGIN joe secret\r\n", "S1 OK\r\n", "C2 FETCH 1 FLAGS\r\n",
	    "S* 1 FETCH (FLAGS (\\Seen) RFC822.SIZE 10)\r\n2 OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "an appended message is not read as commands",
	  { HELLO, "C1 APPEND INBOX {21}\r\n", "S+ go\r\n", "Ca LOGIN joe secret\r\n\r\n\r\n", "S1 OK\r\n" },
	  .transport = MAIL_UNKNOWN, .moved = true },
	{ "the text of a status does not announce a literal",
	  { "S* OK hello {30}\r\n", "Ca CAPABILITY\r\n", "S* CAPABILITY IMAP4rev1\r\na OK\r\n" },
	  .transport = MAIL_PLAINTEXT },
	{ "COMPRESS ends the reading",
	  { HELLO, "Ca LOGIN joe secret\r\n", "Sa OK\r\n", "Cb COMPRESS DEFLATE\r\n", "Sb OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true, .answer = WATCH_DONE, .compressed = true },
	{ "a credential that was accepted stays",
	  { HELLO, "Ca LOGIN joe secret\r\n", "Sa OK\r\n", "Cb LOGIN eve other\r\n", "Sb BAD\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "a session whose begin was not seen",
	  { "Ca7 LOGIN joe secret\r\n", "Sa7 OK\r\n" },
	  .transport = MAIL_UNKNOWN, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "a client that does not wait to begin TLS injects nothing",
	  { HELLO, "Ca STARTTLS\r\n" RECORD, "Sa OK go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .left = { RECORD } },
	{ "a command in a segment of its own before the agreement is injected",
	  { HELLO, "Ca STARTTLS\r\n", "Cb NOOP\r\n", "Sa OK go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 8, .left = { "b NOOP\r\n" } },
	{ "a command before the begin of TLS is injected",
	  { HELLO, "Ca STARTTLS\r\nb NOOP\r\n\x16\n" RECORD, "Sa OK go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .injected = 10,
	  .left = { "b NOOP\r\n\x16\n" RECORD } },
	{ "what is neither text nor TLS is not injected",
	  { HELLO, "Ca STARTTLS\r\n\x80\x2e\x01\x03\x01", "Sa OK go\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .left = { "\x80\x2e\x01\x03\x01" } },
	{ "a command behind a refused STARTTLS is not injected",
	  { HELLO, "Ca STARTTLS\r\nb NOOP\r\n", "Sa bad no\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "BAD", .left = { "b NOOP\r\n" } },
	{ "STARTTLS refused with BYE",
	  { HELLO, "Ca STARTTLS\r\n", "S* BYE not here\r\n" },
	  .transport = MAIL_STARTTLS_REFUSED, .refusal = "BYE", .letters = "hcTqr" },
	{ "STARTTLS refused, then agreed",
	  { HELLO, "Ca STARTTLS\r\n", "Sa NO\r\n", "Cb STARTTLS\r\n", "Sb OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .refusal = "NO",
	  .passes = 1u << MAIL_STARTTLS_REFUSED },
	{ "a login that fails, then STARTTLS",
	  { HELLO, "Ca LOGIN joe secret\r\n", "Sa NO\r\n", "Cb STARTTLS\r\n", "Sb OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, .answer = WATCH_TLS,
	  .passes = 1u << MAIL_STARTTLS_OFFERED_NOT_USED },
	{ "STARTTLS agreed that no list offers",
	  { "S* OK [CAPABILITY IMAP4rev1] hi\r\n", "Ca STARTTLS\r\n", "Sa OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .passes = 1u << MAIL_PLAINTEXT },
	{ "an offer between odd blanks",
	  { "S* OK [CAPABILITY IMAP4rev1 \tstarttls  AUTH=PLAIN] hi\r\n", "Ca LOGIN joe secret\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "a login although the list forbids it",
	  { "S* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n", "Ca LOGIN joe secret\r\n", "Sa NO\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, .login_disabled = true },
	{ "a list with nothing to do, then one with STARTTLS, was not edited",
	  { "S* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", "Ca CAPABILITY\r\n",
	    "S* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na OK\r\n", "Cb STARTTLS\r\n", "Sb OK\r\n" },
	  .transport = MAIL_STARTTLS_USED, .answer = WATCH_TLS, .login_disabled = true,
	  .passes = 1u << MAIL_STARTTLS_STRIPPED },
	{ "a refused COMPRESS",
	  { HELLO, "Ca COMPRESS DEFLATE\r\n", "Sa NO\r\n", "Cb LOGIN joe secret\r\n", "Sb OK\r\n" },
	  OFFERED, "LOGIN", "joe", 6, CREDENTIAL_REUSABLE, true },
	{ "only the server is heard",
	  { "S* OK [CAPABILITY IMAP4rev1] hi\r\n" }, .transport = MAIL_UNKNOWN },
	{ "PREAUTH, and STARTTLS is offered",
	  { "S* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] in\r\n", "Ca SELECT INBOX\r\n", "Sa OK\r\n" }, OFFERED },
	{ "PREAUTH without a list", { "S* PREAUTH in\r\n", "Ca SELECT INBOX\r\n" }, .transport = MAIL_UNKNOWN },
	{ "LOGIN with name and password swapped",
	  { HELLO, "Ca LOGIN secret \"joe@example.org\"\r\n", "Sa NO\r\n" },
	  OFFERED, "LOGIN", "", 15, CREDENTIAL_REUSABLE },
	{ "LOGIN with name and password swapped, as literals",
	  { HELLO, "Ca LOGIN {6+}\r\nsecret {15+}\r\njoe@example.org\r\n", "Sa NO\r\n" },
	  OFFERED, "LOGIN", "", 15, CREDENTIAL_REUSABLE },
	{ "LOGIN with an empty name and one blank more",
	  { HELLO, "Ca LOGIN  \"\" secret\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "", 6, CREDENTIAL_REUSABLE, true },
	{ "foreign and control characters in a name",
	  { HELLO, "Ca LOGIN \"j\xc3\xb6\x1f\xc2\x9b\xe2\x82\xac\" secret\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "j\xc3\xb6\xe2\x82\xac", 6, CREDENTIAL_REUSABLE, true },
	{ "foreign and control characters in a name that is a literal",
	  { HELLO, "Ca LOGIN {9+}\r\nj\xc3\xb6\x1f\xc2\x9b\xe2\x82\xac secret\r\n", "Sa OK\r\n" },
	  OFFERED, "LOGIN", "j\xc3\xb6\xe2\x82\xac", 6, CREDENTIAL_REUSABLE, true },
};

static void each_dialogue_gives_its_facts_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
		dialogue_all(&dialogues[i], &watch_imap);
}

static void the_client_names_itself(void **state)
{
	static const struct dialogue d = {
		"ID", { HELLO, "Ca ID (\"name\" \"Microsoft Office 365\" \"version\" \"15.20\")\r\n",
			"S* ID NIL\r\na OK\r\n" }, .transport = MAIL_UNKNOWN,
	};
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	dialogue_all(&d, &watch_imap);
	dialogue_play(run, &d, &watch_imap, dialogue_len(&d), 0, false);
	assert_string_equal(run->facts.mail.client_id, "name=Microsoft Office 365; version=15.20");
	assert_string_equal(run->facts.mail.banner, "ready");
	dialogue_end(run);
	free(run);
}

static void held_client_bytes_are_read_after_a_refusal(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	static const char ask[] = "a STARTTLS\r\nb LOGIN joe secret\r\n", refuse[] = "a NO\r\nb OK\r\n";

	(void)state;
	dialogue_begin(run, &watch_imap);
	dialogue_feed(run, 0, ask, sizeof(ask) - 1, 1);
	assert_int_equal(run->pending_len[0], 20);
	assert_int_equal(run->facts.mail.credential, CREDENTIAL_NONE);
	dialogue_feed(run, 1, refuse, 6, 2);
	dialogue_offer(run, 0, 3);
	assert_int_equal(run->facts.mail.credential, CREDENTIAL_REUSABLE);
	assert_int_equal(run->facts.mail.credential_frame, 3);
	assert_int_equal(run->facts.mail.injected[0], 0);
	dialogue_feed(run, 1, refuse + 6, 6, 4);
	assert_true(run->facts.mail.accepted);
	dialogue_end(run);
	free(run);
}

static void a_gap_forgets_no_credential(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	static const char login[] = "a1 LOGIN joe secret\r\n";

	(void)state;
	dialogue_begin(run, &watch_imap);
	dialogue_feed(run, 0, login, sizeof(login) - 1, 5);
	assert_int_equal(watch_imap.gap(run->state, SIDE_RESPONDER, &run->facts), WATCH_MORE);
	assert_int_equal(watch_imap.gap(run->state, SIDE_ORIGINATOR, &run->facts), WATCH_DONE);
	assert_int_equal(run->facts.mail.credential, CREDENTIAL_REUSABLE);
	assert_int_equal(run->facts.mail.transport, MAIL_UNKNOWN);
	assert_string_equal(run->facts.mail.dialogue, "LgG");
	dialogue_end(run);
	free(run);
}

static void a_login_cut_by_a_gap_was_sent_all_the_same(void **state)
{
	static const struct {
		const char *begin, *mechanism, *account;
	} cases[] = {
		{ "1 LOGIN \"joe@exam", "LOGIN", "" },
		{ "1 LOGIN \"joe\" sec", "LOGIN", "joe" },
		{ "1 LOGIN jo", "LOGIN", "" },
		{ "1 LOGIN {8}", "", "" },
		{ "1 LOGIN joe sec", "LOGIN", "joe" },
		{ "1 AUTHENTICATE PLAIN AGpv", "PLAIN", "" },
		{ "1 AUTHENTICATE PLAIN", "", "" },
		{ "1 AUTHENTICATE CRAM-MD5 AGpv", "", "" },
		{ "1 LOGIN ", "", "" },
		{ "1 SELECT LOGIN x", "", "" },
	};
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialogue_begin(run, &watch_imap);
		dialogue_feed(run, 1, "* OK hi\r\n", 9, 1);
		dialogue_feed(run, 0, cases[i].begin, strlen(cases[i].begin), 2);
		assert_int_equal(run->facts.mail.credential, CREDENTIAL_NONE);
		assert_int_equal(watch_imap.gap(run->state, SIDE_ORIGINATOR, &run->facts), WATCH_DONE);
		assert_string_equal(run->facts.mail.mechanism, cases[i].mechanism);
		assert_string_equal(run->facts.mail.account, cases[i].account);
		assert_int_equal(run->facts.mail.secret_len, 0);
		assert_int_equal(run->facts.mail.credential,
				 cases[i].mechanism[0] ? CREDENTIAL_REUSABLE : CREDENTIAL_NONE);
		assert_int_equal(run->facts.mail.credential_frame, cases[i].mechanism[0] ? 2 : 0);
		dialogue_end(run);
	}
	free(run);
}

static void a_password_cut_by_a_gap_behind_a_literal_was_sent_all_the_same(void **state)
{
	static const struct {
		const char *begin;
		bool want;
	} cases[] = {
		{ "1 LOGIN {3+}\r\njoe {6+}\r\nsec", true }, { "1 LOGIN {3+}\r\njoe sec", true },
		{ "1 LOGIN joe {6+}\r\n sec", true }, { "1 LOGIN {3+}\r\njoe {6", false },
		{ "1 LOGIN {3+}\r\njoe ", false }, { "1 LOGIN joe {6+}\r\n", false }, { "1 LOGIN {3+}\r\njo", false },
		{ "1 APPEND x {6+}\r\nsec", false },
	};
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialogue_begin(run, &watch_imap);
		dialogue_feed(run, 1, "* OK hi\r\n", 9, 1);
		dialogue_feed(run, 0, cases[i].begin, strlen(cases[i].begin), 2);
		assert_int_equal(watch_imap.gap(run->state, SIDE_ORIGINATOR, &run->facts), WATCH_DONE);
		if (run->facts.mail.credential != (cases[i].want ? CREDENTIAL_REUSABLE : CREDENTIAL_NONE))
			fail_msg("%s", cases[i].begin);
		assert_string_equal(run->facts.mail.account, cases[i].want ? "joe" : "");
		dialogue_end(run);
	}
	free(run);
}

static void a_line_over_the_limit_ends_the_reading(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	static char text[13000];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "a1 LOGIN ", 9);
	dialogue_begin(run, &watch_imap);
	dialogue_feed(run, 0, text, sizeof(text), 1);
	assert_int_equal(run->answer, WATCH_DONE);
	assert_int_equal(run->facts.mail.transport, MAIL_UNKNOWN);
	dialogue_end(run);

	memcpy(text + 20, " x", 2);
	text[sizeof(text) - 1] = '\n';
	dialogue_begin(run, &watch_imap);
	dialogue_feed(run, 0, text, sizeof(text), 1);
	assert_int_equal(run->answer, WATCH_DONE);
	assert_int_equal(run->facts.mail.credential, CREDENTIAL_NONE);
	dialogue_end(run);
	free(run);
}

static void after_an_unseen_answer_to_starttls_nothing_is_read(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	dialogue_begin(run, &watch_imap);
	dialogue_feed(run, 0, "a1 STARTTLS\r\n", 13, 1);
	assert_int_equal(watch_imap.gap(run->state, SIDE_RESPONDER, &run->facts), WATCH_DONE);
	assert_int_equal(run->facts.mail.transport, MAIL_UNKNOWN);
	dialogue_end(run);
	free(run);
}

/* The state and the facts hold the secret of no dialogue, in clear or in base64. */
static void no_secret_is_kept(void **state)
{
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++) {
		dialogue_play(run, &dialogues[i], &watch_imap, dialogue_len(&dialogues[i]), 0, true);
		assert_null(memmem(run->state, watch_imap.size, "secret", 6));
		assert_null(memmem(run->state, watch_imap.size, "c2VjcmV0", 8));
		assert_null(memmem(&run->facts, sizeof(run->facts), "secret", 6));
		assert_null(memmem(&run->facts, sizeof(run->facts), "BzZWNyZX", 8));
		dialogue_end(run);
	}
	free(run);
}

static void only_imap_is_recognised(void **state)
{
	static const struct {
		const char *first;
		enum watch_match want;
	} cases[] = {
		{ "", WATCH_MAYBE }, { "*", WATCH_MAYBE }, { "* O", WATCH_MAYBE }, { "* OK hi\r\n", WATCH_YES },
		{ "* PREAUTH x", WATCH_YES }, { "* BYE x", WATCH_YES }, { "* 12 FETCH (", WATCH_YES },
		{ "* 12 EXISTS\r\n", WATCH_YES }, { "* hello world", WATCH_NO }, { "a", WATCH_MAYBE },
		{ "a001 LOGIN joe", WATCH_YES }, { "a NOOP\r\n", WATCH_YES }, { "a001 LOG", WATCH_MAYBE },
		{ "USER list\r\n", WATCH_NO }, { "GET / HTTP/1.1\r\n", WATCH_NO }, { "220 mail ESMTP", WATCH_NO },
		{ "+OK hi\r\n", WATCH_NO }, { "a1 HELLO\r\n", WATCH_NO }, { "\x16\x03\x01", WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (watch_imap.recognise(&watch_imap, bytes_of(cases[i].first, strlen(cases[i].first))) !=
		    cases[i].want)
			fail_msg("%s", cases[i].first);
}

static void garbage_does_no_harm(void **state)
{
	static const char *const words[] = {
		"* OK ", "a ", "LOGIN ", "AUTHENTICATE PLAIN", "{5}\r\n", "{3+}", "\"", "\\", "* 1 FETCH (BODY[] {9}",
		"+ ", "\r\n", "STARTTLS\r\n", "a NO\r\n", "AGpvZQBzZWNyZXQ=", "ID (", "[CAPABILITY ", "]", "~{",
	};

	(void)state;
	dialogue_garbage(&watch_imap, words, sizeof(words) / sizeof(words[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_dialogue_gives_its_facts_however_it_is_cut),
		cmocka_unit_test(the_client_names_itself),
		cmocka_unit_test(held_client_bytes_are_read_after_a_refusal),
		cmocka_unit_test(a_gap_forgets_no_credential),
		cmocka_unit_test(a_login_cut_by_a_gap_was_sent_all_the_same),
		cmocka_unit_test(a_password_cut_by_a_gap_behind_a_literal_was_sent_all_the_same),
		cmocka_unit_test(a_line_over_the_limit_ends_the_reading),
		cmocka_unit_test(after_an_unseen_answer_to_starttls_nothing_is_read),
		cmocka_unit_test(no_secret_is_kept),
		cmocka_unit_test(only_imap_is_recognised),
		cmocka_unit_test(garbage_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Each mechanism in each protocol, with and without an initial response. */
#include "tests/dialogue.h"

#include <openssl/evp.h>

#define PROTOCOLS 4
#define SAY(text) { text, sizeof(text) - 1 }
#define REUSABLE CREDENTIAL_REUSABLE
#define GUESSABLE CREDENTIAL_GUESSABLE
#define HARDENED CREDENTIAL_HARDENED

/* How the protocols put a login; %s is a mechanism, a challenge, a response. */
static const struct frame {
	const struct watch *watch;
	const char *begin[5], *ask, *ask_with, *challenge, *response, *accept, *refuse, *empty, *give_up;
} frames[PROTOCOLS] = {
	{ &watch_imap, { "S* OK [CAPABILITY IMAP4rev1] ready\r\n" }, "Ca AUTHENTICATE %s\r\n",
	  "Ca AUTHENTICATE %s %s\r\n", "S+ %s\r\n", "C%s\r\n", "Sa OK in\r\n", "Sa NO\r\n", "=", "C*\r\n" },
	{ &watch_pop3, { "S+OK ready\r\n", "CCAPA\r\n", "S+OK\r\nTOP\r\n.\r\n" }, "CAUTH %s\r\n", "CAUTH %s %s\r\n",
	  "S+ %s\r\n", "C%s\r\n", "S+OK in\r\n", "S-ERR\r\n", "=", "C*\r\n" },
	{ &watch_smtp, { "S220 mx ESMTP\r\n", "CEHLO pc\r\n", "S250-mx\r\n250 SIZE\r\n" }, "CAUTH %s\r\n",
	  "CAUTH %s %s\r\n", "S334 %s\r\n", "C%s\r\n", "S235 in\r\n", "S535 no\r\n", "=", "C*\r\n" },
	{ &watch_sieve, { "S\"IMPLEMENTATION\" \"x\"\r\nOK\r\n" }, "CAUTHENTICATE \"%s\"\r\n",
	  "CAUTHENTICATE \"%s\" \"%s\"\r\n", "S\"%s\"\r\n", "C\"%s\"\r\n", "SOK\r\n", "SNO\r\n", "", "C\"*\"\r\n" },
};

struct said {
	const char *text;
	size_t len;
};

static const struct sasl_case {
	const char *name, *mechanism;
	bool server_first;		/* there is no initial response */
	const char *challenges[4];	/* before each response; NULL is none */
	struct said responses[4];
	const char *shown, *account;	/* mechanism as it is recorded; NULL: nothing is */
	uint32_t secret_len;
	enum mail_credential credential;
	bool refused;
} cases[] = {
	{ "PLAIN", "PLAIN", .responses = { SAY("\0joe\0secret") },
	  .shown = "PLAIN", "joe", 6, REUSABLE },
	{ "lower case, and refused", "plain", .responses = { SAY("\0joe\0secret") },
	  .shown = "PLAIN", "joe", 6, REUSABLE, .refused = true },
	{ "PLAIN without a name", "PLAIN", .responses = { SAY("\0\0secret") },
	  .shown = "PLAIN", "", 6, REUSABLE },
	{ "PLAIN without its first field", "PLAIN", .responses = { SAY("joe\0secret") },
	  .shown = NULL, .refused = true },
	{ "PLAIN with foreign and control characters in the name", "PLAIN",
	  .responses = { SAY("\0j\xc3\xb6\x1f\xc2\x9b\xe2\x82\xac\0secret") },
	  .shown = "PLAIN", "j\xc3\xb6\xe2\x82\xac", 6, REUSABLE },
	{ "PLAIN with name and password swapped", "PLAIN", .responses = { SAY("\0secret\0joe@example.org") },
	  .shown = "PLAIN", "", 15, REUSABLE, .refused = true },
	{ "LOGIN", "LOGIN", .challenges = { "User Name", "Password" }, .responses = { SAY("joe"), SAY("secret") },
	  .shown = "LOGIN", "joe", 6, REUSABLE },
	{ "LOGIN with prompts that say nothing", "LOGIN", .challenges = { "?", "?" },
	  .responses = { SAY("joe"), SAY("secret") },
	  .shown = "LOGIN", "joe", 6, REUSABLE },
	{ "LOGIN without a name", "LOGIN", .server_first = true, .challenges = { "Username:", "Password:" },
	  .responses = { SAY(""), SAY("secret") },
	  .shown = "LOGIN", "", 6, REUSABLE },
	{ "LOGIN whose server asks for the password first", "LOGIN", .server_first = true,
	  .challenges = { "Password:" }, .responses = { SAY("secret") },
	  .shown = "LOGIN", "", 6, REUSABLE },
	{ "LOGIN whose server asks for the name twice", "LOGIN",
	  .challenges = { "Username:", "Username:", "Password:" },
	  .responses = { SAY("joe"), SAY("joe"), SAY("secret") },
	  .shown = "LOGIN", "joe", 6, REUSABLE },
	{ "LOGIN with name and password swapped", "LOGIN", .challenges = { "Username:", "Password:" },
	  .responses = { SAY("secret"), SAY("joe@example.org") },
	  .shown = "LOGIN", "", 15, REUSABLE, .refused = true },
	{ "XOAUTH2", "XOAUTH2", .responses = { SAY("user=joe@example.org\1auth=Bearer token\1\1") },
	  .shown = "XOAUTH2", "joe@example.org", 5, REUSABLE },
	{ "XOAUTH2, refused with a reason", "XOAUTH2", .challenges = { "", "{\"status\":\"401\"}" },
	  .responses = { SAY("user=joe\1auth=Bearer token\1\1"), SAY("") },
	  .shown = "XOAUTH2", "joe", 5, REUSABLE, .refused = true },
	{ "XOAUTH2 without its end", "XOAUTH2", .responses = { SAY("user=joe\1auth=Bearer token") },
	  .shown = "XOAUTH2", "joe", 5, REUSABLE },
	{ "OAUTHBEARER", "OAUTHBEARER",
	  .responses = { SAY("n,a=jo=2Ce=3Df,\1host=mx\1port=143\1auth=Bearer token\1\1") },
	  .shown = "OAUTHBEARER", "jo,e=f", 5, REUSABLE },
	{ "CRAM-MD5", "CRAM-MD5", .server_first = true, .challenges = { "<1@mx>" },
	  .responses = { SAY("joe 0123456789abcdef0123456789ABCDEF") },
	  .shown = "CRAM-MD5", "joe", 32, GUESSABLE },
	{ "CRAM-MD5 with something else than a digest", "CRAM-MD5", .server_first = true,
	  .challenges = { "<1@mx>" }, .responses = { SAY("joe secret") }, .shown = NULL, .refused = true },
	{ "DIGEST-MD5", "DIGEST-MD5", .server_first = true, .challenges = { "realm=\"m\"", "rspauth=x" },
	  .responses = { SAY("username=\"joe\",realm=\"m\",nonce=\"a,b\",response=0123456789abcdef,qop=auth"),
			 SAY("") },
	  .shown = "DIGEST-MD5", "joe", 16, GUESSABLE },
	{ "NTLM", "NTLM", .challenges = { "", "NTLMSSP" },
	  .responses = { SAY("NTLMSSP\0\1\0\0\0\7\x82\b\0"),
			 SAY("NTLMSSP\0\3\0\0\0" "\0\0\0\0\0\0\0\0" "\x18\0\x18\0\x4a\0\0\0" "\0\0\0\0\0\0\0\0"
			     "\x0a\0\x0a\0\x40\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "\1\0\0\0"
			     "j\0\xf6\0\xac\x20\x3d\xd8\0\xde" "xxxxxxxxxxxxxxxxxxxxxxxx") },
	  .shown = "NTLM", "j\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80", 24, GUESSABLE },
	{ "NTLM with half a character", "NTLM", .challenges = { "", "NTLMSSP" },
	  .responses = { SAY("NTLMSSP\0\1\0\0\0\7\x82\b\0"),
			 SAY("NTLMSSP\0\3\0\0\0" "\0\0\0\0\0\0\0\0" "\1\0\1\0\x44\0\0\0" "\0\0\0\0\0\0\0\0"
			     "\4\0\4\0\x40\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "\1\0\0\0"
			     "\x3d\xd8j\0" "x") },
	  .shown = "NTLM", "?j", 1, GUESSABLE },
	{ "SCRAM-SHA-1", "SCRAM-SHA-1", .challenges = { "", "r=ab,s=c2FsdA==,i=4096", "v=x" },
	  .responses = { SAY("n,,n=joe,r=a"), SAY("c=biws,r=ab,p=proof"), SAY("") },
	  .shown = "SCRAM-SHA-1", "joe", 5, HARDENED },
	{ "SCRAM with channel binding and another to act for", "SCRAM-SHA-256-PLUS",
	  .challenges = { "", "r=ab,s=c2FsdA==,i=4096" },
	  .responses = { SAY("p=tls-exporter,a=boss,n=jo=2Ce=3Df,r=a"), SAY("c=cD10bHM=,r=ab,p=proof") },
	  .shown = "SCRAM-SHA-256-PLUS", "jo,e=f", 5, HARDENED },
	{ "ANONYMOUS", "ANONYMOUS", .responses = { SAY("joe@example.org") }, .shown = "ANONYMOUS", "" },
	{ "EXTERNAL", "EXTERNAL", .responses = { SAY("") }, .shown = "EXTERNAL", "" },
	{ "GSSAPI", "GSSAPI", .challenges = { "", "\x60\x10", "x" },
	  .responses = { SAY("\x60\x82\1\0secret"), SAY(""), SAY("\1\2\3\4") }, .shown = "GSSAPI", "" },
	{ "EXTERNAL, refused", "EXTERNAL", .responses = { SAY("") }, .shown = NULL, .refused = true },
};

struct turns {
	struct dialogue d;
	size_t count;
	char texts[DIALOGUE_TURNS][512];
};

static void add_turn(struct turns *t, const char *format, const char *one, const char *two)
{
	assert_true(t->count < DIALOGUE_TURNS);
	/* The formats are those of `frames`. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(t->texts[t->count], sizeof(t->texts[0]), format, one, two);
#pragma GCC diagnostic pop
	t->d.turns[t->count] = t->texts[t->count];
	t->count++;
}

static void base64(const void *text, size_t len, char out[400])
{
	assert_true(len < 300);
	out[EVP_EncodeBlock((unsigned char *)out, text, (int)len)] = '\0';
}

static void build(struct turns *t, const struct frame *f, const struct sasl_case *c, bool initial)
{
	char text[400];

	memset(t, 0, sizeof(*t));
	t->d.name = c->name;
	for (size_t i = 0; f->begin[i] != NULL; i++)
		add_turn(t, f->begin[i], "", "");
	base64(c->responses[0].text, c->responses[0].len, text);
	add_turn(t, initial ? f->ask_with : f->ask, c->mechanism, text[0] != '\0' ? text : f->empty);
	for (size_t i = initial; i < 4 && c->responses[i].text != NULL; i++) {
		const char *challenge = c->challenges[i] == NULL ? "" : c->challenges[i];

		base64(challenge, strlen(challenge), text);
		add_turn(t, f->challenge, text, "");
		base64(c->responses[i].text, c->responses[i].len, text);
		add_turn(t, f->response, text, "");
	}
	add_turn(t, c->refused ? f->refuse : f->accept, "", "");
	t->d.transport = MAIL_PLAINTEXT;
	t->d.mechanism = c->shown;
	t->d.account = c->account;
	t->d.secret_len = c->secret_len;
	t->d.credential = c->credential;
	t->d.accepted = !c->refused;
}

static void each_mechanism_shows_the_same_in_each_protocol(void **state)
{
	struct turns *t = malloc(sizeof(*t));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t p = 0; p < PROTOCOLS; p++)
			for (int initial = 0; initial <= !cases[i].server_first; initial++) {
				build(t, &frames[p], &cases[i], initial);
				dialogue_all(&t->d, frames[p].watch);
			}
	free(t);
}

static void a_mechanism_given_up_leaves_commands_to_be_read(void **state)
{
	struct turns *t = malloc(sizeof(*t));
	static const struct sasl_case plain = {
		"another mechanism", "PLAIN", .responses = { SAY("\0joe\0secret") },
		.shown = "PLAIN", "joe", 6, REUSABLE,
	};

	(void)state;
	for (size_t p = 0; p < PROTOCOLS; p++) {
		const struct frame *f = &frames[p];
		struct turns *late = malloc(sizeof(*late));

		build(late, f, &plain, true);
		*t = *late;
		t->count = 0;
		for (size_t i = 0; f->begin[i] != NULL; i++)
			add_turn(t, f->begin[i], "", "");
		add_turn(t, f->ask, "CRAM-MD5", "");
		add_turn(t, f->challenge, "PDFAbXg+", "");
		add_turn(t, f->give_up, "", "");
		add_turn(t, f->refuse, "", "");
		add_turn(t, f->ask_with, "PLAIN", "AGpvZQBzZWNyZXQ=");
		add_turn(t, f->accept, "", "");
		dialogue_all(&t->d, f->watch);
		/* The answer to giving up comes behind the next command. */
		t->count -= 3;
		add_turn(t, f->watch == &watch_imap ? "Cb AUTHENTICATE %s %s\r\n" : f->ask_with, "PLAIN",
			 "AGpvZQBzZWNyZXQ=");
		add_turn(t, f->refuse, "", "");
		add_turn(t, f->watch == &watch_imap ? "Sb OK\r\n" : f->accept, "", "");
		dialogue_all(&t->d, f->watch);
		free(late);
	}
	free(t);
}

/* The rest of the line went over the wire; it was not captured. */
static void a_response_cut_by_a_gap_was_sent_all_the_same(void **state)
{
	static const struct {
		const char *mechanism, *challenge, *name, *prompt, *begin;
		bool want;
	} gaps[] = {
		{ "PLAIN", "", NULL, NULL, "AGpv", true }, { "XOAUTH2", "", NULL, NULL, "dXNl", true },
		{ "LOGIN", "VXNlcm5hbWU6", NULL, NULL, "am9", false },
		{ "LOGIN", "VXNlcm5hbWU6", "am9l", "UGFzc3dvcmQ6", "c2Vj", true },
		{ "LOGIN", "UGFzc3dvcmQ6", NULL, NULL, "c2Vj", true },
		{ "CRAM-MD5", "PDFAbXg+", NULL, NULL, "am9lIDAx", false }, { "PLAIN", "", NULL, NULL, "*", false },
		{ "PLAIN", "", NULL, NULL, "", false },
	};
	struct turns *t = malloc(sizeof(*t));
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		for (size_t p = 0; p < PROTOCOLS; p++) {
			const struct frame *f = &frames[p];
			size_t whole;

			memset(t, 0, sizeof(*t));
			for (size_t k = 0; f->begin[k] != NULL; k++)
				add_turn(t, f->begin[k], "", "");
			add_turn(t, f->ask, gaps[i].mechanism, "");
			add_turn(t, f->challenge, gaps[i].challenge, "");
			if (gaps[i].name != NULL) {
				add_turn(t, f->response, gaps[i].name, "");
				add_turn(t, f->challenge, gaps[i].prompt, "");
			}
			whole = dialogue_len(&t->d) + strlen(gaps[i].begin) + (f->watch == &watch_sieve);
			add_turn(t, f->response, gaps[i].begin, "");
			dialogue_play(run, &t->d, f->watch, whole, 0, false);
			assert_int_equal(run->facts.mail.credential, CREDENTIAL_NONE);
			assert_int_equal(f->watch->gap(run->state, SIDE_ORIGINATOR, &run->facts), WATCH_DONE);
			if (run->facts.mail.credential != (gaps[i].want ? REUSABLE : CREDENTIAL_NONE))
				fail_msg("%s %s %s", f->watch->name, gaps[i].mechanism, gaps[i].begin);
			assert_int_equal(run->facts.mail.secret_len, 0);
			dialogue_end(run);
		}
	free(run);
	free(t);
}

/* Neither facts nor state hold what was said, whichever field it was typed into. */
static void no_secret_is_kept(void **state)
{
	struct turns *t = malloc(sizeof(*t));
	struct dialogue_run *run = malloc(sizeof(*run));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t p = 0; p < PROTOCOLS; p++) {
			const struct watch *watch = frames[p].watch;

			build(t, &frames[p], &cases[i], false);
			dialogue_play(run, &t->d, watch, dialogue_len(&t->d), 0, true);
			for (int k = 0; k < 3; k++) {
				static const char *const secrets[] = { "secret", "token", "c2VjcmV0" };
				size_t len = strlen(secrets[k]);

				if (memmem(run->state, watch->size, secrets[k], len) != NULL ||
				    memmem(&run->facts, sizeof(run->facts), secrets[k], len) != NULL)
					fail_msg("%s %s keeps %s", watch->name, cases[i].name, secrets[k]);
			}
			dialogue_end(run);
		}
	free(run);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mechanism_shows_the_same_in_each_protocol),
		cmocka_unit_test(a_mechanism_given_up_leaves_commands_to_be_read),
		cmocka_unit_test(a_response_cut_by_a_gap_was_sent_all_the_same),
		cmocka_unit_test(no_secret_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

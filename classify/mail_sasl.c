#include "classify/mail_line.h"

#include "capture/base.h"

enum { NTLM_AUTHENTICATE = 3 };		/* MS-NLMP section 2.2.1.3 */
#define NTLM_UNICODE 1u			/* MS-NLMP section 2.2.2.5 */

void mail_login_begin(struct mail_talk *t, struct bytes mechanism)
{
	t->login = (struct mail_login){ .active = true };
	mail_text(t->login.mechanism, sizeof(t->login.mechanism), mechanism);
	for (char *p = t->login.mechanism; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
	t->proceeded = true;
}

/* Reusable is worth most, then guessable, then hardened. */
static int rank(enum mail_credential worth)
{
	static const int ranks[] = {
		[CREDENTIAL_HARDENED] = 1,
		[CREDENTIAL_GUESSABLE] = 2,
		[CREDENTIAL_REUSABLE] = 3,
	};

	return ranks[worth];
}

void mail_login_seen(struct mail_talk *t, enum mail_credential worth, uint32_t secret_len)
{
	struct fact_mail_session *mail = t->mail;
	int better = rank(worth) - rank(mail->credential);

	t->login.worth = worth;
	if (better < 0 || (better == 0 && mail->accepted))
		return;
	t->login.recorded = true;
	mail->credential = worth;
	mail->secret_len = secret_len;
	mail->credential_frame = worth == CREDENTIAL_NONE ? 0 : t->frame;
	mail->accepted = false;
	base_copy(mail->mechanism, sizeof(mail->mechanism), t->login.mechanism);
	base_copy(mail->account, sizeof(mail->account), t->login.account);
}

void mail_login_end(struct mail_talk *t, bool accepted)
{
	/* A mechanism that shows no credential (EXTERNAL, GSSAPI) is still named when it succeeds. */
	if (accepted && !t->login.recorded && t->login.worth == CREDENTIAL_NONE &&
	    t->login.mechanism[0] != '\0')
		mail_login_seen(t, CREDENTIAL_NONE, 0);
	if (accepted && t->login.recorded)
		t->mail->accepted = true;
	t->authenticated = t->authenticated || accepted;
	t->login.active = false;
	mail_letter(t, accepted ? 'y' : 'n');
}

static int base64_value(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 :
	       c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool mail_base64(struct bytes in, uint8_t *out, size_t size, size_t *len_out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	while (bytes_left(&in) > 0 && in.data[in.len - 1] == '=' && bytes_left(&in) % 4 != 1)
		in.len--;
	while (bytes_left(&in) > 0) {
		int value = base64_value(bytes_u8(&in));

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			if (n == size)
				return false;
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	*len_out = n;
	/* A rest of six bits is one lone character: no octet begins so. */
	return have < 6;
}

/* What is before `end`, which is skipped with it; false when there is no `end`. */
static bool field(struct bytes *in, char end, struct bytes *out)
{
	size_t n;

	if (!bytes_until(in, end, &n))
		return false;
	*out = bytes_sub(in, n);
	bytes_skip(in, 1);
	return true;
}

static void account(struct mail_talk *t, struct bytes name)
{
	mail_text(t->login.account, sizeof(t->login.account), name);
}

/* RFC 4616 section 2: [authzid] NUL authcid NUL passwd. */
static void plain(struct mail_talk *t, struct bytes in)
{
	struct bytes acting, name;

	if (!field(&in, '\0', &acting) || !field(&in, '\0', &name))
		return;
	account(t, bytes_left(&name) > 0 ? name : acting);
	mail_login_seen(t, CREDENTIAL_REUSABLE, (uint32_t)bytes_left(&in));
}

static void login(struct mail_talk *t, struct bytes in)
{
	if (t->login.step == 1)
		account(t, in);
	else if (t->login.step == 2)
		mail_login_seen(t, CREDENTIAL_REUSABLE, (uint32_t)bytes_left(&in));
}

/* Skips a prefix; false when it is not there. */
static bool prefix(struct bytes *in, const char *word)
{
	if (!bytes_begins(in, word))
		return false;
	bytes_skip(in, strlen(word));
	return true;
}

/* XOAUTH2: user=NAME ^A auth=Bearer TOKEN ^A ^A. RFC 7628 section 3.1: n,a=NAME, ^A key=value ^A ... */
static void oauth(struct mail_talk *t, struct bytes in)
{
	struct bytes part;

	while (field(&in, '\x01', &part)) {
		struct bytes name;

		if (prefix(&part, "user=")) {
			account(t, part);
		} else if (prefix(&part, "auth=Bearer ")) {
			mail_login_seen(t, CREDENTIAL_REUSABLE, (uint32_t)bytes_left(&part));
		} else if (prefix(&part, "n,a=") && field(&part, ',', &name)) {
			account(t, name);
		}
	}
}

/* RFC 2195 section 2: name SP digest. */
static void cram(struct mail_talk *t, struct bytes in)
{
	size_t at = in.len;

	while (at > in.pos && in.data[at - 1] != ' ')
		at--;
	if (at <= in.pos)
		return;

	struct bytes name = bytes_sub(&in, at - 1 - in.pos);

	bytes_skip(&in, 1);
	account(t, name);
	mail_login_seen(t, CREDENTIAL_GUESSABLE, (uint32_t)bytes_left(&in));
}

/* RFC 2831 section 2.1.2: key=value or key="value", comma separated. */
static void digest(struct mail_talk *t, struct bytes in)
{
	uint32_t secret_len = 0;
	struct bytes key;

	while (field(&in, '=', &key)) {
		char value[FACT_TEXT_SIZE] = "";
		uint32_t len = 0;
		struct bytes rest;

		if (bytes_left(&in) > 0 && in.data[in.pos] == '"') {
			if (!mail_string(&in, value, sizeof(value), &len))
				return;
			(void)field(&in, ',', &rest);
		} else if (field(&in, ',', &rest)) {
			len = (uint32_t)bytes_left(&rest);
		} else {
			len = (uint32_t)bytes_left(&in);
			bytes_skip(&in, len);
		}
		if (bytes_is(&key, "username"))
			base_copy(t->login.account, sizeof(t->login.account), value);
		else if (bytes_is(&key, "response"))
			secret_len = len;
		explicit_bzero(value, sizeof(value));
	}
	if (secret_len > 0)
		mail_login_seen(t, CREDENTIAL_GUESSABLE, secret_len);
}

/* A field of an NTLM message: length, room, offset from the message's begin. */
static struct bytes ntlm_field(struct bytes *in, struct bytes message)
{
	uint16_t len = bytes_u16_le(in);

	bytes_skip(in, 2);
	bytes_skip(&message, bytes_u32_le(in));
	return bytes_sub(&message, len);
}

static void ntlm(struct mail_talk *t, struct bytes in)
{
	struct bytes message = in;

	bytes_skip(&in, 8);
	if (!bytes_begins(&message, "NTLMSSP") || bytes_u32_le(&in) != NTLM_AUTHENTICATE)
		return;
	(void)ntlm_field(&in, message);			/* LM response */

	struct bytes response = ntlm_field(&in, message);

	(void)ntlm_field(&in, message);			/* domain */

	struct bytes name = ntlm_field(&in, message);

	(void)ntlm_field(&in, message);			/* workstation */
	(void)ntlm_field(&in, message);			/* session key */

	bool unicode = bytes_u32_le(&in) & NTLM_UNICODE;
	char text[FACT_TEXT_SIZE];
	size_t n = 0;

	while (bytes_left(&name) > 0 && n < sizeof(text)) {
		uint16_t c = unicode ? bytes_u16_le(&name) : bytes_u8(&name);

		text[n++] = c < 0x80 ? (char)c : '?';
	}
	account(t, bytes_of(text, n));
	mail_login_seen(t, CREDENTIAL_GUESSABLE, (uint32_t)bytes_left(&response));
}

/* RFC 5802 section 7: first "n,,n=NAME,r=...", final "c=...,r=...,p=PROOF". The proof is what guessing
 * needs; salt and iterations make each guess dear. */
static void scram(struct mail_talk *t, struct bytes in)
{
	while (bytes_left(&in) > 0) {
		struct bytes part;

		if (!field(&in, ',', &part))
			part = bytes_sub(&in, bytes_left(&in));
		if (t->login.step == 1 && t->login.account[0] == '\0' && prefix(&part, "n="))
			account(t, part);
		else if (t->login.step == 2 && prefix(&part, "p="))
			mail_login_seen(t, CREDENTIAL_HARDENED, (uint32_t)bytes_left(&part));
	}
}

static const struct {
	const char *mechanism;
	void (*read)(struct mail_talk *t, struct bytes in);
	bool ends;		/* with the credential: what the client sends then is a command */
} mechanisms[] = {
	{ "PLAIN", plain, true }, { "LOGIN", login, true }, { "CRAM-MD5", cram, true },
	{ "XOAUTH2", oauth, false }, { "OAUTHBEARER", oauth, false }, { "DIGEST-MD5", digest, false },
	{ "NTLM", ntlm, false },
};

void mail_sasl_response(struct mail_talk *t, struct bytes base64)
{
	uint8_t clear[MAIL_LINE_MAX];
	size_t n = 0;

	mail_letter(t, 'S');
	if (bytes_is(&base64, "*"))
		return;
	if (bytes_is(&base64, "="))
		base64 = bytes_of("", 0);
	if (t->login.step < 3)
		t->login.step++;
	if (mail_base64(base64, clear, sizeof(clear), &n)) {
		struct bytes in = bytes_of(clear, n);

		if (strncmp(t->login.mechanism, "SCRAM-", 6) == 0)
			scram(t, in);
		for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
			if (strcmp(t->login.mechanism, mechanisms[i].mechanism) != 0)
				continue;
			mechanisms[i].read(t, in);
			if (mechanisms[i].ends && t->login.worth != CREDENTIAL_NONE)
				t->login.active = false;
		}
	}
	explicit_bzero(clear, sizeof(clear));
}

bool mail_sasl_begun(struct bytes begin, struct mail_login *out)
{
	static const char *const handed_over[] = { "PLAIN", "XOAUTH2", "OAUTHBEARER" };
	struct bytes mechanism = bytes_word(&begin);

	for (size_t i = 0; i < sizeof(handed_over) / sizeof(handed_over[0]); i++) {
		if (!bytes_is(&mechanism, handed_over[i]))
			continue;
		base_copy(out->mechanism, sizeof(out->mechanism), handed_over[i]);
		return bytes_left(&begin) > 1;	/* "=" is an empty response */
	}
	return false;
}

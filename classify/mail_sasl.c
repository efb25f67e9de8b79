#include "classify/mail_line.h"

#include "capture/base.h"

#include <ctype.h>

enum { NTLM_AUTHENTICATE = 3 };		/* MS-NLMP section 2.2.1.3 */
#define NTLM_UNICODE 1u			/* MS-NLMP section 2.2.2.5 */

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
	mail_login_seen(t, CREDENTIAL_REUSABLE, in);
}

/* Without a prompt to go by the name comes first, then the password. */
static void login(struct mail_talk *t, struct bytes in)
{
	if (t->login.prompt == PROMPT_PASSWORD || (t->login.prompt == PROMPT_UNKNOWN && t->login.step > 1))
		mail_login_seen(t, CREDENTIAL_REUSABLE, in);
	else
		account(t, in);
}

/* Skips a prefix; false when it is not there. */
static bool prefix(struct bytes *in, const char *word)
{
	if (!bytes_begins(in, word))
		return false;
	bytes_skip(in, strlen(word));
	return true;
}

/* The next part up to `end`, or the last. */
static struct bytes part(struct bytes *in, char end)
{
	struct bytes out;

	return field(in, end, &out) ? out : bytes_sub(in, bytes_left(in));
}

/* RFC 5801 section 4: a name in which "," is =2C and "=" is =3D. */
static void escaped_account(struct mail_talk *t, struct bytes name)
{
	char text[FACT_TEXT_SIZE];
	size_t n = 0;

	while (bytes_left(&name) > 0 && n < sizeof(text)) {
		char c = (char)bytes_u8(&name);

		if (c == '=')
			c = prefix(&name, "2C") ? ',' : prefix(&name, "3D") ? '=' : c;
		text[n++] = c;
	}
	account(t, bytes_of(text, n));
}

/* XOAUTH2: user=NAME ^A auth=Bearer TOKEN ^A ^A. RFC 7628 section 3.1: n,a=NAME, ^A key=value ^A ... */
static void oauth(struct mail_talk *t, struct bytes in)
{
	while (bytes_left(&in) > 0) {
		struct bytes pair = part(&in, '\x01');

		if (prefix(&pair, "user="))
			account(t, pair);
		else if (prefix(&pair, "auth=Bearer "))
			mail_login_seen(t, CREDENTIAL_REUSABLE, pair);
		else if (prefix(&pair, "n,a=") || prefix(&pair, "y,a="))
			escaped_account(t, part(&pair, ','));
	}
}

/* RFC 2195 section 2: name SP digest, which is 32 hexadecimal digits. Anything else is not kept as a name. */
static void cram(struct mail_talk *t, struct bytes in)
{
	size_t len = bytes_left(&in);

	if (len < 1 + 32 || in.data[in.len - 33] != ' ')
		return;
	for (size_t i = in.len - 32; i < in.len; i++)
		if (!isxdigit(in.data[i]))
			return;

	struct bytes name = bytes_sub(&in, len - 33);

	bytes_skip(&in, 1);
	account(t, name);
	mail_login_seen(t, CREDENTIAL_GUESSABLE, in);
}

/* RFC 2831 section 2.1.2: key=value or key="value", comma separated. */
static void digest(struct mail_talk *t, struct bytes in)
{
	struct bytes key, response = { 0 };

	while (field(&in, '=', &key)) {
		char value[FACT_TEXT_SIZE] = "";
		uint32_t len = 0;
		struct bytes rest = { 0 };

		if (bytes_left(&in) > 0 && in.data[in.pos] == '"') {
			if (!mail_string(&in, value, sizeof(value), &len))
				return;
			(void)part(&in, ',');
		} else {
			rest = part(&in, ',');
		}
		if (bytes_is(&key, "username"))
			base_copy(t->login.account, sizeof(t->login.account), value);
		else if (bytes_is(&key, "response"))
			response = rest;
		explicit_bzero(value, sizeof(value));
	}
	if (bytes_left(&response) > 0)
		mail_login_seen(t, CREDENTIAL_GUESSABLE, response);
}

/* A field of an NTLM message: length, room, offset from the message's begin. */
static struct bytes ntlm_field(struct bytes *in, struct bytes message)
{
	uint16_t len = bytes_u16_le(in);

	bytes_skip(in, 2);
	bytes_skip(&message, bytes_u32_le(in));
	return bytes_sub(&message, len);
}

/* UTF-16 in little-endian as UTF-8; half a surrogate pair becomes "?". */
static void utf16_account(struct mail_talk *t, struct bytes name)
{
	char text[FACT_TEXT_SIZE + 4];
	size_t n = 0;

	while (bytes_left(&name) > 1 && n < FACT_TEXT_SIZE) {
		uint32_t c = bytes_u16_le(&name);
		struct bytes peek = name;
		uint32_t low = bytes_u16_le(&peek);

		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			name = peek;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = '?';
		}
		if (c < 0x80) {
			text[n++] = (char)c;
			continue;
		}

		int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

		text[n++] = (char)((0xff00 >> (more + 1) & 0xff) | c >> 6 * more);
		while (more-- > 0)
			text[n++] = (char)(0x80 | (c >> 6 * more & 0x3f));
	}
	account(t, bytes_of(text, n));
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

	if (bytes_u32_le(&in) & NTLM_UNICODE)
		utf16_account(t, name);
	else
		account(t, name);
	mail_login_seen(t, CREDENTIAL_GUESSABLE, response);
}

/* RFC 5802 section 7: first "n,,n=NAME,r=..." (with channel binding "p=tls-unique,,n=..."), final
 * "c=...,r=...,p=PROOF". The proof is what guessing needs; salt and iterations make each guess dear. */
static void scram(struct mail_talk *t, struct bytes in)
{
	bool final = bytes_begins(&in, "c=");

	while (bytes_left(&in) > 0) {
		struct bytes pair = part(&in, ',');

		if (!final && t->login.account[0] == '\0' && prefix(&pair, "n="))
			escaped_account(t, pair);
		else if (final && prefix(&pair, "p="))
			mail_login_seen(t, CREDENTIAL_HARDENED, pair);
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

void mail_sasl_challenge(struct mail_talk *t, struct bytes base64)
{
	uint8_t clear[64];	/* "User Name", "Password": a longer one is no prompt */
	size_t n;

	mail_letter(t, 's');
	t->login.prompt = PROMPT_UNKNOWN;
	if (!mail_base64(base64, clear, sizeof(clear), &n))
		return;

	struct bytes prompt = bytes_of(clear, n);

	if (bytes_begins(&prompt, "user"))
		t->login.prompt = PROMPT_NAME;
	else if (bytes_begins(&prompt, "pass"))
		t->login.prompt = PROMPT_PASSWORD;
}

void mail_sasl_response(struct mail_talk *t, struct bytes base64)
{
	uint8_t clear[MAIL_LINE_MAX];
	size_t n = 0;

	mail_letter(t, 'S');
	if (bytes_is(&base64, "*")) {
		t->login.active = false;
		return;
	}
	if (bytes_is(&base64, "="))
		base64 = bytes_of("", 0);
	if (t->login.step < 2)
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
	t->login.prompt = PROMPT_UNKNOWN;
	explicit_bzero(clear, sizeof(clear));
}

static bool hands_over(const char *mechanism)
{
	return strcmp(mechanism, "PLAIN") == 0 || strcmp(mechanism, "XOAUTH2") == 0 ||
	       strcmp(mechanism, "OAUTHBEARER") == 0;
}

bool mail_sasl_continued(const struct mail_login *login, struct bytes begin)
{
	bool password = strcmp(login->mechanism, "LOGIN") == 0 &&
			(login->prompt == PROMPT_PASSWORD || (login->prompt == PROMPT_UNKNOWN && login->step > 0));

	/* In Sieve it is a quoted string or a literal. */
	if (bytes_begins(&begin, "\""))
		bytes_skip(&begin, 1);
	return (password || hands_over(login->mechanism)) && bytes_left(&begin) > 0 &&
	       !bytes_begins(&begin, "{") && !bytes_begins(&begin, "*") && !bytes_begins(&begin, "=") &&
	       begin.data[begin.pos] != '\r';
}

bool mail_sasl_begun(struct bytes begin, struct mail_login *out)
{
	mail_mechanism(out, bytes_word(&begin));
	return hands_over(out->mechanism) && bytes_left(&begin) > 1;	/* "=" is an empty response */
}

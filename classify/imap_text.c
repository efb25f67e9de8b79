#include "classify/imap_text.h"

#include "capture/base.h"

#include <stdio.h>

static bool is_one_of(struct bytes word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (bytes_is(&word, *words))
			return true;
	return false;
}

static enum mail_speaker server_speaks(struct bytes first)
{
	static const char *const greetings[] = { "* OK ", "* PREAUTH ", "* BYE ", "* CAPABILITY IMAP4", NULL };
	static const char *const numbered[] = { "EXISTS", "RECENT", "EXPUNGE", "FETCH", NULL };

	enum mail_speaker who = mail_begins(first, greetings, SPEAKER_SERVER);

	if (who != SPEAKER_NOBODY)
		return who;

	struct bytes rest = first;

	bytes_skip(&rest, 2);
	struct bytes number = bytes_word(&rest);

	for (size_t i = 0; i < number.len; i++)
		if (number.data[i] < '0' || number.data[i] > '9')
			return SPEAKER_NOBODY;

	size_t n;
	struct bytes line = bytes_until(&rest, '\r', &n) ? bytes_sub(&rest, n) : rest;
	bool whole = line.len < rest.len || bytes_until(&line, ' ', &n);

	if (number.len == 0 || !whole)
		return first.len < MAIL_FIRST ? SPEAKER_MAYBE : SPEAKER_NOBODY;
	return is_one_of(bytes_word(&line), numbered) ? SPEAKER_SERVER : SPEAKER_NOBODY;
}

/* A tag as clients make them: letters and digits, at least one digit or no more than a letter - not a
 * command word of another protocol before an argument that happens to be an IMAP verb. */
static bool tag_like(struct bytes word)
{
	bool digit = false;

	if (word.len == 0 || word.len > IMAP_TAG_MAX)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("(){%*\"\\+", c) != NULL)
			return false;
		digit = digit || (c >= '0' && c <= '9');
	}
	return digit || word.len == 1;
}

static enum mail_speaker client_speaks(struct bytes first)
{
	static const char *const verbs[] = {
		"LOGIN", "AUTHENTICATE", "CAPABILITY", "STARTTLS", "ID", "NOOP", "LOGOUT", "SELECT", "EXAMINE",
		"LIST", "LSUB", "UID", "FETCH", "STORE", "SEARCH", "APPEND", "ENABLE", "NAMESPACE", "IDLE",
		"STATUS", "COMPRESS", "CLOSE", "EXPUNGE", "COPY", "CHECK", "UNSELECT", "SUBSCRIBE", "XLIST",
		NULL,
	};
	struct bytes rest = first, line;
	size_t n;
	bool whole = bytes_until(&first, '\n', &n);

	if (whole)
		rest = bytes_of(first.data, n > 0 && first.data[n - 1] == '\r' ? n - 1 : n);
	line = rest;

	struct bytes tag = bytes_word(&line);
	bool verb_ends = whole || bytes_until(&line, ' ', &n);

	if (!tag_like(tag))
		return SPEAKER_NOBODY;
	if (!verb_ends)
		return first.len < MAIL_FIRST ? SPEAKER_MAYBE : SPEAKER_NOBODY;
	return is_one_of(bytes_word(&line), verbs) ? SPEAKER_CLIENT : SPEAKER_NOBODY;
}

enum mail_speaker imap_speaker(struct bytes first)
{
	return first.data[0] == '*' ? server_speaks(first) : client_speaks(first);
}

static bool contains(struct bytes line, const char *word)
{
	size_t n = strlen(word);

	for (; bytes_left(&line) >= n; bytes_skip(&line, 1))
		if (bytes_begins(&line, word))
			return true;
	return false;
}

bool imap_fetches_mail(struct bytes line)
{
	static const char *const items[] = { "BODY[", "BINARY[", "RFC822 ", "RFC822.HEADER ", "RFC822.TEXT ",
					     "ENVELOPE (" };

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (contains(line, items[i]))
			return true;
	return false;
}

void imap_identification(struct bytes piece, char *out, size_t size)
{
	char key[FACT_WORD_SIZE], value[FACT_TEXT_SIZE];
	uint32_t len;
	size_t n;

	if (!bytes_until(&piece, '(', &n))
		return;
	bytes_skip(&piece, n + 1);
	out[0] = '\0';
	while (bytes_left(&piece) > 0 && piece.data[piece.pos] == '"' &&
	       mail_string(&piece, key, sizeof(key), &len) &&
	       mail_string(&piece, value, sizeof(value), &len)) {
		size_t used = strlen(out);

		(void)snprintf(out + used, size - used, "%s%s=%s", used > 0 ? "; " : "", key, value);
		while (bytes_left(&piece) > 0 && piece.data[piece.pos] == ' ')
			bytes_skip(&piece, 1);
	}
}

bool imap_login_begun(struct bytes begin, struct mail_login *out)
{
	(void)bytes_word(&begin);

	struct bytes verb = bytes_word(&begin);
	uint32_t len;

	if (bytes_is(&verb, "AUTHENTICATE"))
		return mail_sasl_begun(begin, out);
	if (!bytes_is(&verb, "LOGIN") || bytes_left(&begin) == 0)
		return false;
	/* A literal's client may have to wait for leave, and hand over nothing. */
	if (bytes_begins(&begin, "{"))
		return false;
	base_copy(out->mechanism, sizeof(out->mechanism), "LOGIN");
	/* Part of a name is none. */
	if (!mail_string(&begin, out->account, sizeof(out->account), &len) || bytes_left(&begin) == 0)
		out->account[0] = '\0';
	return true;
}

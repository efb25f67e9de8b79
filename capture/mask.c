#include "capture/mask.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

/* What must follow a word for it to be a command's: a password may be of words that are in the list. */
enum follows {
	NOTHING,			/* the end of the line */
	NUMBER,				/* that, or a number */
	PATH,				/* "FROM:" or "TO:" */
	SOMETHING,
	MECHANISM,			/* something; if it is a mechanism, it stays */
	ANYTHING,
};

struct command {
	const char *word;
	enum follows follows;
	bool small;			/* also in small letters: it is nothing else in any language */
};

/* At the beginning of a line. */
static const struct command plain[] = {
	{ "APOP", SOMETHING, false }, { "AUTH", MECHANISM, false }, { "AUTHENTICATE", MECHANISM, false },
	{ "BDAT", NUMBER, false }, { "CAPA", NOTHING, false }, { "CAPABILITY", NOTHING, false }, { "DATA", NOTHING, false },
	{ "DONE", NOTHING, false }, { "EHLO", SOMETHING, true }, { "HELO", SOMETHING, true }, { "LAST", NOTHING, false },
	{ "LHLO", SOMETHING, true }, { "LIST", NUMBER, false }, { "LOGOUT", NOTHING, false }, { "MAIL", PATH, true },
	{ "NOOP", NOTHING, false }, { "PASS", SOMETHING, false }, { "PROXY", SOMETHING, false }, { "QUIT", NOTHING, false },
	{ "RCPT", PATH, true }, { "RETR", NUMBER, false }, { "RSET", NOTHING, false }, { "STARTTLS", NOTHING, false },
	{ "STAT", NOTHING, false }, { "STLS", NOTHING, false }, { "TOP", NUMBER, false }, { "UIDL", NUMBER, false },
	{ "USER", SOMETHING, false }, { "XCLIENT", SOMETHING, false }, { NULL, NOTHING, false },
};

/* Behind a tag, or in a server's line behind "*" (IMAP). */
static const struct command tagged[] = {
	{ "APPEND", SOMETHING, true }, { "AUTHENTICATE", MECHANISM, true }, { "BAD", ANYTHING, true }, { "BYE", ANYTHING, true },
	{ "CAPABILITY", ANYTHING, true }, { "COMPRESS", SOMETHING, true }, { "EXAMINE", SOMETHING, true },
	{ "FETCH", SOMETHING, true }, { "ID", SOMETHING, true }, { "IDLE", NOTHING, true }, { "LIST", SOMETHING, true },
	{ "LOGIN", SOMETHING, true }, { "LOGOUT", NOTHING, true }, { "NO", ANYTHING, true }, { "NOOP", NOTHING, true },
	{ "OK", ANYTHING, true }, { "PREAUTH", ANYTHING, true }, { "SELECT", SOMETHING, true }, { "STARTTLS", NOTHING, true },
	{ "STORE", SOMETHING, true }, { "UID", SOMETHING, true }, { NULL, NOTHING, false },
};

static const char *const answers[] = { "*", "+", "+OK", "-ERR", "OK", "NO", "BYE", NULL };

static const char *const mechanisms[] = {
	"CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "GSSAPI", "LOGIN", "NTLM", "OAUTHBEARER", "PLAIN", "SCRAM-SHA-1",
	"SCRAM-SHA-256", "XOAUTH2", NULL,
};

/* Bytes that a line has before its end, line end excluded; *whole_out: with it. */
static size_t line_length(const uint8_t *data, size_t n, size_t *whole_out)
{
	const uint8_t *end = memchr(data, '\n', n);
	size_t len = end != NULL ? (size_t)(end - data) : n;

	*whole_out = end != NULL ? len + 1 : n;
	return len > 0 && data[len - 1] == '\r' ? len - 1 : len;
}

size_t mask_all(uint8_t *data, size_t n)
{
	memset(data, '*', n);
	return n;
}

/* A word, and where the next begins; of a line that has no more it is empty. */
struct word {
	uint8_t *at;
	size_t len, next;
};

static struct word word_at(uint8_t *line, size_t n, size_t at)
{
	struct word w = { .at = line + at };

	while (at + w.len < n && w.at[w.len] != ' ')
		w.len++;
	w.next = at + w.len < n ? at + w.len + 1 : n;
	return w;
}

static bool is(const struct word *w, const char *text, bool small)
{
	return strlen(text) == w->len &&
	       (small ? strncasecmp(text, (const char *)w->at, w->len) : memcmp(text, w->at, w->len)) == 0;
}

static bool is_one_of(const struct word *w, const char *const *list)
{
	while (*list != NULL && !is(w, *list, false))
		list++;
	return *list != NULL;
}

static bool begins(const uint8_t *line, size_t n, const char *with)
{
	return n >= strlen(with) && strncasecmp((const char *)line, with, strlen(with)) == 0;
}

/* What a word is the command of, by what follows it; NULL: it is an argument, or part of a secret. */
static const struct command *command_of(const struct word *w, const struct word *next, const struct command *list)
{
	while (list->word != NULL && !is(w, list->word, list->small))
		list++;
	switch (list->word != NULL ? list->follows : NOTHING) {
	case NOTHING:
		return list->word != NULL && next->len == 0 ? list : NULL;
	case NUMBER:
		return next->len == 0 || isdigit(next->at[0]) ? list : NULL;
	case PATH:
		return begins(next->at, next->len, "FROM:") || begins(next->at, next->len, "TO:") ? list : NULL;
	case SOMETHING:
	case MECHANISM:
		return next->len > 0 ? list : NULL;
	default:
		return list;
	}
}

/* Tags count; before a command in capitals anything may be one. */
static bool is_tag(const struct word *w, const struct word *next)
{
	bool counts = false, capitals = true;

	for (size_t i = 0; i < w->len; i++)
		counts = counts || isdigit(w->at[i]);
	for (size_t i = 0; i < next->len; i++)
		capitals = capitals && !islower(next->at[i]);
	return w->len > 0 && (counts || capitals);
}

#define NO_WORD UINT_MAX
#define OTHER_SHARE 8	/* text has no more bytes that are none; of what is encrypted they are more than half */

/* How many bytes the line has up to its arguments, and which word of these is a tag or a number all the same. */
static size_t command_length(uint8_t *line, size_t n, unsigned *not_out)
{
	struct word first = word_at(line, n, 0), second = word_at(line, n, first.next);
	struct word third = word_at(line, n, second.next), fourth = word_at(line, n, third.next);
	const struct command *c = command_of(&first, &second, plain);
	bool star = is(&first, "*", false);

	*not_out = NO_WORD;
	if (c != NULL)
		return c->follows == MECHANISM && is_one_of(&second, mechanisms) ? second.next : first.next;
	if (!star && is_one_of(&first, answers))
		return first.next;
	if (star && second.len > 0 && isdigit(second.at[0]) && command_of(&third, &fourth, tagged) != NULL) {
		*not_out = 1;
		return third.next;
	}
	*not_out = star ? NO_WORD : 0;
	c = is_tag(&first, &second) ? command_of(&second, &third, tagged) : NULL;
	if (c == NULL)
		return star ? first.next : 0;
	if ((c->follows == MECHANISM && is_one_of(&third, mechanisms)) ||
	    (is(&second, "UID", true) && command_of(&third, &fourth, tagged) != NULL))
		return third.next;
	return second.next;
}

static size_t mask_words(uint8_t *line, size_t n)
{
	unsigned not_of_it, place = 0;
	size_t masked = 0, arguments = command_length(line, n, &not_of_it);

	for (size_t at = 0; at < n; place++) {
		struct word w = word_at(line, n, at);

		if (at >= arguments || place == not_of_it)
			masked += mask_all(w.at, w.len);
		at = w.next;
	}
	return masked;
}

/* What a server says of itself before anybody has logged in: "220 ", "250-", "* OK", "+OK". */
static bool is_reply(const uint8_t *line, size_t n)
{
	if (n >= 3 && isdigit(line[0]) && isdigit(line[1]) && isdigit(line[2]))
		return (n == 3 || line[3] == ' ' || line[3] == '-') && memcmp(line, "334", 3) != 0;
	return (n >= 2 && memcmp(line, "* ", 2) == 0) || (n >= 3 && memcmp(line, "+OK", 3) == 0) ||
	       (n >= 4 && memcmp(line, "-ERR", 4) == 0);
}

size_t mask_mail(uint8_t *data, size_t n, bool public)
{
	size_t masked = 0, whole;

	for (size_t at = 0; at < n; at += whole) {
		size_t len = line_length(data + at, n - at, &whole);

		if (!public || !is_reply(data + at, len))
			masked += mask_words(data + at, len);
	}
	return masked;
}

/* Whether a TLS record begins here, as far as there are bytes (RFC 8446 section 5.1). */
static bool is_record(const uint8_t *data, size_t n)
{
	return data[0] >= 20 && data[0] <= 23 && (n < 2 || data[1] == 3) && (n < 3 || data[2] <= 4) &&
	       (n < 4 || data[3] <= 0x48);
}

size_t mask_sealed(uint8_t *data, size_t n)
{
	size_t at = 0, other = 0, clear = 0;

	for (; at < n && !is_record(data + at, n - at); at++) {
		other += !isprint(data[at]) && !isspace(data[at]);
		if (data[at] == '\n' && other * OTHER_SHARE <= at)
			clear = at + 1;		/* lines, whatever comes behind them */
	}
	if (other * OTHER_SHARE <= at)
		clear = at;
	return mask_mail(data, clear, false);
}

/* "emailaddress=" and the like, whose value is what the finding is about. */
static bool holds_address(const uint8_t *parameter, size_t n)
{
	static const char *const keys[] = { "emailaddress=", "email=" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (n > strlen(keys[i]) && strncasecmp(keys[i], (const char *)parameter, strlen(keys[i])) == 0)
			return true;
	return false;
}

static size_t mask_request_line(uint8_t *line, size_t n)
{
	const uint8_t *query = memchr(line, '?', n);
	size_t masked = 0, at = query != NULL ? (size_t)(query - line) + 1 : n;

	while (at < n && line[at] != ' ') {
		size_t end = at;

		while (end < n && line[end] != '&' && line[end] != ' ')
			end++;
		if (!holds_address(line + at, end - at))
			masked += mask_all(line + at, end - at);
		at = end < n && line[end] == '&' ? end + 1 : end;
	}
	return masked;
}

size_t mask_http(uint8_t *data, size_t n)
{
	size_t masked = 0, whole;

	for (size_t at = 0; at < n; at += whole) {
		uint8_t *line = data + at;
		size_t len = line_length(line, n - at, &whole);

		if (at == 0 && (begins(line, len, "GET /") || begins(line, len, "POST /")))
			masked += mask_request_line(line, len);
		else if (!begins(line, len, "Host:") && !(at == 0 && begins(line, len, "HTTP/1.")))
			masked += mask_all(line, len);
	}
	return masked;
}

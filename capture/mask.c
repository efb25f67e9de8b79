#include "capture/mask.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define WORDS_LOOKED_AT 4	/* tag, verb, mechanism: a word behind them is an argument */

static const char *const words[] = {
	"*", "+", "+OK", "-ERR", "OK", "NO", "BAD", "BYE", "PREAUTH",
	"APOP", "APPEND", "AUTH", "AUTHENTICATE", "BDAT", "CAPA", "CAPABILITY", "COMPRESS", "CRAM-MD5", "DATA",
	"DEFLATE", "DIGEST-MD5", "DONE", "EHLO", "EXAMINE", "EXTERNAL", "FETCH", "GSSAPI", "HELO", "ID", "IDLE",
	"LAST", "LHLO", "LIST", "LOGIN", "LOGOUT", "MAIL", "NOOP", "NTLM", "OAUTHBEARER", "PASS", "PLAIN", "PROXY",
	"QUIT", "RCPT", "RETR", "RSET", "SCRAM-SHA-1", "SCRAM-SHA-256", "SELECT", "STARTTLS", "STAT", "STLS", "STORE",
	"TOP", "UID", "UIDL", "USER", "XCLIENT", "XOAUTH2",
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

static bool is_word(const uint8_t *word, size_t n)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == n && strncasecmp(words[i], (const char *)word, n) == 0)
			return true;
	return false;
}

/* What follows is a password, be it a word of the list. */
static bool hands_over(const uint8_t *word, size_t n)
{
	static const char *const verbs[] = { "APOP", "LOGIN", "PASS", "USER" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i]) == n && strncasecmp(verbs[i], (const char *)word, n) == 0)
			return true;
	return false;
}

static size_t mask_words(uint8_t *line, size_t n)
{
	size_t masked = 0, at = 0;

	for (unsigned place = 0; at < n; place++) {
		size_t end = at;

		while (end < n && line[end] != ' ')
			end++;
		if (place < WORDS_LOOKED_AT && hands_over(line + at, end - at))
			place = WORDS_LOOKED_AT;
		else if (place >= WORDS_LOOKED_AT || !is_word(line + at, end - at))
			masked += mask_all(line + at, end - at);
		at = end < n ? end + 1 : n;
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

static bool begins(const uint8_t *line, size_t n, const char *with)
{
	return n >= strlen(with) && strncasecmp((const char *)line, with, strlen(with)) == 0;
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

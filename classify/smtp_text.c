#include "classify/smtp_text.h"

#include <stdio.h>

static bool contains_smtp(struct bytes line)
{
	for (; bytes_left(&line) >= 4; bytes_skip(&line, 1))
		if (bytes_begins(&line, "SMTP") || bytes_begins(&line, "LMTP"))
			return true;
	return false;
}

/* FTP and NNTP greet with numbers too: only a banner that says SMTP, or is masked as inspecting firewalls
 * mask SMTP's, decides. */
static enum mail_speaker server_speaks(struct bytes first)
{
	static const char *const codes[] = { "220", "421", "554" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		size_t n = first.len < 3 ? first.len : 3;

		if (memcmp(first.data, codes[i], n) != 0)
			continue;
		if (first.len < 4)
			return SPEAKER_MAYBE;
		if (first.data[3] != ' ' && first.data[3] != '-')
			return SPEAKER_NOBODY;
		bytes_skip(&first, 4);
		return bytes_begins(&first, "****") || contains_smtp(first) ? SPEAKER_SERVER : SPEAKER_MAYBE;
	}
	return SPEAKER_NOBODY;
}

enum mail_speaker smtp_speaker(struct bytes first)
{
	static const char *const verbs[] = {
		"EHLO ", "HELO ", "LHLO ", "MAIL FROM:", "XCLIENT ", "EHLO\r", "HELO\r", "LHLO\r", NULL,
	};

	return first.data[0] >= '0' && first.data[0] <= '9' ? server_speaks(first) :
							      mail_begins(first, verbs, SPEAKER_CLIENT);
}

/* Moves behind the @ of a mailbox; to the end when there is none. */
static void skip_local_part(struct bytes *path)
{
	bool quoted = false;

	while (bytes_left(path) > 0) {
		uint8_t c = bytes_u8(path);

		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted)
			bytes_skip(path, 1);
		else if (c == '@' && !quoted)
			return;
	}
}

static bool domain_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c >= 0x80;
}

void smtp_recipient_domain(struct bytes line, char out[FACT_NAME_SIZE])
{
	char domain[FACT_NAME_SIZE];
	size_t n, len = 0;

	out[0] = '\0';
	if (!bytes_begins(&line, "TO:"))
		return;
	bytes_skip(&line, 3);
	while (bytes_begins(&line, " "))
		bytes_skip(&line, 1);
	if (bytes_begins(&line, "<"))
		bytes_skip(&line, 1);
	if (bytes_begins(&line, "@") && bytes_until(&line, ':', &n))
		bytes_skip(&line, n + 1);
	skip_local_part(&line);
	while (bytes_left(&line) > 0 && len < sizeof(domain)) {
		uint8_t c = bytes_u8(&line);

		if (c == '>' || c == ' ')
			break;
		c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
		if (!domain_byte(c))
			return;
		domain[len++] = (char)c;
	}
	/* What is too long to be a domain is none, rather than another that it begins with. */
	if (len == sizeof(domain))
		return;
	while (len > 0 && domain[len - 1] == '.')
		len--;
	memcpy(out, domain, len);
	out[len] = '\0';
}

void smtp_refusal(unsigned code, struct bytes text, char out[FACT_WORD_SIZE])
{
	struct bytes word = bytes_word(&text), digits = word;
	unsigned dots = 0;

	(void)snprintf(out, FACT_WORD_SIZE, "%03u", code);
	if (bytes_begins(&digits, "#"))
		bytes_skip(&digits, 1);
	/* The longest is "5.123.123". */
	if (bytes_left(&digits) > 9)
		return;
	for (uint8_t last = '.', c; bytes_left(&digits) > 0; last = c) {
		c = bytes_u8(&digits);
		if (c == '.' ? last == '.' : c < '0' || c > '9')
			return;
		dots += c == '.';
	}
	if (dots == 2 && word.data[word.len - 1] != '.')
		(void)snprintf(out, FACT_WORD_SIZE, "%03u %.*s", code, (int)word.len, (const char *)word.data);
}

#include "classify/disclosure.h"

#include "capture/base.h"
#include "classify/mail_line.h"

static int hex_value(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decodes text; false when it is no address, or too long for one. */
static bool address(struct bytes text, char out[FACT_NAME_SIZE])
{
	size_t n = 0;

	while (bytes_left(&text) > 0) {
		uint8_t c = bytes_u8(&text);

		if (c == '%') {
			int high = hex_value(bytes_u8(&text)), low = hex_value(bytes_u8(&text));

			if (high < 0 || low < 0)
				return false;
			c = (uint8_t)(high << 4 | low);
		}
		if (n == FACT_NAME_SIZE - 1)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return mail_is_address(bytes_of(out, n));
}

/* Up to c, which is skipped with it, or to the end. */
static struct bytes until(struct bytes *in, char c)
{
	size_t n;
	bool found = bytes_until(in, c, &n);
	struct bytes out = bytes_sub(in, found ? n : bytes_left(in));

	if (found)
		bytes_skip(in, 1);
	return out;
}

/* The parameter of a query that names the account. */
static bool parameter(struct bytes query, char account[FACT_NAME_SIZE])
{
	while (bytes_left(&query) > 0) {
		struct bytes value = until(&query, '&');
		struct bytes name = until(&value, '=');

		if (bytes_is(&name, "emailaddress") || bytes_is(&name, "email"))
			return address(value, account);
	}
	return false;
}

/* The last segment of a path. */
static bool last_segment(struct bytes path, char account[FACT_NAME_SIZE])
{
	struct bytes segment = path;

	while (bytes_left(&path) > 0)
		segment = until(&path, '/');
	return address(segment, account);
}

static bool contains(struct bytes text, const char *word)
{
	for (; bytes_left(&text) >= strlen(word); bytes_skip(&text, 1))
		if (bytes_begins(&text, word))
			return true;
	return false;
}

void disclosure_host(struct bytes authority, char out[FACT_NAME_SIZE])
{
	char text[FACT_NAME_SIZE] = "";
	size_t n;

	while (bytes_until(&authority, '@', &n))
		bytes_skip(&authority, n + 1);
	while (bytes_begins(&authority, " ") || bytes_begins(&authority, "\t"))
		bytes_skip(&authority, 1);

	/* An IPv6 address has colons of its own, between brackets. */
	bool brackets = bytes_begins(&authority, "[");

	if (brackets)
		bytes_skip(&authority, 1);

	struct bytes name = until(&authority, brackets ? ']' : ':');

	/* The begin of a name is another name. */
	if (bytes_left(&name) < sizeof(text))
		mail_text(text, sizeof(text), name);
	for (n = 0; text[n] != '\0' && text[n] != ' '; n++)
		out[n] = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] + 32) : text[n];
	out[n] = '\0';
}

bool disclosure_target(struct bytes target, struct fact_disclosure *out)
{
	struct fact_disclosure found = { 0 };

	if (bytes_begins(&target, "http://")) {
		bytes_skip(&target, sizeof("http://") - 1);
		disclosure_host(until(&target, '/'), found.host);
	} else if (bytes_begins(&target, "/")) {
		bytes_skip(&target, 1);
	} else {
		return false;
	}

	struct bytes query = target, path = until(&query, '?');
	const char *kind = "autoconfig";
	bool named = false;

	if (contains(path, "autodiscover")) {
		kind = "autodiscover";
		named = parameter(query, found.account) ||
			(contains(path, "autodiscover.json/") && last_segment(path, found.account));
	} else if (contains(path, "config-v1.1.xml")) {
		named = parameter(query, found.account);
	} else if (bytes_begins(&path, "v1.1/") || bytes_begins(&path, "autoconfig/v1.1/")) {
		/* The directory of Thunderbird's makers: a domain is enough, but some give it all. */
		named = last_segment(path, found.account);
	}
	if (!named)
		return false;
	base_copy(out->kind, sizeof(out->kind), kind);
	memcpy(out->host, found.host, sizeof(out->host));
	memcpy(out->account, found.account, sizeof(out->account));
	return true;
}

#include "report/html.h"

#include "capture/base.h"
#include "capture/text.h"
#include "report/html_style.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void escape(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&#39;", out); break;
		default: putc_unlocked(text[i], out);
		}
	}
}

void html_text_cut(struct html *h, const char *text, unsigned columns_max)
{
	const char *at = text;
	struct text_piece piece;
	unsigned room = columns_max;

	for (; (piece = text_piece(at)).len > 0 && piece.columns <= room; at += piece.len) {
		if (piece.shown[0] != '\0')
			fputs(piece.shown, h->out);
		else
			escape(h->out, at, piece.len);
		room -= piece.columns;
	}
	if (piece.len == 0)
		return;
	if (piece.shown[0] == '\0')	/* more than room, so more than one: ASCII */
		escape(h->out, at, room);
	fprintf(h->out, "… [cut: %zu bytes in all]", strlen(text));
}

void html_text(struct html *h, const char *text)
{
	html_text_cut(h, text, HTML_TEXT_MAX);
}

void html_printf(struct html *h, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	base_checked(vasprintf(&text, fmt, ap) < 0 ? NULL : text);
	va_end(ap);
	html_text(h, text);
	free(text);
}

static void tag(struct html *h, const char *name, const char *end, va_list attributes)
{
	const char *key, *value;

	fprintf(h->out, "<%s", name);
	while ((key = va_arg(attributes, const char *)) != NULL) {
		value = va_arg(attributes, const char *);
		if (value == NULL)
			continue;
		fprintf(h->out, " %s=\"", key);
		html_text(h, value);
		putc_unlocked('"', h->out);
	}
	fputs(end, h->out);
}

static void push(struct html *h, const char *name)
{
	assert(h->depth < HTML_DEPTH);
	h->open[h->depth++] = name;
}

void html_open(struct html *h, const char *name, ...)
{
	va_list attributes;

	va_start(attributes, name);
	tag(h, name, ">", attributes);
	va_end(attributes);
	push(h, name);
}

/* Those behind which a line end would show as a blank. */
static bool is_inline(const char *name)
{
	static const char *const names[] = { "a", "b", "code", "small", "span", "strong", "time", "tspan" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void html_close(struct html *h)
{
	assert(h->depth > 0);
	const char *name = h->open[--h->depth];

	fprintf(h->out, "</%s>%s", name, is_inline(name) ? "" : "\n");
}

void html_empty(struct html *h, const char *name, ...)
{
	va_list attributes;

	va_start(attributes, name);
	tag(h, name, "/>\n", attributes);
	va_end(attributes);
}

void html_element(struct html *h, const char *name, const char *text, ...)
{
	va_list attributes;

	va_start(attributes, text);
	tag(h, name, ">", attributes);
	va_end(attributes);
	push(h, name);
	html_text(h, text);
	html_close(h);
}

void html_section(struct html *h, const char *id, const char *heading)
{
	html_open(h, "section", "id", id, NULL);
	html_element(h, "h2", heading, NULL);
}

void html_table(struct html *h, const char *caption, const char *const *headings)
{
	html_open(h, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", caption, NULL);
	html_open(h, "table", NULL);
	html_element(h, "caption", caption, NULL);
	html_open(h, "thead", NULL);
	html_open(h, "tr", NULL);
	while (*headings != NULL)
		html_element(h, "th", *headings++, "scope", "col", NULL);
	html_close(h);
	html_close(h);
	html_open(h, "tbody", NULL);
}

void html_table_end(struct html *h)
{
	html_close(h);
	html_close(h);
	html_close(h);
}

unsigned html_id(struct html *h)
{
	return ++h->ids;
}

/* The style is known to the browser by its hash, so that no other is taken. */
void html_policy(const char *allow, char policy_out[HTML_POLICY_SIZE])
{
	unsigned char digest[32], text[4 * 32 / 3 + 4];

	base_checked(EVP_Digest(html_style, strlen(html_style), digest, NULL, EVP_sha256(), NULL) == 1 ? digest : NULL);
	EVP_EncodeBlock(text, digest, sizeof(digest));
	snprintf(policy_out, HTML_POLICY_SIZE, "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; %s",
		 (const char *)text, allow);
}

void html_page_open(struct html *h, const char *title, const char *allow)
{
	char policy[HTML_POLICY_SIZE];

	html_policy(allow, policy);
	fputs("<!DOCTYPE html>\n", h->out);
	html_open(h, "html", "lang", "en", "dir", "ltr", NULL);
	html_open(h, "head", NULL);
	html_empty(h, "meta", "charset", "utf-8", NULL);
	html_empty(h, "meta", "http-equiv", "Content-Security-Policy", "content", policy, NULL);
	html_empty(h, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1", NULL);
	html_empty(h, "meta", "name", "color-scheme", "content", "light dark", NULL);
	html_empty(h, "meta", "name", "referrer", "content", "no-referrer", NULL);
	html_element(h, "title", title, NULL);
	html_open(h, "style", NULL);
	fputs(html_style, h->out);
	html_close(h);
	html_close(h);
	html_open(h, "body", NULL);
}

void html_page_close(struct html *h)
{
	while (h->depth > 0)
		html_close(h);
}

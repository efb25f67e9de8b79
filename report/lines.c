#include "report/lines.h"

#include "capture/base.h"
#include "capture/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void lines_free(struct lines *l)
{
	free(l->word);
	l->word = NULL;
	l->len = l->size = 0;
}

enum look lines_look_of(const char *verdict)
{
	return strcmp(verdict, "leak") == 0 ? LOOK_BAD : strcmp(verdict, "clean") == 0 ? LOOK_GOOD : LOOK_OPEN;
}

static void spaces(struct lines *l, unsigned count)
{
	fprintf(l->out, "%*s", (int)count, "");
}

static void add(struct lines *l, const char *bytes, size_t len)
{
	if (l->len + len > l->size) {
		l->size = 2 * l->size + len;
		l->word = base_realloc(l->word, l->size);
	}
	memcpy(l->word + l->len, bytes, len);
	l->len += len;
}

/* Writes the word, on the next line where this one has no room for it. */
static void put_word(struct lines *l)
{
	unsigned end = l->at + l->blank + l->width;

	if (l->len == 0)
		return;
	if (l->columns != LINES_ENDLESS && end > l->columns && l->at > l->indent) {
		putc_unlocked('\n', l->out);
		spaces(l, l->indent);
		l->at = l->indent;
	} else if (l->blank) {
		putc_unlocked(' ', l->out);
		l->at++;
	}
	fwrite_unlocked(l->word, 1, l->len, l->out);
	l->at += l->width;
	l->len = l->width = 0;
	l->blank = false;
}

/* Up to the first byte of `until`, and it ends where that was. */
static const char *add_clean(struct lines *l, const char *text, const char *until)
{
	const char *end = text + strcspn(text, until);
	struct text_piece piece;

	for (; text < end && (piece = text_piece_here(text)).len > 0; text += piece.len) {
		if (piece.len > end - text) {	/* only what is plain has several letters */
			piece.len = (unsigned)(end - text);
			piece.columns = piece.len;
		}
		if (piece.shown[0] != '\0')
			add(l, piece.shown, strlen(piece.shown));
		else
			add(l, text, piece.len);
		l->width += piece.columns;
	}
	return text;
}

void lines_indent(struct lines *l, unsigned first, unsigned further)
{
	spaces(l, first);
	l->at = first;
	l->indent = further;
	l->blank = false;
}

void lines_text(struct lines *l, const char *text)
{
	while (*text != '\0') {
		if (*text == ' ') {
			put_word(l);
			l->blank = true;
			text++;
		} else {
			text = add_clean(l, text, " ");
		}
	}
}

void lines_look(struct lines *l, enum look look, const char *text)
{
	static const char *const on[] = {
		[LOOK_STRONG] = "\033[1m", [LOOK_FAINT] = "\033[2m", [LOOK_GOOD] = "\033[1;32m",
		[LOOK_BAD] = "\033[1;31m", [LOOK_OPEN] = "\033[1;33m",
	};
	bool shown = l->color && look != LOOK_PLAIN && *text != '\0';

	if (shown)
		add(l, on[look], strlen(on[look]));
	add_clean(l, text, "");
	if (shown)
		add(l, "\033[0m", 4);
}

void lines_printf(struct lines *l, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	lines_text(l, text);
}

void lines_whole(struct lines *l, const char *text)
{
	add_clean(l, text, "");
}

void lines_to(struct lines *l, unsigned column)
{
	unsigned at;

	put_word(l);
	at = l->at;
	spaces(l, at < column ? column - at : 1);
	l->at = at < column ? column : at + 1;
	l->blank = false;
}

void lines_right(struct lines *l, unsigned column, const char *text)
{
	unsigned width = lines_width(text);

	lines_to(l, column > width ? column - width : 0);
	lines_whole(l, text);
}

void lines_end(struct lines *l)
{
	put_word(l);
	putc_unlocked('\n', l->out);
	l->at = l->indent = 0;
	l->blank = false;
}

void lines_say(struct lines *l, unsigned first, unsigned further, const char *label, const char *text)
{
	lines_indent(l, first, further);
	lines_text(l, label);
	lines_text(l, text);
	lines_end(l);
}

unsigned lines_width(const char *text)
{
	struct text_piece piece;
	unsigned columns = 0;

	for (; (piece = text_piece_here(text)).len > 0; text += piece.len)
		columns += piece.columns;
	return columns;
}

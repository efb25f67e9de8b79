#include "capture/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* In the one of the user's language letters may be others' capitals (a Turkish i). */
void text_locale(void)
{
	if (setlocale(LC_CTYPE, "") == NULL || text_is_ascii() || setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "C");
}

bool text_is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

bool text_utf8(const char *text, uint32_t *point_out, unsigned *len_out)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)text;
	unsigned len = at[0] < 0x80 ? 1 : (at[0] & 0xe0) == 0xc0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 :
		       (at[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t point = len == 1 ? at[0] : len > 1 ? at[0] & (0x7fu >> len) : 0;

	for (unsigned i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)	/* also the end of the text */
			return false;
		point = point << 6 | (at[i] & 0x3fu);
	}
	*point_out = point;
	*len_out = len;
	return len > 0 && point >= least[len] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/* Controls, what changes the direction of text or cannot be seen, and what is no character. */
static bool misleads(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c || point == 0x180e ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point >= 0xfdd0 && point <= 0xfdef) ||
	       (point & 0xfffe) == 0xfffe || (point >= 0xe0000 && point <= 0xe0fff);
}

unsigned text_plain(const char *text)
{
	unsigned n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

static void escape(struct text_piece *piece, const char *text)
{
	for (unsigned i = 0; i < piece->len; i++)
		sprintf(piece->shown + 4 * i, "\\x%02x", (unsigned char)text[i]);
	piece->columns = 4 * piece->len;
}

/* point_out: 0 where it is plain, or shown as something else. */
static struct text_piece piece_of(const char *text, uint32_t *point_out)
{
	struct text_piece piece = { .len = text_plain(text) };
	uint32_t point;
	bool valid;

	*point_out = 0;
	piece.columns = piece.len;
	if (piece.len > 0 || *text == '\0')
		return piece;
	valid = text_utf8(text, &point, &piece.len);
	piece.columns = 1;
	if (!valid)
		piece.len = 1;
	if (valid && !misleads(point))
		*point_out = point;
	else
		escape(&piece, text);
	return piece;
}

struct text_piece text_piece(const char *text)
{
	uint32_t point;

	return piece_of(text, &point);
}

struct text_piece text_piece_here(const char *text)
{
	uint32_t point;
	struct text_piece piece = piece_of(text, &point);
	int columns;

	if (point == 0)
		return piece;
	columns = wcwidth((wchar_t)point);	/* less than 0 where the locale has no such letter */
	if (columns < 0)
		escape(&piece, text);
	else
		piece.columns = (unsigned)columns;
	return piece;
}

/* text.h - text from outside, made harmless for people to look at
 *
 * Control characters, bytes that are no UTF-8, and what changes the direction, hides or is no character (C1,
 * U+00AD, U+061C, U+180E, U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF, tags, noncharacters) are shown
 * as \xNN. So no name drives a terminal, and none looks like another.
 *
 * Thread: any, once text_locale was called. */
#ifndef CAPTURE_TEXT_H
#define CAPTURE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Which letters terminals have, from the environment. Nothing else depends on the locale: what is done with
 * letters and digits is what the C locale does. Once, before there are threads; until then they have ASCII alone. */
void text_locale(void);
bool text_is_ascii(void);

/* What stands next in a text, and what people are shown for it. */
#define TEXT_PIECE_SIZE 17	/* four bytes, each \xNN */
struct text_piece {
	unsigned len;			/* bytes of the text; 0 at its end */
	unsigned columns;		/* that it takes */
	char shown[TEXT_PIECE_SIZE];	/* in place of these bytes; "" where they are shown as they are */
};
/* The same everywhere: one column for each code point. */
struct text_piece text_piece(const char *text);
/* For a terminal: letters that it has not are \xNN as well, and columns are those that it takes for them. */
struct text_piece text_piece_here(const char *text);

/* The code point at text and its length in bytes; false when there is no well-formed UTF-8 (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). */
bool text_utf8(const char *text, uint32_t *point_out, unsigned *len_out);

/* How many bytes from text on are letters, digits and the like, that no output has to change. */
unsigned text_plain(const char *text);

#endif

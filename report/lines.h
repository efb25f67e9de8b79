/* lines.h - text for people, in the columns of a terminal
 *
 * What is said one piece after the other becomes a paragraph: broken at blanks, never inside a word, its further
 * lines indented. Text may be from the wire: what may not be shown as it is, is not (capture/text.h), also not what
 * the terminal has no letters for. Colours are this program's own alone.
 *
 * Memory: the word that is being said; lines_free. Errors: those of `out`, which stdio keeps (ferror). */
#ifndef REPORT_LINES_H
#define REPORT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINES_COLUMNS 80	/* where nobody knows how many there are */
#define LINES_COLUMNS_MIN 40
#define LINES_ENDLESS 0		/* a paragraph is a line */

struct lines {
	FILE *out;
	unsigned columns;		/* LINES_ENDLESS: any */
	bool color;
	/* The rest is the module's. */
	unsigned at, indent;
	bool blank;			/* before the word */
	char *word;			/* not written yet */
	size_t len, size;
	unsigned width;
};

enum look { LOOK_PLAIN, LOOK_STRONG, LOOK_FAINT, LOOK_GOOD, LOOK_BAD, LOOK_OPEN };
enum look lines_look_of(const char *verdict);

void lines_free(struct lines *l);

/* The next paragraph begins and goes on so far from the left. */
void lines_indent(struct lines *l, unsigned first, unsigned further);
/* Words. What begins without a blank goes on with the word before. */
void lines_text(struct lines *l, const char *text);
void lines_look(struct lines *l, enum look look, const char *text);
void lines_printf(struct lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One word, be there blanks in it or not: a name, a path. */
void lines_whole(struct lines *l, const char *text);
/* On at this column, or at least one blank further; nothing is broken before it. */
void lines_to(struct lines *l, unsigned column);
/* One word that ends at this column, or where it has room. */
void lines_right(struct lines *l, unsigned column, const char *text);
/* Ends the paragraph. */
void lines_end(struct lines *l);

/* A paragraph of its own: a label and what it says. */
void lines_say(struct lines *l, unsigned first, unsigned further, const char *label, const char *text);

/* How many columns a text takes. */
unsigned lines_width(const char *text);

#endif

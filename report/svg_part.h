/* svg_part.h - what the files that draw pictures have in common
 *
 * Coordinates are whole units, of which the wide picture has 760 and the narrow one 340 in a line. */
#ifndef REPORT_SVG_PART_H
#define REPORT_SVG_PART_H

#include "report/svg.h"

#define SVG_WIDE 760
#define SVG_NARROW 340
#define SVG_LINE 16		/* height of a line of text */

/* The frame of a picture, with its looks in it; svg_end closes it. Returns the number that its ids have. */
unsigned svg_begin(struct html *h, bool narrow, int height, const char *title, const char *description);
void svg_end(struct html *h);

/* A bar in one of the looks of the picture of that number. */
void svg_rect(struct html *h, unsigned picture, unsigned look, int x, int y, int width, int height);

/* Text broken at blanks into lines of no more than so many letters; what does not fit ends in an ellipsis. */
#define SVG_LINES_MAX 3
#define SVG_LINE_SIZE 200
struct svg_lines {
	unsigned count;
	char of[SVG_LINES_MAX][SVG_LINE_SIZE];
};
void svg_break(struct svg_lines *lines_out, const char *text, unsigned columns, unsigned lines_max);

/* Lines below each other, the base line of the first at y. anchor: "start", "middle", "end". */
void svg_text(struct html *h, int x, int y, const char *anchor, const char *class, const struct svg_lines *lines);

#endif

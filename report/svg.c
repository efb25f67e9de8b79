#include "report/svg_part.h"

#include "capture/text.h"

#include <string.h>

/* What lies over the colour of a look: nothing, slanted lines, dots, a net, upright lines, nothing. */
static const char *const patterns[SVG_LOOKS] = {
	"", "M-2 2l4-4M0 8l8-8M6 10l4-4", "M2 2h2v2h-2zM6 6h2v2h-2z", "M0 0l8 8M8 0l-8 8", "M2 0v8M6 0v8", "",
};

static void define_looks(struct html *h, unsigned picture)
{
	html_open(h, "defs", NULL);
	for (unsigned i = 0; i < SVG_LOOKS; i++)
		fprintf(h->out, "<pattern id=\"p%u-%u\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
			"<rect class=\"look%u\" width=\"8\" height=\"8\"/><path class=\"over\" d=\"%s\"/></pattern>\n",
			picture, i, i, patterns[i]);
	html_close(h);
}

unsigned svg_begin(struct html *h, bool narrow, int height, const char *title, const char *description)
{
	unsigned picture = html_id(h);
	char box[48], title_id[24], description_id[24], both[50];

	snprintf(box, sizeof(box), "0 0 %d %d", narrow ? SVG_NARROW : SVG_WIDE, height);
	snprintf(title_id, sizeof(title_id), "p%u-title", picture);
	snprintf(description_id, sizeof(description_id), "p%u-desc", picture);
	snprintf(both, sizeof(both), "%s %s", title_id, description_id);
	html_open(h, "svg", "role", "img", "class", narrow ? "narrow" : "wide", "viewBox", box, "aria-labelledby", both,
		  "xmlns", "http://www.w3.org/2000/svg", NULL);
	html_element(h, "title", title, "id", title_id, NULL);
	html_element(h, "desc", description, "id", description_id, NULL);
	define_looks(h, picture);
	return picture;
}

void svg_end(struct html *h)
{
	html_close(h);
}

void svg_rect(struct html *h, unsigned picture, unsigned look, int x, int y, int width, int height)
{
	fprintf(h->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"url(#p%u-%u)\"/>\n", x, y, width,
		height, picture, look);
}

/* Bytes of the first so many code points of clean text, or of all. */
static size_t points(const char *text, unsigned count)
{
	size_t n = 0;

	while (text[n] != '\0' && ((text[n] & 0xc0) == 0x80 || count-- > 0))
		n++;
	return n;
}

/* Clean text of a size that can be broken; what is too long for any picture is cut here. */
static void clean(char *out, size_t size, const char *text)
{
	struct text_piece piece;
	size_t n = 0;

	for (; (piece = text_piece(text)).len > 0; text += piece.len) {
		const char *as = piece.shown[0] != '\0' ? piece.shown : text;
		size_t len = piece.shown[0] != '\0' ? strlen(piece.shown) : piece.len;

		if (n + len >= size && len > 1 && piece.shown[0] == '\0' && piece.columns == len)
			len = size - n - 1;
		if (n + len >= size)
			break;
		memcpy(out + n, as, len);
		n += len;
	}
	out[n] = '\0';
}

void svg_break(struct svg_lines *lines_out, const char *text, unsigned columns, unsigned lines_max)
{
	char rest[1024];
	const char *at = rest;

	clean(rest, sizeof(rest), text);
	lines_out->count = 0;
	while (*at != '\0' && lines_out->count < lines_max && lines_out->count < SVG_LINES_MAX) {
		char *line = lines_out->of[lines_out->count++];
		size_t fits = points(at, columns), n = fits;
		bool last = lines_out->count == lines_max || lines_out->count == SVG_LINES_MAX;
		bool all = at[fits] == '\0';

		if (!all && last) {
			n = points(at, columns - 1);
		} else if (!all) {
			while (n > fits / 3 && at[n] != ' ')
				n--;
			if (at[n] != ' ')
				n = fits;
		}
		snprintf(line, SVG_LINE_SIZE, "%.*s%s", (int)n, at, all || !last ? "" : "…");
		at += n;
		at += strspn(at, " ");
	}
}

void svg_text(struct html *h, int x, int y, const char *anchor, const char *class, const struct svg_lines *lines)
{
	for (unsigned i = 0; i < lines->count; i++) {
		fprintf(h->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"%s\">", x, y + (int)i * SVG_LINE,
			anchor, class);
		html_text(h, lines->of[i]);
		fputs("</text>\n", h->out);
	}
}

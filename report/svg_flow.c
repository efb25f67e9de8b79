#include "report/svg_part.h"

#include "capture/base.h"

#include <stdlib.h>

#define BAR_WIDTH 14
#define BARS_HEIGHT 160		/* all bars of one column together */
#define BAND_MIN 2		/* the least amount can still be seen */
#define GAP 14			/* between what belongs to two bars */
#define MARGIN 12
#define SMALLER 5		/* columns more of a note have room */

struct column {
	const struct svg_bar *bars;
	unsigned count;
	int x, text_x;
	const char *anchor;
	int *y, *height;	/* of each bar */
	int *used;		/* of its height, by bands so far */
	int tall;		/* all of the column, from 0 */
};

struct layout {
	const struct svg_flow *flow;
	bool narrow;
	unsigned picture;
	int *thick;		/* of each band */
	struct column left, right;
};

static unsigned text_columns(const struct layout *l, const struct column *c)
{
	return l->narrow ? c == &l->left ? 16 : 21 : c == &l->left ? 16 : 35;
}

static void label(const struct layout *l, const struct column *c, const struct svg_bar *bar, struct svg_lines *name,
		  struct svg_lines *note)
{
	svg_break(name, bar->label, text_columns(l, c), 2);
	svg_break(note, bar->note, text_columns(l, c) + SMALLER, 2);
}

static void measure_bands(struct layout *l)
{
	double total = 0;

	for (unsigned i = 0; i < l->flow->band_count; i++)
		total += (double)l->flow->bands[i].amount;
	for (unsigned i = 0; i < l->flow->band_count; i++) {
		const struct svg_band *band = &l->flow->bands[i];

		l->thick[i] = total > 0 ? (int)((double)band->amount * BARS_HEIGHT / total) : 0;
		if (l->thick[i] < BAND_MIN)
			l->thick[i] = BAND_MIN;
		l->left.height[band->from] += l->thick[i];
		l->right.height[band->to] += l->thick[i];
	}
}

/* Text beside a bar in the wide picture, above it in the narrow one. */
static void place(const struct layout *l, struct column *c)
{
	int y = 0;

	for (unsigned i = 0; i < c->count; i++) {
		struct svg_lines name, note;

		label(l, c, &c->bars[i], &name, &note);
		int lines = (int)(name.count + note.count) * SVG_LINE;

		if (c->height[i] < BAND_MIN)
			c->height[i] = BAND_MIN;
		c->y[i] = l->narrow ? y + lines + 4 : y;
		y = c->y[i] + (l->narrow || c->height[i] > lines ? c->height[i] : lines) + GAP;
	}
	c->tall = y;
}

static void centre(struct column *c, int tall)
{
	for (unsigned i = 0; i < c->count; i++)
		c->y[i] += (tall - c->tall) / 2 + MARGIN;
}

static void draw_bands(struct html *h, struct layout *l)
{
	int x0 = l->left.x + BAR_WIDTH, x1 = l->right.x, half = (x0 + x1) / 2;

	for (unsigned i = 0; i < l->flow->band_count; i++) {
		const struct svg_band *band = &l->flow->bands[i];
		int y0 = l->left.y[band->from] + l->left.used[band->from];
		int y1 = l->right.y[band->to] + l->right.used[band->to];

		l->left.used[band->from] += l->thick[i];
		l->right.used[band->to] += l->thick[i];
		fprintf(h->out, "<path class=\"band look%u\" d=\"M%d %dC%d %d %d %d %d %dv%dC%d %d %d %d %d %dz\"/>\n",
			l->right.bars[band->to].look, x0, y0, half, y0, half, y1, x1, y1, l->thick[i], half,
			y1 + l->thick[i], half, y0 + l->thick[i], x0, y0 + l->thick[i]);
	}
}

static void draw_column(struct html *h, const struct layout *l, const struct column *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		struct svg_lines name, note;

		svg_rect(h, l->picture, c->bars[i].look, c->x, c->y[i], BAR_WIDTH, c->height[i]);
		label(l, c, &c->bars[i], &name, &note);
		int lines = (int)(name.count + note.count) * SVG_LINE;
		int y = l->narrow ? c->y[i] - lines + 8 : c->y[i] + c->height[i] / 2 - lines / 2 + 12;

		if (!l->narrow && y < c->y[i] + 12)
			y = c->y[i] + 12;
		svg_text(h, c->text_x, y, c->anchor, "label", &name);
		svg_text(h, c->text_x, y + (int)name.count * SVG_LINE, c->anchor, "note", &note);
	}
}

static struct column column_of(const struct svg_bar *bars, unsigned count)
{
	return (struct column){
		.bars = bars, .count = count, .y = base_alloc_array(count, sizeof(int)),
		.height = base_alloc_array(count, sizeof(int)), .used = base_alloc_array(count, sizeof(int)),
	};
}

static void column_free(struct column *c)
{
	free(c->y);
	free(c->height);
	free(c->used);
}

static void draw(struct html *h, const struct svg_flow *flow, bool narrow)
{
	struct layout l = {
		.flow = flow, .narrow = narrow, .thick = base_alloc_array(flow->band_count, sizeof(int)),
		.left = column_of(flow->left, flow->left_count), .right = column_of(flow->right, flow->right_count),
	};
	int tall;

	l.left.x = narrow ? 0 : 166;
	l.left.text_x = narrow ? 0 : 158;
	l.left.anchor = narrow ? "start" : "end";
	l.right.x = narrow ? SVG_NARROW - BAR_WIDTH : 424;
	l.right.text_x = narrow ? SVG_NARROW : 448;
	l.right.anchor = narrow ? "end" : "start";
	measure_bands(&l);
	place(&l, &l.left);
	place(&l, &l.right);
	tall = l.left.tall > l.right.tall ? l.left.tall : l.right.tall;
	centre(&l.left, tall);
	centre(&l.right, tall);
	l.picture = svg_begin(h, narrow, tall - GAP + 2 * MARGIN, flow->title, flow->description);
	draw_bands(h, &l);
	draw_column(h, &l, &l.left);
	draw_column(h, &l, &l.right);
	svg_end(h);
	column_free(&l.left);
	column_free(&l.right);
	free(l.thick);
}

void svg_flow(struct html *h, const struct svg_flow *flow)
{
	if (flow->left_count == 0 || flow->right_count == 0)
		return;
	draw(h, flow, false);
	draw(h, flow, true);
}

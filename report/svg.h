/* svg.h - pictures inside a page: who sent how much to whom, and what happened when
 *
 * Lays out and draws; what things mean is the caller's. Each picture is drawn twice, wide and narrow, and the
 * page's style shows the one that fits (and never both, to nobody). Kinds of things are told apart by colour
 * and by pattern: `look` is 0 to SVG_LOOKS - 1. Same input, same bytes.
 *
 * Thread: any. Memory: on the stack. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "report/html.h"

#define SVG_LOOKS 6

/* Bands between two columns of bars, as thick as their amounts. */

struct svg_bar {
	const char *label, *note;	/* of any length: broken into lines, and cut */
	unsigned look;
};

struct svg_band {
	unsigned from, to;		/* numbers in left and right */
	int64_t amount;
};

/* In the order in which they are given. */
struct svg_flow {
	const char *title, *description;	/* for who does not see it */
	const struct svg_bar *left, *right;
	unsigned left_count, right_count;
	const struct svg_band *bands;
	unsigned band_count;
};

/* Nothing where there are no bars. */
void svg_flow(struct html *h, const struct svg_flow *flow);

/* Lanes of what was going on when. */

#define SVG_TIME_STEPS 480	/* the time is shown in so many */
enum svg_busy { SVG_IDLE, SVG_OPEN, SVG_BUSY };

struct svg_lane {
	char label[128], note[128];
	unsigned look;
	uint8_t busy[SVG_TIME_STEPS];	/* enum svg_busy */
};

struct svg_timeline {
	const char *title, *description;
	int64_t from_ns, to_ns;
	const struct svg_lane *lanes;
	unsigned lane_count;
};

/* Marks the steps between two times; what is busy stays so. Times outside are brought inside. */
void svg_lane_mark(struct svg_lane *lane, const struct svg_timeline *of, int64_t from_ns, int64_t to_ns,
		   enum svg_busy busy);
void svg_timeline(struct html *h, const struct svg_timeline *timeline);

#endif

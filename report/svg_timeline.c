#include "report/svg_part.h"

#include "capture/base.h"

#include <string.h>
#include <time.h>

#define LANE_HEIGHT 22
#define BUSY_HEIGHT 18
#define OPEN_HEIGHT 6
#define TICKS_WIDE 6
#define TICKS_NARROW 3
#define AXIS_HEIGHT 40

struct layout {
	const struct svg_timeline *line;
	bool narrow;
	unsigned picture;
	int x, width;		/* of the time */
};

static int64_t span(const struct svg_timeline *line)
{
	return line->to_ns > line->from_ns ? line->to_ns - line->from_ns : 1;
}

/* `of` parts of the line, at this time. */
static int at(const struct svg_timeline *line, int64_t ns, int of)
{
	if (ns < line->from_ns)
		ns = line->from_ns;
	if (ns > line->to_ns)
		ns = line->to_ns;
	return (int)((double)(ns - line->from_ns) * of / (double)span(line));
}

void svg_lane_mark(struct svg_lane *lane, const struct svg_timeline *of, int64_t from_ns, int64_t to_ns,
		   enum svg_busy busy)
{
	int first = at(of, from_ns, SVG_TIME_STEPS - 1), last = at(of, to_ns, SVG_TIME_STEPS - 1);

	for (int i = first; i <= last; i++)
		if (lane->busy[i] < busy)
			lane->busy[i] = (uint8_t)busy;
}

static void draw_lane(struct html *h, const struct layout *l, const struct svg_lane *lane, int y)
{
	fprintf(h->out, "<path class=\"rule\" d=\"M%d %dh%d\"/>\n", l->x, y + LANE_HEIGHT / 2, l->width);
	for (int i = 0, n; i < SVG_TIME_STEPS; i += n) {
		n = 1;
		while (i + n < SVG_TIME_STEPS && lane->busy[i + n] == lane->busy[i])
			n++;
		if (lane->busy[i] == SVG_IDLE)
			continue;
		int tall = lane->busy[i] == SVG_BUSY ? BUSY_HEIGHT : OPEN_HEIGHT;
		int x = i * l->width / SVG_TIME_STEPS, end = (i + n) * l->width / SVG_TIME_STEPS;

		svg_rect(h, l->picture, lane->look, l->x + x, y + (LANE_HEIGHT - tall) / 2,
			 end - x < 3 ? 3 : end - x, tall);
	}
}

/* The shortest round time that there are no more than so many of. */
static int64_t step_of(const struct svg_timeline *line, int most)
{
	static const int64_t seconds[] = { 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200,
					   86400, 172800, 604800, 2592000, 31536000 };
	int64_t ms = BASE_NS_PER_S / 1000, step = ms;

	while (step < BASE_NS_PER_S && span(line) / step > most)
		step *= 10;
	for (unsigned i = 0; step >= BASE_NS_PER_S && i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		step = seconds[i] * BASE_NS_PER_S;
		if (span(line) / step <= most)
			break;
	}
	while (span(line) / step > most)
		step *= 10;
	return step;
}

static void tick_words(int64_t ns, int64_t step, char *time_out, char *day_out, size_t size)
{
	time_t t = (time_t)(ns / BASE_NS_PER_S);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(time_out, size, step % (60 * BASE_NS_PER_S) == 0 ? "%H:%M" : "%H:%M:%S", &tm);
	if (step < BASE_NS_PER_S)
		snprintf(time_out + 8, size - 8, ".%03d", (int)(ns % BASE_NS_PER_S / (BASE_NS_PER_S / 1000)));
	strftime(day_out, size, "%Y-%m-%d", &tm);
}

static void draw_axis(struct html *h, const struct layout *l, int y)
{
	int64_t step = step_of(l->line, l->narrow ? TICKS_NARROW : TICKS_WIDE), from = l->line->from_ns;
	uint64_t past = from % step > 0 ? (uint64_t)(step - from % step) : 0;	/* the begin */
	char time[32], day[32], before[32] = "";

	for (; past <= (uint64_t)span(l->line); past += (uint64_t)step) {
		int64_t ns = from + (int64_t)past;
		int x = l->x + at(l->line, ns, l->width);
		const char *anchor = x > l->x + l->width - 40 ? "end" : x < l->x + 40 && l->narrow ? "start" : "middle";

		tick_words(ns, step, time, day, sizeof(time));
		fprintf(h->out, "<path class=\"rule\" d=\"M%d 0v%d\"/>\n", x, y + 4);
		fprintf(h->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"note\">%s</text>\n", x, y + 17, anchor,
			time);
		if (!l->narrow && strcmp(day, before) != 0)
			fprintf(h->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"note\">%s</text>\n", x,
				y + 32, anchor, day);
		strcpy(before, day);
	}
}

static void draw(struct html *h, const struct svg_timeline *line, bool narrow)
{
	struct layout l = { .line = line, .narrow = narrow, .x = narrow ? 4 : 230 };
	int lane_height = narrow ? LANE_HEIGHT + 2 * SVG_LINE + 4 : 2 * SVG_LINE + 8;
	int height = (int)line->lane_count * lane_height;

	l.width = (narrow ? SVG_NARROW : SVG_WIDE) - l.x - 4;
	l.picture = svg_begin(h, narrow, height + AXIS_HEIGHT, line->title, line->description);
	draw_axis(h, &l, height);
	for (unsigned i = 0; i < line->lane_count; i++) {
		const struct svg_lane *lane = &line->lanes[i];
		int y = (int)i * lane_height;
		struct svg_lines name, note;

		svg_break(&name, lane->label, narrow ? 38 : 27, 1);
		svg_break(&note, lane->note, narrow ? 46 : 33, 1);
		svg_text(h, narrow ? 0 : 222, y + 14, narrow ? "start" : "end", "label", &name);
		svg_text(h, narrow ? 0 : 222, y + 14 + SVG_LINE, narrow ? "start" : "end", "note", &note);
		draw_lane(h, &l, lane, narrow ? y + 2 * SVG_LINE + 2 : y + 6);
	}
	svg_end(h);
}

void svg_timeline(struct html *h, const struct svg_timeline *timeline)
{
	if (timeline->lane_count == 0)
		return;
	draw(h, timeline, false);
	draw(h, timeline, true);
}

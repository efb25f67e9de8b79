#include "report/correlate.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

#define BIN_NS (10 * BASE_NS_PER_S)	/* classify/flow.h's interval */
#define BINS_MAX (1 << 18)		/* 30 days; a longer time is divided more coarsely */
#define FETCHES_MAX 1024		/* the largest tell; the rest is little */
#define BACKED_NS (600 * BASE_NS_PER_S)
#define BURST_NS (60 * BASE_NS_PER_S)
#define DAY_NS (86400 * BASE_NS_PER_S)
#define NEAR_NS (7200 * BASE_NS_PER_S)	/* from whole days: shifts that leave the hours of the day in place */
#define STEPS 8				/* shifts tried in a lag window */
#define LEFT_OUT 2			/* bursts of uploads that may be files */
#define FILE_NS (600 * BASE_NS_PER_S)	/* a burst that goes on for longer is several */

static const int64_t lags_ns[] = { 20 * BASE_NS_PER_S, 120 * BASE_NS_PER_S, 600 * BASE_NS_PER_S,
				   3600 * BASE_NS_PER_S };
#define LAGS (sizeof(lags_ns) / sizeof(lags_ns[0]))

struct point {
	int64_t time_ns;
	uint64_t down, up;
};

struct correlate {
	struct point *points;
	size_t count, size;
};

struct fetch {
	size_t bin;
	double bytes;
};

/* The two series in intervals of bin_ns. */
struct series {
	size_t bins;		/* whole days where it is more than one */
	size_t day;		/* bins of a day; 0 when they are longer */
	int64_t bin_ns;
	struct fetch *fetches;
	size_t fetch_count;
	double *up_before;	/* [2 * bins + 1]: all that went up before an interval, going round twice */
	double up;
};

struct correlate *correlate_new(void)
{
	return base_alloc(sizeof(struct correlate));
}

void correlate_free(struct correlate **c)
{
	if (*c == NULL)
		return;
	free((*c)->points);
	free(*c);
	*c = NULL;
}

void correlate_add(struct correlate *c, int64_t time_ns, uint64_t down, uint64_t up)
{
	if (down == 0 && up == 0)
		return;
	if (c->count == c->size) {
		c->size = c->size > 0 ? c->size * 2 : 64;
		c->points = base_realloc(c->points, c->size * sizeof(*c->points));
	}
	c->points[c->count++] = (struct point){ .time_ns = time_ns, .down = down, .up = up };
}

static int64_t floor_to(int64_t time_ns, int64_t length_ns)
{
	int64_t into = time_ns % length_ns;

	return time_ns - (into >= 0 ? into : into + length_ns);
}

static int by_bytes(const void *a, const void *b)
{
	const struct fetch *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->bin > y->bin) - (x->bin < y->bin);
}

static void keep_fetches(struct series *s, const double *down)
{
	for (size_t i = 0; i < s->bins; i++)
		s->fetch_count += down[i] > 0;
	s->fetches = base_alloc_array(s->fetch_count + 1, sizeof(*s->fetches));
	s->fetch_count = 0;
	for (size_t i = 0; i < s->bins; i++) {
		if (down[i] > 0)
			s->fetches[s->fetch_count++] = (struct fetch){ .bin = i, .bytes = down[i] };
	}
	qsort(s->fetches, s->fetch_count, sizeof(*s->fetches), by_bytes);
	if (s->fetch_count > FETCHES_MAX)
		s->fetch_count = FETCHES_MAX;
}

/* Points by time. Sums of whole numbers below 2^53, so their order changes nothing. */
static void fill(struct series *s, const struct point *points, size_t count)
{
	int64_t from_ns = floor_to(points[0].time_ns, BIN_NS), last_ns = points[count - 1].time_ns;
	double *down, *up;

	for (s->bin_ns = BIN_NS; (last_ns - from_ns) / s->bin_ns >= BINS_MAX; s->bin_ns *= 2)
		;
	s->bins = (size_t)((last_ns - from_ns) / s->bin_ns) + 1;
	s->day = (size_t)(DAY_NS / s->bin_ns);
	if (s->bins > s->day && s->day > 0)	/* round the circle it is the same hour again */
		s->bins += s->day - 1 - (s->bins - 1) % s->day;
	down = base_alloc_array(s->bins, sizeof(*down));
	up = base_alloc_array(s->bins, sizeof(*up));
	for (size_t i = 0; i < count; i++) {
		size_t bin = (size_t)((points[i].time_ns - from_ns) / s->bin_ns);

		down[bin] += (double)points[i].down;
		up[bin] += (double)points[i].up;
	}
	keep_fetches(s, down);
	s->up_before = base_alloc_array(2 * s->bins + 1, sizeof(*s->up_before));
	for (size_t i = 0; i < 2 * s->bins; i++)
		s->up_before[i + 1] = s->up_before[i] + up[i % s->bins];
	s->up = s->up_before[s->bins];
	free(down);
	free(up);
}

/* Bytes that fit when what went up is taken to have gone `shift` intervals earlier. */
static double fit(const struct series *s, size_t shift, size_t window)
{
	double sum = 0;

	for (size_t i = 0; i < s->fetch_count; i++) {
		size_t at = (s->fetches[i].bin + shift) % s->bins;
		double up = s->up_before[at + window] - s->up_before[at];

		sum += up < s->fetches[i].bytes ? up : s->fetches[i].bytes;
	}
	return sum;
}

static size_t window_of(const struct series *s, unsigned lag)
{
	return (size_t)(lags_ns[lag] / s->bin_ns) + 1;
}

/* Whether a shift leaves what depends on the hour in place, more or less. */
static bool is_near(const struct series *s, size_t shift)
{
	size_t near = (size_t)(NEAR_NS / s->bin_ns), hour = s->day > 0 ? shift % s->day : 0;

	return hour <= near || hour + near >= s->day || shift + near >= s->bins;
}

static size_t near_shifts(const struct series *s)
{
	size_t count = 0;

	for (size_t shift = 0; shift < s->bins; shift++)
		count += is_near(s, shift);
	return count;
}

/* As many lag windows as can reach the limit: no p is less than their share of all shifts, as each shift by
 * less than a window fits as well. One at least. */
static unsigned windows_tried(const struct series *s, double limit, unsigned tries)
{
	double shifts = (double)near_shifts(s);
	unsigned count = LAGS;

	while (count > 1 && (double)(window_of(s, count - 1) * count * tries) > limit * shifts)
		count--;
	return count;
}

static double share_of_shifts(const struct series *s, size_t window, double fits)
{
	size_t step = window < STEPS ? 1 : window / STEPS, all = 0, as_good = 0;

	for (size_t shift = 0; shift < s->bins; shift += step) {
		if (!is_near(s, shift))
			continue;
		as_good += fit(s, shift, window) >= fits;
		all++;
	}
	return (double)as_good / (double)all;
}

static int64_t mean_lag(const struct series *s, size_t window)
{
	double sum = 0, weight = 0;

	for (size_t i = 0; i < s->fetch_count; i++) {
		for (size_t lag = 0; lag < window; lag++) {
			size_t at = (s->fetches[i].bin + lag) % s->bins;
			double up = s->up_before[at + 1] - s->up_before[at];
			double fits = up < s->fetches[i].bytes ? up : s->fetches[i].bytes;

			sum += fits * (double)lag;
			weight += fits;
		}
	}
	return weight > 0 ? (int64_t)(sum / weight + 0.5) * s->bin_ns : 0;
}

/* Points by time, one at least. */
static void try_windows(const struct point *points, size_t count, double limit, unsigned tries,
			struct correlate_result *out)
{
	struct series s = { 0 };
	unsigned windows;

	fill(&s, points, count);
	windows = windows_tried(&s, limit, tries);
	for (unsigned i = 0; i < windows; i++) {
		size_t window = window_of(&s, i);
		double fits, p;

		if (window > s.bins)
			break;
		out->reach_ns = lags_ns[i];
		fits = fit(&s, 0, window);
		p = fits > 0 ? share_of_shifts(&s, window, fits) * windows * tries : 1;
		if (p >= out->p)
			continue;
		out->p = p;
		out->lag_ns = mean_lag(&s, window);
		out->fits = fits < s.up ? fits / s.up : 1;
	}
	free(s.fetches);
	free(s.up_before);
}

static int by_time(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void count_bursts(const struct point *points, size_t count, struct correlate_result *out)
{
	int64_t down_ns = INT64_MIN, up_ns = INT64_MIN;

	for (size_t i = 0; i < count; i++) {
		int64_t ns = points[i].time_ns;

		if (points[i].down > 0) {
			out->fetches += down_ns == INT64_MIN || ns - down_ns >= BURST_NS;
			down_ns = ns;
		}
		if (points[i].up > 0) {
			out->uploads += up_ns == INT64_MIN || ns - up_ns >= BURST_NS;
			up_ns = ns;
		}
	}
}

/* One point an interval; returns their number. */
static size_t merge_intervals(struct point *points, size_t count)
{
	size_t merged = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t time_ns = floor_to(points[i].time_ns, BIN_NS);

		if (merged > 0 && points[merged - 1].time_ns == time_ns) {
			points[merged - 1].down += points[i].down;
			points[merged - 1].up += points[i].up;
		} else {
			points[merged] = points[i];
			points[merged++].time_ns = time_ns;
		}
	}
	return merged;
}

/* Points by time, which it changes. Bytes of one interval have no order: a flow without samples lies within one. */
static double share_backed(struct point *points, size_t count)
{
	double up = 0, backed = 0;
	size_t oldest = 0;

	count = merge_intervals(points, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t left = points[i].up;

		while (points[oldest].time_ns < points[i].time_ns - BACKED_NS)
			oldest++;
		for (size_t k = oldest; left > 0 && k <= i; k++) {
			uint64_t taken = left < points[k].down ? left : points[k].down;

			points[k].down -= taken;
			left -= taken;
		}
		up += (double)points[i].up;
		backed += (double)(points[i].up - left);
	}
	return up > 0 ? backed / up : 0;
}

/* Of points by time. */
static void leave_out_largest_burst(struct point *points, size_t count)
{
	size_t from = 0, largest_from = 0, largest_to = 0;
	uint64_t bytes = 0, largest = 0;
	int64_t up_ns = INT64_MIN;

	for (size_t i = 0; i < count; i++) {
		if (points[i].up == 0)
			continue;
		if (up_ns == INT64_MIN || points[i].time_ns - up_ns >= BURST_NS ||
		    points[i].time_ns - points[from].time_ns >= FILE_NS) {
			from = i;
			bytes = 0;
		}
		up_ns = points[i].time_ns;
		bytes += points[i].up;
		if (bytes > largest) {
			largest = bytes;
			largest_from = from;
			largest_to = i + 1;
		}
	}
	for (size_t i = largest_from; i < largest_to; i++)
		points[i].up = 0;
}

static void look_at_rest(const struct point *all, size_t count, double limit, unsigned tries,
			 struct correlate_result *out)
{
	struct point *points = base_alloc_array(count, sizeof(*points));
	struct correlate_result rest = { .p = 1 };

	memcpy(points, all, count * sizeof(*points));
	for (int i = 0; i < LEFT_OUT; i++)
		leave_out_largest_burst(points, count);
	for (size_t i = 0; i < count; i++)
		out->rest_up += points[i].up;
	if (out->rest_up > 0) {
		try_windows(points, count, limit, tries, &rest);
		out->rest_backed = share_backed(points, count);
	}
	out->rest_p = rest.p;
	free(points);
}

void correlate_over(const struct correlate *c, double limit, unsigned tries, struct correlate_result *out)
{
	struct point *points = base_alloc_array(c->count + 1, sizeof(*points));

	*out = (struct correlate_result){ .p = 1, .rest_p = 1 };
	if (tries == 0)
		tries = 1;
	if (c->count > 0) {
		memcpy(points, c->points, c->count * sizeof(*points));
		qsort(points, c->count, sizeof(*points), by_time);
		out->span_ns = points[c->count - 1].time_ns - points[0].time_ns;
		count_bursts(points, c->count, out);
		try_windows(points, c->count, limit, tries, out);
		look_at_rest(points, c->count, limit, tries, out);
		out->backed = share_backed(points, c->count);
	}
	free(points);
}

/* correlate.h - whether one series of amounts follows another in time, beyond chance
 *
 * Mail that is fetched and then sent on shows as two series on the packet clock: bytes down, and bytes up
 * some time later. The measure is how many bytes fit: for each interval in which something was fetched the
 * lesser of that and of what went up in the lag window behind it, summed up. How often chance gives as much
 * is asked of the traffic itself: the series are shifted against each other in time, as on a circle, and the
 * p-value is the share of shifts that fit as well as none. All shifts (or every so many of them) are tried,
 * so no random numbers are needed. Only shifts by up to two hours, or as much more or less than whole days,
 * count: what comes and goes with the hours of the day does so in both series. Four lag windows (20 s, 2 and
 * 10 minutes, an hour) are tried as far as the time watched can tell anything of them (an hour, 2, 13 and
 * 100 days), and p is corrected for their number (Bonferroni).
 *
 * One file that is sent soon after a fetch of its size fits as well as a whole day's mail. So all is asked again
 * without the two largest bursts of uploads, of ten minutes at most: mail goes on to follow, a file or two do not.
 *
 * Thread: any; a series belongs to one. Memory: some 24 bytes a point, and 4 MB. Time: some million steps. */
#ifndef REPORT_CORRELATE_H
#define REPORT_CORRELATE_H

#include <stdbool.h>
#include <stdint.h>

struct correlate;

/* What was found. */
struct correlate_result {
	double p;		/* corrected; 1 where nothing fits */
	int64_t reach_ns;	/* the longest lag that could be tried */
	int64_t lag_ns;		/* mean over the bytes that fit, to an interval */
	double fits;		/* share of the bytes up that fit at that lag, at most 1 */
	double backed;		/* share of the bytes up for which as many, each once, were fetched in the ten
				 * minutes before, or in the same interval */
	unsigned fetches, uploads;	/* bursts: with pauses of a minute and more between them */
	int64_t span_ns;	/* from the first point to the last */
	uint64_t rest_up;	/* bytes up without the two largest bursts, and what becomes of p and backed then */
	double rest_p, rest_backed;
};

struct correlate *correlate_new(void);
void correlate_free(struct correlate **c);

/* In any order. */
void correlate_add(struct correlate *c, int64_t time_ns, uint64_t down, uint64_t up);

/* `limit` is the p that is asked for, `tries` how many series up are compared with this series down: p is
 * corrected for them as well. */
void correlate_over(const struct correlate *c, double limit, unsigned tries, struct correlate_result *out);

#endif

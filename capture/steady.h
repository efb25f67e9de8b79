/* steady.h - a clock that may be set, made one that does not go back
 *
 * Packets of an interface come in the order of their times but for microseconds. Where one comes more than
 * STEADY_BACK_NS before the latest, the clock was set back: times then go on from the latest, so that nothing in a
 * case comes before what it follows. Forward time may jump: that is a silence. */
#ifndef CAPTURE_STEADY_H
#define CAPTURE_STEADY_H

#include <stdint.h>

#define STEADY_BACK_NS 2000000000LL

struct steady {			/* zeroed at first */
	int64_t latest_ns;
	int64_t shift_ns;	/* by how much the clock was set back in all */
};

/* The time of the next packet; *back_out: by how much the clock was set back before it, 0 as a rule. */
int64_t steady_time(struct steady *s, int64_t time_ns, int64_t *back_out);

#endif

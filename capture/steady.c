#include "capture/steady.h"

int64_t steady_time(struct steady *s, int64_t time_ns, int64_t *back_out)
{
	int64_t ns = time_ns + s->shift_ns;

	*back_out = 0;
	if (s->latest_ns != 0 && ns < s->latest_ns - STEADY_BACK_NS) {
		*back_out = s->latest_ns - ns;
		s->shift_ns += *back_out;
		ns = s->latest_ns;
	}
	if (ns > s->latest_ns)
		s->latest_ns = ns;
	return ns;
}

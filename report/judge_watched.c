#include "report/judge_watched.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

#define SPANS_MAX 1024	/* what comes before the oldest of them then is late and left out */

void watched_free(struct watched *w)
{
	free(w->spans);
	*w = (struct watched){ 0 };
}

static bool is_silence(int64_t gap_ns, int64_t from_ns, int64_t to_ns)
{
	return from_ns < to_ns && (uint64_t)to_ns - (uint64_t)from_ns > (uint64_t)gap_ns;
}

/* With what counts of the silence before it. */
static int64_t span_ns(const struct watched *w, int64_t gap_ns, unsigned i)
{
	int64_t ns = w->spans[i].last_ns - w->spans[i].first_ns;

	return w->closed || i > 0 ? ns + gap_ns : ns;
}

/* In place of spans from to end - 1. */
static void replace(struct watched *w, unsigned from, unsigned end, struct watched_span span)
{
	if (from == end && w->count == w->size) {
		w->size = w->size > 0 ? w->size * 2 : 1;
		w->spans = base_realloc(w->spans, w->size * sizeof(*w->spans));
	}
	memmove(w->spans + from + 1, w->spans + end, (w->count - end) * sizeof(*w->spans));
	w->count += 1 - (end - from);
	w->spans[from] = span;
}

static void close_oldest(struct watched *w, int64_t gap_ns)
{
	w->closed_ns += span_ns(w, gap_ns, 0);
	w->closed_until_ns = w->spans[0].last_ns;
	w->closed = true;
	w->count--;
	memmove(w->spans, w->spans + 1, w->count * sizeof(*w->spans));
}

void watched_add(struct watched *w, int64_t gap_ns, int64_t first_ns, int64_t last_ns)
{
	struct watched_span span = { first_ns, last_ns };
	unsigned end = w->count, from;

	if (w->closed && !is_silence(gap_ns, w->closed_until_ns, first_ns))
		return;
	while (end > 0 && is_silence(gap_ns, last_ns, w->spans[end - 1].first_ns))
		end--;
	for (from = end; from > 0 && !is_silence(gap_ns, w->spans[from - 1].last_ns, first_ns); from--)
		;
	if (from < end && w->spans[from].first_ns < first_ns)
		span.first_ns = w->spans[from].first_ns;
	if (from < end && w->spans[end - 1].last_ns > last_ns)
		span.last_ns = w->spans[end - 1].last_ns;
	replace(w, from, end, span);
	if (w->count == SPANS_MAX)
		close_oldest(w, gap_ns);
}

int64_t watched_ns(const struct watched *w, int64_t gap_ns)
{
	int64_t ns = w->closed_ns;

	for (unsigned i = 0; i < w->count; i++)
		ns += span_ns(w, gap_ns, i);
	return ns;
}

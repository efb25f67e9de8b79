/* Interfaces, polled: what is waiting is taken, and when nothing is, the clock runs on. */
#include "capture/capture_part.h"

#include "capture/base.h"

#include <poll.h>
#include <stdlib.h>

#define LIVE_SECOND_NS BASE_NS_PER_S
#define LIVE_LOOK_NS (BASE_NS_PER_S / 10)	/* between two looks at the clock's duties */
#define LIVE_LOOK_FRAMES 256		/* frames between two looks at the clock */
/* An idle link's clock stays this far behind: packets may stand in a ring for SOURCE_LIVE_WAIT_MS. */
#define LIVE_BEHIND_NS (4LL * SOURCE_LIVE_WAIT_MS * 1000000)
/* After it was told to end: when nothing came for the first, the rings are empty; the second in any case. */
#define LIVE_DRAIN_MS (2 * SOURCE_LIVE_WAIT_MS)
#define LIVE_DRAIN_NS (LIVE_DRAIN_MS * 1000000LL)
#define LIVE_DRAIN_MAX_NS BASE_NS_PER_S

/* One interface and the frame it offers next. */
struct live_input {
	struct source_live *source;
	unsigned number;
	struct slab *slab;		/* where its last frame stands */
	struct frame next;
	bool has_next;
	int64_t gone_ns;		/* the clock when it was seen to be gone; 0 is not */
	int64_t tried_ns;		/* ... when it was last tried to open it again; 0: it was not told yet */
	struct capture_place place;
};

struct live {
	const struct capture_live_settings *settings;
	struct capture capture;
	struct live_input inputs[CAPTURE_OPEN];
	unsigned next_number;
	int64_t packet_ns, at_ns;	/* the latest packet time, and the clock when it was new; before any, of the start */
	int64_t looked_ns, second_ns;	/* the clock at the last look, and the last duties of a second */
	bool any;			/* packets came */
	bool ending;
};

static void offer(struct live *l, struct live_input *in)
{
	struct slab *slab = in->slab;

	in->has_next = source_live_next(in->source, &in->next, &slab);
	if (slab != in->slab)
		capture_flush(&l->capture);
	in->slab = slab;
}

static void tell_source(struct live *l, struct live_input *in, enum source_how how)
{
	const struct capture_sink *sink = l->capture.sink;

	source_live_losses(in->source, sink->lost, sink->context);
	capture_tell_unread(&l->capture, &in->place);
	in->place = (struct capture_place){ 0 };
	sink->ended(sink->context, in->number, source_live_end(in->source, how));
}

static void tell_gone(struct live *l, struct live_input *in)
{
	const struct capture_sink *sink = l->capture.sink;
	const struct source_end *end = source_live_end(in->source, SOURCE_VANISHED);
	uint64_t last = frame_id(in->number, end->last_frame);

	base_log("%s: the interface went away", end->path);
	source_live_skip(in->source);
	sink->lost(sink->context, &(struct loss){
		.reason = LOSS_INTERFACE, .frame = last, .last_frame = last, .time_ns = end->last_ns });
	tell_source(l, in, SOURCE_VANISHED);
}

/* What its ring holds is read first. */
static void mind_gone(struct live *l, struct live_input *in, int64_t now)
{
	if (in->gone_ns == 0)
		in->gone_ns = now;
	if (now - in->gone_ns < LIVE_DRAIN_NS || (in->tried_ns != 0 && now - in->tried_ns < LIVE_SECOND_NS))
		return;
	if (in->tried_ns == 0)
		tell_gone(l, in);
	in->tried_ns = now;
	if (!source_live_again(in->source, l->next_number))
		return;
	base_log("%s: the interface is back", source_live_name(in->source));
	in->number = l->next_number++;
	in->gone_ns = in->tried_ns = 0;
}

/* By the packets' clock, which need not be this machine's: of the latest packet and the time since. Who waits for the
 * first hears this machine's: it is what a link without any has, and what says that it is watched. */
static void tick_idle(struct live *l, int64_t now)
{
	if (now - l->at_ns > LIVE_BEHIND_NS)
		capture_tick(&l->capture, l->packet_ns + (now - l->at_ns) - LIVE_BEHIND_NS);
}

static void check_control(struct live *l)
{
	struct pollfd fd = { .fd = l->settings->control, .events = POLLIN };

	if (!l->ending && poll(&fd, 1, 0) > 0)
		l->ending = !l->settings->controlled(l->settings->control_context);
}

/* What is due by the clock and not by packets. */
static void look(struct live *l, int64_t now)
{
	bool second;

	if (now - l->looked_ns < LIVE_LOOK_NS)
		return;
	l->looked_ns = now;
	capture_flush(&l->capture);
	check_control(l);
	if (l->ending)
		return;
	second = now - l->second_ns >= LIVE_SECOND_NS;
	l->second_ns = second ? now : l->second_ns;
	for (unsigned i = 0; i < l->settings->source_count; i++) {
		struct live_input *in = &l->inputs[i];

		if (source_live_is_gone(in->source))
			mind_gone(l, in, now);
		else if (second)
			tell_source(l, in, SOURCE_RUNNING);
	}
}

/* Waits until a frame may be there or the control speaks; whether anything came. */
static bool wait_for_frames(struct live *l, int timeout_ms)
{
	struct pollfd fds[CAPTURE_OPEN + 1];
	unsigned count = l->settings->source_count;

	for (unsigned i = 0; i < count; i++)
		fds[i] = (struct pollfd){ .fd = source_live_fd(l->inputs[i].source), .events = POLLIN };
	fds[count] = (struct pollfd){ .fd = l->ending ? -1 : l->settings->control, .events = POLLIN };
	return poll(fds, count + 1, timeout_ms) > 0;
}

/* The input with the earliest of the frames that are waiting, or NULL. */
static struct live_input *earliest(struct live *l)
{
	struct live_input *best = NULL;

	for (unsigned i = 0; i < l->settings->source_count; i++) {
		struct live_input *in = &l->inputs[i];

		if (!in->has_next)
			offer(l, in);
		if (in->has_next && (best == NULL || in->next.time_ns < best->next.time_ns))
			best = in;
	}
	return best;
}

static void take(struct live *l, struct live_input *in)
{
	in->has_next = false;
	if (!l->any) {
		l->any = true;
		l->packet_ns = in->next.time_ns;
		capture_tick_anew(&l->capture);
	}
	capture_take(&l->capture, &in->next, in->slab, &in->place);
	if (in->next.time_ns > l->packet_ns)
		l->packet_ns = in->next.time_ns;
}

/* Takes what is waiting, up to LIVE_LOOK_FRAMES; whether that was anything. */
static bool take_waiting(struct live *l)
{
	struct live_input *in = NULL;
	unsigned taken = 0;

	while (taken < LIVE_LOOK_FRAMES && (in = earliest(l)) != NULL) {
		take(l, in);
		taken++;
	}
	return taken > 0;
}

static void run_until_told(struct live *l)
{
	while (!l->ending) {
		bool some = take_waiting(l);
		int64_t now = base_clock_ns(CLOCK_MONOTONIC);

		if (some) {
			l->at_ns = now;
		} else {
			capture_flush(&l->capture);
			tick_idle(l, now);
			wait_for_frames(l, (int)(LIVE_LOOK_NS / 1000000));
		}
		look(l, now);
	}
}

/* What the rings hold when it is told to end was on the wire before. What there is no time for is a loss. */
static void drain(struct live *l)
{
	int64_t until = base_clock_ns(CLOCK_MONOTONIC) + LIVE_DRAIN_MAX_NS;

	for (unsigned i = 0; i < l->settings->source_count; i++)
		source_live_stop(l->inputs[i].source);
	while (base_clock_ns(CLOCK_MONOTONIC) < until) {
		if (!take_waiting(l) && !wait_for_frames(l, LIVE_DRAIN_MS))
			break;
	}
	for (unsigned i = 0; i < l->settings->source_count; i++) {
		if (l->inputs[i].has_next)
			take(l, &l->inputs[i]);
		source_live_skip(l->inputs[i].source);
	}
}

void capture_live_run(const struct capture_live_settings *settings)
{
	struct live *l = base_alloc(sizeof(*l));

	l->settings = settings;
	l->next_number = settings->first_number;
	capture_begin(&l->capture, &settings->sink, settings->workers, settings->worker_count,
		      CAPTURE_LIVE_TICK_NS);
	for (unsigned i = 0; i < settings->source_count; i++) {
		l->inputs[i] = (struct live_input){ .source = settings->sources[i], .number = l->next_number++ };
		source_live_begin(settings->sources[i], l->inputs[i].number, settings->pool);
		tell_source(l, &l->inputs[i], SOURCE_RUNNING);
	}
	l->second_ns = l->at_ns = base_clock_ns(CLOCK_MONOTONIC);
	l->packet_ns = base_clock_ns(CLOCK_REALTIME);
	run_until_told(l);
	drain(l);
	for (unsigned i = 0; i < settings->source_count; i++) {
		struct live_input *in = &l->inputs[i];

		if (!source_live_is_gone(in->source))
			tell_source(l, in, SOURCE_COMPLETE);
		else if (in->tried_ns == 0)
			tell_gone(l, in);
	}
	capture_finish(&l->capture);
	free(l);
}

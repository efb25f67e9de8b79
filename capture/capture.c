#include "capture/capture_part.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One input file and the frame it offers next. */
struct input {
	unsigned number;
	struct source *source;		/* NULL: not open (any more) */
	struct slab *slab;		/* where its last frame stands */
	uint64_t bytes;			/* read so far */
	struct frame next;
	bool has_next;
	int64_t first_ns;
	struct capture_place place;
};

struct files {
	const struct capture_settings *settings;
	struct capture capture;
	struct input *inputs;		/* in order of first packet time */
	unsigned opened;		/* inputs[0 .. opened) were opened for reading */
	struct input *active[CAPTURE_OPEN];	/* those that have a next frame */
	unsigned active_count;
};

static void note_bytes(struct files *c, struct input *in)
{
	uint64_t bytes = source_bytes(in->source);

	c->capture.bytes += bytes - in->bytes;
	in->bytes = bytes;
}

/* Fetches the next frame of an input. When it stands in another slab than the one before, the workers
 * get what they have: their batches hold the old slab, which the source may be waiting for. */
static void advance(struct files *c, struct input *in)
{
	struct slab *slab = in->slab;

	in->has_next = source_next(in->source, &in->next, &slab);
	if (slab != in->slab) {
		capture_flush(&c->capture);
		note_bytes(c, in);
	}
	in->slab = slab;
}

static void tell_end(struct files *c, unsigned number, const struct source_end *end, uint64_t last)
{
	struct loss loss = { .frame = last, .last_frame = last, .time_ns = end->last_ns };

	if (end->how != SOURCE_COMPLETE) {
		loss.reason = LOSS_HALF_READ;
		c->settings->sink.lost(c->settings->sink.context, &loss);
	}
	for (unsigned i = 0; i < end->interface_count; i++) {
		loss.reason = LOSS_RECORDED_BY_TOOL;
		loss.packets = end->interfaces[i].recorded_dropped;
		capture_tell(&c->capture, &loss);
	}
	c->settings->sink.ended(c->settings->sink.context, number, end);
}

static void close_input(struct files *c, struct input *in)
{
	const struct source_end *end;

	capture_flush(&c->capture);
	end = source_end(in->source);
	note_bytes(c, in);
	capture_tell_unread(&c->capture, &in->place);
	tell_end(c, in->number, end, frame_id(in->number, end->last_frame));
	source_close(&in->source);
}

static int by_first_time(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* When a file begins, to open it no earlier than needed. Standard input and pipes can be read only
 * once, so they count as the earliest and are open from the start. */
static int64_t first_time(struct files *c, const char *path, unsigned number)
{
	struct source *s;
	struct frame f = { 0 };
	struct slab *slab = NULL;
	struct stat file;

	if (strcmp(path, "-") == 0 || stat(path, &file) != 0 || !S_ISREG(file.st_mode))
		return INT64_MIN;
	s = source_open(path, number, c->settings->pool, NULL);
	if (!source_next(s, &f, &slab))
		f.time_ns = INT64_MIN;
	source_close(&s);
	return f.time_ns;
}

static void order_inputs(struct files *c)
{
	const struct capture_settings *set = c->settings;

	for (unsigned i = 0; i < set->path_count; i++) {
		c->inputs[i].number = i;
		c->inputs[i].place.vantage = set->vantages != NULL ? set->vantages[i] : 0;
		if (set->path_count > 1)
			c->inputs[i].first_ns = first_time(c, set->paths[i], i);
	}
	qsort(c->inputs, set->path_count, sizeof(c->inputs[0]), by_first_time);
}

/* Opens an input; one that gives no frame is through at once. */
static void open_input(struct files *c, struct input *in)
{
	const struct capture_settings *set = c->settings;

	in->source = source_open(set->paths[in->number], in->number, set->pool, set->filter);
	advance(c, in);
	if (in->has_next)
		c->active[c->active_count++] = in;
	else
		close_input(c, in);
}

static bool earlier(const struct input *a, const struct input *b)
{
	if (a->next.time_ns != b->next.time_ns)
		return a->next.time_ns < b->next.time_ns;
	return a->number < b->number;
}

/* The place of the input whose next frame is the earliest; false when all are through. Opens those
 * whose time has come. */
static bool earliest(struct files *c, unsigned *place_out)
{
	for (;;) {
		unsigned best = 0;

		for (unsigned i = 1; i < c->active_count; i++)
			if (earlier(c->active[i], c->active[best]))
				best = i;
		*place_out = best;
		if (c->opened == c->settings->path_count || c->active_count == CAPTURE_OPEN ||
		    (c->active_count > 0 &&
		     c->inputs[c->opened].first_ns > c->active[best]->next.time_ns))
			return c->active_count > 0;
		open_input(c, &c->inputs[c->opened++]);
	}
}

void capture_run(const struct capture_settings *settings)
{
	struct files c = {
		.settings = settings,
		.inputs = base_alloc_array(settings->path_count, sizeof(struct input)),
	};
	unsigned place;

	capture_begin(&c.capture, &settings->sink, settings->workers, settings->worker_count,
		      CAPTURE_TICK_NS);
	order_inputs(&c);
	while (earliest(&c, &place)) {
		struct input *in = c.active[place];

		capture_take(&c.capture, &in->next, in->slab, &in->place);
		advance(&c, in);
		if (!in->has_next) {
			c.active[place] = c.active[--c.active_count];
			close_input(&c, in);
		}
	}
	capture_finish(&c.capture);
	free(c.inputs);
}

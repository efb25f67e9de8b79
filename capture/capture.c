#include "capture/capture.h"

#include "capture/base.h"
#include "capture/fragment.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CAPTURE_PROGRESS 65536	/* packets between two calls of progress */
#define CAPTURE_FRAGMENT_LOSSES 1000	/* told one by one; what comes after is told in one sum */

/* One input file and the frame it offers next. */
struct input {
	unsigned number;
	uint8_t vantage;
	struct source *source;		/* NULL: not open (any more) */
	struct slab *slab;		/* where its last frame stands */
	struct frame next;
	bool has_next;
	int64_t first_ns;
	struct loss undecodable, cut;
};

struct capture {
	const struct capture_settings *settings;
	struct input *inputs;		/* in order of first packet time */
	unsigned opened;		/* inputs[0 .. opened) were opened for reading */
	struct input *active[CAPTURE_OPEN];	/* those that have a next frame */
	unsigned active_count;
	struct fragment_table *fragments;
	struct loss fragment_rest;
	unsigned fragment_losses;
	struct batch **open;		/* one for each worker; NULL when nothing is in it */
	int64_t tick_ns;		/* the last tick that was sent */
	uint64_t packets, bytes;
};

static void flush(struct capture *c, unsigned worker)
{
	if (c->open[worker] != NULL) {
		queue_put(c->settings->workers[worker], c->open[worker]);
		c->open[worker] = NULL;
	}
}

static void flush_all(struct capture *c)
{
	for (unsigned i = 0; i < c->settings->worker_count; i++)
		flush(c, i);
}

static struct batch *batch_with_room(struct capture *c, unsigned worker)
{
	if (c->open[worker] != NULL && c->open[worker]->packet_count == BATCH_PACKETS)
		flush(c, worker);
	if (c->open[worker] == NULL)
		c->open[worker] = batch_new(BATCH_PACKETS_ONLY);
	return c->open[worker];
}

/* Puts a packet into its worker's batch and a reference to the slab it points into beside it. */
static void hand_over(struct capture *c, const struct packet *packet, uint8_t vantage, struct slab *slab)
{
	unsigned shard = flow_key_shard(&packet->key);
	unsigned worker = shard % c->settings->worker_count;
	struct batch *b = batch_with_room(c, worker);
	unsigned i = b->slab_count;

	while (i > 0 && b->slabs[i - 1] != slab)
		i--;
	if (i == 0) {
		if (b->slab_count == BATCH_SLABS) {
			flush(c, worker);
			b = batch_with_room(c, worker);
		}
		slab_hold(slab);
		b->slabs[b->slab_count++] = slab;
	}
	b->packets[b->packet_count] = *packet;
	b->packets[b->packet_count].key.vantage = vantage;
	b->packets[b->packet_count++].shard = (uint8_t)shard;
}

/* Every worker hears what time it is, at the same place in the order of packets. */
static void tick(struct capture *c, int64_t now_ns)
{
	int64_t at = now_ns - now_ns % CAPTURE_TICK_NS;

	if (at <= c->tick_ns)
		return;
	c->tick_ns = at;
	fragment_expire(c->fragments, at);
	for (unsigned i = 0; i < c->settings->worker_count; i++) {
		struct batch *b = batch_with_room(c, i);
		struct packet *p = &b->packets[b->packet_count++];

		memset(p, 0, sizeof(*p));
		p->time_ns = at;
	}
}

static void tell(struct capture *c, const struct loss *loss)
{
	if (loss->packets > 0)
		c->settings->sink.lost(c->settings->sink.context, loss);
}

static void add_loss(struct loss *sum, enum loss_reason reason, const struct frame *f)
{
	if (sum->packets++ == 0) {
		sum->reason = reason;
		sum->frame = f->id;
		sum->time_ns = f->time_ns;
	}
	sum->last_frame = f->id;
	sum->bytes += f->wire_len;
}

static void fragment_was_lost(void *context, const struct fragment_loss *lost)
{
	struct capture *c = context;
	struct loss loss = {
		.reason = LOSS_FRAGMENT, .frame = lost->first_frame, .last_frame = lost->last_frame,
		.time_ns = lost->time_ns, .packets = lost->parts, .bytes = lost->bytes, .has_hosts = true,
	};

	memcpy(loss.src, lost->src, sizeof(loss.src));
	memcpy(loss.dst, lost->dst, sizeof(loss.dst));
	if (c->fragment_losses++ < CAPTURE_FRAGMENT_LOSSES) {
		tell(c, &loss);
		return;
	}
	if (c->fragment_rest.packets == 0) {
		c->fragment_rest = loss;
		c->fragment_rest.has_hosts = false;
		return;
	}
	c->fragment_rest.last_frame = loss.last_frame;
	c->fragment_rest.packets += loss.packets;
	c->fragment_rest.bytes += loss.bytes;
}

/* Takes fragments in until a datagram is whole, and what is in that until it is no fragment. */
static enum packet_kind put_together(struct capture *c, const struct input *in, struct packet *packet,
				     struct packet_fragment *fragment, struct slab **slab_out)
{
	enum packet_kind kind = PACKET_FRAGMENT;
	uint8_t *whole = NULL;

	while (kind == PACKET_FRAGMENT) {
		struct packet_fragment of = *fragment;
		uint16_t parts;
		uint32_t len, wire_len;
		uint8_t *outer = whole;	/* a fragment inside it points into it */
		bool done;

		of.vantage = in->vantage;
		done = fragment_add(c->fragments, &of, packet, &whole, &len, &parts, &wire_len);
		if (!done)
			whole = NULL;
		if (done) {
			packet->wire_len = wire_len;
			packet->frame = in->next.id;
			kind = packet_decode_payload(&of, whole, len, packet, fragment);
			packet->fragments = parts;
		}
		free(outer);
		if (!done)
			return PACKET_FRAGMENT;
		*slab_out = NULL;
		if (kind == PACKET_IP)
			*slab_out = slab_wrap(whole, len);
		else if (kind != PACKET_FRAGMENT)
			free(whole);
	}
	return kind;
}

static void take_frame(struct capture *c, struct input *in)
{
	struct packet packet;
	struct packet_fragment fragment;
	struct slab *own = NULL;
	const struct frame *f = &in->next;
	enum packet_kind kind = packet_decode(f, &packet, &fragment);

	c->bytes += f->wire_len;
	if (++c->packets % CAPTURE_PROGRESS == 0 && c->settings->sink.progress != NULL)
		c->settings->sink.progress(c->settings->sink.context, c->packets, c->bytes);
	tick(c, f->time_ns);
	if (kind == PACKET_FRAGMENT)
		kind = put_together(c, in, &packet, &fragment, &own);
	switch (kind) {
	case PACKET_IP:
		hand_over(c, &packet, in->vantage, own != NULL ? own : in->slab);
		break;
	case PACKET_FRAGMENT:
	case PACKET_NOT_IP:
		break;
	case PACKET_CUT:
		add_loss(&in->cut, LOSS_SNAPLEN, f);
		break;
	case PACKET_BAD:
	case PACKET_OPAQUE:
	case PACKET_UNKNOWN_LINK:
		add_loss(&in->undecodable, LOSS_UNDECODABLE, f);
		break;
	}
	if (own != NULL)
		slab_drop(&own);
}

/* Fetches the next frame of an input. When it stands in another slab than the one before, the workers
 * get what they have: their batches hold the old slab, which the source may be waiting for. */
static void advance(struct capture *c, struct input *in)
{
	struct slab *slab = in->slab;

	in->has_next = source_next(in->source, &in->next, &slab);
	if (slab != in->slab)
		flush_all(c);
	in->slab = slab;
}

static void tell_end(struct capture *c, unsigned number, const struct source_end *end, uint64_t last)
{
	struct loss loss = { .frame = last, .last_frame = last, .time_ns = end->last_ns };

	if (end->how != SOURCE_COMPLETE) {
		loss.reason = LOSS_HALF_READ;
		c->settings->sink.lost(c->settings->sink.context, &loss);
	}
	for (unsigned i = 0; i < end->interface_count; i++) {
		loss.reason = LOSS_RECORDED_BY_TOOL;
		loss.packets = end->interfaces[i].recorded_dropped;
		tell(c, &loss);
	}
	c->settings->sink.ended(c->settings->sink.context, number, end);
}

static void close_input(struct capture *c, struct input *in)
{
	const struct source_end *end;

	flush_all(c);
	end = source_end(in->source);
	tell(c, &in->undecodable);
	tell(c, &in->cut);
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
static int64_t first_time(struct capture *c, const char *path, unsigned number)
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

static void order_inputs(struct capture *c)
{
	const struct capture_settings *set = c->settings;

	for (unsigned i = 0; i < set->path_count; i++) {
		c->inputs[i].number = i;
		c->inputs[i].vantage = set->vantages != NULL ? set->vantages[i] : 0;
		if (set->path_count > 1)
			c->inputs[i].first_ns = first_time(c, set->paths[i], i);
	}
	qsort(c->inputs, set->path_count, sizeof(c->inputs[0]), by_first_time);
}

/* Opens an input; one that gives no frame is through at once. */
static void open_input(struct capture *c, struct input *in)
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
static bool earliest(struct capture *c, unsigned *place_out)
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
	struct capture c = {
		.settings = settings,
		.inputs = base_alloc_array(settings->path_count, sizeof(struct input)),
		.open = base_alloc_array(settings->worker_count, sizeof(struct batch *)),
		.tick_ns = INT64_MIN,
	};
	unsigned place;

	c.fragments = fragment_table_new(base_seed(), fragment_was_lost, &c);
	order_inputs(&c);
	while (earliest(&c, &place)) {
		struct input *in = c.active[place];

		take_frame(&c, in);
		advance(&c, in);
		if (!in->has_next) {
			c.active[place] = c.active[--c.active_count];
			close_input(&c, in);
		}
	}
	fragment_expire(c.fragments, INT64_MAX);
	tell(&c, &c.fragment_rest);
	fragment_table_free(&c.fragments);
	flush_all(&c);
	for (unsigned i = 0; i < settings->worker_count; i++)
		queue_put(settings->workers[i], batch_new(BATCH_END));
	free(c.inputs);
	free(c.open);
}

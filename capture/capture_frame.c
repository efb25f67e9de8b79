/* Frames decoded, put together, and handed over in batches: what files and interfaces share. */
#include "capture/capture_part.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>

#define CAPTURE_PROGRESS 4096	/* packets between two calls of progress */
#define CAPTURE_FRAGMENT_LOSSES 1000	/* told one by one; what comes after is told in one sum */

static void flush(struct capture *c, unsigned worker)
{
	if (c->open[worker] != NULL) {
		queue_put(c->workers[worker], c->open[worker]);
		c->open[worker] = NULL;
	}
}

void capture_flush(struct capture *c)
{
	for (unsigned i = 0; i < c->worker_count; i++)
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
	unsigned worker = shard % c->worker_count;
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

void capture_tick(struct capture *c, int64_t now_ns)
{
	int64_t at = now_ns - now_ns % c->every_ns;

	if (at <= c->tick_ns)
		return;
	c->tick_ns = at;
	fragment_expire(c->fragments, at);
	for (unsigned i = 0; i < c->worker_count; i++) {
		struct batch *b = batch_with_room(c, i);
		struct packet *p = &b->packets[b->packet_count++];

		memset(p, 0, sizeof(*p));
		p->time_ns = at;
	}
}

void capture_tick_anew(struct capture *c)
{
	c->tick_ns = INT64_MIN;
}

void capture_tell(struct capture *c, const struct loss *loss)
{
	if (loss->packets > 0)
		c->sink->lost(c->sink->context, loss);
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
		capture_tell(c, &loss);
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
static enum packet_kind put_together(struct capture *c, const struct frame *f, uint8_t vantage,
				     struct packet *packet, struct packet_fragment *fragment,
				     struct slab **slab_out)
{
	enum packet_kind kind = PACKET_FRAGMENT;
	uint8_t *whole = NULL;

	while (kind == PACKET_FRAGMENT) {
		struct packet_fragment of = *fragment;
		uint16_t parts;
		uint32_t len, wire_len;
		uint8_t *outer = whole;	/* a fragment inside it points into it */
		bool done;

		of.vantage = vantage;
		done = fragment_add(c->fragments, &of, packet, &whole, &len, &parts, &wire_len);
		if (!done)
			whole = NULL;
		if (done) {
			packet->wire_len = wire_len;
			packet->frame = f->id;
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

/* 0 where it is more than anybody's headers. */
static uint16_t head_len(const struct frame *f, const struct packet *packet)
{
	ptrdiff_t n = packet->payload - f->data;

	return n <= UINT16_MAX ? (uint16_t)n : 0;
}

void capture_take(struct capture *c, const struct frame *f, struct slab *slab, struct capture_place *place)
{
	struct packet packet;
	struct packet_fragment fragment;
	struct slab *own = NULL;
	enum packet_kind kind = packet_decode(f, &packet, &fragment);

	if (++c->packets % CAPTURE_PROGRESS == 0 && c->sink->progress != NULL)
		c->sink->progress(c->sink->context, c->packets, c->bytes);
	capture_tick(c, f->time_ns);
	if (kind == PACKET_FRAGMENT)
		kind = put_together(c, f, place->vantage, &packet, &fragment, &own);
	switch (kind) {
	case PACKET_IP:
		packet.head_len = own != NULL ? 0 : head_len(f, &packet);
		hand_over(c, &packet, place->vantage, own != NULL ? own : slab);
		break;
	case PACKET_FRAGMENT:
	case PACKET_NOT_IP:
		break;
	case PACKET_CUT:
		add_loss(&place->cut, LOSS_SNAPLEN, f);
		break;
	case PACKET_BAD:
	case PACKET_OPAQUE:
	case PACKET_UNKNOWN_LINK:
		add_loss(&place->undecodable, LOSS_UNDECODABLE, f);
		break;
	}
	if (own != NULL)
		slab_drop(&own);
}

void capture_tell_unread(struct capture *c, const struct capture_place *place)
{
	capture_tell(c, &place->undecodable);
	capture_tell(c, &place->cut);
}

void capture_begin(struct capture *c, const struct capture_sink *sink, struct queue *const *workers,
		   unsigned worker_count, int64_t every_ns)
{
	*c = (struct capture){
		.sink = sink, .workers = workers, .worker_count = worker_count,
		.open = base_alloc_array(worker_count, sizeof(struct batch *)),
		.every_ns = every_ns, .tick_ns = INT64_MIN,
	};
	c->fragments = fragment_table_new(base_seed(), fragment_was_lost, c);
}

void capture_finish(struct capture *c)
{
	fragment_expire(c->fragments, INT64_MAX);
	capture_tell(c, &c->fragment_rest);
	fragment_table_free(&c->fragments);
	capture_flush(c);
	for (unsigned i = 0; i < c->worker_count; i++)
		queue_put(c->workers[i], batch_new(BATCH_END));
	free(c->open);
}

#include "classify/worker.h"

#include "capture/base.h"
#include "capture/siphash.h"
#include "classify/certificate.h"
#include "classify/flow_table.h"
#include "classify/reader.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PORT_HTTPS 443
#define SHOWN 512	/* certificates of a shard whose names need not be said again */
#define WORKER_SOON 12	/* packets ahead: their buckets */
#define WORKER_NEXT 6	/* ... and their flows are fetched from memory */

/* The names one shard told in this minute, and those that were too many, in all. */
struct names {
	int64_t minute;
	uint32_t told;
	uint64_t left_out, first_frame, last_frame;
	int64_t first_ns;
};

/* A client was shown a server's certificate. */
struct shown {
	uint8_t client[16], server[16], sha256[32];
};

struct worker {
	struct queue *in, *out;
	unsigned index, count;
	struct flow_hash hash;
	struct flow_ids *ids;
	struct flow_table *shards[FLOW_SHARDS];		/* NULL where another worker owns it */
	struct fact_batch *facts;
	struct reader reader;
	struct names names[FLOW_SHARDS];
	struct certificate_judge *judge;
	struct shown shown[FLOW_SHARDS][SHOWN];
	unsigned shard;			/* of the packet that is being read */
};

/* Room for one more fact of this kind, not zeroed. */
static struct fact *say(struct worker *w, enum fact_kind kind)
{
	if (w->facts != NULL && w->facts->count == FACT_BATCH) {
		queue_put(w->out, w->facts);
		w->facts = NULL;
	}
	if (w->facts == NULL) {
		w->facts = base_realloc(NULL, sizeof(*w->facts));
		w->facts->count = 0;
	}

	struct fact *fact = &w->facts->facts[w->facts->count++];

	fact->kind = kind;
	return fact;
}

/* Whether a name is one too many. */
static bool too_many_names(struct names *n, uint64_t frame, int64_t time_ns)
{
	int64_t minute = time_ns / WORKER_NAMES_NS;

	if (minute != n->minute) {
		n->minute = minute;
		n->told = 0;
	}
	if (n->told++ < WORKER_SHARD_NAMES)
		return false;
	if (n->left_out++ == 0) {
		n->first_frame = frame;
		n->first_ns = time_ns;
	}
	n->last_frame = frame;
	return true;
}

static void say_name(void *context, const struct fact *fact)
{
	struct worker *w = context;
	bool name = fact->kind == FACT_NAME;
	struct fact *copy;

	if (too_many_names(&w->names[w->shard], name ? fact->name.id : fact->mail_dns.id,
			   name ? fact->name.from_ns : fact->mail_dns.time_ns))
		return;
	copy = say(w, fact->kind);
	if (name)
		copy->name = fact->name;
	else
		copy->mail_dns = fact->mail_dns;
}

struct worker *worker_new(unsigned index, unsigned count, struct queue *in, struct queue *out,
			  size_t max_flows)
{
	struct worker *w = base_alloc(sizeof(*w));

	*w = (struct worker){ .in = in, .out = out, .index = index, .count = count };
	w->judge = certificate_judge_new(NULL);
	w->reader = (struct reader){ .dpi = dpi_new(), .say = say_name, .say_context = w };
	flow_hash_new(&w->hash, base_seed());
	w->ids = flow_ids_new();
	for (unsigned i = index; i < FLOW_SHARDS; i += count)
		w->shards[i] = flow_table_new(max_flows > 0 ? max_flows : WORKER_SHARD_FLOWS);
	return w;
}

void worker_free(struct worker **worker)
{
	struct worker *w = *worker;

	if (w == NULL)
		return;
	for (unsigned i = 0; i < FLOW_SHARDS; i++)
		flow_table_free(&w->shards[i]);
	certificate_judge_free(&w->judge);
	dpi_free(&w->reader.dpi);
	flow_ids_free(&w->ids);
	free(w->facts);
	free(w);
	*worker = NULL;
}

void worker_trust(struct worker *w, struct certificate_store *store)
{
	certificate_judge_free(&w->judge);
	w->judge = certificate_judge_new(store);
}

/* Whether these two met with this certificate before, as far as is remembered. Per shard, and hashed without a
 * key, so that what is said depends on the traffic alone; who makes it collide has names said again. */
static bool shown_before(struct worker *w, unsigned shard, const struct shown *now)
{
	struct shown *slot = &w->shown[shard][siphash(now, sizeof(*now), 0, 0) % SHOWN];

	if (memcmp(slot, now, sizeof(*now)) == 0)
		return true;
	*slot = *now;
	return false;
}

/* At most CERTIFICATE_NAMES_MAX for a handshake, which is longer than what is said of it. */
static void say_certificate_names(struct worker *w, const struct certificate_chain *chain,
				  const struct shown *shown, const struct watch_chain *seen)
{
	for (unsigned i = 0; i < chain->name_count; i++) {
		struct fact_name *n = &say(w, FACT_NAME)->name;

		*n = (struct fact_name){
			.id = seen->frame, .place = i, .kind = NAME_CERTIFICATE, .from_ns = seen->time_ns,
			.until_ns = chain->certificates[0].not_after < INT64_MAX / BASE_NS_PER_S ?
				    chain->certificates[0].not_after * BASE_NS_PER_S : INT64_MAX,
		};
		memcpy(n->asked_by, shown->client, sizeof(n->asked_by));
		memcpy(n->address, shown->server, sizeof(n->address));
		base_copy(n->name, sizeof(n->name), chain->names[i]);
		base_copy(n->canonical, sizeof(n->canonical), chain->names[i]);
	}
}

static void say_certificates(struct worker *w, unsigned shard, const struct fact_flow *f,
			     const struct watch_facts *facts)
{
	const struct watch_chain *seen = facts->chain;
	const struct certificate_chain *chain = certificate_judge(w->judge, seen, facts->handshake.sni);
	bool responder = seen->from == SIDE_RESPONDER;
	struct shown shown;

	for (unsigned i = 0; i < chain->count; i++) {
		struct fact_certificate *c = &say(w, FACT_CERTIFICATE)->certificate;

		*c = chain->certificates[i];
		c->flow = f->id;
		c->frame = seen->frame;
		c->time_ns = seen->time_ns;
	}
	if (chain->name_count == 0)
		return;
	memcpy(shown.client, responder ? f->orig_addr : f->resp_addr, sizeof(shown.client));
	memcpy(shown.server, responder ? f->resp_addr : f->orig_addr, sizeof(shown.server));
	memcpy(shown.sha256, chain->certificates[0].sha256, sizeof(shown.sha256));
	/* Of a certificate that covers the name that was asked for, no flow's own copy is wanted. */
	if (!shown_before(w, shard, &shown) || chain->certificates[0].covers_sni != 1)
		say_certificate_names(w, chain, &shown, seen);
}

static void say_loss(struct worker *w, const struct fact_flow *f, enum loss_reason reason,
		     uint64_t packets, uint64_t bytes)
{
	struct fact_loss *loss = &say(w, FACT_LOSS)->loss;

	*loss = (struct fact_loss){
		.id = f->id, .last_frame = f->last_frame, .reason = reason, .time_ns = f->first_ns,
		.packets = packets, .bytes = bytes, .flow = f->id, .has_hosts = true,
	};
	memcpy(loss->src, f->orig_addr, sizeof(loss->src));
	memcpy(loss->dst, f->resp_addr, sizeof(loss->dst));
}

/* A server's side alone. What a client sends by QUIC is answered, and all that a QUIC server sends answers
 * something. */
static bool half_of_quic(const struct fact_flow *f)
{
	return f->proto == IPPROTO_UDP && f->packets[SIDE_ORIGINATOR] == 0 && f->resp_port == PORT_HTTPS;
}

/* What of this flow was not seen. A connection attempt that nobody answered lost nothing, and neither
 * did one side of a protocol without answers. */
static void say_losses(struct worker *w, const struct fact_flow *f, enum flow_end end)
{
	bool talked = f->payload[0] + f->payload[1] > 0;
	bool tcp = f->proto == IPPROTO_TCP;

	if (f->missing[0] + f->missing[1] > 0)
		say_loss(w, f, LOSS_GAP, 0, f->missing[0] + f->missing[1]);
	if (f->packets_cut > 0)
		say_loss(w, f, LOSS_SNAPLEN, f->packets_cut, 0);
	if (talked && ((tcp && (f->packets[0] == 0 || f->packets[1] == 0)) || half_of_quic(f)))
		say_loss(w, f, LOSS_ONE_DIRECTION, 0, 0);
	if (end == FLOW_EVICTED && talked && f->end == FLOW_EVICTED)
		say_loss(w, f, LOSS_EVICTED, 0, 0);
}

static void say_sample(struct worker *w, struct flow *f, int64_t now_ns)
{
	struct fact_flow_sample sample;

	if (flow_sample(f, now_ns, &sample))
		say(w, FACT_FLOW_SAMPLE)->flow_sample = sample;
}

static void describe(struct worker *w, struct flow_table *t, struct flow *f, enum flow_end end)
{
	struct fact_flow *fact;
	const struct watch_facts *facts;

	if (flow_is_sampled(f))
		say_sample(w, f, f->last_ns);
	reader_end(&w->reader, f);
	fact = &say(w, FACT_FLOW)->flow;
	flow_describe(f, end, w->ids, fact);

	struct fact_flow said = *fact;

	facts = f->facts;
	if (facts != NULL && facts->has_handshake) {
		struct fact *h = say(w, FACT_HANDSHAKE);

		h->handshake = facts->handshake;
		h->handshake.flow = f->id;
	}
	if (facts != NULL && facts->has_mail) {
		struct fact *m = say(w, FACT_MAIL_SESSION);

		m->mail_session = facts->mail;
		m->mail_session.flow = f->id;
	}
	if (facts != NULL && facts->has_disclosure) {
		struct fact *d = say(w, FACT_DISCLOSURE);

		d->disclosure = facts->disclosure;
		d->disclosure.flow = f->id;
	}
	if (facts != NULL && facts->chain != NULL)
		say_certificates(w, flow_key_shard(&f->key), &said, facts);
	say_losses(w, &said, end);
	reader_free(f);
	flow_table_remove(t, f);
}

static void let_go_timed_out(struct worker *w, int64_t now_ns)
{
	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count) {
		struct flow *f;

		while ((f = flow_table_timed_out(w->shards[i], now_ns)) != NULL)
			describe(w, w->shards[i], f, FLOW_TIMED_OUT);
	}
}

static struct flow *new_flow(struct worker *w, struct flow_table *t, const struct packet *p, uint64_t hash)
{
	struct flow *f = flow_table_add(t, &p->key, hash);

	if (f == NULL) {
		describe(w, t, flow_table_idlest(t), FLOW_EVICTED);
		f = flow_table_add(t, &p->key, hash);
	}
	flow_begin(f, p);
	return f;
}

/* A flood of flows that keep much waiting costs accuracy, never memory. */
static void keep_under_limit(struct worker *w, struct flow_table *t)
{
	while (flow_table_memory(t) > WORKER_SHARD_BYTES)
		describe(w, t, flow_table_idlest(t), FLOW_EVICTED);
}

static void step(struct worker *w, const struct packet *p, uint64_t hash)
{
	struct flow_table *t;
	struct flow *f;

	if (p->frame == 0) {
		let_go_timed_out(w, p->time_ns);
		return;
	}
	w->shard = p->shard;
	t = w->shards[p->shard];
	f = flow_table_find(t, &p->key, hash);
	if (f != NULL && flow_is_over_for(f, p)) {
		describe(w, t, f, FLOW_OPEN);
		f = NULL;
	}
	if (f == NULL)
		f = new_flow(w, t, p, hash);
	if (p->time_ns >= f->sample_end_ns)
		say_sample(w, f, p->time_ns);
	flow_table_touch(t, f, flow_count(f, p));
	reader_packet(&w->reader, f, p);
	flow_table_note_memory(t, f, reader_memory(f));
	keep_under_limit(w, t);
}

void worker_step(struct worker *w, const struct packet *p)
{
	step(w, p, flow_key_hash(&p->key, &w->hash));
}

/* Ticks belong to no shard. */
static struct flow_table *table_of(const struct worker *w, const struct packet *p)
{
	return p->frame == 0 ? NULL : w->shards[p->shard];
}

/* All hashes first: what the packets some places ahead will need is then fetched meanwhile. */
static void take_batch(struct worker *w, const struct batch *b)
{
	uint64_t hashes[BATCH_PACKETS];

	for (unsigned i = 0; i < b->packet_count; i++)
		hashes[i] = flow_key_hash(&b->packets[i].key, &w->hash);
	for (unsigned i = 0; i < b->packet_count; i++) {
		unsigned soon = i + WORKER_SOON, next = i + WORKER_NEXT;
		const struct flow_table *t;

		if (soon < b->packet_count && (t = table_of(w, &b->packets[soon])) != NULL)
			flow_table_soon(t, hashes[soon]);
		if (next < b->packet_count && (t = table_of(w, &b->packets[next])) != NULL)
			flow_table_next(t, hashes[next]);
		step(w, &b->packets[i], hashes[i]);
	}
}

static void say_names_left_out(struct worker *w, const struct names *n)
{
	if (n->left_out > 0)
		say(w, FACT_LOSS)->loss = (struct fact_loss){
			.id = n->first_frame, .last_frame = n->last_frame, .reason = LOSS_EVICTED,
			.time_ns = n->first_ns,
		};
}

void worker_finish(struct worker *w)
{
	for (unsigned i = w->index; i < FLOW_SHARDS; i += w->count) {
		struct flow *f;

		while ((f = flow_table_idlest(w->shards[i])) != NULL)
			describe(w, w->shards[i], f, FLOW_OPEN);
		say_names_left_out(w, &w->names[i]);
	}
	say(w, FACT_END);
	queue_put(w->out, w->facts);
	w->facts = NULL;
}

void *worker_main(void *worker)
{
	struct worker *w = worker;
	bool end = false;

	while (!end) {
		struct batch *b = queue_take(w->in);

		take_batch(w, b);
		end = b->kind == BATCH_END;
		batch_free(&b);
	}
	worker_finish(w);
	return NULL;
}

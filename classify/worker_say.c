/* How a worker says what it knows. */
#include "classify/worker_part.h"

#include "capture/base.h"
#include "capture/siphash.h"

#include <netinet/in.h>
#include <string.h>

#define PORT_HTTPS 443

static void begin_facts(struct worker *w)
{
	if (w->facts == NULL) {
		w->facts = base_realloc(NULL, sizeof(*w->facts));
		w->facts->count = 0;
		w->facts->worker = w->index;
	}
}

void worker_send(struct worker *w, int64_t until_ns)
{
	begin_facts(w);
	w->facts->until_ns = until_ns;
	queue_put(w->out, w->facts);
	w->facts = NULL;
}

struct fact *worker_say(struct worker *w, enum fact_kind kind)
{
	if (w->facts != NULL && w->facts->count == FACT_BATCH)
		worker_send(w, 0);
	begin_facts(w);

	struct fact *fact = &w->facts->facts[w->facts->count++];

	fact->kind = kind;
	return fact;
}

/* Whether a name is one too many. */
static bool too_many_names(struct worker_names *n, uint64_t frame, int64_t time_ns)
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

void worker_say_name(void *context, const struct fact *fact)
{
	struct worker *w = context;
	bool name = fact->kind == FACT_NAME;
	struct fact *copy;

	if (too_many_names(&w->names[w->shard], name ? fact->name.id : fact->mail_dns.id,
			   name ? fact->name.from_ns : fact->mail_dns.time_ns))
		return;
	copy = worker_say(w, fact->kind);
	if (name)
		copy->name = fact->name;
	else
		copy->mail_dns = fact->mail_dns;
}

void worker_say_packet(void *context, const struct fact_packet *piece)
{
	worker_say(context, FACT_PACKET)->packet = *piece;
}

/* Whether these two met with this certificate before, as far as is remembered. Per shard, and hashed without a
 * key, so that what is said depends on the traffic alone; who makes it collide has names said again. */
static bool shown_before(struct worker *w, unsigned shard, const struct worker_shown *now)
{
	struct worker_shown *slot = &w->shown[shard][siphash(now, sizeof(*now), 0, 0) % WORKER_SHOWN];

	if (memcmp(slot, now, sizeof(*now)) == 0)
		return true;
	*slot = *now;
	return false;
}

/* At most CERTIFICATE_NAMES_MAX for a handshake, which is longer than what is said of it. */
static void say_certificate_names(struct worker *w, const struct certificate_chain *chain,
				  const struct worker_shown *shown, const struct watch_chain *seen)
{
	for (unsigned i = 0; i < chain->name_count; i++) {
		struct fact_name *n = &worker_say(w, FACT_NAME)->name;

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
	struct worker_shown shown;

	for (unsigned i = 0; i < chain->count; i++) {
		struct fact_certificate *c = &worker_say(w, FACT_CERTIFICATE)->certificate;

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
	struct fact_loss *loss = &worker_say(w, FACT_LOSS)->loss;

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
void worker_say_losses(struct worker *w, const struct fact_flow *f, enum flow_end end)
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

void worker_say_sample(struct worker *w, struct flow *f, int64_t now_ns)
{
	struct fact_flow_sample sample;

	if (flow_sample(f, now_ns, &sample))
		worker_say(w, FACT_FLOW_SAMPLE)->flow_sample = sample;
}

void worker_say_flow(struct worker *w, const struct flow *f, enum flow_end end, bool over,
		     struct fact_flow *said)
{
	struct fact_flow *fact = &worker_say(w, FACT_FLOW)->flow;

	flow_describe(f, end, w->ids, fact);
	fact->over = over;
	*said = *fact;
}

void worker_say_read(struct worker *w, const struct flow *f, const struct fact_flow *said)
{
	const struct watch_facts *facts = f->facts;

	if (facts != NULL && facts->has_handshake) {
		struct fact *h = worker_say(w, FACT_HANDSHAKE);

		h->handshake = facts->handshake;
		h->handshake.flow = f->id;
	}
	if (facts != NULL && facts->has_mail) {
		struct fact *m = worker_say(w, FACT_MAIL_SESSION);

		m->mail_session = facts->mail;
		m->mail_session.flow = f->id;
	}
	for (unsigned i = 0; facts != NULL && i < facts->login_count; i++) {
		struct fact *l = worker_say(w, FACT_LOGIN);

		l->login = facts->logins[i];
		l->login.flow = f->id;
	}
	if (facts != NULL && facts->has_disclosure) {
		struct fact *d = worker_say(w, FACT_DISCLOSURE);

		d->disclosure = facts->disclosure;
		d->disclosure.flow = f->id;
	}
	if (facts != NULL && facts->chain != NULL)
		say_certificates(w, flow_key_shard(&f->key), said, facts);
}

uint64_t worker_read_sum(const struct watch_facts *facts, uint64_t salt)
{
	uint64_t sum = salt;

	if (facts->has_handshake)
		sum = siphash(&facts->handshake, sizeof(facts->handshake), sum, FACT_HANDSHAKE);
	if (facts->has_mail)
		sum = siphash(&facts->mail, sizeof(facts->mail), sum, FACT_MAIL_SESSION);
	sum = siphash(facts->logins, facts->login_count * sizeof(facts->logins[0]), sum, FACT_LOGIN);
	if (facts->has_disclosure)
		sum = siphash(&facts->disclosure, sizeof(facts->disclosure), sum, FACT_DISCLOSURE);
	if (facts->chain != NULL)
		sum = siphash(facts->chain, sizeof(*facts->chain) + facts->chain->kept, sum, FACT_CERTIFICATE);
	return sum;
}

void worker_say_names_left_out(struct worker *w, const struct worker_names *n)
{
	if (n->left_out > 0)
		worker_say(w, FACT_LOSS)->loss = (struct fact_loss){
			.id = n->first_frame, .last_frame = n->last_frame, .reason = LOSS_EVICTED,
			.time_ns = n->first_ns,
		};
}

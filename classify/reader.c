#include "classify/reader.h"

#include "capture/base.h"
#include "classify/mail_line.h"
#include "classify/proxy.h"
#include "classify/reader_dns.h"
#include "classify/tunnel.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const struct watch *const watchers[] = {
	&watch_tls, &watch_imap, &watch_pop3, &watch_smtp, &watch_sieve, &watch_http,
	&watch_tunnel,
};

/* One packet on its way through a TCP flow. */
struct step {
	const struct reader *reader;
	struct flow *flow;
	const struct packet *packet;
	enum fact_side side;
};

static struct watch_facts *facts_of(struct flow *f)
{
	if (f->facts == NULL) {
		f->facts = base_alloc(sizeof(*f->facts));
		f->facts->flow = f->id;
		f->facts->begin_missed = !f->saw_syn && !f->saw_syn_ack;
	}
	return f->facts;
}

static void end_watch(struct flow *f)
{
	if (f->watch == NULL)
		return;
	if (f->watch->end != NULL)
		f->watch->end(f->watch_state, facts_of(f));
	explicit_bzero(f->watch_state, f->watch->size);
	free(f->watch_state);
	f->watch_state = NULL;
	f->watch = NULL;
}

static void start_watch(struct flow *f, const struct watch *w)
{
	end_watch(f);
	f->watch = w;
	f->watch_state = base_alloc(w->size);
	f->reader = READER_WATCH;
}

/* Who recognises these first bytes. *maybe_out: somebody wants to see more. */
static const struct watch *recognise(struct bytes first, bool *maybe_out)
{
	for (size_t i = 0; i < sizeof(watchers) / sizeof(watchers[0]); i++) {
		enum watch_match match = watchers[i]->recognise(watchers[i], first);

		if (match == WATCH_YES)
			return watchers[i];
		*maybe_out = *maybe_out || match == WATCH_MAYBE;
	}
	return NULL;
}

/* Passes over the header of a proxy before the dialogue. False when nothing can be said yet of what is behind
 * it, or no more at all. */
static bool skip_proxy(struct step *s, struct bytes *first)
{
	struct flow *f = s->flow;
	enum watch_match match = f->proxied ? WATCH_NO : proxy_recognise(*first);

	if (match != WATCH_YES)
		return match == WATCH_NO;

	enum parse parse = proxy_header(first, s->side, facts_of(f));

	if (parse == PARSE_BAD)
		f->reader = READER_DPI;
	f->proxied = parse == PARSE_OK;
	return f->proxied && bytes_left(first) > 0;
}

/* Chooses who reads the flow. Which side is the client, where no SYN was seen, the watcher finds out. */
static void choose(struct flow *f, struct bytes first)
{
	bool maybe = false;
	const struct watch *w = recognise(first, &maybe);

	if (w != NULL) {
		start_watch(f, w);
		f->app_proto = w->name;
		f->offer_wanted = true;
		return;
	}
	switch (dns_tcp_recognise(first)) {
	case WATCH_YES:
		f->reader = READER_DNS_TCP;
		f->app_proto = "dns";
		f->offer_wanted = true;
		return;
	case WATCH_MAYBE:
		maybe = true;
		break;
	case WATCH_NO:
		break;
	}
	if (!maybe || first.len > READER_UNDECIDED_MAX)
		f->reader = READER_DPI;
}

static void answer(struct flow *f, enum watch_answer a)
{
	switch (a) {
	case WATCH_MORE:
		break;
	case WATCH_TLS:
		start_watch(f, &watch_tls);
		facts_of(f)->handshake.after_starttls = true;
		f->offer_wanted = true;
		break;
	case WATCH_DONE:
		end_watch(f);
		f->reader = READER_NOBODY;
		break;
	case WATCH_BAD:
		end_watch(f);
		f->reader = READER_DPI;
		break;
	}
}

/* stream_take: bytes in order. A change of reader asks to have everything offered anew, because the
 * other side may have bytes waiting that were said before these. */
static size_t take(void *context, struct bytes in, uint64_t frame)
{
	struct step *s = context;
	struct flow *f = s->flow;
	size_t used = 0, before;

	switch (f->reader) {
	case READER_UNDECIDED:
		if (skip_proxy(s, &in))
			choose(f, bytes_of(in.data + in.pos, bytes_left(&in)));
		return f->reader == READER_DPI ? in.len : in.pos;
	case READER_WATCH:
		if (f->offer_wanted)
			return 0;
		facts_of(f)->now_ns = s->packet->time_ns;
		if (f->facts->handshake.after_starttls && !mail_skip_clear(f->facts, s->side, &in))
			return in.pos;
		before = in.pos;
		in = bytes_sub(&in, bytes_left(&in));
		answer(f, f->watch->feed(f->watch, f->watch_state, s->side, in, frame, &used, f->facts));
		return before + used;
	case READER_DNS_TCP:
		return reader_dns_stream(s->reader, f, s->side, in, s->packet->time_ns, frame);
	default:
		return in.len;
	}
}

/* A side whose stream ended for its reader: by a gap, of which the watcher hears, or because as much
 * was read as ever is (STREAM_WATCHED), where what was learnt stands. */
static void hear_gaps(struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		const struct stream *s = &f->streams[i];

		if (!s->stopped || f->gap_told[i])
			continue;
		f->gap_told[i] = true;
		if (f->reader != READER_WATCH)
			f->reader = f->reader == READER_DPI ? READER_DPI : READER_NOBODY;
		else if (s->gap)
			answer(f, f->watch->gap(f->watch_state, (enum fact_side)i, facts_of(f)));
		else
			answer(f, WATCH_DONE);
	}
}

/* After a packet: whatever a change of reader asked for. */
static void settle(struct step *s)
{
	struct flow *f = s->flow;

	for (int turns = 0; f->offer_wanted && turns < 4; turns++) {
		enum fact_side first;

		f->offer_wanted = false;
		first = (enum fact_side)!s->side;
		for (int i = 0; i < 2 && !f->offer_wanted; i++) {
			struct step other = *s;

			other.side = i == 0 ? first : s->side;
			stream_again(&f->streams[other.side], s->packet->frame, take, &other);
		}
	}
	/* What one side said may be what the other side's bytes were waiting for: commands sent behind a
	 * STARTTLS are read when it was refused, before what the server said of them. */
	if (f->reader == READER_WATCH && f->streams[!s->side].buffer != NULL) {
		struct step other = *s;

		other.side = (enum fact_side)!s->side;
		stream_again(&f->streams[other.side], s->packet->frame, take, &other);
		stream_again(&f->streams[s->side], s->packet->frame, take, s);
	}
	hear_gaps(f);
	if (f->reader == READER_DPI || f->reader == READER_NOBODY) {
		stream_stop(&f->streams[0]);
		stream_stop(&f->streams[1]);
	}
}

static void start_streams(struct flow *f)
{
	f->streams = base_alloc_array(2, sizeof(f->streams[0]));
	for (int i = 0; i < 2; i++)
		if (f->syn_seen[i])
			stream_syn(&f->streams[i], f->syn_seq[i]);
}

static void show_dpi(const struct reader *r, struct flow *f, const struct packet *p)
{
	if (f->dpi_packets >= DPI_PACKETS || p->payload_len == 0)
		return;
	f->dpi_packets++;
	if (dpi_by_packet(r->dpi, &f->dpi_flow, p, &f->label))
		f->dpi_packets = DPI_PACKETS;
}

static void read_tcp(const struct reader *r, struct flow *f, const struct packet *p)
{
	struct step s = { .reader = r, .flow = f, .packet = p, .side = flow_side(f, p) };
	uint32_t seq = p->seq + ((p->tcp_flags & TCP_SYN) != 0);

	if ((p->tcp_flags & TCP_RST) != 0)
		return;
	if (f->streams == NULL) {
		if (p->payload_wire_len == 0)
			return;
		start_streams(f);
	}
	if (p->payload_wire_len > 0) {
		uint64_t seen = f->streams[s.side].seen;

		stream_add(&f->streams[s.side], seq, p->payload, p->payload_len, p->payload_wire_len,
			   p->frame, take, &s);
		if (f->streams[s.side].seen != seen)
			flow_note_sent(f, s.side, p->frame);
	}
	if ((p->tcp_flags & TCP_ACK) != 0)
		stream_acked(&f->streams[!s.side], p->ack);
	if ((p->tcp_flags & TCP_FIN) != 0)
		stream_fin(&f->streams[s.side], seq + p->payload_wire_len);
	settle(&s);
	if (f->reader == READER_DPI)
		show_dpi(r, f, p);
}

static void choose_udp(struct flow *f, struct bytes datagram, const struct packet *p)
{
	uint16_t a = p->key.lo.port, b = p->key.hi.port;

	f->reader = READER_DPI;
	if ((a == 67 || a == 68) && (b == 67 || b == 68)) {
		f->reader = READER_DHCP;
		f->app_proto = "dhcp";
	} else if (dns_recognise(datagram)) {
		f->reader = READER_DNS;
		f->app_proto = "dns";
	} else if (quic_recognise(datagram)) {
		f->reader = READER_QUIC;
		f->app_proto = "quic";
		f->quic = quic_new();
	}
}

static void read_udp(const struct reader *r, struct flow *f, const struct packet *p)
{
	struct bytes datagram = bytes_of(p->payload, p->payload_len);

	if (p->payload_len == 0)
		return;
	if (f->reader == READER_UNDECIDED)
		choose_udp(f, datagram, p);
	switch (f->reader) {
	case READER_DNS:
		reader_dns(r, f, p);
		break;
	case READER_DHCP:
		reader_dhcp(r, f, p);
		break;
	case READER_QUIC:
		switch (quic_feed(f->quic, flow_side(f, p), datagram, p->frame, facts_of(f))) {
		case WATCH_MORE:
			return;
		case WATCH_BAD:
			f->reader = READER_DPI;
			f->app_proto = "";
			break;
		default:
			f->reader = READER_NOBODY;
		}
		quic_free(&f->quic);
		break;
	case READER_DPI:
		f->opaque = f->opaque || tunnel_datagram(datagram, p->key.lo.port, p->key.hi.port);
		show_dpi(r, f, p);
		break;
	default:
		break;
	}
}

void reader_packet(const struct reader *r, struct flow *f, const struct packet *p)
{
	if (p->key.proto == IPPROTO_TCP)
		read_tcp(r, f, p);
	else if (p->key.proto == IPPROTO_UDP)
		read_udp(r, f, p);
	else
		f->opaque = f->opaque || tunnel_packet(p);
}

void reader_end(const struct reader *r, struct flow *f)
{
	bool lost = false;	/* what would complete a handshake may be among it */
	bool closed = f->fin[0] && f->fin[1], read = f->watch != NULL;

	if (f->streams != NULL) {
		stream_over(&f->streams[0]);
		stream_over(&f->streams[1]);
		hear_gaps(f);
		lost = stream_missing(&f->streams[0]) + stream_missing(&f->streams[1]) > 0;
	}
	if (read && f->facts != NULL && closed && !f->reset && !lost)
		mail_closed(f->facts);
	end_watch(f);
	dpi_flow_free(&f->dpi_flow);
	quic_free(&f->quic);
	reader_conclude(r, f, !lost && (f->reset || closed));
	if (flow_flips(f)) {
		reader_turn_round(f);
		if (f->facts->chain != NULL)
			f->facts->chain->from = (enum fact_side)!f->facts->chain->from;
	}
}

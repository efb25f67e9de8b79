#include "classify/flow.h"

#include "capture/base.h"
#include "capture/bytes.h"

#include <netinet/in.h>
#include <string.h>

/* Ports below this belong to servers: who is client when no SYN was seen (RFC 6335 section 6). */
#define FLOW_SYSTEM_PORTS 1024

static const struct host_port *end_of(const struct flow *f, enum fact_side side)
{
	return f->orig_is_hi == (side == SIDE_ORIGINATOR) ? &f->key.hi : &f->key.lo;
}

static int64_t interval_start(int64_t time_ns, int64_t length_ns)
{
	int64_t into = time_ns % length_ns;

	return time_ns - (into >= 0 ? into : into + length_ns);
}

void flow_begin(struct flow *f, const struct packet *p)
{
	const struct host_port *src = p->dir == FLOW_LO_TO_HI ? &p->key.lo : &p->key.hi;
	const struct host_port *dst = p->dir == FLOW_LO_TO_HI ? &p->key.hi : &p->key.lo;
	bool src_is_orig = true;

	if (p->key.proto == IPPROTO_TCP && (p->tcp_flags & TCP_SYN) != 0)
		src_is_orig = (p->tcp_flags & TCP_ACK) == 0;
	else if (p->key.proto == IPPROTO_TCP || p->key.proto == IPPROTO_UDP)
		src_is_orig = src->port >= FLOW_SYSTEM_PORTS || dst->port < FLOW_SYSTEM_PORTS;
	f->orig_is_hi = (p->dir == FLOW_HI_TO_LO) == src_is_orig;
	f->id = p->frame;
	f->first_ns = f->last_ns = p->time_ns;
	f->sample_start_ns = interval_start(p->time_ns, FLOW_SAMPLE_NS);
	f->sample_end_ns = f->sample_start_ns + FLOW_SAMPLE_NS;
	f->vlan = p->vlan;
	f->app_proto = "";
	f->has_mac = p->has_mac;
	if (p->has_mac) {
		memcpy(f->mac[src_is_orig ? SIDE_ORIGINATOR : SIDE_RESPONDER], p->mac_src, 6);
		memcpy(f->mac[src_is_orig ? SIDE_RESPONDER : SIDE_ORIGINATOR], p->mac_dst, 6);
	}
}

/* Zeek's history: the first time a side does a thing its letter is added, upper case for the
 * originator. */
static void history_add(struct flow *f, enum fact_side side, unsigned letter)
{
	static const char letters[] = "shadfr";
	uint16_t bit = (uint16_t)(1u << (letter * 2 + side));

	if ((f->history_seen & bit) != 0 || f->history_len >= sizeof(f->history) - 1)
		return;
	f->history_seen |= bit;
	f->history[f->history_len++] =
		(char)(letters[letter] - (side == SIDE_ORIGINATOR ? 'a' - 'A' : 0));
}

enum { LETTER_SYN, LETTER_SYN_ACK, LETTER_ACK, LETTER_DATA, LETTER_FIN, LETTER_RST };

static enum flow_pace count_tcp(struct flow *f, const struct packet *p, enum fact_side side)
{
	if ((p->tcp_flags & TCP_SYN) != 0) {
		bool ack = (p->tcp_flags & TCP_ACK) != 0;

		history_add(f, side, ack ? LETTER_SYN_ACK : LETTER_SYN);
		f->saw_syn = f->saw_syn || !ack;
		f->saw_syn_ack = f->saw_syn_ack || ack;
		f->syn_seen[side] = true;
		f->syn_seq[side] = p->seq;
	} else if (p->payload_wire_len > 0) {
		history_add(f, side, LETTER_DATA);
	} else if ((p->tcp_flags & (TCP_FIN | TCP_RST)) == 0) {
		history_add(f, side, LETTER_ACK);
	}
	if ((p->tcp_flags & TCP_FIN) != 0) {
		history_add(f, side, LETTER_FIN);
		f->fin[side] = true;
	}
	if ((p->tcp_flags & TCP_RST) != 0) {
		history_add(f, side, LETTER_RST);
		f->reset = true;
	}
	if (f->reset || (f->fin[0] && f->fin[1]))
		return PACE_CLOSED;
	if (f->saw_syn && (f->packets[0] == 0 || f->packets[1] == 0) && f->streams == NULL)
		return PACE_HALF_OPEN;
	return PACE_ESTABLISHED;
}

static uint64_t mixed(uint64_t value)
{
	value *= 0x9e3779b97f4a7c15ULL;
	return value ^ value >> 32;
}

static void mix_words(uint64_t lanes[4], const uint64_t words[4])
{
	for (int i = 0; i < 4; i++)
		lanes[i] = mixed(lanes[i] ^ words[i]);
}

/* Of the whole payload: whoever could choose datagrams that meet would hide what it sends. */
static uint32_t datagram_hash(const struct packet *p)
{
	struct bytes in = bytes_of(p->payload, p->payload_len);
	uint64_t lanes[4] = { p->payload_wire_len, 1, 2, 3 };	/* none waits for another's multiplication */
	uint64_t words[4], mix = 0;

	while (bytes_left(&in) >= sizeof(words)) {
		bytes_copy(&in, words, sizeof(words));
		mix_words(lanes, words);
	}
	memset(words, 0, sizeof(words));
	bytes_copy(&in, words, bytes_left(&in));
	mix_words(lanes, words);
	for (int i = 0; i < 4; i++)
		mix = mixed(mix ^ lanes[i]);
	return (uint32_t)(mix >> 32) | 1;	/* 0 is none */
}

static bool is_copy(struct flow *f, const struct packet *p, enum fact_side side)
{
	uint32_t hash = datagram_hash(p), *recent = f->recent[side];

	if (p->time_ns - f->recent_ns[side] > FLOW_COPY_NS)
		memset(recent, 0, sizeof(f->recent[side]));
	f->recent_ns[side] = p->time_ns;
	for (int i = 0; i < FLOW_RECENT; i++)
		if (recent[i] == hash)
			return true;
	memmove(recent + 1, recent, (FLOW_RECENT - 1) * sizeof(recent[0]));
	recent[0] = hash;
	return false;
}

enum flow_pace flow_count(struct flow *f, const struct packet *p)
{
	enum fact_side side = flow_side(f, p);

	f->packets[side] += p->fragments;
	f->bytes[side] += p->wire_len;
	f->last_frame = p->frame;
	if (p->time_ns > f->last_ns)
		f->last_ns = p->time_ns;
	if (f->pid == 0)
		f->pid = p->pid;
	if (p->payload_len < p->payload_wire_len)
		f->packets_cut++;
	if (p->key.proto == IPPROTO_TCP)
		return count_tcp(f, p, side);
	if (p->payload_len == 0 || !is_copy(f, p, side)) {
		f->payload[side] += p->payload_wire_len;
		if (p->payload_wire_len > 0)
			flow_note_sent(f, side, p->frame);
	}
	if (p->payload_wire_len > 0)
		history_add(f, side, LETTER_DATA);
	return PACE_DATAGRAM;
}

bool flow_is_over_for(const struct flow *f, const struct packet *p)
{
	enum fact_side side = flow_side(f, p);

	return p->key.proto == IPPROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       (f->pace == PACE_CLOSED || (f->syn_seen[side] && f->syn_seq[side] != p->seq &&
					   f->pace == PACE_ESTABLISHED));
}

static uint64_t payload_of(const struct flow *f, int side)
{
	return f->streams == NULL ? f->payload[side] : f->streams[side].seen;
}

bool flow_may_carry_mail(const struct flow *f)
{
	static const char *const protos[] = { "tls", "quic", "imap", "pop3", "smtp", "sieve" };

	for (unsigned i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strcmp(f->app_proto, protos[i]) == 0)
			return true;
	}
	return false;
}

static void next_interval(struct flow *f, int64_t now_ns)
{
	unsigned doublings = f->samples / FLOW_SAMPLES;
	int64_t length_ns = FLOW_SAMPLE_NS << (doublings < FLOW_SAMPLE_DOUBLINGS ? doublings : FLOW_SAMPLE_DOUBLINGS);
	int64_t start_ns = interval_start(now_ns, length_ns);

	f->sample_start_ns = start_ns < f->sample_end_ns ? f->sample_end_ns : start_ns;
	f->sample_end_ns = start_ns + length_ns;
}

bool flow_is_sampled(const struct flow *f)
{
	return f->last_ns >= interval_start(f->first_ns, FLOW_SAMPLE_NS) + FLOW_SAMPLE_NS;
}

bool flow_flips(const struct flow *f)
{
	return f->facts != NULL && f->facts->flip && !f->saw_syn && !f->saw_syn_ack;
}

bool flow_sample(struct flow *f, int64_t now_ns, struct fact_flow_sample *out)
{
	bool turned = flow_flips(f);

	*out = (struct fact_flow_sample){
		.flow = f->id, .place = f->samples, .frame = f->last_frame,
		.start_ns = f->sample_start_ns, .end_ns = f->sample_end_ns,
	};
	for (int side = 0; side < 2; side++)
		out->bytes[side != turned] = payload_of(f, side) - f->sampled[side];
	if (out->bytes[0] + out->bytes[1] == 0 || !flow_may_carry_mail(f)) {
		next_interval(f, now_ns);
		return false;
	}
	for (int side = 0; side < 2; side++)
		f->sampled[side] += out->bytes[side != turned];
	f->samples++;
	next_interval(f, now_ns);
	return true;
}

static void swap(void *a, void *b, size_t n)
{
	unsigned char *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		unsigned char t = x[i];

		x[i] = y[i];
		y[i] = t;
	}
}

#define SWAP_SIDES(pair) swap(&(pair)[0], &(pair)[1], sizeof((pair)[0]))

void flow_flip(struct flow *f)
{
	f->orig_is_hi = !f->orig_is_hi;
	SWAP_SIDES(f->recent);
	SWAP_SIDES(f->recent_ns);
	SWAP_SIDES(f->packets);
	SWAP_SIDES(f->bytes);
	SWAP_SIDES(f->payload);
	SWAP_SIDES(f->sampled);
	SWAP_SIDES(f->first_sent);
	SWAP_SIDES(f->last_sent);
	SWAP_SIDES(f->fin);
	SWAP_SIDES(f->gap_told);
	SWAP_SIDES(f->mac);
	SWAP_SIDES(f->syn_seq);
	SWAP_SIDES(f->syn_seen);
	if (f->streams != NULL)
		SWAP_SIDES(f->streams);
	f->history_seen = (uint16_t)((f->history_seen & 0x5555) << 1 | (f->history_seen & 0xaaaa) >> 1);
	for (unsigned i = 0; i < f->history_len; i++)
		f->history[i] ^= 'a' - 'A';
}

void flow_describe(const struct flow *f, enum flow_end end, struct flow_ids *ids, struct fact_flow *out)
{
	const struct host_port *orig = end_of(f, SIDE_ORIGINATOR), *resp = end_of(f, SIDE_RESPONDER);

	memset(out, 0, sizeof(*out));
	out->id = f->id;
	out->last_frame = f->last_frame;
	out->first_ns = f->first_ns;
	out->last_ns = f->last_ns;
	memcpy(out->orig_addr, orig->addr, sizeof(out->orig_addr));
	memcpy(out->resp_addr, resp->addr, sizeof(out->resp_addr));
	out->orig_port = orig->port;
	out->resp_port = resp->port;
	out->proto = f->key.proto;
	out->orig_seen_syn = f->saw_syn || f->saw_syn_ack;
	out->vlan = f->vlan;
	out->has_mac = f->has_mac;
	memcpy(out->orig_mac, f->mac[SIDE_ORIGINATOR], 6);
	memcpy(out->resp_mac, f->mac[SIDE_RESPONDER], 6);
	out->pid = f->pid;
	for (int i = 0; i < 2; i++) {
		out->packets[i] = f->packets[i];
		out->bytes[i] = f->bytes[i];
		out->payload[i] = payload_of(f, i);
		out->first_sent[i] = f->first_sent[i];
		out->last_sent[i] = f->last_sent[i];
		out->missing[i] = f->streams == NULL ? 0 : stream_missing(&f->streams[i]);
	}
	out->packets_cut = f->packets_cut;
	out->end = f->reset ? FLOW_RESET : f->fin[0] && f->fin[1] ? FLOW_CLOSED : end;
	memcpy(out->history, f->history, f->history_len);
	flow_key_community_id(ids, &f->key, f->orig_is_hi ? FLOW_HI_TO_LO : FLOW_LO_TO_HI,
			      out->community_id);
	base_copy(out->app_proto, sizeof(out->app_proto), f->app_proto);
	base_copy(out->dpi_master, sizeof(out->dpi_master), f->label.master);
	base_copy(out->dpi_app, sizeof(out->dpi_app), f->label.app);
	out->opaque = f->opaque || f->label.opaque;
	out->encrypted_dns = f->encrypted_dns || f->label.encrypted_dns;
}

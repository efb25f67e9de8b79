/* flow.h - one conversation while it is going on: counters, TCP state, who watches it
 *
 * Thread: the worker's whose shard it is in. Memory: the base is small; streams, watcher and nDPI's
 * state are taken when the first payload comes and let go as soon as nothing more is to be learnt. */
#ifndef CLASSIFY_FLOW_H
#define CLASSIFY_FLOW_H

#include "capture/packet.h"
#include "classify/dpi.h"
#include "classify/fact.h"
#include "classify/stream.h"
#include "classify/watch.h"
#include "classify/watch_quic.h"

/* How long a flow may be silent before it is described; one list of the table for each. */
enum flow_pace {
	PACE_CLOSED,		/* over; waits for stragglers */
	PACE_HALF_OPEN,		/* TCP without an answer */
	PACE_DATAGRAM,		/* UDP and other protocols */
	PACE_ESTABLISHED,	/* TCP with both sides: IMAP IDLE is silent for up to 29 minutes (RFC 2177) */
	FLOW_PACES
};

/* What is known of how a flow's payload is to be read. */
enum flow_reader {
	READER_UNDECIDED,	/* no payload yet, or not enough of it */
	READER_WATCH,		/* a watcher of watch.h */
	READER_DNS,		/* UDP: each datagram by itself */
	READER_DNS_TCP,
	READER_DHCP,
	READER_QUIC,
	READER_DPI,		/* nobody of ours knows it */
	READER_NOBODY,		/* read as far as it goes */
};

/* A mirror port that copies both ways of a link, and capturing on `any`, give datagrams twice. The same
 * bytes again this soon are a copy: applications wait longer before they repeat themselves. */
#define FLOW_COPY_NS (10 * 1000000LL)
#define FLOW_RECENT 4

/* Intervals of fact_flow_sample begin at multiples of their length. A flow that has so many of one length goes
 * on in intervals twice as long: some thousand rows for any connection, however long it is held. */
#define FLOW_SAMPLE_NS (10 * 1000000000LL)
#define FLOW_SAMPLES 4096
#define FLOW_SAMPLE_DOUBLINGS 16	/* 10 s to 7 days */

/* In the order of use: what every packet looks at stands in front (TABLE_HOT), and what only some or the
 * flow's beginning and end need, behind. */
struct flow {
	struct flow_key key;
	uint64_t hash;
	struct flow *chain;			/* flow_table's */
	enum flow_pace pace;			/* flow_table's: the list it is in */
	enum flow_reader reader;
	struct flow *newer, *older;		/* flow_table's list of its pace */
	uint64_t last_frame;
	int64_t last_ns;
	int64_t sample_end_ns;			/* of the interval that it is in */
	uint64_t packets[2], bytes[2], payload[2];	/* by enum fact_side; payload: not TCP's */
	uint64_t last_sent[2];			/* frame that brought new payload, by enum fact_side */
	struct stream *streams;			/* [2], TCP with payload; NULL before */
	const struct watch *watch;
	struct watch_facts *facts;		/* NULL until a watcher needs it */
	struct quic *quic;
	struct dpi_flow *dpi_flow;
	size_t memory;				/* flow_table's: bytes that reading it takes */
	uint32_t pid;
	uint16_t vlan;
	uint16_t history_seen;			/* a bit for each letter and side */
	uint8_t history_len;
	uint8_t dpi_packets;
	bool orig_is_hi;			/* key.hi is the originator */
	bool has_mac, saw_syn, saw_syn_ack, opaque, encrypted_dns, offer_wanted;
	bool fin[2], reset, gap_told[2];
	bool syn_seen[2];			/* syn_seq is known */
	bool proxied;				/* a proxy's header was read before its dialogue */

	int64_t recent_ns[2];
	uint32_t recent[2][FLOW_RECENT];	/* the last datagrams' hashes, by enum fact_side */
	void *watch_state;
	int64_t sample_start_ns;
	uint64_t sampled[2];			/* payload that samples have, by enum fact_side */
	uint32_t samples;
	uint64_t first_sent[2];			/* as last_sent */
	uint64_t packets_cut;
	struct keep_frame *waiting;		/* keep.h's */
	uint32_t kept;				/* ... bytes, those that wait included */
	uint64_t id;
	uint64_t said_frame;			/* its last when it was described while it goes on; 0 is never */
	uint64_t said_read;			/* worker_read_sum of what was said then */
	int64_t said_ns;			/* the tick it was said at */
	int64_t first_ns;
	uint32_t syn_seq[2];
	uint8_t mac[2][6];			/* by enum fact_side */
	char history[FACT_WORD_SIZE];
	const char *app_proto;			/* static text; "" is unknown */
	struct dpi_label label;
};

/* Which side sent this packet. */
static inline enum fact_side flow_side(const struct flow *f, const struct packet *p)
{
	return (p->dir == FLOW_HI_TO_LO) == f->orig_is_hi ? SIDE_ORIGINATOR : SIDE_RESPONDER;
}

/* A new flow's first packet: ids, times, originator. */
void flow_begin(struct flow *f, const struct packet *p);

/* Counts a packet, follows TCP's state, and says at what pace the flow goes now. Does not look at
 * payload. */
enum flow_pace flow_count(struct flow *f, const struct packet *p);

/* Whether a packet cannot belong to this flow but begins another with the same key: a SYN after the
 * end. */
bool flow_is_over_for(const struct flow *f, const struct packet *p);

/* A packet brought payload that was not seen before. */
static inline void flow_note_sent(struct flow *f, enum fact_side side, uint64_t frame)
{
	if (f->first_sent[side] == 0)
		f->first_sent[side] = frame;
	f->last_sent[side] = frame;
}

/* The interval ended before now_ns, or the flow did: whether there is anything to say of it. The next begins. */
bool flow_sample(struct flow *f, int64_t now_ns, struct fact_flow_sample *out);

/* Whether mail may go over it, as far as that is known: a mail protocol, or TLS or QUIC. */
bool flow_may_carry_mail(const struct flow *f);

/* Whether it went on after the interval that it began in. */
bool flow_is_sampled(const struct flow *f);

/* Whether the dialogue shows that the responder is the client. */
bool flow_flips(const struct flow *f);

/* ... Turns everything by side round. */
void flow_flip(struct flow *f);

/* What is said about it. */
void flow_describe(const struct flow *f, enum flow_end end, struct flow_ids *ids, struct fact_flow *out);

#endif

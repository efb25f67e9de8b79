/* judge_flow.h - flows one after the other, each with its handshake, its dialogue and what was lost of it
 *
 * Tables are read side by side in the order of flows, since a look-up in each of them for every
 * flow would cost more than all else that is done with it.
 *
 * Memory: a row of each. Errors: flow_reader_next gives false, and so does flow_reader_close. */
#ifndef REPORT_JUDGE_FLOW_H
#define REPORT_JUDGE_FLOW_H

#include "report/judge_part.h"

struct flow_loss {
	enum loss_reason reason;
	int64_t packets, bytes;
};

/* What judge goes by of tables flow, handshake, mail_session, loss, disclosure, certificate and flow_process. Pointers are borrowed
 * until the next flow. */
struct judge_flow {
	int64_t id, first_ns, last_ns, last_frame;
	const uint8_t *orig, *resp;
	int64_t payload[2], packets[2], bytes[2];	/* sent by orig, by resp */
	int proto, resp_port;
	const char *app_proto;
	bool syn_seen, opaque, encrypted_dns;
	int64_t rest_ns;	/* so long behind last_ns more of it may come, as far as its end tells */
	bool hello;		/* has a handshake; without it the next eight are empty */
	const char *sni, *alpn;
	bool quic, ech, after_starttls, completed, resumed;
	int version;
	bool dialogue;		/* has a mail session; without it the next four are empty */
	const char *transport;
	bool credential;	/* readable, and of use to a reader */
	bool mail_moved;	/* readable */
	bool readable;		/* these, any other credential, a greeting that logs in, or compressed mail */
	bool process;		/* something is known of whose it is, or that nobody is */
	bool disclosure;	/* has one */
	bool certificate;	/* the server showed one; without it the next four are empty */
	bool trusted;		/* its chain was */
	bool covers_sni, names_cut;
	int64_t certificate_frame;
	/* What was not seen of it: as was told, and what it shows itself where nothing of that was told. */
	struct flow_loss losses[LOSS_REASONS];
	unsigned loss_count;
};

struct flow_reader;

/* Of all flows, or those that are due. NULL when the store cannot. */
struct flow_reader *flow_reader_open(const struct judge_part *part);
/* The next flow with something in it; false at the end. */
bool flow_reader_next(struct flow_reader *r, struct judge_flow *flow_out);
/* Whether all was read. */
bool flow_reader_close(struct flow_reader **r);

#endif

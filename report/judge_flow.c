#include "report/judge_flow.h"

#include "capture/base.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A table that has rows for some of the flows. */
struct side {
	sqlite3_stmt *q;
	int64_t flow;		/* of the row it stands at; INT64_MAX behind the last */
};

struct flow_reader {
	struct store *st;
	sqlite3_stmt *flows;
	struct side hellos, dialogues, losses, disclosures, certificates, processes;
	bool ended, failed;
};

enum flow_column { ID, LAST_FRAME, FIRST_NS, LAST_NS, ORIG, RESP, ORIG_PAYLOAD, RESP_PAYLOAD, ORIG_PACKETS, RESP_PACKETS,
		   ORIG_BYTES, RESP_BYTES, PROTO, RESP_PORT, APP_PROTO, SYN_SEEN, OPAQUE, ENCRYPTED_DNS, MISSING, CUT, END };

enum hello_column { HELLO_SNI = 1, HELLO_ALPN, HELLO_QUIC, HELLO_ECH, HELLO_AFTER_STARTTLS, HELLO_COMPLETED,
		    HELLO_VERSION, HELLO_RESUMED };

enum dialogue_column { DIALOGUE_TRANSPORT = 1, DIALOGUE_CREDENTIAL, DIALOGUE_MAIL_MOVED, DIALOGUE_READABLE };

enum loss_column { LOSS_WHY = 1, LOSS_PACKETS, LOSS_BYTES };

enum certificate_column { CERTIFICATE_FRAME = 1, CERTIFICATE_COVERS_SNI, CERTIFICATE_NAMES_CUT, CERTIFICATE_TRUSTED };

/* What is asked, and the column that is the flow's id, in whose order rows come. */
struct question {
	const char *select, *from, *flow;
};

static const struct question flows = {
	"SELECT id, last_frame, first_ns, last_ns, orig_addr, resp_addr, orig_payload, resp_payload, orig_packets,"
	" resp_packets, orig_bytes, resp_bytes, proto, resp_port, app_proto, orig_seen_syn, opaque, encrypted_dns,"
	" orig_missing + resp_missing, packets_cut, end", "flow_with_content WHERE true", "id" };

static const struct question hellos = {
	"SELECT flow, sni, alpn, quic, ech, after_starttls, completed, version, resumed", "handshake WHERE true", "flow" };

static const struct question dialogues = {
	"SELECT flow, transport, credential IN ('reusable', 'guessable'), mail_moved,"
	" mail_moved OR compressed OR preauth OR credential <> 'none'", "mail_session WHERE true", "flow" };

static const struct question losses = { "SELECT flow, reason, packets, bytes", "loss WHERE flow = frame", "frame" };

static const struct question disclosures = { "SELECT flow", "disclosure WHERE true", "flow" };

static const struct question processes = { "SELECT flow", "flow_process WHERE true", "flow" };

static const struct question certificates = { "SELECT flow, frame, covers_sni = 1, names_cut, chain = 'trusted'",
	"certificate WHERE place = 0", "flow" };

static sqlite3_stmt *ask(const struct judge_part *part, const struct question *what)
{
	char *sql = sqlite3_mprintf("%s FROM %s%s%s%s ORDER BY %s", what->select, what->from,
		part->only_due ? " AND " : "", part->only_due ? what->flow : "", part->only_due ? JUDGE_IS_DUE : "", what->flow);
	sqlite3_stmt *q = store_prepare(part->st, sql);

	sqlite3_free(sql);
	return q;
}

struct flow_reader *flow_reader_open(const struct judge_part *part)
{
	struct flow_reader *r = base_alloc(sizeof(*r));

	r->st = part->st;
	r->flows = ask(part, &flows);
	r->hellos.q = ask(part, &hellos);
	r->dialogues.q = ask(part, &dialogues);
	r->losses.q = ask(part, &losses);
	r->disclosures.q = ask(part, &disclosures);
	r->certificates.q = ask(part, &certificates);
	r->processes.q = ask(part, &processes);
	if (r->flows == NULL || r->hellos.q == NULL || r->dialogues.q == NULL || r->losses.q == NULL ||
	    r->disclosures.q == NULL || r->certificates.q == NULL ||
	    r->processes.q == NULL)
		flow_reader_close(&r);
	return r;
}

bool flow_reader_close(struct flow_reader **r)
{
	bool ok = *r != NULL && (*r)->ended && !(*r)->failed;

	if (*r == NULL)
		return false;
	sqlite3_finalize((*r)->flows);
	sqlite3_finalize((*r)->hellos.q);
	sqlite3_finalize((*r)->dialogues.q);
	sqlite3_finalize((*r)->losses.q);
	sqlite3_finalize((*r)->disclosures.q);
	sqlite3_finalize((*r)->certificates.q);
	sqlite3_finalize((*r)->processes.q);
	free(*r);
	*r = NULL;
	return ok;
}

static void step(struct flow_reader *r, struct side *side)
{
	int rc = store_step(r->st, side->q);

	side->flow = rc == SQLITE_ROW ? sqlite3_column_int64(side->q, 0) : INT64_MAX;
	r->failed = r->failed || (rc != SQLITE_ROW && rc != SQLITE_DONE);
}

/* Goes on to the flow; whether it has a row. */
static bool stands_at(struct flow_reader *r, struct side *side, int64_t flow)
{
	while (side->flow < flow)
		step(r, side);
	return side->flow == flow;
}

static void read_hello(sqlite3_stmt *q, struct judge_flow *f)
{
	f->hello = true;
	f->sni = (const char *)sqlite3_column_text(q, HELLO_SNI);
	f->alpn = (const char *)sqlite3_column_text(q, HELLO_ALPN);
	f->quic = sqlite3_column_int(q, HELLO_QUIC) != 0;
	f->ech = sqlite3_column_int(q, HELLO_ECH) != 0;
	f->after_starttls = sqlite3_column_int(q, HELLO_AFTER_STARTTLS) != 0;
	f->completed = sqlite3_column_int(q, HELLO_COMPLETED) != 0;
	f->version = sqlite3_column_int(q, HELLO_VERSION);
	f->resumed = sqlite3_column_int(q, HELLO_RESUMED) != 0;
}

static void read_dialogue(sqlite3_stmt *q, struct judge_flow *f)
{
	f->dialogue = true;
	f->transport = (const char *)sqlite3_column_text(q, DIALOGUE_TRANSPORT);
	f->credential = sqlite3_column_int(q, DIALOGUE_CREDENTIAL) != 0;
	f->mail_moved = sqlite3_column_int(q, DIALOGUE_MAIL_MOVED) != 0;
	f->readable = sqlite3_column_int(q, DIALOGUE_READABLE) != 0;
}

static struct flow_loss *loss_of(struct judge_flow *f, enum loss_reason reason)
{
	for (unsigned i = 0; i < f->loss_count; i++) {
		if (f->losses[i].reason == reason)
			return &f->losses[i];
	}
	return NULL;
}

static void add_loss(struct judge_flow *f, enum loss_reason reason, int64_t packets, int64_t bytes)
{
	struct flow_loss *loss = loss_of(f, reason);

	if (loss == NULL) {
		loss = &f->losses[f->loss_count++];
		*loss = (struct flow_loss){ .reason = reason };
	}
	loss->packets += packets;
	loss->bytes += bytes;
}

static void read_told_losses(struct flow_reader *r, struct judge_flow *f)
{
	sqlite3_stmt *q = r->losses.q;

	for (; stands_at(r, &r->losses, f->id); step(r, &r->losses)) {
		const char *name = (const char *)sqlite3_column_text(q, LOSS_WHY);

		for (unsigned reason = 0; reason < LOSS_REASONS; reason++) {
			if (strcmp(loss_reason_name(reason), name) == 0)
				add_loss(f, reason, sqlite3_column_int64(q, LOSS_PACKETS),
					 sqlite3_column_int64(q, LOSS_BYTES));
		}
	}
}

static void read_shown_losses(struct judge_flow *f, int64_t missing, int64_t cut, bool evicted)
{
	bool tcp = f->proto == IPPROTO_TCP;
	const struct { struct flow_loss loss; bool holds; } shown[] = {
		{ { LOSS_GAP, 0, missing }, tcp && missing > 0 },
		{ { LOSS_SNAPLEN, cut, 0 }, cut > 0 },
		{ { LOSS_EVICTED, 0, 0 }, evicted },
		{ { LOSS_ONE_DIRECTION, 0, 0 }, tcp && (f->packets[0] == 0 || f->packets[1] == 0) },
	};

	for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (shown[i].holds && loss_of(f, shown[i].loss.reason) == NULL)
			f->losses[f->loss_count++] = shown[i].loss;
	}
}

#define LATE_S 60	/* at most so long after it was over it is told and stored */

static int64_t rest_ns(const char *end)
{
	if (strcmp(end, fact_flow_end_name(FLOW_OPEN)) == 0)
		return (FLOW_SILENT_S + LATE_S) * BASE_NS_PER_S;
	if (strcmp(end, fact_flow_end_name(FLOW_CLOSED)) == 0 || strcmp(end, fact_flow_end_name(FLOW_RESET)) == 0)
		return (FLOW_CLOSED_S + LATE_S) * BASE_NS_PER_S;
	return 0;
}

static void read_flow(sqlite3_stmt *q, struct judge_flow *f)
{
	*f = (struct judge_flow){
		.id = sqlite3_column_int64(q, ID),
		.last_frame = sqlite3_column_int64(q, LAST_FRAME),
		.first_ns = sqlite3_column_int64(q, FIRST_NS),
		.last_ns = sqlite3_column_int64(q, LAST_NS),
		.orig = sqlite3_column_blob(q, ORIG),
		.resp = sqlite3_column_blob(q, RESP),
		.payload = { sqlite3_column_int64(q, ORIG_PAYLOAD), sqlite3_column_int64(q, RESP_PAYLOAD) },
		.packets = { sqlite3_column_int64(q, ORIG_PACKETS), sqlite3_column_int64(q, RESP_PACKETS) },
		.bytes = { sqlite3_column_int64(q, ORIG_BYTES), sqlite3_column_int64(q, RESP_BYTES) },
		.proto = sqlite3_column_int(q, PROTO),
		.resp_port = sqlite3_column_int(q, RESP_PORT),
		.app_proto = (const char *)sqlite3_column_text(q, APP_PROTO),
		.syn_seen = sqlite3_column_int(q, SYN_SEEN) != 0,
		.opaque = sqlite3_column_int(q, OPAQUE) != 0,
		.encrypted_dns = sqlite3_column_int(q, ENCRYPTED_DNS) != 0,
		.rest_ns = rest_ns((const char *)sqlite3_column_text(q, END)),
		.sni = "", .alpn = "", .transport = "",
	};
}

static void read_certificate(sqlite3_stmt *q, struct judge_flow *f)
{
	f->certificate = true;
	f->trusted = sqlite3_column_int(q, CERTIFICATE_TRUSTED) != 0;
	f->certificate_frame = sqlite3_column_int64(q, CERTIFICATE_FRAME);
	f->covers_sni = sqlite3_column_int(q, CERTIFICATE_COVERS_SNI) != 0;
	f->names_cut = sqlite3_column_int(q, CERTIFICATE_NAMES_CUT) != 0;
}

bool flow_reader_next(struct flow_reader *r, struct judge_flow *flow_out)
{
	sqlite3_stmt *q = r->flows;
	int rc = store_step(r->st, q);

	if (rc != SQLITE_ROW) {
		r->ended = rc == SQLITE_DONE;
		return false;
	}
	read_flow(q, flow_out);
	if (stands_at(r, &r->hellos, flow_out->id))
		read_hello(r->hellos.q, flow_out);
	if (stands_at(r, &r->dialogues, flow_out->id))
		read_dialogue(r->dialogues.q, flow_out);
	read_told_losses(r, flow_out);
	read_shown_losses(flow_out, sqlite3_column_int64(q, MISSING), sqlite3_column_int64(q, CUT),
			  strcmp((const char *)sqlite3_column_text(q, END), fact_flow_end_name(FLOW_EVICTED)) == 0);
	flow_out->process = stands_at(r, &r->processes, flow_out->id);
	flow_out->disclosure = stands_at(r, &r->disclosures, flow_out->id);
	if (stands_at(r, &r->certificates, flow_out->id))
		read_certificate(r->certificates.q, flow_out);
	return true;
}

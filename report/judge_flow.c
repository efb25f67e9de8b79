#include "report/judge_flow.h"

#include "capture/base.h"

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
	struct side hellos, dialogues, losses, disclosures;
	bool ended, failed;
};

enum flow_column { ID, FIRST_NS, LAST_NS, ORIG, RESP, ORIG_PAYLOAD, RESP_PAYLOAD, ORIG_PACKETS, RESP_PACKETS,
		   PROTO, RESP_PORT, APP_PROTO, SYN_SEEN, OPAQUE, ENCRYPTED_DNS, LOSSY };

static const char flow_sql[] =
	"SELECT id, first_ns, last_ns, orig_addr, resp_addr, orig_payload, resp_payload, orig_packets, resp_packets,"
	" proto, resp_port, app_proto, orig_seen_syn, opaque, encrypted_dns, lossy FROM flow_with_content ORDER BY id";

enum hello_column { HELLO_SNI = 1, HELLO_ALPN, HELLO_QUIC, HELLO_ECH, HELLO_AFTER_STARTTLS, HELLO_COMPLETED,
		    HELLO_VERSION, HELLO_RESUMED };

static const char hello_sql[] =
	"SELECT flow, sni, alpn, quic, ech, after_starttls, completed, version, resumed FROM handshake ORDER BY flow";

enum dialogue_column { DIALOGUE_TRANSPORT = 1, DIALOGUE_CREDENTIAL, DIALOGUE_MAIL_MOVED, DIALOGUE_READABLE };

static const char dialogue_sql[] =
	"SELECT flow, transport, credential IN ('reusable', 'guessable'), mail_moved,"
	" mail_moved OR compressed OR credential <> 'none' FROM mail_session ORDER BY flow";

static const char loss_sql[] = "SELECT flow FROM loss WHERE flow > 0 ORDER BY flow";
static const char disclosure_sql[] = "SELECT flow FROM disclosure ORDER BY flow";

struct flow_reader *flow_reader_open(struct store *st)
{
	struct flow_reader *r = base_alloc(sizeof(*r));

	r->st = st;
	r->flows = store_prepare(st, flow_sql);
	r->hellos.q = store_prepare(st, hello_sql);
	r->dialogues.q = store_prepare(st, dialogue_sql);
	r->losses.q = store_prepare(st, loss_sql);
	r->disclosures.q = store_prepare(st, disclosure_sql);
	if (r->flows == NULL || r->hellos.q == NULL || r->dialogues.q == NULL || r->losses.q == NULL ||
	    r->disclosures.q == NULL)
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
	free(*r);
	*r = NULL;
	return ok;
}

/* Goes on to the flow; whether it has a row. */
static bool stands_at(struct flow_reader *r, struct side *side, int64_t flow)
{
	while (side->flow < flow) {
		int rc = store_step(r->st, side->q);

		side->flow = rc == SQLITE_ROW ? sqlite3_column_int64(side->q, 0) : INT64_MAX;
		r->failed = r->failed || (rc != SQLITE_ROW && rc != SQLITE_DONE);
	}
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

bool flow_reader_next(struct flow_reader *r, struct judge_flow *flow_out)
{
	sqlite3_stmt *q = r->flows;
	int rc = store_step(r->st, q);

	if (rc != SQLITE_ROW) {
		r->ended = rc == SQLITE_DONE;
		return false;
	}
	*flow_out = (struct judge_flow){
		.id = sqlite3_column_int64(q, ID),
		.first_ns = sqlite3_column_int64(q, FIRST_NS),
		.last_ns = sqlite3_column_int64(q, LAST_NS),
		.orig = sqlite3_column_blob(q, ORIG),
		.resp = sqlite3_column_blob(q, RESP),
		.payload = { sqlite3_column_int64(q, ORIG_PAYLOAD), sqlite3_column_int64(q, RESP_PAYLOAD) },
		.packets = { sqlite3_column_int64(q, ORIG_PACKETS), sqlite3_column_int64(q, RESP_PACKETS) },
		.proto = sqlite3_column_int(q, PROTO),
		.resp_port = sqlite3_column_int(q, RESP_PORT),
		.app_proto = (const char *)sqlite3_column_text(q, APP_PROTO),
		.syn_seen = sqlite3_column_int(q, SYN_SEEN) != 0,
		.opaque = sqlite3_column_int(q, OPAQUE) != 0,
		.encrypted_dns = sqlite3_column_int(q, ENCRYPTED_DNS) != 0,
		.lossy = sqlite3_column_int(q, LOSSY) != 0,
		.sni = "", .alpn = "", .transport = "",
	};
	if (stands_at(r, &r->hellos, flow_out->id))
		read_hello(r->hellos.q, flow_out);
	if (stands_at(r, &r->dialogues, flow_out->id))
		read_dialogue(r->dialogues.q, flow_out);
	if (stands_at(r, &r->losses, flow_out->id))
		flow_out->lossy = true;
	flow_out->disclosure = stands_at(r, &r->disclosures, flow_out->id);
	return true;
}

#include "report/emit.h"

#include "capture/packet.h"
#include "report/emit_words.h"
#include "report/evidence.h"
#include "report/store_sql.h"

#include <string.h>

#define NUMBER_MASK ((1ULL << FRAME_BITS) - 1)
#define FILTER_FRAMES 32	/* in the filter to paste; the list above it has all */

struct explanation {
	struct store *st;
	int64_t finding;
	FILE *out;
};

static const char *text_at(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text != NULL ? text : "";
}

static void say(struct explanation *x, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(x->out, "%-12s", label);
	emit_clean(x->out, text);
	putc('\n', x->out);
}

static const char finding_sql[] =
	"SELECT f.kind, f.class, f.strength, host(c.address) || iif(c.name <> '', ' (' || c.name || ')', ''),"
	" coalesce(o.title, f.owner), f.account, f.mechanism, f.first_ns, f.last_ns, f.sentence, f.refuted_by"
	" FROM finding AS f JOIN client AS c ON c.id = f.client LEFT JOIN owner AS o ON o.owner = f.owner"
	" WHERE f.id = ?1";

static bool show_finding(struct explanation *x)
{
	sqlite3_stmt *q = store_prepare(x->st, finding_sql);
	char first[EMIT_TIME_SIZE], last[EMIT_TIME_SIZE];
	int rc = SQLITE_ERROR;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, x->finding);
		rc = store_step(x->st, q);
	}
	if (rc == SQLITE_ROW) {
		fprintf(x->out, "finding %lld  %s, %s, %s\n", (long long)x->finding, text_at(q, 0), text_at(q, 1),
			text_at(q, 2));
		say(x, "client", text_at(q, 3));
		say(x, "owner", text_at(q, 4));
		say(x, "account", text_at(q, 5));
		say(x, "mechanism", text_at(q, 6));
		emit_time(sqlite3_column_int64(q, 7), first);
		emit_time(sqlite3_column_int64(q, 8), last);
		fprintf(x->out, "from        %s\nto          %s\n\n", first, last);
		say(x, "seen", text_at(q, 9));
		say(x, "refuted by", text_at(q, 10));
	}
	sqlite3_finalize(q);
	if (rc == SQLITE_DONE)
		return store_fail(x->st, "there is no finding %lld in this case", (long long)x->finding);
	return rc == SQLITE_ROW;
}

static const char flow_sql[] =
	"SELECT f.community_id, host(f.orig_addr), f.orig_port, host(f.resp_addr), f.resp_port,"
	" CASE f.proto WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' ELSE f.proto END, f.app_proto,"
	" coalesce(nullif(s.name, ''), ''), f.orig_payload, f.resp_payload"
	" FROM finding_flow AS x JOIN flow AS f ON f.id = x.flow LEFT JOIN seen AS s ON s.flow = f.id"
	" WHERE x.finding = ?1 ORDER BY f.id";

/* IPv6 addresses in brackets, so that the port stands apart (RFC 3986 section 3.2.2). */
static void show_host(struct explanation *x, const char *host, int port)
{
	bool v6 = strchr(host, ':') != NULL;

	fprintf(x->out, v6 ? "[%s]:%d" : "%s:%d", host, port);
}

static bool show_flows(struct explanation *x)
{
	sqlite3_stmt *q = store_prepare(x->st, flow_sql);
	int rc = SQLITE_ERROR;

	fputs("\nflows (community id, originator, responder, payload bytes of each)\n", x->out);
	if (q != NULL)
		sqlite3_bind_int64(q, 1, x->finding);
	while (q != NULL && (rc = store_step(x->st, q)) == SQLITE_ROW) {
		fprintf(x->out, "  %s  ", text_at(q, 0));
		show_host(x, text_at(q, 1), sqlite3_column_int(q, 2));
		fputs(" -> ", x->out);
		show_host(x, text_at(q, 3), sqlite3_column_int(q, 4));
		fprintf(x->out, " %s %s ", text_at(q, 5), text_at(q, 6));
		emit_clean(x->out, text_at(q, 7));
		fprintf(x->out, "%s%lld / %lld\n", text_at(q, 7)[0] != '\0' ? " " : "",
			(long long)sqlite3_column_int64(q, 8), (long long)sqlite3_column_int64(q, 9));
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static void show_filter(struct explanation *x, const struct evidence_frame *frames, unsigned count)
{
	fputs("  in Wireshark: frame.number in {", x->out);
	for (unsigned i = 0; i < count && i < FILTER_FRAMES; i++)
		fprintf(x->out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)(frames[i].id & NUMBER_MASK));
	fputs(count > FILTER_FRAMES ? "}, the first of them\n" : "}\n", x->out);
}

/* The frames of one source, from the first on; returns how many. */
static unsigned show_source(struct explanation *x, const struct evidence_frame *frames, unsigned count)
{
	sqlite3_stmt *q = store_kept(x->st, "SELECT path, sha256 FROM source WHERE number = ?1");
	uint64_t source = frames[0].id >> FRAME_BITS;
	unsigned n = 0;

	if (q == NULL)
		return count;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)source);
	fputs("\npackets of ", x->out);
	if (store_step(x->st, q) == SQLITE_ROW) {
		emit_clean(x->out, text_at(q, 0));
		fprintf(x->out, " (SHA-256 %s)", text_at(q, 1));
	}
	sqlite3_reset(q);
	putc('\n', x->out);
	for (; n < count && frames[n].id >> FRAME_BITS == source; n++) {
		fprintf(x->out, "  %8llu  ", (unsigned long long)(frames[n].id & NUMBER_MASK));
		emit_clean(x->out, frames[n].note);
		putc('\n', x->out);
	}
	show_filter(x, frames, n);
	return n;
}

bool emit_explain(struct store *st, int64_t finding, FILE *out)
{
	struct explanation x = { .st = st, .finding = finding, .out = out };
	struct evidence_frame *frames;
	unsigned count, at = 0;

	if (!show_finding(&x) || !show_flows(&x))
		return false;
	frames = evidence_frames(st, finding, &count);
	if (frames == NULL)
		return false;
	while (at < count)
		at += show_source(&x, frames + at, count - at);
	evidence_frames_free(&frames, count);
	return true;
}

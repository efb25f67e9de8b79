#include "report/emit_text.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "report/emit_process.h"
#include "report/emit_words.h"
#include "report/evidence.h"
#include "report/plain.h"
#include "report/view.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MASK ((1ULL << FRAME_BITS) - 1)
#define TEXT_AT 12		/* the column where what labels label begins */
#define NUMBER_AT 10		/* where numbers of frames end */

struct explanation {
	struct store *st;
	int64_t finding;
	struct lines l;
};

static void heading(struct explanation *x, const char *text)
{
	lines_end(&x->l);
	lines_look(&x->l, LOOK_STRONG, text);
	lines_end(&x->l);
}

static void say(struct explanation *x, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	lines_indent(&x->l, 0, TEXT_AT);
	lines_whole(&x->l, label);
	lines_to(&x->l, TEXT_AT);
	lines_text(&x->l, text);
	lines_end(&x->l);
}

static void show_facts(struct explanation *x, const struct view_finding *f)
{
	char first[EMIT_TIME_SIZE], last[EMIT_TIME_SIZE], client[512];
	bool named = f->name[0] != '\0';

	lines_printf(&x->l, "finding %lld ", (long long)f->id);
	lines_look(&x->l, LOOK_STRONG, f->kind);
	lines_printf(&x->l, " (%s, %s)", f->class, f->strength);
	lines_end(&x->l);
	snprintf(client, sizeof(client), "%s%s%s%s", f->address, named ? " (" : "", f->name, named ? ")" : "");
	say(x, "client", client);
	say(x, "owner", f->title);
	say(x, "account", f->account);
	say(x, "mechanism", f->mechanism);
	emit_time(f->first_ns, first);
	emit_time(f->last_ns, last);
	say(x, "from", first);
	say(x, "to", last);
	lines_end(&x->l);
	say(x, "seen", f->sentence);
	say(x, "refuted by", f->refuted_by);
}

static bool show_finding(struct explanation *x)
{
	struct view v = view_findings(x->st, x->finding);
	struct view_finding f;
	bool any = false;

	while (view_finding(&v, &f)) {
		any = true;
		show_facts(x, &f);
	}
	if (!view_end(&v))
		return false;
	return any || store_fail(x->st, "there is no finding %lld in this case", (long long)x->finding);
}

/* IPv6 addresses in brackets, so that the port stands apart (RFC 3986 section 3.2.2). */
#define HOST_PORT(addr, port) \
	"printf(iif(instr(host(" addr "), ':') > 0, '[%s]:%d', '%s:%d'), host(" addr "), " port ")"

enum { COMMUNITY_ID, PROTO, APP, UP, DOWN, ORIGINATOR, RESPONDER, NAME };
static const char flow_sql[] =
	"SELECT f.community_id, CASE f.proto WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' ELSE f.proto END, f.app_proto,"
	" f.orig_payload, f.resp_payload, " HOST_PORT("f.orig_addr", "f.orig_port") ", "
	HOST_PORT("f.resp_addr", "f.resp_port") ", s.name"
	" FROM finding_flow AS x JOIN flow AS f ON f.id = x.flow LEFT JOIN seen AS s ON s.flow = f.id"
	" WHERE x.finding = ?1 ORDER BY f.id";

static void show_flow(struct explanation *x, const struct view *v)
{
	char up[PLAIN_BYTES_SIZE], down[PLAIN_BYTES_SIZE];

	lines_indent(&x->l, 2, 4);
	lines_whole(&x->l, view_text(v, COMMUNITY_ID));
	lines_printf(&x->l, " %s %s, ", view_text(v, PROTO), view_text(v, APP));
	lines_whole(&x->l, plain_bytes(view_number(v, UP), up));
	lines_text(&x->l, " up, ");
	lines_whole(&x->l, plain_bytes(view_number(v, DOWN), down));
	lines_text(&x->l, " down");
	lines_end(&x->l);
	lines_indent(&x->l, 4, 6);
	lines_printf(&x->l, "%s -> %s", view_text(v, ORIGINATOR), view_text(v, RESPONDER));
	lines_end(&x->l);
	if (view_text(v, NAME)[0] == '\0')
		return;
	lines_indent(&x->l, 4, 6);
	lines_whole(&x->l, view_text(v, NAME));
	lines_end(&x->l);
}

static bool show_flows(struct explanation *x)
{
	struct view v = view_ask(x->st, flow_sql, x->finding);

	heading(x, "flows");
	while (view_row(&v))
		show_flow(x, &v);
	return view_end(&v);
}

static void show_process(void *context, enum emit_process_line kind, const char *text)
{
	struct explanation *x = context;

	if (kind == EMIT_PROGRAM)
		lines_end(&x->l);
	say(x, kind == EMIT_PROGRAM ? "process" : "", text);
}

static void show_filter(struct explanation *x, const struct evidence_frame *frames, unsigned count)
{
	char *filter = NULL;
	size_t size;
	FILE *out = base_checked(open_memstream(&filter, &size));

	evidence_filter(frames, count, out);
	fclose(out);
	lines_indent(&x->l, 2, 4);
	lines_text(&x->l, "in Wireshark: ");
	lines_text(&x->l, filter);
	lines_text(&x->l, count > EVIDENCE_FILTER_FRAMES ? ", the first of them" : "");
	lines_end(&x->l);
	free(filter);
}

/* Frames of one source. */
static bool show_packets(struct explanation *x, const struct evidence_frame *frames, unsigned count)
{
	struct view v = view_sources(x->st, (int64_t)(frames[0].id >> FRAME_BITS));
	struct view_source source;
	bool file = false;

	lines_end(&x->l);
	lines_indent(&x->l, 0, 2);
	lines_text(&x->l, "packets of ");
	while (view_source(&v, &source)) {
		lines_whole(&x->l, source.path);
		lines_end(&x->l);
		file = source.sha256[0] != '\0';
		if (file)
			lines_say(&x->l, 2, 4, "SHA-256 ", source.sha256);
	}
	for (unsigned i = 0; i < count; i++) {
		char number[PLAIN_COUNT_SIZE];

		snprintf(number, sizeof(number), "%llu", (unsigned long long)(frames[i].id & NUMBER_MASK));
		lines_indent(&x->l, 0, TEXT_AT);
		lines_right(&x->l, NUMBER_AT, number);
		lines_to(&x->l, TEXT_AT);
		lines_text(&x->l, frames[i].note);
		lines_end(&x->l);
	}
	if (file)
		show_filter(x, frames, count);
	return view_end(&v);
}

static bool show_evidence(struct explanation *x)
{
	unsigned count;
	struct evidence_frame *frames = evidence_frames(x->st, x->finding, &count);
	bool ok = frames != NULL;

	for (unsigned at = 0, n; ok && at < count; at += n) {
		n = evidence_of_source(frames + at, count - at);
		ok = show_packets(x, frames + at, n);
	}
	evidence_frames_free(&frames, count);
	return ok;
}

bool emit_explain(struct store *st, int64_t finding, const struct emit_settings *settings, FILE *out)
{
	struct explanation x = { .st = st, .finding = finding, .l = emit_text_lines(settings, LINES_ENDLESS, out) };
	bool ok = show_finding(&x) && show_flows(&x) &&
		  emit_process_lines(st, EMIT_OF_FINDING, finding, show_process, &x) && show_evidence(&x);

	lines_free(&x.l);
	return ok;
}

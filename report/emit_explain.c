#include "report/emit.h"

#include "capture/packet.h"
#include "report/emit_process.h"
#include "report/emit_words.h"
#include "report/evidence.h"
#include "report/view.h"

#include <string.h>

#define NUMBER_MASK ((1ULL << FRAME_BITS) - 1)

struct explanation {
	struct store *st;
	int64_t finding;
	FILE *out;
};

static void say(struct explanation *x, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(x->out, "%-12s", label);
	emit_clean(x->out, text);
	putc('\n', x->out);
}

static void show_facts(struct explanation *x, const struct view_finding *f)
{
	char first[EMIT_TIME_SIZE], last[EMIT_TIME_SIZE], client[512];
	bool named = f->name[0] != '\0';

	fprintf(x->out, "finding %lld  %s, %s, %s\n", (long long)f->id, f->kind, f->class, f->strength);
	snprintf(client, sizeof(client), "%s%s%s%s", f->address, named ? " (" : "", f->name, named ? ")" : "");
	say(x, "client", client);
	say(x, "owner", f->title);
	say(x, "account", f->account);
	say(x, "mechanism", f->mechanism);
	emit_time(f->first_ns, first);
	emit_time(f->last_ns, last);
	fprintf(x->out, "from        %s\nto          %s\n\n", first, last);
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

static const char flow_sql[] =
	"SELECT f.community_id, host(f.orig_addr), f.orig_port, host(f.resp_addr), f.resp_port,"
	" CASE f.proto WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' ELSE f.proto END, f.app_proto,"
	" s.name, f.orig_payload, f.resp_payload"
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
	struct view v = view_ask(x->st, flow_sql, x->finding);

	fputs("\nflows (community id, originator, responder, payload bytes of each)\n", x->out);
	while (view_row(&v)) {
		fprintf(x->out, "  %s  ", view_text(&v, 0));
		show_host(x, view_text(&v, 1), (int)view_number(&v, 2));
		fputs(" -> ", x->out);
		show_host(x, view_text(&v, 3), (int)view_number(&v, 4));
		fprintf(x->out, " %s %s ", view_text(&v, 5), view_text(&v, 6));
		emit_clean(x->out, view_text(&v, 7));
		fprintf(x->out, "%s%lld / %lld\n", view_text(&v, 7)[0] != '\0' ? " " : "",
			(long long)view_number(&v, 8), (long long)view_number(&v, 9));
	}
	return view_end(&v);
}

static void show_process(void *context, enum emit_process_line kind, const char *text)
{
	struct explanation *x = context;

	fputs(kind == EMIT_PROGRAM ? "\nprocess     " : "            ", x->out);
	emit_clean(x->out, text);
	putc('\n', x->out);
}

/* Frames of one source. */
static bool show_packets(struct explanation *x, const struct evidence_frame *frames, unsigned count)
{
	struct view v = view_sources(x->st, (int64_t)(frames[0].id >> FRAME_BITS));
	struct view_source source;
	bool file = false;

	fputs("\npackets of ", x->out);
	while (view_source(&v, &source)) {
		emit_clean(x->out, source.path);
		file = source.sha256[0] != '\0';
		if (file)
			fprintf(x->out, " (SHA-256 %s)", source.sha256);
	}
	putc('\n', x->out);
	for (unsigned i = 0; i < count; i++) {
		fprintf(x->out, "  %8llu  ", (unsigned long long)(frames[i].id & NUMBER_MASK));
		emit_clean(x->out, frames[i].note);
		putc('\n', x->out);
	}
	if (file) {
		fputs("  in Wireshark: ", x->out);
		evidence_filter(frames, count, x->out);
		fputs(count > EVIDENCE_FILTER_FRAMES ? ", the first of them\n" : "\n", x->out);
	}
	return view_end(&v);
}

bool emit_explain(struct store *st, int64_t finding, FILE *out)
{
	struct explanation x = { .st = st, .finding = finding, .out = out };
	struct evidence_frame *frames;
	unsigned count;
	bool ok = true;

	if (!show_finding(&x) || !show_flows(&x) ||
	    !emit_process_lines(st, EMIT_OF_FINDING, finding, show_process, &x))
		return false;
	frames = evidence_frames(st, finding, &count);
	if (frames == NULL)
		return false;
	for (unsigned at = 0, n; ok && at < count; at += n) {
		n = evidence_of_source(frames + at, count - at);
		ok = show_packets(&x, frames + at, n);
	}
	evidence_frames_free(&frames, count);
	return ok;
}

#include "report/emit_html.h"

#include "capture/packet.h"
#include "report/evidence.h"
#include "report/plain.h"

#include <string.h>

#define FILTER_FRAMES 64	/* in one filter to paste */
#define NOTES_SHOWN 12		/* frames with what they show; `mailwitness explain` has all */
#define NUMBER_MASK ((1ULL << FRAME_BITS) - 1)

static void pair(struct html *h, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	html_element(h, "dt", name, NULL);
	html_element(h, "dd", value, NULL);
}

static void facts(const struct html_report *r, const struct view_finding *f)
{
	char who[EMIT_HTML_CLIENT_SIZE], time[PLAIN_TIME_SIZE];

	emit_html_client_words(r, f->address, f->vantage, f->name, who);
	html_open(r->h, "dl", NULL);
	pair(r->h, "Client", who);
	pair(r->h, "Company", f->title);
	pair(r->h, "Account", f->account);
	pair(r->h, "First seen", plain_time(f->first_ns, time));
	pair(r->h, "Last seen", plain_time(f->last_ns, time));
	html_close(r->h);
}

static void filter(struct html *h, const struct evidence_frame *frames, unsigned count)
{
	html_open(h, "code", "class", "block", NULL);
	fputs("frame.number in {", h->out);
	for (unsigned i = 0; i < count && i < FILTER_FRAMES; i++)
		fprintf(h->out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)(frames[i].id & NUMBER_MASK));
	fputs("}", h->out);
	html_close(h);
	if (count > FILTER_FRAMES)
		html_printf(h, " (the first %u of %u packets)", FILTER_FRAMES, count);
}

static void notes(struct html *h, const struct evidence_frame *frames, unsigned count)
{
	unsigned shown = 0, noted = 0;

	for (unsigned i = 0; i < count; i++)
		noted += frames[i].note[0] != '\0';
	if (noted == 0)
		return;
	html_open(h, "ul", "class", "frames", NULL);
	for (unsigned i = 0; i < count && shown < NOTES_SHOWN; i++) {
		if (frames[i].note[0] == '\0')
			continue;
		shown++;
		html_open(h, "li", NULL);
		html_printf(h, "packet %llu: %s", (unsigned long long)(frames[i].id & NUMBER_MASK), frames[i].note);
		html_close(h);
	}
	html_close(h);
	if (noted > shown) {
		html_open(h, "p", NULL);
		html_printf(h, "and %u more", noted - shown);
		html_close(h);
	}
}

/* The frames of one source, from the first on; returns how many. */
static unsigned source(const struct html_report *r, const struct evidence_frame *frames, unsigned count)
{
	struct view v = view_ask(r->st, "SELECT path FROM source WHERE number = ?1", (int64_t)(frames[0].id >> FRAME_BITS));
	unsigned n = 0;

	while (n < count && frames[n].id >> FRAME_BITS == frames[0].id >> FRAME_BITS)
		n++;
	html_open(r->h, "li", NULL);
	html_text(r->h, "Open ");
	html_element(r->h, "strong", view_row(&v) ? view_text(&v, 0) : "the recording", NULL);
	html_text(r->h, " in Wireshark and set the display filter ");
	filter(r->h, frames, n);
	notes(r->h, frames, n);
	html_close(r->h);
	sqlite3_reset(v.q);
	return n;
}

static bool check(const struct html_report *r, int64_t finding)
{
	unsigned count, at = 0;
	struct evidence_frame *frames = evidence_frames(r->st, finding, &count);

	if (frames == NULL)
		return false;
	html_element(r->h, "h4", "Check it yourself", NULL);
	html_open(r->h, "ol", NULL);
	while (at < count)
		at += source(r, frames + at, count - at);
	html_open(r->h, "li", NULL);
	html_text(r->h, "Or have these packets alone, passwords and mail overwritten (CASE is the case file): ");
	html_open(r->h, "code", "class", "block", NULL);
	html_printf(r->h, "mailwitness evidence -w finding-%lld.pcapng CASE %lld", (long long)finding, (long long)finding);
	html_close(r->h);
	html_close(r->h);
	html_close(r->h);
	evidence_frames_free(&frames, count);
	return true;
}

static bool one(const struct html_report *r, const struct view_finding *f)
{
	char id[32], class[64];
	bool ok;

	snprintf(id, sizeof(id), "finding-%lld", (long long)f->id);
	snprintf(class, sizeof(class), "finding %s", f->class);
	html_open(r->h, "article", "id", id, "class", class, NULL);
	html_open(r->h, "h3", NULL);
	html_printf(r->h, "%lld. %s", (long long)f->id, plain_finding(f->kind));
	html_close(r->h);
	html_open(r->h, "p", "class", "tags", NULL);
	html_element(r->h, "code", f->kind, "class", "kind", NULL);
	html_printf(r->h, " %s: %s · evidence: ", f->class, plain_class(f->class));
	html_element(r->h, "strong", plain_strength(f->strength), NULL);
	html_close(r->h);
	html_element(r->h, "p", f->sentence, "class", "sentence", NULL);
	html_open(r->h, "p", "class", "refuted", NULL);
	html_element(r->h, "strong", "What would refute it:", NULL);
	fputc(' ', r->h->out);
	html_element(r->h, "span", f->refuted_by, NULL);
	html_close(r->h);
	facts(r, f);
	ok = check(r, f->id);
	html_close(r->h);
	return ok;
}

bool emit_html_findings(const struct html_report *r, int64_t finding)
{
	struct view v = view_findings(r->st, finding);
	struct view_finding f;
	bool ok = true, any = false;

	html_section(r->h, "findings", "What was found");
	while (ok && view_finding(&v, &f)) {
		if (r->client != 0 && r->client != f.client)
			continue;
		any = true;
		ok = one(r, &f);
	}
	if (!any)
		html_element(r->h, "p", "Nothing that is worth a finding.", NULL);
	html_close(r->h);
	return ok && view_end(&v);
}

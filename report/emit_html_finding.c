#include "report/emit_html.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "report/emit_process.h"
#include "report/evidence.h"
#include "report/plain.h"

#include <stdlib.h>

#define NOTES_SHOWN 12		/* frames with what they show; `mailwitness explain` has all */
#define NUMBER_MASK ((1ULL << FRAME_BITS) - 1)

static void pair(struct html *h, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	html_element(h, "dt", name, NULL);
	html_element(h, "dd", value, NULL);
}

static void program(void *context, enum emit_process_line kind, const char *text)
{
	pair(context, kind == EMIT_PROGRAM ? "Program" : "Its file", text);
}

static bool facts(const struct html_report *r, const struct view_finding *f)
{
	char who[EMIT_HTML_CLIENT_SIZE], time[PLAIN_TIME_SIZE];

	emit_html_client_words(r, f->address, f->vantage, f->name, who);
	html_open(r->h, "dl", NULL);
	pair(r->h, "Client", who);
	pair(r->h, "Company", f->title);
	pair(r->h, "Account", f->account);
	pair(r->h, "First seen", plain_time(f->first_ns, time));
	pair(r->h, "Last seen", plain_time(f->last_ns, time));
	bool ok = emit_process_lines(r->st, EMIT_OF_FINDING, f->id, program, r->h);

	html_close(r->h);
	return ok;
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

static void filter(struct html *h, const struct evidence_frame *frames, unsigned count)
{
	html_text(h, " in Wireshark and set the display filter ");
	html_open(h, "code", "class", "block", NULL);
	evidence_filter(frames, count, h->out);
	html_close(h);
	if (count > EVIDENCE_FILTER_FRAMES)
		html_printf(h, " (the first %u of %u packets)", EVIDENCE_FILTER_FRAMES, count);
}

/* Frames of one source. Those of an interface stand in no file. */
static bool packets(const struct html_report *r, const struct evidence_frame *frames, unsigned count)
{
	struct view v = view_sources(r->st, (int64_t)(frames[0].id >> FRAME_BITS));
	struct view_source source;
	bool file = false;

	html_open(r->h, "li", NULL);
	while (view_source(&v, &source)) {
		file = source.sha256[0] != '\0';
		html_text(r->h, file ? "Open " : "Seen live on ");
		html_element(r->h, "strong", source.path, NULL);
	}
	if (file)
		filter(r->h, frames, count);
	notes(r->h, frames, count);
	html_close(r->h);
	return view_end(&v);
}

static void evidence_command(struct html *h, int64_t finding)
{
	html_open(h, "li", NULL);
	html_text(h, "Or have these packets alone, passwords and mail overwritten (CASE is the case file): ");
	html_open(h, "code", "class", "block", NULL);
	html_printf(h, "mailwitness evidence -w finding-%lld.pcapng CASE %lld", (long long)finding, (long long)finding);
	html_close(h);
	html_close(h);
}

/* What is known of the frames of all findings that are shown. */
struct known {
	struct evidence_frame *frames;
	unsigned count;
};

/* A finding's own of them: their notes are borrowed. */
static struct evidence_frame *own_frames(const struct html_report *r, const struct known *known, int64_t finding,
					 unsigned *count_out)
{
	struct evidence_frame *own = base_alloc_array(known->count, sizeof(*own));
	struct view v = view_frames(r->st, finding);
	struct view_frame f;

	*count_out = 0;
	while (view_frame(&v, &f)) {
		uint64_t id = (uint64_t)f.source << FRAME_BITS | (uint64_t)f.number;
		const struct evidence_frame *frame = evidence_find(known->frames, known->count, id);

		if (frame != NULL)
			own[(*count_out)++] = *frame;
	}
	if (!view_end(&v)) {
		free(own);
		return NULL;
	}
	return own;
}

static bool check(const struct html_report *r, const struct known *known, int64_t finding)
{
	unsigned count;
	struct evidence_frame *frames = own_frames(r, known, finding, &count);
	bool ok = frames != NULL;

	if (!ok)
		return false;
	html_element(r->h, "h4", "Check it yourself", NULL);
	html_open(r->h, "ol", NULL);
	for (unsigned at = 0, n; ok && at < count; at += n) {
		n = evidence_of_source(frames + at, count - at);
		ok = packets(r, frames + at, n);
	}
	evidence_command(r->h, finding);
	html_close(r->h);
	free(frames);
	return ok;
}

static bool one(const struct html_report *r, const struct known *known, const struct view_finding *f)
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
	ok = facts(r, f) && check(r, known, f->id);
	html_close(r->h);
	return ok;
}

bool emit_html_findings(const struct html_report *r, int64_t finding)
{
	struct known known;
	struct view v = view_findings(r->st, finding);
	struct view_finding f;
	bool ok, any = false;

	known.frames = evidence_frames(r->st, finding, &known.count);
	ok = known.frames != NULL;
	html_section(r->h, "findings", "What was found");
	while (ok && view_finding(&v, &f)) {
		if (r->client != 0 && r->client != f.client)
			continue;
		any = true;
		ok = one(r, &known, &f);
	}
	if (!any)
		html_element(r->h, "p", "Nothing that is worth a finding.", NULL);
	html_close(r->h);
	if (known.frames != NULL)
		evidence_frames_free(&known.frames, known.count);
	return view_end(&v) && ok;
}

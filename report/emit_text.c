#include "report/emit_text.h"

#include "report/emit_process.h"
#include "report/emit_words.h"
#include "report/plain.h"
#include "report/view.h"

#include <errno.h>
#include <string.h>

#define FRAMES_SHOWN 8		/* of one finding and source; the JSON has all */
#define NOT_JUDGED_SHOWN 8

struct text_report {
	struct store *st;
	const struct emit_settings *settings;
	struct lines l;
	bool all_traffic;	/* the scope */
};

/* A paragraph for each row, behind a label. */
static bool paragraphs(struct text_report *r, unsigned first, unsigned further, const char *label, struct view v)
{
	while (view_row(&v))
		lines_say(&r->l, first, further, label, view_text(&v, 0));
	return view_end(&v);
}

static bool transport(struct text_report *r, int64_t client)
{
	struct view v = view_ask(r->st,
		"SELECT words FROM (SELECT group_concat(sessions || ' ' || words, ', ') AS words FROM (SELECT s.sessions,"
		" w.words FROM client_state AS s JOIN state_word AS w ON w.state = s.state WHERE s.client = ?1"
		" ORDER BY w.place)) WHERE words IS NOT NULL", client);

	return paragraphs(r, 2, 4, "transport: ", v);
}

static bool providers(struct text_report *r, int64_t client)
{
	struct view v = view_ask(r->st, "SELECT owner || ' (' || how || ')' FROM client_provider WHERE client = ?1"
				 " ORDER BY owner", client);

	return paragraphs(r, 2, 4, "mail provider: ", v);
}

static void process_of_client(void *context, enum emit_process_line kind, const char *text)
{
	struct text_report *r = context;

	if (kind == EMIT_PROGRAM)
		lines_say(&r->l, 2, 4, "process: ", text);
	else
		lines_say(&r->l, 4, 6, kind == EMIT_EXECUTABLE ? "" : "to ", text);
}

static void process_of_finding(void *context, enum emit_process_line kind, const char *text)
{
	struct text_report *r = context;

	if (kind == EMIT_PROGRAM)
		lines_say(&r->l, 4, 6, "process: ", text);
}

/* The frames of one source: how to see those of a file, what those of an interface are. */
struct frame_list {
	char text[FRAMES_SHOWN * 24 + 32];
	int64_t source;		/* -1: none yet */
	unsigned count;
	bool live;
};

static void end_frames(struct text_report *r, struct frame_list *list)
{
	size_t n = strlen(list->text);

	if (list->source < 0)
		return;
	snprintf(list->text + n, sizeof(list->text) - n, "%s", list->live ? "" : "}");
	/* A filter stays in one piece where a line has room for it, to be copied. */
	if (lines_width(list->text) + 6 <= r->l.columns)
		lines_whole(&r->l, list->text);
	else
		lines_text(&r->l, list->text);
	lines_end(&r->l);
}

static void begin_frames(struct text_report *r, struct frame_list *list, const struct view_frame *frame)
{
	*list = (struct frame_list){ .source = frame->source, .live = frame->live };
	snprintf(list->text, sizeof(list->text), "%s", frame->live ? "" : "frame.number in {");
	lines_indent(&r->l, 4, 6);
	lines_text(&r->l, frame->live ? "frames of " : "check in ");
	lines_whole(&r->l, frame->path);
	lines_text(&r->l, ": ");
}

static bool frames(struct text_report *r, int64_t finding)
{
	struct view v = view_frames(r->st, finding);
	struct frame_list list = { .source = -1 };
	struct view_frame frame;

	while (view_frame(&v, &frame)) {
		size_t n;

		if (frame.source != list.source) {
			end_frames(r, &list);
			begin_frames(r, &list, &frame);
		}
		n = strlen(list.text);
		if (list.count++ < FRAMES_SHOWN)
			snprintf(list.text + n, sizeof(list.text) - n, "%s%lld", list.count > 1 ? ", " : "",
				 (long long)frame.number);
	}
	end_frames(r, &list);
	return view_end(&v);
}

static bool finding(struct text_report *r, const struct view_finding *f)
{
	bool grave = strcmp(f->class, "leak") == 0 || strcmp(f->class, "exposure") == 0;

	lines_indent(&r->l, 2, 4);
	lines_printf(&r->l, "%lld ", (long long)f->id);
	lines_look(&r->l, grave ? LOOK_BAD : LOOK_OPEN, f->kind);
	lines_printf(&r->l, " (%s, %s)", f->class, f->strength);
	lines_end(&r->l);
	lines_say(&r->l, 4, 4, "", f->sentence);
	lines_say(&r->l, 4, 4, "refuted by: ", f->refuted_by);
	return emit_process_lines(r->st, EMIT_OF_FINDING, f->id, process_of_finding, r) && frames(r, f->id);
}

static void heading(struct text_report *r, const char *text)
{
	lines_indent(&r->l, 0, 0);
	lines_look(&r->l, LOOK_STRONG, text);
	lines_end(&r->l);
}

static bool findings(struct text_report *r)
{
	struct view v = view_findings(r->st, 0);
	struct view_finding f;
	bool ok = true, any = false;

	while (ok && view_finding(&v, &f)) {
		if (!any)
			heading(r, "Findings");
		any = true;
		ok = finding(r, &f);
	}
	if (any)
		lines_end(&r->l);
	return view_end(&v) && ok;
}

static bool accounts(struct text_report *r, int64_t client)
{
	struct view v = view_ask(r->st, "SELECT account, verdict, third_party, path, named FROM account_words WHERE client = ?1"
				 " AND 1 < (SELECT count(*) FROM account_verdict WHERE client = ?1) ORDER BY account", client);

	while (view_row(&v)) {
		lines_indent(&r->l, 2, 4);
		lines_text(&r->l, "account ");
		lines_whole(&r->l, view_text(&v, 0));
		lines_text(&r->l, ": ");
		lines_look(&r->l, lines_look_of(view_text(&v, 1)), view_text(&v, 1));
		lines_printf(&r->l, ": %s; %s.", emit_third_party_words(view_text(&v, 2), r->all_traffic),
			     emit_path_words(view_text(&v, 3)));
		if (view_number(&v, 4) == 0)
			lines_text(&r->l, " What was found names no account: it concerns all of them.");
		lines_end(&r->l);
	}
	return view_end(&v);
}

/* One sentence, then why, then where it sent what. */
static bool client(struct text_report *r, const struct view_client *c)
{
	lines_indent(&r->l, 0, 2);
	lines_look(&r->l, LOOK_STRONG, c->address);
	if (c->vantage[0] != '\0') {
		lines_text(&r->l, " at ");
		lines_whole(&r->l, c->vantage);
	}
	if (!r->settings->numeric && c->name[0] != '\0') {
		lines_text(&r->l, " (");
		lines_whole(&r->l, c->name);
		lines_text(&r->l, ")");
	}
	lines_text(&r->l, ": ");
	lines_look(&r->l, lines_look_of(c->verdict), c->verdict);
	lines_printf(&r->l, ": %s; %s.", emit_third_party_words(c->third_party, r->all_traffic), emit_path_words(c->path));
	lines_end(&r->l);
	if (r->settings->quiet)
		return true;
	bool ok = paragraphs(r, 2, 4, "- ", view_reasons(r->st, c->id)) && accounts(r, c->id) &&
		  paragraphs(r, 2, 4, "coverage: ", view_coverage(r->st, c->id)) && transport(r, c->id) &&
		  providers(r, c->id) && emit_text_destinations(r->st, c->id, &r->l) &&
		  emit_process_lines(r->st, EMIT_OF_CLIENT, c->id, process_of_client, r);

	lines_end(&r->l);
	return ok;
}

static bool clients(struct text_report *r)
{
	struct view v = view_clients(r->st);
	struct view_client c;
	bool ok = true;

	while (ok && view_client(&v, &c))
		ok = client(r, &c);
	return view_end(&v) && ok;
}

/* The verdict of all, where there are several to read on about. */
static bool together(struct text_report *r)
{
	struct view v = view_ask(r->st, "SELECT v.verdict, group_concat(c.words, ', '), sum(c.clients) FROM verdict AS v,"
				 " (SELECT printf('%,d %s', count(*), verdict) AS words, count(*) AS clients FROM client WHERE judged"
				 "  GROUP BY verdict ORDER BY verdict = 'clean', verdict = 'cannot-say') AS c", 0);

	while (view_row(&v)) {
		if (view_number(&v, 2) < 2)
			continue;
		lines_text(&r->l, "Verdict: ");
		lines_look(&r->l, lines_look_of(view_text(&v, 0)), view_text(&v, 0));
		lines_printf(&r->l, " (%lld clients: %s)", (long long)view_number(&v, 2), view_text(&v, 1));
		lines_end(&r->l);
		lines_end(&r->l);
	}
	return view_end(&v);
}

/* What can be said of nobody in particular. */
static bool whole(struct text_report *r)
{
	struct view v = view_reasons(r->st, 0);

	while (view_row(&v)) {
		lines_indent(&r->l, 0, 2);
		lines_look(&r->l, LOOK_OPEN, "cannot-say");
		lines_text(&r->l, ": ");
		lines_text(&r->l, view_text(&v, 0));
		lines_end(&r->l);
	}
	return view_end(&v);
}

static bool losses(struct text_report *r)
{
	struct view v = view_losses(r->st);
	struct view_loss loss;

	while (view_loss(&v, &loss)) {
		char packets[PLAIN_COUNT_SIZE], bytes[PLAIN_BYTES_SIZE];

		lines_indent(&r->l, 0, 2);
		lines_printf(&r->l, "Not seen: %s", loss.reason);
		if (loss.packets > 0)
			lines_printf(&r->l, ", %s packets", plain_count(loss.packets, packets));
		if (loss.bytes > 0)
			lines_printf(&r->l, ", %s", plain_bytes(loss.bytes, bytes));
		lines_printf(&r->l, " (%s): %s.", loss.address[0] != '\0' ? loss.address : "everyone",
			     plain_loss(loss.reason));
		lines_end(&r->l);
	}
	return view_end(&v);
}

static void source(struct text_report *r, const struct view_source *s)
{
	char from[PLAIN_TIME_SIZE], to[PLAIN_TIME_SIZE], packets[PLAIN_COUNT_SIZE];

	lines_indent(&r->l, 0, 2);
	lines_text(&r->l, "Source: ");
	lines_whole(&r->l, s->path);
	if (s->vantage[0] != '\0') {
		lines_text(&r->l, " at ");
		lines_whole(&r->l, s->vantage);
	}
	lines_printf(&r->l, ", %s packets, %s", plain_count(s->packets, packets), s->end);
	if (s->why[0] != '\0') {
		lines_printf(&r->l, " at byte %lld: ", (long long)s->at_byte);
		lines_text(&r->l, s->why);
	}
	lines_end(&r->l);
	if (s->first_ns != 0) {
		lines_indent(&r->l, 2, 4);
		lines_printf(&r->l, "from %s to %s", plain_time(s->first_ns, from), plain_time(s->last_ns, to));
		lines_end(&r->l);
	}
	if (s->sha256[0] != '\0')
		lines_say(&r->l, 2, 4, "SHA-256 ", s->sha256);
}

static bool sources(struct text_report *r)
{
	struct view v = view_sources(r->st, VIEW_ALL_SOURCES);
	struct view_source s;

	while (view_source(&v, &s))
		source(r, &s);
	return view_end(&v);
}

static bool not_judged(struct text_report *r)
{
	struct view v = view_not_judged(r->st);
	unsigned count = 0;

	while (view_row(&v)) {
		if (count++ == 0) {
			lines_indent(&r->l, 0, 2);
			lines_text(&r->l, "Not judged, no mail contact: ");
		}
		if (count > NOT_JUDGED_SHOWN)
			continue;
		lines_text(&r->l, count > 1 ? ", " : "");
		lines_text(&r->l, view_text(&v, 0));
	}
	if (count > NOT_JUDGED_SHOWN)
		lines_printf(&r->l, " and %u more", count - NOT_JUDGED_SHOWN);
	if (count > 0)
		lines_end(&r->l);
	return view_end(&v);
}

struct lines emit_text_lines(const struct emit_settings *settings, unsigned otherwise, FILE *out)
{
	unsigned columns = settings->columns;

	if (columns == 0)
		columns = otherwise;
	else if (columns < LINES_COLUMNS_MIN)
		columns = LINES_COLUMNS_MIN;
	return (struct lines){ .out = out, .columns = columns, .color = settings->color };
}

bool emit_text(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct text_report r = { .st = st, .settings = settings, .l = emit_text_lines(settings, LINES_COLUMNS, out) };
	bool ok = view_all_traffic(st, &r.all_traffic) && (settings->quiet || together(&r)) && whole(&r) && clients(&r);

	if (ok && !settings->quiet)
		ok = findings(&r) && losses(&r) && paragraphs(&r, 0, 2, "", view_gaps(st)) && not_judged(&r) &&
		     paragraphs(&r, 0, 2, "", view_commands(st)) && sources(&r) &&
		     paragraphs(&r, 0, 2, "", view_attributions(st));
	lines_free(&r.l);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

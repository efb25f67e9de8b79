#include "report/emit.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "report/emit_process.h"
#include "report/emit_words.h"
#include "report/view.h"

#include <errno.h>
#include <string.h>

#define FRAMES_SHOWN 8		/* of one finding and source; the JSON has all */
#define NOT_JUDGED_SHOWN 8
#define DESTINATIONS_SHOWN 40	/* of one client; the JSON has all */
#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN 40

struct text_report {
	struct store *st;
	const struct emit_settings *settings;
	FILE *out;
	unsigned columns;
	bool all_traffic;	/* the scope */
};

static void spaces(struct text_report *r, unsigned count)
{
	fprintf(r->out, "%*s", (int)count, "");
}

static void wrap(struct text_report *r, unsigned at, unsigned indent, const char *text)
{
	emit_wrap(r->out, text, at, indent, r->columns);
}

/* Cut where it does not fit, filled up where it does. */
static void cell(struct text_report *r, const char *text, unsigned width)
{
	char part[256];
	unsigned columns = emit_clean(NULL, text);
	size_t n = strlen(text);

	base_copy(part, sizeof(part), text);
	if (n >= sizeof(part))
		n = sizeof(part) - 1;
	while (n > 0 && (columns = emit_clean(NULL, part)) > width)
		part[--n] = '\0';
	emit_clean(r->out, part);
	if (columns < width)
		spaces(r, width - columns);
}

static void coloured(struct text_report *r, const char *verdict)
{
	const char *on = strcmp(verdict, "leak") == 0 ? "\033[1;31m" :
			 strcmp(verdict, "clean") == 0 ? "\033[1;32m" : "\033[1;33m";

	fprintf(r->out, "%s%s%s", r->settings->color ? on : "", verdict, r->settings->color ? "\033[0m" : "");
}

/* A paragraph for each row, behind a label. */
static bool lines(struct text_report *r, const char *label, unsigned indent, struct view v)
{
	while (view_row(&v)) {
		fputs(label, r->out);
		wrap(r, (unsigned)strlen(label), indent, view_text(&v, 0));
	}
	return view_end(&v);
}

static bool transport(struct text_report *r, int64_t client)
{
	struct view v = view_ask(r->st,
		"SELECT words FROM (SELECT group_concat(sessions || ' ' || words, ', ') AS words FROM (SELECT s.sessions,"
		" w.words FROM client_state AS s JOIN state_word AS w ON w.state = s.state WHERE s.client = ?1"
		" ORDER BY w.place)) WHERE words IS NOT NULL", client);

	return lines(r, "  transport: ", 4, v);
}

static bool providers(struct text_report *r, int64_t client)
{
	struct view v = view_ask(r->st, "SELECT owner, how FROM client_provider WHERE client = ?1 ORDER BY owner", client);

	while (view_row(&v)) {
		fputs("  mail provider: ", r->out);
		emit_clean(r->out, view_text(&v, 0));
		fprintf(r->out, " (%s)\n", view_text(&v, 1));
	}
	return view_end(&v);
}

static bool destinations(struct text_report *r, int64_t client)
{
	struct view v = view_destinations(r->st, client);
	struct view_destination d;
	unsigned count = 0;

	while (view_destination(&v, &d)) {
		if (count++ == 0)
			fprintf(r->out, "  %-24s %-13s%11s %11s %6s %s\n", "destination", "role", "bytes up",
				"bytes down", "flows", "named");
		if (count > DESTINATIONS_SHOWN)
			continue;
		fputs("  ", r->out);
		cell(r, d.service[0] != '\0' ? d.service : d.owner, 24);
		fprintf(r->out, " %-13s%11lld %11lld %6lld %s\n", d.role, (long long)d.up, (long long)d.down,
			(long long)d.flows, d.named_by);
	}
	if (count > DESTINATIONS_SHOWN)
		fprintf(r->out, "  and %u more that were sent less\n", count - DESTINATIONS_SHOWN);
	return view_end(&v);
}

/* How to see them in each file, and what the frames of interfaces are. */
static bool frames(struct text_report *r, int64_t finding)
{
	struct view v = view_frames(r->st, finding);
	struct view_frame frame;
	const char *end = "";
	int64_t source = -1;
	unsigned count = 0;

	while (view_frame(&v, &frame)) {
		if (frame.source != source) {
			fprintf(r->out, "%s    %s ", end, frame.live ? "frames of" : "check in");
			end = frame.live ? "\n" : "}\n";
			source = frame.source;
			count = 0;
			emit_clean(r->out, frame.path);
			fputs(frame.live ? ": " : ": frame.number in {", r->out);
		}
		if (count++ < FRAMES_SHOWN)
			fprintf(r->out, "%s%lld", count > 1 ? ", " : "", (long long)frame.number);
	}
	fputs(end, r->out);
	return view_end(&v);
}

static void process_of_client(void *context, enum emit_process_line kind, const char *text)
{
	struct text_report *r = context;
	const char *label = kind == EMIT_PROGRAM ? "  process: " : kind == EMIT_EXECUTABLE ? "    " : "    to ";

	fputs(label, r->out);
	wrap(r, (unsigned)strlen(label), 4, text);
}

static void process_of_finding(void *context, enum emit_process_line kind, const char *text)
{
	struct text_report *r = context;

	if (kind != EMIT_PROGRAM)
		return;
	fputs("    process: ", r->out);
	wrap(r, 13, 4, text);
}

static bool findings(struct text_report *r)
{
	struct view v = view_findings(r->st, 0);
	struct view_finding f;
	bool ok = true, any = false;

	while (ok && view_finding(&v, &f)) {
		fprintf(r->out, "%s  %lld %s (%s, %s)\n", any ? "" : "Findings\n", (long long)f.id, f.kind, f.class,
			f.strength);
		any = true;
		spaces(r, 4);
		wrap(r, 4, 4, f.sentence);
		fputs("    refuted by: ", r->out);
		wrap(r, 16, 4, f.refuted_by);
		ok = emit_process_lines(r->st, EMIT_OF_FINDING, f.id, process_of_finding, r) && frames(r, f.id);
	}
	if (any)
		putc_unlocked('\n', r->out);
	return view_end(&v) && ok;
}

static bool accounts(struct text_report *r, int64_t client)
{
	struct view v = view_ask(r->st, "SELECT account, verdict, third_party, path, named FROM account_words WHERE client = ?1"
				 " AND 1 < (SELECT count(*) FROM account_verdict WHERE client = ?1) ORDER BY account", client);
	char line[256];

	while (view_row(&v)) {
		fputs("  account ", r->out);
		unsigned at = emit_clean(r->out, view_text(&v, 0)) + (unsigned)strlen(view_text(&v, 1)) + 14;

		fputs(": ", r->out);
		coloured(r, view_text(&v, 1));
		fputs(": ", r->out);
		snprintf(line, sizeof(line), "%s; %s.%s", emit_third_party_words(view_text(&v, 2), r->all_traffic),
			 emit_path_words(view_text(&v, 3)), view_number(&v, 4) != 0 ? "" :
			 " What was found names no account: it concerns all of them.");
		wrap(r, at, 4, line);
	}
	return view_end(&v);
}

/* One sentence, then why, then where it sent what. */
static bool client(struct text_report *r, const struct view_client *c)
{
	char line[160];
	unsigned at = (unsigned)(strlen(c->address) + strlen(c->verdict) + 4);

	fputs(c->address, r->out);
	if (c->vantage[0] != '\0') {
		fputs(" at ", r->out);
		at += emit_clean(r->out, c->vantage) + 4;
	}
	if (!r->settings->numeric && c->name[0] != '\0') {
		fputs(" (", r->out);
		at += emit_clean(r->out, c->name) + 3;
		putc_unlocked(')', r->out);
	}
	fputs(": ", r->out);
	coloured(r, c->verdict);
	fputs(": ", r->out);
	snprintf(line, sizeof(line), "%s; %s.", emit_third_party_words(c->third_party, r->all_traffic),
		 emit_path_words(c->path));
	wrap(r, at, 2, line);
	if (r->settings->quiet)
		return true;
	bool ok = lines(r, "  - ", 4, view_reasons(r->st, c->id)) && accounts(r, c->id) &&
		  lines(r, "  coverage: ", 4, view_coverage(r->st, c->id)) && transport(r, c->id) &&
		  providers(r, c->id) && destinations(r, c->id) &&
		  emit_process_lines(r->st, EMIT_OF_CLIENT, c->id, process_of_client, r);

	putc_unlocked('\n', r->out);
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

/* What can be said of nobody in particular. */
static bool whole(struct text_report *r)
{
	struct view v = view_reasons(r->st, 0);

	while (view_row(&v)) {
		coloured(r, "cannot-say");
		fputs(": ", r->out);
		wrap(r, 12, 2, view_text(&v, 0));
	}
	return view_end(&v);
}

static bool losses(struct text_report *r)
{
	struct view v = view_losses(r->st);
	struct view_loss loss;

	while (view_loss(&v, &loss)) {
		fprintf(r->out, "Not seen: %s", loss.reason);
		if (loss.packets > 0)
			fprintf(r->out, ", %lld packets", (long long)loss.packets);
		if (loss.bytes > 0)
			fprintf(r->out, ", %lld bytes", (long long)loss.bytes);
		fprintf(r->out, " (%s)\n", loss.address[0] != '\0' ? loss.address : "everyone");
	}
	return view_end(&v);
}

static void source(struct text_report *r, const struct view_source *s)
{
	char from[EMIT_TIME_SIZE], to[EMIT_TIME_SIZE];

	emit_time(s->first_ns, from);
	emit_time(s->last_ns, to);
	fputs("Source: ", r->out);
	emit_clean(r->out, s->path);
	if (s->vantage[0] != '\0') {
		fputs(" at ", r->out);
		emit_clean(r->out, s->vantage);
	}
	fprintf(r->out, ", %lld packets, %s", (long long)s->packets, s->end);
	if (s->why[0] != '\0') {
		fprintf(r->out, " at byte %lld: ", (long long)s->at_byte);
		emit_clean(r->out, s->why);
	}
	putc_unlocked('\n', r->out);
	if (from[0] != '\0')
		fprintf(r->out, "  from %s to %s\n", from, to);
	if (s->sha256[0] != '\0')
		fprintf(r->out, "  sha256 %s\n", s->sha256);
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
	char line[64 + NOT_JUDGED_SHOWN * (HOST_TEXT_SIZE + 2)] = "Not judged, no mail contact:";

	while (view_row(&v)) {
		size_t n = strlen(line);

		if (count++ < NOT_JUDGED_SHOWN)
			snprintf(line + n, sizeof(line) - n, "%s %s", count == 1 ? "" : ",", view_text(&v, 0));
	}
	if (count > NOT_JUDGED_SHOWN)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " and %u more", count - NOT_JUDGED_SHOWN);
	if (count > 0)
		wrap(r, 0, 2, line);
	return view_end(&v);
}

bool emit_text(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct text_report r = { .st = st, .settings = settings, .out = out, .columns = settings->columns };
	bool ok;

	if (r.columns == 0)
		r.columns = COLUMNS_DEFAULT;
	if (r.columns < COLUMNS_MIN)
		r.columns = COLUMNS_MIN;
	ok = view_all_traffic(st, &r.all_traffic) && whole(&r) && clients(&r);
	if (ok && !settings->quiet)
		ok = findings(&r) && losses(&r) && lines(&r, "", 2, view_gaps(st)) && not_judged(&r) &&
		     lines(&r, "", 2, view_commands(st)) && sources(&r) && lines(&r, "", 2, view_attributions(st));
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

#include "report/emit_html.h"

#include "report/plain.h"

#include <string.h>

#define LOSSES_SHOWN 100	/* the JSON has all */
#define NOT_JUDGED_SHOWN 40

static void rest(struct html *h, unsigned count)
{
	html_open(h, "li", NULL);
	html_printf(h, "and %u more like these, of other clients: each client's own is under its coverage.", count);
	html_close(h);
}

static bool losses(const struct html_report *r, unsigned *count)
{
	struct view v = view_losses(r->st);
	struct view_loss loss;
	char bytes[PLAIN_BYTES_SIZE];

	while (view_loss(&v, &loss)) {
		if ((*count)++ == 0)
			html_open(r->h, "ul", NULL);
		if (*count > LOSSES_SHOWN)
			continue;
		html_open(r->h, "li", NULL);
		html_printf(r->h, "%s", plain_loss(loss.reason));
		if (loss.packets > 0)
			html_printf(r->h, ", %lld packet%s", (long long)loss.packets, loss.packets == 1 ? "" : "s");
		if (loss.bytes > 0)
			html_printf(r->h, ", %s", plain_bytes(loss.bytes, bytes));
		html_printf(r->h, loss.address[0] != '\0' ? " (concerns %s)." : " (may concern everyone).", loss.address);
		html_close(r->h);
	}
	if (*count > LOSSES_SHOWN)
		rest(r->h, *count - LOSSES_SHOWN);
	if (*count > 0)
		html_close(r->h);
	return view_end(&v);
}

static bool paragraphs(const struct html_report *r, struct view v)
{
	while (view_row(&v)) {
		html_open(r->h, "p", NULL);
		html_printf(r->h, "%s.", view_text(&v, 0));
		html_close(r->h);
	}
	return view_end(&v);
}

static bool not_judged(const struct html_report *r)
{
	struct view v = view_not_judged(r->st);
	unsigned count = 0;

	while (view_row(&v)) {
		if (count == 0)
			html_open(r->h, "p", NULL);
		if (count++ < NOT_JUDGED_SHOWN)
			html_printf(r->h, "%s%s", count == 1 ? "Not judged, because no mail contact was seen: " : ", ",
				    view_text(&v, 0));
	}
	if (count > NOT_JUDGED_SHOWN)
		html_printf(r->h, " and %u more", count - NOT_JUDGED_SHOWN);
	if (count > 0) {
		html_text(r->h, ".");
		html_close(r->h);
	}
	return view_end(&v);
}

bool emit_html_not_seen(const struct html_report *r)
{
	struct view v = view_wholes(r->st);
	struct view_whole w;
	unsigned count = 0;
	bool all_traffic, ok;

	html_section(r->h, "not-seen", "What was not seen");
	ok = view_all_traffic(r->st, &all_traffic) && losses(r, &count);
	while (ok && view_whole(&v, &w)) {
		if (count == 0 && w.filter[0] == '\0')
			html_element(r->h, "p", "Nothing is known to be missing from what was recorded.", NULL);
		if (w.filter[0] != '\0') {
			html_open(r->h, "p", NULL);
			html_text(r->h, "A filter was set; what it left out was not looked at: ");
			html_element(r->h, "code", w.filter, NULL);
			html_close(r->h);
		}
		html_element(r->h, "p", all_traffic ?
			     "Looked at: all traffic of the client." :
			     "Looked at: contacts with mail services, and with companies that the catalogue knows. What was"
			     " not recorded, and what leaves no trace, nobody can see.", NULL);
	}
	ok = view_end(&v) && ok && paragraphs(r, view_gaps(r->st)) && not_judged(r);
	html_close(r->h);
	return ok;
}

static void source(struct html *h, const struct view_source *s)
{
	char from[PLAIN_TIME_SIZE], to[PLAIN_TIME_SIZE];

	html_open(h, "li", NULL);
	html_element(h, "strong", s->path, NULL);
	if (s->vantage[0] != '\0')
		html_printf(h, ", recorded at %s", s->vantage);
	html_printf(h, ": %lld packet%s, %s", (long long)s->packets, s->packets == 1 ? "" : "s", plain_end(s->end));
	if (s->why[0] != '\0')
		html_printf(h, " at byte %lld: %s", (long long)s->at_byte, s->why);
	if (s->first_ns != 0)
		html_printf(h, "; from %s to %s", plain_time(s->first_ns, from), plain_time(s->last_ns, to));
	if (s->sha256[0] != '\0') {
		html_open(h, "code", "class", "block", NULL);
		html_printf(h, "SHA-256 %s", s->sha256);
		html_close(h);
	}
	html_close(h);
}

bool emit_html_sources(const struct html_report *r)
{
	struct view v = view_sources(r->st, VIEW_ALL_SOURCES);
	struct view_source s;

	html_section(r->h, "sources", "What this rests on");
	html_element(r->h, "p", "The recordings, and their checksums: whoever has the same files can check every word.", NULL);
	bool ok = paragraphs(r, view_commands(r->st));

	html_open(r->h, "ul", NULL);
	while (view_source(&v, &s))
		source(r->h, &s);
	html_close(r->h);
	html_close(r->h);
	return view_end(&v) && ok;
}

#include "report/emit_html.h"

#include "report/emit_words.h"
#include "report/plain.h"

#include <errno.h>
#include <string.h>

void emit_html_client_words(const struct html_report *r, const char *address, const char *vantage, const char *name,
			    char out[EMIT_HTML_CLIENT_SIZE])
{
	bool named = name[0] != '\0' && !r->settings->numeric;

	snprintf(out, EMIT_HTML_CLIENT_SIZE, "%s%s%s%s%s%s", address, vantage[0] != '\0' ? " at " : "", vantage,
		 named ? " (" : "", named ? name : "", named ? ")" : "");
}

void emit_html_badge(struct html *h, const char *verdict)
{
	const char *sign = strcmp(verdict, "leak") == 0 ? "✕" : strcmp(verdict, "clean") == 0 ? "✓" : "?";

	html_open(h, "span", "class", "badge", NULL);
	html_element(h, "span", sign, "aria-hidden", "true", NULL);
	html_printf(h, " %s", plain_verdict(verdict));
	html_close(h);
}

static void card(const struct html_report *r, const struct view_client *c, bool all_traffic)
{
	char who[EMIT_HTML_CLIENT_SIZE], why[EMIT_HTML_CLIENT_SIZE + 8], class[32], anchor[32];

	emit_html_client_words(r, c->address, c->vantage, c->name, who);
	snprintf(why, sizeof(why), "Why? %s", who);
	snprintf(class, sizeof(class), "card %s", c->verdict);
	snprintf(anchor, sizeof(anchor), "#client-%lld", (long long)c->id);
	html_open(r->h, "li", "class", class, NULL);
	html_open(r->h, "p", NULL);
	emit_html_badge(r->h, c->verdict);
	fputc(' ', r->h->out);
	html_element(r->h, "strong", who, NULL);
	html_printf(r->h, ": %s; %s. ", emit_third_party_words(c->third_party, all_traffic), emit_path_words(c->path));
	html_element(r->h, "a", "Why?", "href", anchor, "aria-label", why, NULL);
	html_close(r->h);
	html_close(r->h);
}

/* What can be said of nobody in particular. */
bool emit_html_whole(const struct html_report *r)
{
	struct view v = view_reasons(r->st, 0);
	bool any = false;

	while (view_row(&v)) {
		if (!any)
			html_open(r->h, "ul", "class", "cards", NULL);
		any = true;
		html_open(r->h, "li", "class", "card cannot-say", NULL);
		html_open(r->h, "p", NULL);
		emit_html_badge(r->h, "cannot-say");
		html_printf(r->h, " %s", view_text(&v, 0));
		html_close(r->h);
		html_close(r->h);
	}
	if (any)
		html_close(r->h);
	return view_end(&v);
}

bool emit_html_verdicts(const struct html_report *r)
{
	struct view v = view_clients(r->st);
	struct view_client c;
	bool all_traffic, any = false, ok = view_all_traffic(r->st, &all_traffic);

	while (view_client(&v, &c)) {
		if (r->client != 0 && r->client != c.id)
			continue;
		if (!any)
			html_open(r->h, "ul", "class", "cards", NULL);
		any = true;
		card(r, &c, all_traffic);
	}
	if (any)
		html_close(r->h);
	return view_end(&v) && ok;
}

/* "2 mail clients: 1 leak, 1 clean": what the cards below it say one by one. */
static bool summary(const struct html_report *r)
{
	static const char *const verdicts[] = { "leak", "cannot-say", "clean" };
	struct view v = view_ask(r->st, "SELECT sum(verdict = 'leak'), sum(verdict = 'cannot-say'),"
				 " sum(verdict = 'clean'), count(*) FROM client WHERE judged", 0);
	const char *before = ": ";
	char word[16];

	if (view_row(&v)) {
		html_printf(r->h, "%lld mail client%s", (long long)view_number(&v, 3),
			    view_number(&v, 3) == 1 ? "" : "s");
		for (int i = 0; i < 3; i++) {
			if (view_number(&v, i) == 0)
				continue;
			snprintf(word, sizeof(word), "%s", plain_verdict(verdicts[i]));
			word[0] = (char)(word[0] | 0x20);
			html_printf(r->h, "%s%lld %s", before, (long long)view_number(&v, i), word);
			before = ", ";
		}
		html_text(r->h, ".");
		view_row(&v);
	}
	return view_end(&v);
}

bool emit_html_lead(const struct html_report *r)
{
	struct view v = view_wholes(r->st);
	struct view_whole w;
	char from[PLAIN_TIME_SIZE], to[PLAIN_TIME_SIZE];
	bool ok = true;

	while (view_whole(&v, &w)) {
		html_open(r->h, "p", "class", "lead", NULL);
		ok = summary(r);
		if (w.from_ns != 0)
			html_printf(r->h, " Watched from %s to %s.", plain_time(w.from_ns, from),
				    plain_time(w.to_ns, to));
		html_close(r->h);
	}
	return view_end(&v) && ok;
}

static bool header(const struct html_report *r)
{
	html_open(r->h, "header", NULL);
	html_element(r->h, "h1", "Where did the mail go?", NULL);
	bool ok = emit_html_lead(r);

	html_close(r->h);
	return ok;
}

static bool footer(const struct html_report *r)
{
	struct view v = view_ask(r->st, "SELECT version, catalogue_version, asn_database FROM run ORDER BY id LIMIT 1", 0);

	html_open(r->h, "footer", NULL);
	while (view_row(&v)) {
		html_open(r->h, "p", NULL);
		html_printf(r->h, "Made by mailwitness %s, catalogue %s, AS numbers %s. Nothing on this page is loaded"
			    " from anywhere. Characters in names that could mislead are shown as \\xNN, byte by byte.",
			    view_text(&v, 0), view_text(&v, 1), view_text(&v, 2));
		html_close(r->h);
	}
	bool ok = view_end(&v);

	v = view_attributions(r->st);
	while (view_row(&v))
		html_element(r->h, "p", view_text(&v, 0), NULL);
	html_close(r->h);
	return view_end(&v) && ok;
}

bool emit_html(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct html h = { .out = out };
	struct html_report r = { .st = st, .settings = settings, .h = &h };
	bool ok;

	html_page_open(&h, "Where did the mail go? mailwitness report", HTML_ALLOW_NOTHING);
	html_open(&h, "main", NULL);
	ok = header(&r) && emit_html_whole(&r) && emit_html_verdicts(&r);
	if (ok && !settings->quiet)
		ok = emit_html_picture(&r) && emit_html_destinations(&r) && emit_html_reasons(&r) &&
		     emit_html_findings(&r, 0) && emit_html_timeline(&r) && emit_html_transport(&r) &&
		     emit_html_not_seen(&r) && emit_html_sources(&r);
	html_close(&h);
	ok = footer(&r) && ok;
	html_page_close(&h);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}

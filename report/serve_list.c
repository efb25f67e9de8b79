/* The dashboard's lists to search in: clients on the first page, findings, destinations. */
#include "report/serve_page.h"

#include "report/emit_words.h"
#include "report/plain.h"

#include <string.h>

static const char *const verdicts[] = { "leak", "cannot-say", "clean", NULL };
static const char *const verdict_words[] = { "Leak", "Cannot say", "Clean" };
static const char *const classes[] = { "leak", "exposure", "policy", "weak", NULL };
static const char *const strengths[] = { "proven", "strong", "suspected", NULL };
static const char *const strength_words[] = { "proven", "strong, not proven", "suspected" };

bool serve_searches(const struct serve_request *r)
{
	return r->query[0] != '\0' || r->class[0] != '\0' || r->strength[0] != '\0' || r->verdict[0] != '\0';
}

static void client_card(struct serve_page *p, const struct view *v)
{
	char who[EMIT_HTML_CLIENT_SIZE], class[32], bytes[PLAIN_BYTES_SIZE];

	emit_html_client_words(&p->report, view_text(v, 1), view_text(v, 2), view_text(v, 3), who);
	snprintf(class, sizeof(class), "card %s", view_text(v, 4));
	html_open(&p->h, "li", "class", class, NULL);
	html_open(&p->h, "p", NULL);
	emit_html_badge(&p->h, view_text(v, 4));
	html_text(&p->h, " ");
	serve_page_link(p, NULL, "/clients/", view_number(v, 0), who);
	html_printf(&p->h, ": %s; %s.", emit_third_party_words(view_text(v, 5), view_number(v, 7) != 0),
		    emit_path_words(view_text(v, 6)));
	html_close(&p->h);
	html_open(&p->h, "p", "class", "tags", NULL);
	html_printf(&p->h, "%s sent up · %lld finding%s", plain_bytes(view_number(v, 8), bytes), (long long)view_number(v, 9),
		    view_number(v, 9) == 1 ? "" : "s");
	html_close(&p->h);
	html_close(&p->h);
}

static bool list_clients(struct serve_page *p)
{
	static const struct serve_list clients = { .caption = "Mail clients, the worst first", .row = client_card, .sql =
		"SELECT c.id, host(c.address), iif((SELECT count(DISTINCT vantage) FROM source) > 1, c.vantage, ''), c.name, c.verdict,"
		" c.third_party, c.path, (SELECT scope = '" RUN_ALL_TRAFFIC "' FROM run ORDER BY id LIMIT 1),"
		" coalesce((SELECT payload_up FROM client_coverage AS v WHERE v.client = c.id), 0),"
		" (SELECT count(*) FROM finding AS f WHERE f.client = c.id) FROM client AS c"
		" WHERE c.judged AND (:verdict = '' OR c.verdict = :verdict)"
		" AND (:q = '' OR instr(lower(host(c.address) || ' ' || c.name || ' ' || c.verdict), lower(:q)) > 0"
		"  OR EXISTS (SELECT 1 FROM client_address AS a WHERE a.client = c.id AND instr(host(a.address), lower(:q)) > 0)"
		"  OR EXISTS (SELECT 1 FROM destination AS d LEFT JOIN owner AS o ON o.owner = d.owner WHERE d.client = c.id"
		"   AND instr(lower(d.owner || ' ' || coalesce(o.title, '')), lower(:q)) > 0))"
		" ORDER BY CASE c.verdict WHEN 'leak' THEN 0 WHEN 'cannot-say' THEN 1 ELSE 2 END, c.address, c.id" };

	return serve_page_list(p, &clients);
}

static void finding_card(struct serve_page *p, const struct view *v)
{
	const char *class = view_text(v, 2);
	bool bad = strcmp(class, "leak") == 0 || strcmp(class, "exposure") == 0;
	char time[PLAIN_TIME_SIZE], who[EMIT_HTML_CLIENT_SIZE];

	html_open(&p->h, "li", "class", bad ? "card leak" : "card cannot-say", NULL);
	html_open(&p->h, "p", "class", "what", NULL);
	serve_page_link(p, NULL, "/findings/", view_number(v, 0), plain_finding(view_text(v, 1)));
	html_close(&p->h);
	html_element(&p->h, "p", view_text(v, 9), "class", "said", NULL);
	html_open(&p->h, "p", "class", "tags", NULL);
	html_printf(&p->h, "%s: %s · evidence: ", class, plain_class(class));
	html_element(&p->h, "strong", plain_strength(view_text(v, 3)), NULL);
	html_text(&p->h, " · ");
	if (p->report.client == 0) {
		emit_html_client_words(&p->report, view_text(v, 5), view_text(v, 6), view_text(v, 7), who);
		serve_page_link(p, NULL, "/clients/", view_number(v, 4), who);
		html_text(&p->h, " · ");
	}
	html_printf(&p->h, "last seen %s", plain_time(view_number(v, 8), time));
	html_close(&p->h);
	html_close(&p->h);
}

bool serve_page_findings(struct serve_page *p)
{
	static const struct serve_list findings = { .caption = "Findings, the worst first", .row = finding_card, .sql =
		"SELECT f.id, f.kind, f.class, f.strength, f.client, host(c.address),"
		" iif((SELECT count(DISTINCT vantage) FROM source) > 1, c.vantage, ''), c.name, f.last_ns, f.sentence"
		" FROM finding AS f JOIN client AS c ON c.id = f.client WHERE (:client = 0 OR f.client = :client)"
		" AND (:q = '' OR instr(lower(host(c.address) || ' ' || c.name || ' ' || f.kind || ' ' || f.owner || ' '"
		"  || coalesce(f.account, '') || ' ' || f.sentence), lower(:q)) > 0)"
		" AND (:class = '' OR f.class = :class) AND (:strength = '' OR f.strength = :strength)"
		" ORDER BY CASE f.class WHEN 'leak' THEN 0 WHEN 'exposure' THEN 1 WHEN 'policy' THEN 2 ELSE 3 END,"
		" CASE f.strength WHEN 'proven' THEN 0 WHEN 'strong' THEN 1 ELSE 2 END, f.id" };

	return serve_page_list(p, &findings);
}

enum serve_made serve_overview(const struct serve_request *r, FILE *out)
{
	const struct serve_choice choices[] = { { "verdict", "Verdict", r->verdict, verdicts, verdict_words }, { 0 } };
	struct serve_page p;
	bool ok;

	serve_page_begin(&p, r, "Overview", "Where did the mail go?", out);
	ok = emit_html_lead(&p.report) && emit_html_whole(&p.report);
	html_section(&p.h, "clients", "Clients");
	serve_page_search(&p, "Address, name or company", choices);
	ok = ok && list_clients(&p);
	html_close(&p.h);
	if (ok && !serve_searches(r)) {
		ok = emit_html_picture(&p.report);
		html_section(&p.h, "found", "What was found");
		ok = ok && serve_page_findings(&p);
		html_close(&p.h);
		ok = ok && emit_html_timeline(&p.report) && emit_html_not_seen(&p.report) && emit_html_sources(&p.report);
	}
	return serve_page_end(&p, ok);
}

enum serve_made serve_findings(const struct serve_request *r, FILE *out)
{
	const struct serve_choice choices[] = {
		{ "class", "Class", r->class, classes, classes },
		{ "strength", "How sure", r->strength, strengths, strength_words }, { 0 },
	};
	struct serve_page p;

	serve_page_begin(&p, r, "Findings", "Findings", out);
	serve_page_search(&p, "Client, account, company or words", choices);
	return serve_page_end(&p, serve_page_findings(&p));
}

/* "/?q=NAME", as a form would send it; false where it is longer than a search may be. */
static bool search_for(const char *name, char *to, size_t size)
{
	size_t at = (size_t)snprintf(to, size, "/?q=");

	if (strlen(name) > SERVE_QUERY)
		return false;
	for (; *name != '\0'; name++)
		at += (size_t)snprintf(to + at, size - at, "%%%02X", (unsigned char)*name);
	return true;
}

static void destination_row(struct serve_page *p, const struct view *v)
{
	char to[8 + 3 * SERVE_QUERY];

	html_open(&p->h, "th", "scope", "row", NULL);
	if (search_for(view_text(v, 0), to, sizeof(to)))
		html_element(&p->h, "a", view_text(v, 1), "href", to, NULL);
	else
		html_text(&p->h, view_text(v, 1));
	html_open(&p->h, "small", NULL);
	html_printf(&p->h, "%s%s%s, known %s", view_text(v, 3), view_text(v, 2)[0] != '\0' ? ": " : "", view_text(v, 2),
		    plain_named_by(view_text(v, 4)));
	html_close(&p->h);
	html_close(&p->h);
	serve_page_bytes(p, view_number(v, 5));
	serve_page_bytes(p, view_number(v, 6));
	serve_page_number(p, view_number(v, 7));
}

enum serve_made serve_destinations(const struct serve_request *r, FILE *out)
{
	static const char *const headings[] = { "Whose servers", "Sent up", "Came down", "Clients", NULL };
	static const struct serve_list destinations = { .caption = "Where mail clients sent to, most first", .headings = headings,
		.row = destination_row, .sql =
		"SELECT d.owner, coalesce(o.title, d.owner), d.service, d.role, max(d.named_by), sum(d.bytes_up), sum(d.bytes_down),"
		" count(DISTINCT d.client) FROM destination AS d LEFT JOIN owner AS o ON o.owner = d.owner"
		" WHERE :q = '' OR instr(lower(d.owner || ' ' || d.service || ' ' || d.role || ' ' || coalesce(o.title, '')),"
		"  lower(:q)) > 0"
		" GROUP BY d.owner, d.service, d.role ORDER BY sum(d.bytes_up) DESC, d.owner, d.service, d.role" };
	static const struct serve_choice none = { 0 };
	struct serve_page p;

	serve_page_begin(&p, r, "Destinations", "Destinations", out);
	html_element(&p.h, "p", "Whose servers the mail clients sent to. A name leads to the clients that did.", "class", "lead", NULL);
	serve_page_search(&p, "Company, service or role", &none);
	return serve_page_end(&p, serve_page_list(&p, &destinations));
}

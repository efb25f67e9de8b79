/* The dashboard's pages: lists to search in, and the report's own sections about one client or one finding. */
#include "report/serve_part.h"

#include "capture/base.h"
#include "report/emit_html.h"
#include "report/emit_words.h"
#include "report/plain.h"

#include <string.h>

#define ROWS 200	/* of a list; more are counted */

struct page {
	const struct serve_request *r;
	struct html h;
	struct html_report report;
};

static const struct {
	const char *page, *path, *words;
} links[] = {
	{ "", "/", "Overview" }, { "findings", "/findings", "Findings" }, { "destinations", "/destinations", "Destinations" },
};

static void begin(struct page *p, const struct serve_request *r, const char *title, FILE *out)
{
	char whole[256];

	*p = (struct page){ .r = r, .h = { .out = out } };
	p->report = (struct html_report){ .st = r->st, .settings = &r->serve->settings.emit, .h = &p->h };
	snprintf(whole, sizeof(whole), "%s · mailwitness", title);
	html_page_open(&p->h, whole, SERVE_ALLOW);
	html_open(&p->h, "header", NULL);
	html_open(&p->h, "nav", "aria-label", "Pages", NULL);
	html_open(&p->h, "ul", "class", "links", NULL);
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		html_open(&p->h, "li", NULL);
		html_element(&p->h, "a", links[i].words, "href", links[i].path, "aria-current",
			     strcmp(links[i].page, r->page) == 0 && strcmp(links[i].words, title) == 0 ? "page" : NULL, NULL);
		html_close(&p->h);
	}
	html_close(&p->h);
	html_close(&p->h);
	html_element(&p->h, "p", "Load again for what is new.", "id", "live", "role", "status", "class", "lead", NULL);
	html_close(&p->h);
	html_open(&p->h, "main", NULL);
	html_element(&p->h, "h1", title, NULL);
}

static enum serve_made end(struct page *p, bool ok)
{
	html_close(&p->h);
	html_element(&p->h, "script", "", "src", "/script.js", "defer", "defer", NULL);
	html_page_close(&p->h);
	return ok ? SERVE_MADE : SERVE_FAILED;
}

/* A list to choose from; the first is all. */
static void choice(struct page *p, const char *name, const char *label, const char *const *values, const char *chosen)
{
	html_open(&p->h, "label", NULL);
	html_text(&p->h, label);
	html_open(&p->h, "select", "name", name, "id", name, NULL);
	html_element(&p->h, "option", "all", "value", "", NULL);
	for (; *values != NULL; values++)
		html_element(&p->h, "option", *values, "value", *values, "selected",
			     strcmp(*values, chosen) == 0 ? "selected" : NULL, NULL);
	html_close(&p->h);
	html_close(&p->h);
}

static void search(struct page *p, const char *path, bool findings)
{
	static const char *const classes[] = { "leak", "exposure", "policy", "weak", NULL };
	static const char *const strengths[] = { "proven", "strong", "suspected", NULL };

	html_open(&p->h, "form", "action", path, "method", "get", "role", "search", "class", "search", NULL);
	html_open(&p->h, "label", NULL);
	html_text(&p->h, "Search");
	html_empty(&p->h, "input", "type", "search", "name", "q", "id", "q", "value", p->r->query, "maxlength", "128", NULL);
	html_close(&p->h);
	if (findings) {
		choice(p, "class", "Class", classes, p->r->class);
		choice(p, "strength", "Strength", strengths, p->r->strength);
	}
	html_element(&p->h, "button", "Show", "type", "submit", NULL);
	html_close(&p->h);
}

/* The rows of a query that search words are bound to: ?1 q, ?2 class, ?3 strength. At most ROWS are shown. */
static bool list(struct page *p, const char *sql, const char *caption, const char *const *headings,
		 void (*row)(struct page *p, const struct view *v))
{
	struct view v = { .st = p->r->st, .q = store_kept(p->r->st, sql) };
	unsigned rows = 0;

	if (v.q == NULL)
		return false;
	sqlite3_bind_text(v.q, 1, p->r->query, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(v.q, 2, p->r->class, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(v.q, 3, p->r->strength, -1, SQLITE_TRANSIENT);
	html_table(&p->h, caption, headings);
	while (view_row(&v)) {
		if (rows++ >= ROWS)
			continue;
		html_open(&p->h, "tr", NULL);
		row(p, &v);
		html_close(&p->h);
	}
	html_table_end(&p->h);
	if (rows == 0)
		html_element(&p->h, "p", "Nothing.", NULL);
	if (rows > ROWS) {
		html_open(&p->h, "p", NULL);
		html_printf(&p->h, "%u more are not shown: search for less.", rows - ROWS);
		html_close(&p->h);
	}
	return view_end(&v);
}

/* A cell that leads to the page of what it names. */
static void link_cell(struct page *p, const char *cell, const char *path, int64_t id, const char *words)
{
	char to[64];

	snprintf(to, sizeof(to), "%s%lld", path, (long long)id);
	html_open(&p->h, cell, "scope", strcmp(cell, "th") == 0 ? "row" : NULL, NULL);
	html_element(&p->h, "a", words, "href", to, NULL);
	html_close(&p->h);
}

static void client_row(struct page *p, const struct view *v)
{
	bool named = view_text(v, 2)[0] != '\0' && !p->report.settings->numeric;
	char who[512], bytes[PLAIN_BYTES_SIZE];

	snprintf(who, sizeof(who), "%s%s%s%s", view_text(v, 1), named ? " (" : "", named ? view_text(v, 2) : "",
		 named ? ")" : "");
	link_cell(p, "th", "/clients/", view_number(v, 0), who);
	html_element(&p->h, "td", plain_verdict(view_text(v, 3)), "class", view_text(v, 3), NULL);
	html_element(&p->h, "td", emit_third_party_words(view_text(v, 4), view_number(v, 8) != 0), NULL);
	html_element(&p->h, "td", emit_path_words(view_text(v, 5)), NULL);
	html_element(&p->h, "td", plain_bytes(view_number(v, 6), bytes), "class", "number", NULL);
	html_open(&p->h, "td", "class", "number", NULL);
	html_printf(&p->h, "%lld", (long long)view_number(v, 7));
	html_close(&p->h);
}

static const char clients_sql[] =
	"SELECT c.id, host(c.address), c.name, c.verdict, c.third_party, c.path,"
	" coalesce((SELECT payload_up FROM client_coverage AS v WHERE v.client = c.id), 0),"
	" (SELECT count(*) FROM finding AS f WHERE f.client = c.id), (SELECT scope = '" RUN_ALL_TRAFFIC "' FROM run"
	"  ORDER BY id LIMIT 1) FROM client AS c"
	" WHERE c.judged AND (?1 = '' OR instr(lower(host(c.address) || ' ' || c.name || ' ' || c.verdict), lower(?1)) > 0"
	"  OR EXISTS (SELECT 1 FROM client_address AS a WHERE a.client = c.id AND instr(host(a.address), lower(?1)) > 0))"
	" AND ?2 IS NOT NULL AND ?3 IS NOT NULL"
	" ORDER BY CASE c.verdict WHEN 'leak' THEN 0 WHEN 'cannot-say' THEN 1 ELSE 2 END, c.address";

static void finding_row(struct page *p, const struct view *v)
{
	char time[PLAIN_TIME_SIZE];

	link_cell(p, "th", "/findings/", view_number(v, 0), plain_finding(view_text(v, 1)));
	html_element(&p->h, "td", view_text(v, 2), "class", view_text(v, 2), NULL);
	html_element(&p->h, "td", plain_strength(view_text(v, 3)), NULL);
	link_cell(p, "td", "/clients/", view_number(v, 4), view_text(v, 5));
	html_element(&p->h, "td", plain_time(view_number(v, 6), time), NULL);
	html_element(&p->h, "td", view_text(v, 7), NULL);
}

static const char findings_sql[] =
	"SELECT f.id, f.kind, f.class, f.strength, f.client, host(c.address), f.last_ns, f.sentence FROM finding AS f"
	" JOIN client AS c ON c.id = f.client WHERE (?1 = '' OR instr(lower(host(c.address) || ' ' || c.name || ' ' || f.kind"
	"  || ' ' || f.owner || ' ' || coalesce(f.account, '') || ' ' || f.sentence), lower(?1)) > 0)"
	" AND (?2 = '' OR f.class = ?2) AND (?3 = '' OR f.strength = ?3)"
	" ORDER BY CASE f.class WHEN 'leak' THEN 0 WHEN 'exposure' THEN 1 WHEN 'policy' THEN 2 ELSE 3 END,"
	" CASE f.strength WHEN 'proven' THEN 0 WHEN 'strong' THEN 1 ELSE 2 END, f.id";

static bool list_findings(struct page *p)
{
	static const char *const headings[] = { "What", "Class", "How sure", "Client", "Last seen", "In one sentence", NULL };

	return list(p, findings_sql, "Findings, the worst first", headings, finding_row);
}

enum serve_made serve_overview(const struct serve_request *r, FILE *out)
{
	static const char *const headings[] = { "Client", "Verdict", "Third party", "On the path", "Sent up", "Findings", NULL };
	struct page p;
	bool ok;

	begin(&p, r, "Overview", out);
	search(&p, "/", false);
	html_section(&p.h, "clients", "Clients");
	ok = list(&p, clients_sql, "Mail clients, the worst first", headings, client_row);
	html_close(&p.h);
	if (ok && r->query[0] == '\0') {
		ok = emit_html_picture(&p.report);
		html_section(&p.h, "found", "What was found");
		ok = ok && list_findings(&p);
		html_close(&p.h);
		ok = ok && emit_html_timeline(&p.report) && emit_html_not_seen(&p.report) && emit_html_sources(&p.report);
	}
	return end(&p, ok);
}

enum serve_made serve_findings(const struct serve_request *r, FILE *out)
{
	struct page p;

	begin(&p, r, "Findings", out);
	search(&p, "/findings", true);
	return end(&p, list_findings(&p));
}

/* Whether the case has it: 1, 0, or -1 where that could not be asked. */
static int is_there(const struct serve_request *r, const char *sql)
{
	struct view v = view_ask(r->st, sql, r->id);
	bool there = view_row(&v);

	while (view_row(&v))
		;
	return view_end(&v) ? there : -1;
}

enum serve_made serve_client(const struct serve_request *r, FILE *out)
{
	int there = is_there(r, "SELECT 1 FROM client WHERE judged AND id = ?1");
	struct page p;

	if (there != 1)
		return there == 0 ? SERVE_NONE : SERVE_FAILED;
	begin(&p, r, "One client", out);
	p.report.client = r->id;
	return end(&p, emit_html_verdicts(&p.report) && emit_html_picture(&p.report) && emit_html_destinations(&p.report) &&
		   emit_html_reasons(&p.report) && emit_html_findings(&p.report, 0) && emit_html_timeline(&p.report) &&
		   emit_html_transport(&p.report));
}

static bool flows(struct page *p)
{
	static const char *const headings[] = { "Community ID", "From", "To", "Begun", "Sent up", "Came down", NULL };
	struct view v = view_ask(p->r->st,
		"SELECT f.community_id, host(f.orig_addr) || ' port ' || f.orig_port, host(f.resp_addr) || ' port '"
		" || f.resp_port, f.first_ns, f.orig_payload, f.resp_payload FROM finding_flow AS x JOIN flow AS f"
		" ON f.id = x.flow WHERE x.finding = ?1 ORDER BY f.id LIMIT 200", p->r->id);
	char text[PLAIN_TIME_SIZE];

	html_section(&p->h, "conversations", "The conversations that show it");
	html_table(&p->h, "Conversations of this finding, up to 200", headings);
	while (view_row(&v)) {
		html_open(&p->h, "tr", NULL);
		html_element(&p->h, "th", view_text(&v, 0), "scope", "row", NULL);
		html_element(&p->h, "td", view_text(&v, 1), NULL);
		html_element(&p->h, "td", view_text(&v, 2), NULL);
		html_element(&p->h, "td", plain_time(view_number(&v, 3), text), NULL);
		html_element(&p->h, "td", plain_bytes(view_number(&v, 4), text), "class", "number", NULL);
		html_element(&p->h, "td", plain_bytes(view_number(&v, 5), text), "class", "number", NULL);
		html_close(&p->h);
	}
	html_table_end(&p->h);
	html_close(&p->h);
	return view_end(&v);
}

enum serve_made serve_finding(const struct serve_request *r, FILE *out)
{
	int there = is_there(r, "SELECT 1 FROM finding WHERE id = ?1");
	char to[64];
	struct page p;
	bool ok;

	if (there != 1)
		return there == 0 ? SERVE_NONE : SERVE_FAILED;
	begin(&p, r, "One finding", out);
	snprintf(to, sizeof(to), "/findings/%lld/evidence.pcapng", (long long)r->id);
	html_open(&p.h, "p", NULL);
	html_element(&p.h, "a", "Download its packets for Wireshark", "href", to, "download", "download", NULL);
	html_text(&p.h, ", passwords and mail overwritten.");
	html_close(&p.h);
	ok = emit_html_findings(&p.report, r->id) && flows(&p);
	return end(&p, ok);
}

static void destination_row(struct page *p, const struct view *v)
{
	char bytes[PLAIN_BYTES_SIZE];

	html_element(&p->h, "th", view_text(v, 0), "scope", "row", NULL);
	html_element(&p->h, "td", view_text(v, 1), NULL);
	html_element(&p->h, "td", view_text(v, 2), NULL);
	html_element(&p->h, "td", plain_bytes(view_number(v, 3), bytes), "class", "number", NULL);
	html_element(&p->h, "td", plain_bytes(view_number(v, 4), bytes), "class", "number", NULL);
	html_open(&p->h, "td", "class", "number", NULL);
	html_printf(&p->h, "%lld", (long long)view_number(v, 5));
	html_close(&p->h);
	html_element(&p->h, "td", plain_named_by(view_text(v, 6)), NULL);
}

enum serve_made serve_destinations(const struct serve_request *r, FILE *out)
{
	static const char *const headings[] = { "Whose servers", "Service", "Role", "Sent up", "Came down", "Clients",
						"Known by", NULL };
	static const char sql[] =
		"SELECT coalesce((SELECT title FROM owner AS o WHERE o.owner = d.owner), d.owner), d.service, d.role,"
		" sum(d.bytes_up), sum(d.bytes_down), count(DISTINCT d.client), max(d.named_by) FROM destination AS d"
		" WHERE (?1 = '' OR instr(lower(d.owner || ' ' || d.service || ' ' || d.role || ' ' || coalesce((SELECT title"
		"  FROM owner AS o WHERE o.owner = d.owner), '')), lower(?1)) > 0) AND ?2 IS NOT NULL AND ?3 IS NOT NULL"
		" GROUP BY d.owner, d.service, d.role ORDER BY sum(d.bytes_up) DESC, d.owner, d.service, d.role";
	struct page p;

	begin(&p, r, "Destinations", out);
	search(&p, "/destinations", false);
	return end(&p, list(&p, sql, "Where mail clients sent to, most first", headings, destination_row));
}

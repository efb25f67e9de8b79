/* The dashboard's pages about one client and one finding: mostly the report's own sections. */
#include "report/serve_page.h"

#include "report/plain.h"

struct subject {
	int64_t client;
	char who[EMIT_HTML_CLIENT_SIZE], what[128];
};

/* What a page is about, the first row of the question: 1, 0 where there is none, -1 where it could not be asked. */
static int find(const struct serve_request *r, const char *sql, struct subject *subject_out)
{
	const struct html_report report = { .settings = &r->serve->settings.emit };
	struct view v = view_ask(r->st, sql, r->id);
	bool there = false;

	while (view_row(&v)) {
		there = true;
		subject_out->client = view_number(&v, 0);
		emit_html_client_words(&report, view_text(&v, 1), view_text(&v, 2), view_text(&v, 3), subject_out->who);
		snprintf(subject_out->what, sizeof(subject_out->what), "%s", plain_finding(view_text(&v, 4)));
	}
	return view_end(&v) ? there : -1;
}

#define CLIENT "c.id, host(c.address), iif((SELECT count(DISTINCT vantage) FROM source) > 1, c.vantage, ''), c.name"

enum serve_made serve_client(const struct serve_request *r, FILE *out)
{
	struct subject subject;
	int there = find(r, "SELECT " CLIENT ", '' FROM client AS c WHERE c.judged AND c.id = ?1", &subject);
	struct serve_page p;
	bool ok;

	if (there != 1)
		return there == 0 ? SERVE_NONE : SERVE_FAILED;
	serve_page_begin(&p, r, subject.who, subject.who, out);
	p.report.client = r->id;
	ok = emit_html_verdicts(&p.report) && emit_html_reasons(&p.report) && emit_html_picture(&p.report) &&
	     emit_html_destinations(&p.report);
	html_section(&p.h, "findings", "What was found");
	ok = ok && serve_page_findings(&p);
	html_close(&p.h);
	return serve_page_end(&p, ok && emit_html_timeline(&p.report) && emit_html_transport(&p.report));
}

static void conversation_row(struct serve_page *p, const struct view *v)
{
	char time[PLAIN_TIME_SIZE];

	html_open(&p->h, "th", "scope", "row", NULL);
	html_printf(&p->h, "%s port %s to %s port %s", view_text(v, 1), view_text(v, 2), view_text(v, 3), view_text(v, 4));
	html_open(&p->h, "small", NULL);
	html_printf(&p->h, "begun %s · Community ID %s", plain_time(view_number(v, 5), time), view_text(v, 0));
	html_close(&p->h);
	html_close(&p->h);
	serve_page_bytes(p, view_number(v, 6));
	serve_page_bytes(p, view_number(v, 7));
}

static bool conversations(struct serve_page *p)
{
	static const char *const headings[] = { "From and to", "Sent up", "Came down", NULL };
	static const struct serve_list flows = { .caption = "Conversations of this finding", .headings = headings,
		.row = conversation_row, .sql =
		"SELECT f.community_id, host(f.orig_addr), f.orig_port, host(f.resp_addr), f.resp_port, f.first_ns,"
		" f.orig_payload, f.resp_payload FROM finding_flow AS x JOIN flow AS f ON f.id = x.flow"
		" WHERE x.finding = :id ORDER BY f.id" };

	html_section(&p->h, "conversations", "The conversations that show it");
	bool ok = serve_page_list(p, &flows);

	html_close(&p->h);
	return ok;
}

enum serve_made serve_finding(const struct serve_request *r, FILE *out)
{
	struct subject subject;
	int there = find(r, "SELECT " CLIENT ", f.kind FROM finding AS f JOIN client AS c ON c.id = f.client"
			 " WHERE f.id = ?1", &subject);
	char to[64], title[192];
	struct serve_page p;

	if (there != 1)
		return there == 0 ? SERVE_NONE : SERVE_FAILED;
	snprintf(title, sizeof(title), "Finding %lld: %s", (long long)r->id, subject.what);
	serve_page_begin(&p, r, title, title, out);
	html_open(&p.h, "ul", "class", "links", "aria-label", "About this finding", NULL);
	serve_page_link(&p, "li", "/clients/", subject.client, subject.who);
	html_open(&p.h, "li", NULL);
	snprintf(to, sizeof(to), "/findings/%lld/evidence.pcapng", (long long)r->id);
	html_element(&p.h, "a", "Its packets for Wireshark", "href", to, "download", "download", NULL);
	html_text(&p.h, " (passwords and mail overwritten)");
	html_close(&p.h);
	html_open(&p.h, "li", NULL);
	snprintf(to, sizeof(to), "/findings/%lld/letter.txt", (long long)r->id);
	html_element(&p.h, "a", "A letter about it", "href", to, "download", "download", NULL);
	html_close(&p.h);
	html_close(&p.h);
	return serve_page_end(&p, emit_html_findings(&p.report, r->id) && conversations(&p));
}

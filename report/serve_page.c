#include "report/serve_page.h"

#include "capture/base.h"
#include "report/plain.h"

#include <string.h>

static const struct {
	const char *page, *path, *words;
} links[] = {
	{ "", "/", "Overview" }, { "findings", "/findings", "Findings" }, { "destinations", "/destinations", "Destinations" },
};

static const char *case_name(const struct serve_request *r)
{
	const char *path = r->serve->settings.path, *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

void serve_page_begin(struct serve_page *p, const struct serve_request *r, const char *title, const char *heading,
		      FILE *out)
{
	char whole[1024];

	*p = (struct serve_page){ .r = r, .h = { .out = out } };
	p->report = (struct html_report){ .st = r->st, .settings = &r->serve->settings.emit, .h = &p->h };
	snprintf(whole, sizeof(whole), "%s · %s · mailwitness", title, case_name(r));
	html_page_open(&p->h, whole, SERVE_ALLOW);
	html_open(&p->h, "header", "class", "bar", NULL);
	html_open(&p->h, "nav", "aria-label", "Pages", NULL);
	html_open(&p->h, "ul", "class", "links", NULL);
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		html_open(&p->h, "li", NULL);
		html_element(&p->h, "a", links[i].words, "href", links[i].path, "aria-current",
			     strcmp(links[i].page, r->page) != 0 ? NULL : strcmp(links[i].words, title) == 0 ? "page" : "true",
			     NULL);
		html_close(&p->h);
	}
	html_close(&p->h);
	html_close(&p->h);
	html_open(&p->h, "p", "class", "case", NULL);
	html_printf(&p->h, "Case %s", case_name(r));
	html_close(&p->h);
	html_element(&p->h, "p", "Load this page again for what is new.", "id", "live", "role", "status", NULL);
	html_close(&p->h);
	html_open(&p->h, "main", NULL);
	html_element(&p->h, "h1", heading, NULL);
}

enum serve_made serve_page_end(struct serve_page *p, bool ok)
{
	html_close(&p->h);
	html_open(&p->h, "footer", NULL);
	html_open(&p->h, "p", NULL);
	if (serve_is_small(p->r->st)) {
		html_text(&p->h, "To send or to print: ");
		html_element(&p->h, "a", "the whole report as one page", "href", "/report.html", "download", "report.html", NULL);
		html_text(&p->h, ". ");
	}
	html_text(&p->h, "For programs: ");
	html_element(&p->h, "a", "the report as JSON", "href", "/api/report", NULL);
	html_text(&p->h, ", ");
	html_element(&p->h, "a", "figures for Prometheus", "href", "/metrics", NULL);
	html_text(&p->h, ". Nothing here is loaded from anywhere else, and nothing can be changed here. Characters in names"
		  " that could mislead are shown as \\xNN, byte by byte.");
	html_close(&p->h);
	html_close(&p->h);
	html_element(&p->h, "script", "", "src", "/script.js", "defer", "defer", NULL);
	html_page_close(&p->h);
	return ok ? SERVE_MADE : SERVE_FAILED;
}

static void choice(struct serve_page *p, const struct serve_choice *c)
{
	html_open(&p->h, "label", NULL);
	html_text(&p->h, c->label);
	html_open(&p->h, "select", "name", c->name, "id", c->name, NULL);
	html_element(&p->h, "option", "all", "value", "", NULL);
	for (unsigned i = 0; c->values[i] != NULL; i++)
		html_element(&p->h, "option", c->words[i], "value", c->values[i], "selected",
			     strcmp(c->values[i], c->chosen) == 0 ? "selected" : NULL, NULL);
	html_close(&p->h);
	html_close(&p->h);
}

void serve_page_search(struct serve_page *p, const char *label, const struct serve_choice *choices)
{
	char to[32];

	snprintf(to, sizeof(to), "/%s", p->r->page);
	html_open(&p->h, "form", "action", to, "method", "get", "role", "search", "class", "search", NULL);
	html_open(&p->h, "label", NULL);
	html_text(&p->h, label);
	html_empty(&p->h, "input", "type", "search", "name", "q", "id", "q", "value", p->r->query, "maxlength", "128", NULL);
	html_close(&p->h);
	for (; choices->name != NULL; choices++)
		choice(p, choices);
	html_element(&p->h, "button", "Show", "type", "submit", NULL);
	if (serve_searches(p->r))
		html_element(&p->h, "a", "Show all", "href", to, NULL);
	html_close(&p->h);
}

static void bind_text(struct sqlite3_stmt *q, const char *name, const char *value)
{
	int at = sqlite3_bind_parameter_index(q, name);

	if (at > 0)
		sqlite3_bind_text(q, at, value, -1, SQLITE_TRANSIENT);
}

static void bind_number(struct sqlite3_stmt *q, const char *name, int64_t number)
{
	int at = sqlite3_bind_parameter_index(q, name);

	if (at > 0)
		sqlite3_bind_int64(q, at, number);
}

static struct view ask(const struct serve_page *p, const char *sql)
{
	struct view v = { .st = p->r->st, .q = store_kept(p->r->st, sql) };

	if (v.q == NULL)
		return v;
	bind_text(v.q, ":q", p->r->query);
	bind_text(v.q, ":class", p->r->class);
	bind_text(v.q, ":strength", p->r->strength);
	bind_text(v.q, ":verdict", p->r->verdict);
	bind_number(v.q, ":client", p->report.client);
	bind_number(v.q, ":id", p->r->id);
	return v;
}

static void list_begin(struct serve_page *p, const struct serve_list *l)
{
	if (l->headings != NULL)
		html_table(&p->h, l->caption, l->headings);
	else
		html_open(&p->h, "ul", "class", "cards", "aria-label", l->caption, NULL);
}

bool serve_page_list(struct serve_page *p, const struct serve_list *l)
{
	struct view v = ask(p, l->sql);
	unsigned rows = 0;

	if (v.q == NULL)
		return false;
	while (view_row(&v)) {
		if (rows++ >= SERVE_ROWS)
			continue;
		if (rows == 1)
			list_begin(p, l);
		if (l->headings != NULL)
			html_open(&p->h, "tr", NULL);
		l->row(p, &v);
		if (l->headings != NULL)
			html_close(&p->h);
	}
	if (rows > 0 && l->headings != NULL)
		html_table_end(&p->h);
	else if (rows > 0)
		html_close(&p->h);
	else
		html_element(&p->h, "p", serve_searches(p->r) ? "Nothing is like that." : "Nothing.", NULL);
	if (rows > SERVE_ROWS) {
		html_open(&p->h, "p", NULL);
		html_printf(&p->h, "%u more are not shown: a search shows fewer.", rows - SERVE_ROWS);
		html_close(&p->h);
	}
	return view_end(&v);
}

void serve_page_link(struct serve_page *p, const char *cell, const char *path, int64_t id, const char *words)
{
	char to[64];

	snprintf(to, sizeof(to), "%s%lld", path, (long long)id);
	if (cell != NULL)
		html_open(&p->h, cell, "scope", strcmp(cell, "th") == 0 ? "row" : NULL, NULL);
	html_element(&p->h, "a", words, "href", to, NULL);
	if (cell != NULL)
		html_close(&p->h);
}

void serve_page_number(struct serve_page *p, int64_t number)
{
	html_open(&p->h, "td", "class", "number", NULL);
	html_printf(&p->h, "%lld", (long long)number);
	html_close(&p->h);
}

void serve_page_bytes(struct serve_page *p, int64_t bytes)
{
	char text[PLAIN_BYTES_SIZE];

	html_element(&p->h, "td", plain_bytes(bytes, text), "class", "number", NULL);
}

/* serve_page.h - what the dashboard's pages are made of: their frame, their search and their lists */
#ifndef REPORT_SERVE_PAGE_H
#define REPORT_SERVE_PAGE_H

#include "report/emit_html.h"
#include "report/serve_part.h"

#define SERVE_ROWS 200		/* of a list; more are counted */

struct serve_page {
	const struct serve_request *r;
	struct html h;
	struct html_report report;
};

/* A page up to its heading; title is what a tab and a bookmark are called. */
void serve_page_begin(struct serve_page *p, const struct serve_request *r, const char *title, const char *heading,
		      FILE *out);
enum serve_made serve_page_end(struct serve_page *p, bool ok);

/* A choice in a search: what is asked for by this name. Values end with NULL; all is what is not chosen. */
struct serve_choice {
	const char *name, *label, *chosen;
	const char *const *values, *const *words;
};
/* Ends with a choice of no name. */
void serve_page_search(struct serve_page *p, const char *label, const struct serve_choice *choices);

/* The rows of a query, SERVE_ROWS at most; what is not shown is counted. Of the search it has, where they stand in
 * it, :q, :class, :strength and :verdict; :client, :id are whom the page is about. */
struct serve_list {
	const char *sql, *caption;
	const char *const *headings;	/* NULL: cards */
	void (*row)(struct serve_page *p, const struct view *v);
};
bool serve_page_list(struct serve_page *p, const struct serve_list *l);

/* The findings of the search, of one client where the report is about one; as cards. */
bool serve_page_findings(struct serve_page *p);

/* <cell><a href="pathID">words</a></cell>; a cell of NULL leaves only the link. */
void serve_page_link(struct serve_page *p, const char *cell, const char *path, int64_t id, const char *words);
void serve_page_number(struct serve_page *p, int64_t number);
void serve_page_bytes(struct serve_page *p, int64_t bytes);

#endif

/* emit_html.h - the sections of the report as HTML, for the report's own page and for any other
 *
 * A section is written where the page stands, with its heading. Same case, same bytes.
 *
 * Thread: the store's. Errors: false, store_error says why. */
#ifndef REPORT_EMIT_HTML_H
#define REPORT_EMIT_HTML_H

#include "report/emit.h"
#include "report/html.h"
#include "report/view.h"

struct html_report {
	struct store *st;
	const struct emit_settings *settings;
	struct html *h;
	int64_t client;			/* about this one alone; 0: all */
};

/* How many clients have which verdict, and when was watched; what can be said of nobody in particular. */
bool emit_html_lead(const struct html_report *r);
bool emit_html_whole(const struct html_report *r);
/* One sentence for each client, as cards. */
bool emit_html_verdicts(const struct html_report *r);
/* Whose servers the data went to: drawn, and as a table. */
bool emit_html_picture(const struct html_report *r);
bool emit_html_destinations(const struct html_report *r);
/* Why the verdicts are what they are. */
bool emit_html_reasons(const struct html_report *r);
/* One finding, or all (0): what was seen, what would refute it, its packets and how to look at them. */
bool emit_html_findings(const struct html_report *r, int64_t finding);
/* When a client was in touch with its provider, and when with others. */
bool emit_html_timeline(const struct html_report *r);
/* Sealed or postcard. */
bool emit_html_transport(const struct html_report *r);
bool emit_html_not_seen(const struct html_report *r);
bool emit_html_sources(const struct html_report *r);

/* A verdict: a sign that needs no colour, and the word. */
void emit_html_badge(struct html *h, const char *verdict);

/* "192.0.2.7 at server (Anna's PC)". */
#define EMIT_HTML_CLIENT_SIZE 512
void emit_html_client_words(const struct html_report *r, const char *address, const char *vantage, const char *name,
			    char out[EMIT_HTML_CLIENT_SIZE]);

#endif

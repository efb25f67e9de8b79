/* html.h - HTML, written as it goes; the one place where text is escaped for it
 *
 * What comes out is also well-formed XML. Text and the values of attributes may be anything: what could be
 * taken for markup becomes a reference, what people should not be shown as it is becomes visible (capture/text.h),
 * and what is longer than HTML_TEXT_MAX is cut, with a mark that says how long it was. Names of elements and
 * attributes are literals.
 *
 * Thread: any. Errors: those of `out`, which stdio keeps (ferror). */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HTML_DEPTH 24
#define HTML_TEXT_MAX 2000	/* columns: a long paragraph, and no name is so long */

struct html {
	FILE *out;
	unsigned depth;
	const char *open[HTML_DEPTH];
	unsigned ids;			/* given out by html_id */
};

/* A page in the house's style up to the begin of its body. It loads and runs nothing, and sends no form, but as
 * `allow` adds to its content security policy: "script-src 'self'; form-action 'self'". */
#define HTML_ALLOW_NOTHING "form-action 'none'"
void html_page_open(struct html *h, const char *title, const char *allow);
void html_page_close(struct html *h);

/* That policy, for a server to send as a header as well. */
#define HTML_POLICY_SIZE 512
void html_policy(const char *allow, char policy_out[HTML_POLICY_SIZE]);

/* <name key="value" ...>; pairs of key and value, then NULL. A value of NULL leaves its key out. */
void html_open(struct html *h, const char *name, ...) __attribute__((sentinel));
/* Closes the innermost that is open. */
void html_close(struct html *h);
/* One that holds nothing. */
void html_empty(struct html *h, const char *name, ...) __attribute__((sentinel));
/* One that holds only text. */
void html_element(struct html *h, const char *name, const char *text, ...) __attribute__((sentinel));

/* A part of a page with its heading (h2); the caller closes it. */
void html_section(struct html *h, const char *id, const char *heading);
/* A table up to the begin of its body: headings end with NULL. In a frame that scrolls where the page is too
 * narrow for it. html_table_end closes it. */
void html_table(struct html *h, const char *caption, const char *const *headings);
void html_table_end(struct html *h);

void html_text(struct html *h, const char *text);
void html_text_cut(struct html *h, const char *text, unsigned columns_max);
void html_printf(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number that no other element of this page has in its id. */
unsigned html_id(struct html *h);

#endif

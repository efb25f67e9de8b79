/* emit.h - one output interface; a format is a function in emit_FORMAT.c
 *
 * Reads a judged case and writes to `out`. Same case, same bytes. Text from the wire is cleaned
 * (terminal) or escaped (JSON) here and nowhere else.
 *
 * Thread: the store's. Errors: false, store_error says why (or errno for `out`). */
#ifndef REPORT_EMIT_H
#define REPORT_EMIT_H

#include "report/store.h"

#include <stdio.h>

struct emit_settings {
	bool color;		/* ANSI colours: only for terminals, and not with NO_COLOR */
	bool numeric;		/* -n: addresses only, no names of clients */
	bool quiet;		/* -q: verdict lines only */
	unsigned columns;	/* of the terminal; 0 is 80 */
};

bool emit_text(struct store *st, const struct emit_settings *settings, FILE *out);
/* The joint verdict of two vantage points as a numbered account in plain words. */
bool emit_experiment(struct store *st, const struct emit_settings *settings, FILE *out);
/* One finding: what was seen, what would refute it, its flows and packets, how to look at them. False with
 * store_error when there is no such finding. */
bool emit_explain(struct store *st, int64_t finding, const struct emit_settings *settings, FILE *out);
/* report/report.schema.json says what comes out. */
bool emit_json(struct store *st, const struct emit_settings *settings, FILE *out);
/* A page of its own for people who never saw a packet; emit_html.h has its sections. */
bool emit_html(struct store *st, const struct emit_settings *settings, FILE *out);

struct sql_query;

/* Suricata's EVE: an object a line, in the order of time. */
bool emit_eve(struct store *st, FILE *out);
struct record;
/* One of its lines: a row of one of its queries. */
void emit_eve_event(const struct record *r, FILE *out);
/* One of Zeek's logs, that of a query of sql_records; json: an object a line. */
bool emit_zeek(struct store *st, const struct sql_query *query, bool json, FILE *out);
/* One table of the case (RFC 4180). */
bool emit_csv(struct store *st, const char *table, FILE *out);

/* A finding as a letter in plain text, with places to fill in: to the company that it is about (a request under
 * GDPR Article 15), or to a data-protection officer; FIT is the company where one got something. False with
 * store_error when there is no such finding, or no such company. */
enum letter_to { LETTER_TO_FIT, LETTER_TO_VENDOR, LETTER_TO_DPO };
bool emit_letter(struct store *st, int64_t finding, enum letter_to to, FILE *out);

/* SMTP TLS reports (RFC 8460): one for each domain that mail was delivered to. */

/* Sessions that no report counts. */
struct tlsrpt_left_out {
	int64_t not_attributed;	/* for which domain could not be told */
	int64_t not_judged;	/* the policy asks for a certificate or a list that was not seen */
	int64_t unknown;	/* not seen whole enough */
};

/* What a report is about. The domain is lower case and safe in a file name; borrowed for the call. */
struct tlsrpt_subject {
	const char *domain;
	int64_t first_s, last_s;	/* the watched time, whole seconds around it */
};

struct tlsrpt_settings {
	const char *organization, *contact;	/* who reports */
};

/* Sorts the deliveries into temporary tables; before the other two, once for a store. */
bool emit_tlsrpt_prepare(struct store *st, struct tlsrpt_left_out *left_out);
/* In order of names. */
bool emit_tlsrpt_each(struct store *st, void (*each)(void *context, const struct tlsrpt_subject *subject),
		      void *context);
bool emit_tlsrpt(struct store *st, const struct tlsrpt_settings *settings, const char *domain, FILE *out);

#endif

/* news.h - what changed in a judged case since it was last told: a line for each, while a watch runs
 *
 * A verdict that is new or another, a finding that is new or of another strength, and one that later facts
 * refuted. What was told is remembered here and not in the case, which may be unable to take it.
 *
 * Thread: the store's. Errors: false, store_error says why (or errno for `out`). */
#ifndef REPORT_NEWS_H
#define REPORT_NEWS_H

#include "report/emit.h"
#include "report/eve.h"
#include "report/notify.h"

struct news_settings {
	bool json;		/* a JSON object on each line */
	bool quiet;		/* verdicts only */
	struct notify *notify;	/* told of the findings as well; or NULL */
	struct eve *eve;	/* told of those that are new or of another strength; or NULL */
	bool color;
	unsigned columns;	/* of the terminal; 0: none, and a line is a line */
};

struct news;

struct news *news_new(const struct news_settings *settings);
void news_free(struct news **n);
bool news_tell(struct news *n, struct store *st, FILE *out);

#endif

/* judge_lookup.h - what a look-up that mail set-up makes says of an account
 *
 * Pure: nothing is read or written. */
#ifndef REPORT_JUDGE_LOOKUP_H
#define REPORT_JUDGE_LOOKUP_H

#include "report/judge_part.h"

/* What a name alone says of its owner. */
void lookup_tag(const struct judge_part *part, const char *name, struct owner_tag *tag_out);

/* The account's domain in a name that mail set-up asks for; NULL when it is none. */
const char *lookup_domain(const char *name, const char *type);

/* The host at the end of an MX, SRV or CNAME answer, without its dot; false when there is none. */
bool lookup_target(const char *rdata, const char *type, char out[FACT_NAME_SIZE]);

/* Where a domain's clients are set up, which is not where its mail is: a vendor can have the one alone. */
bool lookup_is_set_up(const char *name);

#endif

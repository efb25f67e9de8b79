/* judge_hint.h - who else may have the mail of a provider's domain: table provider_hint
 *
 * Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_HINT_H
#define REPORT_JUDGE_HINT_H

#include "report/judge_part.h"

bool hint_add(const struct judge_part *part, int64_t client, const char *owner);

/* Once it is known which providers are declared: what look-ups say of their domains. */
bool hint_declared(const struct judge_part *part);

#endif

/* policy.h - whose provider is whose, and which networks are home
 *
 * From --provider, --client and mailwitness.yaml (the only user of libcyaml in this room). Declared
 * providers are the complete set of a client; where none is declared they are learnt (judge).
 *
 * Thread: immutable once loaded. Errors: a line with file and line number. */
#ifndef REPORT_POLICY_H
#define REPORT_POLICY_H

#include "classify/fact.h"

struct policy;

struct policy *policy_new(void);
void policy_free(struct policy **p);

/* mailwitness.yaml: home networks, own mail servers, providers per client, expected destinations. */
bool policy_load(struct policy *p, const char *path, char *error, size_t error_size);
/* --provider OWNER|DOMAIN, for every client that has no own line. */
bool policy_provider(struct policy *p, const char *word, char *error, size_t error_size);
/* --client NET: only these hosts are judged. Address or prefix in CIDR notation. */
bool policy_client(struct policy *p, const char *net, char *error, size_t error_size);

#endif

/* policy.h - whose provider is whose, and which networks are home
 *
 * From --provider, --client and mailwitness.yaml (policy_yaml.c, the only user of libcyaml in this room). Declared
 * providers are the complete set of a client; where none is declared they are learnt (judge).
 *
 * Thread: immutable once loaded. Errors: a line with file and line number. */
#ifndef REPORT_POLICY_H
#define REPORT_POLICY_H

#include "classify/fact.h"

#include <stdio.h>

struct policy;

struct policy *policy_new(void);
void policy_free(struct policy **p);

/* mailwitness.yaml: home networks, own mail servers, providers per client, expected destinations, MTA-STS. */
bool policy_load(struct policy *p, const char *path, char *error, size_t error_size);
/* --provider OWNER|DOMAIN, for every client that has no own line. */
bool policy_provider(struct policy *p, const char *word, char *error, size_t error_size);
/* --client NET: only these hosts are judged. Address or prefix in CIDR notation. */
bool policy_client(struct policy *p, const char *net, char *error, size_t error_size);

/* --mail-server NET: these hosts are the user's own mail servers, and at home. */
bool policy_server(struct policy *p, const char *net, char *error, size_t error_size);
/* --canary ACCOUNT: its password was typed into the client under test alone. */
bool policy_canary(struct policy *p, const char *account, char *error, size_t error_size);

/* A word that the user wrote, and where: "mailwitness.yaml:7" or "--provider". Borrowed from the policy. */
struct policy_word {
	char *word, *where;
};

/* Whether every word for a provider or an expected owner is known; error has the first that is not. */
bool policy_resolve(const struct policy *p, const struct owner_book *book, char *error, size_t error_size);
/* What the policy says, in one line. */
void policy_describe(const struct policy *p, FILE *out);

/* Whether the address is at home: an own mail server, in the home networks, or where none are given private
 * (RFC 1918, 6598), unique local, link-local or loopback. */
bool policy_home(const struct policy *p, const uint8_t address[16]);
/* Whether the address is private (RFC 1918, 6598, unique local) and in none of the home networks that are
 * given: somebody else's. False where none are given. */
bool policy_foreign(const struct policy *p, const uint8_t address[16]);
/* Whether the host is to be judged (policy_client). */
bool policy_wants(const struct policy *p, const uint8_t address[16]);
/* One of the user's own mail servers. */
bool policy_mail_server(const struct policy *p, const uint8_t address[16]);
/* The providers declared for this client: its own line's, else everyone's. Returns their number, 0 when
 * none are declared. */
unsigned policy_providers(const struct policy *p, const uint8_t address[16],
			  const struct policy_word **words_out);
/* Accounts of the experiment. Returns their number. */
unsigned policy_canaries(const struct policy *p, const struct policy_word **words_out);
/* Owners that the user expects to be talked to. */
unsigned policy_expected(const struct policy *p, const struct policy_word **words_out);
/* Whether the address is in a network that the user expects: own servers elsewhere, migration tools, backup MX. */
bool policy_expected_address(const struct policy *p, const uint8_t address[16]);

/* The MTA-STS policy of a mail domain (RFC 8461 section 3.2), which TLS hides from who watches. */
struct policy_sts {
	char *domain, *mode;		/* mode: "enforce", "testing", "none" */
	char **mx;			/* host names, "*.domain" */
	unsigned mx_count;
};
/* All that the user gives. Returns their number. */
unsigned policy_sts(const struct policy *p, const struct policy_sts **sts_out);

#define POLICY_SUPPRESS_S 86400	/* suppress_for, where it is not said */

/* Where a watch tells of findings as they come. */
struct policy_notify {
	char *to;			/* "syslog", "syslog://HOST[:PORT]", "https://..." */
	char *secret_file;		/* its content signs what goes to a webhook; NULL: unsigned */
	char **classes;			/* of findings; none is all */
	unsigned class_count;
	enum strength least;
	unsigned suppress_s;		/* the same finding is told no sooner again */
};
/* All that the user gives. Returns their number. */
unsigned policy_notify(const struct policy *p, const struct policy_notify **notify_out);

#endif

/* judge_endpoint.h - far ends as the catalogue tags them, each asked for and written once
 *
 * Writes tables endpoint and owner; numbers are given in the order of the calls.
 *
 * Memory: one entry for each different key, with its texts; freed by endpoint_table_free. */
#ifndef REPORT_JUDGE_ENDPOINT_H
#define REPORT_JUDGE_ENDPOINT_H

#include "report/judge_part.h"

/* All that a tag may depend on. */
struct endpoint_key {
	uint8_t address[16];
	bool quic, own_server;
	bool expected;			/* the policy says so of the address */
	bool ambiguous;			/* dns_name is one of several, of different owners */
	char sni[FACT_NAME_SIZE], dns_name[FACT_NAME_SIZE], canonical[FACT_NAME_SIZE];
	char certificate[FACT_NAME_SIZE];	/* a name that a trusted certificate is for, whose key the server has */
};

/* What of a tag contacts are described by. */
struct endpoint {
	int64_t id;			/* 0: could not be written */
	bool local, own_server, vendor, setup, resolver, unnamed, web_mail;
	char *name;			/* the table's; NULL: nothing names it */
};

struct endpoint_table;

/* NULL when the store cannot. Borrows part. */
struct endpoint_table *endpoint_table_new(const struct judge_part *part);
void endpoint_table_free(struct endpoint_table **t);

/* The endpoint of a key, as it was or new. */
struct endpoint endpoint_of(struct endpoint_table *t, const struct endpoint_key *key);

/* What the catalogue says with these names in place of the key's; nothing is written. */
void endpoint_ask(const struct endpoint_table *t, const struct endpoint_key *key, const char *name,
		  const char *canonical, struct owner_tag *tag_out);

#endif

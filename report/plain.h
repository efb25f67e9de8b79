/* plain.h - the words of a case file in plain English, for people who never saw a packet
 *
 * A word that is not known is given back as it is. Thread: any. Memory: static, or the caller's. */
#ifndef REPORT_PLAIN_H
#define REPORT_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

const char *plain_verdict(const char *verdict);		/* "Cannot say" */
const char *plain_finding(const char *kind);		/* "Mail goes through another company's cloud" */
const char *plain_class(const char *class);		/* "leak: a third party gets mail or a password" */
const char *plain_strength(const char *strength);	/* of a finding: "strong, not proven" */
const char *plain_certainty(const char *strength);	/* of whose a server is: "very likely" */
const char *plain_named_by(const char *named_by);	/* "by the name that the client asked for" */
const char *plain_transport(const char *counts_as);	/* what a state of a mail connection means */
const char *plain_loss(const char *reason);
const char *plain_end(const char *end);			/* how a source ended */

/* What a company is to a client, in the order of interest; also how it is drawn (svg.h). */
enum plain_party { PARTY_PROVIDER, PARTY_VENDOR, PARTY_OTHER, PARTY_UNNAMED, PARTY_NETWORK, PARTY_CLIENT };
enum plain_party plain_party(const char *role, bool provider);
const char *plain_party_words(enum plain_party party);

/* A company's title without what stands in brackets behind it: "Microsoft". */
#define PLAIN_NAME_SIZE 128
const char *plain_name(const char *title, char out[PLAIN_NAME_SIZE]);

/* 606, 1,234,567 */
#define PLAIN_COUNT_SIZE 32
const char *plain_count(int64_t count, char out[PLAIN_COUNT_SIZE]);

/* As people say it, with four digits at most: 823 bytes, 9,315 bytes, 306 kB, 17 MB; gigabytes are counted in full. */
#define PLAIN_BYTES_SIZE PLAIN_COUNT_SIZE
const char *plain_bytes(int64_t bytes, char out[PLAIN_BYTES_SIZE]);

/* 2026-11-22 07:50:58 UTC; "" for 0. */
#define PLAIN_TIME_SIZE 32
const char *plain_time(int64_t ns, char out[PLAIN_TIME_SIZE]);

#endif

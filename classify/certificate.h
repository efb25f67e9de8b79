/* certificate.h - what a chain of certificates is worth: names, keys, and whether it was trusted at the
 * time it was shown (the only user of OpenSSL's X.509)
 *
 * Thread: a certificate_store is shared by all; a certificate_judge belongs to one worker.
 * Time: the packet's. What is said depends on chain, time, SNI and store, never on what was judged
 * before: a judge only remembers.
 * Memory: a judge remembers at most CERTIFICATE_MEMORY chains of at most CERTIFICATE_REMEMBERED bytes.
 * Errors: hostile bytes are CHAIN_MALFORMED; a missing store is CHAIN_NOT_JUDGED, each with its reason. */
#ifndef CLASSIFY_CERTIFICATE_H
#define CLASSIFY_CERTIFICATE_H

#include "classify/watch.h"

#define CERTIFICATES_MAX 10	/* of one message that are read; public servers show two to four */
#define CERTIFICATE_NAMES_MAX 100	/* of one certificate that are said */
#define CERTIFICATE_MEMORY 1024	/* chains with their SNI; 40 MB at worst */
#define CERTIFICATE_REMEMBERED 8192u	/* public servers' are of 3 to 6 kB */

struct certificate_store;

/* The CA certificates in `file` (PEM); NULL: the system's, which are read when the first chain asks for
 * them. NULL with a line in error when the file cannot be read or has none. */
struct certificate_store *certificate_store_new(const char *file, char *error, size_t error_size);
void certificate_store_free(struct certificate_store **s);

/* "FILE: 142 certificates", or "" when nothing asked for them. Borrowed. */
const char *certificate_store_describe(struct certificate_store *s);

/* What is to be said of one chain. */
struct certificate_chain {
	unsigned count, name_count;
	struct fact_certificate *certificates;	/* without flow, frame and time, which are the caller's */
	char (*names)[FACT_NAME_SIZE];		/* of place 0 */
};

struct certificate_judge;

/* Borrows the store; NULL: there is none. */
struct certificate_judge *certificate_judge_new(struct certificate_store *store);
void certificate_judge_free(struct certificate_judge **j);

/* Borrowed until the next call. Nothing (count 0) when not even the first certificate was seen whole. */
const struct certificate_chain *certificate_judge(struct certificate_judge *j, const struct watch_chain *seen,
						  const char *sni);

#endif

/* certificate_fields.h - what one certificate says of itself; certificate.c's, which judges the chain
 *
 * Thread: any; each X509 belongs to its caller. Errors: none; what cannot be read is left empty. */
#ifndef CLASSIFY_CERTIFICATE_FIELDS_H
#define CLASSIFY_CERTIFICATE_FIELDS_H

#include "capture/bytes.h"
#include "classify/fact.h"

#include <openssl/x509.h>

/* Its DER's digests. */
void certificate_digests(struct bytes der, struct fact_certificate *out);

/* All else that it says, but for its names. */
void certificate_fields(X509 *x, struct fact_certificate *out);

/* Its dNSNames, lower case and without trailing dot; without any, its common names that are host names
 * (RFC 6125 section 6.4.4). *names_out is the caller's to free. Returns how many are there. */
unsigned certificate_names(X509 *x, struct fact_certificate *out, char (**names_out)[FACT_NAME_SIZE]);

/* Whether it is for this host (RFC 6125 section 6.4), which may be an address. */
bool certificate_covers(X509 *x, const char *host);

/* Seconds since 1970; 0 when it is no time. */
int64_t certificate_seconds(const ASN1_TIME *t);

#endif

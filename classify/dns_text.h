/* dns_text.h - names as DNS presents them, in the one form that facts have; service parameters
 *
 * Thread: any. Memory: none. */
#ifndef CLASSIFY_DNS_TEXT_H
#define CLASSIFY_DNS_TEXT_H

#include "capture/bytes.h"
#include "classify/fact.h"

#define DNS_HINTS_MAX 16	/* addresses of one HTTPS or SVCB record that are read */

/* Text in lower case, other than printable ASCII as \DDD (RFC 1035 section 5.1), without a trailing dot. */
void dns_text(char out[FACT_NAME_SIZE], struct bytes text);

/* A name in wire format without compression, as above; a dot inside a label is \., a backslash \\.
 * "" for the root. False when it is malformed. */
bool dns_name(char out[FACT_NAME_SIZE], struct bytes *wire);

/* The address that a reverse name stands for (RFC 1035 section 3.5, RFC 3596 section 2.5). */
bool dns_reverse(const char *name, uint8_t out[16]);

/* What an HTTPS or SVCB record's parameters say (RFC 9460 sections 2.2, 7.3; RFC 9848). */
struct dns_service {
	bool ech;
	char public_name[FACT_NAME_SIZE];	/* of the first ECH configuration that can be read */
	unsigned hint_count;
	uint8_t hints[DNS_HINTS_MAX][16];
};
void dns_service(struct bytes params, struct dns_service *out);

#endif

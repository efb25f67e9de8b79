/* asn.h - AS numbers of addresses (the only user of libmaxminddb)
 *
 * Any database in GeoLite2-ASN's schema. Thread: any, once open. Errors: asn_open gives NULL and a line. */
#ifndef CLASSIFY_ASN_H
#define CLASSIFY_ASN_H

#include "classify/fact.h"

struct asn;

/* Opens `path`; NULL path: the system's GeoLite2-ASN where there is one, else the one that came with
 * mailwitness in `data_directory`. */
struct asn *asn_open(const char *path, const char *data_directory, char *error, size_t error_size);
void asn_close(struct asn **a);

/* The AS number and its organisation's name (cut to fit); 0 and "" when the database has none. */
uint32_t asn_of(const struct asn *a, const uint8_t address[16], char org_out[FACT_TEXT_SIZE]);

/* "GeoLite2-ASN 2026-06-17 (path)", for the run table. */
const char *asn_describe(const struct asn *a);

/* What its licence asks to be said beside results, from the file beside it; "" is nothing. */
const char *asn_attribution(const struct asn *a);

#endif

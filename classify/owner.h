/* owner.h - whose the far end is, by the best evidence there is
 *
 * DESIGN: a role belongs to a service. Certificate > SNI > DNS answer > published prefix > AS number;
 * name and prefix agreeing is proven, one of them strong, an AS number alone suspected. A named host
 * that the catalogue does not know is owned by its registrable domain (libpsl, whose only user this
 * is) - unless its address stands in a published prefix of a mail service or relay: then a vanity name
 * (autodiscover.customer.example) does not hide whose server it is.
 *
 * Thread: any, once made. */
#ifndef CLASSIFY_OWNER_H
#define CLASSIFY_OWNER_H

#include "classify/asn.h"
#include "classify/catalogue.h"

struct owner_finder;

/* Borrows both; asn may be NULL. */
struct owner_finder *owner_finder_new(const struct catalogue *c, const struct asn *a);
void owner_finder_free(struct owner_finder **f);

void owner_tag(const struct owner_finder *f, const struct owner_evidence *evidence, struct owner_tag *out);
bool owner_resolve(const struct owner_finder *f, const char *word, char owner_out[64]);

/* Whether the address is in a prefix or an AS that the catalogue lists for the owner, shared with others or not. */
bool owner_may_be_at(const struct owner_finder *f, const char *owner, const uint8_t address[16]);

/* The same, as report/ takes it; borrows f. */
struct owner_book owner_book_of(const struct owner_finder *f);

/* Whether an address is not the internet: private, unique local, link-local, loopback, multicast,
 * broadcast, unspecified (RFC 6890). */
bool owner_address_local(const uint8_t address[16]);

/* The registrable domain of a name ("kanzlei.example" of "imap.kanzlei.example"); the name itself when
 * the list knows none. */
void owner_registrable(const char *name, char out[FACT_NAME_SIZE]);

#endif

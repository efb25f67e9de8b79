/* catalogue.h - the knowledge: owners, their services, hosts, prefixes, AS numbers, relays
 *
 * Read from the YAML files in catalogue/ (the only user of libcyaml in this room) with a schema; every row has a
 * source and a date. Several files are merged; a later file's service replaces one of the same id.
 *
 * Thread: immutable once loaded. Memory: owned by the catalogue. Errors: catalogue_load says file and
 * line in `error`. */
#ifndef CLASSIFY_CATALOGUE_H
#define CLASSIFY_CATALOGUE_H

#include "classify/fact.h"

struct catalogue;

struct catalogue_service {
	const char *id;			/* "microsoft/mail" */
	const char *owner;		/* "microsoft" */
	const char *title;		/* the owner's, for people */
	enum owner_role role;
	enum relay_certainty relay;
	bool setup;
	bool shared;			/* addresses serve several owners: a prefix or AS number does not decide */
	bool resolver;			/* a public DNS resolver: TLS to it hides look-ups */
	const char *source;		/* with its date */
};

/* Loads every *.yaml of a directory in order of names, then `extra` (count may be 0). NULL with a line in
 * error. */
struct catalogue *catalogue_load(const char *directory, const char *const *extra, unsigned extra_count,
				 char *error, size_t error_size);
void catalogue_free(struct catalogue **c);

/* SHA-256 over the files in order, hex. */
const char *catalogue_version(const struct catalogue *c);

/* The service with the longest host pattern that fits the name at a label boundary: "example.net" fits
 * itself and every name under it, "*.example.net" only names under it, "=example.net" only itself. The
 * certainty with which the catalogue lists that very host as a relay's replaces the service's own. */
const struct catalogue_service *catalogue_by_host(const struct catalogue *c, const char *name);

/* The service with the longest published prefix that has the address, or NULL. *also_out: another owner
 * lists a prefix of the same length. */
const struct catalogue_service *catalogue_by_address(const struct catalogue *c, const uint8_t address[16],
						     bool *also_out);

/* The service that an AS number is listed for, the owner's if that is not NULL; *also_out, where it is NULL: several
 * owners share it. */
const struct catalogue_service *catalogue_by_asn(const struct catalogue *c, uint32_t asn, const char *owner,
						 bool *also_out);

/* The owner with this id, by any of its services, or NULL. */
const struct catalogue_service *catalogue_by_owner(const struct catalogue *c, const char *owner);

/* Walks all services, for `mailwitness owners` and the case file. */
typedef void catalogue_each_service(void *context, const struct catalogue_service *service);
void catalogue_each(const struct catalogue *c, catalogue_each_service *each, void *context);

#endif

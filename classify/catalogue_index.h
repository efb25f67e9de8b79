/* catalogue_index.h - the look-ups behind the catalogue: host patterns, prefixes, AS numbers
 *
 * Filled once, then only read. Names and services are borrowed. `layer` says which file a row came
 * from: 0 is the catalogue's directory, then each file that was added; the last one wins. Only
 * catalogue.c includes this. */
#ifndef CLASSIFY_CATALOGUE_INDEX_H
#define CLASSIFY_CATALOGUE_INDEX_H

#include "classify/catalogue.h"

/* What a host pattern fits: "=example.net", "*.example.net", "example.net". */
enum fit { FIT_EXACT, FIT_BELOW, FIT_BOTH, FIT_KINDS };

struct host_fit {
	const struct catalogue_service *service;	/* NULL: there is no such pattern */
	unsigned layer;
};

struct host {
	const char *name;		/* the pattern without its mark; NULL is a free slot */
	struct host_fit fits[FIT_KINDS];
};

struct host_index {
	struct host *slots;		/* hash table, a power of two, at most half full */
	unsigned slot_count;
};

/* Makes room for so many patterns. */
void host_index_init(struct host_index *index, unsigned count);
void host_index_free(struct host_index *index);

/* Parts a pattern into what it fits and the name behind its mark. False when it is none. */
bool host_pattern_read(const char *pattern, enum fit *fit_out, const char **name_out);

/* The place of a pattern, made when it is new. */
struct host_fit *host_index_place(struct host_index *index, const char *name, enum fit fit);

/* The service with the longest pattern that fits, or NULL. */
const struct catalogue_service *host_index_find(const struct host_index *index, const char *name);

struct prefix {
	uint8_t address[16];
	unsigned bits;
	unsigned layer;
	const struct catalogue_service *service;
	bool also;			/* listed by another owner as well */
	int around;			/* index of the next wider prefix that has this one; -1 is none */
};

struct prefix_index {
	struct prefix *rows;		/* sorted by address, then the wider first */
	unsigned count;
};

/* Reads "192.0.2.0/24" or "2001:db8::/32". False when it is none or has bits behind its length. */
bool prefix_read(const char *text, struct prefix *out);

/* Puts rows in order: to be called once after all are there. */
void prefix_index_sort(struct prefix_index *index);

/* The row with the longest prefix that has the address, or NULL. */
const struct prefix *prefix_index_find(const struct prefix_index *index, const uint8_t address[16]);

struct network {
	uint32_t asn;
	const struct catalogue_service *service;
	bool also;			/* listed by another owner as well */
};

struct network_index {
	struct network *rows;		/* sorted by number */
	unsigned count;
};

void network_index_sort(struct network_index *index);
/* The first of them, or with an owner the first that is the owner's. */
const struct network *network_index_find(const struct network_index *index, uint32_t asn, const char *owner);

#endif

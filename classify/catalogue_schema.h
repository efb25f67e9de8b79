/* catalogue_schema.h - what a file of the catalogue may say, and where it says something else
 *
 * The form of the YAML files (catalogue/README.md) as libcyaml needs it, and a reader that turns its
 * complaints into one line with file and line number. Only catalogue.c includes this.
 *
 * Memory: a file owns all it points to, until catalogue_schema_free. */
#ifndef CLASSIFY_CATALOGUE_SCHEMA_H
#define CLASSIFY_CATALOGUE_SCHEMA_H

#include "classify/fact.h"

/* Rows as they stand in a file; NULL and 0 where the file says nothing. */
struct yaml_host {
	char *name;		/* pattern */
	uint32_t use;		/* what the host is for: for reviewers only */
	int relay;		/* enum relay_certainty + 1, so that 0 is "not said here" */
	char *source, *date;
};

struct yaml_service {
	char *id;
	int role;		/* enum owner_role */
	int relay;		/* as in yaml_host */
	bool setup, shared, resolver;
	char *source, *date, *note;
	uint32_t *asns;
	unsigned asns_count;
	struct yaml_host *hosts;
	unsigned hosts_count;
	char **prefixes;
	unsigned prefixes_count;
};

struct yaml_owner {
	char *id, *name, *country, *source, *date, *note;
	struct yaml_service *services;
	unsigned services_count;
};

struct yaml_file {
	char *path;
	char *text;		/* the whole file, NUL-terminated */
	size_t text_len;
	struct yaml_owner *owners;
	unsigned owners_count;
};

/* Reads and checks the form of one file. False with "path:line: what" in error; nothing to free then. */
bool catalogue_schema_read(const char *path, struct yaml_file *out, char *error, size_t error_size);
void catalogue_schema_free(struct yaml_file *file);

/* The line on which `word` stands for the last time, counted from 1; 1 when it stands nowhere. What is
 * wrong with a row that was read is found after libcyaml has forgotten its line; of two equal rows the
 * later one is the wrong one. */
unsigned catalogue_schema_line(const struct yaml_file *file, const char *word);

#endif

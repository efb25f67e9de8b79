#include "classify/catalogue.h"

#include "capture/base.h"
#include "classify/catalogue_index.h"
#include "classify/catalogue_schema.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 256

struct entry {				/* a service as read */
	struct catalogue_service *service;
	const struct yaml_service *yaml;
	const struct yaml_owner *owner;
	const struct yaml_file *file;
	unsigned layer;
};

struct catalogue {
	char version[EVP_MAX_MD_SIZE * 2 + 1];
	struct yaml_file files[FILES_MAX];
	unsigned file_count;
	struct entry *entries;
	unsigned entry_count;
	struct catalogue_service **variants;	/* a service with a host's own certainty and source */
	unsigned variant_count;
	struct host_index hosts;
	struct prefix_index prefixes;
	struct network_index networks;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 4, 5)))
static bool wrong(struct catalogue *c, const struct yaml_file *file, const char *word, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(c->error, c->error_size, "%s:%u: %s", file->path, catalogue_schema_line(file, word), what);
	return false;
}

static bool date_good(const char *date)
{
	int end = 0;
	unsigned y, m, d;

	return strlen(date) == 10 && sscanf(date, "%4u-%2u-%2u%n", &y, &m, &d, &end) == 3 && end == 10 &&
	       y >= 1990 && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

static bool word_good(const char *word, const char *others)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && (word[n] == '\0' || (others[0] != '\0' && word[n] == others[0] &&
					     word_good(word + n + 1, "")));
}

/* What the row says, else its service, else its owner. */
static const char *either(const char *a, const char *b, const char *c)
{
	return a != NULL ? a : b != NULL ? b : c;
}

static char *with_date(const char *source, const char *date)
{
	size_t n = strlen(source) + strlen(date) + 3;
	char *text = base_alloc(n);

	snprintf(text, n, "%s, %s", source, date);
	return text;
}

static bool check_dates(struct catalogue *c, const struct entry *e)
{
	const char *dates[] = { e->owner->date, e->yaml->date };

	for (unsigned i = 0; i < 2; i++)
		if (dates[i] != NULL && !date_good(dates[i]))
			return wrong(c, e->file, dates[i], "date: '%s' is no date of the form 2026-11-22", dates[i]);
	if (either(e->yaml->source, e->owner->source, NULL) == NULL)
		return wrong(c, e->file, e->yaml->id, "%s: no source, neither here nor at its owner", e->yaml->id);
	if (either(e->yaml->date, e->owner->date, NULL) == NULL)
		return wrong(c, e->file, e->yaml->id, "%s: no date, neither here nor at its owner", e->yaml->id);
	return true;
}

static bool check_service(struct catalogue *c, const struct entry *e)
{
	const char *id = e->yaml->id, *owner = e->owner->id;
	size_t n = strlen(owner);

	if (!word_good(owner, "") || n >= sizeof(((struct owner_tag *)0)->owner))
		return wrong(c, e->file, owner, "id: '%s' is not of small letters, digits and '-'", owner);
	if (strncmp(id, owner, n) != 0 || id[n] != '/' || !word_good(id, "/") ||
	    strlen(id) >= sizeof(((struct owner_tag *)0)->service))
		return wrong(c, e->file, id, "id: '%s' is not of the form %s/word", id, owner);
	if (e->yaml->role == ROLE_RELAY && e->yaml->relay == 0)
		return wrong(c, e->file, id, "%s: a relay needs 'relay:', how sure that is", id);
	if (e->yaml->role != ROLE_RELAY && e->yaml->role != ROLE_MAIL_SERVICE && e->yaml->relay > RELAY_NO + 1)
		return wrong(c, e->file, id, "%s: only a mail-service or relay can have 'relay:'", id);
	return check_dates(c, e);
}

static bool add_service(struct catalogue *c, const struct yaml_file *file, const struct yaml_owner *owner,
			const struct yaml_service *yaml, unsigned layer)
{
	struct entry e = { .yaml = yaml, .owner = owner, .file = file, .layer = layer };
	struct entry *place = NULL;

	if (!check_service(c, &e))
		return false;
	for (unsigned i = 0; i < c->entry_count; i++)
		if (strcmp(c->entries[i].yaml->id, yaml->id) == 0)
			place = &c->entries[i];
	if (place != NULL && place->layer == layer)
		return wrong(c, file, yaml->id, "id: there is a service '%s' already", yaml->id);

	e.service = base_alloc(sizeof(*e.service));
	*e.service = (struct catalogue_service){
		.id = yaml->id,
		.owner = owner->id,
		.title = owner->name,
		.role = (enum owner_role)yaml->role,
		.relay = yaml->relay > 0 ? (enum relay_certainty)(yaml->relay - 1) : RELAY_NO,
		.setup = yaml->setup,
		.shared = yaml->shared,
		.resolver = yaml->resolver,
		.source = with_date(either(yaml->source, owner->source, NULL),
				    either(yaml->date, owner->date, NULL)),
	};
	if (place == NULL) {
		c->entries = base_realloc(c->entries, (c->entry_count + 1) * sizeof(*c->entries));
		place = &c->entries[c->entry_count++];
	} else {
		free((char *)place->service->source);
		free(place->service);
	}
	*place = e;
	return true;
}

/* The service as this row has it: its own where it says nothing else. */
static const struct catalogue_service *service_of_row(struct catalogue *c, const struct entry *e,
						      const struct yaml_host *row)
{
	struct catalogue_service *variant;

	if (row->relay == 0 && row->source == NULL && row->date == NULL)
		return e->service;
	variant = base_alloc(sizeof(*variant));
	*variant = *e->service;
	if (row->relay > 0)
		variant->relay = (enum relay_certainty)(row->relay - 1);
	variant->source = with_date(either(row->source, e->yaml->source, e->owner->source),
				    either(row->date, e->yaml->date, e->owner->date));
	c->variants[c->variant_count++] = variant;
	return variant;
}

static bool add_host(struct catalogue *c, const struct entry *e, const struct yaml_host *row)
{
	struct host_fit *have;
	const char *name;
	enum fit fit;

	if (!host_pattern_read(row->name, &fit, &name))
		return wrong(c, e->file, row->name, "name: '%s' is no host pattern (small letters, at least two"
			     " labels, '=' or '*.' before it)", row->name);
	if (row->date != NULL && !date_good(row->date))
		return wrong(c, e->file, row->date, "date: '%s' is no date of the form 2026-11-22", row->date);
	if (row->relay > RELAY_NO + 1 && e->service->role != ROLE_RELAY && e->service->role != ROLE_MAIL_SERVICE)
		return wrong(c, e->file, row->name, "%s: only hosts of a mail-service or relay can have 'relay:'",
			     row->name);
	have = host_index_place(&c->hosts, name, fit);
	if (have->service != NULL && have->layer == e->layer)
		return wrong(c, e->file, row->name, "name: '%s' is listed already, for %s", row->name,
			     have->service->id);
	if (have->service == NULL || have->layer < e->layer)
		*have = (struct host_fit){ service_of_row(c, e, row), e->layer };
	return true;
}

static bool index_hosts(struct catalogue *c)
{
	unsigned count = 0;

	for (unsigned i = 0; i < c->entry_count; i++)
		count += c->entries[i].yaml->hosts_count;
	host_index_init(&c->hosts, count);
	c->variants = base_alloc_array(count, sizeof(struct catalogue_service *));
	for (unsigned i = 0; i < c->entry_count; i++)
		for (unsigned k = 0; k < c->entries[i].yaml->hosts_count; k++)
			if (!add_host(c, &c->entries[i], &c->entries[i].yaml->hosts[k]))
				return false;
	return true;
}

static bool index_prefixes(struct catalogue *c)
{
	unsigned count = 0;

	for (unsigned i = 0; i < c->entry_count; i++)
		count += c->entries[i].yaml->prefixes_count;
	c->prefixes.rows = base_alloc_array(count, sizeof(*c->prefixes.rows));
	for (unsigned i = 0; i < c->entry_count; i++) {
		const struct entry *e = &c->entries[i];

		for (unsigned k = 0; k < e->yaml->prefixes_count; k++) {
			struct prefix *p = &c->prefixes.rows[c->prefixes.count++];

			if (!prefix_read(e->yaml->prefixes[k], p))
				return wrong(c, e->file, e->yaml->prefixes[k], "prefixes: '%s' is no prefix, or"
					     " has bits behind its length", e->yaml->prefixes[k]);
			p->service = e->service;
			p->layer = e->layer;
		}
	}
	prefix_index_sort(&c->prefixes);
	return true;
}

static bool index_networks(struct catalogue *c)
{
	unsigned count = 0;

	for (unsigned i = 0; i < c->entry_count; i++)
		count += c->entries[i].yaml->asns_count;
	c->networks.rows = base_alloc_array(count, sizeof(*c->networks.rows));
	for (unsigned i = 0; i < c->entry_count; i++) {
		const struct entry *e = &c->entries[i];

		for (unsigned k = 0; k < e->yaml->asns_count; k++) {
			if (e->yaml->asns[k] == 0)
				return wrong(c, e->file, e->yaml->id, "%s: asns: 0 is nobody's", e->yaml->id);
			c->networks.rows[c->networks.count++] =
				(struct network){ e->yaml->asns[k], e->service, false };
		}
	}
	network_index_sort(&c->networks);
	return true;
}

static int is_yaml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".yaml") == 0;
}

/* Not alphasort, which heeds the locale: the order decides the version's hash. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool load_file(struct catalogue *c, const char *path, unsigned layer)
{
	struct yaml_file *file = &c->files[c->file_count];

	if (c->file_count == FILES_MAX) {
		snprintf(c->error, c->error_size, "%s: more than %d catalogue files", path, FILES_MAX);
		return false;
	}
	if (!catalogue_schema_read(path, file, c->error, c->error_size))
		return false;
	c->file_count++;
	for (unsigned i = 0; i < file->owners_count; i++)
		for (unsigned k = 0; k < file->owners[i].services_count; k++)
			if (!add_service(c, file, &file->owners[i], &file->owners[i].services[k], layer))
				return false;
	return true;
}

static bool load_directory(struct catalogue *c, const char *directory)
{
	struct dirent **names;
	int count = scandir(directory, &names, is_yaml, by_name);
	bool fine = count > 0;

	if (!fine)
		snprintf(c->error, c->error_size, "%s: no catalogue files (*.yaml) there", directory);
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
		fine = fine && load_file(c, path, 0);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return fine;
}

static void make_version(struct catalogue *c)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (unsigned i = 0; i < c->file_count; i++)
		EVP_DigestUpdate(ctx, c->files[i].text, c->files[i].text_len);
	EVP_DigestFinal_ex(ctx, digest, &n);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < n; i++)
		snprintf(c->version + 2 * i, 3, "%02x", digest[i]);
}

struct catalogue *catalogue_load(const char *directory, const char *const *extra, unsigned extra_count,
				 char *error, size_t error_size)
{
	struct catalogue *c = base_alloc(sizeof(*c));
	bool fine;

	c->error = error;
	c->error_size = error_size;
	fine = load_directory(c, directory);
	for (unsigned i = 0; fine && i < extra_count; i++)
		fine = load_file(c, extra[i], i + 1);
	if (fine && index_hosts(c) && index_prefixes(c) && index_networks(c))
		make_version(c);
	else
		catalogue_free(&c);
	return c;
}

void catalogue_free(struct catalogue **c)
{
	if (*c == NULL)
		return;
	for (unsigned i = 0; i < (*c)->variant_count; i++) {
		free((char *)(*c)->variants[i]->source);
		free((*c)->variants[i]);
	}
	for (unsigned i = 0; i < (*c)->entry_count; i++) {
		free((char *)(*c)->entries[i].service->source);
		free((*c)->entries[i].service);
	}
	for (unsigned i = 0; i < (*c)->file_count; i++)
		catalogue_schema_free(&(*c)->files[i]);
	free((*c)->variants);
	free((*c)->entries);
	host_index_free(&(*c)->hosts);
	free((*c)->prefixes.rows);
	free((*c)->networks.rows);
	free(*c);
	*c = NULL;
}

const struct catalogue_service *catalogue_by_host(const struct catalogue *c, const char *name)
{
	return host_index_find(&c->hosts, name);
}

const struct catalogue_service *catalogue_by_address(const struct catalogue *c, const uint8_t address[16],
						     bool *also_out)
{
	const struct prefix *p = prefix_index_find(&c->prefixes, address);

	*also_out = p != NULL && p->also;
	return p != NULL ? p->service : NULL;
}

const struct catalogue_service *catalogue_by_asn(const struct catalogue *c, uint32_t asn, const char *owner, bool *also_out)
{
	const struct network *n = network_index_find(&c->networks, asn, owner);

	*also_out = n != NULL && n->also;
	return n != NULL ? n->service : NULL;
}

const char *catalogue_version(const struct catalogue *c)
{
	return c->version;
}

const struct catalogue_service *catalogue_by_owner(const struct catalogue *c, const char *owner)
{
	for (unsigned i = 0; i < c->entry_count; i++)
		if (strcmp(c->entries[i].service->owner, owner) == 0)
			return c->entries[i].service;
	return NULL;
}

void catalogue_each(const struct catalogue *c, catalogue_each_service *each, void *context)
{
	for (unsigned i = 0; i < c->entry_count; i++)
		each(context, c->entries[i].service);
}

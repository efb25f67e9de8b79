#include "classify/catalogue.h"

#include "capture/base.h"
#include "classify/catalogue_schema.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 256

/* What a host pattern fits: "=example.net", "*.example.net", "example.net". */
enum fit { FIT_EXACT, FIT_BELOW, FIT_BOTH, FIT_KINDS };

struct host {
	const char *name;		/* the pattern without its mark; NULL is a free slot */
	struct host_fit {
		const struct catalogue_service *service;
		unsigned layer;		/* 0: the directory; then each file that was added */
	} fits[FIT_KINDS];
};

struct prefix {
	uint8_t address[16];
	unsigned bits;
	unsigned layer;
	const struct catalogue_service *service;
	bool also;			/* listed by another owner as well */
	int around;			/* index of the next wider prefix that has this one; -1 is none */
};

struct network {
	uint32_t asn;
	const struct catalogue_service *service;
	bool also;
};

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
	struct host *hosts;		/* hash table, a power of two, at most half full */
	unsigned host_slots;
	struct prefix *prefixes;	/* sorted by address, then the wider first */
	unsigned prefix_count;
	struct network *networks;	/* sorted by number */
	unsigned network_count;
	char *error;
	size_t error_size;
};

/* --- complaints ------------------------------------------------------------------------------- */

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

static bool pattern_good(const char *name)
{
	size_t n = strlen(name), label = 0;

	if (n > 253 || strchr(name, '.') == NULL)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i == n || name[i] == '.') {
			if (label == 0 || label > 63)
				return false;
			label = 0;
		} else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name[i]) == NULL) {
			return false;
		} else {
			label++;
		}
	}
	return true;
}

/* --- services --------------------------------------------------------------------------------- */

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

/* --- hosts ------------------------------------------------------------------------------------ */

static struct host *find_host(const struct catalogue *c, const char *name)
{
	uint64_t hash = 14695981039346656037u;	/* FNV-1a */
	unsigned slot;

	for (const char *p = name; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	slot = (unsigned)(hash ^ hash >> 32) & (c->host_slots - 1);
	while (c->hosts[slot].name != NULL && strcmp(c->hosts[slot].name, name) != 0)
		slot = (slot + 1) & (c->host_slots - 1);
	return &c->hosts[slot];
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
	enum fit fit = row->name[0] == '=' ? FIT_EXACT : strncmp(row->name, "*.", 2) == 0 ? FIT_BELOW : FIT_BOTH;
	const char *name = row->name + (fit == FIT_EXACT ? 1 : fit == FIT_BELOW ? 2 : 0);
	struct host *host;
	struct host_fit *have;

	if (!pattern_good(name))
		return wrong(c, e->file, row->name, "name: '%s' is no host pattern (small letters, at least two"
			     " labels, '=' or '*.' before it)", row->name);
	if (row->date != NULL && !date_good(row->date))
		return wrong(c, e->file, row->date, "date: '%s' is no date of the form 2026-11-22", row->date);
	if (row->relay > RELAY_NO + 1 && e->service->role != ROLE_RELAY && e->service->role != ROLE_MAIL_SERVICE)
		return wrong(c, e->file, row->name, "%s: only hosts of a mail-service or relay can have 'relay:'",
			     row->name);
	host = find_host(c, name);
	host->name = name;
	have = &host->fits[fit];
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
	for (c->host_slots = 64; c->host_slots < count * 2;)
		c->host_slots *= 2;
	c->hosts = base_alloc_array(c->host_slots, sizeof(*c->hosts));
	c->variants = base_alloc_array(count, sizeof(struct catalogue_service *));
	for (unsigned i = 0; i < c->entry_count; i++)
		for (unsigned k = 0; k < c->entries[i].yaml->hosts_count; k++)
			if (!add_host(c, &c->entries[i], &c->entries[i].yaml->hosts[k]))
				return false;
	return true;
}

const struct catalogue_service *catalogue_by_host(const struct catalogue *c, const char *name)
{
	char lower[FACT_NAME_SIZE];
	size_t n = strlen(name);
	bool whole = true;

	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n == 0 || n >= sizeof(lower))
		return NULL;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	lower[n] = '\0';
	for (const char *p = lower; p != NULL; whole = false) {
		const struct host *host = find_host(c, p);

		if (whole && host->fits[FIT_EXACT].service != NULL)
			return host->fits[FIT_EXACT].service;
		if (!whole && host->fits[FIT_BELOW].service != NULL)
			return host->fits[FIT_BELOW].service;
		if (host->fits[FIT_BOTH].service != NULL)
			return host->fits[FIT_BOTH].service;
		p = strchr(p, '.');
		p = p == NULL ? NULL : p + 1;
	}
	return NULL;
}

/* --- prefixes and AS numbers ------------------------------------------------------------------- */

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool covers(const struct prefix *p, const uint8_t address[16])
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	return memcmp(p->address, address, whole) == 0 &&
	       (rest == 0 || (p->address[whole] ^ address[whole]) >> (8 - rest) == 0);
}

/* "192.0.2.0/24" or "2001:db8::/32", nothing set behind its length. */
static bool read_prefix(const char *text, struct prefix *out)
{
	char address[HOST_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	bool v4 = strchr(text, ':') == NULL;
	unsigned bits = 0, offset = v4 ? 96 : 0;
	int end = 0;

	*out = (struct prefix){ .around = -1 };
	if (slash == NULL || (size_t)(slash - text) >= sizeof(address) ||
	    sscanf(slash, "/%3u%n", &bits, &end) != 1 || slash[end] != '\0' || bits > (v4 ? 32 : 128))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (v4)
		memcpy(out->address, v4_mapped, sizeof(v4_mapped));
	if (inet_pton(v4 ? AF_INET : AF_INET6, address, out->address + (v4 ? 12 : 0)) != 1)
		return false;
	out->bits = bits + offset;
	for (unsigned bit = out->bits; bit < 128; bit++)
		if ((out->address[bit / 8] & 0x80 >> bit % 8) != 0)
			return false;
	return true;
}

static int prefix_cmp(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int cmp = memcmp(x->address, y->address, sizeof(x->address));

	if (cmp == 0)
		cmp = (x->bits > y->bits) - (x->bits < y->bits);
	if (cmp == 0)
		cmp = (x->layer < y->layer) - (x->layer > y->layer);	/* what was added last comes first */
	return cmp != 0 ? cmp : strcmp(x->service->id, y->service->id);
}

static bool index_prefixes(struct catalogue *c)
{
	unsigned count = 0, kept = 0;

	for (unsigned i = 0; i < c->entry_count; i++)
		count += c->entries[i].yaml->prefixes_count;
	c->prefixes = base_alloc_array(count, sizeof(*c->prefixes));
	for (unsigned i = 0; i < c->entry_count; i++) {
		const struct entry *e = &c->entries[i];

		for (unsigned k = 0; k < e->yaml->prefixes_count; k++) {
			struct prefix *p = &c->prefixes[c->prefix_count++];

			if (!read_prefix(e->yaml->prefixes[k], p))
				return wrong(c, e->file, e->yaml->prefixes[k], "prefixes: '%s' is no prefix, or"
					     " has bits behind its length", e->yaml->prefixes[k]);
			p->service = e->service;
			p->layer = e->layer;
		}
	}
	qsort(c->prefixes, count, sizeof(*c->prefixes), prefix_cmp);
	for (unsigned i = 0; i < count; i++) {
		struct prefix *p = &c->prefixes[i], *last = kept > 0 ? &c->prefixes[kept - 1] : NULL;

		if (last != NULL && last->bits == p->bits && covers(last, p->address)) {
			last->also |= last->layer == p->layer &&
				      strcmp(last->service->owner, p->service->owner) != 0;
			continue;
		}
		p->around = (int)kept - 1;
		while (p->around >= 0 && !covers(&c->prefixes[p->around], p->address))
			p->around = c->prefixes[p->around].around;
		c->prefixes[kept++] = *p;
	}
	c->prefix_count = kept;
	return true;
}

const struct catalogue_service *catalogue_by_address(const struct catalogue *c, const uint8_t address[16],
						     bool *also_out)
{
	unsigned lo = 0, hi = c->prefix_count;
	int at;

	*also_out = false;
	while (lo < hi) {	/* the first prefix that begins behind the address */
		unsigned mid = (lo + hi) / 2;

		if (memcmp(c->prefixes[mid].address, address, 16) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (at = (int)lo - 1; at >= 0 && !covers(&c->prefixes[at], address);)
		at = c->prefixes[at].around;
	if (at < 0)
		return NULL;
	*also_out = c->prefixes[at].also;
	return c->prefixes[at].service;
}

static int network_cmp(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	int cmp = (x->asn > y->asn) - (x->asn < y->asn);

	return cmp != 0 ? cmp : strcmp(x->service->id, y->service->id);
}

static bool index_networks(struct catalogue *c)
{
	unsigned count = 0, kept = 0;

	for (unsigned i = 0; i < c->entry_count; i++)
		count += c->entries[i].yaml->asns_count;
	c->networks = base_alloc_array(count, sizeof(*c->networks));
	for (unsigned i = 0; i < c->entry_count; i++) {
		const struct entry *e = &c->entries[i];

		for (unsigned k = 0; k < e->yaml->asns_count; k++) {
			if (e->yaml->asns[k] == 0)
				return wrong(c, e->file, e->yaml->id, "%s: asns: 0 is nobody's", e->yaml->id);
			c->networks[c->network_count++] = (struct network){ e->yaml->asns[k], e->service, false };
		}
	}
	qsort(c->networks, count, sizeof(*c->networks), network_cmp);
	for (unsigned i = 0; i < count; i++) {
		struct network *n = &c->networks[i], *last = kept > 0 ? &c->networks[kept - 1] : NULL;

		if (last != NULL && last->asn == n->asn)
			last->also |= strcmp(last->service->owner, n->service->owner) != 0;
		else
			c->networks[kept++] = *n;
	}
	c->network_count = kept;
	return true;
}

const struct catalogue_service *catalogue_by_asn(const struct catalogue *c, uint32_t asn, bool *also_out)
{
	unsigned lo = 0, hi = c->network_count;

	*also_out = false;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (c->networks[mid].asn < asn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->network_count || c->networks[lo].asn != asn)
		return NULL;
	*also_out = c->networks[lo].also;
	return c->networks[lo].service;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int is_yaml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".yaml") == 0;
}

static bool load_file(struct catalogue *c, const char *path, unsigned layer)
{
	struct yaml_file *file = &c->files[c->file_count];

	if (c->file_count == FILES_MAX) {
		snprintf(c->error, c->error_size, "%s: more than %u catalogue files", path, FILES_MAX);
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
	int count = scandir(directory, &names, is_yaml, alphasort);
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

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		abort();
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
	fine = fine && index_hosts(c) && index_prefixes(c) && index_networks(c);
	if (!fine) {
		catalogue_free(&c);
		return NULL;
	}
	make_version(c);
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
	free((*c)->hosts);
	free((*c)->prefixes);
	free((*c)->networks);
	free(*c);
	*c = NULL;
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

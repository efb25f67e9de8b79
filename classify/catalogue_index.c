#include "classify/catalogue_index.h"

#include "capture/base.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void host_index_init(struct host_index *index, unsigned count)
{
	for (index->slot_count = 64; index->slot_count < count * 2;)
		index->slot_count *= 2;
	index->slots = base_alloc_array(index->slot_count, sizeof(*index->slots));
}

void host_index_free(struct host_index *index)
{
	free(index->slots);
	*index = (struct host_index){ .slots = NULL };
}

static bool name_good(const char *name)
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

bool host_pattern_read(const char *pattern, enum fit *fit_out, const char **name_out)
{
	*fit_out = pattern[0] == '=' ? FIT_EXACT : strncmp(pattern, "*.", 2) == 0 ? FIT_BELOW : FIT_BOTH;
	*name_out = pattern + (*fit_out == FIT_EXACT ? 1 : *fit_out == FIT_BELOW ? 2 : 0);
	return name_good(*name_out);
}

/* The slot that has the name, or would have it. */
static struct host *find_slot(const struct host_index *index, const char *name)
{
	uint64_t hash = 14695981039346656037u;	/* FNV-1a */
	unsigned slot;

	for (const char *p = name; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	slot = (unsigned)(hash ^ hash >> 32) & (index->slot_count - 1);
	while (index->slots[slot].name != NULL && strcmp(index->slots[slot].name, name) != 0)
		slot = (slot + 1) & (index->slot_count - 1);
	return &index->slots[slot];
}

struct host_fit *host_index_place(struct host_index *index, const char *name, enum fit fit)
{
	struct host *host = find_slot(index, name);

	host->name = name;
	return &host->fits[fit];
}

const struct catalogue_service *host_index_find(const struct host_index *index, const char *name)
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
		const struct host *host = find_slot(index, p);

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

static bool covers(const struct prefix *p, const uint8_t address[16])
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	return memcmp(p->address, address, whole) == 0 &&
	       (rest == 0 || (p->address[whole] ^ address[whole]) >> (8 - rest) == 0);
}

bool prefix_read(const char *text, struct prefix *out)
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
	if (!host_of_text(address, out->address))
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

void prefix_index_sort(struct prefix_index *index)
{
	unsigned kept = 0;

	qsort(index->rows, index->count, sizeof(*index->rows), prefix_cmp);
	for (unsigned i = 0; i < index->count; i++) {
		struct prefix *p = &index->rows[i], *last = kept > 0 ? &index->rows[kept - 1] : NULL;

		if (last != NULL && last->bits == p->bits && covers(last, p->address)) {
			last->also |= last->layer == p->layer &&
				      strcmp(last->service->owner, p->service->owner) != 0;
			continue;
		}
		p->around = (int)kept - 1;
		while (p->around >= 0 && !covers(&index->rows[p->around], p->address))
			p->around = index->rows[p->around].around;
		index->rows[kept++] = *p;
	}
	index->count = kept;
}

const struct prefix *prefix_index_find(const struct prefix_index *index, const uint8_t address[16])
{
	unsigned lo = 0, hi = index->count;
	int at;

	while (lo < hi) {	/* the first prefix that begins behind the address */
		unsigned mid = (lo + hi) / 2;

		if (memcmp(index->rows[mid].address, address, 16) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (at = (int)lo - 1; at >= 0 && !covers(&index->rows[at], address);)
		at = index->rows[at].around;
	return at < 0 ? NULL : &index->rows[at];
}

static int network_cmp(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	int cmp = (x->asn > y->asn) - (x->asn < y->asn);

	return cmp != 0 ? cmp : strcmp(x->service->id, y->service->id);
}

void network_index_sort(struct network_index *index)
{
	qsort(index->rows, index->count, sizeof(*index->rows), network_cmp);
	for (unsigned i = 1, first = 0; i < index->count; i++) {
		if (index->rows[i].asn != index->rows[first].asn)
			first = i;
		else
			index->rows[first].also |= strcmp(index->rows[first].service->owner,
							  index->rows[i].service->owner) != 0;
	}
}

const struct network *network_index_find(const struct network_index *index, uint32_t asn, const char *owner)
{
	unsigned lo = 0, hi = index->count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (index->rows[mid].asn < asn)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (owner != NULL && lo < index->count && index->rows[lo].asn == asn &&
	       strcmp(index->rows[lo].service->owner, owner) != 0)
		lo++;
	return lo < index->count && index->rows[lo].asn == asn ? &index->rows[lo] : NULL;
}

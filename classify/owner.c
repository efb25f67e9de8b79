#include "classify/owner.h"

#include "capture/base.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct owner_finder {
	const struct catalogue *catalogue;
	const struct asn *asn;		/* may be NULL */
};

struct owner_finder *owner_finder_new(const struct catalogue *c, const struct asn *a)
{
	struct owner_finder *f = base_alloc(sizeof(*f));

	*f = (struct owner_finder){ .catalogue = c, .asn = a };
	return f;
}

void owner_finder_free(struct owner_finder **f)
{
	free(*f);
	*f = NULL;
}

static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };	/* RFC 6052 */

static bool v4_local(const uint8_t a[4])
{
	return a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254) ||
	       (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64);
}

bool owner_address_local(const uint8_t address[16])
{
	static const uint8_t zero[15];

	if (host_is_ipv4(address))
		return v4_local(address + HOST_IPV4_AT);
	return (memcmp(address, zero, sizeof(zero)) == 0 && address[15] <= 1) || (address[0] & 0xfe) == 0xfc ||
	       address[0] == 0xff || (address[0] == 0xfe && (address[1] & 0x80) != 0);
}

/* What stands behind a NAT64 address is the IPv4 host. */
static void host_behind(const uint8_t address[16], uint8_t out[16])
{
	if (memcmp(address, nat64, sizeof(nat64)) == 0)
		host_of_ipv4(address + sizeof(nat64), out);
	else
		memcpy(out, address, 16);
}

/* Lower case, without the root's dot. False when it is no name: empty, too long, with an empty label, or an
 * address, which is no evidence of its own (RFC 6066 section 3 forbids it as SNI). */
static bool clean_name(const char *name, char out[FACT_NAME_SIZE])
{
	size_t n = strlen(name);
	uint8_t address[16];

	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n == 0 || n >= FACT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	out[n] = '\0';
	return out[0] != '.' && out[n - 1] != '.' && strstr(out, "..") == NULL && !host_of_text(out, address);
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n >= s && strcmp(name + n - s, suffix) == 0;
}

void owner_registrable(const char *name, char out[FACT_NAME_SIZE])
{
	const psl_ctx_t *list = psl_builtin();
	psl_ctx_t *loaded = list == NULL ? psl_latest(NULL) : NULL;
	char clean[FACT_NAME_SIZE];
	const char *domain = NULL;

	if (!clean_name(name, clean)) {
		base_copy(out, FACT_NAME_SIZE, name);
		return;
	}
	if (!ends_in(clean, ".local") && !ends_in(clean, ".in-addr.arpa") && !ends_in(clean, ".ip6.arpa"))
		domain = psl_registrable_domain(list != NULL ? list : loaded, clean);
	base_copy(out, FACT_NAME_SIZE, domain != NULL ? domain : clean);
	psl_free(loaded);
}

/* A registrable domain as an owner's id. Catalogue ids have no dot, so a host that calls itself
 * "posteo" must not become one of them. Of a longer one the end is kept: it tells domains apart. */
static void owner_of_name(const char *name, struct owner_tag *out)
{
	char domain[FACT_NAME_SIZE];
	size_t n, room = sizeof(out->owner) - 1;

	owner_registrable(name, domain);
	base_copy(out->title, sizeof(out->title), domain);
	n = strlen(domain);
	if (strchr(domain, '.') == NULL && n + 1 < sizeof(domain)) {
		domain[n++] = '.';
		domain[n] = '\0';
	}
	base_copy(out->owner, sizeof(out->owner), domain + (n > room ? n - room : 0));
}

static void tag_service(const struct catalogue_service *s, enum named_by by, enum strength strength,
			struct owner_tag *out)
{
	base_copy(out->owner, sizeof(out->owner), s->owner);
	base_copy(out->title, sizeof(out->title), s->title);
	base_copy(out->service, sizeof(out->service), s->id);
	base_copy(out->source, sizeof(out->source), s->source);
	out->role = s->role;
	out->relay = s->relay;
	out->setup = s->setup;
	out->resolver = s->resolver;
	out->named_by = by;
	out->strength = strength;
}

static bool same(const struct catalogue_service *a, const struct catalogue_service *b)
{
	return a != NULL && b != NULL && strcmp(a->id, b->id) == 0;
}

static bool holds_mail_for_others(const struct catalogue_service *s)
{
	return s != NULL && (s->role == ROLE_MAIL_SERVICE || s->role == ROLE_RELAY);
}

/* What the address alone tells. */
struct from_address {
	const struct catalogue_service *service;
	bool also;
	bool local;
};

/* A name that the catalogue does not know. It may be a vanity name of a vendor's mail server: an alias in
 * DNS, or an address in its published prefix says so. For all others the alias says only who hosts
 * the domain, and the domain is the owner. */
static void tag_unknown_name(const struct owner_finder *f, const struct owner_evidence *e, enum named_by by,
			     const struct from_address *address, struct owner_tag *out)
{
	const struct catalogue_service *alias = NULL;
	char asked[FACT_NAME_SIZE], canonical[FACT_NAME_SIZE];

	if (!address->local && clean_name(e->dns_name, asked) && strcmp(asked, out->name) == 0 &&
	    clean_name(e->dns_canonical, canonical))
		alias = catalogue_by_host(f->catalogue, canonical);
	if (holds_mail_for_others(alias)) {
		tag_service(alias, NAMED_BY_DNS, same(alias, address->service) ? STRENGTH_PROVEN : STRENGTH_STRONG,
			    out);
	} else if (holds_mail_for_others(address->service) && !address->also) {
		tag_service(address->service, NAMED_BY_PREFIX, STRENGTH_STRONG, out);
	} else {
		owner_of_name(out->name, out);
		out->role = address->local ? ROLE_LOCAL : ROLE_OTHER;
		out->named_by = by;
		out->strength = STRENGTH_STRONG;
	}
}

/* A client may ask a vendor's mail server by any name it likes (domain fronting). */
static bool contradicts(const struct from_address *address, const struct catalogue_service *named)
{
	return holds_mail_for_others(address->service) && !address->also &&
	       strcmp(address->service->owner, named->owner) != 0;
}

static void tag_name(const struct owner_finder *f, const struct owner_evidence *e, enum named_by by,
		     const struct from_address *address, struct owner_tag *out)
{
	const struct catalogue_service *s = catalogue_by_host(f->catalogue, out->name);

	/* A DNS answer with a local address is a filter's or a portal's, not the named service. */
	if (s == NULL || (by == NAMED_BY_DNS && address->local)) {
		tag_unknown_name(f, e, by, address, out);
		return;
	}
	tag_service(s, by, same(s, address->service) ? STRENGTH_PROVEN : STRENGTH_STRONG, out);
	if (by != NAMED_BY_CERTIFICATE && contradicts(address, s)) {
		out->ambiguous = true;
		out->strength = STRENGTH_SUSPECTED;
	}
}

static void tag_asn(const struct owner_finder *f, struct owner_tag *out)
{
	bool also = false;
	const struct catalogue_service *s = catalogue_by_asn(f->catalogue, out->asn, NULL, &also);

	out->role = ROLE_UNNAMED;
	if (out->asn == 0) {
		base_copy(out->owner, sizeof(out->owner), "unknown");
		base_copy(out->title, sizeof(out->title), "unknown");
		return;
	}
	out->named_by = NAMED_BY_ASN;
	out->strength = STRENGTH_SUSPECTED;
	out->ambiguous = s != NULL && (also || s->shared);
	/* Whose customer it is stays unknown, but nobody rents servers there. */
	if (s != NULL && !also && s->role == ROLE_ACCESS)
		out->role = ROLE_ACCESS;
	if (s != NULL && !out->ambiguous) {
		base_copy(out->owner, sizeof(out->owner), s->owner);
		base_copy(out->source, sizeof(out->source), s->source);
	} else {
		snprintf(out->owner, sizeof(out->owner), "as%u", out->asn);
	}
	if (out->as_org[0] != '\0')
		base_copy(out->title, sizeof(out->title), out->as_org);
	else
		snprintf(out->title, sizeof(out->title), "AS%u", out->asn);
}

static void tag_address(const struct owner_finder *f, const struct from_address *address, struct owner_tag *out)
{
	if (address->local) {
		base_copy(out->owner, sizeof(out->owner), "local");
		base_copy(out->title, sizeof(out->title), "local network");
		out->role = ROLE_LOCAL;
	} else if (address->service != NULL) {
		tag_service(address->service, NAMED_BY_PREFIX, STRENGTH_STRONG, out);
		out->ambiguous = address->also || address->service->shared;
	} else {
		tag_asn(f, out);
	}
}

void owner_tag(const struct owner_finder *f, const struct owner_evidence *evidence, struct owner_tag *out)
{
	const struct {
		const char *name;
		enum named_by by;
	} names[] = {	/* the best first */
		{ evidence->certificate, NAMED_BY_CERTIFICATE },
		{ evidence->sni, evidence->quic ? NAMED_BY_QUIC_SNI : NAMED_BY_SNI },
		{ evidence->dns_name, NAMED_BY_DNS },
	};
	struct from_address address;
	uint8_t host[16];

	memset(out, 0, sizeof(*out));
	host_behind(evidence->address, host);
	address.local = owner_address_local(host);
	address.service = catalogue_by_address(f->catalogue, host, &address.also);
	if (f->asn != NULL && !address.local)
		out->asn = asn_of(f->asn, host, out->as_org);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (clean_name(names[i].name, out->name)) {
			tag_name(f, evidence, names[i].by, &address, out);
			return;
		}
	}
	out->name[0] = '\0';
	tag_address(f, &address, out);
}

bool owner_resolve(const struct owner_finder *f, const char *word, char owner_out[64])
{
	const struct catalogue_service *s = catalogue_by_owner(f->catalogue, word);
	const char *at = strrchr(word, '@');
	struct owner_tag tag;
	char name[FACT_NAME_SIZE];

	if (s == NULL) {
		if (!clean_name(at != NULL ? at + 1 : word, name) || strchr(name, '.') == NULL ||
		    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] != '\0')
			return false;
		s = catalogue_by_host(f->catalogue, name);
	}
	if (s == NULL)
		owner_of_name(name, &tag);
	base_copy(owner_out, sizeof(tag.owner), s != NULL ? s->owner : tag.owner);
	return true;
}

bool owner_may_be_at(const struct owner_finder *f, const char *owner, const uint8_t address[16])
{
	const struct catalogue_service *s;
	char org[FACT_TEXT_SIZE];
	uint8_t host[16];
	uint32_t asn;
	bool also;

	host_behind(address, host);
	s = catalogue_by_address(f->catalogue, host, &also);
	if (s != NULL)
		return strcmp(s->owner, owner) == 0;
	asn = f->asn != NULL ? asn_of(f->asn, host, org) : 0;
	return asn != 0 && catalogue_by_asn(f->catalogue, asn, owner, &also) != NULL;
}

static void book_tag(const void *context, const struct owner_evidence *evidence, struct owner_tag *out)
{
	owner_tag(context, evidence, out);
}

static bool book_resolve(const void *context, const char *word, char owner_out[64])
{
	return owner_resolve(context, word, owner_out);
}

static bool book_may_be_at(const void *context, const char *owner, const uint8_t address[16])
{
	return owner_may_be_at(context, owner, address);
}

struct owner_book owner_book_of(const struct owner_finder *f)
{
	return (struct owner_book){
		.context = f,
		.tag = book_tag,
		.resolve = book_resolve,
		.may_be_at = book_may_be_at,
		.version = catalogue_version(f->catalogue),
		.asn_database = f->asn != NULL ? asn_describe(f->asn) : "",
		.attribution = f->asn != NULL ? asn_attribution(f->asn) : "",
	};
}

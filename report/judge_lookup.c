#include "report/judge_lookup.h"

#include "capture/base.h"

#include <string.h>

/* What a name alone says of its owner. The address is global unicast and in nobody's prefix. */
void lookup_tag(const struct judge_part *part, const char *name, struct owner_tag *tag_out)
{
	struct owner_evidence evidence = {
		.sni = "", .dns_name = name, .dns_canonical = name, .certificate = "", .address = { 0x20 },
	};

	memset(tag_out, 0, sizeof(*tag_out));
	part->book->tag(part->book->context, &evidence, tag_out);
}

/* The account's domain in a name that mail set-up asks for; NULL when it is none. RFC 6186: SRV names
 * begin with two labels that have an underscore. */
const char *lookup_domain(const char *name, const char *type)
{
	if (strncmp(name, "autoconfig.", 11) == 0)
		return name + 11;
	if (strncmp(name, "autodiscover.", 13) == 0)
		return name + 13;
	if (strcmp(type, "MX") == 0)
		return name;
	if (strcmp(type, "SRV") != 0)
		return NULL;
	while (*name == '_') {
		name = strchr(name, '.');
		if (name == NULL)
			return NULL;
		name++;
	}
	return name;
}

/* The host at the end of an MX, SRV or CNAME answer, without its dot; false when there is none. */
bool lookup_target(const char *rdata, const char *type, char out[FACT_NAME_SIZE])
{
	const char *last = strrchr(rdata, ' ');
	size_t n;

	if (strcmp(type, "MX") != 0 && strcmp(type, "SRV") != 0 && strcmp(type, "CNAME") != 0)
		return false;
	base_copy(out, FACT_NAME_SIZE, last != NULL ? last + 1 : rdata);
	n = strlen(out);
	if (n > 0 && out[n - 1] == '.')
		out[n - 1] = '\0';
	return out[0] != '\0';
}

/* Where a domain's clients are set up, which is not where its mail is: a vendor can have the one alone. */
bool lookup_is_set_up(const char *name)
{
	return strncmp(name, "auto", 4) == 0 || strncmp(name, "_auto", 5) == 0;
}

/* The catalogue, the AS database, and the policy that the options and the policy file make. */
#include "door/command.h"

#include <sysexits.h>

static struct policy *policy_of(const struct options *o, const struct knowledge *k)
{
	struct policy *p = policy_new();
	char error[512], owner[64];

	if (o->policy != NULL && (!policy_load(p, o->policy, error, sizeof(error)) ||
				  !policy_resolve(p, &k->book, error, sizeof(error))))
		command_fail(EX_CONFIG, error);
	for (unsigned i = 0; i < o->providers.count; i++) {
		if (!owner_resolve(k->finder, o->providers.of[i], owner))
			options_misuse("--provider: no owner of the catalogue and no domain", o->providers.of[i]);
		if (!policy_provider(p, o->providers.of[i], error, sizeof(error)))
			options_misuse("--provider", error);
	}
	for (unsigned i = 0; i < o->clients.count; i++)
		if (!policy_client(p, o->clients.of[i], error, sizeof(error)))
			options_misuse("--client", error);
	for (unsigned i = 0; i < o->servers.count; i++)
		if (!policy_server(p, o->servers.of[i], error, sizeof(error)))
			options_misuse("--mail-server", error);
	for (unsigned i = 0; i < o->canaries.count; i++)
		if (!policy_canary(p, o->canaries.of[i], error, sizeof(error)))
			options_misuse("--canary", error);
	return p;
}

struct knowledge knowledge_open(const struct options *o)
{
	char error[512];
	struct knowledge k = { 0 };

	k.catalogue = catalogue_load(DATADIR "/catalogue", o->catalogues.of, o->catalogues.count, error,
				     sizeof(error));
	if (k.catalogue == NULL)
		command_fail(EX_CONFIG, error);
	k.asn = asn_open(o->asn_db, DATADIR, error, sizeof(error));
	if (k.asn == NULL)
		command_fail(EX_CONFIG, error);
	k.finder = owner_finder_new(k.catalogue, k.asn);
	k.book = owner_book_of(k.finder);
	k.policy = policy_of(o, &k);
	return k;
}

void knowledge_close(struct knowledge *k)
{
	policy_free(&k->policy);
	owner_finder_free(&k->finder);
	asn_close(&k->asn);
	catalogue_free(&k->catalogue);
}

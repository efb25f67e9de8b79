/* The catalogue, the AS database, and the policy that the options and the policy file make. */
#include "door/command.h"

#include <stdio.h>
#include <sysexits.h>

/* Each of the words; what the option is called stands before what is wrong with one. */
static bool add_words(struct policy *p, const char *option, const struct words *words,
		      bool (*add)(struct policy *p, const char *word, char *error, size_t error_size),
		      char *error, size_t error_size)
{
	char why[512];

	for (unsigned i = 0; i < words->count; i++) {
		if (!add(p, words->of[i], why, sizeof(why))) {
			snprintf(error, error_size, "%s: %s", option, why);
			return false;
		}
	}
	return true;
}

static bool providers_are_known(const struct options *o, const struct knowledge *k, char *error, size_t error_size)
{
	char owner[64];

	for (unsigned i = 0; i < o->providers.count; i++) {
		if (!owner_resolve(k->finder, o->providers.of[i], owner)) {
			snprintf(error, error_size, "--provider: no owner of the catalogue and no domain: %s",
				 o->providers.of[i]);
			return false;
		}
	}
	return true;
}

static int read_policy(const struct options *o, struct knowledge *k, char *error, size_t size)
{
	struct policy *p = k->policy = policy_new();

	if (o->policy != NULL && (!policy_load(p, o->policy, error, size) || !policy_resolve(p, &k->book, error, size)))
		return EX_CONFIG;
	return providers_are_known(o, k, error, size) &&
	       add_words(p, "--provider", &o->providers, policy_provider, error, size) &&
	       add_words(p, "--client", &o->clients, policy_client, error, size) &&
	       add_words(p, "--mail-server", &o->servers, policy_server, error, size) &&
	       add_words(p, "--canary", &o->canaries, policy_canary, error, size) ? EX_OK : EX_USAGE;
}

static int read_all(const struct options *o, struct knowledge *k, char *error, size_t size)
{
	k->catalogue = catalogue_load(DATADIR "/catalogue", o->catalogues.of, o->catalogues.count, error, size);
	if (k->catalogue == NULL)
		return EX_CONFIG;
	k->asn = asn_open(o->asn_db, DATADIR, error, size);
	if (k->asn == NULL)
		return EX_CONFIG;
	k->finder = owner_finder_new(k->catalogue, k->asn);
	k->book = owner_book_of(k->finder);
	return read_policy(o, k, error, size);
}

int knowledge_read(const struct options *o, struct knowledge *k, char *error, size_t size)
{
	int status;

	*k = (struct knowledge){ 0 };
	status = read_all(o, k, error, size);
	if (status != EX_OK)
		knowledge_close(k);
	return status;
}

struct knowledge knowledge_open(const struct options *o)
{
	char error[512];
	struct knowledge k;
	int status = knowledge_read(o, &k, error, sizeof(error));

	if (status == EX_USAGE)
		options_misuse(error, "");
	if (status != EX_OK)
		command_fail(status, error);
	return k;
}

void knowledge_close(struct knowledge *k)
{
	policy_free(&k->policy);
	owner_finder_free(&k->finder);
	asn_close(&k->asn);
	catalogue_free(&k->catalogue);
}

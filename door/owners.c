/* What is asked of the catalogue and of a policy file, without a case. */
#include "door/command.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* What the catalogue says of a host name or an address, and why. */
static void print_owner(const struct owner_finder *finder, const char *word)
{
	struct owner_evidence evidence = { .sni = "", .dns_name = "", .dns_canonical = "", .certificate = "" };
	struct owner_tag tag;

	if (!host_of_text(word, evidence.address)) {
		evidence.sni = word;
		evidence.address[0] = 0x20; /* 2000::, global and nobody's: the name alone decides */
	}
	owner_tag(finder, &evidence, &tag);
	printf("%s\n  owner     %s (%s)\n", word, tag.owner, tag.title);
	if (tag.service[0] != '\0')
		printf("  service   %s\n", tag.service);
	printf("  role      %s%s\n", fact_role_name(tag.role), tag.setup ? ", account set-up" : "");
	if (tag.relay != RELAY_NO)
		printf("  relay     %s\n", fact_certainty_name(tag.relay));
	printf("  named by  %s, %s%s\n", fact_named_by_name(tag.named_by), fact_strength_name(tag.strength),
	       tag.ambiguous ? ", ambiguous" : "");
	if (tag.asn != 0)
		printf("  AS        %u %s\n", tag.asn, tag.as_org);
	if (tag.source[0] != '\0')
		printf("  source    %s\n", tag.source);
}

int command_owners(const struct options *o)
{
	struct knowledge k = knowledge_open(o);

	for (unsigned i = 0; i < o->files.count; i++)
		print_owner(k.finder, o->files.of[i]);
	knowledge_close(&k);
	return EX_OK;
}

int command_policy(const struct options *o)
{
	struct options checked = *o;
	struct knowledge k;

	if (o->files.count != 2 || strcmp(o->files.of[0], "check") != 0)
		options_misuse("policy check and one file are wanted", "");
	checked.policy = o->files.of[1];
	k = knowledge_open(&checked);
	printf("%s: ", checked.policy);
	policy_describe(k.policy, stdout);
	knowledge_close(&k);
	return EX_OK;
}

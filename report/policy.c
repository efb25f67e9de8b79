#include "report/policy_part.h"

#include "capture/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct policy *policy_new(void)
{
	return base_alloc(sizeof(struct policy));
}

static void words_free(struct word_list *list)
{
	for (unsigned i = 0; i < list->count; i++) {
		free(list->words[i].word);
		free(list->words[i].where);
	}
	free(list->words);
}

static void sts_free(struct policy_sts *sts)
{
	for (unsigned i = 0; i < sts->mx_count; i++)
		free(sts->mx[i]);
	free(sts->mx);
	free(sts->domain);
	free(sts->mode);
}

void policy_free(struct policy **p)
{
	if (*p == NULL)
		return;
	for (unsigned i = 0; i < (*p)->sts_count; i++)
		sts_free(&(*p)->sts[i]);
	free((*p)->sts);
	for (unsigned i = 0; i < (*p)->host_count; i++)
		words_free(&(*p)->hosts[i].providers);
	free((*p)->hosts);
	words_free(&(*p)->providers);
	words_free(&(*p)->expected);
	free((*p)->home.nets);
	free((*p)->wanted.nets);
	free((*p)->mail_servers.nets);
	free((*p)->expected_nets.nets);
	free(*p);
	*p = NULL;
}

void policy_words_add(struct word_list *list, const char *word, const char *where)
{
	list->words = base_realloc(list->words, (list->count + 1) * sizeof(*list->words));
	list->words[list->count++] = (struct policy_word){ base_strdup(word), base_strdup(where) };
}

bool policy_provider(struct policy *p, const char *word, char *error, size_t error_size)
{
	if (word[0] == '\0') {
		snprintf(error, error_size, "--provider: an owner of the catalogue or a domain is needed");
		return false;
	}
	policy_words_add(&p->providers, word, "--provider");
	return true;
}

bool policy_client(struct policy *p, const char *text, char *error, size_t error_size)
{
	struct net net;

	if (!net_parse(text, &net)) {
		snprintf(error, error_size,
			 "--client: %s is no address and no network in CIDR notation", text);
		return false;
	}
	net_list_add(&p->wanted, &net);
	return true;
}

bool policy_home(const struct policy *p, const uint8_t address[16])
{
	if (p->home.count > 0)
		return net_list_has(&p->home, address);
	return net_private(address) || net_link(address);
}

bool policy_foreign(const struct policy *p, const uint8_t address[16])
{
	return p->home.count > 0 && net_private(address) && !net_list_has(&p->home, address);
}

bool policy_wants(const struct policy *p, const uint8_t address[16])
{
	return p->wanted.count == 0 || net_list_has(&p->wanted, address);
}

bool policy_mail_server(const struct policy *p, const uint8_t address[16])
{
	return net_list_has(&p->mail_servers, address);
}

unsigned policy_providers(const struct policy *p, const uint8_t address[16],
			  const struct policy_word **words_out)
{
	const struct word_list *list = &p->providers;

	for (unsigned i = 0; i < p->host_count; i++) {
		if (net_has(&p->hosts[i].net, address)) {
			list = &p->hosts[i].providers;
			break;
		}
	}
	*words_out = list->words;
	return list->count;
}

unsigned policy_expected(const struct policy *p, const struct policy_word **words_out)
{
	*words_out = p->expected.words;
	return p->expected.count;
}

unsigned policy_sts(const struct policy *p, const struct policy_sts **sts_out)
{
	*sts_out = p->sts;
	return p->sts_count;
}

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

static void notify_free(struct policy_notify *notify)
{
	for (unsigned i = 0; i < notify->class_count; i++)
		free(notify->classes[i]);
	free(notify->classes);
	free(notify->to);
	free(notify->secret_file);
}

void policy_free(struct policy **p)
{
	if (*p == NULL)
		return;
	for (unsigned i = 0; i < (*p)->notify_count; i++)
		notify_free(&(*p)->notify[i]);
	free((*p)->notify);
	for (unsigned i = 0; i < (*p)->sts_count; i++)
		sts_free(&(*p)->sts[i]);
	free((*p)->sts);
	for (unsigned i = 0; i < (*p)->host_count; i++)
		words_free(&(*p)->hosts[i].providers);
	free((*p)->hosts);
	words_free(&(*p)->providers);
	words_free(&(*p)->expected);
	words_free(&(*p)->canaries);
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

static bool add_net(struct net_list *list, const char *option, const char *text, char *error, size_t error_size)
{
	struct net net;

	if (!net_parse(text, &net)) {
		snprintf(error, error_size, "%s: %s is no address and no network in CIDR notation", option, text);
		return false;
	}
	net_list_add(list, &net);
	return true;
}

bool policy_client(struct policy *p, const char *text, char *error, size_t error_size)
{
	return add_net(&p->wanted, "--client", text, error, error_size);
}

bool policy_server(struct policy *p, const char *text, char *error, size_t error_size)
{
	return add_net(&p->mail_servers, "--mail-server", text, error, error_size);
}

bool policy_canary(struct policy *p, const char *account, char *error, size_t error_size)
{
	if (account[0] == '\0') {
		snprintf(error, error_size, "--canary: the name of an account is needed");
		return false;
	}
	policy_words_add(&p->canaries, account, "--canary");
	return true;
}

bool policy_home(const struct policy *p, const uint8_t address[16])
{
	if (net_list_has(&p->mail_servers, address))
		return true;
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

unsigned policy_canaries(const struct policy *p, const struct policy_word **words_out)
{
	*words_out = p->canaries.words;
	return p->canaries.count;
}

unsigned policy_expected(const struct policy *p, const struct policy_word **words_out)
{
	*words_out = p->expected.words;
	return p->expected.count;
}

unsigned policy_notify(const struct policy *p, const struct policy_notify **notify_out)
{
	*notify_out = p->notify;
	return p->notify_count;
}

unsigned policy_sts(const struct policy *p, const struct policy_sts **sts_out)
{
	*sts_out = p->sts;
	return p->sts_count;
}

bool policy_expected_address(const struct policy *p, const uint8_t address[16])
{
	return net_list_has(&p->expected_nets, address);
}

static bool resolve(const struct word_list *list, const struct owner_book *book, char *error, size_t error_size)
{
	char owner[64];

	for (unsigned i = 0; i < list->count; i++) {
		if (!book->resolve(book->context, list->words[i].word, owner)) {
			snprintf(error, error_size, "%s: %s is no owner of the catalogue and no domain",
				 list->words[i].where, list->words[i].word);
			return false;
		}
	}
	return true;
}

bool policy_resolve(const struct policy *p, const struct owner_book *book, char *error, size_t error_size)
{
	for (unsigned i = 0; i < p->host_count; i++) {
		if (!resolve(&p->hosts[i].providers, book, error, error_size))
			return false;
	}
	return resolve(&p->providers, book, error, error_size) && resolve(&p->expected, book, error, error_size);
}

static void describe_count(FILE *out, const char *before, unsigned count, const char *what)
{
	fprintf(out, "%s%u %s%s", before, count, what, count == 1 ? "" : "s");
}

static void describe_words(FILE *out, const char *before, const struct word_list *list, const char *none)
{
	fprintf(out, "%s%s", before, list->count == 0 ? none : "");
	for (unsigned i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", list->words[i].word);
}

void policy_describe(const struct policy *p, FILE *out)
{
	if (p->home.count > 0)
		describe_count(out, "", p->home.count, "home network");
	else
		fputs("private networks are home", out);
	describe_count(out, "; ", p->mail_servers.count, "own mail server");
	describe_words(out, "; providers: ", &p->providers, "learnt");
	describe_count(out, "; ", p->host_count, "client line");
	describe_words(out, "; expected: ", &p->expected, "no owner");
	describe_count(out, " and ", p->expected_nets.count, "network");
	describe_count(out, "; MTA-STS: ", p->sts_count, "domain");
	putc('\n', out);
}

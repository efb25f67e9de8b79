/* policy_part.h - what a policy is made of: shared by policy.c and policy_yaml.c alone */
#ifndef REPORT_POLICY_PART_H
#define REPORT_POLICY_PART_H

#include "report/net.h"
#include "report/policy.h"

struct word_list {
	struct policy_word *words;
	unsigned count;
};

struct policy_host {
	struct net net;
	struct word_list providers;
};

struct policy {
	struct policy_sts *sts;
	unsigned sts_count;
	struct policy_notify *notify;
	unsigned notify_count;
	struct net_list home, wanted, mail_servers, expected_nets;
	struct word_list providers, expected, canaries;
	struct policy_host *hosts;
	unsigned host_count;
};

/* Copies both. */
void policy_words_add(struct word_list *list, const char *word, const char *where);

#endif

#include "report/judge_host.h"

#include "capture/base.h"
#include "capture/flow_key.h"
#include "report/key_set.h"

#include <stdlib.h>
#include <string.h>

struct host_table {
	struct key_set *addresses;	/* of hosts, in their order */
	struct key_set *routers;	/* cards: six bytes each */
	struct host *hosts;		/* in the order they were seen */
	unsigned count, size;
	const struct host **grouped;	/* by client */
	unsigned *first;		/* of each client, index in grouped; one more at the end */
	unsigned client_count;
};

struct host_table *host_table_new(void)
{
	struct host_table *t = base_alloc(sizeof(*t));

	t->addresses = key_set_new();
	t->routers = key_set_new();
	return t;
}

void host_table_free(struct host_table **t)
{
	if (*t == NULL)
		return;
	key_set_free(&(*t)->addresses);
	key_set_free(&(*t)->routers);
	free((*t)->hosts);
	free((*t)->grouped);
	free((*t)->first);
	free(*t);
	*t = NULL;
}

static struct host *add(struct host_table *t, const struct host_key *key, const struct host_sight *sight)
{
	if (t->count == t->size) {
		t->size = t->size > 0 ? t->size * 2 : 64;
		t->hosts = base_realloc(t->hosts, t->size * sizeof(*t->hosts));
	}
	t->hosts[t->count] = (struct host){
		.vantage = key->vantage, .first_ns = sight->first_ns, .last_ns = sight->last_ns, .first_flow = sight->flow,
	};
	memcpy(t->hosts[t->count].address, key->address, 16);
	return &t->hosts[t->count++];
}

void host_table_seen(struct host_table *t, const struct host_key *key, const struct host_sight *sight)
{
	unsigned number = key_set_add(t->addresses, key, sizeof(*key));
	struct host *host = number > t->count ? add(t, key, sight) : &t->hosts[number - 1];

	if (sight->first_ns < host->first_ns)
		host->first_ns = sight->first_ns;
	if (sight->last_ns > host->last_ns)
		host->last_ns = sight->last_ns;
	if (sight->flow < host->first_flow)
		host->first_flow = sight->flow;
	if (sight->mac == NULL)
		return;
	if (host->has_mac && memcmp(host->mac, sight->mac, 6) != 0)
		host->moved = true;
	if (host->has_mac && sight->flow < host->mac_flow)
		return;
	memcpy(host->mac, sight->mac, 6);
	host->mac_flow = sight->flow;
	host->has_mac = true;
}

void host_table_router(struct host_table *t, const uint8_t mac[6])
{
	key_set_add(t->routers, mac, 6);
}

static bool is_global_v6(const struct host *host)
{
	return (host->address[0] & 0xe0) == 0x20;	/* 2000::/3 (RFC 4291 section 2.4) */
}

static int by_card(const void *a, const void *b)
{
	const struct host *x = *(const struct host *const *)a, *y = *(const struct host *const *)b;
	bool x_card = x->has_mac && !x->moved, y_card = y->has_mac && !y->moved;

	if (x_card != y_card)
		return x_card ? -1 : 1;
	int cmp = x_card ? memcmp(x->mac, y->mac, 6) : 0;

	if (cmp == 0)
		cmp = x->vantage - y->vantage;
	return cmp != 0 ? cmp : memcmp(x->address, y->address, 16);
}

static bool same_card(const struct host *a, const struct host *b)
{
	return b->has_mac && !b->moved && a->vantage == b->vantage && memcmp(a->mac, b->mac, 6) == 0;
}

static bool is_one_client(const struct host *const *hosts, unsigned count)
{
	const struct host *v4 = NULL, *v6 = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (host_is_ipv4(hosts[i]->address)) {
			if (v4 != NULL)
				return false;
			v4 = hosts[i];
		} else if (is_global_v6(hosts[i])) {
			if (v6 != NULL && memcmp(v6->address, hosts[i]->address, 8) != 0)
				return false;
			v6 = hosts[i];
		}
	}
	return true;
}

/* Marks the hosts of one card with the number of the first of them, from 1. */
static void join(struct host **hosts, unsigned count)
{
	unsigned lowest = hosts[0]->client;

	if (!is_one_client((const struct host *const *)hosts, count))
		return;
	for (unsigned i = 1; i < count; i++) {
		if (hosts[i]->client < lowest)
			lowest = hosts[i]->client;
	}
	for (unsigned i = 0; i < count; i++)
		hosts[i]->client = lowest;
}

static int by_client(const void *a, const void *b)
{
	const struct host *x = *(const struct host *const *)a, *y = *(const struct host *const *)b;

	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	if (host_is_ipv4(x->address) != host_is_ipv4(y->address))
		return host_is_ipv4(x->address) ? -1 : 1;
	return memcmp(x->address, y->address, 16);
}

/* Those that have a number keep their place before all that are new. */
static int by_first_flow(const void *a, const void *b)
{
	const struct host *x = *(const struct host *const *)a, *y = *(const struct host *const *)b;

	if ((x->numbered == 0) != (y->numbered == 0))
		return x->numbered == 0 ? 1 : -1;
	if (x->numbered != y->numbered)
		return x->numbered < y->numbered ? -1 : 1;
	return (x->first_flow > y->first_flow) - (x->first_flow < y->first_flow);
}

/* Numbers hosts that stand client by client. Whether all that had a number keep it. */
static bool number_clients(struct host_table *t, struct host **hosts)
{
	bool kept = true;

	t->client_count = 0;
	for (unsigned i = 0, last = 0; i < t->count; i++) {
		if (hosts[i]->client != last) {
			last = hosts[i]->client;
			t->first[t->client_count++] = i;
		}
		kept = kept && (hosts[i]->numbered == 0 || hosts[i]->numbered == t->client_count);
		hosts[i]->is_new = hosts[i]->numbered == 0;
		hosts[i]->client = hosts[i]->numbered = t->client_count;
	}
	t->first[t->client_count] = t->count;
	return kept;
}

bool host_table_group(struct host_table *t)
{
	struct host **hosts = base_alloc_array(t->count, sizeof(*hosts));
	unsigned end;

	for (unsigned i = 0; i < t->count; i++)
		hosts[i] = &t->hosts[i];
	qsort(hosts, t->count, sizeof(*hosts), by_first_flow);
	for (unsigned i = 0; i < t->count; i++)
		hosts[i]->client = i + 1;
	qsort(hosts, t->count, sizeof(*hosts), by_card);
	for (unsigned i = 0; i < t->count && hosts[i]->has_mac && !hosts[i]->moved; i = end) {
		for (end = i + 1; end < t->count && same_card(hosts[i], hosts[end]); end++)
			;
		if (key_set_find(t->routers, hosts[i]->mac, 6) == 0)
			join(hosts + i, end - i);
	}
	qsort(hosts, t->count, sizeof(*hosts), by_client);
	free(t->grouped);
	t->grouped = (const struct host **)hosts;
	t->first = base_realloc(t->first, (t->count + 1) * sizeof(*t->first));
	return number_clients(t, hosts);
}

unsigned host_table_clients(const struct host_table *t)
{
	return t->client_count;
}

unsigned host_table_client(const struct host_table *t, const struct host_key *key)
{
	unsigned number = key_set_find(t->addresses, key, sizeof(*key));

	return number != 0 ? t->hosts[number - 1].client : 0;
}

bool host_table_has_more(const struct host_table *t, unsigned client)
{
	bool more = false;

	for (unsigned i = t->first[client - 1]; i < t->first[client]; i++)
		more = more || t->grouped[i]->is_new;
	return more;
}

unsigned host_table_addresses(const struct host_table *t, unsigned client, const struct host *const **hosts_out)
{
	*hosts_out = t->grouped + t->first[client - 1];
	return t->first[client] - t->first[client - 1];
}

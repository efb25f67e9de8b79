#include "report/judge_host.h"

#include "capture/base.h"
#include "capture/flow_key.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct host_table {
	void *tree;			/* tsearch: by address */
	void *routers;			/* tsearch: six bytes each */
	struct host **hosts;		/* owner; in the order they were seen */
	unsigned count, size;
	const struct host **grouped;	/* by client */
	unsigned *first;		/* of each client, index in grouped; one more at the end */
	unsigned client_count;
};

static int by_address(const void *a, const void *b)
{
	return memcmp(((const struct host *)a)->address, ((const struct host *)b)->address, 16);
}

struct host_table *host_table_new(void)
{
	return base_alloc(sizeof(struct host_table));
}

static void leave_alone(void *node)
{
	(void)node;
}

void host_table_free(struct host_table **t)
{
	if (*t == NULL)
		return;
	tdestroy((*t)->tree, leave_alone);
	tdestroy((*t)->routers, free);
	for (unsigned i = 0; i < (*t)->count; i++)
		free((*t)->hosts[i]);
	free((*t)->hosts);
	free((*t)->grouped);
	free((*t)->first);
	free(*t);
	*t = NULL;
}

static struct host *find(const struct host_table *t, const uint8_t address[16])
{
	struct host key;
	struct host *const *node;

	memcpy(key.address, address, 16);
	node = tfind(&key, &t->tree, by_address);
	return node != NULL ? *node : NULL;
}

void host_table_seen(struct host_table *t, const uint8_t address[16], const uint8_t *mac, int64_t first_ns,
		     int64_t last_ns)
{
	struct host *host = find(t, address);

	if (host == NULL) {
		host = base_alloc(sizeof(*host));
		memcpy(host->address, address, 16);
		host->first_ns = first_ns;
		host->last_ns = last_ns;
		tsearch(host, &t->tree, by_address);
		if (t->count == t->size) {
			t->size = t->size > 0 ? t->size * 2 : 64;
			t->hosts = base_realloc(t->hosts, t->size * sizeof(*t->hosts));
		}
		t->hosts[t->count++] = host;
	}
	if (first_ns < host->first_ns)
		host->first_ns = first_ns;
	if (last_ns > host->last_ns)
		host->last_ns = last_ns;
	if (mac == NULL)
		return;
	if (host->has_mac && memcmp(host->mac, mac, 6) != 0)
		host->moved = true;
	memcpy(host->mac, mac, 6);
	host->has_mac = true;
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

void host_table_router(struct host_table *t, const uint8_t mac[6])
{
	uint8_t *entry;

	if (tfind(mac, &t->routers, by_mac) != NULL)
		return;
	entry = base_alloc(6);
	memcpy(entry, mac, 6);
	tsearch(entry, &t->routers, by_mac);
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

	return cmp != 0 ? cmp : memcmp(x->address, y->address, 16);
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

unsigned host_table_group(struct host_table *t)
{
	struct host **hosts = base_alloc_array(t->count, sizeof(*hosts));
	unsigned end;

	for (unsigned i = 0; i < t->count; i++) {
		hosts[i] = t->hosts[i];
		hosts[i]->client = i + 1;
	}
	qsort(hosts, t->count, sizeof(*hosts), by_card);
	for (unsigned i = 0; i < t->count && hosts[i]->has_mac && !hosts[i]->moved; i = end) {
		for (end = i + 1; end < t->count && hosts[end]->has_mac && !hosts[end]->moved &&
		     memcmp(hosts[end]->mac, hosts[i]->mac, 6) == 0; end++)
			;
		if (tfind(hosts[i]->mac, &t->routers, by_mac) == NULL)
			join(hosts + i, end - i);
	}
	qsort(hosts, t->count, sizeof(*hosts), by_client);
	t->grouped = (const struct host **)hosts;
	t->first = base_alloc_array(t->count + 1, sizeof(*t->first));
	for (unsigned i = 0, last = 0; i < t->count; i++) {
		if (hosts[i]->client != last) {
			last = hosts[i]->client;
			t->first[t->client_count++] = i;
		}
		hosts[i]->client = t->client_count;
	}
	t->first[t->client_count] = t->count;
	return t->client_count;
}

unsigned host_table_client(const struct host_table *t, const uint8_t address[16])
{
	const struct host *host = find(t, address);

	return host != NULL ? host->client : 0;
}

unsigned host_table_addresses(const struct host_table *t, unsigned client, const struct host *const **hosts_out)
{
	*hosts_out = t->grouped + t->first[client - 1];
	return t->first[client] - t->first[client - 1];
}

#include "report/net.h"

#include "capture/base.h"
#include "capture/flow_key.h"

#include <stdlib.h>
#include <string.h>

bool net_parse(const char *text, struct net *net_out)
{
	char address[64], *slash, *end;
	struct net net = { .bits = 128 };
	unsigned offset = 0;

	if (!base_copy(address, sizeof(address), text))
		return false;
	slash = strchr(address, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!host_of_text(address, net.address))
		return false;
	if (strchr(address, ':') == NULL)
		offset = 96;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		unsigned long bits = strtoul(slash + 1, &end, 10);

		if (*end != '\0' || bits > 128 - offset)
			return false;
		net.bits = offset + (unsigned)bits;
	}
	*net_out = net;
	return true;
}

bool net_has(const struct net *net, const uint8_t address[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	return memcmp(net->address, address, whole) == 0 &&
	       (rest == 0 || ((net->address[whole] ^ address[whole]) >> (8 - rest)) == 0);
}

static bool any_has(const struct net *nets, size_t count, const uint8_t address[16])
{
	for (size_t i = 0; i < count; i++) {
		if (net_has(&nets[i], address))
			return true;
	}
	return false;
}

bool net_list_has(const struct net_list *list, const uint8_t address[16])
{
	return any_has(list->nets, list->count, address);
}

void net_list_add(struct net_list *list, const struct net *net)
{
	list->nets = base_realloc(list->nets, (list->count + 1) * sizeof(*list->nets));
	list->nets[list->count++] = *net;
}

/* IPv4 prefix lengths count from the mapped prefix. */
#define V4(a, b, bits) { { [10] = 0xff, 0xff, a, b }, 96 + (bits) }

static const struct net private_nets[] = {
	V4(10, 0, 8), V4(172, 16, 12), V4(192, 168, 16), V4(100, 64, 10), { { 0xfc }, 7 },
};

static const struct net link_nets[] = {
	V4(169, 254, 16), V4(127, 0, 8), { { 0xfe, 0x80 }, 10 }, { { [15] = 1 }, 128 },
};

bool net_private(const uint8_t address[16])
{
	return any_has(private_nets, sizeof(private_nets) / sizeof(private_nets[0]), address);
}

bool net_link(const uint8_t address[16])
{
	return any_has(link_nets, sizeof(link_nets) / sizeof(link_nets[0]), address);
}

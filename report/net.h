/* net.h - networks as the user writes them: addresses and prefixes in CIDR notation
 *
 * Thread: any. Memory: a list is its owner's, who frees `nets`. */
#ifndef REPORT_NET_H
#define REPORT_NET_H

#include <stdbool.h>
#include <stdint.h>

struct net {
	uint8_t address[16];
	unsigned bits;			/* an IPv4 prefix counts from the mapped prefix: 96 and more */
};

struct net_list {
	struct net *nets;
	unsigned count;
};

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. */
bool net_parse(const char *text, struct net *net_out);
bool net_has(const struct net *net, const uint8_t address[16]);

void net_list_add(struct net_list *list, const struct net *net);
bool net_list_has(const struct net_list *list, const uint8_t address[16]);

/* RFC 1918, RFC 6598, unique local. */
bool net_private(const uint8_t address[16]);
/* Link-local and loopback. */
bool net_link(const uint8_t address[16]);

#endif

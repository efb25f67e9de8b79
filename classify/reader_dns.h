/* reader_dns.h - reader's part for DNS and DHCP, whose messages are facts by themselves
 *
 * What a client asks on a DNS flow is also looked at for a tunnel. Thread: the worker's. */
#ifndef CLASSIFY_READER_DNS_H
#define CLASSIFY_READER_DNS_H

#include "classify/reader.h"

void reader_dns(const struct reader *r, struct flow *f, const struct packet *p);
void reader_dhcp(const struct reader *r, const struct flow *f, const struct packet *p);

/* DNS over TCP: bytes in order from one side. Returns how many were used. */
size_t reader_dns_stream(const struct reader *r, struct flow *f, enum fact_side side, struct bytes in,
			 int64_t time_ns, uint64_t frame);

#endif

/* tunnel.h - what carries others' traffic, told by its content or its port
 *
 * What runs inside cannot be seen, whoever the other end belongs to. libndpi 4.2 knows few of these
 * once they have begun. Thread: any. Memory: none. */
#ifndef CLASSIFY_TUNNEL_H
#define CLASSIFY_TUNNEL_H

#include "capture/packet.h"
#include "classify/watch.h"

/* TCP: SOCKS 4 and 5, OpenVPN. Makes the flow opaque and reads no further. */
extern const struct watch watch_tunnel;

/* A UDP datagram of WireGuard, IPsec, OpenVPN, L2TP or Teredo. */
bool tunnel_datagram(struct bytes datagram, uint16_t src_port, uint16_t dst_port);

/* What a client sent on a DNS flow, `wire_len` bytes of which these are the first, when it is more than a
 * question. Local servers also take updates and key exchanges (RFC 2136, RFC 3645). */
bool tunnel_dns(struct bytes message, uint32_t wire_len, bool server_local);

/* The same of a TCP stream of such messages, each behind its length. */
bool tunnel_dns_stream(struct bytes in, bool server_local);

/* A packet of another protocol than TCP and UDP: a tunnel that was not taken off, or an echo with more in it
 * than ping programs send. */
bool tunnel_packet(const struct packet *p);

#endif

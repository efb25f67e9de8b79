/* packet_layers.h - how the files of packet.c hand a frame to each other, one header at a time
 *
 * Each function reads its header from `in` and passes the rest on. Only packet*.c includes this.
 * Thread: none (a value on packet_decode's stack). Memory: borrows the frame. */
#ifndef CAPTURE_PACKET_LAYERS_H
#define CAPTURE_PACKET_LAYERS_H

#include "capture/bytes.h"
#include "capture/packet.h"

struct layers {
	struct packet *packet;
	struct packet_fragment *fragment;
	struct host_port src, dst;	/* of the innermost IP header so far */
	size_t missing;			/* bytes that the headers so far claim behind the end of `in` */
	unsigned nested;		/* headers below IP */
	bool too_deep;			/* PACKET_BAD is for the depth, and stands whatever lies outside */
};

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_TEB = 0x6558,		/* Ethernet in a tunnel */
	ETHERTYPE_CTAG = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_PPP = 0x880b,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE_SESSION = 0x8864,
	ETHERTYPE_STAG = 0x88a8,
	ETHERTYPE_ERSPAN = 0x88be,
	ETHERTYPE_ERSPAN3 = 0x22eb,
	ETHERTYPE_NSH = 0x894f,
	ETHERTYPE_NONE = 0xffff,	/* reserved: names nothing */
};

/* What to say when a header does not fit into what is left. */
static inline enum packet_kind layer_short(const struct layers *l)
{
	return l->missing > 0 ? PACKET_CUT : PACKET_BAD;
}

/* Narrows `in` to the n bytes that a header claims to follow. */
static inline void layer_claim(struct layers *l, struct bytes *in, size_t n)
{
	size_t left = bytes_left(in);

	l->missing = n > left ? n - left : 0;
	if (n < left)
		in->len = in->pos + n;
}

/* Counts a header below IP; false when there are too many. */
static inline bool layer_nest(struct layers *l)
{
	l->too_deep |= ++l->nested > PACKET_DEPTH;
	return !l->too_deep;
}

/* packet_link.c */
enum packet_kind layer_link(struct layers *l, struct bytes *in, uint32_t link_type);
enum packet_kind layer_ethernet(struct layers *l, struct bytes *in);
enum packet_kind layer_ethertype(struct layers *l, uint16_t type, struct bytes *in);
enum packet_kind layer_llc(struct layers *l, struct bytes *in);
/* The EtherType of a next protocol as RFC 8300 and VXLAN-GPE number them. */
uint16_t layer_next_protocol(uint8_t next);

/* packet_label.c */
enum packet_kind layer_mpls(struct layers *l, struct bytes *in);
enum packet_kind layer_macsec(struct layers *l, struct bytes *in);
enum packet_kind layer_pppoe(struct layers *l, struct bytes *in);
enum packet_kind layer_ppp(struct layers *l, struct bytes *in);

/* packet_host.c: link layers that only the capturing host makes */
enum packet_kind layer_sll(struct layers *l, struct bytes *in);
enum packet_kind layer_sll2(struct layers *l, struct bytes *in);
enum packet_kind layer_loopback(struct layers *l, struct bytes *in);
enum packet_kind layer_nflog(struct layers *l, struct bytes *in);
enum packet_kind layer_pflog(struct layers *l, struct bytes *in);
enum packet_kind layer_pktap(struct layers *l, struct bytes *in);

/* packet_radio.c */
enum packet_kind layer_80211(struct layers *l, struct bytes *in, bool padded);
enum packet_kind layer_radiotap(struct layers *l, struct bytes *in);
enum packet_kind layer_ppi(struct layers *l, struct bytes *in);
enum packet_kind layer_prism(struct layers *l, struct bytes *in);

/* packet_ip.c. layer_ip takes the version from the first byte. */
enum packet_kind layer_ip(struct layers *l, struct bytes *in);
enum packet_kind layer_ipv4(struct layers *l, struct bytes *in);
enum packet_kind layer_ipv6(struct layers *l, struct bytes *in);
enum packet_kind layer_ip_payload(struct layers *l, uint8_t proto, struct bytes *in);

/* packet_transport.c: the end of the way. layer_other is for what has no reader of its own. */
enum packet_kind layer_tcp(struct layers *l, struct bytes *in);
enum packet_kind layer_udp(struct layers *l, struct bytes *in);
enum packet_kind layer_ports(struct layers *l, uint8_t proto, struct bytes *in);
enum packet_kind layer_icmp(struct layers *l, uint8_t proto, struct bytes *in);
enum packet_kind layer_other(struct layers *l, uint8_t proto, struct bytes *in);

/* packet_tunnel.c. Into a tunnel: false when there are too many. */
bool layer_enter_tunnel(struct layers *l);
enum packet_kind layer_gre(struct layers *l, struct bytes *in);
enum packet_kind layer_etherip(struct layers *l, struct bytes *in);
/* The one of the two that is a UDP tunnel's, or 0. */
uint16_t layer_tunnel_port(uint16_t src_port, uint16_t dst_port);
/* False when the payload is no tunnel's; then *l is as it was. */
bool layer_udp_tunnel(struct layers *l, uint16_t port, struct bytes in,
		      enum packet_kind *kind_out);

#endif

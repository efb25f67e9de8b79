#include "capture/packet_layers.h"

#include <netinet/in.h>

/* Fills what every packet has. The payload is what `in` has left, and what is missing behind it. */
static enum packet_kind finish(struct layers *l, uint8_t proto, const struct bytes *in)
{
	struct packet *p = l->packet;

	p->payload = in->data + in->pos;
	p->payload_len = (uint32_t)bytes_left(in);
	p->payload_wire_len = (uint32_t)(bytes_left(in) + l->missing);
	p->dir = (uint8_t)flow_key_make(&p->key, &l->src, &l->dst, proto);
	return PACKET_IP;
}

static void no_tcp(struct packet *p)
{
	p->seq = 0;
	p->ack = 0;
	p->tcp_flags = 0;
}

enum packet_kind layer_tcp(struct layers *l, struct bytes *in)
{
	struct packet *p = l->packet;
	struct bytes header = bytes_sub(in, 20);

	if (header.bad)
		return layer_short(l);
	l->src.port = bytes_u16(&header);
	l->dst.port = bytes_u16(&header);
	p->seq = bytes_u32(&header);
	p->ack = bytes_u32(&header);

	size_t length = (size_t)(bytes_u8(&header) >> 4) * 4;

	p->tcp_flags = bytes_u8(&header) & 0x3f;
	if (length < 20 || length - 20 > bytes_left(in) + l->missing)
		return PACKET_BAD;

	/* Nothing in the options is needed: cut there, it is a packet without its payload. */
	size_t options = length - 20, left = bytes_left(in);

	if (options > left) {
		l->missing -= options - left;
		options = left;
	}
	bytes_skip(in, options);
	return finish(l, IPPROTO_TCP, in);
}

enum packet_kind layer_udp(struct layers *l, struct bytes *in)
{
	enum packet_kind kind;
	struct bytes header = bytes_sub(in, 8);

	if (header.bad)
		return layer_short(l);
	l->src.port = bytes_u16(&header);
	l->dst.port = bytes_u16(&header);

	uint16_t length = bytes_u16(&header);

	/* 0 is that of a jumbogram or of offloaded segments: IP's length stands. */
	if (length != 0 && length < 8)
		return PACKET_BAD;
	if (length != 0 && length - 8u < bytes_left(in) + l->missing)
		layer_claim(l, in, length - 8u);

	uint16_t tunnel = layer_tunnel_port(l->src.port, l->dst.port);

	if (tunnel != 0 && layer_udp_tunnel(l, tunnel, *in, &kind))
		return kind;
	no_tcp(l->packet);
	return finish(l, IPPROTO_UDP, in);
}

enum packet_kind layer_ports(struct layers *l, uint8_t proto, struct bytes *in)
{
	struct bytes ahead = *in;

	l->src.port = bytes_u16(&ahead);
	l->dst.port = bytes_u16(&ahead);
	if (ahead.bad)
		return layer_short(l);
	no_tcp(l->packet);
	return finish(l, proto, in);
}

enum packet_kind layer_icmp(struct layers *l, uint8_t proto, struct bytes *in)
{
	struct bytes ahead = *in;
	uint8_t type = bytes_u8(&ahead);
	uint8_t code = bytes_u8(&ahead);

	if (ahead.bad)
		return layer_short(l);
	flow_key_icmp_ports(proto, type, code, &l->src.port, &l->dst.port);
	no_tcp(l->packet);
	return finish(l, proto, in);
}

enum packet_kind layer_other(struct layers *l, uint8_t proto, struct bytes *in)
{
	l->src.port = 0;
	l->dst.port = 0;
	no_tcp(l->packet);
	return finish(l, proto, in);
}

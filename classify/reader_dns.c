#include "classify/reader_dns.h"

#include "classify/owner.h"
#include "classify/tunnel.h"

static struct dns_packet dns_packet_of(const struct flow *f, enum fact_side from, int64_t time_ns, uint64_t frame)
{
	bool from_hi = (from == SIDE_ORIGINATOR) == f->orig_is_hi;
	const struct host_port *src = from_hi ? &f->key.hi : &f->key.lo;
	const struct host_port *dst = from_hi ? &f->key.lo : &f->key.hi;
	struct dns_packet d = {
		.frame = frame, .time_ns = time_ns, .src_port = src->port, .dst_port = dst->port,
		.asked = f->packets[!from] > 0,
	};

	memcpy(d.src, src->addr, sizeof(d.src));
	memcpy(d.dst, dst->addr, sizeof(d.dst));
	return d;
}

static bool responder_is_local(const struct flow *f)
{
	return owner_address_local((f->orig_is_hi ? &f->key.lo : &f->key.hi)->addr);
}

void reader_dns(const struct reader *r, struct flow *f, const struct packet *p)
{
	struct bytes message = bytes_of(p->payload, p->payload_len);
	enum fact_side side = flow_side(f, p);
	struct dns_packet d = dns_packet_of(f, side, p->time_ns, p->frame);

	if (side == SIDE_ORIGINATOR && !f->opaque)
		f->opaque = tunnel_dns(message, p->payload_wire_len, responder_is_local(f));
	dns_message(message, &d, r->say, r->say_context);
}

void reader_dhcp(const struct reader *r, const struct flow *f, const struct packet *p)
{
	struct dns_packet d = dns_packet_of(f, flow_side(f, p), p->time_ns, p->frame);

	dhcp_message(bytes_of(p->payload, p->payload_len), &d, r->say, r->say_context);
}

size_t reader_dns_stream(const struct reader *r, struct flow *f, enum fact_side side, struct bytes in,
			 int64_t time_ns, uint64_t frame)
{
	struct dns_packet d = dns_packet_of(f, side, time_ns, frame);

	if (side == SIDE_ORIGINATOR && !f->opaque)
		f->opaque = tunnel_dns_stream(in, responder_is_local(f));
	return dns_tcp_feed(in, &d, r->say, r->say_context);
}

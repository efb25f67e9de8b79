#include "capture/packet.h"

#include "capture/packet_layers.h"

enum packet_kind packet_decode(const struct frame *frame, struct packet *packet_out,
			       struct packet_fragment *fragment_out)
{
	struct bytes in = bytes_of(frame->data, frame->caplen);
	struct layers l = { .packet = packet_out, .fragment = fragment_out };

	if (frame->wire_len > frame->caplen)
		l.missing = frame->wire_len - frame->caplen;
	packet_out->time_ns = frame->time_ns;
	packet_out->frame = frame->id;
	packet_out->wire_len = frame->wire_len;
	packet_out->pid = frame->pid;
	packet_out->fragments = 1;
	packet_out->vlan = 0;
	packet_out->tunnels = 0;
	packet_out->has_mac = false;
	memset(packet_out->mac_src, 0, sizeof(packet_out->mac_src));
	memset(packet_out->mac_dst, 0, sizeof(packet_out->mac_dst));
	return layer_link(&l, &in, frame->link_type);
}

enum packet_kind packet_decode_payload(const struct packet_fragment *fragment, const uint8_t *data,
				       uint32_t len, struct packet *packet_inout,
				       struct packet_fragment *fragment_out)
{
	struct bytes in = bytes_of(data, len);
	struct layers l = { .packet = packet_inout, .fragment = fragment_out };

	memcpy(l.src.addr, fragment->src, sizeof(l.src.addr));
	memcpy(l.dst.addr, fragment->dst, sizeof(l.dst.addr));
	return layer_ip_payload(&l, fragment->proto, &in);
}

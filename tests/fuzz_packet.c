/* Frames one after the other, each with its link type: no answer leads outside its frame, and what
 * fragments complete is decoded in turn. */
#include "capture/fragment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const uint8_t *data, size_t size, const uint8_t *part, uint32_t len)
{
	if (part < data || len > size || (size_t)(part - data) > size - len)
		abort();
}

/* Decodes what a fragment completes, and what stands in it. */
static void put_together(struct fragment_table *t, struct packet_fragment fragment, struct packet *p)
{
	enum packet_kind kind = PACKET_FRAGMENT;
	uint8_t *held[PACKET_DEPTH + 2];
	unsigned count = 0;
	uint32_t len;

	while (kind == PACKET_FRAGMENT && count < sizeof(held) / sizeof(held[0]) &&
	       fragment_add(t, &fragment, p, &held[count], &len, &p->fragments, &p->wire_len)) {
		struct packet_fragment next;

		kind = packet_decode_payload(&fragment, held[count], len, p, &next);
		if (kind == PACKET_IP)
			inside(held[count], len, p->payload, p->payload_len);
		count++;
		fragment = next;
	}
	while (count > 0)
		free(held[--count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fragment_table *t = fragment_table_new(1, NULL, NULL);

	/* Frames follow each other: link type, length, bytes. */
	while (size > 3) {
		uint16_t link = (uint16_t)(data[0] << 8 | data[1]);
		uint32_t len = data[2] < size - 3 ? data[2] : (uint32_t)(size - 3);
		struct frame frame = {
			.id = 1, .data = data + 3, .caplen = len, .wire_len = len + (link >> 12),
			.link_type = link & 0x1ff,
		};
		struct packet p;
		struct packet_fragment f;
		enum packet_kind kind = packet_decode(&frame, &p, &f);

		if (kind == PACKET_IP)
			inside(frame.data, frame.caplen, p.payload, p.payload_len);
		if (kind == PACKET_FRAGMENT) {
			inside(frame.data, frame.caplen, f.data, f.len);
			put_together(t, f, &p);
		}
		data += 3 + len;
		size -= 3 + len;
	}
	fragment_table_free(&t);
	return 0;
}

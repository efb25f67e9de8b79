/* fragment.h - IPv4 and IPv6 datagrams put together from fragments in any order
 *
 * Overlaps: the first bytes to come win, as they do in Linux and in Wireshark's default; a datagram
 * whose fragments disagree on its length is dropped and counted. RFC 791, RFC 8200 section 4.5.
 *
 * Thread: one table belongs to one thread. Time: packet time; a datagram waits FRAGMENT_WAIT_NS.
 * Memory: at most FRAGMENT_DATAGRAMS datagrams and FRAGMENT_BYTES bytes; the oldest go first. */
#ifndef CAPTURE_FRAGMENT_H
#define CAPTURE_FRAGMENT_H

#include "capture/packet.h"

#define FRAGMENT_WAIT_NS (30 * 1000000000LL)
#ifndef FRAGMENT_BYTES
#define FRAGMENT_DATAGRAMS 4096
#define FRAGMENT_BYTES (16u << 20)
#endif
#define FRAGMENT_PARTS 1024	/* parts a datagram may come in; 65535 / 64 */

struct fragment_table;

/* What never became a datagram (timed out, pushed out, contradictory, cut): for loss facts. */
struct fragment_loss {
	uint64_t first_frame, last_frame;
	int64_t time_ns;
	uint8_t src[16], dst[16];
	uint32_t parts;
	uint32_t bytes;
};
typedef void fragment_lost(void *context, const struct fragment_loss *loss);

struct fragment_table *fragment_table_new(uint64_t seed, fragment_lost *lost, void *context);
void fragment_table_free(struct fragment_table **t);

/* Takes in a fragment. True when its datagram is whole: *data_out[*len_out] is the payload, which is
 * the caller's to free(); *parts_out is how many frames it came in, *wire_out their wire_len summed.
 * `packet` has the frame's time, id and wire_len. */
bool fragment_add(struct fragment_table *t, const struct packet_fragment *fragment,
		  const struct packet *packet, uint8_t **data_out, uint32_t *len_out,
		  uint16_t *parts_out, uint32_t *wire_out);

/* Gives up what waited too long at now_ns; INT64_MAX gives up all. */
void fragment_expire(struct fragment_table *t, int64_t now_ns);

#endif

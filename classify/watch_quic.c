#include "classify/watch_quic.h"

#include "capture/base.h"
#include "classify/quic_crypto.h"
#include "classify/watch_tls.h"

#include <stdlib.h>
#include <string.h>

#define LONG_HEADER 0x80	/* RFC 9000 section 17.2 */
#define FIXED_BIT 0x40
#define SHORT_PACKET_MIN 21	/* RFC 9000 section 10.3: anything shorter is no 1-RTT packet */
#define NUMBER_MAX 4		/* bytes of a packet number */
#define ALERT_BASE 0x100	/* RFC 9001 section 4.8: CRYPTO_ERROR is this plus the alert */

enum packet_type { QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE, QUIC_RETRY };

enum frame_type {		/* RFC 9000 section 19; all that an Initial may hold */
	FRAME_PADDING = 0, FRAME_PING = 1, FRAME_ACK = 2, FRAME_ACK_ECN = 3, FRAME_CRYPTO = 6,
	FRAME_CLOSE = 0x1c,
};

/* The bytes of one side's CRYPTO frames; of overlapping ones the first to come win. Fragments of a
 * ClientHello may be as short as a byte and in any order, so a map instead of a list of holes. */
struct crypto {
	uint8_t *data;
	size_t size;
	size_t start;			/* of the message being waited for */
	size_t ready;			/* all bytes before are there */
	uint8_t have[QUIC_CRYPTO_MAX / 8];
};

struct quic {
	bool client_known;
	enum fact_side client;
	uint8_t id[QUIC_ID_MAX];	/* the Destination Connection ID that the keys follow from */
	size_t id_len;
	unsigned initials[2];		/* opened or tried, by side */
	unsigned strangers;		/* datagrams before anything could be opened */
	struct crypto *crypto[2];	/* by side; NULL when nothing came or all was read */
	bool client_read, server_read;
	bool short_seen[2];
};

/* A packet with a long header. */
struct packet_header {
	uint32_t version;
	enum packet_type type;
	struct bytes id;		/* Destination Connection ID */
	size_t number_at;		/* where the packet number begins */
	struct bytes whole;		/* the packet */
};

static uint64_t varint(struct bytes *b)	/* RFC 9000 section 16 */
{
	uint8_t first = bytes_u8(b);
	uint64_t value = first & 0x3f;

	for (unsigned more = (1u << (first >> 6)) - 1; more > 0; more--)
		value = value << 8 | bytes_u8(b);
	return b->bad ? 0 : value;
}

static enum packet_type packet_type(uint8_t first, uint32_t version)
{
	unsigned bits = first >> 4 & 3;

	/* RFC 9369 section 3.2 turns the types by one. */
	return (enum packet_type)(version == QUIC_V2 ? (bits + 3) & 3 : bits);
}

/* Reads the header of the next packet and moves behind the packet. False when there is none that can
 * be read; what follows it in the datagram cannot be found then either. */
static bool next_packet(struct bytes *in, struct packet_header *out)
{
	struct bytes at = *in;
	uint8_t first = bytes_u8(&at);

	out->version = bytes_u32(&at);
	out->type = packet_type(first, out->version);
	out->id = bytes_sub(&at, bytes_u8(&at));
	bytes_skip(&at, bytes_u8(&at));
	if (at.bad || bytes_left(&out->id) > QUIC_ID_MAX || !quic_version_known(out->version) ||
	    out->type == QUIC_RETRY)
		return false;
	if (out->type == QUIC_INITIAL)
		bytes_skip(&at, varint(&at));	/* token */

	uint64_t len = varint(&at);

	if (at.bad || len > bytes_left(&at))
		return false;
	out->number_at = at.pos - in->pos;
	out->whole = bytes_sub(in, out->number_at + len);
	return true;
}

bool quic_recognise(struct bytes datagram)
{
	struct packet_header packet;
	struct bytes first = datagram;

	return (bytes_u8(&first) & (LONG_HEADER | FIXED_BIT)) == (LONG_HEADER | FIXED_BIT) &&
	       next_packet(&datagram, &packet) && packet.type == QUIC_INITIAL;
}

struct quic *quic_new(void)
{
	return base_alloc(sizeof(struct quic));
}

static void drop_crypto(struct quic *q, enum fact_side side)
{
	if (q->crypto[side] != NULL)
		free(q->crypto[side]->data);
	free(q->crypto[side]);
	q->crypto[side] = NULL;
}

void quic_free(struct quic **q)
{
	if (*q == NULL)
		return;
	drop_crypto(*q, SIDE_ORIGINATOR);
	drop_crypto(*q, SIDE_RESPONDER);
	free(*q);
	*q = NULL;
}

size_t quic_memory(const struct quic *q)
{
	size_t n = sizeof(*q);

	for (int side = 0; side < 2; side++)
		if (q->crypto[side] != NULL)
			n += sizeof(*q->crypto[side]) + q->crypto[side]->size;
	return n;
}

static void keep_crypto(struct quic *q, enum fact_side from, uint64_t offset, struct bytes data)
{
	struct crypto *c = q->crypto[from];
	size_t n = bytes_left(&data);

	if (n == 0 || offset > QUIC_CRYPTO_MAX || n > QUIC_CRYPTO_MAX - offset)
		return;
	if (c == NULL)
		c = q->crypto[from] = base_alloc(sizeof(*c));
	if (offset + n > c->size) {
		c->size = offset + n;
		c->data = base_realloc(c->data, c->size);
	}
	for (size_t i = offset; i < offset + n; i++) {
		uint8_t byte = bytes_u8(&data), bit = (uint8_t)(1u << i % 8);

		if ((c->have[i / 8] & bit) == 0)
			c->data[i] = byte;
		c->have[i / 8] |= bit;
	}
	while (c->ready < c->size && (c->have[c->ready / 8] & 1u << c->ready % 8) != 0)
		c->ready++;
}

static void skip_ack(struct bytes *in, bool with_ecn)
{
	varint(in);			/* largest acknowledged */
	varint(in);			/* delay */

	uint64_t ranges = varint(in);

	varint(in);			/* first range */
	for (; ranges > 0 && !in->bad; ranges--) {
		varint(in);
		varint(in);
	}
	for (unsigned i = 0; with_ecn && i < 3; i++)
		varint(in);
}

/* The frames of an opened Initial; RFC 9000 section 17.2.2 allows no others. */
static void read_frames(struct quic *q, enum fact_side from, struct bytes in, struct fact_handshake *h)
{
	while (bytes_left(&in) > 0) {
		uint64_t type = varint(&in), offset, error;
		struct bytes data;

		switch (type) {
		case FRAME_PADDING:
		case FRAME_PING:
			break;
		case FRAME_ACK:
		case FRAME_ACK_ECN:
			skip_ack(&in, type == FRAME_ACK_ECN);
			break;
		case FRAME_CRYPTO:
			offset = varint(&in);
			data = bytes_sub(&in, varint(&in));
			if (!data.bad && !(from == q->client ? q->client_read : q->server_read))
				keep_crypto(q, from, offset, data);
			break;
		case FRAME_CLOSE:
			error = varint(&in);
			if (!in.bad && error >= ALERT_BASE && error < ALERT_BASE + 256) {
				h->alert_in_clear = true;
				h->alert_from = (uint8_t)from;
				h->alert = (uint8_t)(error - ALERT_BASE);
			}
			return;
		default:
			return;
		}
	}
}

/* Takes the protection off an Initial and returns its frames, the caller's to free(), or NULL. */
static uint8_t *open_packet(const struct packet_header *packet, const struct quic_keys *keys,
			    size_t *len_out)
{
	struct bytes whole = packet->whole;
	size_t total = bytes_left(&whole), header_len;
	uint8_t mask[QUIC_MASK_SIZE], sample[QUIC_SAMPLE_SIZE];
	struct bytes at = whole;
	uint64_t number = 0;

	bytes_skip(&at, packet->number_at + NUMBER_MAX);	/* RFC 9001 section 5.4.2 */
	bytes_copy(&at, sample, sizeof(sample));
	if (at.bad || !quic_mask(keys, sample, mask))
		return NULL;

	/* The header as it was before protection, and behind it room for what it protects. */
	uint8_t *clear = base_alloc(total);

	header_len = packet->number_at + NUMBER_MAX;
	bytes_copy(&whole, clear, header_len);
	clear[0] ^= mask[0] & 0x0f;
	header_len = packet->number_at + (clear[0] & 3u) + 1;
	for (size_t i = packet->number_at; i < header_len; i++) {
		clear[i] ^= mask[1 + i - packet->number_at];
		/* Initials are the first packets: their numbers are not yet cut. */
		number = number << 8 | clear[i];
	}
	at = packet->whole;
	bytes_skip(&at, header_len);

	size_t sealed = bytes_left(&at);
	uint8_t *frames = base_alloc(sealed);

	if (!quic_open(keys, number, clear, header_len, bytes_take(&at, sealed), sealed, frames)) {
		free(frames);
		frames = NULL;
	}
	free(clear);
	*len_out = frames == NULL ? 0 : sealed - QUIC_TAG_SIZE;
	return frames;
}

static uint8_t *try_open(const struct packet_header *packet, const uint8_t *id, size_t id_len, bool server,
			 size_t *len_out)
{
	struct quic_keys keys;

	if (!quic_keys_make(packet->version, id, id_len, server, &keys))
		return NULL;
	return open_packet(packet, &keys, len_out);
}

/* A client begins, or begins again after Retry or Version Negotiation: the keys follow from this
 * packet's id. */
static void begin(struct quic *q, enum fact_side client, const struct packet_header *packet,
		  struct watch_facts *facts)
{
	struct bytes id = packet->id;

	q->client_known = true;
	q->client = client;
	q->id_len = bytes_left(&id);
	bytes_copy(&id, q->id, q->id_len);
	drop_crypto(q, SIDE_ORIGINATOR);
	drop_crypto(q, SIDE_RESPONDER);
	if (client == SIDE_RESPONDER)
		facts->flip = true;
}

static void read_initial(struct quic *q, enum fact_side from, const struct packet_header *packet,
			 struct watch_facts *facts)
{
	size_t len = 0;
	uint8_t *frames = NULL;

	if (q->initials[from]++ >= QUIC_DATAGRAMS_MAX)
		return;
	if (q->client_known)
		frames = try_open(packet, q->id, q->id_len, from != q->client, &len);
	if (frames == NULL && (!q->client_known || from == q->client)) {
		struct bytes id = packet->id;
		size_t id_len = bytes_left(&id);

		frames = try_open(packet, bytes_take(&id, id_len), id_len, false, &len);
		if (frames != NULL)
			begin(q, from, packet, facts);
	}
	if (frames == NULL)
		return;
	facts->handshake.quic = true;
	/* The server's choice counts (RFC 9368 section 2.3). */
	if (facts->handshake.quic_version == 0 || from != q->client || !q->server_read)
		facts->handshake.quic_version = packet->version;
	read_frames(q, from, bytes_of(frames, len), &facts->handshake);
	free(frames);
}

static void read_client_hello(struct quic *q, uint64_t frame, struct watch_facts *facts)
{
	const struct crypto *c = q->crypto[q->client];

	if (q->client_read || c == NULL ||
	    tls_client_hello(bytes_of(c->data, c->ready), &facts->handshake) == PARSE_MORE)
		return;
	q->client_read = true;
	facts->has_handshake = true;
	facts->handshake.frame = frame;
	drop_crypto(q, q->client);
}

static void read_server_hello(struct quic *q, uint64_t frame, struct watch_facts *facts)
{
	enum fact_side server = q->client == SIDE_ORIGINATOR ? SIDE_RESPONDER : SIDE_ORIGINATOR;
	struct crypto *c = q->crypto[server];
	bool retry = true;

	while (!q->server_read && c != NULL && retry) {
		struct bytes message = bytes_of(c->data, c->ready);

		bytes_skip(&message, c->start);
		if (tls_server_hello(message, &facts->handshake, &retry) != PARSE_OK)
			return;
		bytes_skip(&message, 1);
		c->start += 4 + bytes_u24(&message);
		if (retry)
			continue;
		q->server_read = true;
		facts->handshake.server_frame = frame;
		drop_crypto(q, server);
		return;
	}
}

enum watch_answer quic_feed(struct quic *q, enum fact_side from, struct bytes datagram, uint64_t frame,
			    struct watch_facts *facts)
{
	struct packet_header packet;

	while (bytes_left(&datagram) > 0) {
		uint8_t first = datagram.data[datagram.pos];

		if ((first & LONG_HEADER) == 0) {
			if ((first & FIXED_BIT) != 0 && bytes_left(&datagram) >= SHORT_PACKET_MIN)
				q->short_seen[from] = true;
			break;
		}
		if (!next_packet(&datagram, &packet))
			break;
		if (packet.type == QUIC_INITIAL)
			read_initial(q, from, &packet, facts);
	}
	if (!q->client_known)
		return ++q->strangers < QUIC_DATAGRAMS_MAX ? WATCH_MORE : WATCH_BAD;
	read_client_hello(q, frame, facts);
	read_server_hello(q, frame, facts);
	facts->handshake.completed = q->client_read && q->short_seen[SIDE_ORIGINATOR] &&
				     q->short_seen[SIDE_RESPONDER];
	if (facts->handshake.completed || facts->handshake.alert_in_clear ||
	    (!q->client_read && q->initials[q->client] >= QUIC_DATAGRAMS_MAX))
		return WATCH_DONE;
	return WATCH_MORE;
}

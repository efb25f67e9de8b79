/* What is kept of a mail dialogue shows no four bytes of a password, however it is said, cut, lost or said again.
 *
 * Bytes of the server first; 0x1e hands over to the other side, 0x1f ends a packet, 0x1d loses it, 0x1c sends it twice.
 * Of the client, 0x1b stands for the password and 0x1a for its base64, up to where TLS begins. */
#include "capture/base.h"
#include "classify/flow_table.h"
#include "classify/keep.h"
#include "classify/reader.h"

#include <netinet/in.h>
#include <stdlib.h>

#define HEAD 54
#define PACKET_MAX 4096
#define SECRET "xyzzy-plugh-42"
#define SECRET_BASE64 "eHl6enktcGx1Z2gtNDI="
#define PART 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talk {
	struct flow_table *flows;
	struct flow *flow;
	struct reader reader;
	uint32_t seq[2];
	uint64_t frame;
	uint8_t bytes[HEAD + PACKET_MAX];
	size_t len;			/* of the packet at hand */
	bool server;
};

static bool has_part(const uint8_t *data, size_t n, const char *secret)
{
	for (size_t i = 0; i + PART <= strlen(secret); i++)
		if (memmem(data, n, secret + i, PART) != NULL)
			return true;
	return false;
}

static bool tells(const uint8_t *data, size_t n)
{
	return has_part(data, n, SECRET) || has_part(data, n, SECRET_BASE64);
}

static void take(void *context, const struct fact_packet *piece)
{
	const struct flow *f = context;

	/* What begins as TLS does, and not in a mail dialogue, is nobody's words. */
	if (f->facts != NULL && f->facts->has_mail && tells(piece->data, piece->len))
		abort();
}

static void ignore_name(void *context, const struct fact *fact)
{
	(void)context;
	(void)fact;
}

static void send_packet(struct talk *t, uint8_t flags, uint32_t seq)
{
	struct host_port client = { .addr = { [15] = 1 }, .port = 40000 }, server = { .addr = { [15] = 2 }, .port = 143 };
	struct packet p = {
		.frame = ++t->frame, .time_ns = BASE_NS_PER_S + (int64_t)t->frame, .fragments = 1, .tcp_flags = flags, .head_len = HEAD,
		.payload = t->bytes + HEAD, .payload_len = (uint32_t)t->len, .payload_wire_len = (uint32_t)t->len,
		.wire_len = (uint32_t)(HEAD + t->len), .seq = seq, .ack = t->seq[!t->server],
	};

	p.dir = (uint8_t)flow_key_make(&p.key, t->server ? &server : &client, t->server ? &client : &server, IPPROTO_TCP);
	if (t->flow == NULL) {
		t->flow = flow_table_add(t->flows, &p.key, 1);
		flow_begin(t->flow, &p);
	}
	flow_count(t->flow, &p);
	reader_packet(&t->reader, t->flow, &p);
	keep_packet(t->flow, &p, take, t->flow);
}

static void begin(struct talk *t)
{
	t->len = 0;
	t->server = false;
	send_packet(t, TCP_SYN, t->seq[0]++);
	t->server = true;
	send_packet(t, TCP_SYN | TCP_ACK, t->seq[1]++);
}

/* Whether a client may say a secret here: not within what TLS hides. */
static bool in_clear(const struct talk *t)
{
	const struct watch_facts *facts = t->flow->facts;
	size_t other = 0;

	for (size_t i = 0; i < t->len; i++) {
		uint8_t c = t->bytes[HEAD + i];

		if (c >= 20 && c <= 23)
			return false;
		other += c < ' ' || c >= 0x7f;
	}
	return !t->server && other * 16 <= t->len && (facts == NULL || !facts->sealed[SIDE_ORIGINATOR]);
}

static void put(struct talk *t, const char *text)
{
	size_t n = strlen(text);

	if (!in_clear(t) || t->len + n > PACKET_MAX)
		return;
	memcpy(t->bytes + HEAD + t->len, text, n);
	t->len += n;
	/* Behind STARTTLS it stands in a line: else it might be a part of what is encrypted. */
	if (t->flow->facts != NULL && t->flow->facts->mail.starttls_asked && t->len < PACKET_MAX)
		t->bytes[HEAD + t->len++] = '\n';
}

static void end_packet(struct talk *t, uint8_t how)
{
	uint32_t seq = t->seq[t->server];

	if (t->len > 0 && how != 0x1d)
		send_packet(t, TCP_ACK | TCP_PSH, seq);
	if (t->len > 0 && how == 0x1c)
		send_packet(t, TCP_ACK | TCP_PSH, seq);
	t->seq[t->server] += (uint32_t)t->len;
	t->len = 0;
	t->server = t->server != (how == 0x1e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk t;

	if (t.flows == NULL) {
		t.flows = flow_table_new(4);
		t.reader = (struct reader){ .dpi = dpi_new(), .say = ignore_name };
	}
	if (tells(data, size))
		return 0;
	t.seq[0] = t.seq[1] = 1000;
	t.frame = 0;
	begin(&t);
	for (size_t i = 0; i < size; i++) {
		if (data[i] >= 0x1c && data[i] <= 0x1f)
			end_packet(&t, data[i]);
		else if (data[i] == 0x1b)
			put(&t, SECRET);
		else if (data[i] == 0x1a)
			put(&t, SECRET_BASE64);
		else if (t.len < PACKET_MAX)
			t.bytes[HEAD + t.len++] = data[i];
	}
	end_packet(&t, 0x1f);
	reader_end(&t.reader, t.flow);
	keep_free(t.flow);
	reader_free(t.flow);
	flow_table_remove(t.flows, t.flow);
	t.flow = NULL;
	return 0;
}

/* load.c - makes one large capture of many small ones, for `make bench`
 *
 * usage: load OUT.pcap PACKETS CAPTURE...      says: packets, flows, bytes a packet
 *
 * Reads Ethernet captures whole, then writes them again and again as if HOSTS computers did it: each copy
 * has other addresses and ports for its private and documentation hosts, so it is a set of flows of its
 * own. LANES copies are interleaved packet by packet as on a busy mirror port. A capture named twice
 * comes twice as often. Checksums are left as they are: readers have to live with offload. */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES 64
#define HOSTS 4096
#define STEP_US 200		/* between two packets: 5000 a second, a busy office */

struct packet {
	uint32_t caplen, len;
	uint8_t *data;
	bool begins;			/* a flow: none before has its addresses and ports */
};

struct template {
	struct packet *packets;
	unsigned count;
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static bool is_ipv4(const struct packet *p)
{
	return p->caplen >= 38 && p->data[12] == 8 && p->data[13] == 0 && p->data[14] == 0x45;
}

/* Whether two packets are of one flow: protocol, addresses and ports, either way round. */
static bool same_flow(const struct packet *a, const struct packet *b)
{
	const uint8_t *x = a->data + 26, *y = b->data + 26;

	if (!is_ipv4(a) || !is_ipv4(b) || a->data[23] != b->data[23])
		return false;
	return memcmp(x, y, 12) == 0 || (memcmp(x, y + 4, 4) == 0 && memcmp(x + 4, y, 4) == 0 &&
					 memcmp(x + 8, y + 10, 2) == 0 && memcmp(x + 10, y + 8, 2) == 0);
}

/* What is no plain IPv4 keeps its addresses in every copy, and begins nothing. */
static bool begins_flow(const struct template *t, const struct packet *p)
{
	for (unsigned i = 0; i < t->count; i++)
		if (same_flow(&t->packets[i], p))
			return false;
	return is_ipv4(p);
}

static struct template read_template(const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	struct template t = { 0 };
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = pcap_open_offline(path, error);

	if (p == NULL)
		die(path, error);
	if (pcap_datalink(p) != DLT_EN10MB)
		die(path, "not Ethernet");
	while (pcap_next_ex(p, &h, &data) == 1) {
		t.packets = realloc(t.packets, (t.count + 1) * sizeof(t.packets[0]));
		struct packet p = { .caplen = h->caplen, .len = h->len, .data = malloc(h->caplen) };

		memcpy(p.data, data, h->caplen);
		p.begins = begins_flow(&t, &p);
		t.packets[t.count++] = p;
	}
	pcap_close(p);
	return t;
}

/* Private (RFC 1918) and documentation (RFC 5737) addresses become hosts of 10/8: the copy's host and
 * three bits of the old address. Their own ports move on each time the host's turn comes again. */
static void move_host(uint8_t *addr, uint8_t *port, uint32_t copy)
{
	bool local = (addr[0] == 192 && addr[1] == 168) || addr[0] == 10 ||
		     (addr[0] == 172 && addr[1] >> 4 == 1) ||
		     (addr[0] == 192 && addr[1] == 0 && addr[2] == 2);
	uint32_t host = (copy % HOSTS) << 3 | (addr[3] & 7);
	uint32_t number = (uint32_t)port[0] << 8 | port[1];

	if (!local)
		return;
	addr[0] = 10;
	addr[1] = (uint8_t)(host >> 16);
	addr[2] = (uint8_t)(host >> 8);
	addr[3] = (uint8_t)host;
	if (number < 32768)
		return;
	number = 32768 + (number + copy / HOSTS * 97) % 32768;
	port[0] = (uint8_t)(number >> 8);
	port[1] = (uint8_t)number;
}

static void write_packet(FILE *out, const struct packet *p, uint32_t copy, uint64_t us)
{
	uint8_t frame[65536];
	uint32_t header[4] = { 1760000000 + (uint32_t)(us / 1000000), (uint32_t)(us % 1000000),
			       p->caplen, p->len };

	memcpy(frame, p->data, p->caplen);
	if (is_ipv4(p)) {
		move_host(frame + 26, frame + 34, copy);
		move_host(frame + 30, frame + 36, copy);
	}
	fwrite(header, sizeof(header), 1, out);
	fwrite(frame, p->caplen, 1, out);
}

int main(int argc, char **argv)
{
	const uint32_t header[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
	struct { unsigned template, next; uint32_t copy; } lanes[LANES];
	struct template *templates;
	unsigned count = (unsigned)(argc - 3);
	uint64_t want, written = 0, flows = 0, bytes = 0;
	uint32_t copies = 0;
	FILE *out;

	if (argc < 4)
		die("usage", "load OUT.pcap PACKETS CAPTURE...");
	want = strtoull(argv[2], NULL, 10);
	templates = calloc(count, sizeof(templates[0]));
	for (unsigned i = 0; i < count; i++)
		templates[i] = read_template(argv[i + 3]);
	out = fopen(argv[1], "wb");
	if (out == NULL)
		die(argv[1], "cannot be written");
	setvbuf(out, NULL, _IOFBF, 1 << 20);
	fwrite(header, sizeof(header), 1, out);
	for (unsigned i = 0; i < LANES; i++, copies++) {
		lanes[i].template = copies % count;
		lanes[i].next = 0;
		lanes[i].copy = copies;
	}
	for (unsigned i = 0; written < want; i = (i + 1) % LANES) {
		const struct template *t = &templates[lanes[i].template];

		if (lanes[i].next == t->count) {
			lanes[i].template = copies % count;
			lanes[i].next = 0;
			lanes[i].copy = copies++;
			continue;
		}

		const struct packet *p = &t->packets[lanes[i].next++];

		write_packet(out, p, lanes[i].copy, written++ * STEP_US);
		flows += p->begins;
		bytes += p->len;
	}
	if (fclose(out) != 0)
		die(argv[1], "cannot be written");
	printf("%llu %llu %llu\n", (unsigned long long)written, (unsigned long long)flows,
	       (unsigned long long)(bytes / written));
	return 0;
}

#include "classify/dpi.h"

#include "capture/base.h"

#include <malloc.h>
#include <ndpi_api.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAYLOAD_MAX 1500	/* what a dissector looks at stands in the first bytes; GRO packets have 64 kB */
#define IP6_HEADER 40
#define TCP_HEADER 20

/* nDPI numbers its releases in the header since 4.0; calls that changed are kept apart here. */
#define NDPI_AT_LEAST(major, minor) \
	(NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

struct dpi {
	struct ndpi_detection_module_struct *module;	/* NULL before its first use */
	uint8_t packet[IP6_HEADER + TCP_HEADER + PAYLOAD_MAX];	/* nDPI reads whole IP packets */
};

struct dpi_flow {
	unsigned packets;
	struct ndpi_flow_struct *ndpi;
};

/* nDPI copies user names, passwords and URLs into its flows and into memory hanging off them. */
static void wipe_and_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void set_free(void)
{
	set_ndpi_free(wipe_and_free);
}

#if NDPI_AT_LEAST(4, 6)
#define DPI_REMEMBERING NDPI_PROTOCOL_UNKNOWN
#else
#define DPI_REMEMBERING NDPI_PROTOCOL_TINC	/* in a way that cannot be switched off */
#endif

/* What nDPI learnt from one flow must not name another: the answer would depend on which flows a worker
 * happened to have before. Newer releases can be told to keep no such memory; of older ones the
 * dissector that has one is left out. */
#if NDPI_AT_LEAST(4, 10)
static struct ndpi_detection_module_struct *make_module(void)
{
	static const char *const caches[] = {
		"lru.ookla.size", "lru.bittorrent.size", "lru.stun.size", "lru.tls_cert.size", "lru.mining.size",
		"lru.msteams.size", "lru.fpc_dns.size", "lru.signal.size",
	};
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(NULL);

	if (m == NULL)
		return NULL;
	/* A cache that this release does not have is an error that does not matter. */
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
		(void)ndpi_set_config(m, NULL, caches[i], "0");
	(void)ndpi_set_config(m, NULL, "dpi.guess_on_giveup", "0x00");
	return m;
}
#else
static struct ndpi_detection_module_struct *make_module(void)
{
	/* Lists of addresses serve guesses only, and no guess is taken. */
#if NDPI_AT_LEAST(4, 4)
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(ndpi_dont_load_tor_list);
#else
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(ndpi_dont_load_tor_hosts);
#endif

#if NDPI_AT_LEAST(4, 6)
	for (int cache = 0; m != NULL && cache < NDPI_LRUCACHE_MAX; cache++)
		(void)ndpi_set_lru_cache_size(m, (lru_cache_type)cache, 0);
#endif
	return m;
}
#endif

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names != NULL && strcasecmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* By names: their numbers come and go with releases. */
static void judge(struct dpi_label *label, bool vpn)
{
	static const char *const tunnels[] = {
		"SOCKS", "Tor", "Teredo", "GRE", "IP_in_IP", "HTTP_Proxy", "HTTP_Connect", "PPTP", "I2P", "IPsec",
		"OpenVPN", "WireGuard", "CiscoVPN", "HotspotShield", "TINC", NULL
	};
	static const char *const dns[] = { "DoH_DoT", "DoQ", NULL };

	label->opaque = vpn || is_one_of(label->master, tunnels) || is_one_of(label->app, tunnels);
	label->encrypted_dns = is_one_of(label->master, dns) || is_one_of(label->app, dns);
}

#if !NDPI_AT_LEAST(5, 0)
/* A dissector is asked about every packet that nobody knows: those whose word is of no use are left out, or
 * they take a tenth of all the time. */
static void choose_protocols(struct ndpi_detection_module_struct *m, NDPI_PROTOCOL_BITMASK *wanted_out)
{
#if NDPI_AT_LEAST(4, 11)
	(void)m;
	NDPI_BITMASK_SET_ALL(*wanted_out);
#else
	NDPI_BITMASK_RESET(*wanted_out);
	for (unsigned id = 0; id < ndpi_get_num_supported_protocols(m); id++) {
		struct dpi_label label = { 0 };

		base_copy(label.app, sizeof(label.app), ndpi_get_proto_name(m, (uint16_t)id));
		judge(&label, ndpi_get_proto_category(m, (ndpi_protocol){ .app_protocol = (uint16_t)id }) ==
			      NDPI_PROTOCOL_CATEGORY_VPN);
		if ((label.opaque || label.encrypted_dns) && id != DPI_REMEMBERING)
			NDPI_ADD_PROTOCOL_TO_BITMASK(*wanted_out, id);
	}
#endif
}
#endif

/* True when the module is ready. */
static bool finish_module(struct ndpi_detection_module_struct *m)
{
#if !NDPI_AT_LEAST(5, 0)	/* since then all protocols are on from the start */
	NDPI_PROTOCOL_BITMASK wanted;

	choose_protocols(m, &wanted);
	(void)ndpi_set_protocol_detection_bitmask2(m, &wanted);
#endif
#if NDPI_AT_LEAST(4, 10)
	return ndpi_finalize_initialization(m) == 0;
#else
	ndpi_finalize_initialization(m);
	return true;
#endif
}

struct dpi *dpi_new(void)
{
	return base_alloc(sizeof(struct dpi));
}

/* Takes some 10 ms, which the worker that needs it spends while others work. */
static void set_up(struct dpi *d)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;	/* as ndpi_api.h asks */

	if (d->module != NULL)
		return;
	pthread_once(&once, set_free);
	pthread_mutex_lock(&one_at_a_time);
	d->module = make_module();
	if (d->module == NULL || !finish_module(d->module)) {
		base_log("libndpi %s cannot be initialised", ndpi_revision());
		exit(70); /* EX_SOFTWARE */
	}
	pthread_mutex_unlock(&one_at_a_time);
}

void dpi_free(struct dpi **d)
{
	if (*d == NULL)
		return;
	if ((*d)->module != NULL)
		ndpi_exit_detection_module((*d)->module);
	explicit_bzero(*d, sizeof(**d));
	free(*d);
	*d = NULL;
}

const char *dpi_version(void)
{
	return ndpi_revision();
}

static void name_of(struct dpi *d, unsigned id, char out[FACT_WORD_SIZE])
{
	out[0] = '\0';
	if (id != NDPI_PROTOCOL_UNKNOWN)
		base_copy(out, FACT_WORD_SIZE, ndpi_get_proto_name(d->module, (uint16_t)id));
}

void dpi_by_name(struct dpi *d, const char *name, struct dpi_label *out)
{
	ndpi_protocol_match_result match;
	char copy[FACT_NAME_SIZE];	/* nDPI wants it writable */
	int id;

	memset(out, 0, sizeof(*out));
	memset(&match, 0, sizeof(match));
	if (!base_copy(copy, sizeof(copy), name) || copy[0] == '\0')
		return;
	set_up(d);
	id = ndpi_match_string_subprotocol(d->module, copy, (unsigned)strlen(copy), &match);
	if (id <= NDPI_PROTOCOL_UNKNOWN)
		return;
	name_of(d, (unsigned)id, out->app);
	judge(out, match.protocol_category == NDPI_PROTOCOL_CATEGORY_VPN);
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

static size_t write_ip(uint8_t *out, const struct packet *packet, size_t len)
{
	bool from_lo = packet->dir == FLOW_LO_TO_HI;
	const uint8_t *src = from_lo ? packet->key.lo.addr : packet->key.hi.addr;
	const uint8_t *dst = from_lo ? packet->key.hi.addr : packet->key.lo.addr;

	memset(out, 0, IP6_HEADER);
	if (host_is_ipv4(src)) {
		out[0] = 0x45;
		put16(out + 2, (unsigned)len + 20);
		out[8] = 64;
		out[9] = packet->key.proto;
		memcpy(out + 12, src + HOST_IPV4_AT, 4);
		memcpy(out + 16, dst + HOST_IPV4_AT, 4);
		return 20;
	}
	out[0] = 0x60;
	put16(out + 4, (unsigned)len);
	out[6] = packet->key.proto;
	out[7] = 64;
	memcpy(out + 8, src, 16);
	memcpy(out + 24, dst, 16);
	return IP6_HEADER;
}

static size_t write_transport(uint8_t *out, const struct packet *packet, size_t len)
{
	bool from_lo = packet->dir == FLOW_LO_TO_HI;

	if (packet->key.proto != IPPROTO_TCP && packet->key.proto != IPPROTO_UDP)
		return 0;
	memset(out, 0, TCP_HEADER);
	put16(out, from_lo ? packet->key.lo.port : packet->key.hi.port);
	put16(out + 2, from_lo ? packet->key.hi.port : packet->key.lo.port);
	if (packet->key.proto == IPPROTO_UDP) {
		put16(out + 4, (unsigned)len + 8);
		return 8;
	}
	put32(out + 4, packet->seq);
	put32(out + 8, packet->ack);
	out[12] = TCP_HEADER / 4 << 4;
	out[13] = packet->tcp_flags;
	put16(out + 14, 0xffff);
	return TCP_HEADER;
}

/* The packet as nDPI wants it: an IP header, ours, and the first bytes of the payload. */
static size_t write_packet(struct dpi *d, const struct packet *packet)
{
	size_t len = packet->payload_len < PAYLOAD_MAX ? packet->payload_len : PAYLOAD_MAX;
	size_t transport = packet->key.proto == IPPROTO_TCP ? TCP_HEADER :
			   packet->key.proto == IPPROTO_UDP ? 8 : 0;
	size_t n = write_ip(d->packet, packet, transport + len);

	n += write_transport(d->packet + n, packet, len);
	memcpy(d->packet + n, packet->payload, len);
	return n + len;
}

static ndpi_protocol show(struct dpi *d, struct ndpi_flow_struct *flow, size_t len, int64_t time_ns)
{
	uint64_t ms = (uint64_t)time_ns / 1000000;

#if NDPI_AT_LEAST(4, 6)
	return ndpi_detection_process_packet(d->module, flow, d->packet, (unsigned short)len, ms, NULL);
#else
	return ndpi_detection_process_packet(d->module, flow, d->packet, (unsigned short)len, ms);
#endif
}

static void label_of(struct dpi *d, const ndpi_protocol *found, struct dpi_label *out)
{
#if NDPI_AT_LEAST(4, 11)
	unsigned master = found->proto.master_protocol, app = found->proto.app_protocol;
#else
	unsigned master = found->master_protocol, app = found->app_protocol;
#endif

	name_of(d, master, out->master);
	name_of(d, app, out->app);
	judge(out, found->category == NDPI_PROTOCOL_CATEGORY_VPN);
}

void dpi_flow_free(struct dpi_flow **flow)
{
	if (*flow == NULL)
		return;
	ndpi_free_flow_data((*flow)->ndpi);
	explicit_bzero((*flow)->ndpi, ndpi_detection_get_sizeof_ndpi_flow_struct());
	free((*flow)->ndpi);
	free(*flow);
	*flow = NULL;
}

bool dpi_by_packet(struct dpi *d, struct dpi_flow **flow, const struct packet *packet, struct dpi_label *out)
{
	ndpi_protocol found;
	size_t len;

	set_up(d);
	memset(out, 0, sizeof(*out));
	if (*flow == NULL) {
		*flow = base_alloc(sizeof(**flow));
		(*flow)->ndpi = base_alloc(ndpi_detection_get_sizeof_ndpi_flow_struct());
	}
	len = write_packet(d, packet);
	found = show(d, (*flow)->ndpi, len, packet->time_ns);
	explicit_bzero(d->packet, len);

	/* A guess by port or by address is none of our business: it would be taken for content. */
	if ((*flow)->ndpi->confidence == NDPI_CONFIDENCE_DPI)
		label_of(d, &found, out);
	if (out->app[0] == '\0' && out->master[0] == '\0' && ++(*flow)->packets < DPI_PACKETS)
		return false;
	dpi_flow_free(flow);
	return true;
}

size_t dpi_flow_memory(void)
{
	return sizeof(struct dpi_flow) + ndpi_detection_get_sizeof_ndpi_flow_struct();
}

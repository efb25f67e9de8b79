/* Over 400 lines, as it is the one user of the live side of libpcap. */
#include "capture/source_live.h"

#include "capture/base.h"
#include "capture/steady.h"

#include <linux/filter.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MIB (1024 * 1024)
#define FRAME_ALIGN 16		/* of frames in a slab: headers are read in place */
#define SKIP_MAX (1u << 26)	/* frames: more than the largest ring holds, should more come all the time */

struct source_live {
	char *name;
	struct source_live_settings settings;
	pcap_t *pcap;			/* NULL: gone */
	int fd;
	bool failed;			/* reading said that the interface went away */
	bool nanoseconds;
	uint16_t link_type;
	unsigned number;
	struct slab_pool *pool;
	struct steady steady;
	struct slab *slab;		/* NULL before the first frame */
	size_t used;			/* of the slab */
	struct pcap_stat seen;		/* libpcap's counters when they were last asked */
	struct source_live_counts counts;
	uint64_t untold_kernel, untold_interface;
	struct source_end end;
	struct source_interface interface;
};

/* pcap-linktype(7): what an interface says and what a file says differ for this one that Linux has. */
static uint16_t link_type_of(int dlt)
{
	return dlt == DLT_RAW ? 101 : (uint16_t)dlt;
}

static void ask_for_hardware_time(pcap_t *p)
{
	int *types = NULL;
	int count = pcap_list_tstamp_types(p, &types);

	for (int i = 0; i < count; i++) {
		if (types[i] == PCAP_TSTAMP_ADAPTER)
			pcap_set_tstamp_type(p, PCAP_TSTAMP_ADAPTER);
	}
	if (count > 0)
		pcap_free_tstamp_types(types);
}

static void ask_for_settings(pcap_t *p, const struct source_live *s, bool hardware_time)
{
	pcap_set_snaplen(p, SOURCE_CAPLEN_MAX);
	pcap_set_promisc(p, s->settings.promiscuous && strcmp(s->name, "any") != 0);
	pcap_set_timeout(p, SOURCE_LIVE_WAIT_MS);
	pcap_set_buffer_size(p, (int)s->settings.buffer_mib * MIB);
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	if (hardware_time)
		ask_for_hardware_time(p);
}

static enum source_live_open why_not(const struct source_live *s, pcap_t *p, int rc, char *error, size_t size)
{
	switch (rc) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		snprintf(error, size, "%s: no permission to capture", s->name);
		return SOURCE_LIVE_DENIED;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		snprintf(error, size, "%s: no such interface", s->name);
		return SOURCE_LIVE_MISSING;
	case PCAP_ERROR_IFACE_NOT_UP:
		snprintf(error, size, "%s: the interface is down", s->name);
		return SOURCE_LIVE_UNAVAILABLE;
	default:
		snprintf(error, size, "%s: %s", s->name,
			 pcap_geterr(p)[0] != '\0' ? pcap_geterr(p) : pcap_statustostr(rc));
		return SOURCE_LIVE_UNAVAILABLE;
	}
}

static bool filter(pcap_t *p, const struct source_live *s, char *error, size_t size)
{
	struct bpf_program program;
	bool ok;

	if (s->settings.filter == NULL)
		return true;
	ok = pcap_compile(p, &program, s->settings.filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (ok) {
		ok = pcap_setfilter(p, &program) == 0;
		pcap_freecode(&program);
	}
	if (!ok)
		snprintf(error, size, "%s: %s", s->name, pcap_geterr(p));
	return ok;
}

/* Whether it may be read from is in *rc_out. */
static pcap_t *activate(const struct source_live *s, bool hardware_time, int *rc_out, char text[PCAP_ERRBUF_SIZE])
{
	pcap_t *p = pcap_create(s->name, text);

	if (p == NULL)
		return NULL;
	ask_for_settings(p, s, hardware_time);
	*rc_out = pcap_activate(p);
	return p;
}

static enum source_live_open open_pcap(struct source_live *s, char *error, size_t size)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	enum source_live_open how = SOURCE_LIVE_OPEN;
	int rc = 0;
	pcap_t *p = activate(s, true, &rc, text);

	/* To set a card's clock going takes CAP_NET_ADMIN, which one who may capture need not have. */
	if (p != NULL && rc == PCAP_ERROR_PERM_DENIED) {
		pcap_close(p);
		p = activate(s, false, &rc, text);
	}

	if (p == NULL) {
		snprintf(error, size, "%s: %s", s->name, text);
		return SOURCE_LIVE_UNAVAILABLE;
	}
	if (rc < 0)
		how = why_not(s, p, rc, error, size);
	else if (!filter(p, s, error, size))
		how = SOURCE_LIVE_BAD_FILTER;
	else if (pcap_setnonblock(p, 1, text) != 0 || (s->fd = pcap_get_selectable_fd(p)) < 0) {
		snprintf(error, size, "%s: cannot be waited for %s", s->name, text);
		how = SOURCE_LIVE_UNAVAILABLE;
	}
	if (how != SOURCE_LIVE_OPEN) {
		pcap_close(p);
		return how;
	}
	s->pcap = p;
	s->failed = false;
	s->nanoseconds = pcap_get_tstamp_precision(p) == PCAP_TSTAMP_PRECISION_NANO;
	s->link_type = link_type_of(pcap_datalink(p));
	s->seen = (struct pcap_stat){ 0 };
	return how;
}

static void begin(struct source_live *s, unsigned number)
{
	s->number = number;
	s->interface = (struct source_interface){
		.link_type = s->link_type, .snaplen = SOURCE_CAPLEN_MAX, .recorded = true,
	};
	base_copy(s->interface.name, sizeof(s->interface.name), s->name);
	s->end = (struct source_end){
		.path = s->name, .format = "", .compression = "", .interface_count = 1,
		.interfaces = &s->interface,
	};
}

struct source_live *source_live_open(const char *interface, const struct source_live_settings *settings,
				     enum source_live_open *how_out, char *error, size_t size)
{
	struct source_live *s = base_alloc(sizeof(*s));

	s->name = base_strdup(interface);
	s->settings = *settings;
	s->fd = -1;
	*how_out = open_pcap(s, error, size);
	if (*how_out != SOURCE_LIVE_OPEN)
		source_live_close(&s);
	return s;
}

void source_live_close(struct source_live **s)
{
	if (*s == NULL)
		return;
	if ((*s)->pcap != NULL)
		pcap_close((*s)->pcap);
	slab_drop(&(*s)->slab);
	free((*s)->name);
	free(*s);
	*s = NULL;
}

void source_live_begin(struct source_live *s, unsigned number, struct slab_pool *pool)
{
	s->pool = pool;
	begin(s, number);
}

void source_live_rest(struct source_live *s)
{
	slab_drop(&s->slab);
	s->pool = NULL;
}

static void drop(struct source_live *s, uint64_t packets)
{
	s->counts.kernel += packets;
	s->untold_kernel += packets;
	s->interface.recorded_dropped += packets;
}

/* A frame's bytes, copied behind those of the frames before it: others may hold the slab for these, what is
 * behind them is still ours. */
static const uint8_t *copy(struct source_live *s, const uint8_t *data, uint32_t len)
{
	uint8_t *to;

	if (s->slab == NULL || s->slab->capacity - s->used < len) {
		struct slab *fresh = slab_take(s->pool);

		slab_drop(&s->slab);
		s->slab = fresh;
		s->used = 0;
	}
	to = s->slab->data + s->used;
	memcpy(to, data, len);
	s->used += (len + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
	if (s->used > s->slab->capacity)
		s->used = s->slab->capacity;
	return to;
}

static void count(struct source_live *s, struct frame *f)
{
	if (s->end.packets == 0 || f->time_ns < s->end.first_ns)
		s->end.first_ns = f->time_ns;
	if (s->end.packets == 0 || f->time_ns > s->end.last_ns)
		s->end.last_ns = f->time_ns;
	s->interface.packets = s->end.last_frame = ++s->end.packets;
	s->counts.captured++;
	f->id = frame_id(s->number, s->end.last_frame);
}

static int64_t time_of(struct source_live *s, int64_t stamped_ns)
{
	int64_t back, ns = steady_time(&s->steady, stamped_ns, &back);

	if (back > 0)
		base_log("%s: the clock was set back by %lld s; times go on from before", s->name,
			 (long long)(back / BASE_NS_PER_S));
	return ns;
}

bool source_live_next(struct source_live *s, struct frame *frame_out, struct slab **slab_out)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int rc;

	if (s->pcap == NULL)
		return false;
	rc = pcap_next_ex(s->pcap, &header, &data);
	if (rc <= 0) {
		s->failed = s->failed || rc < 0;
		return false;
	}
	*frame_out = (struct frame){
		.time_ns = time_of(s, header->ts.tv_sec * BASE_NS_PER_S +
			   (s->nanoseconds ? header->ts.tv_usec : header->ts.tv_usec * 1000)),
		.caplen = header->caplen,
		.wire_len = header->len > header->caplen ? header->len : header->caplen,
		.link_type = s->link_type,
	};
	frame_out->data = copy(s, data, header->caplen);
	count(s, frame_out);
	*slab_out = s->slab;
	return true;
}

void source_live_stop(struct source_live *s)
{
	struct sock_filter nothing = { .code = BPF_RET | BPF_K };
	const struct sock_fprog program = { .len = 1, .filter = &nothing };

	/* Not by libpcap, which would refuse what waits as well. Where it fails, more comes and is counted. */
	if (!source_live_is_gone(s))
		setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

void source_live_skip(struct source_live *s)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	uint64_t packets = 0;

	while (s->pcap != NULL && packets < SKIP_MAX && pcap_next_ex(s->pcap, &header, &data) > 0)
		packets++;
	drop(s, packets);
}

int source_live_fd(const struct source_live *s)
{
	return source_live_is_gone(s) ? -1 : s->fd;
}

bool source_live_is_gone(const struct source_live *s)
{
	return s->pcap == NULL || s->failed;
}

bool source_live_again(struct source_live *s, unsigned number)
{
	char error[PCAP_ERRBUF_SIZE + 64];

	if (s->pcap != NULL)
		pcap_close(s->pcap);
	s->pcap = NULL;
	if (open_pcap(s, error, sizeof(error)) != SOURCE_LIVE_OPEN)
		return false;
	begin(s, number);
	return true;
}

/* Of a counter of libpcap's, which may wrap. */
static uint64_t since(u_int *before, u_int now)
{
	u_int more = now - *before;

	*before = now;
	return more;
}

static void tell(const struct source_live *s, enum loss_reason reason, uint64_t packets,
		 void (*lost)(void *context, const struct loss *loss), void *context)
{
	uint64_t frame = frame_id(s->number, s->end.last_frame);

	if (packets == 0)
		return;
	lost(context, &(struct loss){
		.reason = reason, .frame = frame, .last_frame = frame, .packets = packets,
		.time_ns = base_clock_ns(CLOCK_REALTIME),
	});
}

static void ask_kernel(struct source_live *s)
{
	struct pcap_stat now;
	uint64_t kernel, interface, received;

	if (s->pcap == NULL || pcap_stats(s->pcap, &now) != 0)
		return;
	kernel = since(&s->seen.ps_drop, now.ps_drop);
	interface = since(&s->seen.ps_ifdrop, now.ps_ifdrop);
	received = since(&s->seen.ps_recv, now.ps_recv);
	s->counts.received += received;
	s->counts.interface += interface;
	s->untold_interface += interface;
	s->interface.recorded_received += received;
	s->interface.recorded_dropped += interface;
	drop(s, kernel);
}

void source_live_losses(struct source_live *s, void (*lost)(void *context, const struct loss *loss), void *context)
{
	ask_kernel(s);
	tell(s, LOSS_KERNEL, s->untold_kernel, lost, context);
	tell(s, LOSS_INTERFACE, s->untold_interface, lost, context);
	s->untold_kernel = s->untold_interface = 0;
}

struct source_live_counts source_live_counts(struct source_live *s, bool now)
{
	if (now)
		ask_kernel(s);
	return s->counts;
}

const char *source_live_name(const struct source_live *s)
{
	return s->name;
}

const struct source_end *source_live_end(struct source_live *s, enum source_how how)
{
	s->end.how = how;
	return &s->end;
}

bool source_live_list(FILE *out, char *error, size_t size)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_if_t *all;
	int number = 1;

	if (pcap_findalldevs(&all, text) != 0) {
		base_copy(error, size, text);
		return false;
	}
	for (const pcap_if_t *i = all; i != NULL; i = i->next)
		fprintf(out, "%d.%s%s%s [%s]\n", number++, i->name, i->description != NULL ? " " : "",
			i->description != NULL ? i->description : "",
			(i->flags & PCAP_IF_RUNNING) != 0 ? "running" :
			(i->flags & PCAP_IF_UP) != 0 ? "up" : "down");
	pcap_freealldevs(all);
	return true;
}

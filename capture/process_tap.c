#include "capture/process_tap.h"

#include "capture/base.h"
#include "capture/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAP_BYTES 128			/* of a packet: IP and TCP with their options */
#define TAP_BUFFER (1 << 20)
#define LOCAL_MAX 1024			/* addresses of this host */
#define LEARN_NS BASE_NS_PER_S		/* what is known of addresses and interfaces may be as old */
#define INTERFACES_KNOWN 64
#define IPV4_HEADER 20			/* without options */

struct known_interface {
	uint32_t index;
	bool wanted;
	int64_t learnt_ns;		/* 0: not known */
};

struct process_tap {
	int fd[TAPS];
	const char *const *names;	/* borrowed */
	unsigned name_count;
	struct known_interface interfaces[INTERFACES_KNOWN];	/* by index, modulo */
	struct { uint8_t addr[16]; bool watched; } local[LOCAL_MAX];
	unsigned local_count;
	int64_t local_ns;		/* when they were learnt */
	uint8_t bytes[TAP_BATCH][TAP_BYTES];
};

#define LOAD_BYTE(at) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (unsigned)(at))
#define LOAD_HALF(at) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (unsigned)(at))
#define IF_IS(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
#define IF_BITS(bits, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, then, otherwise)
#define TAKE BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define LEAVE BPF_STMT(BPF_RET | BPF_K, 0)
#define TCP_FLAGS_AT 13
#define FRAGMENT_OFFSET 0x1fff		/* of an IPv4 header's seventh and eighth byte */

/* A packet begins at its IP header. Jumps count the lines between. */
static const struct sock_filter tcp_filter[] = {
	LOAD_BYTE(SKF_AD_OFF + SKF_AD_PKTTYPE),
	IF_IS(PACKET_OUTGOING, 0, 15),
	LOAD_HALF(SKF_AD_OFF + SKF_AD_PROTOCOL),
	IF_IS(ETH_P_IP, 0, 7),
	LOAD_BYTE(9),
	IF_IS(IPPROTO_TCP, 0, 11),
	LOAD_HALF(6),
	IF_BITS(FRAGMENT_OFFSET, 9, 0),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, TCP_FLAGS_AT),
	IF_BITS(TCP_SYN, 5, 6),
	IF_IS(ETH_P_IPV6, 0, 5),
	LOAD_BYTE(6),
	IF_IS(IPPROTO_TCP, 0, 3),
	LOAD_BYTE(40 + TCP_FLAGS_AT),
	IF_BITS(TCP_SYN, 0, 1),
	TAKE,
	LEAVE,
};
static const struct sock_filter udp_filter[] = {
	LOAD_BYTE(SKF_AD_OFF + SKF_AD_PKTTYPE),
	IF_IS(PACKET_OUTGOING, 0, 10),
	LOAD_HALF(SKF_AD_OFF + SKF_AD_PROTOCOL),
	IF_IS(ETH_P_IP, 0, 4),
	LOAD_BYTE(9),
	IF_IS(IPPROTO_UDP, 0, 6),
	LOAD_HALF(6),
	IF_BITS(FRAGMENT_OFFSET, 4, 3),
	IF_IS(ETH_P_IPV6, 0, 3),
	LOAD_BYTE(6),
	IF_IS(IPPROTO_UDP, 0, 1),
	TAKE,
	LEAVE,
};

/* Bound when the filter is in place: what comes before that would not be filtered. */
static int open_filtered(const struct sock_filter *filter, unsigned short length)
{
	const struct sock_fprog program = { .len = length, .filter = (struct sock_filter *)filter };
	const struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const int buffer = TAP_BUFFER, on = 1;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)&all, sizeof(all)) == 0)
		return fd;
	close(fd);
	return -1;
}

#define LENGTH(filter) (unsigned short)(sizeof(filter) / sizeof((filter)[0]))

struct process_tap *process_tap_open(const char *const *interfaces, unsigned count)
{
	struct process_tap *t = base_alloc(sizeof(*t));
	int error;

	t->names = interfaces;
	t->name_count = count;
	t->fd[TAP_TCP] = open_filtered(tcp_filter, LENGTH(tcp_filter));
	t->fd[TAP_UDP] = t->fd[TAP_TCP] < 0 ? -1 : open_filtered(udp_filter, LENGTH(udp_filter));
	if (t->fd[TAP_UDP] >= 0)
		return t;
	error = errno;
	process_tap_close(&t);
	errno = error;
	return NULL;
}

void process_tap_close(struct process_tap **tap)
{
	if (*tap == NULL)
		return;
	for (unsigned i = 0; i < TAPS; i++) {
		if ((*tap)->fd[i] >= 0)
			close((*tap)->fd[i]);
	}
	free(*tap);
	*tap = NULL;
}

int process_tap_fd(const struct process_tap *tap, unsigned which)
{
	return tap->fd[which];
}

static bool is_name_wanted(const struct process_tap *t, const char *name)
{
	for (unsigned i = 0; i < t->name_count; i++) {
		if (strcmp(t->names[i], "any") == 0 || strcmp(t->names[i], name) == 0)
			return true;
	}
	return false;
}

/* An interface may go away and come back with another number, or another with its number. */
static bool is_wanted(struct process_tap *t, uint32_t index, int64_t now)
{
	struct known_interface *k = &t->interfaces[index % INTERFACES_KNOWN];
	char name[IF_NAMESIZE];

	if (k->index != index || k->learnt_ns == 0 || now - k->learnt_ns >= LEARN_NS)
		*k = (struct known_interface){ .index = index, .learnt_ns = now,
			.wanted = if_indextoname(index, name) != NULL && is_name_wanted(t, name) };
	return k->wanted;
}

static int64_t time_of(struct msghdr *m)
{
	struct timespec at = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
	}
	return at.tv_sec * BASE_NS_PER_S + at.tv_nsec;
}

static void read_ipv4(struct bytes *in, struct tap_packet *out)
{
	size_t header = (size_t)(bytes_u8(in) & 0x0f) * 4;
	uint8_t addresses[2][4];

	bytes_skip(in, 8);
	out->proto = bytes_u8(in);
	bytes_skip(in, 2);
	bytes_copy(in, addresses, sizeof(addresses));
	host_of_ipv4(addresses[0], out->local.addr);
	host_of_ipv4(addresses[1], out->remote.addr);
	if (header < IPV4_HEADER)
		in->bad = true;
	else
		bytes_skip(in, header - IPV4_HEADER);
}

static void read_ipv6(struct bytes *in, struct tap_packet *out)
{
	bytes_skip(in, 6);
	out->proto = bytes_u8(in);
	bytes_skip(in, 1);
	bytes_copy(in, out->local.addr, sizeof(out->local.addr));
	bytes_copy(in, out->remote.addr, sizeof(out->remote.addr));
}

bool process_tap_read(struct bytes in, struct tap_packet *out)
{
	struct bytes first = in;
	unsigned version = bytes_u8(&first) >> 4;

	if (version == 4)
		read_ipv4(&in, out);
	else if (version == 6)
		read_ipv6(&in, out);
	else
		return false;
	out->local.port = bytes_u16(&in);
	out->remote.port = bytes_u16(&in);
	out->answers = false;
	if (out->proto == IPPROTO_TCP) {
		bytes_skip(&in, TCP_FLAGS_AT - 4);
		out->answers = (bytes_u8(&in) & TCP_ACK) != 0;
	}
	return !in.bad && (out->proto == IPPROTO_TCP || out->proto == IPPROTO_UDP);
}

unsigned process_tap_take(struct process_tap *t, unsigned which, tap_taken *taken, void *context)
{
	struct mmsghdr messages[TAP_BATCH] = { 0 };
	struct iovec bytes[TAP_BATCH];
	struct sockaddr_ll from[TAP_BATCH];
	char control[TAP_BATCH][CMSG_SPACE(sizeof(struct timespec))];
	int count;

	for (unsigned i = 0; i < TAP_BATCH; i++) {
		bytes[i] = (struct iovec){ .iov_base = t->bytes[i], .iov_len = TAP_BYTES };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &bytes[i], .msg_iovlen = 1,
			.msg_control = control[i], .msg_controllen = sizeof(control[i]),
		};
	}
	count = recvmmsg(t->fd[which], messages, TAP_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	for (int i = 0; i < count; i++) {
		struct tap_packet p = { .time_ns = time_of(&messages[i].msg_hdr), .interface = (uint32_t)from[i].sll_ifindex };

		size_t len = messages[i].msg_len < TAP_BYTES ? messages[i].msg_len : TAP_BYTES;

		if (is_wanted(t, p.interface, p.time_ns) && process_tap_read(bytes_of(t->bytes[i], len), &p))
			taken(context, &p);
	}
	return count > 0 ? (unsigned)count : 0;
}

uint64_t process_tap_dropped(struct process_tap *t)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TAPS; i++) {
		struct tpacket_stats s = { 0 };
		socklen_t size = sizeof(s);

		if (getsockopt(t->fd[i], SOL_PACKET, PACKET_STATISTICS, &s, &size) == 0)
			sum += s.tp_drops;
	}
	return sum;
}

static void learn_local(struct process_tap *t)
{
	struct ifaddrs *all;

	t->local_count = 0;
	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *a = all; a != NULL && t->local_count < LOCAL_MAX; a = a->ifa_next) {
		int family = a->ifa_addr != NULL ? a->ifa_addr->sa_family : AF_UNSPEC;
		uint8_t *to = t->local[t->local_count].addr;

		if (family == AF_INET)
			host_of_ipv4((const uint8_t *)&((const struct sockaddr_in *)a->ifa_addr)->sin_addr, to);
		else if (family == AF_INET6)
			memcpy(to, &((const struct sockaddr_in6 *)a->ifa_addr)->sin6_addr, 16);
		t->local[t->local_count].watched = is_name_wanted(t, a->ifa_name);
		t->local_count += family == AF_INET || family == AF_INET6;
	}
	freeifaddrs(all);
}

static int find_local(const struct process_tap *t, const uint8_t addr[16])
{
	int i = (int)t->local_count;

	while (i-- > 0 && memcmp(t->local[i].addr, addr, 16) != 0)
		;
	return i;
}

enum tap_local process_tap_local(struct process_tap *t, const uint8_t addr[16], int64_t now_ns)
{
	int at = find_local(t, addr);

	if (at < 0 && (t->local_ns == 0 || now_ns - t->local_ns >= LEARN_NS)) {
		t->local_ns = now_ns;
		learn_local(t);
		at = find_local(t, addr);
	}
	return at < 0 ? TAP_FOREIGN : t->local[at].watched ? TAP_WATCHED : TAP_LOCAL;
}

/* send.c - sends a capture's Ethernet frames into an interface, for `make bench` and tests/soak (root)
 *
 * usage: send INTERFACE CAPTURE.pcap RATE SECONDS      says: packets, bytes, seconds it took
 *
 * RATE packets a second, 0 as fast as the kernel takes them; once, or again and again for SECONDS (also until SIGTERM).
 * What it says was sent has arrived: it goes round the queue, and a frame that found no room is sent again. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 64
#define NS_PER_S 1000000000LL

struct header { uint32_t magic, version, zone, figures, snaplen, link_type; };
struct record { uint32_t seconds, us, caplen, len; };

struct capture {
	const uint8_t *data, *at, *end;
};

static volatile sig_atomic_t told_to_end;

static void end(int signal)
{
	told_to_end = signal;
}

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "send: %s: %s\n", what, why);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static struct capture map(const char *path)
{
	int fd = open(path, O_RDONLY);
	const struct header *h;
	struct capture c;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path, strerror(errno));
	c.data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (c.data == MAP_FAILED)
		die(path, strerror(errno));
	h = (const void *)c.data;
	if ((size_t)st.st_size <= sizeof(*h) + sizeof(struct record) || h->magic != 0xa1b2c3d4 || h->link_type != 1)
		die(path, "no pcap file of this machine's byte order with Ethernet");
	c.at = c.data + sizeof(*h);
	c.end = c.data + st.st_size;
	close(fd);
	return c;
}

static int open_interface(const char *name)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0)
		die(name, strerror(errno));
	return fd;
}

/* The next frames, no more than `most`; 0 at the end. */
static unsigned next_frames(struct capture *c, unsigned most, struct iovec *frames)
{
	unsigned count = 0;

	while (count < most && (size_t)(c->end - c->at) >= sizeof(struct record)) {
		struct record r;

		memcpy(&r, c->at, sizeof(r));
		if ((size_t)(c->end - c->at) - sizeof(r) < r.caplen)
			die("capture", "cut short");
		frames[count++] = (struct iovec){ .iov_base = (void *)(c->at + sizeof(r)), .iov_len = r.caplen };
		c->at += sizeof(r) + r.caplen;
	}
	return count;
}

static uint64_t send_frames(int fd, struct iovec *frames, unsigned count)
{
	struct mmsghdr messages[AT_ONCE] = { 0 };
	uint64_t bytes = 0;
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++) {
		messages[i].msg_hdr.msg_iov = &frames[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		bytes += frames[i].iov_len;
	}
	while (sent < count) {
		int more = sendmmsg(fd, messages + sent, count - sent, 0);

		if (more < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("sendmmsg", strerror(errno));
		sent += more > 0 ? (unsigned)more : 0;
	}
	return bytes;
}

/* Until the packet with this number is due. */
static void wait_for_turn(int64_t begun_ns, uint64_t rate, uint64_t packets)
{
	int64_t ahead_ns = begun_ns + (int64_t)((double)packets / (double)rate * NS_PER_S) - now_ns();

	if (ahead_ns > 1000000)
		poll(NULL, 0, (int)(ahead_ns / 1000000));
}

int main(int argc, char **argv)
{
	uint64_t packets = 0, bytes = 0, rate;
	struct iovec frames[AT_ONCE];
	int64_t begun, until;
	struct capture c;
	int fd;

	if (argc != 5)
		die("usage", "send INTERFACE CAPTURE.pcap RATE SECONDS");
	signal(SIGTERM, end);
	rate = strtoull(argv[3], NULL, 10);
	c = map(argv[2]);
	fd = open_interface(argv[1]);
	begun = now_ns();
	until = begun + strtoll(argv[4], NULL, 10) * NS_PER_S;
	while (!told_to_end && (until == begun || now_ns() < until)) {
		unsigned count = next_frames(&c, AT_ONCE, frames);

		if (count == 0 && until == begun)
			break;
		if (count == 0)
			c.at = c.data + sizeof(struct header);
		bytes += send_frames(fd, frames, count);
		packets += count;
		if (rate > 0)
			wait_for_turn(begun, rate, packets);
	}
	printf("%llu %llu %.3f\n", (unsigned long long)packets, (unsigned long long)bytes,
	       (double)(now_ns() - begun) / NS_PER_S);
	return 0;
}

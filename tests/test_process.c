#include "tests/test.h"

#include "capture/process_socket.h"
#include "capture/process_tap.h"
#include "capture/procfs.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

/* A reply of the kernel's, message by message. */
struct reply {
	uint8_t data[1024];
	size_t len;
};

static void put_message(struct reply *r, uint16_t type, uint32_t sequence, const void *body, size_t len,
			int only_ipv6)
{
	struct nlattr a = { .nla_len = 5, .nla_type = INET_DIAG_SKV6ONLY };
	size_t more = only_ipv6 >= 0 ? 8 : 0;
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)(sizeof(h) + len + more), .nlmsg_type = type,
			      .nlmsg_flags = NLM_F_MULTI, .nlmsg_seq = sequence };

	memcpy(r->data + r->len, &h, sizeof(h));
	if (len > 0)
		memcpy(r->data + r->len + sizeof(h), body, len);
	if (more > 0) {
		memset(r->data + r->len + sizeof(h) + len, 0, more);
		memcpy(r->data + r->len + sizeof(h) + len, &a, sizeof(a));
		r->data[r->len + sizeof(h) + len + sizeof(a)] = (uint8_t)only_ipv6;
	}
	r->len += h.nlmsg_len;
}

static struct reply three_sockets(void)
{
	struct inet_diag_msg v4 = { .idiag_family = AF_INET, .idiag_state = SOCK_ESTABLISHED, .idiag_uid = 1000,
		.idiag_inode = 77, .id = { .idiag_sport = htons(40000), .idiag_dport = htons(993),
		.idiag_src = { htonl(0xc0a8b214) }, .idiag_dst = { htonl(0x50f13cc7) }, .idiag_cookie = { 5, 6 } } };
	struct inet_diag_msg v6 = { .idiag_family = AF_INET6, .idiag_state = SOCK_CLOSE, .idiag_inode = 78,
		.id = { .idiag_sport = htons(53) } };
	struct reply r = { .len = 0 };
	int end = 0;

	put_message(&r, SOCK_DIAG_BY_FAMILY, 9, &v4, sizeof(v4), -1);
	put_message(&r, SOCK_DIAG_BY_FAMILY, 8, &v4, sizeof(v4), -1);	/* of another question */
	put_message(&r, SOCK_DIAG_BY_FAMILY, 9, &v6, sizeof(v6), 1);
	put_message(&r, NLMSG_DONE, 9, &end, sizeof(end), -1);
	return r;
}

struct seen {
	struct sock_diag_entry entries[4];
	unsigned count;
};

static void note_entry(void *context, const struct sock_diag_entry *e)
{
	struct seen *s = context;

	assert_true(s->count < 4);
	s->entries[s->count++] = *e;
}

static void a_reply_is_read_whole(void **state)
{
	struct reply r = three_sockets();
	struct seen s = { .count = 0 };
	char host[HOST_TEXT_SIZE];

	(void)state;
	assert_int_equal(sock_diag_read(bytes_of(r.data, r.len), 9, note_entry, &s), SOCK_DIAG_DONE);
	assert_int_equal(s.count, 2);
	host_text(s.entries[0].local.addr, host);
	assert_string_equal(host, "192.168.178.20");
	host_text(s.entries[0].remote.addr, host);
	assert_string_equal(host, "80.241.60.199");
	assert_int_equal(s.entries[0].local.port, 40000);
	assert_int_equal(s.entries[0].remote.port, 993);
	assert_int_equal(s.entries[0].inode, 77);
	assert_int_equal(s.entries[0].uid, 1000);
	assert_int_equal(s.entries[0].cookie, 6ull << 32 | 5);
	assert_false(s.entries[0].ipv6);
	assert_true(s.entries[1].ipv6 && s.entries[1].only_ipv6);
}

/* Exactly as many bytes as there are, so that a sanitizer sees one more. */
static void a_reply_cut_anywhere_never_gives_more(void **state)
{
	struct reply r = three_sockets();

	(void)state;
	for (size_t n = 0; n < r.len; n++) {
		struct seen s = { .count = 0 };
		uint8_t *part = malloc(n > 0 ? n : 1);

		memcpy(part, r.data, n);
		assert_true(sock_diag_read(bytes_of(part, n), 9, note_entry, &s) != SOCK_DIAG_DONE);
		assert_true(s.count <= 2);
		free(part);
	}
}

static void lengths_that_lie_fail(void **state)
{
	static const uint32_t lies[] = { 0, 15, 17, 87, 1 << 30, UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct reply r = three_sockets();
		struct seen s = { .count = 0 };

		memcpy(r.data, &lies[i], sizeof(lies[i]));
		if (sock_diag_read(bytes_of(r.data, r.len), 9, note_entry, &s) != SOCK_DIAG_FAILED || s.count > 0)
			fail_msg("a length of %u was believed", lies[i]);
	}
}

static void noise_is_survived(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct reply r = three_sockets();
		struct seen s = { .count = 0 };

		for (int k = 0; k < 4; k++) {
			seed = seed * 1103515245 + 12345;
			r.data[(seed >> 8) % r.len] = (uint8_t)(seed >> 24);
		}
		sock_diag_read(bytes_of(r.data, r.len), 9, note_entry, &s);
	}
}

static struct host_port at(const char *address, uint16_t port)
{
	struct host_port h = { .port = port };

	if (!host_of_text(address, h.addr))
		fail_msg("%s", address);
	return h;
}

#define ANY { .local = "0.0.0.0", .remote = "0.0.0.0" }
#define CONNECTED { .local = "192.0.2.1", .remote = "192.0.2.9", .remote_port = 53 }

/* Which sockets may have sent a datagram from 192.0.2.1:500 (or 2001:db8::1:500) to port 53 of another. */
static void of_several_sockets_on_a_port_none_is_the_one(void **state)
{
	static const struct {
		const char *name;
		struct { const char *local, *remote; uint16_t remote_port; bool ipv6, only; uint32_t interface, uid; } sockets[3];
		const char *local;
		enum socket_state want;
		unsigned count;
		bool one_user;
	} cases[] = {
		{ "connected", { CONNECTED }, "192.0.2.1", SOCKET_CONNECTED, 1, true },
		{ "to another", { { .local = "192.0.2.1", .remote = "192.0.2.8", .remote_port = 53 } }, "192.0.2.1",
		  SOCKET_GONE, 0, false },
		{ "wildcard", { ANY }, "192.0.2.1", SOCKET_PORT, 1, true },
		{ "wildcard of both families", { { .local = "::", .remote = "::", .ipv6 = true } }, "192.0.2.1",
		  SOCKET_PORT, 1, true },
		{ "wildcard of IPv6 alone", { { .local = "::", .remote = "::", .ipv6 = true, .only = true } },
		  "192.0.2.1", SOCKET_GONE, 0, false },
		{ "another's address", { { .local = "192.0.2.2", .remote = "0.0.0.0" } }, "192.0.2.1",
		  SOCKET_GONE, 0, false },
		{ "of another interface", { { .local = "0.0.0.0", .remote = "0.0.0.0", .interface = 4 } }, "192.0.2.1",
		  SOCKET_GONE, 0, false },
		{ "two", { ANY, ANY }, "192.0.2.1", SOCKET_PORT, 2, true },
		{ "two users'", { ANY, { .local = "0.0.0.0", .remote = "0.0.0.0", .uid = 7 } }, "192.0.2.1",
		  SOCKET_PORT, 2, false },
		{ "one connected beside one that is not", { CONNECTED, ANY }, "192.0.2.1", SOCKET_PORT, 2, true },
		{ "IPv4 has nothing of IPv6", { ANY }, "2001:db8::1", SOCKET_GONE, 0, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host_port local = at(cases[i].local, 500), remote = at("192.0.2.9", 53);
		struct process_sockets s = { 0 };

		for (unsigned k = 0; k < 3 && cases[i].sockets[k].local != NULL; k++) {
			struct sock_diag_entry e = {
				.local = at(cases[i].sockets[k].local, 500),
				.remote = at(cases[i].sockets[k].remote, cases[i].sockets[k].remote_port),
				.ipv6 = cases[i].sockets[k].ipv6, .only_ipv6 = cases[i].sockets[k].only,
				.interface = cases[i].sockets[k].interface, .uid = cases[i].sockets[k].uid,
				.inode = 10 + k,
			};

			process_sockets_udp(&e, &local, &remote, 3, &s);
		}
		if (s.state != cases[i].want || s.count != cases[i].count || s.has_uid != cases[i].one_user)
			fail_msg("%s: %s, %u sockets", cases[i].name, socket_state_name(s.state), s.count);
	}
}

static void a_unit_is_the_last_part_called_like_one(void **state)
{
	static const struct { const char *cgroup, *want; } cases[] = {
		{ "/system.slice/dovecot.service", "dovecot.service" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-thunderbird-77.scope", "app-thunderbird-77.scope" },
		{ "/system.slice/docker.service/inner", "docker.service" },
		{ "/user.slice", "" }, { "/", "" }, { "", "" }, { ".service", "" }, { "/.scope", "" },
	};
	char unit[PROCESS_UNIT_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		procfs_unit(cases[i].cgroup, unit);
		assert_string_equal(unit, cases[i].want);
	}
}

#define IPV4(first, proto) first "\0\0\0\0\0\x40\0\x40" proto "\0\0\xc0\0\x02\x01\xc0\0\x02\x09"
#define IPV6(proto) "\x60\0\0\0\0\0" proto "\x40\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
#define PORTS "\x9c\x40\x03\xe1"
#define TCP_TO(flags) PORTS "\0\0\0\0\0\0\0\0\x50" flags
#define PACKET(text) text, sizeof(text) - 1

/* Nothing but what the filters let through: where a packet's own words lead elsewhere, it is none. */
static const struct tapped {
	const char *name, *bytes;
	size_t len, least;		/* least: shorter than that it is cut; 0: it is no such packet */
	const char *local, *remote;
	bool answers;
} tapped[] = {
	{ "TCP over IPv4 that begins", PACKET(IPV4("\x45", "\x06") TCP_TO("\x02")), 34, "192.0.2.1", "192.0.2.9", false },
	{ "and that answers", PACKET(IPV4("\x45", "\x06") TCP_TO("\x12")), 34, "192.0.2.1", "192.0.2.9", true },
	{ "behind IP options", PACKET(IPV4("\x46", "\x06") "\x94\x04\0\0" TCP_TO("\x02")), 38, "192.0.2.1", "192.0.2.9", false },
	{ "UDP", PACKET(IPV4("\x45", "\x11") PORTS), 24, "192.0.2.1", "192.0.2.9", false },
	{ "TCP over IPv6", PACKET(IPV6("\x06") TCP_TO("\x12")), 54, "2001:db8::1", "2001:db8::9", true },
	{ "UDP over IPv6", PACKET(IPV6("\x11") PORTS), 44, "2001:db8::1", "2001:db8::9", false },
	{ "a header shorter than it is", PACKET(IPV4("\x44", "\x11") PORTS), 0, NULL, NULL, false },
	{ "a header longer than the packet", PACKET(IPV4("\x4f", "\x11") PORTS), 0, NULL, NULL, false },
	{ "ICMP", PACKET(IPV4("\x45", "\x01") PORTS), 0, NULL, NULL, false },
	{ "an extension header", PACKET(IPV6("\x2c") PORTS), 0, NULL, NULL, false },
	{ "another version", PACKET("\x55" "three, seven, twenty: no version has forty bytes like these"), 0, NULL, NULL, false },
};

/* Exactly as many bytes as there are, so that a sanitizer sees one more. */
static bool read_tapped(const struct tapped *t, size_t len, struct tap_packet *out)
{
	uint8_t *part = malloc(len > 0 ? len : 1);
	bool ok;

	memcpy(part, t->bytes, len);
	ok = process_tap_read(bytes_of(part, len), out);
	free(part);
	return ok;
}

static void a_packet_that_begins_a_flow_is_read_and_no_other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(tapped) / sizeof(tapped[0]); i++) {
		const struct tapped *t = &tapped[i];
		struct tap_packet p = { .interface = 3 };
		struct host_port local, remote;

		for (size_t len = 0; len < t->len; len++)
			if (read_tapped(t, len, &p) != (t->least > 0 && len >= t->least))
				fail_msg("%s, cut to %zu bytes", t->name, len);
		if (read_tapped(t, t->len, &p) != (t->least > 0))
			fail_msg("%s", t->name);
		if (t->least == 0)
			continue;
		local = at(t->local, 40000);
		remote = at(t->remote, 993);
		if (memcmp(&p.local, &local, sizeof(local)) != 0 || memcmp(&p.remote, &remote, sizeof(remote)) != 0 ||
		    p.answers != t->answers || p.interface != 3)
			fail_msg("%s is another's", t->name);
	}
}

/* A tree like /proc. */
static char root[] = "/tmp/test_process.XXXXXX";

static void put_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_process(const char *pid, const char *comm, const char *const *descriptors)
{
	char path[128], name[64];

	snprintf(path, sizeof(path), "%s/%s", root, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/fd", root, pid);
	mkdir(path, 0700);
	for (unsigned i = 0; descriptors[i] != NULL; i++) {
		snprintf(path, sizeof(path), "%s/%s/fd/%u", root, pid, i);
		assert_int_equal(symlink(descriptors[i], path), 0);
	}
	snprintf(path, sizeof(path), "%s/%s/exe", root, pid);
	assert_int_equal(symlink("/bin/sh", path), 0);
	snprintf(name, sizeof(name), "%s/comm", pid);
	put_file(name, comm);
	snprintf(name, sizeof(name), "%s/stat", pid);
	put_file(name, "1 (a ) b) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 2 3\n");
	snprintf(name, sizeof(name), "%s/status", pid);
	put_file(name, "Name:\tx\nUid:\t0\t5\t5\t5\n");
	snprintf(name, sizeof(name), "%s/cgroup", pid);
	put_file(name, "1:name=systemd:/old.service\n0::/system.slice/mail.service\n");
}

struct holders {
	struct process processes[8];
	uint32_t of[8];
	unsigned count;
};

static void note_holder(void *context, const struct procfs_want *want, const struct process *process, int exe)
{
	struct holders *h = context;

	assert_true(h->count < 8 && exe >= 0);
	h->of[h->count] = want->of;
	h->processes[h->count++] = *process;
}

static void every_holder_of_a_socket_is_found(void **state)
{
	static const struct procfs_want wants[] = { { 77, 0 }, { 78, 1 }, { 78, 2 }, { 4000000000u, 3 } };
	struct holders first = { .count = 0 }, all = { .count = 0 };
	struct procfs *p;
	char remove[64];

	(void)state;
	assert_non_null(mkdtemp(root));
	put_process("100", "parent\n", (const char *const[]){ "/dev/null", "socket:[77]", "pipe:[78]", NULL });
	put_process("200", "child\n", (const char *const[]){ "socket:[77]", "socket:[78]", NULL });
	put_process("300", "other\n", (const char *const[]){ "socket:[777]", "socket:[7", "anon_inode:[eventpoll]", NULL });
	put_file("uptime", "1 1\n");
	p = procfs_open(root);
	assert_non_null(p);
	procfs_list(p, 1000);
	procfs_first(p, wants, 4, note_holder, &first);
	while (procfs_next(p, wants, 4, note_holder, &all))
		;
	procfs_close(&p);
	snprintf(remove, sizeof(remove), "rm -r %s", root);
	assert_int_equal(system(remove), 0);
	assert_int_equal(first.count, 4);	/* all are new to it */
	assert_int_equal(all.count, 4);
	assert_string_equal(all.processes[0].name, "child");	/* that came last first */
	assert_int_equal(all.processes[3].pid, 100);
	assert_string_equal(all.processes[3].name, "parent");
	assert_string_equal(all.processes[3].path, "/bin/sh");
	assert_string_equal(all.processes[3].user, "root");
	assert_string_equal(all.processes[3].unit, "mail.service");
	assert_int_equal(all.processes[3].start, 4242);
	assert_int_equal(all.of[0] + all.of[1] + all.of[2], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_is_read_whole),
		cmocka_unit_test(a_reply_cut_anywhere_never_gives_more),
		cmocka_unit_test(lengths_that_lie_fail),
		cmocka_unit_test(noise_is_survived),
		cmocka_unit_test(of_several_sockets_on_a_port_none_is_the_one),
		cmocka_unit_test(a_packet_that_begins_a_flow_is_read_and_no_other),
		cmocka_unit_test(a_unit_is_the_last_part_called_like_one),
		cmocka_unit_test(every_holder_of_a_socket_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

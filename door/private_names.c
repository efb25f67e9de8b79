#include "door/private_names.h"

#include "capture/base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLVERS "/etc/resolv.conf"
#define RESOLVERS_MAX 65536		/* bytes; libc reads three addresses of it */

/* Where libc's name service asks others to look up hosts: nscd, systemd-resolved, Avahi. Without them it asks the
 * resolver itself. */
static const char *const services[] = {
	"/run/nscd/socket", "/var/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve",
	"/run/avahi-daemon/socket",
};

/* What the address of a `nameserver` line has to be inside. */
static const char *inside_address(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, address, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127)
		return PRIVATE_NAMES_IPV4;
	if (inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6))
		return PRIVATE_NAMES_IPV6;
	return address;
}

char *private_names_resolvers(const char *text)
{
	char *out = NULL, line[512], address[128];
	size_t size = 0;
	FILE *to = base_checked(open_memstream(&out, &size)), *from = fmemopen((void *)text, strlen(text), "r");

	while (from != NULL && fgets(line, sizeof(line), from) != NULL) {
		if (sscanf(line, "nameserver %127s", address) == 1)
			fprintf(to, "nameserver %s\n", inside_address(address));
		else
			fputs(line, to);
	}
	if (from != NULL)
		fclose(from);
	fclose(to);
	return base_checked(out);
}

static char *read_resolvers(void)
{
	char *text = base_alloc(RESOLVERS_MAX + 1);
	FILE *f = fopen(RESOLVERS, "re");

	if (f != NULL) {
		text[fread(text, 1, RESOLVERS_MAX, f)] = '\0';
		fclose(f);
	}
	return text;
}

/* The file that stands for it inside has no name of its own once it is in its place. */
static bool put_in_place(const char *text)
{
	char path[] = "/tmp/mailwitness-resolv-XXXXXX";
	int fd = mkstemp(path);
	bool ok = fd >= 0 && fchmod(fd, 0644) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
		  mount(path, RESOLVERS, NULL, MS_BIND, NULL) == 0;
	int error = errno;

	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	errno = error;
	return ok;
}

bool private_names_through_the_door(void)
{
	char *outside, *inside;
	bool ok = mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;

	for (unsigned i = 0; ok && i < sizeof(services) / sizeof(services[0]); i++)
		ok = mount("/dev/null", services[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT || errno == ENOTDIR ||
		     errno == EACCES;
	outside = read_resolvers();
	inside = private_names_resolvers(outside);
	if (ok && strcmp(outside, inside) != 0)
		ok = put_in_place(inside);
	free(inside);
	free(outside);
	return ok;
}

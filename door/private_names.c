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

static char *read_text(void)
{
	char *text = base_alloc(RESOLVERS_MAX + 1);
	FILE *f = fopen(RESOLVERS, "re");

	if (f != NULL) {
		text[fread(text, 1, RESOLVERS_MAX, f)] = '\0';
		fclose(f);
	}
	return text;
}

static bool is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static bool on_loopback(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	return (inet_pton(AF_INET, address, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127) ||
	       (inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

struct private_names private_names_of(const char *text)
{
	struct private_names names = { 0 };
	bool first[2] = { true, true };		/* of IPv4, of IPv6 */
	char *copy = base_strdup(text), *rest = copy, *line, address[128];
	size_t size;
	FILE *to = base_checked(open_memstream(&names.resolvers, &size));

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (sscanf(line, "nameserver %127s", address) == 1) {
			bool v6 = is_ipv6(address), *inside = v6 ? &names.ipv6 : &names.ipv4;

			*inside = *inside || (first[v6] && on_loopback(address));
			first[v6] = false;
			fprintf(to, "nameserver %s\n", !*inside || !on_loopback(address) ? address :
				v6 ? PRIVATE_NAMES_IPV6 : PRIVATE_NAMES_IPV4);
		} else {
			fprintf(to, "%s%s", line, rest != NULL ? "\n" : "");
		}
	}
	fclose(to);
	free(copy);
	return names;
}

struct private_names private_names_read(void)
{
	char *text = read_text();
	struct private_names names = private_names_of(text);

	free(text);
	return names;
}

void private_names_free(struct private_names *names)
{
	free(names->resolvers);
	names->resolvers = NULL;
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

bool private_names_through_the_door(const struct private_names *names)
{
	bool ok = mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;

	for (unsigned i = 0; ok && i < sizeof(services) / sizeof(services[0]); i++)
		ok = mount("/dev/null", services[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT || errno == ENOTDIR ||
		     errno == EACCES;
	return ok && ((!names->ipv4 && !names->ipv6) || put_in_place(names->resolvers));
}

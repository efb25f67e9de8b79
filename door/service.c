#include "door/service.h"

#include "capture/base.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct service {
	int to;
};

struct service *service_begin(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	struct service *s;
	size_t n;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') || !base_copy(address.sun_path, sizeof(address.sun_path), path))
		return NULL;
	n = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, (socklen_t)n) != 0) {
		base_log("%s: the service manager cannot be told", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	s = base_alloc(sizeof(*s));
	s->to = fd;
	return s;
}

void service_end(struct service **s)
{
	if (*s != NULL)
		close((*s)->to);
	free(*s);
	*s = NULL;
}

static void tell(struct service *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct service *s, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (s == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* Who does not take it now is told the next time; nobody waits for it. */
	send(s->to, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void service_ready(struct service *s, const char *status)
{
	tell(s, "READY=1\nSTATUS=%s", status);
}

void service_alive(struct service *s, uint64_t packets)
{
	tell(s, "WATCHDOG=1\nSTATUS=%llu packets captured", (unsigned long long)packets);
}

void service_reloading(struct service *s)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	tell(s, "RELOADING=1\nMONOTONIC_USEC=%lld", now.tv_sec * 1000000LL + now.tv_nsec / 1000);
}

void service_stopping(struct service *s)
{
	tell(s, "STOPPING=1");
}

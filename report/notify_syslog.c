/* Syslog (RFC 5424): over the socket of this host's syslog, or UDP (RFC 5426). */
#include "report/notify_part.h"

#include "capture/base.h"
#include "capture/text.h"
#include "report/emit_words.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FACILITY_DAEMON 3
#define PARAMETER_MAX 320	/* bytes of a value, of which some become two */
/* Structured data of our own; the number is the one for examples (RFC 5612), as nobody registered one. */
#define SD_ID "mailwitness@32473"

/* RFC 5424 section 6.2.1: what somebody should look at today is an error, what an administrator should know of
 * a warning, the rest a notice. */
static int priority(const struct notify_news *news)
{
	bool sure = strcmp(news->strength, "suspected") != 0;
	int severity = strcmp(news->event, "finding") != 0 ? 5 : sure && strcmp(news->class, "leak") == 0 ? 3 :
		       sure && strcmp(news->class, "exposure") == 0 ? 4 : 5;

	return FACILITY_DAEMON * 8 + severity;
}

static void escape(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\' || text[i] == ']')
			putc('\\', out);
		putc(text[i], out);
	}
}

/* Section 6.3.3: three characters are escaped; what may not be shown is not (capture/text.h). Cut where it is longer
 * than any name should be, so that the message never ends inside its structured data. */
static void parameter(FILE *out, const char *name, const char *value)
{
	size_t room = PARAMETER_MAX;
	struct text_piece piece;

	if (value == NULL || value[0] == '\0')
		return;
	fprintf(out, " %s=\"", name);
	for (; (piece = text_piece(value)).len > 0; value += piece.len) {
		const char *as = piece.shown[0] != '\0' ? piece.shown : value;
		size_t len = as == value ? piece.len : piece.columns;

		if (len > room && text_plain(as) == len)
			len = room;
		if (len > room || room == 0)
			break;
		escape(out, as, len);
		room -= len;
	}
	putc('"', out);
}

size_t notify_syslog_text(const struct notify_news *news, char out[NOTIFY_TEXT_MAX])
{
	char host[256] = "-", time[EMIT_TIME_SIZE], *text = NULL;
	size_t size = 0;
	FILE *f = base_checked(open_memstream(&text, &size));

	gethostname(host, sizeof(host) - 1);
	emit_time(news->time_ns - news->time_ns % 1000, time);
	if (time[0] != '\0')	/* six digits at most: section 6.2.3 */
		memmove(strchr(time, '.') + 7, "Z", 2);
	fprintf(f, "<%d>1 %s %s mailwitness %ld %s [" SD_ID, priority(news), time[0] != '\0' ? time : "-", host,
		(long)getpid(), news->kind);
	parameter(f, "event", news->event);
	parameter(f, "class", news->class);
	parameter(f, "strength", news->strength);
	parameter(f, "client", news->client);
	parameter(f, "owner", news->owner);
	parameter(f, "account", news->account);
	fputs("] \xef\xbb\xbf", f);	/* what follows is UTF-8: section 6.4 */
	if (strcmp(news->event, "finding") != 0)
		fputs("withdrawn: ", f);
	emit_clean(f, news->sentence);
	fclose(f);
	if (size >= NOTIFY_TEXT_MAX)
		for (size = NOTIFY_TEXT_MAX - 1; size > 0 && (text[size] & 0xc0) == 0x80; size--)
			;
	memcpy(out, text, size);
	out[size] = '\0';
	free(text);
	return size;
}

static int open_local(char *why, size_t why_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	snprintf(why, why_size, "/dev/log: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT". */
static int open_udp(const char *where, char *why, size_t why_size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list;
	const char *end = *where == '[' ? strchr(where, ']') : NULL, *colon = strrchr(end != NULL ? end : where, ':');
	char host[256];
	size_t len = colon != NULL ? (size_t)(colon - where) : strlen(where);
	int fd = -1, rc;

	if (end != NULL) {
		where++;
		len = (size_t)(end - where);
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, where);
	rc = getaddrinfo(host, colon != NULL ? colon + 1 : "514", &hints, &list);
	if (rc != 0) {
		snprintf(why, why_size, "%s: %s", host, gai_strerror(rc));
		return -1;
	}
	for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		snprintf(why, why_size, "%s: %s", host, strerror(errno));
	freeaddrinfo(list);
	return fd;
}

bool notify_syslog(const struct policy_notify *to, const char *secret, const struct notify_news *news, char *why,
		   size_t why_size)
{
	char text[NOTIFY_TEXT_MAX];
	size_t size = notify_syslog_text(news, text);
	int fd = strcmp(to->to, "syslog") == 0 ? open_local(why, why_size) :
						 open_udp(to->to + strlen("syslog://"), why, why_size);
	bool ok = fd >= 0 && send(fd, text, size, 0) == (ssize_t)size;

	(void)secret;
	if (fd >= 0 && !ok)
		snprintf(why, why_size, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

#include "report/serve_part.h"

#include "capture/base.h"
#include "report/secret.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8993"
#define FILE_MAX 65536

#define fail(error, size, ...) (snprintf((error), (size), __VA_ARGS__), false)

static void close_store(void *context)
{
	struct store *st = context;

	store_close(&st);
}

static void link_changed(void *context, struct MHD_Connection *c, void **socket_context,
			 enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct serve *s = context;
	struct serve_link *l = *socket_context, **at;

	pthread_mutex_lock(&s->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED && info != NULL) {
		l = base_alloc(sizeof(*l));
		*l = (struct serve_link){ .next = s->links, .fd = info->connect_fd, .since = time(NULL) };
		*socket_context = s->links = l;
	} else if (code == MHD_CONNECTION_NOTIFY_CLOSED && l != NULL) {
		for (at = &s->links; *at != l; at = &(*at)->next)
			;
		*at = l->next;
		free(l);
		*socket_context = NULL;
	}
	pthread_mutex_unlock(&s->lock);
}

static void request_ended(void *context, struct MHD_Connection *c, void **request,
			  enum MHD_RequestTerminationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct serve *s = context;

	(void)request;
	(void)code;
	pthread_mutex_lock(&s->lock);
	if (info != NULL && info->socket_context != NULL) {
		((struct serve_link *)info->socket_context)->asked = false;
		((struct serve_link *)info->socket_context)->since = time(NULL);
	}
	pthread_mutex_unlock(&s->lock);
}

void serve_tick(struct serve *s)
{
	time_t now = time(NULL);

	pthread_mutex_lock(&s->lock);
	for (struct serve_link *l = s->links; l != NULL; l = l->next)
		if (!l->asked && now - l->since > SERVE_REQUEST_S)
			shutdown(l->fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
}

/* A small file as text; NULL with a line. */
static char *read_file(const char *path, char *error, size_t error_size)
{
	char *text = base_alloc(FILE_MAX + 1);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, FILE_MAX, f) : 0;

	if (f == NULL || ferror(f) || n == 0) {
		snprintf(error, error_size, "%s: %s", path, f == NULL || ferror(f) ? strerror(errno) : "it is empty");
		free(text);
		text = NULL;
	}
	if (f != NULL)
		fclose(f);
	return text;
}

static bool read_token(struct serve *s, const char *path, char *error, size_t error_size)
{
	char *token = secret_read(path, "token", error, error_size);

	if (token == NULL)
		return false;
	serve_set_token(s, token);
	secret_free(&token);
	return true;
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT". Names are not looked up: what is listened on is said. */
static bool read_address(struct serve *s, struct sockaddr_storage *out, char *error, size_t error_size)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	};
	const char *listen = s->settings.listen, *colon = strrchr(listen, ':');
	struct addrinfo *list;
	char host[128];
	size_t n = colon != NULL ? (size_t)(colon - listen) : 0;

	if (n > 2 && listen[0] == '[' && listen[n - 1] == ']') {
		listen++;
		n -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)n, listen);
	if (n == 0 || n >= sizeof(host) || getaddrinfo(host, colon + 1, &hints, &list) != 0)
		return fail(error, error_size, "--listen wants ADDRESS:PORT, not %s", s->settings.listen);
	memcpy(out, list->ai_addr, list->ai_addrlen);
	if (list->ai_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)out;

		s->loopback = IN6_IS_ADDR_LOOPBACK(&a->sin6_addr);
	} else {
		const struct sockaddr_in *a = (const struct sockaddr_in *)out;

		s->loopback = ntohl(a->sin_addr.s_addr) >> 24 == 127;
	}
	freeaddrinfo(list);
	return true;
}

/* Others than this host are let in only with a token, and where nobody on the way reads it. */
static bool is_safe(const struct serve *s, char *error, size_t error_size)
{
	const struct serve_settings *o = &s->settings;

	if ((o->certificate == NULL) != (o->key == NULL))
		return fail(error, error_size, "--tls-cert and --tls-key go together");
	if (!s->loopback && !s->has_token)
		return fail(error, error_size, "%s is not this host alone: --token-file is wanted", o->listen);
	if (!s->loopback && o->certificate == NULL && o->proxy == NULL)
		return fail(error, error_size, "%s is not this host alone: --tls-cert and --tls-key are wanted, or the name of a"
			    " reverse proxy with TLS (--behind-proxy)", o->listen);
	return true;
}

static bool read_settings(struct serve *s, struct sockaddr_storage *address, char *error, size_t error_size)
{
	const struct serve_settings *o = &s->settings;

	return read_address(s, address, error, error_size) &&
	       (o->token_file == NULL || read_token(s, o->token_file, error, error_size)) &&
	       is_safe(s, error, error_size) &&
	       (o->certificate == NULL || ((s->certificate = read_file(o->certificate, error, error_size)) != NULL &&
					   (s->key = read_file(o->key, error, error_size)) != NULL));
}

/* With the port that the kernel chose, where it was asked to. */
static void say_url(const struct serve *s, char url_out[256])
{
	const char *colon = strrchr(s->settings.listen, ':');
	struct sockaddr_storage at = { 0 };
	socklen_t size = sizeof(at);
	unsigned port = 0;

	if (getsockname(s->listener, (struct sockaddr *)&at, &size) == 0)
		port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port :
							((struct sockaddr_in *)&at)->sin_port);
	snprintf(url_out, 256, "http%s://%.*s:%u/", s->certificate != NULL ? "s" : "", (int)(colon - s->settings.listen),
		 s->settings.listen, port);
}

static bool listen_on(struct serve *s, const struct sockaddr_storage *address, char *error, size_t error_size)
{
	const socklen_t size = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	const int yes = 1;

	s->listener = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0 || setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    (address->ss_family == AF_INET6 &&
	     setsockopt(s->listener, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0) ||
	    bind(s->listener, (const struct sockaddr *)address, size) != 0 || listen(s->listener, SOMAXCONN) != 0)
		return fail(error, error_size, "cannot listen on %s: %s", s->settings.listen, strerror(errno));
	return true;
}

bool serve_start(struct serve *s, char *error, size_t error_size)
{
	unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			 (s->certificate != NULL ? MHD_USE_TLS : 0);
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate }, { MHD_OPTION_HTTPS_MEM_KEY, 0, s->key },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (!serve_live_start(s->live, error, error_size))
		return false;
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, serve_answer, s,
				     MHD_OPTION_LISTEN_SOCKET, s->listener,
				     MHD_OPTION_THREAD_POOL_SIZE, SERVE_THREADS,
				     MHD_OPTION_CONNECTION_LIMIT, SERVE_CONNECTIONS,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVE_CONNECTION_MEMORY,
				     MHD_OPTION_CONNECTION_TIMEOUT, SERVE_REQUEST_S,
				     MHD_OPTION_STRICT_FOR_CLIENT, 1,
				     MHD_OPTION_NOTIFY_CONNECTION, link_changed, s,
				     MHD_OPTION_NOTIFY_COMPLETED, request_ended, s,
				     s->certificate != NULL ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
	return s->daemon != NULL || fail(error, error_size, "cannot serve on %s%s", s->settings.listen,
					 s->certificate != NULL ? ": the certificate or its key is no good" : "");
}

struct serve *serve_begin(const struct serve_settings *settings, char url_out[256], char *error, size_t error_size)
{
	struct serve *s = base_alloc(sizeof(*s));
	struct sockaddr_storage address = { 0 };

	s->settings = *settings;
	s->listener = -1;
	if (s->settings.listen == NULL)
		s->settings.listen = DEFAULT_LISTEN;
	pthread_mutex_init(&s->lock, NULL);
	base_checked(pthread_key_create(&s->store, close_store) == 0 ? s : NULL);
	if (!read_settings(s, &address, error, error_size) ||
	    (s->live = serve_live_begin(s, s->settings.path, error, error_size)) == NULL ||
	    !listen_on(s, &address, error, error_size)) {
		serve_end(&s);
		return NULL;
	}
	say_url(s, url_out);
	return s;
}

void serve_end(struct serve **serve)
{
	struct serve *s = *serve;

	if (s->live != NULL)
		serve_live_stop(s->live);
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);	/* and closes its socket */
	else if (s->listener >= 0)
		close(s->listener);
	serve_live_end(&s->live);
	serve_forget_all(s);
	if (s->key != NULL)
		OPENSSL_cleanse(s->key, strlen(s->key));
	free(s->key);
	free(s->certificate);
	pthread_key_delete(s->store);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*serve = NULL;
}

#include "report/serve_part.h"

#include "capture/base.h"
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

static const struct route {
	const char *path;		/* "*" in it is a number */
	const char *page;
	serve_maker *make;
	const char *type, *file;	/* file: it is saved under this name */
	bool kept;			/* in the cache */
} routes[] = {
	{ "/", "", serve_overview, "text/html; charset=utf-8", NULL, true },
	{ "/clients/*", "", serve_client, "text/html; charset=utf-8", NULL, true },
	{ "/findings", "findings", serve_findings, "text/html; charset=utf-8", NULL, true },
	{ "/findings/*", "findings", serve_finding, "text/html; charset=utf-8", NULL, true },
	{ "/findings/*/evidence.pcapng", "", serve_evidence, "application/vnd.tcpdump.pcap", "evidence.pcapng", false },
	{ "/findings/*/letter.txt", "", serve_letter, "text/plain; charset=utf-8", "letter.txt", false },
	{ "/destinations", "destinations", serve_destinations, "text/html; charset=utf-8", NULL, true },
	{ "/api/report", "", serve_report, "application/json", NULL, true },
	{ "/report.html", "", serve_report_page, "text/html; charset=utf-8", "report.html", true },
	{ "/metrics", "", serve_metrics, "text/plain; version=0.0.4; charset=utf-8", NULL, false },
};

static void count(struct serve *s, unsigned status)
{
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < SERVE_STATUSES; i++) {
		if (s->statuses[i] == status || s->statuses[i] == 0) {
			s->statuses[i] = status;
			s->counts[i]++;
			break;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

/* What every answer is sent with: nothing of it is kept elsewhere, framed, guessed at or told to others. */
static void guard(struct MHD_Response *r, const char *type)
{
	char policy[HTML_POLICY_SIZE];

	html_policy(SERVE_ALLOW "; frame-ancestors 'none'", policy);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, "Content-Security-Policy", policy);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "X-Frame-Options", "DENY");
	MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(r, "Cross-Origin-Resource-Policy", "same-origin");
	MHD_add_response_header(r, "Cross-Origin-Opener-Policy", "same-origin");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

static enum MHD_Result refuse(struct serve *s, struct MHD_Connection *c, unsigned status, const char *why)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(why), (void *)(uintptr_t)why,
								 MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	guard(r, "text/plain; charset=utf-8");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"mailwitness\", charset=\"UTF-8\"");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	count(s, status);
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

/* Whether the route has this path, and the number in it. */
static bool leads(const struct route *route, const char *path, int64_t *id_out)
{
	const char *pattern = route->path;

	for (; *pattern != '\0' && *path != '\0'; pattern++) {
		if (*pattern == '*') {
			size_t n = strspn(path, "0123456789");

			if (n == 0 || n > 9 || path[0] == '0')
				return false;
			*id_out = strtoll(path, NULL, 10);
			path += n;
		} else if (*pattern != *path++) {
			return false;
		}
	}
	return *pattern == '\0' && *path == '\0';
}

static struct store *store_of(struct serve *s, char *error, size_t error_size)
{
	struct store *st = pthread_getspecific(s->store);

	if (st == NULL) {
		st = store_view(s->settings.path, error, error_size);
		pthread_setspecific(s->store, st);
	}
	return st;
}

/* All that a page shows is of one moment. */
static enum serve_made make(const struct route *route, const struct serve_request *r, char **text_out, size_t *size_out)
{
	FILE *out = base_checked(open_memstream(text_out, size_out));
	enum serve_made made = SERVE_FAILED;

	if (store_exec(r->st, "BEGIN")) {
		made = route->make(r, out);
		if (made == SERVE_FAILED)
			base_log("serve: %s: %s", route->path, store_error(r->st));
		store_exec(r->st, "COMMIT");
	}
	fclose(out);
	return made;
}

static const char *argument(struct MHD_Connection *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);

	return value != NULL ? value : "";
}

/* An answer in memory, which is counted as long as it is there. */
struct held {
	struct serve *serve;
	char *text;
	size_t size;
};

static void let_go(void *context)
{
	struct held *h = context;

	atomic_fetch_sub(&h->serve->held_bytes, h->size);
	free(h->text);
	free(h);
}

static struct MHD_Response *held_response(struct serve *s, char *text, size_t size)
{
	struct held *h = base_alloc(sizeof(*h));

	*h = (struct held){ s, text, size };
	atomic_fetch_add(&s->held_bytes, size);
	return base_checked(MHD_create_response_from_buffer_with_free_callback_cls(size, text, let_go, h));
}

static enum MHD_Result send_made(struct serve *s, struct MHD_Connection *c, const struct route *route,
				 const struct serve_request *r, const char *key)
{
	uint64_t generation = serve_live_generation(s->live);
	struct MHD_Response *response = NULL;
	enum serve_made made;
	enum MHD_Result result;
	char *text = NULL, name[80];
	size_t size;

	pthread_mutex_lock(&s->lock);
	if (route->kept)
		response = serve_cached(s, key, generation);
	result = response != NULL ? MHD_queue_response(c, MHD_HTTP_OK, response) : MHD_NO;
	pthread_mutex_unlock(&s->lock);
	if (response != NULL) {
		count(s, MHD_HTTP_OK);
		return result;
	}
	if (s->held_bytes > SERVE_HELD_BYTES)
		return refuse(s, c, MHD_HTTP_SERVICE_UNAVAILABLE, "Too much is being sent already.\n");
	made = make(route, r, &text, &size);
	if (made != SERVE_MADE) {
		free(text);
		return made == SERVE_NONE ? refuse(s, c, MHD_HTTP_NOT_FOUND, "There is no such thing in this case.\n") :
					    refuse(s, c, MHD_HTTP_INTERNAL_SERVER_ERROR, "The case could not be read.\n");
	}
	response = held_response(s, text, size);
	guard(response, route->type);
	if (route->file != NULL) {
		if (r->id != 0)
			snprintf(name, sizeof(name), "attachment; filename=\"finding-%lld-%s\"", (long long)r->id, route->file);
		else
			snprintf(name, sizeof(name), "attachment; filename=\"%s\"", route->file);
		MHD_add_response_header(response, "Content-Disposition", name);
	}
	count(s, MHD_HTTP_OK);
	result = MHD_queue_response(c, MHD_HTTP_OK, response);
	pthread_mutex_lock(&s->lock);
	if (route->kept)
		serve_keep(s, key, generation, response, size);
	else
		MHD_destroy_response(response);
	pthread_mutex_unlock(&s->lock);
	return result;
}

static enum MHD_Result send_page(struct serve *s, struct MHD_Connection *c, const struct route *route, int64_t id)
{
	struct serve_request r = {
		.serve = s, .id = id, .page = route->page, .query = argument(c, "q"), .class = argument(c, "class"),
		.strength = argument(c, "strength"), .verdict = argument(c, "verdict"),
	};
	char error[512], key[4 * SERVE_QUERY + 128];

	if (strlen(r.query) > SERVE_QUERY || strlen(r.class) > SERVE_QUERY || strlen(r.strength) > SERVE_QUERY ||
	    strlen(r.verdict) > SERVE_QUERY)
		return refuse(s, c, MHD_HTTP_BAD_REQUEST, "That is too long to search for.\n");
	r.st = store_of(s, error, sizeof(error));
	if (r.st == NULL) {
		base_log("serve: %s", error);
		return refuse(s, c, MHD_HTTP_SERVICE_UNAVAILABLE, "The case could not be opened.\n");
	}
	/* With their lengths, so that no search is another's. */
	snprintf(key, sizeof(key), "%s %lld %zu %zu %zu %s %s %s %s", route->path, (long long)id, strlen(r.query),
		 strlen(r.class), strlen(r.strength), r.query, r.class, r.strength, r.verdict);
	return send_made(s, c, route, &r, key);
}

/* Text that is part of the program. */
static enum MHD_Result send_fixed(struct serve *s, struct MHD_Connection *c, unsigned status, const char *type, const char *text)
{
	struct MHD_Response *r = base_checked(MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
									      MHD_RESPMEM_PERSISTENT));
	enum MHD_Result result;

	guard(r, type);
	count(s, status);
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result send_stream(struct serve *s, struct MHD_Connection *c)
{
	const char *last = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Last-Event-ID");
	struct MHD_Response *r = serve_live_stream(s->live, c, last != NULL ? strtoull(last, NULL, 10) : UINT64_MAX);
	enum MHD_Result result;

	if (r == NULL)
		return refuse(s, c, MHD_HTTP_SERVICE_UNAVAILABLE, "Too many look on already.\n");
	guard(r, "text/event-stream");
	count(s, MHD_HTTP_OK);
	result = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return result;
}

enum MHD_Result serve_answer(void *context, struct MHD_Connection *c, const char *path, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **request)
{
	static const char begun;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct serve *s = context;
	int64_t id = 0;

	(void)version;
	(void)upload;
	if (*request == NULL) {		/* the headers are there */
		pthread_mutex_lock(&s->lock);
		if (info != NULL && info->socket_context != NULL)
			((struct serve_link *)info->socket_context)->asked = true;
		pthread_mutex_unlock(&s->lock);
		*request = (void *)(uintptr_t)&begun;
		if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
			return refuse(s, c, MHD_HTTP_METHOD_NOT_ALLOWED, "This can only be read.\n");
		return MHD_YES;
	}
	if (*upload_size > 0)
		return MHD_NO;		/* a body that nobody asked for: the connection ends */
	if (!serve_is_our_name(s, c))
		return refuse(s, c, MHD_HTTP_MISDIRECTED_REQUEST, "It is not known here by that name.\n");
	if (!serve_may_ask(s, c))
		return refuse(s, c, MHD_HTTP_UNAUTHORIZED, "The token is wanted, as Bearer or as the password.\n");
	if (strcmp(path, "/events") == 0)
		return send_stream(s, c);
	if (strcmp(path, "/script.js") == 0)
		return send_fixed(s, c, MHD_HTTP_OK, "text/javascript; charset=utf-8", serve_script);
	if (strcmp(path, "/favicon.ico") == 0)	/* browsers ask, and tell their console of a 404 */
		return send_fixed(s, c, MHD_HTTP_NO_CONTENT, "image/x-icon", "");
	for (unsigned i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (leads(&routes[i], path, &id))
			return send_page(s, c, &routes[i], id);
	return refuse(s, c, MHD_HTTP_NOT_FOUND, "There is no such page.\n");
}

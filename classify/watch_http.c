/* HTTP/1 (RFC 9112): recognised by its request line, or by a status line when the begin was not seen.
 * CONNECT (RFC 9110 section 9.3.6) makes the flow carry another's. Of requests the line and Host are read, for
 * a mail address in them; no other field, and no body. */
#include "classify/disclosure.h"
#include "classify/mail_line.h"

#define HTTP_LINE_MAX 16384u	/* servers commonly take 8 KB */

struct http {
	bool sides_known;
	enum fact_side client;
	bool in_fields;			/* behind a request line */
	bool wants_host;		/* its target discloses an address */
	bool body_may_follow;		/* lines are no longer known to be requests */
};

static enum watch_match recognise(const struct watch *self, struct bytes first)
{
	static const char *const begins[] = {
		"GET /", "POST /", "HEAD /", "PUT /", "DELETE /", "OPTIONS /", "OPTIONS * HTTP/", "PATCH /",
		"TRACE /", "PROPFIND /", "REPORT /", "GET http://", "POST http://", "HEAD http://", "CONNECT ",
		"HTTP/1.", NULL,
	};
	enum mail_speaker who = mail_begins(first, begins, SPEAKER_CLIENT);

	(void)self;
	return who == SPEAKER_NOBODY ? WATCH_NO : who == SPEAKER_MAYBE ? WATCH_MAYBE : WATCH_YES;
}

/* A request to a proxy: for a tunnel, or for a whole URL. */
static bool to_proxy(const struct bytes *line)
{
	struct bytes rest = *line;
	struct bytes method = bytes_word(&rest);
	size_t n;

	return bytes_is(&method, "CONNECT") || (!bytes_until(&method, ':', &n) && bytes_begins(&rest, "http://"));
}

/* Methods whose requests have no body (RFC 9110 section 9.3). */
static bool bodiless(struct bytes method)
{
	return bytes_is(&method, "GET") || bytes_is(&method, "HEAD") || bytes_is(&method, "OPTIONS");
}

static void request_line(struct http *http, struct bytes line, uint64_t frame, struct watch_facts *facts)
{
	struct bytes method = bytes_word(&line), target = bytes_word(&line);

	http->in_fields = true;
	http->body_may_follow = !bodiless(method);
	if (!bytes_begins(&line, "HTTP/1.") || facts->has_disclosure ||
	    !disclosure_target(target, &facts->disclosure))
		return;
	facts->has_disclosure = true;
	facts->disclosure.flow = facts->flow;
	facts->disclosure.frame = frame;
	facts->disclosure.time_ns = facts->now_ns;
	http->wants_host = facts->disclosure.host[0] == '\0';
}

static void client_line(struct http *http, struct bytes line, uint64_t frame, struct watch_facts *facts)
{
	bool empty = bytes_left(&line) == 0;

	if (http->in_fields && empty) {
		http->in_fields = http->wants_host = false;
	} else if (http->wants_host && bytes_begins(&line, "Host:")) {
		bytes_skip(&line, 5);
		disclosure_host(line, facts->disclosure.host);
		http->wants_host = false;
	} else if (!http->in_fields && !http->body_may_follow && !empty) {
		request_line(http, line, frame, facts);
	}
}

/* Whole lines of the client are looked at, since a proxy may first ask for a password (RFC 9110 section
 * 11.7) or carry other requests; that a body may hold such a line costs no more than a doubt. */
static enum watch_answer feed(const struct watch *self, void *state, enum fact_side from,
			      struct bytes in, uint64_t frame, size_t *used_out, struct watch_facts *facts)
{
	struct http *http = state;
	struct bytes text;
	size_t n;
	bool line;

	(void)self;
	*used_out = 0;
	while ((line = bytes_until(&in, '\n', &n)) || bytes_left(&in) > HTTP_LINE_MAX) {
		bool answer = bytes_begins(&in, "HTTP/1.");

		if (!http->sides_known) {
			facts->flip = (from == SIDE_ORIGINATOR) == answer;
			http->client = answer ? (enum fact_side)!from : from;
			http->sides_known = true;
		}
		if (from == http->client && line) {
			struct bytes rest = in;

			if (mail_line(&rest, &text) == PARSE_OK)
				client_line(http, text, frame, facts);
		}
		facts->opaque = from == http->client && to_proxy(&in);
		if (facts->opaque || from != http->client || !line) {
			*used_out = in.len;
			return facts->opaque ? WATCH_DONE : WATCH_MORE;
		}
		bytes_skip(&in, n + 1);
		*used_out = in.pos;
	}
	return WATCH_MORE;
}

static enum watch_answer gap(void *state, enum fact_side from, struct watch_facts *facts)
{
	(void)state;
	(void)from;
	(void)facts;
	return WATCH_DONE;
}

const struct watch watch_http = {
	.name = "http",
	.size = sizeof(struct http),
	.recognise = recognise,
	.feed = feed,
	.gap = gap,
};

/* HTTP/1 (RFC 9112): recognised by its request line, or by a status line when the begin was not seen.
 * CONNECT (RFC 9110 section 9.3.6) makes the flow carry another's. */
#include "classify/mail_line.h"

#define HTTP_LINE_MAX 16384u	/* servers commonly take 8 KB */

struct http {
	bool nothing;		/* a watcher's state may not be empty */
};

static enum watch_match recognise(struct bytes first, enum fact_side from)
{
	static const char *const begins[] = {
		"GET /", "POST /", "HEAD /", "PUT /", "DELETE /", "OPTIONS /", "OPTIONS * HTTP/", "PATCH /",
		"TRACE /", "PROPFIND /", "REPORT /", "GET http://", "POST http://", "HEAD http://", "CONNECT ",
		"HTTP/1.", NULL,
	};
	enum mail_speaker who = mail_begins(first, begins, SPEAKER_CLIENT);

	(void)from;
	return who == SPEAKER_NOBODY ? WATCH_NO : who == SPEAKER_MAYBE ? WATCH_MAYBE : WATCH_YES;
}

static enum watch_answer feed(void *state, enum fact_side from, struct bytes in, uint64_t frame,
			      size_t *used_out, struct watch_facts *facts)
{
	size_t n;

	(void)state;
	(void)frame;
	*used_out = 0;
	if (!bytes_until(&in, '\n', &n) && bytes_left(&in) <= HTTP_LINE_MAX)
		return WATCH_MORE;
	facts->flip = (from == SIDE_ORIGINATOR) == bytes_begins(&in, "HTTP/1.");
	facts->opaque = bytes_begins(&in, "CONNECT ");
	*used_out = bytes_left(&in);
	return WATCH_DONE;
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

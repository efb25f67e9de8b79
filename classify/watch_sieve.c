/* ManageSieve (RFC 5804): the dialogue in clear, up to STARTTLS.
 *
 * The server speaks first, in lines of quoted capabilities closed by OK. Strings may be literals on both
 * sides; scripts pass as such and are not kept. */
#include "classify/mail_line.h"

#include "capture/base.h"

enum sieve_command { ASKED_OTHER = 1, ASKED_CAPABILITY, ASKED_STARTTLS, ASKED_AUTHENTICATE };

struct sieve {
	struct mail_talk talk;
	struct mail_queue asked;
	uint64_t literal[2];		/* bytes still to come, by server and client */
	bool in_string[2];		/* the line goes on behind a literal */
	bool sasl_literal;		/* the client's literal is a SASL response */
	bool listing;			/* capability lines were read since the last OK */
	bool listed;			/* ... from IMPLEMENTATION on, with which servers begin */
};

static enum mail_speaker speaker(struct bytes first)
{
	static const char *const server[] = {
		"\"IMPLEMENTATION\" ", "\"SASL\" ", "\"SIEVE\" ", "\"STARTTLS\"\r", "\"NOTIFY\" ", "\"VERSION\" ", NULL,
	};
	static const char *const client[] = {
		"AUTHENTICATE \"", "PUTSCRIPT \"", "LISTSCRIPTS\r", "HAVESPACE \"", "SETACTIVE \"", NULL,
	};
	enum mail_speaker who = mail_begins(first, server, SPEAKER_SERVER);

	return who != SPEAKER_NOBODY ? who : mail_begins(first, client, SPEAKER_CLIENT);
}

/* A SASL response as a quoted string. */
static void response(struct mail_talk *t, struct bytes text)
{
	while (bytes_begins(&text, " "))
		bytes_skip(&text, 1);
	if (!bytes_begins(&text, "\""))
		return;
	bytes_skip(&text, 1);

	size_t n;

	if (bytes_until(&text, '"', &n))
		mail_sasl_response(t, bytes_sub(&text, n));
}

/* A challenge as a quoted string; of one in a literal only is known that it came. */
static void challenge(struct mail_talk *t, struct bytes line)
{
	size_t n = 0;

	if (bytes_begins(&line, "\"")) {
		bytes_skip(&line, 1);
		(void)bytes_until(&line, '"', &n);
	}
	mail_sasl_challenge(t, bytes_sub(&line, n));
}

static enum sieve_command begin_authenticate(struct sieve *w, struct bytes line)
{
	char mechanism[FACT_WORD_SIZE] = "";
	uint32_t len;

	mail_letter(&w->talk, 'A');
	(void)mail_string(&line, mechanism, sizeof(mechanism), &len);
	mail_login_begin(&w->talk, bytes_of(mechanism, strlen(mechanism)));
	response(&w->talk, line);
	return ASKED_AUTHENTICATE;
}

static enum sieve_command command(struct sieve *w, struct bytes line)
{
	struct bytes verb = bytes_word(&line);

	if (bytes_is(&verb, "AUTHENTICATE"))
		return begin_authenticate(w, line);
	if (bytes_is(&verb, "STARTTLS")) {
		mail_starttls_asked(&w->talk);
		return ASKED_STARTTLS;
	}
	if (bytes_is(&verb, "CAPABILITY")) {
		mail_letter(&w->talk, 'C');
		return ASKED_CAPABILITY;
	}
	mail_letter(&w->talk, bytes_is(&verb, "LOGOUT") ? 'Q' : 'X');
	return ASKED_OTHER;
}

/* Whether the line goes on with a literal; it is then the next to come. */
static void string_follows(struct sieve *w, bool client, struct bytes line)
{
	bool sync;

	w->in_string[client] = mail_literal(line, &w->literal[client], &sync);
}

static enum watch_answer client_line(struct sieve *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;
	bool kept = true;

	if (w->in_string[true])
		;				/* what is behind a literal has no verb */
	else if (t->login.active)
		response(t, line);
	else if (bytes_left(&line) > 0)
		kept = mail_queue_push(&w->asked, (uint8_t)command(w, line));
	string_follows(w, true, line);
	w->sasl_literal = w->in_string[true] && t->login.active;
	return kept ? WATCH_MORE : WATCH_DONE;
}

static void capability(struct sieve *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;
	char keyword[FACT_WORD_SIZE], value[FACT_TEXT_SIZE];
	uint32_t len;

	if (!mail_string(&line, keyword, sizeof(keyword), &len) || t->authenticated)
		return;
	w->listed = w->listed || (!w->listing && strcasecmp(keyword, "IMPLEMENTATION") == 0);
	w->listing = true;
	t->mail->starttls_offered = t->mail->starttls_offered || strcasecmp(keyword, "STARTTLS") == 0;
	t->masked_keyword = t->masked_keyword || mail_masked(bytes_of(keyword, strlen(keyword)), "STARTTLS");
	if (strcasecmp(keyword, "IMPLEMENTATION") == 0 && t->mail->banner[0] == '\0' &&
	    mail_string(&line, value, sizeof(value), &len))
		mail_text(t->mail->banner, sizeof(t->mail->banner), bytes_of(value, strlen(value)));
}

/* An answer: OK, or how it was refused. */
static enum watch_answer status(struct sieve *w, bool ok, const char *refusal)
{
	struct mail_talk *t = &w->talk;
	uint8_t asked = mail_queue_front(&w->asked);

	if (!t->mail->greeting_seen && asked == 0 && !t->late) {
		t->mail->greeting_seen = true;
		mail_letter(t, 'h');
	}
	if (ok && w->listed && !t->authenticated) {
		/* Without a greeting it may be a list behind a login, where STARTTLS is rightly missing. */
		t->mail->offers_seen = t->mail->greeting_seen || t->mail->starttls_offered;
		mail_letter(t, 'c');
	}
	w->listing = w->listed = false;
	mail_queue_pop(&w->asked);
	if (asked == ASKED_STARTTLS)
		return ok ? mail_starttls_agreed(t) : mail_starttls_refused(t, refusal);
	if (asked == ASKED_AUTHENTICATE)
		mail_login_end(t, ok);
	return WATCH_MORE;
}

static enum watch_answer server_line(struct sieve *w, struct bytes line)
{
	struct bytes rest = line;
	struct bytes word = bytes_word(&rest);
	bool continued = w->in_string[false];

	string_follows(w, false, line);
	if (continued)
		return WATCH_MORE;
	if (bytes_is(&word, "OK"))
		return status(w, true, "");
	if (bytes_is(&word, "NO") || bytes_is(&word, "BYE"))
		return status(w, false, bytes_is(&word, "NO") ? "NO" : "BYE");
	if (w->talk.login.active)
		challenge(&w->talk, line);
	else if (mail_queue_front(&w->asked) <= ASKED_CAPABILITY && bytes_begins(&line, "\""))
		capability(w, line);
	return WATCH_MORE;
}

static bool body(void *state, bool client, struct bytes *in)
{
	struct sieve *w = state;
	uint64_t *left = &w->literal[client];
	size_t n = bytes_left(in) < *left ? bytes_left(in) : (size_t)*left;

	if (*left == 0)
		return false;
	if (client && w->sasl_literal && *left <= MAIL_LINE_MAX) {
		if (n < *left)
			return true;
		w->sasl_literal = false;
		mail_sasl_response(&w->talk, bytes_sub(in, n));
	} else {
		bytes_skip(in, n);
	}
	*left -= n;
	return true;
}

static enum watch_answer line(void *state, bool client, struct bytes text)
{
	return client ? client_line(state, text) : server_line(state, text);
}

static bool begun(const void *state, struct bytes begin, struct mail_login *out)
{
	const struct sieve *w = state;
	struct bytes verb = bytes_word(&begin), mechanism = bytes_word(&begin);

	if (w->in_string[true] || !bytes_is(&verb, "AUTHENTICATE") ||
	    !bytes_is(&mechanism, "\"PLAIN\""))
		return false;
	base_copy(out->mechanism, sizeof(out->mechanism), "PLAIN");
	return bytes_begins(&begin, "\"") && bytes_left(&begin) > 1;
}

static const struct mail_reader reader = {
	.proto = MAIL_SIEVE,
	.speaker = speaker,
	.body = body,
	.line = line,
	.begun = begun,
};

const struct watch watch_sieve = {
	.name = "sieve",
	.size = sizeof(struct sieve),
	.mail = &reader,
	.recognise = mail_recognise,
	.feed = mail_feed,
	.gap = mail_gap,
};

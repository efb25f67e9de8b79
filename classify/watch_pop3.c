/* POP3 (RFC 1939, 2449, 2595, 5034): the dialogue in clear, up to STLS.
 *
 * Answers come in the order of the commands; some are one line, some go on to a line of one dot. */
#include "classify/mail_line.h"

#include "capture/base.h"

enum pop3_command { ASKED_OTHER = 1, ASKED_LIST, ASKED_CAPA, ASKED_MAIL, ASKED_STLS, ASKED_PASSWORD,
		    ASKED_SASL };

struct pop3 {
	struct mail_talk talk;
	struct mail_queue asked;
	bool in_list;			/* the lines of CAPA's answer */
	bool in_body;			/* another answer that ends with a dot */
	uint8_t dot;
};

/* A bare +OK is Redis' answer too, and USER is FTP's as well: neither decides alone. */
static enum mail_speaker speaker(struct bytes first)
{
	static const char *const client[] = {
		"CAPA\r\n", "CAPA\n", "STLS\r\n", "APOP ", "AUTH PLAIN\r\n", "AUTH LOGIN\r\n", "AUTH\r\n", NULL,
	};
	static const char *const server[] = { "+OK ", NULL };
	static const char *const undecided[] = { "+OK\r", "USER ", NULL };
	enum mail_speaker who = mail_begins(first, server, SPEAKER_SERVER);

	if (who != SPEAKER_NOBODY)
		return who;
	who = mail_begins(first, undecided, SPEAKER_MAYBE);
	return who != SPEAKER_NOBODY ? who : mail_begins(first, client, SPEAKER_CLIENT);
}

static enum pop3_command begin_auth(struct pop3 *w, struct bytes line)
{
	struct bytes mechanism = bytes_word(&line);

	if (bytes_left(&mechanism) == 0)
		return ASKED_LIST;	/* a bare AUTH asks for the mechanisms */
	mail_letter(&w->talk, 'A');
	mail_login_begin(&w->talk, mechanism);
	if (bytes_left(&line) > 0)
		mail_sasl_response(&w->talk, line);
	return ASKED_SASL;
}

/* USER and PASS are two commands of one login. */
static enum pop3_command password(struct pop3 *w, struct bytes line)
{
	if (w->talk.login.mechanism[0] == '\0') {
		/* USER was not seen. */
		mail_login_begin(&w->talk, bytes_of("USER", 4));
		w->talk.login.active = false;
	}
	mail_letter(&w->talk, 'L');
	mail_login_seen(&w->talk, CREDENTIAL_REUSABLE, line);
	return ASKED_PASSWORD;
}

/* RFC 1939 section 7: APOP name digest. */
static enum pop3_command digest(struct pop3 *w, struct bytes verb, struct bytes line)
{
	struct mail_talk *t = &w->talk;

	mail_letter(t, 'L');
	mail_login_begin(t, verb);
	t->login.active = false;	/* no SASL exchange */
	mail_text(t->login.account, sizeof(t->login.account), bytes_word(&line));
	if (bytes_left(&line) > 0)
		mail_login_seen(t, CREDENTIAL_GUESSABLE, line);
	return ASKED_PASSWORD;
}

static enum pop3_command command(struct pop3 *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;
	struct bytes verb = bytes_word(&line);
	bool bare = bytes_left(&line) == 0;

	if (bytes_is(&verb, "USER")) {
		mail_letter(t, 'L');
		mail_login_begin(t, verb);
		t->login.active = false;
		/* What is behind the name, against RFC 1939 section 7, may be the password. */
		mail_text(t->login.account, sizeof(t->login.account), bytes_word(&line));
		return ASKED_OTHER;
	}
	if (bytes_is(&verb, "PASS"))
		return password(w, line);
	if (bytes_is(&verb, "APOP"))
		return digest(w, verb, line);
	if (bytes_is(&verb, "AUTH"))
		return begin_auth(w, line);
	if (bytes_is(&verb, "STLS")) {
		mail_starttls_asked(t);
		return ASKED_STLS;
	}
	if (bytes_is(&verb, "CAPA")) {
		mail_letter(t, 'C');
		return ASKED_CAPA;
	}
	mail_letter(t, bytes_is(&verb, "QUIT") ? 'Q' : 'X');
	if (bytes_is(&verb, "RETR") || bytes_is(&verb, "TOP"))
		return ASKED_MAIL;
	return bare && (bytes_is(&verb, "LIST") || bytes_is(&verb, "UIDL") || bytes_is(&verb, "LANG")) ?
		       ASKED_LIST : ASKED_OTHER;
}

static enum watch_answer client_line(struct pop3 *w, struct bytes line)
{
	if (w->talk.login.active) {
		mail_sasl_response(&w->talk, line);
		return WATCH_MORE;
	}
	/* With more open runs than the queue holds, answers can no longer be told apart. */
	return mail_queue_push(&w->asked, (uint8_t)command(w, line)) ? WATCH_MORE : WATCH_DONE;
}

/* A line of CAPA's answer. Behind a login STLS is not offered any more, rightly (RFC 2595 section 4). */
static void capability(struct pop3 *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;

	if (bytes_is(&line, ".")) {
		mail_letter(t, 'c');
		w->in_list = false;
		t->mail->offers_seen = t->mail->offers_seen || (!t->authenticated && t->mail->greeting_seen);
		return;
	}

	struct bytes keyword = mail_keyword(&line);

	if (t->authenticated)
		return;
	t->mail->starttls_offered = t->mail->starttls_offered || bytes_is(&keyword, "STLS");
	t->masked_keyword = t->masked_keyword || mail_masked(keyword, "STLS");
}

static void greeting(struct mail_talk *t, struct bytes text)
{
	t->mail->greeting_seen = true;
	mail_letter(t, 'h');
	mail_text(t->mail->banner, sizeof(t->mail->banner), text);
}

static enum watch_answer server_line(struct pop3 *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;

	if (w->in_list) {
		capability(w, line);
		return WATCH_MORE;
	}

	struct bytes status = bytes_word(&line);
	uint8_t asked = mail_queue_front(&w->asked);
	bool ok = bytes_is(&status, "+OK");

	if (bytes_is(&status, "+")) {
		mail_sasl_challenge(t, line);
		return WATCH_MORE;
	}
	if (!ok && !bytes_is(&status, "-ERR"))
		return WATCH_DONE;
	if (asked == 0) {
		if (t->mail->dialogue[0] == '\0' && ok && !t->late)
			greeting(t, line);
		return WATCH_MORE;
	}
	mail_queue_pop(&w->asked);
	if (asked == ASKED_STLS)
		return ok ? mail_starttls_agreed(t) : mail_starttls_refused(t, "-ERR");
	if (asked == ASKED_PASSWORD || asked == ASKED_SASL)
		mail_login_end(t, ok);
	w->in_list = ok && asked == ASKED_CAPA;
	w->in_body = ok && (asked == ASKED_LIST || asked == ASKED_MAIL);
	w->dot = 0;
	if (ok && asked == ASKED_MAIL) {
		t->mail->mail_moved = true;
		mail_letter(t, 'm');
	}
	return WATCH_MORE;
}

static bool body(void *state, bool client, struct bytes *in)
{
	struct pop3 *w = state;

	if (client || !w->in_body)
		return false;
	w->in_body = !mail_dot_end(&w->dot, in);
	return true;
}

static enum watch_answer line(void *state, bool client, struct bytes text)
{
	return client ? client_line(state, text) : server_line(state, text);
}

static bool begun(const void *state, struct bytes begin, struct mail_login *out)
{
	const struct pop3 *w = state;
	struct bytes verb = bytes_word(&begin);

	if (bytes_is(&verb, "AUTH"))
		return mail_sasl_begun(begin, out);
	base_copy(out->mechanism, sizeof(out->mechanism), "USER");
	base_copy(out->account, sizeof(out->account), w->talk.login.account);
	return bytes_is(&verb, "PASS") && bytes_left(&begin) > 0;
}

static const struct mail_reader reader = {
	.proto = MAIL_POP3,
	.speaker = speaker,
	.body = body,
	.line = line,
	.begun = begun,
};

const struct watch watch_pop3 = {
	.name = "pop3",
	.size = sizeof(struct pop3),
	.mail = &reader,
	.recognise = mail_recognise,
	.feed = mail_feed,
	.gap = mail_gap,
};

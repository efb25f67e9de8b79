/* SMTP, submission and LMTP (RFC 5321, 3207, 4954, 3030, 2033): the dialogue in clear, up to STARTTLS.
 *
 * Answers come in the order of the commands, so a queue of what was asked says what an answer is to. */
#include "classify/smtp_text.h"

#include "capture/base.h"

enum smtp_command { ASKED_OTHER = 1, ASKED_EHLO, ASKED_HELO, ASKED_STARTTLS, ASKED_AUTH, ASKED_DATA,
		    ASKED_RCPT, ASKED_XCLIENT };

struct smtp {
	struct mail_talk talk;
	struct mail_queue asked;
	bool lmtp;
	bool in_greeting;		/* as below, of the greeting */
	bool in_reply;			/* lines of a reply were read, its last is still to come */
	bool in_data, data_agreed;	/* the message follows; the server said so */
	uint8_t dot;
	uint8_t claim[16];		/* of XCLIENT, not answered yet; zero is none */
	uint32_t recipients;		/* accepted: LMTP answers for each after the message */
	uint64_t chunk;			/* bytes of a BDAT chunk still to come */
};

static void client_name(struct smtp *w, struct bytes name)
{
	mail_text(w->talk.mail->client_id, sizeof(w->talk.mail->client_id), name);
}

static enum smtp_command begin_auth(struct smtp *w, struct bytes line)
{
	struct bytes mechanism = bytes_word(&line);

	mail_letter(&w->talk, 'A');
	mail_login_begin(&w->talk, mechanism);
	if (bytes_left(&line) > 0)
		mail_sasl_response(&w->talk, line);
	return ASKED_AUTH;
}

static void message_moved(struct smtp *w)
{
	w->talk.mail->mail_moved = true;
	mail_letter(&w->talk, 'M');
}

/* RFC 3030 section 2: BDAT size [LAST]; the chunk follows at once. */
static enum smtp_command begin_chunk(struct smtp *w, struct bytes line)
{
	struct bytes size = bytes_word(&line);
	uint64_t n = 0;

	while (bytes_left(&size) > 0) {
		uint8_t c = bytes_u8(&size);

		if (c < '0' || c > '9' || n > UINT64_MAX / 20)
			return ASKED_OTHER;
		n = n * 10 + (uint64_t)(c - '0');
	}
	w->chunk = n;
	if (n > 0)
		message_moved(w);
	return ASKED_OTHER;
}

/* Postfix's XCLIENT ADDR=192.0.2.1 or ADDR=IPV6:2001:db8::1, among other attributes. */
static enum smtp_command speak_for(struct smtp *w, struct bytes line)
{
	mail_letter(&w->talk, 'X');
	memset(w->claim, 0, sizeof(w->claim));
	while (bytes_left(&line) > 0) {
		struct bytes word = bytes_word(&line);
		char text[HOST_TEXT_SIZE];

		if (!bytes_begins(&word, "ADDR="))
			continue;
		bytes_skip(&word, 5);
		if (bytes_begins(&word, "IPV6:"))
			bytes_skip(&word, 5);
		mail_text(text, sizeof(text), word);
		if (!host_of_text(text, w->claim))
			memset(w->claim, 0, sizeof(w->claim));
	}
	return ASKED_XCLIENT;
}

static void speaks_for(struct smtp *w)
{
	static const uint8_t none[16];

	if (memcmp(w->claim, none, sizeof(none)) == 0)
		return;
	memcpy(w->talk.mail->claimed_client, w->claim, sizeof(w->claim));
	base_copy(w->talk.mail->claimed_by, sizeof(w->talk.mail->claimed_by), "xclient");
}

static enum smtp_command command(struct smtp *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;
	struct bytes verb = bytes_word(&line);

	if (bytes_is(&verb, "EHLO") || bytes_is(&verb, "LHLO")) {
		w->lmtp = bytes_is(&verb, "LHLO");
		client_name(w, line);
		mail_letter(t, 'C');
		return ASKED_EHLO;
	}
	if (bytes_is(&verb, "HELO")) {
		client_name(w, line);
		mail_letter(t, 'X');
		return ASKED_HELO;
	}
	if (bytes_is(&verb, "STARTTLS")) {
		mail_starttls_asked(t);
		return ASKED_STARTTLS;
	}
	if (bytes_is(&verb, "AUTH"))
		return begin_auth(w, line);
	if (bytes_is(&verb, "BDAT"))
		return begin_chunk(w, line);
	if (bytes_is(&verb, "XCLIENT"))
		return speak_for(w, line);
	if (bytes_is(&verb, "DATA")) {
		w->in_data = true;
		w->data_agreed = false;
		w->dot = 0;
		return ASKED_DATA;
	}
	mail_letter(t, bytes_is(&verb, "QUIT") ? 'Q' : 'X');
	t->proceeded = t->proceeded || bytes_is(&verb, "MAIL");
	if (bytes_is(&verb, "MAIL") || bytes_is(&verb, "RSET"))
		w->recipients = 0;
	if (!bytes_is(&verb, "RCPT"))
		return ASKED_OTHER;
	if (t->mail->recipient_domain[0] == '\0')
		smtp_recipient_domain(line, t->mail->recipient_domain);
	return ASKED_RCPT;
}

/* A client that the server answers sends its message only when told to. */
static void client_data(struct smtp *w, struct bytes *in)
{
	bool some = bytes_left(in) > 0, over = mail_dot_end(&w->dot, in);

	if (over || (some && (w->data_agreed || !w->talk.server_heard)))
		message_moved(w);
	if (!over)
		return;
	w->in_data = false;
	for (uint32_t i = 0; i < (w->lmtp ? w->recipients : 1); i++)
		(void)mail_queue_push(&w->asked, ASKED_OTHER);
}

static enum watch_answer client_line(struct smtp *w, struct bytes line)
{
	if (w->talk.login.active) {
		mail_sasl_response(&w->talk, line);
		return WATCH_MORE;
	}
	/* With more open runs than the queue holds, answers can no longer be told apart. */
	return mail_queue_push(&w->asked, (uint8_t)command(w, line)) ? WATCH_MORE : WATCH_DONE;
}

static void capability(struct smtp *w, struct bytes line)
{
	struct bytes keyword = mail_keyword(&line);

	if (bytes_is(&keyword, "STARTTLS"))
		w->talk.mail->starttls_offered = true;
	else if (mail_masked(keyword, "STARTTLS"))
		w->talk.masked_keyword = true;
}

static void greeting(struct smtp *w, struct bytes text)
{
	struct mail_talk *t = &w->talk;

	if (!w->in_greeting) {
		mail_letter(t, 'h');
		mail_text(t->mail->banner, sizeof(t->mail->banner), text);
		t->masked_greeting = bytes_begins(&text, "****");
	}
	t->mail->greeting_seen = true;
}

/* The last line of a reply to `asked`, and its text. */
static enum watch_answer answered(struct smtp *w, uint8_t asked, unsigned code, struct bytes text)
{
	struct mail_talk *t = &w->talk;
	bool good = code >= 200 && code < 300;
	char refusal[FACT_WORD_SIZE];

	switch (asked) {
	case ASKED_EHLO:
		if (code == 250)
			mail_letter(t, 'c');
		t->mail->offers_seen = t->mail->offers_seen || code == 250;
		break;
	case ASKED_HELO:
		t->no_list = t->no_list || good;
		break;
	case ASKED_STARTTLS:
		if (code == 220)
			return mail_starttls_agreed(t);
		smtp_refusal(code, text, refusal);
		return mail_starttls_refused(t, refusal);
	case ASKED_XCLIENT:
		if (good)
			speaks_for(w);
		break;
	case ASKED_AUTH:
		mail_login_end(t, code == 235);
		break;
	case ASKED_RCPT:
		w->recipients += good;
		break;
	case ASKED_DATA:
		w->data_agreed = code == 354;
		w->in_data = w->in_data && w->data_agreed;
		break;
	default:
		break;
	}
	return WATCH_MORE;
}

static enum watch_answer reply_line(struct smtp *w, struct bytes line)
{
	struct bytes head = bytes_sub(&line, 3);
	unsigned code = 0;

	for (size_t i = 0; i < head.len; i++) {
		if (head.data[i] < '0' || head.data[i] > '9')
			return WATCH_DONE;
		code = code * 10 + (head.data[i] - '0');
	}
	if (head.bad)
		return WATCH_DONE;

	bool last = bytes_u8(&line) != '-';
	uint8_t asked = mail_queue_front(&w->asked);

	line.bad = false;	/* a bare code has no text */
	/* A client may speak before the greeting; a 220 answers XCLIENT too. */
	if (w->in_greeting || (code == 220 && !w->talk.mail->greeting_seen && asked != ASKED_STARTTLS &&
			       asked != ASKED_XCLIENT)) {
		greeting(w, line);
		w->in_greeting = !last;
		return WATCH_MORE;
	}
	if (asked == ASKED_EHLO && code == 250 && w->in_reply)
		capability(w, line);
	w->in_reply = !last;
	if (!last)
		return WATCH_MORE;
	if (asked == ASKED_AUTH && code == 334) {
		mail_sasl_challenge(&w->talk, line);
		return WATCH_MORE;
	}
	mail_queue_pop(&w->asked);
	return answered(w, asked, code, line);
}

static bool body(void *state, bool client, struct bytes *in)
{
	struct smtp *w = state;

	if (client && w->in_data) {
		client_data(w, in);
		return true;
	}
	if (!client || w->chunk == 0)
		return false;

	size_t n = bytes_left(in) < w->chunk ? bytes_left(in) : (size_t)w->chunk;

	bytes_skip(in, n);
	w->chunk -= n;
	return true;
}

static enum watch_answer line(void *state, bool client, struct bytes text)
{
	return client ? client_line(state, text) : reply_line(state, text);
}

static bool begun(const void *state, struct bytes begin, struct mail_login *out)
{
	const struct smtp *w = state;
	struct bytes verb = bytes_word(&begin);

	return !w->in_data && w->chunk == 0 && bytes_is(&verb, "AUTH") &&
	       mail_sasl_begun(begin, out);
}

static const struct mail_reader reader = {
	.proto = MAIL_SMTP,
	.speaker = smtp_speaker,
	.body = body,
	.line = line,
	.begun = begun,
};

const struct watch watch_smtp = {
	.name = "smtp",
	.size = sizeof(struct smtp),
	.mail = &reader,
	.recognise = mail_recognise,
	.feed = mail_feed,
	.gap = mail_gap,
};

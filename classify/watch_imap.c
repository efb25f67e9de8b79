/* IMAP (RFC 9051, RFC 3501): the dialogue in clear, up to STARTTLS.
 *
 * A client command is a line, or lines joined by literals. Each piece is read as it comes, so that a
 * message of any size (APPEND, FETCH) passes without being kept. */
#include "classify/imap_text.h"

struct imap_tag {
	uint8_t len;
	uint8_t text[IMAP_TAG_MAX];
};

enum imap_verb { VERB_OTHER, VERB_LOGIN, VERB_AUTHENTICATE, VERB_APPEND, VERB_ID };

struct imap {
	struct mail_talk talk;
	struct imap_tag command, starttls, login, compress;
	enum imap_verb verb;
	uint8_t args;			/* of LOGIN, read so far */
	bool in_command;		/* a literal was announced: the next bytes go on with the command */
	bool literal_sync;
	uint64_t literal;		/* bytes of it still to come */
	bool in_response;
	uint64_t server_literal;
	bool idle;			/* after IDLE: the client says DONE, without a tag */
};

static bool tag_is(const struct imap_tag *tag, struct bytes word)
{
	return tag->len > 0 && bytes_left(&word) == tag->len &&
	       memcmp(word.data + word.pos, tag->text, tag->len) == 0;
}

static bool tag_set(struct imap_tag *tag, struct bytes word)
{
	tag->len = 0;
	if (bytes_left(&word) == 0 || bytes_left(&word) > IMAP_TAG_MAX)
		return false;
	tag->len = (uint8_t)bytes_left(&word);
	bytes_copy(&word, tag->text, tag->len);
	return true;
}

/* The arguments of LOGIN: a name, a password. */
static void login_argument(struct imap *w, struct bytes text)
{
	struct mail_login *login = &w->talk.login;

	if (++w->args == 1)
		mail_text(login->account, sizeof(login->account), text);
	else if (w->args == 2)
		mail_login_seen(&w->talk, CREDENTIAL_REUSABLE, text);
}

/* Those of a piece of the command, quoted or as atoms. */
static void login_arguments(struct imap *w, struct bytes piece)
{
	char text[MAIL_LINE_MAX + 1] = "";
	uint32_t len;

	while (w->args < 2 && mail_string(&piece, text, sizeof(text), &len))
		login_argument(w, bytes_of(text, len));
	explicit_bzero(text, sizeof(text));
}

static void begin_authenticate(struct imap *w, struct bytes line)
{
	struct bytes mechanism = bytes_word(&line);

	mail_letter(&w->talk, 'A');
	mail_login_begin(&w->talk, mechanism);
	w->login = w->command;
	if (bytes_left(&line) > 0)
		mail_sasl_response(&w->talk, line);
}

/* The begin of a command: its verb decides how its pieces are read. */
static void begin_command(struct imap *w, struct bytes *line)
{
	struct bytes verb = bytes_word(line);
	struct mail_talk *t = &w->talk;

	w->verb = VERB_OTHER;
	if (bytes_is(&verb, "LOGIN")) {
		w->verb = VERB_LOGIN;
		w->args = 0;
		mail_letter(t, 'L');
		mail_login_begin(t, verb);
		t->login.active = false;	/* no SASL exchange */
		w->login = w->command;
	} else if (bytes_is(&verb, "AUTHENTICATE")) {
		w->verb = VERB_AUTHENTICATE;
		begin_authenticate(w, *line);
	} else if (bytes_is(&verb, "STARTTLS")) {
		mail_starttls_asked(t);
		w->starttls = w->command;
	} else if (bytes_is(&verb, "COMPRESS")) {
		w->compress = w->command;
		mail_letter(t, 'X');
	} else if (bytes_is(&verb, "APPEND")) {
		w->verb = VERB_APPEND;
	} else if (bytes_is(&verb, "ID")) {
		w->verb = VERB_ID;
		mail_letter(t, 'I');
	} else if (bytes_is(&verb, "CAPABILITY")) {
		mail_letter(t, 'C');
	} else if (bytes_is(&verb, "LOGOUT")) {
		mail_letter(t, 'Q');
	} else if (bytes_is(&verb, "IDLE")) {
		w->idle = true;
	} else {
		/* After PREAUTH it is any command on a mailbox that goes on without TLS. */
		t->proceeded = t->proceeded || t->mail->preauth;
		mail_letter(t, 'X');
	}
}

static void command_piece(struct imap *w, struct bytes line)
{
	uint64_t literal;
	bool sync, more = mail_literal(line, &literal, &sync);

	if (w->verb == VERB_LOGIN) {
		struct bytes rest = line;

		/* The announcement of a literal is not an argument. */
		while (more && rest.len > rest.pos && rest.data[rest.len - 1] != ' ')
			rest.len--;
		login_arguments(w, rest);
	} else if (w->verb == VERB_ID && !more) {
		imap_identification(line, w->talk.mail->client_id, sizeof(w->talk.mail->client_id));
	}
	w->in_command = more;
	if (!more)
		return;
	w->literal = literal;
	w->literal_sync = sync;
}

static void client_literal(struct imap *w, struct bytes *in)
{
	struct mail_talk *t = &w->talk;

	if (w->verb == VERB_LOGIN && w->literal <= MAIL_LINE_MAX) {
		if (bytes_left(in) < w->literal)
			return;

		login_argument(w, bytes_sub(in, (size_t)w->literal));
		w->literal = 0;
		return;
	}

	size_t n = bytes_left(in) < w->literal ? bytes_left(in) : (size_t)w->literal;

	if (n > 0 && w->verb == VERB_APPEND) {
		t->mail->mail_moved = true;
		mail_letter(t, 'M');
	}
	bytes_skip(in, n);
	w->literal -= n;
	w->literal_sync = w->literal_sync && n == 0;
}

static enum watch_answer client_line(struct imap *w, struct bytes line)
{
	if (w->talk.login.active) {
		mail_sasl_response(&w->talk, line);
	} else if (w->in_command) {
		command_piece(w, line);
	} else if (w->idle && bytes_is(&line, "DONE")) {
		w->idle = false;
	} else if (bytes_left(&line) > 0) {
		if (!tag_set(&w->command, bytes_word(&line)))
			return WATCH_DONE;
		begin_command(w, &line);
		if (w->verb != VERB_AUTHENTICATE)
			command_piece(w, line);
	}
	return WATCH_MORE;
}

static void capabilities(struct imap *w, struct bytes list)
{
	struct mail_talk *t = &w->talk;
	bool offered = false, masked = false, disabled = false, mechanisms = false;

	mail_letter(t, 'c');
	while (bytes_left(&list) > 0) {
		struct bytes word = mail_keyword(&list);

		offered = offered || bytes_is(&word, "STARTTLS");
		masked = masked || mail_masked(word, "STARTTLS");
		disabled = disabled || bytes_is(&word, "LOGINDISABLED");
		mechanisms = mechanisms || bytes_begins(&word, "AUTH=");
	}
	/* RFC 9051 section 6.2.1: the list changes with the state. Behind a login, or when the begin of the
	 * session was not seen, it proves nothing that STARTTLS is not in it. */
	if (t->authenticated)
		return;
	t->mail->starttls_offered = t->mail->starttls_offered || offered;
	t->masked_keyword = t->masked_keyword || masked;
	t->mail->login_disabled = t->mail->login_disabled || disabled;
	if (t->mail->greeting_seen && (offered || !t->proceeded || t->mail->preauth)) {
		t->mail->offers_seen = true;
		t->edited = t->edited || (disabled && !mechanisms && !offered && !t->mail->preauth);
	}
}

/* A response code: "[CAPABILITY ...] text". Leaves the reader at the text. */
static void response_code(struct imap *w, struct bytes *text)
{
	size_t n;

	if (!bytes_begins(text, "[") || !bytes_until(text, ']', &n))
		return;

	struct bytes code = bytes_sub(text, n);

	bytes_skip(text, 1);
	while (bytes_begins(text, " "))
		bytes_skip(text, 1);
	if (bytes_begins(&code, "[CAPABILITY ")) {
		bytes_skip(&code, sizeof("[CAPABILITY ") - 1);
		capabilities(w, code);
	}
}

static void greeting(struct imap *w, struct bytes line, bool preauth)
{
	struct mail_talk *t = &w->talk;

	/* An OK without a list may also be said to keep an idle client's connection alive. */
	if (t->late && !preauth && !bytes_begins(&line, "[CAPABILITY "))
		return;
	t->mail->greeting_seen = true;
	t->mail->preauth = preauth;
	mail_letter(t, 'h');
	response_code(w, &line);
	mail_text(t->mail->banner, sizeof(t->mail->banner), line);
}

/* It is the last that the server says, so it is an answer to STARTTLS too (RFC 9051 section 7.1.5). */
static void goodbye(struct mail_talk *t)
{
	mail_letter(t, 'q');
	if (t->held)
		(void)mail_starttls_refused(t, "BYE");
}

static void untagged(struct imap *w, struct bytes line)
{
	struct mail_talk *t = &w->talk;
	struct bytes data = line, word = bytes_word(&line);
	uint64_t literal;
	bool sync;

	if (bytes_is(&word, "OK") || bytes_is(&word, "PREAUTH") || bytes_is(&word, "BYE")) {
		if (!t->mail->greeting_seen && t->mail->dialogue[0] == '\0')
			greeting(w, line, bytes_is(&word, "PREAUTH"));
		else if (bytes_is(&word, "BYE"))
			goodbye(t);
		else
			response_code(w, &line);
		return;
	}
	if (bytes_is(&word, "NO") || bytes_is(&word, "BAD"))
		return;
	if (bytes_is(&word, "CAPABILITY")) {
		capabilities(w, line);
		return;
	}
	if (bytes_is(&word, "ID"))
		mail_letter(t, 'i');
	word = bytes_word(&line);
	if (bytes_is(&word, "FETCH") && imap_fetches_mail(data)) {
		t->mail->mail_moved = true;
		mail_letter(t, 'm');
	}
	w->in_response = mail_literal(data, &literal, &sync);
	if (w->in_response)
		w->server_literal = literal;
}

static enum watch_answer tagged(struct imap *w, struct bytes tag, struct bytes line)
{
	struct mail_talk *t = &w->talk;
	struct bytes word = bytes_word(&line);
	bool ok = bytes_is(&word, "OK");

	if (!ok && !bytes_is(&word, "NO") && !bytes_is(&word, "BAD"))
		return WATCH_MORE;
	if (t->held && tag_is(&w->starttls, tag))
		return ok ? mail_starttls_agreed(t) :
			    mail_starttls_refused(t, bytes_is(&word, "NO") ? "NO" : "BAD");
	if (ok && tag_is(&w->compress, tag)) {
		t->mail->compressed = true;
		return WATCH_DONE;	/* RFC 4978: what follows is deflated, not encrypted */
	}
	if (tag_is(&w->login, tag)) {
		mail_login_end(t, ok);
		w->login.len = 0;
	}
	if (tag_is(&w->command, tag)) {
		/* The command is over: a literal it announced and waited for will not come. */
		if (w->in_command && w->literal_sync) {
			w->in_command = false;
			w->literal = 0;
		}
		w->idle = false;
	}
	response_code(w, &line);
	return WATCH_MORE;
}

static enum watch_answer server_line(struct imap *w, struct bytes line)
{
	uint64_t literal;
	bool sync;

	if (w->in_response) {
		if (imap_fetches_mail(line))
			w->talk.mail->mail_moved = true;
		w->in_response = mail_literal(line, &literal, &sync);
		if (w->in_response)
			w->server_literal = literal;
		return WATCH_MORE;
	}

	struct bytes first = bytes_word(&line);

	if (bytes_is(&first, "*")) {
		untagged(w, line);
		return WATCH_MORE;
	}
	if (bytes_is(&first, "+")) {
		if (w->talk.login.active)
			mail_sasl_challenge(&w->talk, line);
		return WATCH_MORE;
	}
	return tagged(w, first, line);
}

static bool body(void *state, bool client, struct bytes *in)
{
	struct imap *w = state;

	if (client && w->literal > 0) {
		client_literal(w, in);
		return true;
	}
	if (client || w->server_literal == 0)
		return false;

	size_t n = bytes_left(in) < w->server_literal ? bytes_left(in) : (size_t)w->server_literal;

	bytes_skip(in, n);
	w->server_literal -= n;
	return true;
}

static enum watch_answer line(void *state, bool client, struct bytes text)
{
	return client ? client_line(state, text) : server_line(state, text);
}

static bool begun(const void *state, struct bytes begin, struct mail_login *out)
{
	const struct imap *w = state;

	if (!w->in_command)
		return imap_login_begun(begin, out);
	while (bytes_begins(&begin, " "))
		bytes_skip(&begin, 1);
	*out = w->talk.login;
	return w->verb == VERB_LOGIN && w->args == 1 && bytes_left(&begin) > 0 &&
	       (w->literal > 0 || !bytes_begins(&begin, "{"));
}

static const struct mail_reader reader = {
	.proto = MAIL_IMAP,
	.speaker = imap_speaker,
	.body = body,
	.line = line,
	.begun = begun,
};

const struct watch watch_imap = {
	.name = "imap",
	.size = sizeof(struct imap),
	.mail = &reader,
	.recognise = mail_recognise,
	.feed = mail_feed,
	.gap = mail_gap,
};

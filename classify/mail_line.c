#include "classify/mail_line.h"

#include <assert.h>

enum parse mail_line(struct bytes *in, struct bytes *line_out)
{
	size_t n;

	if (!bytes_until(in, '\n', &n))
		return bytes_left(in) > MAIL_LINE_MAX ? PARSE_BAD : PARSE_MORE;
	if (n > MAIL_LINE_MAX)
		return PARSE_BAD;
	*line_out = bytes_sub(in, n);
	bytes_skip(in, 1);
	if (n > 0 && line_out->data[n - 1] == '\r')
		line_out->len--;
	return PARSE_OK;
}

void mail_text(char *out, size_t size, struct bytes text)
{
	size_t n = 0;

	assert(size > 0);
	while (bytes_left(&text) > 0) {
		uint8_t c = bytes_u8(&text);

		if (c < 0x20 || c == 0x7f)
			continue;
		if (n == size - 1) {
			/* What did not fit may be the rest of a character whose begin did. */
			if ((c & 0xc0) == 0x80) {
				while (n > 0 && ((uint8_t)out[n - 1] & 0xc0) == 0x80)
					n--;
				n -= n > 0;
			}
			break;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
}

static bool quoted(struct bytes *in, char *out, size_t size, uint32_t *len_out)
{
	size_t n = 0;
	uint32_t len = 0;

	bytes_skip(in, 1);
	while (bytes_left(in) > 0) {
		uint8_t c = bytes_u8(in);

		if (c == '"') {
			if (out != NULL)
				out[n] = '\0';
			*len_out = len;
			return true;
		}
		if (c == '\\' && bytes_left(in) > 0)
			c = bytes_u8(in);
		len++;
		if (out != NULL && n < size - 1 && c >= 0x20 && c != 0x7f)
			out[n++] = (char)c;
	}
	if (out != NULL)
		out[0] = '\0';
	return false;
}

bool mail_string(struct bytes *in, char *out, size_t size, uint32_t *len_out)
{
	while (bytes_left(in) > 0 && in->data[in->pos] == ' ')
		bytes_skip(in, 1);
	if (bytes_left(in) == 0)
		return false;
	if (in->data[in->pos] == '"')
		return quoted(in, out, size, len_out);

	struct bytes word = bytes_word(in);

	*len_out = (uint32_t)bytes_left(&word);
	if (out != NULL)
		mail_text(out, size, word);
	return true;
}

bool mail_literal(struct bytes line, uint64_t *len_out, bool *sync_out)
{
	size_t end = line.len, digits = 0;
	uint64_t n = 0, scale = 1;
	bool sync = true;

	if (end <= line.pos || line.data[--end] != '}')
		return false;
	if (end > line.pos && line.data[end - 1] == '+') {
		sync = false;
		end--;
	}
	while (end > line.pos && line.data[end - 1] >= '0' && line.data[end - 1] <= '9') {
		/* 63-bit numbers are RFC 9051's largest (section 9, number64). */
		if (++digits > 18)
			return false;
		n += scale * (uint64_t)(line.data[--end] - '0');
		scale *= 10;
	}
	if (digits == 0 || end == line.pos || line.data[end - 1] != '{')
		return false;
	*len_out = n;
	*sync_out = sync;
	return true;
}

bool mail_dot_end(uint8_t *state, struct bytes *in)
{
	enum { LINE_START, DOT, DOT_CR, INSIDE, CR };

	while (bytes_left(in) > 0) {
		uint8_t c = bytes_u8(in);

		if (*state == DOT_CR && c == '\n')
			return true;
		if (*state == CR && c == '\n')
			*state = LINE_START;
		else if (*state == LINE_START && c == '.')
			*state = DOT;
		else if (*state == DOT && c == '\r')
			*state = DOT_CR;
		else
			*state = c == '\r' ? CR : INSIDE;
	}
	return false;
}

bool mail_masked(struct bytes word, const char *keyword)
{
	size_t n = strlen(keyword);

	if (bytes_left(&word) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = bytes_u8(&word);

		if (c != 'X' && (i < n - 1 || c < 'A' || c > 'Z'))
			return false;
	}
	return true;
}

bool mail_queue_push(struct mail_queue *q, uint8_t kind)
{
	if (q->count > 0 && q->runs[q->count - 1].kind == kind) {
		q->runs[q->count - 1].times++;
		return true;
	}
	if (q->count == MAIL_QUEUE_MAX)
		return false;
	q->runs[q->count].kind = kind;
	q->runs[q->count++].times = 1;
	return true;
}

uint8_t mail_queue_front(const struct mail_queue *q)
{
	return q->count == 0 ? 0 : q->runs[0].kind;
}

void mail_queue_pop(struct mail_queue *q)
{
	if (q->count == 0 || --q->runs[0].times > 0)
		return;
	q->count--;
	memmove(&q->runs[0], &q->runs[1], q->count * sizeof(q->runs[0]));
}

void mail_letter(struct mail_talk *t, char letter)
{
	size_t n = strlen(t->mail->dialogue);

	if (n == sizeof(t->mail->dialogue) - 1 || (n > 0 && t->mail->dialogue[n - 1] == letter))
		return;
	t->mail->dialogue[n] = letter;
	t->mail->dialogue[n + 1] = '\0';
}

enum mail_speaker mail_begins(struct bytes first, const char *const *words, enum mail_speaker who)
{
	enum mail_speaker answer = SPEAKER_NOBODY;

	for (; *words != NULL; words++) {
		if (bytes_begins(&first, *words))
			return who;

		size_t n = bytes_left(&first);

		if (n < strlen(*words) && strncasecmp((const char *)first.data + first.pos, *words, n) == 0)
			answer = SPEAKER_MAYBE;
	}
	return answer;
}

enum watch_match mail_recognise(const struct watch *self, struct bytes first)
{
	if (bytes_left(&first) == 0)
		return WATCH_MAYBE;

	enum mail_speaker who = self->mail->speaker(first);

	return who == SPEAKER_NOBODY ? WATCH_NO : who == SPEAKER_MAYBE ? WATCH_MAYBE : WATCH_YES;
}

/* False when it cannot be said yet who speaks. */
static bool know_sides(const struct mail_reader *reader, struct mail_talk *t, enum fact_side from,
		       struct bytes in, struct watch_facts *facts)
{
	if (t->sides_known)
		return true;
	if (bytes_left(&in) == 0)
		return false;

	enum mail_speaker who = reader->speaker(in);

	if (who == SPEAKER_MAYBE && bytes_left(&in) < MAIL_FIRST)
		return false;
	t->sides_known = true;
	t->client = who == SPEAKER_SERVER ? (enum fact_side)!from :
		    who == SPEAKER_CLIENT ? from : SIDE_ORIGINATOR;
	facts->flip = t->client == SIDE_RESPONDER;
	facts->has_mail = true;
	facts->mail.flow = facts->flow;
	facts->mail.proto = reader->proto;
	return true;
}

static enum mail_transport transport(const struct mail_talk *t)
{
	const struct fact_mail_session *mail = t->mail;

	if (t->tls_agreed)
		return MAIL_STARTTLS_USED;
	if (t->masked_keyword || t->edited ||
	    (t->masked_greeting && !mail->starttls_offered && (mail->offers_seen || t->no_list)))
		return MAIL_STARTTLS_STRIPPED;
	if (t->tls_refused)
		return MAIL_STARTTLS_REFUSED;
	if (mail->starttls_asked)
		return MAIL_UNKNOWN;
	if (mail->starttls_offered)
		return t->proceeded ? MAIL_STARTTLS_OFFERED_NOT_USED : MAIL_UNKNOWN;
	return mail->offers_seen ? MAIL_PLAINTEXT : MAIL_UNKNOWN;
}

/* Ends a feed or a gap: the state of the session as far as it can be known by now. */
static void settle(struct mail_talk *t)
{
	t->mail->transport = transport(t);
	t->mail = NULL;
}

static enum watch_answer feed_one(const struct mail_reader *reader, void *state, bool client,
				  struct bytes *in)
{
	struct bytes line;

	if (reader->body(state, client, in))
		return WATCH_MORE;
	switch (mail_line(in, &line)) {
	case PARSE_OK:
		return reader->line(state, client, line);
	case PARSE_BAD:
		return WATCH_DONE;
	case PARSE_MORE:
		break;
	}
	return WATCH_MORE;
}

enum watch_answer mail_feed(const struct watch *self, void *state, enum fact_side from, struct bytes in,
			    uint64_t frame, size_t *used_out, struct watch_facts *facts)
{
	const struct mail_reader *reader = self->mail;
	struct mail_talk *t = state;
	enum watch_answer answer = WATCH_MORE;
	bool held = t->held;
	size_t before;

	*used_out = 0;
	if (!know_sides(reader, t, from, in, facts))
		return WATCH_MORE;
	t->mail = &facts->mail;
	t->frame = frame;
	t->server_heard = t->server_heard || from != t->client;
	do {
		before = in.pos;
		if (from == t->client && t->held)
			break;
		answer = feed_one(reader, state, from == t->client, &in);
		/* What the client sent meanwhile comes before the rest. */
	} while (answer == WATCH_MORE && in.pos > before && (t->held || !held));
	*used_out = in.pos;
	if (from == t->client) {
		t->cut = (struct mail_login){ 0 };
		if (!t->held && bytes_left(&in) > 0 && !reader->begun(state, in, &t->cut))
			t->cut = (struct mail_login){ 0 };
	}
	settle(t);
	return answer;
}

enum watch_answer mail_gap(void *state, enum fact_side from, struct watch_facts *facts)
{
	struct mail_talk *t = state;

	if (!t->sides_known)
		return WATCH_DONE;

	bool client = from == t->client;

	t->mail = &facts->mail;
	if (client && t->cut.mechanism[0] != '\0') {
		/* The rest of the line, secret and all, went over the wire; it was not captured. */
		t->login = t->cut;
		t->proceeded = true;
		mail_letter(t, 'L');
		mail_login_seen(t, CREDENTIAL_REUSABLE, 0);
	}
	mail_letter(t, client ? 'G' : 'g');
	settle(t);
	/* What a client sends after an unseen answer to STARTTLS may be TLS. */
	return client || t->held ? WATCH_DONE : WATCH_MORE;
}

void mail_starttls_asked(struct mail_talk *t)
{
	mail_letter(t, 'T');
	t->mail->starttls_asked = t->held = true;
}

enum watch_answer mail_starttls_answered(struct mail_talk *t, bool agreed)
{
	mail_letter(t, agreed ? 't' : 'r');
	t->held = false;
	t->tls_agreed = agreed;
	t->tls_refused = !agreed;
	return agreed ? WATCH_TLS : WATCH_MORE;
}

void mail_tls_outcome(struct watch_facts *facts, bool over)
{
	const struct fact_handshake *handshake = &facts->handshake;
	enum mail_transport *state = &facts->mail.transport;

	if (!facts->has_mail || (*state != MAIL_STARTTLS_USED && *state != MAIL_STARTTLS_FAILED))
		return;
	if (facts->has_handshake && handshake->completed)
		*state = MAIL_STARTTLS_USED;
	else if ((facts->has_handshake && handshake->alert_in_clear) || over)
		*state = MAIL_STARTTLS_FAILED;
	else
		*state = facts->has_handshake && handshake->server_frame != 0 ? MAIL_STARTTLS_USED :
									       MAIL_UNKNOWN;
}

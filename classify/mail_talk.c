#include "classify/mail_line.h"

#include "capture/base.h"

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

/* Who speaks, now that the protocol is known: servers begin with "*", "+", "-", a quote or a digit. */
static enum mail_speaker known_speaker(const struct mail_reader *reader, struct bytes in)
{
	enum mail_speaker who = reader->speaker(in);
	uint8_t first = in.data[in.pos];
	size_t n;

	if (who != SPEAKER_MAYBE || (bytes_left(&in) < MAIL_FIRST && !bytes_until(&in, '\n', &n)))
		return who;
	return memchr("*+-\"", first, 4) != NULL || (first >= '0' && first <= '9') ? SPEAKER_SERVER :
										  SPEAKER_CLIENT;
}

/* False when it cannot be said yet who speaks. */
static bool know_sides(const struct mail_reader *reader, struct mail_talk *t, enum fact_side from,
		       struct bytes in, struct watch_facts *facts)
{
	if (t->sides_known)
		return true;
	if (bytes_left(&in) == 0)
		return false;

	enum mail_speaker who = known_speaker(reader, in);

	if (who == SPEAKER_MAYBE)
		return false;
	t->sides_known = true;
	t->late = facts->begin_missed;
	t->client = who == SPEAKER_SERVER ? (enum fact_side)!from :
		    who == SPEAKER_CLIENT ? from : facts->flip ? SIDE_RESPONDER : SIDE_ORIGINATOR;
	facts->flip = t->client == SIDE_RESPONDER;
	facts->has_mail = true;
	facts->mail.flow = facts->flow;
	facts->mail.proto = reader->proto;
	return true;
}

/* What shows by itself that an offer of STARTTLS was taken away on the path. */
static const char *signature(const struct mail_talk *t)
{
	const struct fact_mail_session *mail = t->mail;

	if (t->masked_keyword)
		return "masked-keyword";
	if (t->edited && !mail->starttls_offered)
		return "edited-list";
	if (t->masked_greeting && !mail->starttls_offered && (mail->offers_seen || t->no_list))
		return "masked-greeting";
	return "";
}

static enum mail_transport transport(const struct mail_talk *t)
{
	const struct fact_mail_session *mail = t->mail;

	if (t->tls_agreed)
		return MAIL_STARTTLS_USED;
	if (mail->signature[0] != '\0')
		return MAIL_STARTTLS_STRIPPED;
	if (t->tls_refused)
		return MAIL_STARTTLS_REFUSED;
	if (mail->starttls_asked)
		return MAIL_UNKNOWN;
	if (mail->starttls_offered)
		return t->proceeded ? MAIL_STARTTLS_OFFERED_NOT_USED : MAIL_UNKNOWN;
	/* A client that was not heard may have asked for STARTTLS all the same. */
	return mail->offers_seen && t->client_heard ? MAIL_PLAINTEXT : MAIL_UNKNOWN;
}

/* Ends a feed or a gap: the state of the session as far as it can be known by now. */
static void settle(struct mail_talk *t)
{
	base_copy(t->mail->signature, sizeof(t->mail->signature), signature(t));
	t->mail->transport = transport(t);
	t->mail = NULL;
	t->facts = NULL;
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

/* What the client sends behind STARTTLS before the answer, as far as it is no TLS record. */
static void look_behind(struct mail_talk *t, struct bytes in)
{
	size_t start = in.pos + t->behind;

	bytes_skip(&in, t->behind);
	if (in.pos == start) {
		(void)mail_clear(&in, t->behind > 0);
		t->behind += in.pos - start;
	}
}

/* The login that the client is in the middle of. */
static struct mail_login unfinished(const struct mail_reader *reader, const struct mail_talk *t,
				    struct bytes in)
{
	struct mail_login none = { 0 }, login = t->login;

	if (t->held || bytes_left(&in) == 0)
		return none;
	if (t->login.active)
		return mail_sasl_continued(&login, in) ? login : none;
	login = none;
	return reader->begun(t, in, &login) ? login : none;
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
	t->facts = facts;
	t->frame = frame;
	t->server_heard = t->server_heard || from != t->client;
	t->client_heard = t->client_heard || from == t->client;
	do {
		before = in.pos;
		if (from == t->client && t->held) {
			look_behind(t, in);
			break;
		}
		answer = feed_one(reader, state, from == t->client, &in);
		/* What the client sent meanwhile comes before the rest. */
	} while (answer == WATCH_MORE && in.pos > before && (t->held || !held));
	*used_out = in.pos;
	if (from == t->client)
		t->cut = unfinished(reader, t, in);
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
	t->facts = facts;
	if (client && t->cut.mechanism[0] != '\0') {
		/* The rest of the line, secret and all, went over the wire; it was not captured. */
		t->login = t->cut;
		t->proceeded = true;
		mail_letter(t, 'L');
		mail_login_seen(t, CREDENTIAL_REUSABLE, bytes_of("", 0));
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
	t->behind = 0;
}

enum watch_answer mail_starttls_agreed(struct mail_talk *t)
{
	mail_letter(t, 't');
	t->held = false;
	t->tls_agreed = true;
	t->mail->injected[0] = (uint32_t)t->behind;
	return WATCH_TLS;
}

enum watch_answer mail_starttls_refused(struct mail_talk *t, const char *code)
{
	mail_letter(t, 'r');
	t->held = false;
	t->tls_refused = true;
	base_copy(t->mail->refusal, sizeof(t->mail->refusal), code);
	return WATCH_MORE;
}

/* The header of a record that TLS may begin with: a handshake, or an alert that ends it (RFC 8446 section
 * 5.1). */
static enum parse tls_record(struct bytes in)
{
	static const struct { uint8_t low, high; } want[] = {
		{ 21, 22 }, { 3, 3 }, { 0, 4 }, { 0, (16384 + 2048) >> 8 }, { 0, 255 },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		if (bytes_left(&in) == 0)
			return PARSE_MORE;

		uint8_t c = bytes_u8(&in);

		if (c < want[i].low || c > want[i].high)
			return PARSE_BAD;
	}
	return PARSE_OK;
}

enum parse mail_clear(struct bytes *in, bool begun)
{
	while (bytes_left(in) > 0) {
		uint8_t c = in->data[in->pos];
		enum parse parse = tls_record(*in);

		if (parse != PARSE_BAD)
			return parse;
		begun = begun || (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n' || c == '\t';
		if (!begun)
			return PARSE_BAD;
		bytes_skip(in, 1);
	}
	return PARSE_MORE;
}

bool mail_skip_clear(struct watch_facts *facts, enum fact_side from, struct bytes *in)
{
	size_t start = in->pos;
	uint32_t *clear = &facts->clear[from];
	/* Of injected: 0 is the client. */
	uint32_t *injected = &facts->mail.injected[(from == SIDE_RESPONDER) != facts->flip];
	enum parse parse;

	if (facts->sealed[from])
		return true;
	parse = mail_clear(in, *clear > 0);
	*clear += (uint32_t)(in->pos - start);
	facts->sealed[from] = parse != PARSE_MORE;
	if (parse == PARSE_OK && *injected < *clear)
		*injected = *clear;
	return facts->sealed[from];
}

void mail_closed(struct watch_facts *facts)
{
	if (facts->has_mail && !facts->begin_missed && facts->mail.transport == MAIL_UNKNOWN &&
	    facts->mail.starttls_asked)
		facts->mail.transport = MAIL_STARTTLS_REFUSED;
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

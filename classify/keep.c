#include "classify/keep.h"

#include "capture/base.h"
#include "capture/mask.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Letters of a dialogue (mail_line.h) behind which a server may send what is not for everyone. */
#define LETTERS_LOGIN "LAS"
#define LETTERS_MAIL "Mm"

struct keep_frame {
	struct keep_frame *next;
	uint64_t id;
	int64_t time_ns;
	uint32_t wire_len, len, head_len;	/* len: of data */
	enum fact_side side;
	uint8_t data[];
};

enum keep_what { KEEP_YES, KEEP_NO, KEEP_NOT_KNOWN };

static enum keep_what what_of(const struct flow *f)
{
	bool reading = f->reader == READER_UNDECIDED || f->reader == READER_WATCH;

	if (flow_may_carry_mail(f) || strcmp(f->app_proto, "dns") == 0 ||
	    (f->facts != NULL && f->facts->has_disclosure))
		return KEEP_YES;
	return reading && (f->key.proto == IPPROTO_TCP || f->key.proto == IPPROTO_UDP) ? KEEP_NOT_KNOWN : KEEP_NO;
}

static void frame_free(struct keep_frame **frame)
{
	explicit_bzero((*frame)->data, (*frame)->len);
	free(*frame);
	*frame = NULL;
}

size_t keep_memory(const struct flow *f)
{
	size_t n = 0;

	for (const struct keep_frame *k = f->waiting; k != NULL; k = k->next)
		n += sizeof(*k) + k->len;
	return n;
}

void keep_free(struct flow *f)
{
	for (struct keep_frame *k = f->waiting, *next; k != NULL; k = next) {
		next = k->next;
		frame_free(&k);
	}
	f->waiting = NULL;
}

void keep_no_more(struct flow *f)
{
	keep_free(f);
	f->kept = FACT_KEPT_OF_FLOW;
}

/* Behind those that wait. False when there is no room for its headers. */
static bool add(struct flow *f, const struct packet *p)
{
	uint32_t left = FACT_KEPT_OF_FLOW - f->kept, len = p->head_len + p->payload_len;
	struct keep_frame *k, **end = &f->waiting;

	if (p->head_len > left)
		return false;
	len = len < left ? len : left;
	k = base_alloc(sizeof(*k) + len);
	*k = (struct keep_frame){
		.id = p->frame, .time_ns = p->time_ns, .wire_len = p->wire_len, .len = len,
		.head_len = p->head_len, .side = flow_side(f, p),
	};
	memcpy(k->data, p->payload - p->head_len, len);
	f->kept += len;
	while (*end != NULL)
		end = &(*end)->next;
	*end = k;
	return true;
}

/* Whether all that a side sent by now was read, as far as is known: else a login may be among the rest. */
static bool read_in_order(const struct stream *s)
{
	return !s->gap && !s->stopped && stream_missing(s) == 0;
}

/* Whether nothing but greetings, offers and replies can have come from the server up to this frame. */
static bool before_login(const struct flow *f, const struct keep_frame *k)
{
	const struct fact_mail_session *mail = &f->facts->mail;
	bool smtp = strcmp(f->app_proto, "smtp") == 0;

	if (f->facts->begin_missed || f->reader != READER_WATCH || !read_in_order(&f->streams[0]) ||
	    !read_in_order(&f->streams[1]) || strlen(mail->dialogue) == sizeof(mail->dialogue) - 1)
		return false;
	if (mail->credential_frame != 0)
		return k->id <= mail->credential_frame;
	return strpbrk(mail->dialogue, LETTERS_LOGIN) == NULL &&
	       (smtp || (strpbrk(mail->dialogue, LETTERS_MAIL) == NULL && !mail->preauth && !mail->mail_moved));
}

/* Whether there is nothing to hide but what TLS does. What its reader could not read may be anything. */
static bool is_sealed(const struct flow *f)
{
	if (f->reader == READER_DPI || (f->facts != NULL && f->facts->has_mail))
		return false;
	return strcmp(f->app_proto, "tls") == 0 || strcmp(f->app_proto, "quic") == 0 ||
	       strcmp(f->app_proto, "dns") == 0;
}

static size_t mask(const struct flow *f, struct keep_frame *k)
{
	uint8_t *payload = k->data + k->head_len;
	size_t n = k->len - k->head_len;
	bool from_server = (k->side == SIDE_RESPONDER) != flow_flips(f);

	if (n == 0 || is_sealed(f))
		return 0;
	if (f->facts != NULL && f->facts->has_mail && f->facts->has_handshake && f->facts->sealed[k->side] &&
	    f->reader != READER_DPI)
		return mask_sealed(payload, n);
	if (f->facts != NULL && f->facts->has_mail)
		return mask_mail(payload, n, from_server && before_login(f, k));
	return f->facts != NULL && f->facts->has_disclosure ? mask_http(payload, n) : mask_all(payload, n);
}

static void say_frame(const struct flow *f, const struct keep_frame *k, uint32_t masked, keep_say *say, void *context)
{
	struct fact_packet piece = {
		.frame = k->id, .flow = f->id, .time_ns = k->time_ns, .wire_len = k->wire_len, .caplen = k->len,
		.masked = masked,
	};

	for (uint32_t at = 0; at < k->len; at += piece.len) {
		piece.len = k->len - at < FACT_PIECE_SIZE ? k->len - at : FACT_PIECE_SIZE;
		memcpy(piece.data, k->data + at, piece.len);
		say(context, &piece);
		piece.place++;
	}
}

static void say_waiting(struct flow *f, keep_say *say, void *context)
{
	while (f->waiting != NULL) {
		struct keep_frame *k = f->waiting;

		f->waiting = k->next;
		say_frame(f, k, (uint32_t)mask(f, k), say, context);
		frame_free(&k);
	}
}

void keep_packet(struct flow *f, const struct packet *p, keep_say *say, void *context)
{
	enum keep_what what;

	if (f->kept >= FACT_KEPT_OF_FLOW || p->head_len == 0)
		return;
	what = what_of(f);
	if (what == KEEP_NO) {
		keep_no_more(f);
		return;
	}
	if (!add(f, p)) {
		if (what == KEEP_YES)
			say_waiting(f, say, context);
		keep_no_more(f);
	} else if (what == KEEP_YES) {
		say_waiting(f, say, context);
	}
}

/* mail_line.h - what the four mail dialogues share: lines, logins, states, letters
 *
 * Thread: the flow's. Memory: plain values inside a watcher's state. A secret is only ever looked at
 * where it lies in the stream, or decoded into a buffer that is wiped before the function returns. */
#ifndef CLASSIFY_MAIL_LINE_H
#define CLASSIFY_MAIL_LINE_H

#include "classify/watch.h"

/* Longest line that is read: RFC 4954 section 4 lets an AUTH line have 12288 octets. A longer one ends
 * the reading of the dialogue. */
#define MAIL_LINE_MAX 12800u
#define MAIL_FIRST 64u		/* bytes that are enough to say who speaks (watch.h) */
#define MAIL_QUEUE_MAX 32	/* runs of commands without an answer; pipelining clients need 3 or 4 */

/* What the server of a LOGIN exchange asks for next, as far as it says so. */
enum mail_prompt { PROMPT_UNKNOWN, PROMPT_NAME, PROMPT_PASSWORD };

/* Who sent the first bytes of a direction, by their content. */
enum mail_speaker { SPEAKER_NOBODY, SPEAKER_MAYBE, SPEAKER_CLIENT, SPEAKER_SERVER };

/* A login under way, and what is known of its credential so far. */
struct mail_login {
	bool active;			/* client lines are SASL responses */
	bool recorded;			/* this login's credential is the one in the session fact */
	uint8_t step;			/* responses seen */
	uint32_t secret_len;		/* of the credential that was read, and where */
	uint64_t frame;
	enum mail_prompt prompt;
	enum mail_credential worth;
	char mechanism[FACT_WORD_SIZE];
	char account[FACT_TEXT_SIZE];
};

/* Commands whose answers are still to come, oldest first, as runs of one kind. 0 is no kind. */
struct mail_queue {
	uint8_t count;
	struct {
		uint8_t kind;
		uint32_t times;
	} runs[MAIL_QUEUE_MAX];
};

/* The part of a dialogue's state that does not depend on the protocol. */
struct mail_talk {
	struct fact_mail_session *mail;	/* the flow's, for the length of one feed */
	struct watch_facts *facts;	/* that it is part of, as long */
	uint64_t frame;			/* of this feed */
	bool sides_known;
	enum fact_side client;
	bool late;			/* the begin of the connection was not seen */
	bool tls_agreed, tls_refused;
	bool held;			/* STARTTLS was asked: the client is not read before the answer */
	size_t behind;			/* bytes in clear that it sent all the same */
	bool server_heard, client_heard;
	bool masked_keyword, masked_greeting;	/* overwritten on the path: protocols' inspection signatures */
	bool edited;			/* a capability list that leaves the client nothing to do */
	bool no_list;			/* HELO: there is no capability list to miss anything in */
	bool proceeded;			/* the client went on to log in or send mail without TLS */
	bool authenticated;		/* lists no longer offer STARTTLS, rightly */
	struct mail_login login;
	struct mail_login cut;		/* what the client's unfinished line is of a login, should the rest be lost */
};

/* The next line without its line end. PARSE_MORE when it is not whole, PARSE_BAD over MAIL_LINE_MAX. */
enum parse mail_line(struct bytes *in, struct bytes *line_out);

/* Copies text without control characters, cut where it does not fit (not inside a UTF-8 character). */
void mail_text(char *out, size_t size, struct bytes text);

/* The next word of a capability list, between blanks: also of a line that was damaged on the way. */
struct bytes mail_keyword(struct bytes *list);

/* Whether it looks like a mail address: one @, and a dot inside what is behind it. */
bool mail_is_address(struct bytes text);

/* An IMAP or Sieve string that is no literal: quoted (RFC 9051 section 4.3, backslash escapes) or an
 * atom. False when there is none. *len_out counts its bytes; out may be NULL. */
bool mail_string(struct bytes *in, char *out, size_t size, uint32_t *len_out);

/* Whether the line ends by announcing a literal: {n}, {n+}, ~{n}. *sync_out: the client waits for leave. */
bool mail_literal(struct bytes line, uint64_t *len_out, bool *sync_out);

/* Moves through a body that ends with a line of one dot. *state is 0 at its begin. True at its end. */
bool mail_dot_end(uint8_t *state, struct bytes *in);

/* Whether a capability word is `keyword` overwritten with X: all of it, or all but a last letter. */
bool mail_masked(struct bytes word, const char *keyword);

bool mail_queue_push(struct mail_queue *q, uint8_t kind);	/* false when it is full */
uint8_t mail_queue_front(const struct mail_queue *q);		/* 0 when it is empty */
void mail_queue_pop(struct mail_queue *q);

/* Adds a letter of the dialogue, capital for the client; the same letter is not repeated.
 *	h greeting   C ask for, c list capabilities   T ask for, t agree to, r refuse STARTTLS
 *	L password command   A begin SASL   S answer, s challenge   y accept, n refuse a login
 *	M client's, m server's message data   I, i identification   Q, q quit   X other   G, g gap */
void mail_letter(struct mail_talk *t, char letter);

/* What a protocol adds to the dialogue. A state begins with its struct mail_talk. */
struct mail_reader {
	enum mail_proto proto;
	/* Who speaks so; NOBODY: not this protocol. */
	enum mail_speaker (*speaker)(struct bytes first);
	/* Moves through the body or literal that this side is in; false when it is in none. */
	bool (*body)(void *state, bool client, struct bytes *in);
	enum watch_answer (*line)(void *state, bool client, struct bytes line);
	/* Whether the begin of a client's line hands over a password or token; fills in mechanism and as much
	 * of the account as there is. */
	bool (*begun)(const void *state, struct bytes begin, struct mail_login *out);
};

/* `who` when the bytes begin with one of the words (NULL ends them; case is ignored), MAYBE when one of them
 * is only begun. */
enum mail_speaker mail_begins(struct bytes first, const char *const *words, enum mail_speaker who);

/* The functions of struct watch, by its reader. */
enum watch_match mail_recognise(const struct watch *self, struct bytes first);
enum watch_answer mail_feed(const struct watch *self, void *state, enum fact_side from, struct bytes in,
			    uint64_t frame, size_t *used_out, struct watch_facts *facts);
enum watch_answer mail_gap(void *state, enum fact_side from, struct watch_facts *facts);

/* The client asks for STARTTLS and is held; the server agrees, and TLS follows, or refuses with a code. */
void mail_starttls_asked(struct mail_talk *t);
enum watch_answer mail_starttls_agreed(struct mail_talk *t);
enum watch_answer mail_starttls_refused(struct mail_talk *t, const char *code);

/* Moves over what a side says in clear although TLS should begin. PARSE_OK: a TLS record begins here;
 * PARSE_MORE: not yet; PARSE_BAD: what is here is neither record nor text. `begun`: some was seen before. */
enum parse mail_clear(struct bytes *in, bool begun);

/* The same of a side of a flow that was agreed to be TLS, before watch_tls reads it: what was in clear is
 * injected when a TLS record comes behind it. A server that gives up on TLS may say so in clear; no record
 * follows then. False: nothing for watch_tls yet. */
bool mail_skip_clear(struct watch_facts *facts, enum fact_side from, struct bytes *in);

/* The connection was closed and nothing was missed from its SYN on: STARTTLS that has no answer by then is refused. */
void mail_closed(struct watch_facts *facts);

/* What became of a session whose STARTTLS was agreed, once its handshake is described: USED when TLS
 * records came from both sides, FAILED when an alert in clear ended it or `over` says that the flow
 * ended before, else UNKNOWN. Without an agreement nothing is changed. */
void mail_tls_outcome(struct watch_facts *facts, bool over);

/* Takes the name of a mechanism, in capitals. */
void mail_mechanism(struct mail_login *login, struct bytes mechanism);

/* A password command or a SASL exchange begins. */
void mail_login_begin(struct mail_talk *t, struct bytes mechanism);

/* A credential was readable: its length is written to the session when it is worth more than what is
 * there. The account is left out when the two seem to have been swapped. */
void mail_login_seen(struct mail_talk *t, enum mail_credential worth, struct bytes secret);

/* The server's answer to the login. */
void mail_login_end(struct mail_talk *t, bool accepted);

/* Whether the begin of "MECHANISM response" is one whose first response is the password or token. */
bool mail_sasl_begun(struct bytes begin, struct mail_login *out);

/* A SASL challenge of the server, and a response as the client sent it: base64, "=" for an empty one, "*" to
 * give up. */
void mail_sasl_challenge(struct mail_talk *t, struct bytes base64);
void mail_sasl_response(struct mail_talk *t, struct bytes base64);

/* Whether the begin of a line in a SASL exchange is one of a password or token. */
bool mail_sasl_continued(const struct mail_login *login, struct bytes begin);

/* Base64 (RFC 4648 section 4); missing padding is forgiven. False when it is not, or does not fit. */
bool mail_base64(struct bytes in, uint8_t *out, size_t size, size_t *len_out);

#endif

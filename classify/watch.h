/* watch.h - the contract of all watchers: who reads which dialogue
 *
 * A watcher reads one TCP connection (or one UDP flow) and fills facts about it. It gets bytes in
 * order, each direction by itself, and says how many it is done with; what it leaves comes again with
 * more behind it. It keeps no secret: of a credential only mechanism, account and length go into the
 * fact, and buffers of its own that held it are wiped. (The packets lie in slabs and streams as they lie
 * in the file.)
 *
 * Recognition is by content, never by port. The dispatcher (reader.c) shows the first bytes of a flow
 * to each watcher's `recognise`; a flow nobody recognises goes to dpi.
 *
 * Thread: the worker that owns the flow. Memory: `size` bytes a watcher, taken when it is chosen.
 * Errors: none; hostile bytes end the watching of that flow. */
#ifndef CLASSIFY_WATCH_H
#define CLASSIFY_WATCH_H

#include "capture/bytes.h"
#include "classify/fact.h"

enum watch_answer {
	WATCH_MORE,		/* go on */
	WATCH_DONE,		/* nothing more to learn: free the stream */
	WATCH_TLS,		/* the dialogue turned into TLS (STARTTLS agreed): what is left, and all that
				 * follows in both directions, is TLS */
	WATCH_BAD,		/* not this dialogue after all, or broken */
};

enum watch_match { WATCH_NO, WATCH_MAYBE /* show me more */, WATCH_YES };

/* The Certificate message that a server showed in clear, without its header (RFC 5246 section 7.4.2). */
struct watch_chain {
	enum fact_side from;		/* the server */
	uint64_t frame;			/* of the last byte that is kept */
	int64_t time_ns;		/* of that frame */
	size_t len;			/* as the message's header says */
	size_t kept;			/* less than len: the rest was not seen, or is more than is kept */
	uint8_t data[];
};

/* What a watcher writes: the facts of its flow, stored when the flow is described. */
#define WATCH_LOGINS 8	/* of one session that are told one by one; servers hang up earlier */
struct watch_facts {
	uint64_t flow;			/* id */
	int64_t now_ns;			/* time of the packet that is being read */
	bool has_handshake, has_mail, has_disclosure;
	struct fact_handshake handshake;
	struct fact_mail_session mail;
	struct fact_disclosure disclosure;
	unsigned login_count;
	struct fact_login logins[WATCH_LOGINS];
	struct watch_chain *chain;	/* owned, from malloc; NULL where none was seen */
	bool opaque;			/* it carries another's traffic from here on (HTTP CONNECT) */
	bool flip;			/* the dialogue shows that the responder is the client (no SYN was seen) */
	bool begin_missed;		/* told by the reader: no SYN was seen, the dialogue may be under way */
	bool sealed[2];			/* mail_skip_clear's: TLS records have begun on this side */
	uint32_t clear[2];		/* ... after these bytes in clear */
};

struct mail_reader;		/* mail_line.h: what tells the mail dialogues apart */

struct watch {
	const char *name;		/* app_proto: "imap", "tls", ... */
	size_t size;			/* bytes of its state, zeroed before the first feed */
	const struct mail_reader *mail;	/* of a mail dialogue; else NULL */
	/* Whether these first bytes of a direction look like this dialogue, whoever sent them. Up to 64
	 * bytes are enough for every watcher. */
	enum watch_match (*recognise)(const struct watch *self, struct bytes first);
	/* Bytes in order, from one side. *used_out: how many it is done with. After it answered other than
	 * WATCH_MORE it is not fed again. */
	enum watch_answer (*feed)(const struct watch *self, void *state, enum fact_side from,
				  struct bytes in, uint64_t frame, size_t *used_out,
				  struct watch_facts *facts);
	/* Bytes are lost for good on this side: what can still be said is said (states become unknown). */
	enum watch_answer (*gap)(void *state, enum fact_side from, struct watch_facts *facts);
	/* The flow is over; last words. May be NULL. */
	void (*end)(void *state, struct watch_facts *facts);
};

extern const struct watch watch_tls, watch_imap, watch_pop3, watch_smtp, watch_sieve, watch_http;

#endif

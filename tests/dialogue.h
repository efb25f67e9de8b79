/* dialogue.h - runs a mail dialogue through a watcher: whole, split at every byte, one byte a feed, cut at
 * every byte, with rubbish behind it */
#ifndef TESTS_DIALOGUE_H
#define TESTS_DIALOGUE_H

#include "tests/test.h"

#include "classify/watch.h"

#define DIALOGUE_TURNS 40
#define DIALOGUE_BYTES 65536

/* What was said: "C" or "S" and the bytes of that side. Frames are turns, from 1. */
struct dialogue {
	const char *name;
	const char *turns[DIALOGUE_TURNS];
	enum mail_transport transport;
	const char *mechanism, *account;
	uint32_t secret_len;
	enum mail_credential credential;
	bool accepted, moved;
	enum watch_answer answer;
	const char *left[2];		/* bytes that stay unread: client's, server's; NULL is none */
	const char *letters;		/* NULL is not looked at */
	const char *refusal, *signature, *recipient, *claimed;	/* claimed: "xclient 192.0.2.1"; NULL is "" */
	uint32_t injected;		/* by the client */
	bool compressed, login_disabled;
	unsigned passes;		/* the states, besides unknown and the last, that are true on the way: 1u << state */
};

struct dialogue_run {
	const struct watch *watch;
	void *state;
	struct watch_facts facts;
	enum watch_answer answer;
	char pending[2][DIALOGUE_BYTES];
	size_t pending_len[2];
};

static inline void dialogue_begin(struct dialogue_run *run, const struct watch *watch)
{
	memset(run, 0, sizeof(*run));
	run->watch = watch;
	run->state = calloc(1, watch->size);
	run->facts.flow = 1;
}

static inline void dialogue_end(struct dialogue_run *run)
{
	free(run->state);
}

static inline void dialogue_offer(struct dialogue_run *run, int side, uint64_t frame)
{
	/* A copy of exactly its size, so that the sanitizer sees a read past the end. */
	size_t len = run->pending_len[side], used = 0;
	uint8_t *exact = malloc(len > 0 ? len : 1);

	memcpy(exact, run->pending[side], len);
	run->answer = run->watch->feed(run->watch, run->state, (enum fact_side)side, bytes_of(exact, len), frame,
				       &used, &run->facts);
	free(exact);
	assert_true(used <= len);
	memmove(run->pending[side], run->pending[side] + used, len - used);
	run->pending_len[side] = len - used;
}

static inline void dialogue_feed(struct dialogue_run *run, int side, const char *text, size_t len,
				 uint64_t frame)
{
	assert_true(run->pending_len[side] + len <= DIALOGUE_BYTES);
	memcpy(run->pending[side] + run->pending_len[side], text, len);
	run->pending_len[side] += len;
	if (run->answer == WATCH_MORE)
		dialogue_offer(run, side, frame);
}

static inline size_t dialogue_len(const struct dialogue *d)
{
	size_t n = 0;

	for (int i = 0; i < DIALOGUE_TURNS && d->turns[i] != NULL; i++)
		n += strlen(d->turns[i]) - 1;
	return n;
}

/* Runs the first `cut` bytes, with the turn that has byte `split` in two feeds, or in single bytes. */
static inline void dialogue_play(struct dialogue_run *run, const struct dialogue *d,
				 const struct watch *watch, size_t cut, size_t split, bool single)
{
	size_t at = 0;

	dialogue_begin(run, watch);
	for (int i = 0; i < DIALOGUE_TURNS && d->turns[i] != NULL; i++) {
		const char *text = d->turns[i] + 1;
		int side = d->turns[i][0] == 'S';
		size_t len = strlen(text), done = 0;

		if (at + len > cut)
			len = cut - at;
		while (done < len) {
			size_t n = single ? 1 : split > at + done && split < at + len ? split - at - done :
											len - done;

			dialogue_feed(run, side, text + done, n, (uint64_t)i + 1);
			done += n;
		}
		at += len;
	}
}

static inline void dialogue_expect_text(const struct dialogue *d, const char *how, const char *what,
					const char *got, const char *want)
{
	if (strcmp(got, want == NULL ? "" : want) != 0)
		fail_msg("%s (%s) %s: %s", d->name, how, what, got);
}

static inline void dialogue_expect(const struct dialogue *d, const struct dialogue_run *run, const char *how)
{
	const struct fact_mail_session *mail = &run->facts.mail;
	char got[1024], want[1024], address[HOST_TEXT_SIZE];

	snprintf(want, sizeof(want), "%s %s '%s' %u %s%s%s answer %d", fact_mail_transport_name(d->transport),
		 d->mechanism == NULL ? "" : d->mechanism, d->account == NULL ? "" : d->account, d->secret_len,
		 fact_mail_credential_name(d->credential), d->accepted ? " accepted" : "",
		 d->moved ? " moved" : "", d->answer);
	snprintf(got, sizeof(got), "%s %s '%s' %u %s%s%s answer %d", fact_mail_transport_name(mail->transport),
		 mail->mechanism, mail->account, mail->secret_len, fact_mail_credential_name(mail->credential),
		 mail->accepted ? " accepted" : "", mail->mail_moved ? " moved" : "", run->answer);
	if (strcmp(got, want) != 0)
		fail_msg("%s (%s)\n got: %s\nwant: %s", d->name, how, got, want);
	dialogue_expect_text(d, how, "refusal", mail->refusal, d->refusal);
	dialogue_expect_text(d, how, "signature", mail->signature, d->signature);
	dialogue_expect_text(d, how, "recipient", mail->recipient_domain, d->recipient);
	host_text(mail->claimed_client, address);
	snprintf(got, sizeof(got), "%s %s", mail->claimed_by, address);
	dialogue_expect_text(d, how, "claimed", mail->claimed_by[0] != '\0' ? got : "", d->claimed);
	if (mail->injected[0] != d->injected || mail->injected[1] != 0)
		fail_msg("%s (%s) injected %u %u", d->name, how, mail->injected[0], mail->injected[1]);
	if (mail->compressed != d->compressed || mail->login_disabled != d->login_disabled)
		fail_msg("%s (%s) compressed %d, login disabled %d", d->name, how, mail->compressed,
			 mail->login_disabled);
	if (d->letters != NULL && strcmp(mail->dialogue, d->letters) != 0)
		fail_msg("%s (%s) letters %s, want %s", d->name, how, mail->dialogue, d->letters);
	for (int side = 0; side < 2; side++) {
		const char *left = d->left[side] == NULL ? "" : d->left[side];

		if (run->pending_len[side] != strlen(left) ||
		    memcmp(run->pending[side], left, strlen(left)) != 0)
			fail_msg("%s (%s) side %d left: %.*s", d->name, how, side,
				 (int)run->pending_len[side], run->pending[side]);
	}
}

static inline void dialogue_cut_text(const struct dialogue *d, size_t cut, const char *what, const char *got,
				     const char *whole)
{
	if (got[0] != '\0' && strcmp(got, whole == NULL ? "" : whole) != 0)
		fail_msg("%s cut at %zu, %s: %s", d->name, cut, what, got);
}

/* Whatever is missing at the end, what is said is not more than the whole shows: its state, or one that was
 * true until then, or unknown. */
static inline void dialogue_cut(const struct dialogue *d, const struct watch *watch,
				struct dialogue_run *run)
{
	size_t len = dialogue_len(d);
	unsigned allowed = 1u << MAIL_UNKNOWN | 1u << d->transport, passed = 0;

	for (size_t cut = 0; cut < len; cut++) {
		dialogue_play(run, d, watch, cut, 0, false);
		if (run->facts.mail.accepted && !d->accepted)
			fail_msg("%s cut at %zu: accepted", d->name, cut);
		if (run->facts.mail.mail_moved && !d->moved)
			fail_msg("%s cut at %zu: moved", d->name, cut);
		if (((allowed | d->passes) >> run->facts.mail.transport & 1) == 0)
			fail_msg("%s cut at %zu: %s", d->name, cut,
				 fact_mail_transport_name(run->facts.mail.transport));
		passed |= 1u << run->facts.mail.transport;
		dialogue_cut_text(d, cut, "refusal", run->facts.mail.refusal, d->refusal);
		dialogue_cut_text(d, cut, "recipient", run->facts.mail.recipient_domain, d->recipient);
		dialogue_cut_text(d, cut, "claimed", run->facts.mail.claimed_by, d->claimed == NULL ? NULL : "xclient");
		if ((d->passes >> MAIL_STARTTLS_STRIPPED & 1) == 0)
			dialogue_cut_text(d, cut, "signature", run->facts.mail.signature, d->signature);
		if (run->facts.mail.injected[0] > d->injected || run->facts.mail.injected[1] > 0 ||
		    run->facts.mail.compressed > d->compressed ||
		    run->facts.mail.login_disabled > d->login_disabled)
			fail_msg("%s cut at %zu: more than the whole", d->name, cut);
		dialogue_end(run);
	}
	if ((d->passes & ~passed) != 0)
		fail_msg("%s passes through 0x%x, not 0x%x", d->name, passed, d->passes);
}

static inline void dialogue_all(const struct dialogue *d, const struct watch *watch)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	static const char rubbish[] = "\xff\0{9}\"\r\n+ {99999999999999999999}\r\n.";
	struct watch_facts whole;
	size_t len = dialogue_len(d);

	dialogue_play(run, d, watch, len, 0, false);
	dialogue_expect(d, run, "whole");
	whole = run->facts;
	dialogue_end(run);
	for (size_t split = 1; split <= len; split++) {
		char how[32];

		snprintf(how, sizeof(how), split < len ? "split at %zu" : "single bytes", split);
		dialogue_play(run, d, watch, len, split, split == len);
		dialogue_expect(d, run, how);
		if (memcmp(&whole, &run->facts, sizeof(whole)) != 0)
			fail_msg("%s (%s): other facts", d->name, how);
		dialogue_end(run);
	}
	dialogue_cut(d, watch, run);
	dialogue_play(run, d, watch, len, 0, false);
	for (int side = 0; side < 2; side++)
		dialogue_feed(run, side, rubbish, sizeof(rubbish) - 1, 99);
	dialogue_end(run);
	free(run);
}

/* Bytes of a small generator: no crash, no endless reading, nothing accepted. */
static inline void dialogue_garbage(const struct watch *watch, const char *const *words, size_t word_count)
{
	struct dialogue_run *run = malloc(sizeof(*run));
	uint32_t x = 12345;

	for (int round = 0; round < 400; round++) {
		dialogue_begin(run, watch);
		for (int i = 0; i < 60 && run->answer == WATCH_MORE; i++) {
			char text[256];
			size_t n = 0;

			for (int part = 0; part < 4; part++) {
				x = x * 1664525 + 1013904223;
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
						      words[(x >> 8) % word_count]);
				text[n++] = (char)(x >> 24);
			}
			if (x & 0x10000)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n");
			dialogue_feed(run, (int)(x >> 20 & 1), text, n, (uint64_t)i + 1);
			if ((x >> 10 & 63) == 0 && run->answer == WATCH_MORE)
				run->answer = watch->gap(run->state, (enum fact_side)(x >> 5 & 1), &run->facts);
		}
		dialogue_end(run);
	}
	free(run);
}

#endif

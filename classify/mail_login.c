#include "classify/mail_line.h"

#include "capture/base.h"

void mail_mechanism(struct mail_login *login, struct bytes mechanism)
{
	mail_text(login->mechanism, sizeof(login->mechanism), mechanism);
	for (char *p = login->mechanism; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
}

void mail_login_begin(struct mail_talk *t, struct bytes mechanism)
{
	t->login = (struct mail_login){ .active = true };
	mail_mechanism(&t->login, mechanism);
	t->proceeded = true;
}

/* Reusable is worth most, then guessable, then hardened. */
static int rank(enum mail_credential worth)
{
	static const int ranks[] = {
		[CREDENTIAL_HARDENED] = 1,
		[CREDENTIAL_GUESSABLE] = 2,
		[CREDENTIAL_REUSABLE] = 3,
	};

	return ranks[worth];
}

/* Who types name and password into each other's field would have the password kept as the account. */
static bool swapped(const struct mail_login *login, struct bytes secret)
{
	return mail_is_address(secret) && !mail_is_address(bytes_of(login->account, strlen(login->account)));
}

/* Into the session, when it is worth more than what is there. */
static void record(struct mail_talk *t)
{
	struct fact_mail_session *mail = t->mail;
	int better = rank(t->login.worth) - rank(mail->credential);

	if (better < 0 || (better == 0 && mail->accepted))
		return;
	t->login.recorded = true;
	mail->credential = t->login.worth;
	mail->secret_len = t->login.secret_len;
	mail->credential_frame = t->login.worth == CREDENTIAL_NONE ? 0 : t->login.frame;
	mail->accepted = false;
	base_copy(mail->mechanism, sizeof(mail->mechanism), t->login.mechanism);
	base_copy(mail->account, sizeof(mail->account), t->login.account);
}

void mail_login_seen(struct mail_talk *t, enum mail_credential worth, struct bytes secret)
{
	t->login.worth = worth;
	t->login.secret_len = (uint32_t)bytes_left(&secret);
	t->login.frame = t->frame;
	if (swapped(&t->login, secret))
		explicit_bzero(t->login.account, sizeof(t->login.account));
	/* Where the begin was not seen, what looks like a login may stand in a message: the answer tells. */
	if (!t->late)
		record(t);
}

static void list(struct mail_talk *t, bool accepted)
{
	struct watch_facts *facts = t->facts;
	struct fact_login *l = &facts->logins[facts->login_count];

	*l = (struct fact_login){
		.flow = facts->flow, .place = facts->login_count++, .frame = t->login.frame,
		.credential = t->login.worth, .secret_len = t->login.secret_len, .accepted = accepted,
	};
	base_copy(l->mechanism, sizeof(l->mechanism), t->login.mechanism);
	base_copy(l->account, sizeof(l->account), t->login.account);
}

void mail_login_end(struct mail_talk *t, bool accepted)
{
	if (t->login.worth != CREDENTIAL_NONE && t->facts->login_count < WATCH_LOGINS)
		list(t, accepted);
	if (t->late && t->login.worth != CREDENTIAL_NONE)
		record(t);
	/* A mechanism that shows no credential (EXTERNAL, GSSAPI) is still named when it succeeds. */
	if (accepted && !t->login.recorded && t->login.worth == CREDENTIAL_NONE &&
	    t->login.mechanism[0] != '\0')
		record(t);
	if (accepted && t->login.recorded)
		t->mail->accepted = true;
	t->authenticated = t->authenticated || accepted;
	t->login.active = false;
	mail_letter(t, accepted ? 'y' : 'n');
}
